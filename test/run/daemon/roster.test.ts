/** Which certificates the keeper keeps for a daemon, and how often each was added. */
import { beforeEach, describe, expect, test } from 'vitest'
import { createKeeper, type Keeper } from '../../../src/keep/keeper/index.ts'
import { memoryStore } from '../../../src/keep/store/index.ts'
import { certificateKey } from '../../../src/pki/x509/crypto.ts'
import type { CertificateSettings, Settings, SiteSettings } from '../../../src/run/config/index.ts'
import { createRoster, type Roster } from '../../../src/run/daemon/roster.ts'
import { defaultPolicies, type Mode } from '../../../src/serve/attach/policy.ts'
import { fakeFetcher } from '../../keep/keeper/fake-fetcher.ts'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { type ManualClock, manualClock } from '../../kit/clock.ts'
import { endsWithTest } from '../../kit/lifetime.ts'

const authority = await createAuthority()
const one = await authority.issueLeaf({ mustStaple: true })
const two = await authority.issueLeaf({ mustStaple: true })
const plain = await authority.issueLeaf()

let clock: ManualClock
let keeper: Keeper
let roster: Roster
beforeEach(() => {
  clock = manualClock(new Date())
  keeper = createKeeper({ store: memoryStore(), fetcher: fakeFetcher(clock, authority), clock })
  endsWithTest(() => keeper.close())
  roster = createRoster(keeper, clock)
})

function certificate(leaf: Leaf, wishes: Partial<CertificateSettings> = {}): CertificateSettings {
  return {
    leaf: leaf.certificate,
    certificateKey: certificateKey(leaf.der),
    candidates: [leaf.issuer],
    label: 'server.pem',
    hashAlgorithm: 'auto',
    method: 'auto',
    ...wishes,
  } as Partial<CertificateSettings> as CertificateSettings
}

function site(mode: Mode, ...certificates: CertificateSettings[]): SiteSettings {
  return { mode, policies: defaultPolicies(mode), certificates } as Partial<SiteSettings> as SiteSettings
}

const add = (...sites: SiteSettings[]) => roster.add({ sites } as Partial<Settings> as Settings)
const kept = () => keeper.entries().map((entry) => entry.certificateKey)
const keyOf = (leaf: Leaf) => certificateKey(leaf.der)

/** How often a certificate was added: as often as it has to be removed. */
function countOf(leaf: Leaf): number {
  let count = 0
  for (; keeper.entry(keyOf(leaf)) !== undefined; count++) keeper.remove(keyOf(leaf))
  return count
}

describe('what is kept is what the mode staples', () => {
  test.each([
    ['auto', [one]],
    ['must', [one]],
    ['always', [one, plain]],
    ['never', []],
  ] as const)('%s', (mode, leaves) => {
    const enrolment = add(site(mode, certificate(one), certificate(plain)))
    expect(kept()).toEqual(leaves.map(keyOf))
    expect([...enrolment.certificateKeys]).toEqual(leaves.map(keyOf))
    expect(enrolment.unstapledMustStaple.map((each) => each.certificateKey)).toEqual(
      mode === 'never' ? [keyOf(one)] : [],
    )
  })
})

test('a certificate of two sites is kept once, awaited by the policies of both, and required when it is for either', () => {
  const { awaited } = add(site('must', certificate(plain), certificate(one)), site('always', certificate(plain)))
  expect(awaited.map((each) => [each.certificateKey, each.policies.onStart])).toEqual([
    [keyOf(one), 'require'],
    [keyOf(plain), 'prefer'],
  ])
  expect(keeper.entry(keyOf(plain))?.isRequired).toBe(true)
  expect(countOf(plain)).toBe(1)
})

test('what is shown until another is ready is kept, but not waited for', () => {
  const old = certificate(one)
  const auto = site('auto', certificate(two))
  const { awaited, certificateKeys } = roster.add({ sites: [auto] } as Partial<Settings> as Settings, [
    { site: auto, certificate: old },
  ])
  expect(awaited.map((each) => each.certificateKey)).toEqual([keyOf(two)])
  expect([...certificateKeys]).toEqual([keyOf(two), keyOf(one)])
})

describe('the same again', () => {
  test('is added no second time', () => {
    for (let round = 0; round < 5; round++) add(site('auto', certificate(one))).confirm()
    expect(countOf(one)).toBe(1)
  })

  test('with another responder it is added anew, and once confirmed only so', () => {
    add(site('auto', certificate(one))).confirm()
    const next = add(site('auto', certificate(one, { responderURLs: ['http://other.test/'] })))
    expect(keeper.entry(keyOf(one))?.responderURL).toBe('http://other.test/')
    next.confirm()
    next.confirm()
    expect(keeper.entry(keyOf(one))?.responderURL).toBe('http://other.test/')
    expect(countOf(one)).toBe(1)
  })
})

describe('undone', () => {
  test('all is as it was', () => {
    add(site('auto', certificate(one))).confirm()
    const next = add(site('auto', certificate(one, { responderURLs: ['http://other.test/'] }), certificate(two)))
    next.undo()
    next.undo()
    expect(kept()).toEqual([keyOf(one)])
    expect(keeper.entry(keyOf(one))?.responderURL).toBe('http://127.0.0.1:1/')
    // And the next one begins where that one did.
    add(site('auto', certificate(one))).confirm()
    expect(countOf(one)).toBe(1)
  })

  test('also when the keeper takes only a part', async () => {
    const add1 = keeper.add
    keeper.add = (kept) => {
      if (kept.certificate === two.certificate) throw new Error('no')
      return add1(kept)
    }
    expect(() => add(site('auto', certificate(one), certificate(two)))).toThrow('no')
    expect(kept()).toEqual([])
  })
})

describe('keepOnly', () => {
  test('forgets the others after the time', async () => {
    add(site('auto', certificate(one), certificate(two))).confirm()
    roster.keepOnly(new Set([keyOf(one)]), 5_000)
    await clock.advance(4_999)
    expect(kept()).toEqual([keyOf(one), keyOf(two)])
    await clock.advance(1)
    expect(kept()).toEqual([keyOf(one)])
  })

  test('one that is wanted again meanwhile stays', async () => {
    add(site('auto', certificate(one))).confirm()
    roster.keepOnly(new Set(), 5_000)
    add(site('auto', certificate(one))).confirm()
    await clock.advance(10_000)
    expect(countOf(one)).toBe(1)
  })
})
