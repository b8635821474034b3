/** What holds for every sequence of occurrences, whatever happens: random walks through step. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Entry, judgeState } from '../../../src/keep/keeper/entry.ts'
import { viewEntry } from '../../../src/keep/keeper/servable.ts'
import { step } from '../../../src/keep/keeper/step.ts'
import {
  answer,
  type Crafted,
  fetchError,
  fetched,
  hour,
  minute,
  networkError,
  newEntry,
  noon,
  plainError,
  prepared,
  second,
  statusError,
  Walk,
} from './crafted.ts'

interface Move {
  readonly kind: 'wait' | 'answer' | 'fail' | 'load' | 'load-fault' | 'save' | 'jump' | 'refresh' | 'drop'
  readonly ms: number
  readonly certStatus: 'good' | 'revoked' | 'unknown'
  readonly ageMs: number
  readonly lifeMs: number
  readonly flag: boolean
}

const move: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom(
    'wait',
    'wait',
    'answer',
    'answer',
    'fail',
    'load',
    'load-fault',
    'save',
    'jump',
    'refresh',
    'drop',
  ),
  ms: fc.oneof(fc.integer({ min: 0, max: 10 * minute }), fc.integer({ min: 0, max: 30 * hour })),
  certStatus: fc.constantFrom('good', 'good', 'good', 'revoked', 'unknown'),
  ageMs: fc.integer({ min: -299 * second, max: 20 * hour }),
  lifeMs: fc.integer({ min: 2 * second, max: 100 * hour }),
  flag: fc.boolean(),
})

/** Lets time pass as the shell does: waking whenever it was asked to. */
function pass(walk: Walk, until: number): void {
  for (let wakes = 0; walk.wake(until); wakes++) expect(wakes).toBeLessThan(10_000)
  walk.take({ type: 'woken' }, Math.max(walk.now, until))
}

/** A response that passes every rule at this moment. */
function acceptable(walk: Walk, { certStatus, ageMs, lifeMs, flag }: Move) {
  const thisUpdate = Math.floor((walk.now - Math.min(ageMs, lifeMs)) / second) * second
  const crafted: Crafted = {
    certStatus,
    thisUpdate,
    nextUpdate: Math.max(thisUpdate + lifeMs, walk.now + 1),
    isContradictory: certStatus !== 'good' && flag && lifeMs % 5 === 0,
    size: lifeMs % 17 === 0 ? 17_000 : 400,
  }
  return answer(crafted)
}

function perform(walk: Walk, each: Move): void {
  const { entry } = walk
  switch (each.kind) {
    case 'wait':
      return pass(walk, walk.now + each.ms)
    case 'answer':
      if (entry.isAsking && entry.hasIssuer) walk.take(fetched(acceptable(walk, each), each.flag ? each.ms : undefined))
      return
    case 'fail': {
      const error = each.flag ? networkError(each.ms) : fetchError([statusError('unauthorized')])
      if (entry.isAsking) walk.take({ type: 'fetch-failed', error })
      return
    }
    case 'load':
      if (entry.isLoading) walk.take({ type: 'loaded', response: each.flag ? acceptable(walk, each) : undefined })
      return
    case 'load-fault': {
      const fault = (['unreadable', 'damaged', 'out-of-time', 'refused'] as const)[each.ms % 4] ?? 'damaged'
      if (entry.isLoading) walk.take({ type: 'load-failed', fault, error: plainError('ERR_STORE_READ') })
      return
    }
    case 'save':
      if (entry.unsaved === undefined || entry.saveAt !== undefined) return
      walk.take(
        each.flag
          ? { type: 'saved', staple: entry.unsaved }
          : { type: 'save-failed', staple: entry.unsaved, error: plainError('ERR_STORE_WRITE') },
      )
      return
    case 'jump': {
      const byMs = each.flag ? each.ms : -each.ms
      walk.take({ type: 'clock-jumped', byMs }, walk.now + byMs)
      return
    }
    case 'refresh':
      walk.take({ type: 'refresh-asked' })
      return
    case 'drop':
      walk.take({ type: 'store-changed' })
  }
}

const walks = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  isRequired: fc.boolean(),
  moves: fc.array(move, { minLength: 1, maxLength: 60 }),
})

