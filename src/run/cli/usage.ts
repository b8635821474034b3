/**
 * Command lines that say what cannot be meant, found by the command itself: what was written, and what to write.
 *
 * Here and not in declare/, because what reads a duration brings the whole schema of the configuration along.
 */

import { escapeUnprintable } from '../../pki/der/text.ts'
import { parseDuration } from '../config/scalar.ts'
import { Mistake } from '../config/type.ts'
import type { Io } from './io.ts'

/** The command line, or a file that it names, is not one that the command can work with. */
export class UsageError extends Error {
  readonly hint: string

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options)
    this.hint = hint
  }
}

/** Says it on stderr, in the two lines that every command says it in. A file of targets may be a stranger's. */
export function reportUsage({ message, hint }: UsageError, io: Io): void {
  io.stderr.write(`error: ${escapeUnprintable(message)}\n  hint: ${escapeUnprintable(hint)}\n`)
}

/**
 * Parses a length of time as the configuration has it, `5s` or `1h30m`, to milliseconds.
 *
 * @param option - as written, `--timeout`
 * @throws {@link UsageError} also for zero
 */
export function parseDurationOption(option: string, text: string): number {
  const duration = parseDuration(text)
  if (typeof duration === 'number' && duration > 0) return duration
  const why = duration instanceof Mistake ? duration.summary : 'no time at all'
  throw new UsageError(`${option} "${text}": ${why}`, 'write a number and its unit, as 500ms, 10s or 1m30s')
}

/**
 * Parses a moment: ISO 8601 with its zone, `2026-11-28T03:00:00Z`, or a day alone, which begins at 00:00 UTC.
 *
 * @param option - as written, `--at`
 * @throws {@link UsageError}
 */
export function parseMomentOption(option: string, text: string): Date {
  const moment = new Date(momentForm.test(text) ? text.replace(' ', 'T') : Number.NaN)
  // Date rolls a day that is not there over to the next month: February 30 is March 2.
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDate()
  if (!Number.isNaN(moment.getTime()) && day === Number(text.slice(8, 10))) return moment
  const hint = 'write it with its zone, as 2026-11-28T03:00:00Z, or a day, as 2026-11-28'
  throw new UsageError(`${option} "${text}" is not a time`, hint)
}

const momentForm = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/
