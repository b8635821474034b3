/**
 * The two time types of ASN.1 as RFC 5280 narrows them: UTC, with seconds, without fractions, on dates that exist.
 *
 * Parsed digit by digit: what `Date` would guess or roll over (month 13, February 31) is refused.
 */

/** Parses the 15 octets `YYYYMMDDHHMMSSZ`. @see RFC 5280 §4.1.2.5.2 */
export function parseGeneralizedTime(bytes: Uint8Array, start: number, end: number): Date | undefined {
  if (end - start !== 15) return undefined
  const century = twoDigits(bytes, start)
  const year = twoDigits(bytes, start + 2)
  return century < 0 || year < 0 ? undefined : parseRest(century * 100 + year, bytes, start + 4)
}

/** Parses the 13 octets `YYMMDDHHMMSSZ`; years 50 to 99 are of the 20th century. @see RFC 5280 §4.1.2.5.1 */
export function parseUtcTime(bytes: Uint8Array, start: number, end: number): Date | undefined {
  if (end - start !== 13) return undefined
  const year = twoDigits(bytes, start)
  return year < 0 ? undefined : parseRest(year < 50 ? 2000 + year : 1900 + year, bytes, start + 2)
}

/** Formats as `YYYYMMDDHHMMSSZ`; what is less than a second is cut off. */
export function formatGeneralizedTime(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`
}

/** Formats a time for messages: `2026-01-02T00:00:00Z`, with milliseconds where there are any. */
export function formatTime(time: Date): string {
  return time.toISOString().replace('.000Z', 'Z')
}

/** Formats a length of time with at most two units: `4 s`, `3 min 20 s`, `5 h 10 min`, `6 days 3 h`. */
export function formatSpan(ms: number): string {
  if (ms < 0) return `-${formatSpan(-ms)}`
  if (ms < 950) return `${Math.round(ms)} ms`
  let seconds = Math.round(ms / 1000)
  const parts: string[] = []
  for (const [length, one, many] of units) {
    const count = Math.floor(seconds / length)
    if (count > 0) parts.push(`${count} ${count === 1 ? one : many}`)
    else if (parts.length > 0) break
    seconds -= count * length
    if (parts.length === 2) break
  }
  return parts.join(' ')
}

function parseRest(year: number, bytes: Uint8Array, at: number): Date | undefined {
  const month = twoDigits(bytes, at)
  const day = twoDigits(bytes, at + 2)
  const hour = twoDigits(bytes, at + 4)
  const minute = twoDigits(bytes, at + 6)
  const second = twoDigits(bytes, at + 8)
  if (month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59) return undefined
  if (second < 0 || second > 59 || bytes[at + 10] !== 0x5a || day > daysIn(year, month)) return undefined
  const time = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  // Date.UTC takes 0 to 99 as 1900 to 1999.
  if (year < 100) time.setUTCFullYear(year)
  return time
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] as number) - 0x30
  const ones = (bytes[at + 1] as number) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}

const units: readonly (readonly [number, string, string])[] = [
  [86_400, 'day', 'days'],
  [3_600, 'h', 'h'],
  [60, 'min', 'min'],
  [1, 's', 's'],
]