function start({ seed, isRequired }: { seed: number; isRequired: boolean }): Walk {
  const walk = new Walk(newEntry({ seed, isRequired, notAfter: noon + 60 * 24 * hour }))
  walk.take({ ...prepared, isRequired })
  return walk
}

function judge(walk: Walk, before: Entry, each: Move): void {
  const { entry, now } = walk
  const { servable } = viewEntry(entry, now)
  // A strict client: no tolerance on nextUpdate, 300 s on thisUpdate. We stop before it would refuse.
  if (servable.staple !== undefined) {
    expect(entry.held?.usableUntil).toBeGreaterThan(now)
    expect(entry.held?.thisUpdate).toBeLessThanOrEqual(now + 300 * second)
    expect(entry.held?.der.length).toBeLessThanOrEqual(16_000)
  }
  // Beside a revocation nothing good is served.
  if (servable.isRevoked) expect(servable.certStatus).not.toBe('good')
  // What could be served before this moment and still could, is, or something newer, or a revocation.
  const could = viewEntry(before, now).servable
  if (could.staple !== undefined && could.staple !== servable.staple) {
    expect(servable.isRevoked || (entry.held?.thisUpdate ?? 0) >= (before.held?.thisUpdate ?? 0)).toBe(true)
    // A revocation that was lifted is not served on, even where the answer that lifted it is at its end.
    const isLifted = could.isRevoked && !servable.isRevoked
    expect(servable.isRevoked || isLifted || servable.staple !== undefined).toBe(true)
  }
  // It will be looked at again: at the withdrawal at the latest, and for the next request.
  if (entry.wakeAt !== undefined) expect(entry.wakeAt).toBeGreaterThan(now)
  if (servable.staple !== undefined) expect(entry.wakeAt).toBeLessThanOrEqual(entry.held?.usableUntil ?? 0)
  if (!entry.isAsking && !entry.isLoading && now < entry.notAfter) {
    expect(entry.refreshAt, `after ${JSON.stringify(each)}`).toBeDefined()
    expect((entry.refreshAt ?? 0) - now).toBeLessThanOrEqual(12 * hour)
    const isLacking = entry.isRequired && servable.staple === undefined
    if (isLacking) expect((entry.refreshAt ?? 0) - now).toBeLessThanOrEqual(minute)
  }
  if (judgeState(entry, now) === 'fresh') expect(servable.staple).toBeDefined()
}

test('nothing a strict client refuses is servable, nothing servable is lost, and it goes on asking', () => {
  fc.assert(
    fc.property(walks, (walkOf) => {
      const walk = start(walkOf)
      for (const each of walkOf.moves) {
        const before = walk.entry
        perform(walk, each)
        judge(walk, before, each)
      }
      // One attempt at a time: each fetch was ended before the next began.
      let underWay = 0
      for (const order of walk.orders) if (order.type === 'fetch') underWay++
      const ended = walk.events.filter(({ type }) => type === 'refreshed' || type === 'refresh-failed').length
      expect(underWay).toBeGreaterThanOrEqual(ended)
    }),
    { numRuns: 400 },
  )
})

test('the same walk gives the same orders: nothing but the arguments decides', () => {
  fc.assert(
    fc.property(walks, (walkOf) => {
      const entries: Entry[] = []
      const walk = start(walkOf)
      for (const each of walkOf.moves.slice(0, 20)) {
        entries.push(walk.entry)
        perform(walk, each)
      }
      for (const entry of entries) {
        const once = step(entry, { type: 'woken' }, new Date(walk.now))
        const again = step(entry, { type: 'woken' }, new Date(walk.now))
        expect(again).toEqual(once)
      }
    }),
    { numRuns: 50 },
  )
})

test('a staple and the lack of one alternate in the events: never stale twice, never restored unasked', () => {
  fc.assert(
    fc.property(walks, (walkOf) => {
      const walk = start(walkOf)
      for (const each of walkOf.moves) perform(walk, each)
      const turns = walk.events.map(({ type }) => type).filter((type) => type === 'stale' || type === 'restored')
      for (const [index, type] of turns.entries()) expect(type).toBe(index % 2 === 0 ? 'stale' : 'restored')
    }),
    { numRuns: 200 },
  )
})
