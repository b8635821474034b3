/**
 * Listening to an AbortSignal that many share: one listener per signal, however many wait.
 *
 * EventTarget keeps listeners in a list, so a thousand of them leaving one signal would be a million steps, and Node
 * warns of a leak from the eleventh on.
 */

const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/**
 * Calls back when the signal is aborted; not when it already was.
 *
 * @returns a function that cancels the call
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const known = waiting.get(signal)
  const callbacks = known ?? new Set()
  // one entry per call, even of the same function
  const entry = () => callback()
  callbacks.add(entry)
  if (!known) {
    waiting.set(signal, callbacks)
    signal.addEventListener(
      'abort',
      () => {
        waiting.delete(signal)
        for (const each of [...callbacks]) each()
        callbacks.clear()
      },
      { once: true },
    )
  }
  return () => callbacks.delete(entry)
}
