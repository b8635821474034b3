/**
 * A year of one Must-Staple certificate: the whole keeper on a clock that moves when told, against a responder that signs
 * real responses and has outages. At every look, what is servable is judged as a strict client would.
 */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { createKeeper, type Keeper, type KeeperEvent } from '../../../src/keep/keeper/index.ts'
import { memoryStore } from '../../../src/keep/store/index.ts'
import { verifyOcspResponse } from '../../../src/pki/ocsp/verify.ts'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { day, hour, minute, second } from './crafted.ts'
import { type Behaviour, type FakeFetcher, fakeFetcher, live, presigned, unreachable } from './fake-fetcher.ts'
import { type QuickClock, quickClock } from './quick-clock.ts'

const start = Date.UTC(2026, 0, 1)
// A year takes seconds, but on a machine that does other things too.
vi.setConfig({ testTimeout: 120_000 })
let authority: Authority
let leaf: Leaf

beforeAll(async () => {
  authority = await createAuthority({ keyType: 'p256' })
  leaf = await authority.issueLeaf({
    name: 'year.test',
    mustStaple: true,
    responderURL: 'http://responder.test/',
    notBefore: new Date(start - day),
    notAfter: new Date(start + 400 * day),
  })
})

interface Year {
  readonly clock: QuickClock
  readonly keeper: Keeper
  readonly fetcher: FakeFetcher
  readonly events: readonly KeeperEvent[]
  /** Moments at which nothing was servable, as [from, until]. */
  readonly gaps: readonly (readonly [number, number])[]
  /** Different staples that were servable. */
  readonly staples: number
}

/** Lives through a year. `outages`: when the responder is down. */
async function liveThrough(
  behave: (at: Date) => Behaviour,
  outages: readonly (readonly [from: number, until: number])[] = [],
  days = 365,
): Promise<Year> {
  const clock = quickClock(start)
  const fetcher = fakeFetcher(clock, authority)
  fetcher.behave = (at) => {
    if (outages.some(([from, until]) => at.getTime() >= start + from && at.getTime() < start + until))
      throw unreachable()
    return behave(at)
  }
  const keeper = createKeeper({ store: memoryStore(), fetcher, clock, random: () => 0.42 })
  const events: KeeperEvent[] = []
  keeper.subscribe((event) => events.push(event))
  const entry = keeper.add({ certificate: leaf.der, issuerCandidates: [leaf.issuer], isRequired: true })
  await entry.settled()

  const gaps: [number, number][] = []
  const windows = new Map<Uint8Array, { from: number; until: number }>()
  const strictly = (staple: Uint8Array) => {
    const known = windows.get(staple)
    if (known) return known
    const { certificate, issuer } = leaf
    const { thisUpdate, usableUntil, certStatus } = verifyOcspResponse(staple, { certificate, issuer, at: clock.now() })
    expect(certStatus).toBe('good')
    const window = { from: thisUpdate.getTime() - 300 * second, until: usableUntil.getTime() }
    windows.set(staple, window)
    return window
  }
  let wasServed = true
  let refused = 0
  await clock.run(
    start + days * day,
    () => fetcher.underWay > 0,
    (now) => {
      const { staple } = entry.servable()
      if (staple !== undefined) {
        const { from, until } = strictly(staple)
        if (now < from || now >= until) refused++
      }
      const isServed = staple !== undefined
      if (!isServed && wasServed) gaps.push([now - start, Number.POSITIVE_INFINITY])
      if (isServed && !wasServed) (gaps.at(-1) as [number, number])[1] = now - start
      wasServed = isServed
    },
  )
  expect(refused).toBe(0)
  await keeper.close()
  return { clock, keeper, fetcher, events, gaps, staples: windows.size }
}

function count(events: readonly KeeperEvent[], type: KeeperEvent['type']): number {
  return events.filter((event) => event.type === type).length
}

