/** Errors and events on their way between processes: plain data there, and what they were again at the other end. */
import { type ErrorCode, errorTable, StapleError } from '../../errors.ts'
import type { TerminatorEvent } from '../../serve/terminator/index.ts'
import type { SentError, SentEvent } from './messages.ts'

/** Takes an error apart. Causes stay behind: their text is in the message where it matters. */
export function flattenError(thrown: unknown): SentError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown) }
  const { name, message } = thrown
  if (thrown instanceof StapleError) return { name, message, code: thrown.code, detail: plainDetail(thrown.detail) }
  const { code } = thrown as NodeJS.ErrnoException
  return { name, message, ...(typeof code === 'string' && { code }) }
}

/** Puts an error together again: a `StapleError` with its code and detail, a `TypeError`, or an `Error`. */
export function reviveError({ name, message, code, detail }: SentError): Error {
  if (name === 'StapleError' && code !== undefined && code in errorTable) {
    return new StapleError(code as ErrorCode, message, (detail ?? {}) as never)
  }
  const error = name === 'TypeError' ? new TypeError(message) : new Error(message)
  return code === undefined ? error : Object.assign(error, { code })
}

/** Takes the errors in an event apart. */
export function flattenEvent(event: TerminatorEvent): SentEvent {
  return mapValues(event, (value) => (value instanceof Error ? { sentError: flattenError(value) } : value)) as SentEvent
}

export function reviveEvent(event: SentEvent): TerminatorEvent {
  return mapValues(event, (value) => (isSentError(value) ? reviveError(value.sentError) : value)) as never
}

function mapValues(given: object, change: (value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, change(value)]))
}

function isSentError(value: unknown): value is { sentError: SentError } {
  return typeof value === 'object' && value !== null && 'sentError' in value
}

function plainDetail(detail: object): Record<string, unknown> {
  const plain = Object.entries(detail).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
  return Object.fromEntries(plain)
}
