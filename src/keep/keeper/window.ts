/**
 * The window in which a response may be served: a little narrower than the one it states.
 *
 * No tolerance at the end, where a strict client has none, but a margin; at the beginning what a strict client allows.
 * Moments are whole milliseconds, rounded to the safe side.
 */

/** The times of a response, in milliseconds since 1970. */
export interface Window {
  readonly thisUpdate: number
  readonly usableUntil: number
}

/** How long the response is usable in all; not at all when another entry in it, or its signer, ended before it began. */
export function windowMs({ thisUpdate, usableUntil }: Window): number {
  return Math.max(0, usableUntil - thisUpdate)
}

/** When to stop serving: 5 % of the window before its end, at most 5 minutes: a handshake and a slow clock take time. */
export function withdrawAt(window: Window): number {
  return Math.floor(window.usableUntil - Math.min(5 * minuteMs, 0.05 * windowMs(window)))
}

/** Before this the response is from the future, after a step back of the clock; strict clients allow 300 s. */
export function servableFrom(window: Window): number {
  return Math.ceil(window.thisUpdate - Math.min(300_000, windowMs(window) / 2))
}

/**
 * Tells whether a strict client accepts the response's times at this moment, and for a margin after it.
 *
 * @see RFC 6960 §4.2.2.1
 */
export function isServable(window: Window, now: number): boolean {
  return now >= servableFrom(window) && now < withdrawAt(window)
}

const minuteMs = 60_000
