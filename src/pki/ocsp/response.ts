/**
 * OCSP responses decoded, strictly and completely; nothing is proven here. verify.ts does that.
 */

import { formatHexBriefly, isSameBytes, viewBytes } from '../der/bytes.ts'
import { type DerReader, readDer } from '../der/reader.ts'
import { constructedTag, formatTag } from '../der/tags.ts'
import { formatInteger } from '../der/values.ts'
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from '../x509/algorithm.ts'
import { type Certificate, readCertificate } from '../x509/certificate.ts'
import { type Extension, readExtensions } from '../x509/extension.ts'
import { readName } from '../x509/name.ts'
import { decodeNonce } from './extensions.ts'
import { defaultMaxBytes, maxCertificates, maxSingleResponses } from './limits.ts'
import { malformed, tooLarge } from './malformed.ts'
import { readSingleResponse, type SingleResponse } from './single-response.ts'

/** The outer envelope. @see RFC 6960 §4.2.1 */
export interface OcspResponse {
  readonly der: Uint8Array
  readonly responseStatus: ResponseStatus
  /** The OID of what the responseBytes hold; absent with an error status. */
  readonly responseType?: string
  /** Present where the responseType is id-pkix-ocsp-basic. */
  readonly basicResponse?: BasicResponse
}

export type ResponseStatus =
  | 'successful'
  | 'malformedRequest'
  | 'internalError'
  | 'tryLater'
  | 'sigRequired'
  | 'unauthorized'

/** What is signed, and the signature. @see RFC 6960 §4.2.1 */
export interface BasicResponse {
  /** The bytes that are signed, as received. */
  readonly tbsResponseData: Uint8Array
  /** The version is written out though it is the default: not DER, but read, for deployed responders send it. */
  readonly isVersionExplicit: boolean
  readonly responderID: ResponderID
  readonly producedAt: Date
  readonly responses: readonly SingleResponse[]
  readonly nonce?: Uint8Array
  /** The responseExtensions, the nonce included. */
  readonly extensions: readonly Extension[]
  readonly signatureAlgorithm: AlgorithmIdentifier
  readonly signature: Uint8Array
  readonly certificates: readonly Certificate[]
}

/** Who claims to have signed: a Name as DER, or the SHA-1 of a public key. */
export type ResponderID =
  | { readonly byName: Uint8Array; readonly byKey?: undefined }
  | { readonly byKey: Uint8Array; readonly byName?: undefined }

/** id-pkix-ocsp-basic. @see RFC 6960 §4.2.1 */
export const basicResponseOid = '1.3.6.1.5.5.7.48.1.1'

/**
 * Decodes a response. What it says is not proven: for that, {@link verifyOcspResponse}.
 *
 * @see RFC 6960 §4.2.1
 * @throws {@link StapleError} `ERR_DER_…`, `ERR_OCSP_MALFORMED`, `ERR_OCSP_TOO_LARGE`; `ERR_X509_MALFORMED` for a
 * certificate that it carries
 */
export function decodeOcspResponse(der: Uint8Array): OcspResponse {
  const bytes = viewBytes(der, 'der')
  if (bytes.length > defaultMaxBytes) {
    throw tooLarge('ocspResponse', `at most ${defaultMaxBytes} bytes`, `${bytes.length} bytes`)
  }
  return decodeOcspResponseOfAnySize(bytes)
}

/**
 * The same without the limit on the whole, for callers with their own.
 *
 * @param known - a certificate that the response may carry: it is then not decoded again
 */
export function decodeOcspResponseOfAnySize(der: Uint8Array, known?: Certificate): OcspResponse {
  return readDer(der, 'ocspResponse', clause, (reader) => reader.sequence('', (fields) => readResponse(fields, known)))
}

/** The names of responseStatus by number; 4 is unused. */
export const responseStatuses: readonly (ResponseStatus | undefined)[] = [
  'successful',
  'malformedRequest',
  'internalError',
  'tryLater',
  undefined,
  'sigRequired',
  'unauthorized',
]

const clause = 'RFC 6960 §4.2.1'

const responseLimit = {
  most: maxSingleResponses,
  exceeded: (field: string) => tooLarge(field, `at most ${maxSingleResponses} single responses`, 'more'),
}

const certificateLimit = {
  most: maxCertificates,
  exceeded: (field: string) => tooLarge(field, `at most ${maxCertificates} certificates`, 'more'),
}

