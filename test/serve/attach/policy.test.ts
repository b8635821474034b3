import { beforeAll, describe, expect, it } from 'vitest'
import type { Servable } from '../../../src/keep/keeper/index.ts'
import type { Certificate } from '../../../src/pki/x509/certificate.ts'
import {
  defaultPolicies,
  isRefusing,
  isStapled,
  judgeHandshake,
  judgeStop,
  largestStapleBytes,
  type Mode,
  type Policies,
} from '../../../src/serve/attach/policy.ts'
import { createAuthority } from '../../kit/authority.ts'

let mustStaple: Certificate
let plain: Certificate

beforeAll(async () => {
  const authority = await createAuthority()
  const leaves = await Promise.all([authority.issueLeaf({ mustStaple: true }), authority.issueLeaf()])
  ;[mustStaple, plain] = leaves.map((leaf) => leaf.certificate) as [Certificate, Certificate]
})

const good = new Uint8Array([1])
const revoked = new Uint8Array([2])
const unknown = new Uint8Array([3])

/** Every state of the keeper that makes a difference to a handshake. */
const states = {
  missing: { isRevoked: false, stapleState: 'missing' },
  fresh: { staple: good, certStatus: 'good', isRevoked: false, stapleState: 'fresh' },
  due: { staple: good, certStatus: 'good', isRevoked: false, stapleState: 'due' },
  stale: { isRevoked: false, stapleState: 'stale' },
  revoked: { staple: revoked, certStatus: 'revoked', isRevoked: true, stapleState: 'revoked' },
  'revoked, its response stale': { isRevoked: true, stapleState: 'revoked' },
  'revoked beside a good staple': { staple: good, certStatus: 'good', isRevoked: true, stapleState: 'revoked' },
  'unknown beside a good staple': {
    staple: good,
    certStatus: 'good',
    unknown,
    isRevoked: false,
    stapleState: 'unknown',
  },
  'unknown alone': { unknown, isRevoked: false, stapleState: 'unknown' },
  'unknown, its response stale': { isRevoked: false, stapleState: 'unknown' },
  unsupported: { isRevoked: false, stapleState: 'unsupported' },
} satisfies Record<string, Servable>

type State = keyof typeof states

/** What a handshake gets, in short: the bytes' name, nothing, or the refusal's reason. */
function outcome(state: State, policies: Partial<Policies>): string {
  const verdict = judgeHandshake(states[state], { ...defaultPolicies('auto'), ...policies })
  if (verdict.kind === 'refuse') return `refused: ${verdict.reason}`
  if (verdict.kind === 'none') return 'no staple'
  return verdict.staple === good ? 'good' : verdict.staple === revoked ? 'revoked' : 'unknown'
}

describe('modes', () => {
  it.each<[Mode, boolean, boolean]>([
    ['auto', true, false],
    ['must', true, false],
    ['always', true, true],
    ['never', false, false],
  ])('%s staples Must-Staple: %s, others: %s', (mode, staplesMust, staplesPlain) => {
    expect([isStapled(mode, mustStaple), isStapled(mode, plain)]).toEqual([staplesMust, staplesPlain])
  })

  it.each<[Mode, Policies]>([
    ['auto', { onStart: 'prefer', onRevoked: 'staple', onUnknown: 'keep', onStale: 'unstapled' }],
    ['must', { onStart: 'require', onRevoked: 'stop', onUnknown: 'keep', onStale: 'unstapled' }],
    ['always', { onStart: 'prefer', onRevoked: 'stop', onUnknown: 'keep', onStale: 'unstapled' }],
    ['never', { onStart: 'prefer', onRevoked: 'staple', onUnknown: 'keep', onStale: 'unstapled' }],
  ])('%s has the default policies of the table', (mode, policies) => {
    expect(defaultPolicies(mode)).toEqual(policies)
  })
})

