/** Times and lengths of time as a person reads them. UTC everywhere, so that a log compares with a response. */

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

/** Formats a moment as `2026-11-21 03:50:00Z`. */
export function formatMoment(moment: Date): string {
  return `${moment.toISOString().slice(0, 19).replace('T', ' ')}Z`
}

/** Formats a moment beside another: the hour alone when it is the same day, both when not. */
export function formatNear(moment: Date, at: Date): string {
  const text = formatMoment(moment)
  return text.slice(0, 10) === formatMoment(at).slice(0, 10) ? text.slice(11) : text
}

/** Formats a moment with its distance: `03:51:00Z (in 56 s)` or `03:50:00Z (4 s ago)`. */
export function formatDistance(moment: Date, at: Date): string {
  const ms = moment.getTime() - at.getTime()
  return `${formatNear(moment, at)} (${ms >= 0 ? `in ${formatSpan(ms)}` : `${formatSpan(-ms)} ago`})`
}

const units: readonly (readonly [number, string, string])[] = [
  [86_400, 'day', 'days'],
  [3_600, 'h', 'h'],
  [60, 'min', 'min'],
  [1, 's', 's'],
]
