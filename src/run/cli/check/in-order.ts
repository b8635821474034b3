/** Work on many things, some at a time, with an end that may come early. */

/**
 * Runs the work on each, `parallel` at a time, and resolves with the results in the order of the things.
 *
 * What was not done when the signal came is undefined; what is under way then is not waited for.
 */
export async function runInOrder<T, R>(
  things: readonly T[],
  { parallel, signal }: { readonly parallel: number; readonly signal: AbortSignal },
  work: (thing: T) => Promise<R>,
): Promise<(R | undefined)[]> {
  const results = new Array<R | undefined>(things.length).fill(undefined)
  const queue = things.entries()
  const worker = async () => {
    for (const [index, thing] of queue) {
      if (signal.aborted) return
      const result = await work(thing)
      if (!signal.aborted) results[index] = result
    }
  }
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  const done = Promise.all(Array.from({ length: Math.min(parallel, things.length) }, worker))
  // Its failure is the caller's only while the caller waits for it.
  await Promise.race([done, aborted])
  done.catch(() => {})
  return results
}
