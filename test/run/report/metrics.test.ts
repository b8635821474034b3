/** The metrics of `check --prometheus`: every name in the table, values in base units, labels that tell certificates apart. */
import { beforeAll, expect, test } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import { summarize, summarizeRun } from '../../../src/run/report/index.ts'
import { formatMetrics } from '../../../src/run/report/metrics.ts'
import { checkMetrics } from '../../../src/run/report/metrics-table.ts'
import type { TargetReport } from '../../../src/run/report/shape.ts'
import { type Craft, craft, day, finding, hour } from './craft.ts'

let subject: Craft
beforeAll(async () => {
  subject = await craft()
})

function write(...targets: TargetReport[]): Promise<string> {
  return formatMetrics(summarizeRun(targets, { at: subject.at, elapsedMs: 5, unchecked: 0 }))
}

const labels = 'target="www.example.com",certificate="www.example.com",key="ecdsa P-256"'

test('a staple that comes at times is told with its ratio and how long it holds', async () => {
  const staple = subject.staple({ left: 5 * day })
  const text = await write(summarize(subject.examine({ staples: [staple, null, staple, null] })))
  expect(text).toContain(`staplewright_check_staple_present_ratio{${labels}} 0.5\n`)
  expect(text).toContain(`staplewright_check_staple_remaining_seconds{${labels}} ${(5 * day) / 1000}\n`)
  expect(text).toContain(`staplewright_check_staple_accepted{${labels}} 1\n`)
  expect(text).toContain('staplewright_check_severity{target="www.example.com"} 0\n')
  expect(text).toContain('staplewright_check_connections{target="www.example.com",outcome="done"} 4\n')
})

test('a stale staple has less than nothing left and is not accepted', async () => {
  const staple = subject.staple({ age: 8 * day, left: -3 * hour })
  const text = await write(
    summarize(
      subject.examine({ staples: [staple], severity: 'critical', findings: [finding({ code: 'staple-stale' })] }),
    ),
  )
  expect(text).toContain(`staplewright_check_staple_remaining_seconds{${labels}} ${(-3 * hour) / 1000}\n`)
  expect(text).toContain(`staplewright_check_staple_accepted{${labels}} 0\n`)
  expect(text).toContain(
    'staplewright_check_findings{target="www.example.com",code="staple-stale",severity="critical"} 1\n',
  )
  expect(text).toContain('staplewright_check_severity{target="www.example.com"} 2\n')
})

test('a target that could not be reached has no series of a certificate', async () => {
  const refused = new StapleError('ERR_PROBE_CONNECT', 'refused', {})
  const text = await write(summarize(subject.examine({ staples: [refused], severity: 'unknown' })))
  expect(text).toContain('staplewright_check_severity{target="www.example.com"} 3\n')
  expect(text).toContain('staplewright_check_connections{target="www.example.com",outcome="failed"} 1\n')
  expect(text).not.toContain('certificate=')
})

test('two certificates of one name and kind have series of their own', async () => {
  const report = summarize(subject.examine({ staples: [null] }))
  const [one] = report.certificates
  if (one === undefined) throw new Error('no certificate')
  const text = await write({ ...report, certificates: [one, { ...one, serialNumber: 'abc' }] })
  const series = text.match(/^staplewright_check_certificate_trusted\{.*certificate="([^"]*)"/gm)
  expect(new Set(series).size).toBe(2)
})

test('every name is in the table, and in base units', async () => {
  const staple = subject.staple()
  const text = await write(
    summarize(subject.examine({ staples: [staple], severity: 'warning', findings: [finding()] })),
  )
  const names = new Set(text.match(/^staplewright_[a-z_]+/gm))
  expect([...names].sort()).toEqual(Object.keys(checkMetrics).sort())
  for (const name of names) expect(name).not.toMatch(/_(ms|minutes|hours|days)$/)
})
