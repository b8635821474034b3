/** What a person reads: the verdict first, the drawing, findings that can be acted on, nothing that steers a terminal. */
import { stripVTControlCharacters } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import { createStyle } from '../../../src/run/journal/style.ts'
import { formatText, summarize, summarizeRun, type TextLook } from '../../../src/run/report/index.ts'
import type { TargetReport } from '../../../src/run/report/shape.ts'
import { type Craft, craft, day, finding, hour } from './craft.ts'

let subject: Craft
beforeAll(async () => {
  subject = await craft({ mustStaple: true })
})

const plain = createStyle({}, {})
const refused = new StapleError('ERR_PROBE_CONNECT', '192.0.2.1:443: connection refused (ECONNREFUSED)', {})

function show(targets: readonly TargetReport[], look: Partial<TextLook> = {}, unchecked = 0): string {
  const report = summarizeRun(targets, { at: subject.at, elapsedMs: 1_500, unchecked })
  return formatText(report, { style: plain, width: 100, isVerbose: false, ...look })
}

function good(): TargetReport {
  const staple = subject.staple()
  return summarize(subject.examine({ staples: [staple, staple, staple] }))
}

describe('one target', () => {
  test('begins with the verdict and its reason', () => {
    expect(show([good()]).split('\n')[0]).toBe('ok: www.example.com: stapled on 3 of 3 connections, good for 5 days')
  })

  test('tells how often a staple came, on which address and TLS version', () => {
    const staple = subject.staple()
    const text = show([summarize(subject.examine({ staples: [staple, null, staple] }))])
    expect(text).toContain('2 of 3 connections (192.0.2.1 TLS 1.3 2 of 2, TLS 1.2 0 of 1)')
  })

  test('draws where now stands between thisUpdate and nextUpdate', () => {
    const bar = show([good()]).match(/├(━*)●(─*)┤/)
    expect(bar?.[1]?.length).toBe(Math.floor((2 / 7) * 44))
    expect(`${bar?.[1]}${bar?.[2]}`.length).toBe(43)
    expect(show([good()])).toContain('survives an outage of 5 days')
  })

  test.each([
    ['past nextUpdate', { age: 8 * day, left: -3 * hour }, /├━{44}┤ {2}●/, 'stale for 3 h'],
    ['before thisUpdate', { age: -5 * hour, left: 5 * day }, /● {2}├─{44}┤/, 'from the future: begins in 5 h'],
  ])('draws now outside of the window when it is %s', (_, window, bar, words) => {
    const text = show([summarize(subject.examine({ staples: [subject.staple(window)] }))])
    expect(text).toMatch(bar)
    expect(text).toContain(words)
    expect(text).toMatch(/good, refused by (next|this)-update/)
  })

  test('does not say of a revoked staple that it survives anything', () => {
    const text = show([summarize(subject.examine({ staples: [subject.staple({ certStatus: 'revoked' })] }))])
    expect(text).toMatch(/revoked since .* \(keyCompromise\)/)
    expect(text).toContain('ends in 5 days')
    expect(text).not.toContain('survives')
  })

  test('nor of a good one whose certificate the CA has revoked by now', () => {
    const at = subject.at
    const live = { certStatus: 'revoked', revocationTime: at, thisUpdate: at, usableUntil: at, elapsedMs: 20 } as const
    const ocsp = { ...live, source: 'ocsp', url: 'http://ocsp.example/', isCached: false, failures: [] } as const
    const text = show([
      summarize(subject.examine({ staples: [subject.staple()], live: { ocsp }, severity: 'critical' })),
    ])
    expect(text).toContain('CA by OCSP   revoked, from http://ocsp.example/ in 20 ms')
    expect(text).toContain('ends in 5 days')
    expect(text).not.toContain('survives')
  })

  test('says why nothing was seen, once', () => {
    const text = show([summarize(subject.examine({ staples: [refused], severity: 'unknown' }))])
    expect(text.split('\n')[0]).toBe('unknown: www.example.com: 192.0.2.1:443: connection refused (ECONNREFUSED)')
    expect(text).not.toContain('failed')
    expect(text).not.toContain('cannot be seen')
  })

  test('says a target that is an address once, too', () => {
    const own = new StapleError('ERR_PROBE_CONNECT', 'www.example.com: connection refused (ECONNREFUSED)', {})
    const text = show([summarize(subject.examine({ staples: [own], severity: 'unknown' }))])
    expect(text.split('\n')[0]).toBe('unknown: www.example.com: connection refused (ECONNREFUSED)')
  })

  test('tells failures apart from offers that the server merely does not take', () => {
    const declined = new StapleError('ERR_PROBE_HANDSHAKE', '192.0.2.1:443: handshake_failure', {})
    const report = summarize(subject.examine({ staples: [null, declined, null, refused, refused] }))
    const text = show([report])
    expect(text).toContain('declined     TLS 1.2 at 192.0.2.1')
    expect(text).toContain('failed       192.0.2.1: 192.0.2.1:443: connection refused (ECONNREFUSED) (2 times)')
  })
})

