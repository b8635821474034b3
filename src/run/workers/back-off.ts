/** How soon a worker that ended is replaced: at once, then ever later, so that one that cannot start costs little. */

/**
 * Decides the wait before the next start at the same post.
 *
 * @param livedMs - how long the one that ended had lived
 * @param beforeMs - what was waited for it; undefined for the first
 */
export function restartDelayMs(livedMs: number, beforeMs: number | undefined): number {
  if (beforeMs === undefined || livedMs >= soundMs) return 0
  return beforeMs === 0 ? firstMs : Math.min(2 * beforeMs, longestMs)
}

/** Who lived that long did not fail to start. */
const soundMs = 60_000
const firstMs = 1_000
const longestMs = 30_000
