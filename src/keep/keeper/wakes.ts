/**
 * One timer for any number of entries: a heap of when each wants to be looked at, and a look at the clock at least every
 * 30 s, since the wall clock may step and a timer may sleep with the machine.
 */
import type { Clock } from '../clock.ts'

/** Something that can be woken; the heap keeps its place in it. */
export interface Sleeper {
  wakeAt: number | undefined
  heapIndex: number
}

/** Who sleeps until when, by the wall clock. */
export interface Wakes<S extends Sleeper> {
  /** Sets when to wake one, in place of what was set before; undefined: never. */
  set(sleeper: S, at: number | undefined): void
  /** Begins to watch the clock; `wakes` must be started before the timer runs. */
  start(): void
  stop(): void
}

export interface WakesOptions<S extends Sleeper> {
  readonly clock: Clock
  /** Called for each whose moment has come, after it was taken from the heap. */
  readonly wake: (sleeper: S) => void
  /** Called before them, each time the clock is looked at. */
  readonly look: () => void
}

/** The longest sleep: how long a step of the wall clock can go unnoticed. */
const longestSleepMs = 30_000

/** Creates the one timer of a keeper. */
export function createWakes<S extends Sleeper>({ clock, wake, look }: WakesOptions<S>): Wakes<S> {
  const heap: S[] = []
  let cancel: (() => void) | undefined
  let armedFor = Number.POSITIVE_INFINITY
  let isRunning = false
  let isWaking = false

  const arm = () => {
    if (!isRunning || isWaking) return
    const now = clock.now().getTime()
    const at = Math.min(heap[0]?.wakeAt ?? Number.POSITIVE_INFINITY, now + longestSleepMs)
    // A step of the clock may have left it set for an hour that is further away than it was.
    if (cancel !== undefined && armedFor <= at && armedFor >= now) return
    cancel?.()
    armedFor = at
    cancel = clock.wake(Math.max(0, at - now), ring)
  }
  const ring = () => {
    cancel = undefined
    isWaking = true
    try {
      look()
      const now = clock.now().getTime()
      for (let first = heap[0]; first?.wakeAt !== undefined && first.wakeAt <= now; first = heap[0]) {
        take(heap, first)
        wake(first)
      }
    } finally {
      isWaking = false
      arm()
    }
  }
  return {
    set(sleeper, at) {
      if (sleeper.heapIndex >= 0) take(heap, sleeper)
      if (at === undefined) return
      sleeper.wakeAt = at
      put(heap, sleeper)
      arm()
    },
    start() {
      isRunning = true
      arm()
    },
    stop() {
      isRunning = false
      cancel?.()
      cancel = undefined
    },
  }
}

function put<S extends Sleeper>(heap: S[], sleeper: S): void {
  heap.push(sleeper)
  sleeper.heapIndex = heap.length - 1
  rise(heap, sleeper)
}

function take<S extends Sleeper>(heap: S[], sleeper: S): void {
  const last = heap.pop() as S
  const index = sleeper.heapIndex
  sleeper.heapIndex = -1
  sleeper.wakeAt = undefined
  if (last === sleeper) return
  heap[index] = last
  last.heapIndex = index
  rise(heap, last)
  sink(heap, last)
}

function rise<S extends Sleeper>(heap: S[], sleeper: S): void {
  for (let index = sleeper.heapIndex; index > 0; ) {
    const parent = heap[(index - 1) >> 1] as S
    if (at(parent) <= at(sleeper)) return
    swap(heap, parent, sleeper)
    index = sleeper.heapIndex
  }
}

function sink<S extends Sleeper>(heap: S[], sleeper: S): void {
  for (;;) {
    const left = heap[2 * sleeper.heapIndex + 1]
    const right = heap[2 * sleeper.heapIndex + 2]
    const least = right !== undefined && left !== undefined && at(right) < at(left) ? right : left
    if (least === undefined || at(sleeper) <= at(least)) return
    swap(heap, least, sleeper)
  }
}

function swap<S extends Sleeper>(heap: S[], one: S, other: S): void {
  const index = one.heapIndex
  heap[other.heapIndex] = one
  heap[index] = other
  one.heapIndex = other.heapIndex
  other.heapIndex = index
}

function at({ wakeAt }: Sleeper): number {
  return wakeAt ?? Number.POSITIVE_INFINITY
}
