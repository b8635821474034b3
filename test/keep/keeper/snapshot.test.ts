/** A snapshot is judged as the entry it was taken of, at every moment, without the keeper. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createKeeper, type Keeper, type ServableSnapshot } from '../../../src/keep/keeper/index.ts'
import { nothingServable, viewEntry } from '../../../src/keep/keeper/servable.ts'
import { isSameSnapshot } from '../../../src/keep/keeper/snapshot.ts'
import { memoryStore } from '../../../src/keep/store/index.ts'
import { certificateKey } from '../../../src/pki/x509/crypto.ts'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { type ManualClock, manualClock } from '../../kit/clock.ts'
import { day, hour, minute } from './crafted.ts'
import { fakeFetcher, live, unreachable } from './fake-fetcher.ts'

const start = Date.UTC(2026, 0, 1)
let authority: Authority
let leaf: Leaf
let key: string

beforeAll(async () => {
  authority = await createAuthority()
  const dates = { notBefore: new Date(start - day), notAfter: new Date(start + 90 * day) }
  leaf = await authority.issueLeaf({ name: 'snapshot.test', responderURL: 'http://responder.test/', ...dates })
  key = certificateKey(leaf.der)
})

const opened: Keeper[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((keeper) => keeper.close()))
})

function setUp(behave: Parameters<typeof live>[0] = 7 * day) {
  const clock = manualClock(new Date(start))
  const fetcher = fakeFetcher(clock, authority)
  fetcher.behave = live(behave)
  const keeper = createKeeper({ store: memoryStore(), fetcher, clock, random: () => 0.5 })
  opened.push(keeper)
  return { clock, fetcher, keeper, add: () => keeper.add({ certificate: leaf.der, issuerCandidates: [leaf.issuer] }) }
}

const gone = () => {
  throw unreachable()
}

const judge = (snapshot: ServableSnapshot | undefined, clock: ManualClock) =>
  snapshot ? viewEntry(structuredClone(snapshot), clock.now().getTime()).servable : nothingServable

describe('a snapshot of an entry', () => {
  it('is judged as the entry itself until its staple is withdrawn and after, when the responder is gone', async () => {
    const { clock, fetcher, keeper, add } = setUp(hour)
    await add().settled()
    fetcher.behave = gone
    const early = keeper.snapshot(key)
    const states = new Set<string>()
    for (let passed = 0; passed < 90; passed += 3) {
      const servable = keeper.servable(key)
      const judged = judge(early, clock)
      expect({ ...judged, staple: judged.staple && Buffer.from(judged.staple) }).toEqual({
        ...servable,
        staple: servable.staple && Buffer.from(servable.staple),
      })
      states.add(judged.stapleState)
      await clock.advance(3 * minute)
    }
    expect([...states]).toEqual(['fresh', 'due', 'stale'])
  })

  it('is none of a certificate that is not kept', () => {
    expect(setUp().keeper.snapshot(key)).toBeUndefined()
  })

  it('says that nothing is held before the first answer', () => {
    const { keeper, add, clock } = setUp()
    add()
    expect(judge(keeper.snapshot(key), clock)).toEqual({ isRevoked: false, stapleState: 'missing' })
  })

  it('is the same until an answer is taken', async () => {
    const { clock, fetcher, keeper, add } = setUp(hour)
    await add().settled()
    const first = keeper.snapshot(key) as ServableSnapshot
    fetcher.behave = gone
    await keeper.refresh(key)
    const later = keeper.snapshot(key) as ServableSnapshot
    expect(later).not.toBe(first)
    expect(isSameSnapshot(later, first)).toBe(true)

    fetcher.behave = live(hour)
    await clock.advance(10 * minute)
    await keeper.refresh(key)
    const refreshed = keeper.snapshot(key) as ServableSnapshot
    expect(isSameSnapshot(refreshed, first)).toBe(false)
  })
})
