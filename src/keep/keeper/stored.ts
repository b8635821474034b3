/** What a stored staple is worth: verified as if it came from the network, and if refused, what becomes of its file. */
import { type ErrorCode, isStapleError, StapleError } from '../../errors.ts'
import type { LoadFault } from './occurrence.ts'

/** Judges why a stored staple was refused: only what can never become good is set aside. */
export function judgeFault(error: StapleError): LoadFault {
  const { code } = error
  if (timeCodes.has(code)) return 'out-of-time'
  if (damageCodes.has(code) || code.startsWith('ERR_DER_')) return 'damaged'
  return code.startsWith('ERR_STORE_') ? 'unreadable' : 'refused'
}

/** A failure as a `StapleError`, whatever a store or a fetcher of others threw. */
export function asStapleError(thrown: unknown, code: 'ERR_STORE_READ' | 'ERR_STORE_WRITE', key: string): StapleError {
  if (isStapleError(thrown)) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const verb = code === 'ERR_STORE_READ' ? 'read' : 'write'
  return new StapleError(
    code,
    `the store could not ${verb}: ${message}`,
    { path: key, certificateKey: key },
    { cause: thrown },
  )
}

const timeCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_OCSP_NOT_YET_VALID',
  'ERR_OCSP_STALE',
  'ERR_OCSP_TOO_OLD',
  'ERR_OCSP_RESPONDER_EXPIRED',
])

/** Undecodable, about another certificate, or with a broken signature. */
const damageCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_OCSP_MALFORMED',
  'ERR_OCSP_RESPONSE_STATUS',
  'ERR_OCSP_RESPONSE_TYPE',
  'ERR_OCSP_CERT_ID_MISMATCH',
  'ERR_OCSP_SIGNATURE',
])
