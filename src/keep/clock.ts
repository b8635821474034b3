/**
 * Time as a value: what the keeping floor reads the hour from and sets its timers on.
 *
 * Nothing else under src/ may call `Date.now()` or `setTimeout`; tests pass a clock that moves when told (test/kit/clock.ts).
 */

/** Reads two clocks and sets timers. */
export interface Clock {
  /** The wall clock; it may jump. */
  now(): Date
  /** Milliseconds that only ever go forward; its zero means nothing. */
  monotonicMs(): number
  /**
   * Calls back once, no sooner than `delayMs` from now. Delays over 2^31 - 1 ms are clamped to it, so a caller looks
   * at the hour when woken and sleeps again. The timer does not keep the process alive.
   *
   * @returns a function that cancels the call
   */
  wake(delayMs: number, callback: () => void): () => void
}

/** Node sets longer timers to 1 ms. */
const longestDelayMs = 2 ** 31 - 1

/** The machine's own clock and timers. */
export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  wake(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), longestDelayMs))
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Calls back at regular intervals. @returns a function that ends it */
export function repeat(clock: Pick<Clock, 'wake'>, everyMs: number, callback: () => void): () => void {
  let cancel = clock.wake(everyMs, run)
  function run(): void {
    cancel = clock.wake(everyMs, run)
    callback()
  }
  return () => cancel()
}
