import { describe, expect, test } from 'vitest'
import { drawChance } from '../../../src/keep/keeper/chance.ts'
import {
  attemptDeadline,
  latestRefresh,
  refreshAfterSame,
  refreshPoint,
  retryDelay,
  saveRetryDelay,
  urgentRetryAt,
} from '../../../src/keep/keeper/schedule.ts'
import { isServable, servableFrom, withdrawAt } from '../../../src/keep/keeper/window.ts'
import { day, hour, minute, noon, second } from './crafted.ts'

const chances = [0, 0.25, 0.5, 0.75, 1 - 2 ** -32]

function windowOf(ms: number) {
  return { thisUpdate: noon, usableUntil: noon + ms }
}

describe('the window', () => {
  test.each([
    [7 * day, 5 * minute],
    [100 * minute, 5 * minute],
    [hour, 3 * minute],
    [minute, 3 * second],
  ])('of %i ms is left %i ms before its end', (length, margin) => {
    expect(withdrawAt(windowOf(length))).toBe(noon + length - margin)
  })

  test.each([
    [7 * day, 300 * second],
    [minute, 30 * second],
  ])('of %i ms may be entered %i ms before its beginning', (length, skew) => {
    expect(servableFrom(windowOf(length))).toBe(noon - skew)
  })

  test('ends at the withdrawal, not after it', () => {
    const end = withdrawAt(windowOf(day))
    expect([isServable(windowOf(day), end - 1), isServable(windowOf(day), end)]).toEqual([true, false])
  })

  test('that ends before it begins is never open', () => {
    const backward = windowOf(-hour)
    expect([-2 * hour, -hour, 0, hour].map((ms) => isServable(backward, noon + ms))).toEqual([
      false,
      false,
      false,
      false,
    ])
  })
})

describe('the refresh point', () => {
  test.each(chances)('lies within 45-55 % of the window (chance %f)', (chance) => {
    const point = refreshPoint(windowOf(day), noon, undefined, chance)
    expect(point).toBeGreaterThanOrEqual(noon + 0.45 * day)
    expect(point).toBeLessThanOrEqual(noon + 0.55 * day)
  })

  test.each([
    [hour, 0.25],
    [10 * hour, 10 / 24],
    [23 * hour, 0.75],
  ])('follows a max-age of %i ms to a share of %f, within 25-75 %%', (maxAgeMs, share) => {
    expect(refreshPoint(windowOf(day), noon, maxAgeMs, 0)).toBeCloseTo(noon + share * day, -1)
  })

  test('does not follow a max-age of 0, which forbids caching and says nothing of when', () => {
    expect(refreshPoint(windowOf(day), noon, 0, 0)).toBe(noon + 0.45 * day)
  })

  test.each(chances)('waits no longer than the longest interval, and not much less (chance %f)', (chance) => {
    const wait = latestRefresh(noon, 12 * hour, chance) - noon
    expect(wait).toBeLessThanOrEqual(12 * hour)
    expect(wait).toBeGreaterThanOrEqual(10.8 * hour)
  })
})

describe('after the same answer again', () => {
  test('it waits for half of what remains until the withdrawal', () => {
    expect(refreshAfterSame(windowOf(day), noon + 12 * hour, noon + 12 * hour)).toBe(
      noon + 12 * hour + (12 * hour - 5 * minute) / 2,
    )
  })

  test.each([
    [7 * day, 5 * minute],
    [hour, 3 * minute],
    [minute, 3 * second],
    [10 * second, second],
  ])('in a window of %i ms it waits at least %i ms after the last request', (length, pause) => {
    const late = withdrawAt(windowOf(length)) - 1
    expect(refreshAfterSame(windowOf(length), late, late)).toBe(late + pause)
  })
})

