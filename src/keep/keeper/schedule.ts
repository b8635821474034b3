/**
 * When to ask: the arithmetic of refreshing and retrying. Pure: chance comes in as numbers in [0, 1). Whole milliseconds
 * come out, for that is what a clock can reach.
 *
 * The reasons for each figure are in docs/defaults.md.
 */
import type { Retry } from '../../errors.ts'
import { type Window, windowMs, withdrawAt } from './window.ts'

/**
 * The moment from which a newer response than this one is wanted: at random in 45-55 % of its window, so that machines
 * with the same certificate spread out; where HTTP says for how long caches keep it, no sooner, but within 25-75 %.
 *
 * @see RFC 9919 §6 - caching of responses
 */
export function refreshPoint(window: Window, now: number, maxAgeMs: number | undefined, chance: number): number {
  const share = (part: number) => window.thisUpdate + part * windowMs(window)
  if (maxAgeMs === undefined || maxAgeMs <= 0) return Math.round(share(0.45 + 0.1 * chance))
  return Math.round(clamp(now + maxAgeMs + 0.02 * chance * windowMs(window), share(0.25), share(0.75)))
}

/** Now, or a little later: the last tenth before the longest interval, so that what was added together spreads out. */
export function latestRefresh(now: number, maxIntervalMs: number, chance: number): number {
  return now + Math.floor(maxIntervalMs * (1 - 0.1 * chance))
}

/**
 * When to ask again after an answer that brought nothing newer: half of what remains until the withdrawal, and never
 * sooner after the last request than 5 % of the window (at least 1 s, at most 5 min). So a responder that gives the
 * same response for its whole window is asked a bounded number of times.
 */
export function refreshAfterSame(window: Window, now: number, lastRequestAt: number | undefined): number {
  const half = now + Math.max(0, withdrawAt(window) - now) / 2
  const pause = clamp(0.05 * windowMs(window), secondMs, 5 * minuteMs)
  return Math.ceil(Math.max(half, (lastRequestAt ?? now) + pause))
}

/** What a retry after a failure depends on. */
export interface Failure {
  /** Failures in a row, this one included. */
  readonly failures: number
  /** What remains until the withdrawal of the staple that is served; undefined when there is nothing to lose. */
  readonly leftMs: number | undefined
  readonly retry: Retry
  readonly retryAfterMs: number | undefined
  /** The certificate's age, when the responder does not know it yet. */
  readonly youngMs: number | undefined
}

/**
 * How long to wait after a failure: 5 s, doubling, full jitter, at most an eighth of what is left (within 5 s and 1 h);
 * the responder's Retry-After is honoured within that. What only a person can change is retried at the longest wait. A
 * certificate that its responder does not know yet is asked for at least every 24th of its age.
 */
export function retryDelay(failure: Failure, chance: number): number {
  const { failures, leftMs, retry, retryAfterMs = 0, youngMs } = failure
  const byLeft = leftMs === undefined ? hourMs : clamp(leftMs / 8, 5 * secondMs, hourMs)
  const longest = youngMs === undefined ? byLeft : Math.min(byLeft, clamp(youngMs / 24, minuteMs, hourMs))
  const doubled = 5 * secondMs * 2 ** Math.min(failures - 1, 20)
  const wait = chance * (retry === 'when-changed' ? longest : Math.min(doubled, longest))
  return Math.ceil(Math.max(secondMs, wait, Math.min(retryAfterMs, longest)))
}

/** Where an outage of a required staple stands. */
export interface Outage {
  /** Since when nothing is servable. */
  readonly since: number
  /** When the last attempt began. */
  readonly lastRequestAt: number
  /** Attempts since then, that one included. */
  readonly attempts: number
}

/**
 * When to try again while a staple that must be there is not: 5 s after the last attempt began, twice; then within 10 s
 * for the first ten minutes, and within 60 s after them, each less what an answer takes to come. Counted from the
 * beginning of attempts, so that a responder that hangs costs no more than one that refuses.
 */
export function urgentRetryAt(outage: Outage, now: number, retryAfterMs: number | undefined, chance: number): number {
  const longest = isEarly(outage) ? 9.5 * secondMs : 58 * secondMs
  const wait = outage.attempts <= 2 ? 5 * secondMs : longest * (1 - 0.25 * chance)
  const wished = Math.min(now + (retryAfterMs ?? 0), outage.lastRequestAt + longest)
  return Math.floor(Math.max(outage.lastRequestAt + wait, wished, now + secondMs / 2))
}

/** How long one attempt may take: in the first ten minutes of an outage it has to end before the next one is due. */
export function attemptDeadline(outage: Outage | undefined): number {
  return outage !== undefined && isEarly(outage) ? 9 * secondMs : 30 * secondMs
}

/** When to try to save again: a store that has room again should catch up, one that has none should not be hammered. */
export function saveRetryDelay(failures: number, chance: number): number {
  return Math.ceil(Math.min(30 * secondMs * 2 ** Math.min(failures - 1, 10), 5 * minuteMs) * (1 - 0.25 * chance))
}

/** Spreads what became due while nobody looked (a restart, a step of the clock) over a short while. */
export function spread(leftMs: number, chance: number): number {
  return Math.ceil(chance * clamp(leftMs / 8, 0, 30 * secondMs))
}

/** Judged at the beginning of the attempt: one that hung across the tenth minute is still followed quickly. */
function isEarly({ since, lastRequestAt }: Outage): boolean {
  return lastRequestAt - since < 10 * minuteMs
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most)
}

const secondMs = 1_000
const minuteMs = 60_000
const hourMs = 3_600_000
