/**
 * OCSP requests of ours: about one certificate, unsigned.
 */

import { viewBytes } from '../der/bytes.ts'
import { encodeSequence } from '../der/writer.ts'
import type { HashAlgorithm } from '../x509/algorithm.ts'
import type { Certificate } from '../x509/certificate.ts'
import { encodeCertID } from './cert-id.ts'
import { createCertID } from './cert-id-match.ts'
import { encodeNonceExtensions } from './extensions.ts'

export interface EncodeOcspRequestOptions {
  readonly certificate: Certificate | Uint8Array
  /** Its proven issuer. */
  readonly issuer: Certificate | Uint8Array
  /** Of the certID. SHA-1 is what every responder and every stapling client understands. */
  readonly hashAlgorithm: HashAlgorithm
  /** Random octets, 32 advised; default none, so that the answer may come from a cache. */
  readonly nonce?: Uint8Array
}

/**
 * Encodes a request about one certificate, unsigned.
 *
 * @see RFC 6960 §4.1.1, RFC 9919 §3.1
 */
export function encodeOcspRequest(options: EncodeOcspRequestOptions): Uint8Array {
  const { certificate, issuer, hashAlgorithm, nonce } = options
  const request = encodeSequence(encodeCertID(createCertID(certificate, issuer, hashAlgorithm)))
  const extensions = nonce === undefined ? undefined : encodeNonceExtensions(2, viewBytes(nonce, 'nonce'))
  return encodeSequence(encodeSequence(encodeSequence(request), extensions))
}
