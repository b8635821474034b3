/**
 * What a responder is made of and what it gives: the types of this folder's door.
 *
 * A responder answers for one issuer. Where statuses come from is the caller's (`statusOf`); here they are signed.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { StapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import type { CertID } from '../../pki/ocsp/cert-id.ts'
import type { ResponseStatus } from '../../pki/ocsp/response.ts'
import type { OcspErrorStatus, OcspSigner, SignOcspResponseOptions } from '../../pki/ocsp/sign.ts'
import type { CertStatus } from '../../pki/ocsp/single-response.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'

/** What the caller knows of one certificate, or the error status to give instead of a signed answer. */
export type ResponderAnswer =
  | {
      readonly certStatus: CertStatus
      /** Needed with `revoked`. */
      readonly revocationTime?: Date
      /** A name of RFC 5280 §5.3.1. */
      readonly revocationReason?: string
      /** When this was known to be so; default now. */
      readonly thisUpdate?: Date
      /** When newer will be known; default thisUpdate + `validityMs`; null for a response without it. */
      readonly nextUpdate?: Date | null
    }
  | { readonly responseStatus: OcspErrorStatus }

export interface ResponderOptions {
  /** Whose certificates are answered for. */
  readonly issuer: Certificate
  /** The issuer itself, or a delegate that it authorised; tried once when the responder is created. */
  readonly signer: OcspSigner
  /** Asked for every certID of a request that names this issuer; its failure is answered `internalError`. */
  readonly statusOf: (certID: CertID, at: Date) => ResponderAnswer | Promise<ResponderAnswer>
  readonly clock: Clock
  /** The window of an answer, in milliseconds from thisUpdate; default 86 400 000, one day. */
  readonly validityMs?: number
  /** Echo the request's nonce; default false, so that answers may rest in caches. */
  readonly echoNonce?: boolean
  /** Default `byKey`, as RFC 9919 §4.2.1 wants it. */
  readonly responderID?: 'byKey' | 'byName'
  /** Of the signature; default what suits the key. */
  readonly hash?: SignOcspResponseOptions['hash']
  /** DER of certificates to send along; default the delegate's own. */
  readonly certificates?: readonly Uint8Array[]
  /** The path at which the responder is mounted; default `/`. Only GET needs it. */
  readonly path?: string
  /** Told of every answer; for logs and counts. */
  readonly onAnswer?: (answered: AnsweredRequest) => void
  /** Told when `statusOf` failed: `ERR_RESPONDER_SOURCE`, with its cause. */
  readonly onError?: (error: StapleError) => void
}

export interface AnsweredRequest {
  readonly at: Date
  readonly responseStatus: ResponseStatus
  /** What was asked; empty when it could not be decoded. */
  readonly certIDs: readonly CertID[]
  readonly certStatuses: readonly CertStatus[]
  readonly bytes: number
}

export interface Responder {
  /** Answers one encoded request; every failure is an OCSP error status, so it never rejects. */
  answer(requestDer: Uint8Array): Promise<Uint8Array>
  /** For `http.createServer`: GET and POST, with the caching headers of RFC 9919 §7. */
  readonly listener: (request: IncomingMessage, response: ServerResponse) => void
}