describe('on_revoked', () => {
  const rows: [Policies['onRevoked'], State, string][] = [
    ['staple', 'revoked', 'revoked'],
    ['staple', 'revoked, its response stale', 'no staple'],
    ['staple', 'revoked beside a good staple', 'no staple'],
    ['withhold', 'revoked', 'no staple'],
    ['withhold', 'revoked beside a good staple', 'no staple'],
    ['stop', 'revoked', 'revoked'],
    ['stop', 'revoked, its response stale', 'no staple'],
    ['stop-site', 'revoked', 'refused: revoked'],
    ['stop-site', 'revoked, its response stale', 'refused: revoked'],
    ['stop-site', 'revoked beside a good staple', 'refused: revoked'],
    ['staple', 'fresh', 'good'],
    ['withhold', 'fresh', 'good'],
    ['stop', 'fresh', 'good'],
    ['stop-site', 'fresh', 'good'],
  ]
  it.each(rows)('%s, %s: %s', (onRevoked, state, expected) => {
    expect(outcome(state, { onRevoked })).toBe(expected)
  })

  it('stop alone asks for everything to stop', () => {
    const reasons = (['staple', 'withhold', 'stop', 'stop-site'] as const).map((onRevoked) =>
      judgeStop(states.revoked, { ...defaultPolicies('auto'), onRevoked }),
    )
    expect(reasons).toEqual([undefined, undefined, 'revoked', undefined])
  })
})

describe('on_unknown', () => {
  const rows: [Policies['onUnknown'], State, string][] = [
    ['keep', 'unknown beside a good staple', 'good'],
    ['keep', 'unknown alone', 'no staple'],
    ['keep', 'unknown, its response stale', 'no staple'],
    ['staple', 'unknown beside a good staple', 'unknown'],
    ['staple', 'unknown alone', 'unknown'],
    ['staple', 'unknown, its response stale', 'no staple'],
    ['stop', 'unknown beside a good staple', 'good'],
    ['stop', 'unknown alone', 'no staple'],
  ]
  it.each(rows)('%s, %s: %s', (onUnknown, state, expected) => {
    expect(outcome(state, { onUnknown })).toBe(expected)
  })

  it('stop alone asks for everything to stop', () => {
    const reasons = (['keep', 'staple', 'stop'] as const).map((onUnknown) =>
      judgeStop(states['unknown alone'], { ...defaultPolicies('auto'), onUnknown }),
    )
    expect(reasons).toEqual([undefined, undefined, 'unknown'])
  })

  it('never outranks a revocation', () => {
    const both: Servable = { ...states.revoked, unknown }
    expect(judgeHandshake(both, { ...defaultPolicies('auto'), onUnknown: 'staple' })).toEqual({
      kind: 'staple',
      staple: revoked,
    })
  })
})

describe('on_stale', () => {
  const rows: [Policies['onStale'], State, string][] = [
    ['unstapled', 'stale', 'no staple'],
    ['unstapled', 'missing', 'no staple'],
    ['refuse', 'stale', 'refused: no-staple'],
    ['refuse', 'missing', 'refused: no-staple'],
    ['refuse', 'unknown alone', 'refused: no-staple'],
    ['refuse', 'revoked, its response stale', 'refused: no-staple'],
    ['refuse', 'revoked', 'revoked'],
    ['refuse', 'fresh', 'good'],
    ['refuse', 'due', 'good'],
    ['refuse', 'unsupported', 'no staple'],
  ]
  it.each(rows)('%s, %s: %s', (onStale, state, expected) => {
    expect(outcome(state, { onStale })).toBe(expected)
  })

  it('does not make withhold refuse: serving nothing was asked for', () => {
    expect(outcome('revoked', { onStale: 'refuse', onRevoked: 'withhold' })).toBe('no staple')
  })
})

it('staples nothing over 16 KiB, which TLS 1.2 clients choke on', () => {
  const oversized: Servable = { ...states.fresh, staple: new Uint8Array(largestStapleBytes + 1) }
  const largest: Servable = { ...states.fresh, staple: new Uint8Array(largestStapleBytes) }
  const policies = defaultPolicies('always')
  expect([judgeHandshake(oversized, policies).kind, judgeHandshake(largest, policies).kind]).toEqual(['none', 'staple'])
})

it('knows which policies can refuse a handshake at all', () => {
  const policies = defaultPolicies('auto')
  expect([
    isRefusing(policies),
    isRefusing({ ...policies, onStale: 'refuse' }),
    isRefusing({ ...policies, onRevoked: 'stop-site' }),
    isRefusing({ ...policies, onRevoked: 'stop' }),
  ]).toEqual([false, true, true, false])
})
