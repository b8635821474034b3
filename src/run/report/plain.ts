/**
 * Values as plain data that may be shown: errors as code, message and detail, bytes as base64, and in texts nothing that
 * would steer a terminal, since much of it was said by strangers.
 */

import { printableLines } from '../../pki/der/text.ts'
import type { ErrorReport } from './shape.ts'

/** A failure without its stack and its object. */
export function plainError(error: Error & { readonly code?: string; readonly detail?: unknown }): ErrorReport {
  const { code = 'ERR_INTERNAL', message, detail } = error
  return { code, message: printableLines(message), ...(detail !== undefined && { detail: plain(detail) }) }
}

/** The same value with nothing in it that JSON could not write. Moments stay, since JSON has a form for them. */
export function plain(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return printableLines(value)
  if (typeof value === 'bigint') return value.toString(16)
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value
  if (ArrayBuffer.isView(value)) return base64(value as Uint8Array)
  if (depth >= deepest) return null
  if (value instanceof Error) return plainError(value)
  if (Array.isArray(value)) return value.map((each) => plain(each, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each, depth + 1)]))
}

/** Bytes as text. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** Causes of causes: deeper than any failure is. */
const deepest = 12
