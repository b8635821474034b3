/** A clock that moves when told: timers run in order of their due times, each at its own moment. */
import type { Clock } from '../../src/keep/clock.ts'

export interface ManualClock extends Clock {
  /** Moves wall and monotonic time forward together, running what falls due, and lets promises settle in between. */
  advance(ms: number): Promise<void>
  /** Moves the wall clock alone, as NTP, an operator or a suspended laptop does. */
  jump(ms: number): void
  /** Moves to the next timer, if it is due before `limitMs` from now. False when none is. */
  advanceToNextTimer(limitMs?: number): Promise<boolean>
  readonly timers: number
}

export function manualClock(start: string | Date = '2026-01-01T00:00:00Z'): ManualClock {
  let wall = new Date(start).getTime()
  let monotonic = 0
  let order = 0
  const timers = new Set<{ due: number; order: number; callback: () => void }>()
  const next = () => [...timers].sort((a, b) => a.due - b.due || a.order - b.order)[0]
  const moveTo = (due: number) => {
    wall += Math.max(0, due - monotonic)
    monotonic = Math.max(monotonic, due)
  }
  return {
    now: () => new Date(wall),
    monotonicMs: () => monotonic,
    wake(delayMs, callback) {
      const timer = { due: monotonic + Math.max(0, delayMs), order: order++, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    jump(ms) {
      wall += ms
    },
    async advance(ms) {
      const end = monotonic + ms
      await settle()
      for (let timer = next(); timer && timer.due <= end; timer = next()) {
        moveTo(timer.due)
        timers.delete(timer)
        timer.callback()
        await settle()
      }
      moveTo(end)
      await settle()
    },
    async advanceToNextTimer(limitMs = Number.POSITIVE_INFINITY) {
      await settle()
      const timer = next()
      if (!timer || timer.due > monotonic + limitMs) return false
      moveTo(timer.due)
      timers.delete(timer)
      timer.callback()
      await settle()
      return true
    },
    get timers() {
      return timers.size
    },
  }
}

/** Lets promise chains that need no outside event run to their end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}
