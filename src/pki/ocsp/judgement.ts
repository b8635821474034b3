/**
 * What the rules read and write while one response is judged: the evidence so far.
 */

import { type ErrorCode, type RefusalDetail, StapleError } from '../../errors.ts'
import type { SignatureScheme } from '../x509/algorithm.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { Policies } from './options.ts'
import type { BasicResponse, OcspResponse } from './response.ts'
import type { SingleResponse } from './single-response.ts'

/** A rule finds here what the rules before it established, and leaves what it establishes itself. */
export interface Judgement {
  readonly der: Uint8Array
  readonly policies: Policies
  response?: OcspResponse
  basicResponse?: BasicResponse
  /** The entries about this certificate. */
  matches?: readonly Match[]
  /** The entry that counts among them. */
  decisive?: Match
  /** Of the response's signature, once it is known to be one that counts. */
  scheme?: SignatureScheme
  /** Those whose key verifies the signature; all have the same key. */
  signers?: readonly Candidate[]
  /** The one of them that is authorised. */
  signer?: Candidate
  needsDelegateCheck?: boolean
  readonly warnings: VerifyWarning[]
}

/** An entry about the certificate in question. */
export interface Match {
  readonly singleResponse: SingleResponse
  /** Its full field name. */
  readonly field: string
}

/** A certificate whose key may have signed. */
export interface Candidate {
  readonly kind: 'issuer' | 'delegated' | 'configured'
  readonly certificate: Certificate
  /** Where it stands: `issuer`, `basicResponse.certs[0]`, `responderCertificate`. */
  readonly field: string
}

/** Something acceptable that is worth knowing. */
export interface VerifyWarning {
  readonly code: VerifyWarningCode
  readonly message: string
}

export type VerifyWarningCode =
  | 'no-next-update'
  | 'window-too-long'
  | 'delegate-without-nocheck'
  /** By policy `delegateWithoutNocheck: 'check'`: its own status was asked, and could not be learned. Of the fetcher. */
  | 'delegate-unchecked'
  | 'only-sha256'
  | 'configured-responder'
  | 'explicit-version'
  | 'sha1-signature'
  | 'contradictory'

/** A refusal: its code, what it means in words, and both sides of the comparison. */
export function refusal(
  code: Extract<ErrorCode, `ERR_OCSP_${string}` | `ERR_X509_${string}`>,
  message: string,
  detail: RefusalDetail,
): StapleError {
  return new StapleError(code, `${message}: ${detail.field} is ${detail.found}, expected ${detail.expected}`, detail)
}