describe('findings', () => {
  const nginx = { kind: 'nginx', because: ['Server: nginx'] } as const
  const remedies = [
    { server: 'nginx', text: 'Write:', lines: ['  ssl_stapling on;', 'x'.repeat(150)] },
    { server: 'apache', text: 'Other.' },
  ] as const

  const look = (options: Partial<TextLook> = {}, server: typeof nginx | undefined = nginx) =>
    show(
      [
        summarize(
          subject.examine({
            staples: [null],
            severity: 'critical',
            findings: [finding({ remedies, evidence: Array.from({ length: 9 }, (_, each) => `fact ${each}`) })],
            ...(server && { server }),
          }),
        ),
      ],
      options,
    )

  test('give lines to copy as they are, however long', () => {
    expect(look({ width: 60 })).toContain(`\n          ssl_stapling on;\n        ${'x'.repeat(150)}\n`)
  })

  test('show the remedy of the server that was recognised, and name the others', () => {
    expect(look()).toContain('→ nginx: Write:')
    expect(look()).not.toContain('Other.')
    expect(look()).toContain('for Apache: -v shows it')
    expect(look({ isVerbose: true })).toContain('→ Apache: Other.')
  })

  test('cut long evidence short, and say so', () => {
    expect(look()).toContain('- fact 5\n  - and 3 more: -v shows them')
    expect(look({ isVerbose: true })).toContain('- fact 8')
  })

  test.each([66, 80, 100])('keep to %i columns but for what is to be copied', (width) => {
    const staple = subject.staple({ age: 8 * day, left: -3 * hour })
    const text = show(
      [
        summarize(
          subject.examine({
            staples: [staple, null, refused],
            severity: 'critical',
            findings: [finding({ meaning: 'a word and another '.repeat(20) })],
          }),
        ),
      ],
      { width },
    )
    const [, ...lines] = text.split('\n')
    expect(lines.filter((line) => line.length > width)).toEqual([])
  })
})

describe('several targets', () => {
  const bad = () =>
    summarize(
      subject.examine({
        target: { label: 'mail.example.com:25' },
        staples: [null],
        severity: 'critical',
        findings: [finding()],
      }),
    )
  const silent = () =>
    summarize(subject.examine({ target: { label: 'gone' }, staples: [refused], severity: 'unknown' }))

  test('begin with a line for all, the worst first', () => {
    expect(show([good(), silent(), bad()]).split('\n')[0]).toBe(
      'critical: 3 targets: 1 critical, 1 unknown, 1 ok; mail.example.com:25: no staple, although the certificate demands one; gone: 192.0.2.1:443: connection refused (ECONNREFUSED)',
    )
  })

  test('are listed in their order, with all about those that are not ok', () => {
    const text = show([good(), bad()])
    expect(text).toMatch(/^ok {8}www\.example\.com {6}stapled.*\ncritical {2}mail\.example\.com:25 {2}no staple/m)
    expect(text).toContain('── critical mail.example.com:25 ─')
    expect(text).not.toContain('── ok www.example.com')
    expect(show([good(), bad()], { isVerbose: true })).toContain('── ok www.example.com')
  })

  test('are unknown when they were interrupted, and say how many are missing', () => {
    expect(show([good()], {}, 7).split('\n')[0]).toBe('unknown: 1 target: 1 ok; interrupted, 7 not looked at')
  })
})

test('what strangers say cannot steer the terminal', () => {
  const hostile = '\u001b[2Jevil\u009b31m\u202e\u0007'
  const report = summarize(
    subject.examine({
      target: { label: hostile },
      staples: [null],
      greeting: hostile,
      server: { kind: 'nginx', because: [`Server: ${hostile}`] },
      severity: 'warning',
      findings: [finding({ title: hostile, meaning: hostile, evidence: [hostile], severity: 'warning' })],
    }),
  )
  const text = show([report], { isVerbose: true })
  expect(text).toContain('?[2Jevil?31m??')
  expect(text).not.toMatch(/[^\P{Cc}\n]|\u202e/u)
})

test('colours add nothing but colours', () => {
  const targets = [good()]
  const coloured = show(targets, { style: createStyle({ isTTY: true }, {}) })
  expect(coloured).not.toBe(show(targets))
  expect(stripVTControlCharacters(coloured)).toBe(show(targets))
})
