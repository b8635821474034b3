/** How OCSP messages are refused for what is DER but not OCSP. */

import { StapleError } from '../../errors.ts'

/** `ERR_OCSP_MALFORMED` with both sides of the comparison. */
export function malformed(field: string, expected: string, found: string, clause: string): StapleError {
  const detail = { field, expected, found, clause }
  return new StapleError('ERR_OCSP_MALFORMED', `${field}: expected ${expected}, found ${found}`, detail)
}

/** `ERR_OCSP_TOO_LARGE` for a message, or for one of its lists. */
export function tooLarge(field: string, expected: string, found: string): StapleError {
  const detail = { field, expected, found, clause: 'limit' }
  return new StapleError('ERR_OCSP_TOO_LARGE', `${field}: expected ${expected}, found ${found}`, detail)
}
