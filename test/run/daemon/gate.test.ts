/** The rules of the gate, each by itself: what is known in, open or waiting out. */
import { describe, expect, test } from 'vitest'
import type { EntryStatus, Servable } from '../../../src/keep/keeper/index.ts'
import { decideGate, type GateQuestion } from '../../../src/run/daemon/gate.ts'
import type { Policies } from '../../../src/serve/attach/policy.ts'

const since = new Date('2026-11-21T12:00:00Z')
const later = (ms: number) => new Date(since.getTime() + ms)
const minute = 60_000
const day = 86_400_000
const staple = Uint8Array.of(1)

const stapled: Servable = { staple, certStatus: 'good', isRevoked: false, stapleState: 'fresh' }
const missing: Servable = { isRevoked: false, stapleState: 'missing' }
const revoked: Servable = { staple, certStatus: 'revoked', isRevoked: true, stapleState: 'revoked' }
const policies: Policies = { onStart: 'prefer', onRevoked: 'staple', onUnknown: 'keep', onStale: 'unstapled' }

interface Case {
  readonly now?: Date
  readonly wanted?: Partial<GateQuestion['wanted']>
  readonly entry?: Partial<EntryStatus>
  readonly old?: Partial<GateQuestion['old']>
  readonly policies?: Partial<Policies>
}

/** A Must-Staple certificate without its staple, before one that is stapled and lives for 30 days more. */
function decide(o: Case = {}) {
  const servable = o.wanted?.servable ?? missing
  const entry = { stapleState: servable.stapleState, ...o.entry } as EntryStatus
  return decideGate({
    now: o.now ?? since,
    since,
    gateMarginMs: 10 * minute,
    startTimeoutMs: 5_000,
    policies: { ...policies, ...o.policies },
    wanted: { isStapled: true, isMustStaple: true, entry, servable, ...o.wanted },
    old: { notAfter: later(30 * day), servable: stapled, ...o.old },
  })
}

const isOpen = { kind: 'open' }
const isWaiting = (deadline?: Date) => ({ kind: 'waiting', cause: expect.any(String), ...(deadline && { deadline }) })

describe('the gate waits for the staple', () => {
  test('it opens when it is there', () => {
    expect(decide({ wanted: { servable: stapled } })).toEqual(isOpen)
  })

  test('without it, it stays closed until gate_margin before the end of the old certificate', () => {
    expect(decide({ now: later(20 * day) })).toEqual(isWaiting(later(30 * day - 10 * minute)))
  })

  test('a staple that was held and went stale is none', () => {
    expect(decide({ wanted: { servable: { isRevoked: false, stapleState: 'stale' } } }).kind).toBe('waiting')
  })

  test('the cause is what the responder, or the way to it, said last', () => {
    expect(decide()).toMatchObject({ cause: 'its staple has not come yet' })
    const lastError = { code: 'ERR_FETCH_FAILED', message: 'connection refused', at: since } as const
    expect(decide({ entry: { lastError } })).toMatchObject({ cause: 'connection refused' })
  })
})

describe('the old certificate is near its end', () => {
  test.each([
    [10 * minute + 1, 'waiting'],
    [10 * minute, 'open'],
    [-day, 'open'],
  ] as const)('%i ms before notAfter: %s', (before, kind) => {
    expect(decide({ now: later(30 * day - before) }).kind).toBe(kind)
  })
})

describe('the old certificate serves clients no better', () => {
  test('it is revoked', () => {
    expect(decide({ old: { servable: revoked } })).toEqual(isOpen)
  })

  test('it is revoked, and nothing of that can be stapled', () => {
    expect(decide({ old: { servable: { isRevoked: true, stapleState: 'revoked' } } })).toEqual(isOpen)
  })

  test.each(['missing', 'stale', 'unknown', 'unsupported'] as const)(
    'it has no servable staple (%s)',
    (stapleState) => {
      expect(decide({ old: { servable: { isRevoked: false, stapleState } } })).toEqual(isOpen)
    },
  )
})

describe('a certificate without Must-Staple', () => {
  const wanted = { isMustStaple: false }

  test.each([
    [4_999, 'waiting'],
    [5_000, 'open'],
  ] as const)('%i ms after it was first wanted: %s (start_timeout is 5 s)', (ms, kind) => {
    expect(decide({ wanted, now: later(ms) }).kind).toBe(kind)
  })

  test('the deadline is start_timeout, or gate_margin when that comes first', () => {
    expect(decide({ wanted })).toEqual(isWaiting(later(5_000)))
    expect(decide({ wanted, old: { notAfter: later(10 * minute + 1_000) } })).toEqual(isWaiting(later(1_000)))
  })

  test('one with Must-Staple does not come in by start_timeout', () => {
    expect(decide({ now: later(day) }).kind).toBe('waiting')
  })
})

describe('the gate does not apply', () => {
  test('to what the mode does not staple (never, or auto without Must-Staple)', () => {
    expect(decide({ wanted: { isStapled: false } })).toEqual(isOpen)
  })

  test('to what can never be stapled', () => {
    expect(decide({ wanted: { servable: { isRevoked: false, stapleState: 'unsupported' } } })).toEqual(isOpen)
  })
})

describe('a certificate found revoked behind the gate is refused', () => {
  test('for good: there is no deadline', () => {
    expect(decide({ wanted: { servable: revoked } })).toEqual({ kind: 'waiting', cause: 'it is revoked' })
  })

  test.each(['staple', 'withhold', 'stop', 'stop-site'] as const)('whatever on_revoked says (%s)', (onRevoked) => {
    expect(decide({ wanted: { servable: revoked }, policies: { onRevoked } }).kind).toBe('waiting')
  })

  test('also when the old one is at its end, without a staple, or revoked itself', () => {
    const wanted = { servable: revoked, isMustStaple: false }
    expect(decide({ wanted, now: later(40 * day) }).kind).toBe('waiting')
    expect(decide({ wanted, old: { servable: missing } }).kind).toBe('waiting')
    expect(decide({ wanted, old: { servable: revoked } }).kind).toBe('waiting')
  })
})

describe('a certificate that the responder does not know', () => {
  const unknown: Servable = { unknown: staple, isRevoked: false, stapleState: 'unknown' }

  test('on_unknown: keep counts it as one without a staple', () => {
    expect(decide({ wanted: { servable: unknown } })).toEqual(isWaiting(later(30 * day - 10 * minute)))
  })

  test('on_unknown: staple takes the answer for a staple', () => {
    expect(decide({ wanted: { servable: unknown }, policies: { onUnknown: 'staple' } })).toEqual(isOpen)
  })

  test('on_unknown: stop refuses it: what is behind the gate stops nothing, now or later', () => {
    const refused = { kind: 'waiting', cause: expect.stringContaining('does not know') }
    const o = { wanted: { servable: unknown, isMustStaple: false }, policies: { onUnknown: 'stop' } } as const
    expect(decide({ ...o, now: later(40 * day) })).toEqual(refused)
  })
})
