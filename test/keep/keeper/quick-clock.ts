/**
 * A clock for long simulations: a year has a million looks at the hour, and promises need time to settle only where
 * somebody waits for an answer.
 */
import type { Clock } from '../../../src/keep/clock.ts'

export interface QuickClock extends Clock {
  /**
   * Runs all timers up to a moment of the wall clock, calling `look` before and after each.
   *
   * @param isWaiting - whether promises are under way that have to settle before time goes on
   */
  run(until: number, isWaiting: () => boolean, look: (now: number) => void): Promise<void>
  /** Moves the wall clock alone. */
  jump(ms: number): void
  /** Moves both clocks without running timers, as for a machine that slept while its monotonic clock went on. */
  sleep(ms: number): void
  /** Timers that ever ran. */
  readonly rung: number
  /** The longest delay that was ever asked for. */
  readonly longestDelayMs: number
}

interface Timer {
  due: number
  callback: () => void
}

export function quickClock(start: number): QuickClock {
  let wall = start
  let monotonic = 0
  let rung = 0
  let longestDelayMs = 0
  const timers = new Set<Timer>()
  const first = () => {
    let soonest: Timer | undefined
    for (const timer of timers) if (soonest === undefined || timer.due < soonest.due) soonest = timer
    return soonest
  }
  const settle = async () => {
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    now: () => new Date(wall),
    monotonicMs: () => monotonic,
    wake(delayMs, callback) {
      longestDelayMs = Math.max(longestDelayMs, delayMs)
      const timer = { due: monotonic + Math.max(0, delayMs), callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    jump(ms) {
      wall += ms
    },
    sleep(ms) {
      wall += ms
      monotonic += ms
    },
    async run(until, isWaiting, look) {
      await settle()
      for (let timer = first(); timer !== undefined; timer = first()) {
        const ahead = Math.max(0, timer.due - monotonic)
        if (wall + ahead > until) break
        // The last moment before the timer: what it is about to withdraw is judged there.
        if (ahead > 1) {
          wall += ahead - 1
          look(wall)
          wall -= ahead - 1
        }
        wall += ahead
        monotonic += ahead
        look(wall)
        timers.delete(timer)
        rung++
        timer.callback()
        if (isWaiting()) await settle()
        look(wall)
      }
      const rest = Math.max(0, until - wall)
      wall += rest
      monotonic += rest
      await settle()
    },
    get rung() {
      return rung
    },
    get longestDelayMs() {
      return longestDelayMs
    },
  }
}
