/** Times and lengths of time as a person reads them. UTC everywhere, so that a log compares with a response. */
import { formatSpan } from '../../pki/der/time.ts'

export { formatSpan }

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
