import { describe, expect, test } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import { judgeState } from '../../../src/keep/keeper/entry.ts'
import { isServable, withdrawAt } from '../../../src/keep/keeper/window.ts'
import {
  answer,
  asking,
  day,
  eventsOf,
  fetchError,
  fetched,
  hour,
  limits,
  minute,
  networkError,
  newEntry,
  noon,
  plainError,
  prepared,
  second,
  statusError,
  typesOf,
  Walk,
} from './crafted.ts'

const week = { thisUpdate: noon, nextUpdate: noon + 7 * day }

/** A certificate with a week-long staple, fetched at noon. */
function stapled(o: Parameters<typeof asking>[0] = {}, window = week): Walk {
  const walk = asking(o, window.thisUpdate)
  walk.take(fetched(answer(window)))
  return walk
}

function started(o: Parameters<typeof newEntry>[0] = {}): Walk {
  const walk = new Walk(newEntry(o))
  walk.take({ ...prepared, isRequired: o.isRequired ?? false })
  return walk
}

describe('a start', () => {
  test('looks into the store before it asks', () => {
    expect(started().orders.map(({ type }) => type)).toEqual(['load'])
  })

  test('asks at once where the store has nothing', () => {
    const walk = started()
    expect(walk.take({ type: 'loaded', response: undefined })).toContainEqual({ type: 'fetch', deadlineMs: 30_000 })
    expect(walk.entry).toMatchObject({ isAsking: true, isSettled: false, lastRequestAt: noon })
  })

  test('serves what the store has, without asking, until it is time', () => {
    const walk = started()
    const orders = walk.take({ type: 'loaded', response: answer({ thisUpdate: noon - hour, nextUpdate: noon + day }) })
    expect(orders.map(({ type }) => type)).toEqual(['emit', 'wake'])
    expect(typesOf(orders)).toEqual(['loaded'])
    expect(walk.entry).toMatchObject({
      isSettled: true,
      isAsking: false,
      unsaved: undefined,
      held: { source: 'store' },
    })
    expect(walk.entry.refreshAt).toBeGreaterThan(noon + 10 * hour)
  })

  test('asks soon for a stored staple past its refresh point, spread over half a minute', () => {
    const waits = [1, 2, 3, 4, 5, 6].map((seed) => {
      const walk = started({ seed })
      walk.take({ type: 'loaded', response: answer({ thisUpdate: noon - 20 * hour, nextUpdate: noon + 4 * hour }) })
      expect(judgeState(walk.entry, noon)).toBe('due')
      return (walk.entry.refreshAt ?? 0) - noon
    })
    expect(Math.max(...waits)).toBeLessThanOrEqual(30 * second)
    expect(new Set(waits).size).toBe(waits.length)
  })

  test('leaves a stored staple that only its time keeps out where it is, and asks', () => {
    const walk = started()
    const orders = walk.take({ type: 'load-failed', fault: 'out-of-time', error: plainError('ERR_OCSP_STALE') })
    expect(orders.map(({ type }) => type)).toEqual(['fetch'])
    expect(walk.entry.isStoredOutOfTime).toBe(true)
  })

  test('sets a damaged stored staple aside, says so, and asks', () => {
    const orders = started().take({ type: 'load-failed', fault: 'damaged', error: plainError('ERR_OCSP_SIGNATURE') })
    expect(orders.map(({ type }) => type)).toEqual(['refuse-stored', 'emit', 'fetch'])
    expect(eventsOf(orders)).toMatchObject([{ type: 'store-refused', isSetAside: true }])
  })

  test('leaves what only a rule of ours refuses where it is, and says so once', () => {
    const walk = started()
    const fault = { type: 'load-failed', fault: 'refused', error: plainError('ERR_OCSP_SIGNATURE') } as const
    const orders = walk.take(fault)
    expect(orders.map(({ type }) => type)).toEqual(['emit', 'fetch'])
    expect(eventsOf(orders)).toMatchObject([{ type: 'store-refused', isSetAside: false }])
    walk.take({ type: 'fetch-failed', error: networkError() })
    expect(typesOf(walk.take(fault))).toEqual([])
  })

  test('asks where the store cannot be read, and says so', () => {
    const orders = started().take({ type: 'load-failed', fault: 'unreadable', error: plainError('ERR_STORE_READ') })
    expect(orders.map(({ type }) => type)).toEqual(['emit', 'fetch'])
    expect(typesOf(orders)).toEqual(['load-failed'])
  })

  test('fetches the issuer first where it is not at hand, then looks into the store', () => {
    const walk = new Walk(newEntry())
    expect(walk.take({ ...prepared, hasIssuer: false }).map(({ type }) => type)).toEqual(['fetch-issuer'])
    const orders = walk.take({ type: 'issuer-fetched', url: 'http://ca.test/ca.cer' })
    expect(orders.map(({ type }) => type)).toEqual(['emit', 'load'])
    expect(walk.take({ type: 'loaded', response: undefined }).map(({ type }) => type)).toEqual(['fetch'])
  })

  test('asks for the issuer again after a failure, and says the same failure once', () => {
    const walk = new Walk(newEntry())
    walk.take({ ...prepared, hasIssuer: false })
    const error = new StapleError('ERR_FETCH_NO_ISSUER', 'none', { causes: [] })
    expect(typesOf(walk.take({ type: 'issuer-failed', error }))).toEqual(['no-issuer'])
    expect(walk.entry.isSettled).toBe(true)
    walk.wake()
    expect(walk.count('fetch-issuer')).toBe(2)
    expect(typesOf(walk.take({ type: 'issuer-failed', error }))).toEqual([])
  })

  test('ignores everything before it is prepared', () => {
    const walk = new Walk(newEntry())
    expect(walk.take({ type: 'clock-jumped', byMs: day })).toEqual([])
    expect(walk.take({ type: 'refresh-asked' })).toEqual([])
    expect(walk.take({ type: 'woken' })).toEqual([])
  })
})

