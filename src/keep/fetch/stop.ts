/**
 * Ending what is under way: an AbortSignal's job, at a hundredth of its cost and for any number of listeners.
 *
 * Every request has three (its own, its attempt's, its flight's), and a caller may share one AbortSignal among a hundred
 * thousand fetches: EventTarget keeps its listeners in a list and warns of a leak from the eleventh on.
 */

/** Something that may be told to end, once. */
export class Stop {
  #isStopped = false
  #reason: unknown
  #callbacks: Set<() => void> | undefined

  get isStopped(): boolean {
    return this.#isStopped
  }

  /** What ended it. */
  get reason(): unknown {
    return this.#reason
  }

  /** Ends it; only the first reason counts. */
  stop(reason: unknown): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#reason = reason
    const callbacks = this.#callbacks
    this.#callbacks = undefined
    for (const callback of callbacks ?? []) callback()
  }

  /**
   * Calls back when it ends; not when it already has.
   *
   * @returns a function that cancels the call
   */
  onStop(callback: () => void): () => void {
    if (this.#isStopped) return () => {}
    this.#callbacks ??= new Set()
    const callbacks = this.#callbacks
    // one entry per call, even of the same function
    const entry = () => callback()
    callbacks.add(entry)
    return () => callbacks.delete(entry)
  }

  throwIfStopped(): void {
    if (this.#isStopped) throw this.#reason
  }
}

const stops = new WeakMap<AbortSignal, Stop>()

/** The same as an AbortSignal says, with one listener on it however many ask. */
export function stopOf(signal: AbortSignal): Stop {
  const known = stops.get(signal)
  if (known) return known
  const made = new Stop()
  stops.set(signal, made)
  if (signal.aborted) made.stop(signal.reason)
  else signal.addEventListener('abort', () => made.stop(signal.reason), { once: true })
  return made
}
