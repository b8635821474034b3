/** What callers pass, checked once and in one way: a mistake is a TypeError that names the option. */

/** Checks a moment. */
export function asMoment(at: Date, option: string): Date {
  if (at instanceof Date && !Number.isNaN(at.getTime())) return at
  throw new TypeError(`${option} must be a Date that is a real time`)
}

/** Checks a count of milliseconds or bytes, and fills in the default. */
export function asCount(given: number | undefined, normally: number, option: string): number {
  if (given === undefined) return normally
  if (typeof given === 'number' && given >= 0 && given <= most) return given
  throw new TypeError(`${option} must be a number from 0 to ${most}, not ${given}`)
}

/** Far above any use, and far below where adding it to a date gives none. */
const most = 1e15
