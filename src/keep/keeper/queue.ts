/** Work under way: a bound on how much at once, and an end to waiting for what never ends. */
import type { Clock } from '../clock.ts'

/** Runs tasks, at most `most` of them at once, in the order in which they came. A task that fails stops no other. */
export function createQueue(most: number): (task: () => Promise<void>) => void {
  let waiting: (() => Promise<void>)[] = []
  let next = 0
  let running = 0
  const work = async () => {
    running++
    for (let task = waiting[next]; task; task = waiting[next]) {
      next++
      // Not shift(): with a hundred thousand waiting, each would move them all.
      if (next === waiting.length) {
        waiting = []
        next = 0
      }
      await task().catch(() => {})
    }
    running--
  }
  return (task) => {
    waiting.push(task)
    if (running < most) work()
  }
}

/** Waits for a promise, but no longer than `ms`: then it rejects with what `late` makes, and the promise is left alone. */
export function within<T>(clock: Clock, ms: number, promise: Promise<T>, late: () => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.wake(ms, () => reject(late()))
    promise.then(resolve, reject).finally(cancel)
  })
}