describe('a certificate that nobody can be asked about', () => {
  const reason = 'it names no OCSP responder'

  test('is unsupported: said once, never asked, settled', () => {
    const walk = new Walk(newEntry({ isRequired: true }))
    walk.take({ ...prepared, isRequired: true, unsupportedReason: reason })
    walk.take({ type: 'loaded', response: undefined })
    walk.take({ type: 'refresh-asked' })
    walk.take({ type: 'loaded', response: undefined })
    walk.take({ type: 'clock-jumped', byMs: day }, noon + day)
    expect(walk.events).toEqual([{ type: 'unsupported', reason }])
    expect(walk.count('fetch')).toBe(0)
    expect(walk.entry.isSettled).toBe(true)
    expect(judgeState(walk.entry, noon)).toBe('unsupported')
  })

  test('still serves what somebody put into the store', () => {
    const walk = new Walk(newEntry())
    walk.take({ ...prepared, unsupportedReason: reason })
    walk.take({ type: 'loaded', response: answer(week) })
    expect(typesOf(walk.orders)).toEqual(['loaded'])
    expect(judgeState(walk.entry, noon)).toBe('fresh')
    expect(walk.entry.refreshAt).toBeUndefined()
    expect(walk.entry.wakeAt).toBe(noon + 7 * day - 5 * minute)
  })

  test('for want of an issuer is told as what it is: no-issuer, once', () => {
    const walk = new Walk(newEntry())
    const issuerError = new StapleError('ERR_FETCH_NO_ISSUER', 'none', { causes: [] })
    const without = { ...prepared, hasIssuer: false, unsupportedReason: 'no issuer', issuerError }
    walk.take(without)
    walk.take(without)
    expect(walk.events).toMatchObject([{ type: 'no-issuer', retryAt: undefined }])
    expect(walk.count('fetch-issuer')).toBe(0)
  })

  test('is asked about when it gets a responder', () => {
    const walk = new Walk(newEntry())
    walk.take({ ...prepared, unsupportedReason: reason })
    walk.take({ type: 'loaded', response: undefined })
    expect(walk.take(prepared).map(({ type }) => type)).toEqual(['fetch'])
  })
})