describe('without an outage there is no moment without a staple', () => {
  test.each([
    ['a responder that signs each answer for a week', live(7 * day), 365, 730, 815],
    ['one that signs twice a week for a week', presigned(3.5 * day, 7 * day), 365, 730, 815],
    ['one that signs once a day for four days', presigned(day, 4 * day), 365, 730, 815],
    ['one that signs each answer for ten hours', live(10 * hour), 365, 1_590, 1_960],
    ['one that signs every half hour for an hour', presigned(hour / 2, hour), 20, 960, 4_000],
    ['one that signs each answer for a minute', live(minute), 0.5, 1_309, 1_601],
  ])('%s', async (_name, behave, days, least, most) => {
    const { fetcher, events, gaps } = await liveThrough(behave, [], days)
    expect(gaps).toEqual([])
    expect(fetcher.requests.length).toBeGreaterThanOrEqual(least)
    expect(fetcher.requests.length).toBeLessThanOrEqual(most)
    expect(count(events, 'stale')).toBe(0)
    expect(count(events, 'refresh-failed')).toBe(0)
  })
})

describe('through outages', () => {
  test('a year with a week-long window: only those longer than what is held make a gap, and it ends within a minute', async () => {
    const outages = [
      [10 * day, 10 * day + 10 * minute],
      [20 * day, 20 * day + 6 * hour],
      [40 * day, 41 * day],
      [60 * day, 66 * day],
      [100 * day, 110 * day],
      [200 * day, 208.5 * day],
    ] as const
    const { gaps, events, fetcher } = await liveThrough(live(7 * day), outages)
    expect(gaps.map(([from]) => Math.floor(from / day))).toEqual([106, 206])
    expect(gaps.every(([, until], index) => until - (outages[index + 4]?.[1] ?? 0) <= minute)).toBe(true)
    expect([count(events, 'stale'), count(events, 'restored')]).toEqual([2, 2])
    // Nobody asked during the short ones.
    expect(count(events, 'recovered')).toBeGreaterThanOrEqual(4)
    // 730 in quiet; in each outage a few dozen until the withdrawal, then at most one in 45 s.
    const gapMinutes = gaps.reduce((sum, [from, until]) => sum + (until - from) / minute, 0)
    expect(fetcher.requests.length).toBeLessThan(815 + outages.length * 400 + gapMinutes * 1.34)
    expect(fetcher.requests.length).toBeGreaterThan(gapMinutes)
  })

  test.each([
    [4, 0],
    [35, 10 * second],
    [41, minute],
    [90, minute],
    [600, minute],
  ])('an hour-long window, an outage of %i min: back within %i ms of its end', async (minutes, most) => {
    for (const begin of [5 * hour, 5 * hour + 7 * minute, 5 * hour + 23 * minute]) {
      const end = begin + minutes * minute
      const { gaps } = await liveThrough(live(hour), [[begin, end]], 1)
      expect(gaps.length).toBe(most === 0 ? 0 : gaps.length)
      for (const [from, until] of gaps) {
        expect(from).toBeGreaterThan(begin)
        expect(until - end).toBeLessThanOrEqual(until - from <= 10 * minute ? 10 * second : most)
      }
    }
  })

  test.each([minute, 3 * minute, 9 * minute, 10 * minute])(
    'from the first moment on, for %i ms: back within 10 s',
    async (length) => {
      const { gaps } = await liveThrough(live(7 * day), [[0, length]], 0.1)
      expect(gaps.length).toBe(1)
      expect((gaps[0]?.[1] ?? 0) - length).toBeLessThanOrEqual(10 * second)
    },
  )

  test('a responder that gives the same response for its whole week is asked a bounded number of times', async () => {
    const { gaps, fetcher, events, staples } = await liveThrough(presigned(7 * day, 7 * day))
    // It has a new one only when the old one ends, so the margin before that is without a staple, by design.
    expect(gaps.length).toBe(52)
    for (const [from, until] of gaps) expect(until - from).toBeLessThanOrEqual(5 * minute + 10 * second)
    expect(fetcher.requests.length).toBeLessThan(52 * 65)
    expect(staples).toBe(53)
    expect(count(events, 'refresh-failed')).toBe(0)
  })
})