function readResponse(reader: DerReader, known: Certificate | undefined): OcspResponse {
  const der = reader.bytes
  const number = reader.enumerated('responseStatus')
  // Compared as a whole number: 2^32 is not 0.
  const responseStatus = number >= 0n && number <= 6n ? responseStatuses[Number(number)] : undefined
  if (responseStatus === undefined) {
    throw malformed(reader.path('responseStatus'), '0 to 3, 5 or 6', formatInteger(number), clause)
  }
  if (responseStatus !== 'successful') {
    if (reader.isAtEnd) return { der, responseStatus }
    throw malformed(reader.path('responseBytes'), `absent with ${responseStatus}`, 'present', clause)
  }
  if (reader.isAtEnd) throw malformed(reader.path('responseBytes'), 'present with successful', 'absent', clause)
  const { responseType, response } = reader.explicit(0, 'responseBytes', (inner) =>
    inner.sequence('', readResponseBytes),
  )
  if (responseType !== basicResponseOid) return { der, responseStatus, responseType }
  const basicResponse = readDer(response, 'basicResponse', clause, (inner) =>
    inner.sequence('', (fields) => readBasicResponse(fields, known)),
  )
  return { der, responseStatus, responseType, basicResponse }
}

function readResponseBytes(reader: DerReader) {
  return { responseType: reader.oid('responseType'), response: reader.octetString('response') }
}

function readBasicResponse(reader: DerReader, known: Certificate | undefined): BasicResponse {
  const start = reader.position
  const fields = reader.sequence('tbsResponseData', readResponseData)
  const tbsResponseData = reader.since(start)
  return {
    tbsResponseData,
    isVersionExplicit: fields.isVersionExplicit,
    responderID: fields.responderID,
    producedAt: fields.producedAt,
    responses: fields.responses,
    ...(fields.nonce === undefined ? undefined : { nonce: fields.nonce }),
    extensions: fields.extensions,
    signatureAlgorithm: readAlgorithmIdentifier(reader, 'signatureAlgorithm'),
    signature: reader.bitStringOctets('signature'),
    certificates: reader.optionalExplicit(0, 'certs', (inner) => readCertificates(inner, known)) ?? [],
  }
}

function readResponseData(reader: DerReader) {
  const version = reader.optionalExplicit(0, 'version', (inner) => inner.integer(''))
  if (version !== undefined && version !== 0n) {
    throw malformed(reader.path('version'), '0 (v1)', formatInteger(version), clause)
  }
  const responderID = readResponderID(reader)
  const producedAt = reader.generalizedTime('producedAt')
  const responses = reader.sequenceOf('responses', readSingleResponse, responseLimit)
  const extensions = reader.optionalExplicit(1, 'responseExtensions', readExtensions) ?? []
  const nonce = decodeNonce(extensions, `${reader.path('responseExtensions')}.nonce`)
  return { isVersionExplicit: version !== undefined, responderID, producedAt, responses, extensions, nonce }
}

function readResponderID(reader: DerReader): ResponderID {
  switch (reader.nextTag) {
    case constructedTag(1):
      return { byName: reader.explicit(1, 'responderID', readByName) }
    case constructedTag(2):
      return { byKey: reader.explicit(2, 'responderID', readKeyHash) }
    default: {
      const found = reader.nextTag < 0 ? 'the end' : formatTag(reader.nextTag)
      return reader.fail('ERR_DER_UNEXPECTED_TAG', 'responderID', 'byName [1] or byKey [2]', found)
    }
  }
}

function readByName(reader: DerReader): Uint8Array {
  return readName(reader, 'byName')
}

function readKeyHash(reader: DerReader): Uint8Array {
  const keyHash = reader.octetString('byKey')
  if (keyHash.length === 20) return keyHash
  throw malformed(reader.path('byKey'), 'a SHA-1, 20 octets', formatHexBriefly(keyHash), 'RFC 6960 §4.2.1')
}

function readCertificates(reader: DerReader, known: Certificate | undefined): Certificate[] {
  return reader.sequenceOf('', (element) => readKnownCertificate(element, known), certificateLimit)
}

function readKnownCertificate(reader: DerReader, known: Certificate | undefined): Certificate {
  if (known === undefined || !isSameBytes(reader.peek(''), known.der)) return readCertificate(reader)
  reader.position += known.der.length
  return known
}
