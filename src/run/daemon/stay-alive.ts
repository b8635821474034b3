/**
 * Keeps the process running while nothing else does: the keeper's timers let it end, as a library's should, and a daemon
 * whose doors are still closed has no listener that would hold it.
 */

/** Holds the process until the returned function is called. */
export function stayAlive(): () => void {
  const timer = setInterval(() => {}, longestDelayMs)
  return () => clearInterval(timer)
}

const longestDelayMs = 2 ** 31 - 1