describe('after a failure', () => {
  const failure = { failures: 1, leftMs: 10 * day, retry: 'soon', retryAfterMs: undefined, youngMs: undefined } as const

  test.each([
    [1, 5 * second],
    [2, 10 * second],
    [3, 20 * second],
    [10, 2_560 * second],
    [11, hour],
    [1_000, hour],
  ])('number %i in a row it waits at most %i ms', (failures, longest) => {
    const waits = chances.map((chance) => retryDelay({ ...failure, failures }, chance))
    expect(Math.max(...waits)).toBeCloseTo(longest, -1)
    expect(Math.min(...waits)).toBe(second)
  })

  test.each([
    [8 * hour, hour],
    [4 * hour, 30 * minute],
    [16 * second, 5 * second],
    [undefined, hour],
  ])('with %s ms left it waits at most %i ms', (leftMs, longest) => {
    expect(retryDelay({ ...failure, leftMs, failures: 30 }, 1)).toBe(longest)
  })

  test('it honours Retry-After within what is left', () => {
    expect(retryDelay({ ...failure, retryAfterMs: 10 * minute }, 0.5)).toBe(10 * minute)
    expect(retryDelay({ ...failure, retryAfterMs: 10 * hour, leftMs: 4 * hour }, 0.5)).toBe(30 * minute)
  })

  test('what only a person can change waits longest at once', () => {
    expect(retryDelay({ ...failure, retry: 'when-changed' }, 1)).toBe(hour)
  })

  test.each([
    [0, minute],
    [2 * hour, 5 * minute],
    [day, hour],
  ])('a certificate %i ms old that is not known yet is asked for every %i ms at least', (youngMs, longest) => {
    expect(retryDelay({ ...failure, failures: 30, leftMs: undefined, youngMs }, 1)).toBe(longest)
  })
})

describe('while a required staple is lacking', () => {
  const outage = { since: noon, lastRequestAt: noon, attempts: 1 }

  test.each([
    [1, 0, 5 * second],
    [2, 0, 5 * second],
    [3, minute, 10 * second],
    [50, 10 * minute - 1, 10 * second],
    [51, 10 * minute, minute],
    [500, 5 * hour, minute],
  ])('attempt %i, %i ms into the outage, is followed by another within %i ms', (attempts, elapsed, longest) => {
    const lastRequestAt = noon + elapsed
    for (const chance of chances) {
      const next = urgentRetryAt({ since: noon, lastRequestAt, attempts }, lastRequestAt + 20, undefined, chance)
      expect(next - lastRequestAt).toBeLessThanOrEqual(longest)
      expect(next - lastRequestAt).toBeGreaterThanOrEqual(Math.min(5 * second, 0.7 * longest))
    }
  })

  test('an attempt that hung until its deadline is followed no later than one that failed at once', () => {
    const hung = { ...outage, attempts: 3, lastRequestAt: noon + minute }
    expect(urgentRetryAt(hung, hung.lastRequestAt + attemptDeadline(hung), undefined, 0) - hung.lastRequestAt).toBe(
      9.5 * second,
    )
  })

  test('Retry-After counts up to the longest pause', () => {
    expect(urgentRetryAt({ ...outage, attempts: 3 }, noon, hour, 1)).toBe(noon + 9.5 * second)
  })

  test('an attempt ends before the next is due, later in the outage it may take its time', () => {
    expect([1, 2, 3, 70].map((attempts) => attemptDeadline({ ...outage, attempts }))).toEqual(
      [9, 9, 9, 9].map((s) => s * second),
    )
    expect(attemptDeadline({ since: noon, lastRequestAt: noon + 10 * minute, attempts: 61 })).toBe(30 * second)
    expect(attemptDeadline(undefined)).toBe(30 * second)
  })
})

test('a failed save is tried again within half a minute at first, within five minutes in the end', () => {
  expect([1, 2, 3, 4, 50].map((failures) => saveRetryDelay(failures, 0))).toEqual(
    [30, 60, 120, 240, 300].map((seconds) => seconds * second),
  )
})

test('chance is repeatable, spread evenly over [0, 1), and different for neighbouring seeds', () => {
  const draws: number[] = []
  for (let seed = 7; draws.length < 10_000; ) {
    const drawn = drawChance(seed)
    draws.push(drawn.chance)
    seed = drawn.seed
  }
  expect(drawChance(7)).toEqual(drawChance(7))
  expect(Math.min(...draws)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...draws)).toBeLessThan(1)
  const tenths = Array.from(
    { length: 10 },
    (_, tenth) => draws.filter((draw) => Math.floor(draw * 10) === tenth).length,
  )
  for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150)
  expect(new Set([1, 2, 3, 4].map((seed) => drawChance(seed).chance)).size).toBe(4)
})
