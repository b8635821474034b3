/** The page: self-contained, and nothing that a stranger says becomes markup. */
import { beforeAll, expect, test } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import { summarize, summarizeRun } from '../../../src/run/report/index.ts'
import { formatPage } from '../../../src/run/report/page/page.ts'
import type { TargetReport } from '../../../src/run/report/shape.ts'
import { type Craft, craft, day, finding, hour } from './craft.ts'

let subject: Craft
beforeAll(async () => {
  subject = await craft()
})

function draw(...targets: TargetReport[]): string {
  return formatPage(summarizeRun(targets, { at: subject.at, elapsedMs: 5, unchecked: 0 }))
}

const hostile = `<script>alert(1)</script>"'><img src=http://evil.example/x onerror=x>&amp;\u0007`

test('escapes what strangers say, wherever it stands', () => {
  const page = draw(
    summarize(
      subject.examine({
        target: { label: hostile, serverName: hostile },
        staples: [null, new StapleError('ERR_PROBE_TIMEOUT', hostile, {})],
        server: { kind: 'nginx', because: [hostile] },
        severity: 'critical',
        findings: [
          finding({
            code: hostile,
            title: hostile,
            meaning: hostile,
            evidence: [hostile],
            remedies: [{ text: hostile, lines: [hostile] }],
          }),
        ],
      }),
    ),
  )
  expect(page).not.toMatch(/<script|<img|"'>/)
  expect(page).not.toContain('\u0007')
  expect(page.split('&#60;script&#62;').length).toBeGreaterThan(9)
})

test('loads nothing and runs nothing', () => {
  const staple = subject.staple()
  const page = draw(summarize(subject.examine({ staples: [staple, null], findings: [finding()] })))
  expect(page).not.toMatch(/<(script|link|iframe|object|embed|img|video|audio|base|form)\b/i)
  expect(page).not.toMatch(/\b(src|srcset|action|xlink:href)\s*=|url\(|@import/i)
  expect(page.match(/\bhref="([^"]*)"/g)?.filter((each) => !each.startsWith('href="#')) ?? []).toEqual([])
  expect(page).toContain(`default-src 'none'`)
})

test('draws the window of each staple, with now inside or outside of it', () => {
  const staples = [subject.staple(), subject.staple({ age: 8 * day, left: -3 * hour }), subject.staple({ age: -hour })]
  const page = draw(summarize(subject.examine({ staples })))
  expect(page.match(/<figure class="window (\w+)"/g)).toEqual(
    ['good', 'bad', 'bad'].map((tone) => `<figure class="window ${tone}"`),
  )
  const [within, after, before] = [...page.matchAll(/<line class="now" x1="(-?[\d.]+)"/g)].map((each) =>
    Number(each[1]),
  )
  expect(within).toBeCloseTo(50 + (2 / 7) * 560, 0)
  expect(after).toBeGreaterThan(610)
  expect(before).toBeLessThan(50)
})

test('of several targets begins with a table that leads to each', () => {
  const one = summarize(subject.examine({ staples: [null] }))
  const page = draw(one, { ...one, verdict: 'critical' })
  expect(page).toContain('href="#t1"')
  expect(page).toContain('<section id="t1" class="critical">')
  expect(page).toContain('<title>critical: 2 targets</title>')
})
