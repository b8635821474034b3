/** How CRLs are refused: each with its code, and both sides of the comparison. */

import { type ErrorCode, type RefusalDetail, StapleError } from '../../errors.ts'

/** `ERR_CRL_MALFORMED` for what is DER but not a CRL. */
export function malformed(field: string, expected: string, found: string, clause: string): StapleError {
  return new StapleError('ERR_CRL_MALFORMED', `${field}: expected ${expected}, found ${found}`, {
    field,
    expected,
    found,
    clause,
  })
}

/** A refusal: its code, what it means in words, and the comparison. */
export function refusal(
  code: Extract<ErrorCode, `ERR_CRL_${string}` | `ERR_X509_${string}`>,
  message: string,
  detail: RefusalDetail,
): StapleError {
  return new StapleError(code, `${message}: ${detail.field} is ${detail.found}, expected ${detail.expected}`, detail)
}
