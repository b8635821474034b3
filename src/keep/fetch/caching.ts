/**
 * What HTTP headers say about time: how long an answer is fresh, when to come again, how far the clocks differ.
 *
 * All of it is hints: the signed times decide (RFC 9919 §6). Pure; absent or senseless headers give undefined.
 */

import type { IncomingHttpHeaders } from 'node:http'

/** How long from now HTTP calls the answer fresh: max-age less Age, else Expires. */
export function freshForMs(headers: IncomingHttpHeaders, now: Date): number | undefined {
  const directives = (headers['cache-control'] ?? '').toLowerCase()
  if (/\bno-(cache|store)\b/.test(directives)) return undefined
  const ageMs = seconds(headers.age) ?? 0
  const maxAge = /\bmax-age\s*=\s*"?(\d{1,10})\b/.exec(directives)?.[1]
  if (maxAge !== undefined) return Math.max(0, Number(maxAge) * 1000 - ageMs)
  const expires = httpDate(headers.expires)
  if (expires === undefined) return undefined
  // against the responder's own clock, which wrote Expires, when it says what it is
  const written = httpDate(headers.date) ?? now
  return Math.max(0, expires.getTime() - written.getTime() - ageMs)
}

/** When the responder wants to be asked again: seconds, or a date by its own clock. @see RFC 9110 §10.2.3 */
export function retryAfterMs(headers: IncomingHttpHeaders, now: Date): number | undefined {
  const text = headers['retry-after']
  const delay = seconds(text)
  if (delay !== undefined) return delay
  const date = httpDate(text)
  if (date === undefined) return undefined
  return Math.max(0, date.getTime() - (httpDate(headers.date) ?? now).getTime())
}

/** The responder's clock minus ours; an answer out of a cache is as old as its Age says. */
export function dateSkewMs(headers: IncomingHttpHeaders, now: Date): number | undefined {
  const date = httpDate(headers.date)
  if (date === undefined) return undefined
  return date.getTime() + (seconds(headers.age) ?? 0) - now.getTime()
}

/** Whole seconds, as milliseconds. */
function seconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d{1,10}\s*$/.test(text) ? Number(text) * 1000 : undefined
}

/** Only IMF-fixdate: `Date.parse` alone would take "5" for a year. @see RFC 9110 §5.6.7 */
function httpDate(text: string | undefined): Date | undefined {
  if (text === undefined || !/^\s*[A-Za-z]{3,9},? .*\d\d:\d\d:\d\d/.test(text)) return undefined
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : new Date(time)
}