describe('a refresh', () => {
  test('is due within the longest interval though the window is a week', () => {
    const { refreshAt = 0 } = stapled().entry
    expect(refreshAt - noon).toBeLessThanOrEqual(limits.maxIntervalMs)
    expect(refreshAt - noon).toBeGreaterThan(0.89 * limits.maxIntervalMs)
  })

  test('swaps, saves and says that it is new', () => {
    const walk = stapled()
    walk.wake()
    const newer = answer({ thisUpdate: walk.now, nextUpdate: walk.now + 7 * day })
    const orders = walk.take(fetched(newer))
    expect(orders).toContainEqual({ type: 'save', staple: newer.der })
    expect(eventsOf(orders)).toMatchObject([{ type: 'refreshed', isNew: true, responderURL: 'http://responder.test/' }])
    expect(walk.entry.held?.der).toBe(newer.der)
  })

  test('that brings the same again saves nothing and says that it is not new', () => {
    const walk = stapled()
    walk.wake()
    const orders = walk.take(fetched(answer(week)))
    expect(orders.map(({ type }) => type)).toEqual(['emit', 'wake'])
    expect(eventsOf(orders)).toMatchObject([{ type: 'refreshed', isNew: false }])
  })

  test('that brings something older is refused, and asked again as after the same', () => {
    const walk = stapled()
    walk.wake()
    const orders = walk.take(fetched(answer({ thisUpdate: noon - hour, nextUpdate: noon + 7 * day })))
    expect(eventsOf(orders)).toMatchObject([{ type: 'refused', error: { code: 'ERR_KEEPER_WORSE' }, isRepeat: false }])
    expect(walk.entry.failures).toBe(0)
    walk.wake()
    const again = walk.take(fetched(answer({ thisUpdate: noon - hour, nextUpdate: noon + 7 * day })))
    expect(eventsOf(again)).toMatchObject([{ type: 'refused', isRepeat: true }])
  })

  test('that brings too large a response changes nothing and counts as a failure where nothing is held', () => {
    const walk = asking()
    const orders = walk.take(fetched(answer({ ...week, size: 16_001 })))
    expect(eventsOf(orders)).toMatchObject([
      { type: 'refused', error: { code: 'ERR_OCSP_TOO_LARGE', detail: { found: '16001 bytes' } } },
    ])
    expect(walk.entry).toMatchObject({ held: undefined, failures: 1, isSettled: true })
  })

  test('signed by a delegate that should have been checked first, and was not, is refused', () => {
    const orders = asking().take(fetched(answer({ ...week, needsDelegateCheck: true })))
    expect(eventsOf(orders)).toMatchObject([{ type: 'refused', error: { code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED' } }])
  })

  test('follows max-age, within the window', () => {
    const walk = asking()
    walk.take(fetched(answer({ thisUpdate: noon, nextUpdate: noon + 10 * hour }), 3 * hour))
    expect(walk.entry.refreshAt).toBeGreaterThanOrEqual(noon + 3 * hour)
    expect(walk.entry.refreshAt).toBeLessThan(noon + 3.3 * hour)
  })

  test('is never ordered while one is under way', () => {
    const walk = stapled()
    walk.wake()
    for (let index = 0; index < 5; index++) walk.take({ type: 'refresh-asked' }, walk.now + second)
    expect(walk.count('fetch')).toBe(2)
  })

  test('tells each warning of a response once while it stays', () => {
    const warnings = [{ code: 'no-next-update', message: 'none' }] as const
    const walk = asking()
    walk.take(fetched(answer({ ...week, warnings })))
    walk.wake()
    walk.take(fetched(answer({ ...week, thisUpdate: walk.now, warnings })))
    expect(walk.events.filter(({ type }) => type === 'warning')).toEqual([{ type: 'warning', warning: warnings[0] }])
  })
})

describe('a responder that gives the same response for its whole window', () => {
  test.each([
    [minute, 25],
    [hour, 25],
    [day, 20],
    [7 * day, 35],
    [90 * day, 230],
  ])('of %i ms is asked at most %i times before the withdrawal', (length, most) => {
    for (let seed = 1; seed <= 20; seed++) {
      const window = { thisUpdate: noon, nextUpdate: noon + length }
      const walk = stapled({ seed, isRequired: true, notAfter: noon + 900 * day }, window)
      const end = withdrawAt({ thisUpdate: noon, usableUntil: noon + length })
      let last = noon
      while (walk.wake(end - 1)) {
        if (!walk.entry.isAsking) continue
        expect(walk.now - last).toBeGreaterThanOrEqual(Math.min(second, 0.05 * length))
        last = walk.now
        walk.take(fetched(answer(window)))
      }
      expect(walk.count('fetch')).toBeLessThanOrEqual(most)
      expect(walk.count('fetch')).toBeGreaterThan(3)
    }
  })
})

describe('a failure', () => {
  test('changes nothing that is held, and is told with when it is asked again', () => {
    const walk = stapled()
    walk.wake()
    const held = walk.entry.held
    const orders = walk.take({ type: 'fetch-failed', error: networkError() })
    const event = eventsOf(orders)[0]
    expect(event).toMatchObject({ type: 'refresh-failed', failures: 1, isRepeat: false })
    expect(event?.type === 'refresh-failed' && event.retryAt?.getTime()).toBe(walk.entry.refreshAt)
    expect(walk.entry.held).toBe(held)
  })

  test('is a repeat while its causes stay the same, and no longer when they change', () => {
    const walk = stapled()
    const repeats: unknown[] = []
    for (const error of [networkError(), networkError(), fetchError([statusError('tryLater')]), networkError()]) {
      walk.wake()
      for (const event of eventsOf(walk.take({ type: 'fetch-failed', error }))) {
        if (event.type === 'refresh-failed') repeats.push([event.failures, event.isRepeat])
      }
    }
    expect(repeats).toEqual([
      [1, false],
      [2, true],
      [3, false],
      [4, false],
    ])
  })

  test('ends with `recovered`, which says how many there were', () => {
    const walk = stapled()
    for (let index = 0; index < 3; index++) {
      walk.wake()
      walk.take({ type: 'fetch-failed', error: networkError() })
    }
    walk.wake()
    const orders = walk.take(fetched(answer({ thisUpdate: walk.now, nextUpdate: walk.now + day })))
    expect(eventsOf(orders)).toMatchObject([{ type: 'refreshed' }, { type: 'recovered', failures: 3 }])
    expect(walk.entry).toMatchObject({ failures: 0, lastError: undefined })
  })

  test('makes it look into the store too, for what was put there by hand', () => {
    const walk = asking()
    expect(walk.take({ type: 'fetch-failed', error: networkError() }).map(({ type }) => type)).toEqual([
      'emit',
      'load',
      'wake',
    ])
    walk.take({ type: 'loaded', response: answer(week) })
    expect(judgeState(walk.entry, noon)).toBe('fresh')
  })

  test('`unauthorized` for a certificate of an hour is retried within minutes, for one of a month within the hour', () => {
    const pauses = [noon - hour, noon - 30 * day].map((notBefore) => {
      const walk = asking({ notBefore })
      let longest = 0
      for (let index = 0; index < 40; index++) {
        walk.take({ type: 'fetch-failed', error: fetchError([statusError('unauthorized')]) }, noon)
        longest = Math.max(longest, (walk.entry.refreshAt ?? 0) - noon)
        walk.take({ type: 'loaded', response: undefined })
        walk.take({ type: 'refresh-asked' })
        walk.take({ type: 'loaded', response: undefined })
      }
      return longest
    })
    expect(pauses[0]).toBeLessThanOrEqual(2.5 * minute)
    expect(pauses[1]).toBeGreaterThan(20 * minute)
    expect(pauses[1]).toBeLessThanOrEqual(hour)
  })

  test('that only a person can mend is retried at the longest pause at once', () => {
    const forbidden = new StapleError('ERR_FETCH_FORBIDDEN_ADDRESS', 'forbidden', { url: 'http://10.0.0.1/' })
    const pauses = [[forbidden], [forbidden, statusError('tryLater')]].map((causes) => {
      const waits = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => {
        const walk = stapled({ seed })
        walk.wake()
        walk.take({ type: 'fetch-failed', error: fetchError(causes) })
        return (walk.entry.refreshAt ?? 0) - walk.now
      })
      return Math.max(...waits)
    })
    expect(pauses[0]).toBeGreaterThan(10 * minute)
    expect(pauses[1]).toBeLessThanOrEqual(5 * second)
  })

  test('of a certificate that nobody needs stapled is not retried every few seconds for ever', () => {
    const walk = asking()
    for (let index = 0; walk.now < noon + day && index < 1_000; index++) {
      walk.take({ type: 'fetch-failed', error: networkError() })
      walk.take({ type: 'loaded', response: undefined })
      walk.wakeUntilAsked()
    }
    expect(walk.count('fetch')).toBeLessThan(100)
  })
})

describe('a required staple that is lacking', () => {
  /** When attempts begin, for an outage in which each takes `tookMs` to fail. */
  function attemptsOf(walk: Walk, until: number, tookMs: number): number[] {
    const begun = [walk.now]
    while (walk.now < until) {
      const fetch = walk.orders.findLast((order) => order.type === 'fetch')
      const took = Math.min(tookMs, fetch?.type === 'fetch' ? fetch.deadlineMs : 0)
      walk.take({ type: 'fetch-failed', error: networkError() }, walk.now + took)
      walk.take({ type: 'loaded', response: undefined })
      walk.wakeUntilAsked()
      begun.push(walk.now)
    }
    return begun
  }

  test.each([0, 300, 7_000])(
    'is asked for within 10 s for ten minutes, then within 60 s (each fails in %i ms)',
    (took) => {
      const begun = attemptsOf(asking({ isRequired: true }), noon + hour, took)
      const pauses = begun.slice(1).map((at, index) => ({ at, pause: at - (begun[index] ?? 0) }))
      const early = pauses.filter(({ at }) => at <= noon + 10 * minute).map(({ pause }) => pause)
      const late = pauses.filter(({ at }) => at > noon + 11 * minute).map(({ pause }) => pause)
      expect(Math.max(...early)).toBeLessThanOrEqual(10 * second)
      expect(Math.min(...early)).toBeGreaterThanOrEqual(5 * second)
      expect(Math.max(...late)).toBeLessThanOrEqual(minute)
      expect(Math.min(...late)).toBeGreaterThanOrEqual(43 * second)
    },
  )

  test('is asked for 5 s after the first attempt, and 5 s after the second', () => {
    const begun = attemptsOf(asking({ isRequired: true }), noon + 12 * second, 0)
    expect(begun.slice(0, 3)).toEqual([noon, noon + 5 * second, noon + 10 * second])
  })

  test('is asked for at once when it was withdrawn, whatever the schedule was', () => {
    const walk = stapled({ isRequired: true }, { thisUpdate: noon, nextUpdate: noon + day })
    while (walk.wake(noon + day - 6 * minute)) {
      if (walk.entry.isAsking) walk.take({ type: 'fetch-failed', error: networkError() })
    }
    if (walk.entry.isAsking) walk.take({ type: 'fetch-failed', error: networkError() })
    const end = noon + day - 5 * minute
    const orders = walk.take({ type: 'woken' }, end)
    expect(typesOf(orders)).toEqual(['stale'])
    expect(walk.entry.isAsking || (walk.entry.refreshAt ?? 0) <= end + 5 * second).toBe(true)
    expect(judgeState(walk.entry, end)).toBe('stale')
  })

  test('goes on being asked for while the responder says unknown', () => {
    const walk = asking({ isRequired: true })
    walk.take(fetched(answer({ ...week, certStatus: 'unknown' })))
    expect((walk.entry.refreshAt ?? 0) - noon).toBeLessThanOrEqual(10 * second)
  })

  test('is no longer urgent when it came', () => {
    const walk = asking({ isRequired: true })
    walk.take({ type: 'fetch-failed', error: networkError() })
    walk.take({ type: 'loaded', response: undefined })
    walk.wake()
    walk.take(fetched(answer(week)))
    expect(walk.entry).toMatchObject({ urgentSince: undefined, urgentAttempts: 0 })
    expect((walk.entry.refreshAt ?? 0) - walk.now).toBeGreaterThan(10 * hour)
  })
})

describe('withdrawal', () => {
  test('comes at the margin, once, and a new staple restores', () => {
    const walk = stapled({}, { thisUpdate: noon, nextUpdate: noon + hour })
    walk.take({ type: 'refresh-asked' })
    const end = noon + 57 * minute
    expect(typesOf(walk.take({ type: 'woken' }, end - 1))).toEqual([])
    expect(typesOf(walk.take({ type: 'woken' }, end))).toEqual(['stale'])
    expect(typesOf(walk.take({ type: 'woken' }, end + minute))).toEqual([])
    const orders = walk.take(fetched(answer({ thisUpdate: end, nextUpdate: end + hour })))
    expect(typesOf(orders)).toEqual(['refreshed', 'restored'])
  })

  test('is what the entry wakes for, even while it waits for an answer', () => {
    const walk = stapled({}, { thisUpdate: noon, nextUpdate: noon + hour })
    walk.take({ type: 'refresh-asked' })
    expect(walk.entry.wakeAt).toBe(noon + 57 * minute)
  })

  test('comes before the end of the delegated signer, where that is sooner', () => {
    const walk = asking()
    walk.take(fetched(answer({ ...week, usableUntil: noon + 100 * minute })))
    expect(withdrawAt(walk.entry.held ?? { thisUpdate: 0, usableUntil: 0 })).toBe(noon + 95 * minute)
    expect((walk.entry.refreshAt ?? 0) - noon).toBeLessThan(56 * minute)
  })
})

describe('a revocation', () => {
  const revoked = { ...week, certStatus: 'revoked' } as const

  test('is said once, with when and why, and stays while the responder repeats it', () => {
    const walk = asking()
    const orders = walk.take(fetched(answer(revoked)))
    expect(eventsOf(orders)).toMatchObject([
      { type: 'refreshed', isNew: true },
      { type: 'revoked', revocationTime: new Date(noon - day), revocationReason: 'keyCompromise' },
    ])
    walk.wake()
    expect(typesOf(walk.take(fetched(answer({ ...revoked, thisUpdate: walk.now }))))).toEqual(['refreshed'])
  })

  test('goes on being asked about, for a hold may be lifted', () => {
    const walk = asking()
    walk.take(fetched(answer(revoked)))
    walk.wake()
    const orders = walk.take(fetched(answer({ thisUpdate: walk.now, nextUpdate: walk.now + day })))
    expect(typesOf(orders)).toEqual(['unrevoked', 'refreshed'])
    expect(judgeState(walk.entry, walk.now)).toBe('fresh')
  })

  test('out of the store is held at once, asked once more, and said when the answer repeats it', () => {
    const walk = started()
    const orders = walk.take({ type: 'loaded', response: answer(revoked) })
    expect(orders.map(({ type }) => type)).toContain('fetch')
    expect(typesOf(orders)).toEqual(['loaded'])
    expect(judgeState(walk.entry, noon)).toBe('revoked')
    expect(walk.entry.isSettled).toBe(false)
    expect(typesOf(walk.take(fetched(answer(revoked))))).toEqual(['refreshed', 'revoked'])
    expect(walk.entry).toMatchObject({ isSettled: true, held: { source: 'network' } })
  })

  test('out of the store is said when nobody answers', () => {
    const walk = started()
    walk.take({ type: 'loaded', response: answer(revoked) })
    expect(typesOf(walk.take({ type: 'fetch-failed', error: networkError() }))).toEqual(['refresh-failed', 'revoked'])
  })

  test('out of the store is never said when a later good lifts it', () => {
    const walk = started()
    walk.take({ type: 'loaded', response: answer({ ...revoked, thisUpdate: noon - hour }) })
    expect(typesOf(walk.take(fetched(answer(week))))).toEqual(['unrevoked', 'refreshed'])
    expect(typesOf(walk.orders)).not.toContain('revoked')
  })

  test('that cannot be stapled takes the good staple away, here and in the store', () => {
    const walk = stapled()
    walk.wake()
    const warnings = [{ code: 'contradictory', message: 'good, revoked' }] as const
    const contradictory = answer({ ...revoked, thisUpdate: walk.now, isContradictory: true, warnings })
    const orders = walk.take(fetched(contradictory))
    expect(typesOf(orders)).toEqual(['warning', 'revoked'])
    expect(orders).toContainEqual({ type: 'save', staple: contradictory.der })
    expect(walk.entry).toMatchObject({ held: undefined, revocation: { thisUpdate: walk.now } })
  })

  test('does not end by going stale', () => {
    const walk = asking()
    walk.take(fetched(answer(revoked)))
    walk.take({ type: 'woken' }, noon + 8 * day)
    expect(judgeState(walk.entry, noon + 8 * day)).toBe('revoked')
  })

  test('dropped into the store of a certificate that nobody can be asked about is said at once', () => {
    const walk = new Walk(newEntry())
    walk.take({ ...prepared, unsupportedReason: 'no responder' })
    expect(typesOf(walk.take({ type: 'loaded', response: answer(revoked) }))).toEqual(['loaded', 'revoked'])
  })
})

describe('an `unknown`', () => {
  const unknown = { ...week, certStatus: 'unknown' } as const

  test('is said when it begins, and leaves the good staple where it is', () => {
    const walk = stapled()
    walk.wake()
    expect(typesOf(walk.take(fetched(answer({ ...unknown, thisUpdate: walk.now }))))).toEqual(['unknown'])
    expect(walk.entry.held && isServable(walk.entry.held, walk.now)).toBe(true)
    expect(judgeState(walk.entry, walk.now)).toBe('unknown')
    walk.wake()
    expect(typesOf(walk.take(fetched(answer({ ...unknown, thisUpdate: walk.now }))))).toEqual([])
  })

  test('ends with a good answer that is no older', () => {
    const walk = asking()
    walk.take(fetched(answer(unknown)))
    walk.wake()
    walk.take(fetched(answer({ thisUpdate: walk.now, nextUpdate: walk.now + day })))
    expect(judgeState(walk.entry, walk.now)).toBe('fresh')
  })

  test('ends with its own window', () => {
    const walk = asking()
    walk.take(fetched(answer(unknown)))
    walk.take({ type: 'woken' }, noon + 7 * day)
    expect(walk.entry.unknown).toBeUndefined()
    expect(judgeState(walk.entry, walk.now)).toBe('missing')
  })

  test('of entries that contradict each other is refused', () => {
    const walk = stapled()
    walk.wake()
    const orders = walk.take(fetched(answer({ ...unknown, thisUpdate: walk.now, isContradictory: true })))
    expect(typesOf(orders)).toEqual(['refused'])
    expect(walk.entry.unknown).toBeUndefined()
  })
})

describe('the store', () => {
  test('gets what it lacks again after a failed save, with growing pauses, until it took it', () => {
    const walk = asking({ notAfter: noon + 30 * day })
    const staple = answer(week)
    walk.take(fetched(staple))
    const error = plainError('ERR_STORE_WRITE')
    for (let index = 0; index < 5; index++) {
      expect(typesOf(walk.take({ type: 'save-failed', staple: staple.der, error }))).toEqual(['save-failed'])
      expect(walk.entry.held?.der).toBe(staple.der)
      walk.wake()
      expect(walk.orders.findLast(({ type }) => type === 'save')).toEqual({ type: 'save', staple: staple.der })
    }
    expect(walk.now - noon).toBeLessThan(15 * minute)
    walk.take({ type: 'saved', staple: staple.der })
    expect(walk.entry).toMatchObject({ unsaved: undefined, saveFailures: 0, saveAt: undefined })
  })

  test('that took an older staple meanwhile still lacks the newer one', () => {
    const walk = stapled()
    const first = walk.entry.held?.der as Uint8Array
    walk.wake()
    walk.take(fetched(answer({ thisUpdate: walk.now, nextUpdate: walk.now + day })))
    walk.take({ type: 'saved', staple: first })
    expect(walk.entry.unsaved).toBe(walk.entry.held?.der)
  })

  test('is read a second after the last change to it', () => {
    const walk = stapled()
    walk.take({ type: 'store-changed' }, noon + minute)
    walk.take({ type: 'store-changed' }, noon + minute + 900)
    expect(walk.entry.loadAt).toBe(noon + minute + 1_900)
    walk.wake()
    expect(walk.orders.at(-2)).toEqual({ type: 'load' })
  })

  test('is not read twice at once: what changes meanwhile is read after it', () => {
    const walk = started()
    walk.take({ type: 'store-changed' })
    walk.take({ type: 'woken' }, noon + 2 * second)
    expect(walk.count('load')).toBe(1)
    walk.take({ type: 'loaded', response: undefined })
    expect(walk.count('load')).toBe(2)
  })

  test('with a newer staple dropped into it gives that to memory, and nothing is saved', () => {
    const walk = stapled()
    const dropped = answer({ thisUpdate: noon + hour, nextUpdate: noon + 8 * day })
    walk.take({ type: 'store-changed' }, noon + hour)
    walk.wake()
    const orders = walk.take({ type: 'loaded', response: dropped })
    expect(typesOf(orders)).toEqual(['loaded'])
    expect(walk.entry.held?.der).toBe(dropped.der)
    expect(orders.map(({ type }) => type)).not.toContain('save')
  })

  test('with an older staple dropped into it gets back what is held', () => {
    const walk = stapled()
    const held = walk.entry.held?.der as Uint8Array
    walk.take({ type: 'saved', staple: held })
    const orders = walk.take({ type: 'loaded', response: answer({ thisUpdate: noon - hour, nextUpdate: noon + day }) })
    expect(orders).toContainEqual({ type: 'save', staple: held })
    expect(typesOf(orders)).toEqual(['refused'])
  })

  test('that is known to lack what is held is not spoken of when it proves to', () => {
    const walk = stapled()
    walk.take({ type: 'save-failed', staple: walk.entry.held?.der as Uint8Array, error: plainError('ERR_STORE_WRITE') })
    const older = answer({ thisUpdate: noon - hour, nextUpdate: noon + day })
    expect(walk.take({ type: 'loaded', response: older })).toEqual([])
    expect(walk.entry.unsaved).toBe(walk.entry.held?.der)
  })

  test('with a damaged staple dropped into it gets back what is held', () => {
    const walk = stapled()
    const held = walk.entry.held?.der as Uint8Array
    const orders = walk.take({ type: 'load-failed', fault: 'damaged', error: plainError('ERR_OCSP_SIGNATURE') })
    expect(orders.map(({ type }) => type)).toEqual(['refuse-stored', 'emit', 'save'])
    expect(orders).toContainEqual({ type: 'save', staple: held })
  })
})

describe('a step of the clock', () => {
  test('forward past the withdrawal withdraws, and back restores', () => {
    const walk = stapled()
    expect(typesOf(walk.take({ type: 'clock-jumped', byMs: 8 * day }, noon + 8 * day))).toEqual(['stale'])
    walk.take({ type: 'fetch-failed', error: networkError() })
    walk.take({ type: 'loaded', response: undefined })
    expect(typesOf(walk.take({ type: 'clock-jumped', byMs: -8 * day }, noon + second))).toEqual(['restored'])
    expect(judgeState(walk.entry, walk.now)).toBe('fresh')
  })

  test('back before thisUpdate withdraws, and asks', () => {
    const walk = stapled({ isRequired: true })
    const orders = walk.take({ type: 'clock-jumped', byMs: -day }, noon - day)
    expect(typesOf(orders)).toEqual(['stale'])
    expect(orders.map(({ type }) => type)).toContain('fetch')
    expect(walk.entry.wakeAt).toBe(noon - 300 * second)
  })

  test('back does not put off the next request by as much', () => {
    const walk = stapled({}, { thisUpdate: noon - 3 * day, nextUpdate: noon + 4 * day })
    walk.take({ type: 'clock-jumped', byMs: -day }, walk.now - day)
    expect((walk.entry.refreshAt ?? 0) - walk.now).toBeLessThanOrEqual(12 * hour)
  })

  test('back during a failure does not put off the retry', () => {
    const walk = stapled()
    walk.wake()
    walk.take({ type: 'fetch-failed', error: networkError() })
    walk.take({ type: 'clock-jumped', byMs: -300 * second }, walk.now - 300 * second)
    expect((walk.entry.refreshAt ?? 0) - walk.now).toBeLessThanOrEqual(30 * second)
  })

  test('back does not put off the next attempt to save', () => {
    const walk = stapled()
    const staple = walk.entry.held?.der as Uint8Array
    walk.take({ type: 'save-failed', staple, error: plainError('ERR_STORE_WRITE') })
    walk.take({ type: 'clock-jumped', byMs: -minute }, noon - minute)
    expect((walk.entry.saveAt ?? 0) - walk.now).toBeLessThanOrEqual(30 * second)
  })

  test('back does not lengthen an outage, nor forward end its quick phase', () => {
    const walk = asking({ isRequired: true })
    walk.take({ type: 'fetch-failed', error: networkError() })
    walk.take({ type: 'loaded', response: undefined })
    walk.take({ type: 'clock-jumped', byMs: hour }, noon + hour + second)
    expect(walk.entry.urgentSince).toBe(noon + hour)
    walk.take({ type: 'fetch-failed', error: networkError() })
    expect((walk.entry.refreshAt ?? 0) - walk.now).toBeLessThanOrEqual(10 * second)
  })

  test('looks again at a stored staple that was out of its time', () => {
    const walk = new Walk(newEntry(), 0)
    walk.take(prepared)
    walk.take({ type: 'load-failed', fault: 'out-of-time', error: plainError('ERR_OCSP_STALE') })
    walk.take({ type: 'fetch-failed', error: networkError() })
    walk.take({ type: 'load-failed', fault: 'out-of-time', error: plainError('ERR_OCSP_STALE') })
    const orders = walk.take({ type: 'clock-jumped', byMs: noon }, noon)
    expect(orders.map(({ type }) => type)).toEqual(expect.arrayContaining(['load', 'fetch']))
  })

  test('forward to a due staple asks within half a minute', () => {
    const walk = stapled()
    walk.take({ type: 'clock-jumped', byMs: 4 * day }, noon + 4 * day)
    expect((walk.entry.refreshAt ?? 0) - walk.now).toBeLessThanOrEqual(30 * second)
    expect(judgeState(walk.entry, walk.now)).toBe('due')
  })
})

describe('an expired certificate', () => {
  test('is not asked about; that is said once', () => {
    const walk = asking({ notAfter: noon + hour, isRequired: true })
    walk.take(fetched(answer({ thisUpdate: noon, nextUpdate: noon + 30 * minute })))
    while (walk.wake(noon + hour - 1))
      if (walk.entry.isAsking) walk.take({ type: 'fetch-failed', error: networkError() })
    const asked = walk.count('fetch')
    if (walk.entry.isAsking) walk.take({ type: 'fetch-failed', error: networkError() }, noon + hour)
    walk.take({ type: 'woken' }, noon + hour)
    walk.take({ type: 'refresh-asked' }, noon + 2 * hour)
    expect(walk.count('fetch')).toBe(asked)
    expect(walk.entry.refreshAt).toBeUndefined()
    expect(walk.events.filter((event) => event.type === 'warning')).toMatchObject([
      { warning: { code: 'certificate-expired', message: expect.stringContaining('notAfter 2026-01-15T13:00:00Z') } },
    ])
  })

  test('is asked about again when the clock steps back before its end', () => {
    const walk = asking({ notAfter: noon + hour })
    walk.take({ type: 'clock-jumped', byMs: day }, noon + day)
    walk.take({ type: 'fetch-failed', error: networkError() })
    walk.take({ type: 'loaded', response: undefined })
    expect(walk.entry.refreshAt).toBeUndefined()
    expect(walk.take({ type: 'clock-jumped', byMs: -day }, noon).map(({ type }) => type)).toContain('fetch')
  })
})
