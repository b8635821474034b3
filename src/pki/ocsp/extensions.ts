/**
 * Extensions of requests, responses and single responses: which there are, and the nonce.
 */

import { readDer } from '../der/reader.ts'
import { formatOctets } from '../der/values.ts'
import { encodeExplicit, encodeOctetString, encodeOid, encodeSequence } from '../der/writer.ts'
import type { Extension } from '../x509/extension.ts'
import { malformed } from './malformed.ts'

/** @see RFC 9654 §2.1 */
const nonceOid = '1.3.6.1.5.5.7.48.1.2'

/** Extensions of a response that may be critical: understood, or with nothing in them to act on. */
export const knownResponseExtensions: ReadonlySet<string> = new Set([
  nonceOid,
  // Extended revoked definition, RFC 6960 §4.4.8: tells why an unissued serial number is called revoked.
  '1.3.6.1.5.5.7.48.1.9',
])

/** The same for a single response. @see RFC 6960 §4.4.2, §4.4.4, §4.4.5; RFC 6962 §3.3 */
export const knownSingleExtensions: ReadonlySet<string> = new Set([
  // CRL references and archive cutoff tell where the answer came from and how far it reaches back.
  '1.3.6.1.5.5.7.48.1.3',
  '1.3.6.1.5.5.7.48.1.6',
  // reasonCode and invalidityDate of a CRL entry; not certificateIssuer, which would change whom the entry is about.
  '2.5.29.21',
  '2.5.29.24',
  // Signed certificate timestamps.
  '1.3.6.1.4.1.11129.2.4.5',
])

/** The nonce among extensions. @see RFC 9654 §2.1 */
export function decodeNonce(extensions: readonly Extension[], field: string): Uint8Array | undefined {
  const extension = extensions.find(({ oid }) => oid === nonceOid)
  if (extension === undefined) return undefined
  const nonce = readDer(extension.value, field, nonceClause, (reader) => reader.octetString(''))
  if (nonce.length >= 1 && nonce.length <= maxNonceLength) return nonce
  throw malformed(field, `1 to ${maxNonceLength} octets`, formatOctets(nonce.length), nonceClause)
}

/** Extensions that hold a nonce and nothing else, under their `[number] EXPLICIT`. */
export function encodeNonceExtensions(number: number, nonce: Uint8Array): Uint8Array {
  if (nonce.length < 1 || nonce.length > maxNonceLength) {
    throw new TypeError(`nonce must have 1 to ${maxNonceLength} octets, not ${nonce.length}`)
  }
  const extension = encodeSequence(encodeOid(nonceOid), encodeOctetString(encodeOctetString(nonce)))
  return encodeExplicit(number, encodeSequence(extension))
}

const nonceClause = 'RFC 9654 §2.1'
const maxNonceLength = 128
