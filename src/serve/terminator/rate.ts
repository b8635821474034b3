/** How many new connections a second are let in: nats-server's `connection_rate_limit`. */
import type { Clock } from '../../keep/clock.ts'

/**
 * Creates a limit: called for each connection, it says whether that one is let in.
 *
 * A bucket of one second's worth, filled steadily: a burst of `perSecond` passes at once, and never more than twice as
 * many in any second. nats-server counts in windows of a second, which comes to the same over time and the same for a burst.
 */
export function createRateLimit(perSecond: number, clock: Pick<Clock, 'monotonicMs'>): () => boolean {
  if (perSecond === Number.POSITIVE_INFINITY) return () => true
  let tokens = perSecond
  let filledAtMs = clock.monotonicMs()
  return () => {
    const nowMs = clock.monotonicMs()
    tokens = Math.min(perSecond, tokens + ((nowMs - filledAtMs) * perSecond) / 1_000)
    filledAtMs = nowMs
    if (tokens < 1) return false
    tokens--
    return true
  }
}
