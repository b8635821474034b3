import { describe, expect, test } from 'vitest'
import type { EntryStatus, Servable } from '../../../src/keep/keeper/index.ts'
import { decideAdmission } from '../../../src/run/daemon/admission.ts'
import type { Policies } from '../../../src/serve/attach/policy.ts'

const lenient: Policies = { onStart: 'prefer', onRevoked: 'staple', onUnknown: 'keep', onStale: 'unstapled' }

function decide(
  entry: Partial<EntryStatus>,
  policies: Partial<Policies>,
  isLate: boolean,
  servable: Partial<Servable> = {},
) {
  const awaited = { certificateKey: 'k', label: 'server.pem', policies: { ...lenient, ...policies } }
  const known = {
    awaited,
    entry: { label: 'server.pem', failures: 0, ...entry } as EntryStatus,
    servable: {
      stapleState: entry.stapleState ?? 'missing',
      isRevoked: entry.stapleState === 'revoked',
      ...(entry.stapleState === 'fresh' && { staple: Uint8Array.of(1) }),
      ...servable,
    } as Servable,
  }
  return decideAdmission([known], isLate)
}

describe('with a staple in', () => {
  test.each(['prefer', 'require', 'exit'] as const)('on_start: %s opens at once', (onStart) => {
    expect(decide({ stapleState: 'fresh', certStatus: 'good' }, { onStart }, false)).toMatchObject({
      kind: 'open',
      missing: [],
    })
  })
})

describe('with a staple missing', () => {
  test.each([
    ['prefer', false, 'wait'],
    ['prefer', true, 'open'],
    ['require', false, 'wait'],
    ['require', true, 'wait'],
    ['exit', false, 'wait'],
    ['exit', true, 'end'],
  ] as const)('on_start: %s, start_timeout passed: %s -> %s', (onStart, isLate, kind) => {
    expect(decide({ stapleState: 'missing' }, { onStart }, isLate).kind).toBe(kind)
  })

  test('on_start: exit ends with 4 and says why', () => {
    const lastError = { code: 'ERR_FETCH_FAILED', message: 'connection refused', at: new Date(0) } as const
    expect(decide({ stapleState: 'missing', lastError }, { onStart: 'exit' }, true)).toEqual({
      kind: 'end',
      exitCode: 4,
      because: 'no staple for server.pem: connection refused',
    })
  })

  test('prefer opens late, naming what is missing', () => {
    expect(decide({ stapleState: 'missing' }, {}, true)).toMatchObject({ missing: [{ label: 'server.pem' }] })
  })
})

describe('with a certificate that can never be stapled', () => {
  const entry = { stapleState: 'unsupported', unsupportedReason: 'no OCSP URL' } as const

  test('prefer opens at once', () => {
    expect(decide(entry, {}, false).kind).toBe('open')
  })

  test.each(['require', 'exit'] as const)('on_start: %s ends with 4 at once, naming it', (onStart) => {
    expect(decide(entry, { onStart }, false)).toMatchObject({
      kind: 'end',
      exitCode: 4,
      because: expect.stringContaining('server.pem'),
    })
  })
})

describe('with a revocation', () => {
  test('on_revoked: stop ends with 3 when the network says so', () => {
    expect(decide({ stapleState: 'revoked', source: 'network' }, { onRevoked: 'stop' }, false)).toMatchObject({
      kind: 'end',
      exitCode: 3,
    })
  })

  test('a stored one waits to be asked once more', () => {
    expect(decide({ stapleState: 'revoked', source: 'store' }, { onRevoked: 'stop' }, false).kind).toBe('wait')
  })

  test('a stored one counts when the answer did not come in time', () => {
    expect(decide({ stapleState: 'revoked', source: 'store' }, { onRevoked: 'stop' }, true)).toMatchObject({
      kind: 'end',
      exitCode: 3,
    })
  })

  test.each(['staple', 'withhold', 'stop-site'] as const)('on_revoked: %s opens', (onRevoked) => {
    expect(decide({ stapleState: 'revoked', source: 'network' }, { onRevoked }, false).kind).toBe('open')
  })
})

describe('with certStatus unknown', () => {
  test('on_unknown: stop ends with 3', () => {
    expect(decide({ stapleState: 'unknown' }, { onUnknown: 'stop' }, false)).toMatchObject({ kind: 'end', exitCode: 3 })
  })

  test('on_unknown: keep counts as no staple when none is held', () => {
    expect(decide({ stapleState: 'unknown' }, {}, false).kind).toBe('wait')
  })

  test('on_unknown: keep opens with the good staple that is held', () => {
    const servable = { staple: Uint8Array.of(1), certStatus: 'good' } as const
    expect(decide({ stapleState: 'unknown' }, {}, false, servable)).toEqual({ kind: 'open', missing: [] })
  })

  test('on_unknown: keep waits when the good staple that was held has gone stale', () => {
    expect(decide({ stapleState: 'unknown', certStatus: 'good' }, {}, false).kind).toBe('wait')
  })

  test('on_unknown: staple opens with the unknown itself', () => {
    const servable = { unknown: Uint8Array.of(1) }
    const decided = decide({ stapleState: 'unknown' }, { onUnknown: 'staple' }, false, servable)
    expect(decided).toEqual({ kind: 'open', missing: [] })
  })
})
