/**
 * OCSP requests decoded: any that a responder may be sent.
 */

import { viewBytes } from '../der/bytes.ts'
import { type DerReader, readDer } from '../der/reader.ts'
import { constructedTag } from '../der/tags.ts'
import { formatInteger } from '../der/values.ts'
import { type Extension, readExtensions } from '../x509/extension.ts'
import { type CertID, readCertID } from './cert-id.ts'
import { decodeNonce } from './extensions.ts'
import { defaultMaxBytes, maxSingleResponses } from './limits.ts'
import { malformed, tooLarge } from './malformed.ts'

/** @see RFC 6960 §4.1.1 */
export interface OcspRequest {
  readonly requestList: readonly SingleRequest[]
  readonly nonce?: Uint8Array
  /** The requestExtensions, the nonce included. */
  readonly extensions: readonly Extension[]
  /** A signature is there; it is not looked at. */
  readonly isSigned: boolean
}

export interface SingleRequest {
  readonly certID: CertID
  readonly extensions: readonly Extension[]
}

/**
 * Decodes a request as a responder receives it. A signature and the requestor's name are passed over.
 *
 * @see RFC 6960 §4.1.1
 * @throws {@link StapleError} `ERR_DER_…`, `ERR_OCSP_MALFORMED`, `ERR_OCSP_TOO_LARGE`
 */
export function decodeOcspRequest(der: Uint8Array): OcspRequest {
  const bytes = viewBytes(der, 'der')
  if (bytes.length > defaultMaxBytes) {
    throw tooLarge('ocspRequest', `at most ${defaultMaxBytes} bytes`, `${bytes.length} bytes`)
  }
  return readDer(bytes, 'ocspRequest', 'RFC 6960 §4.1.1', (reader) => reader.sequence('', readRequest))
}

const requestLimit = {
  most: maxSingleResponses,
  exceeded: (field: string) => tooLarge(field, `at most ${maxSingleResponses} requests`, 'more'),
}

function readRequest(reader: DerReader): OcspRequest {
  const tbsRequest = reader.sequence('tbsRequest', readTbsRequest)
  const isSigned = reader.optionalExplicit(0, 'optionalSignature', (inner) => inner.element('')) !== undefined
  return { ...tbsRequest, isSigned }
}

function readTbsRequest(reader: DerReader): Omit<OcspRequest, 'isSigned'> {
  const version = reader.optionalExplicit(0, 'version', (inner) => inner.integer('')) ?? 0n
  if (version !== 0n) throw malformed(reader.path('version'), '0 (v1)', formatInteger(version), 'RFC 6960 §4.1.1')
  if (reader.nextTag === constructedTag(1)) reader.element('requestorName')
  const requestList = reader.sequenceOf('requestList', readSingleRequest, requestLimit)
  if (requestList.length === 0) {
    throw malformed(reader.path('requestList'), 'at least one request', 'none', 'RFC 6960 §4.1.1')
  }
  const extensions = reader.optionalExplicit(2, 'requestExtensions', readExtensions) ?? []
  const nonce = decodeNonce(extensions, `${reader.path('requestExtensions')}.nonce`)
  return { requestList, extensions, ...(nonce === undefined ? {} : { nonce }) }
}

function readSingleRequest(reader: DerReader): SingleRequest {
  return reader.sequence('', (fields) => ({
    certID: readCertID(fields, 'reqCert'),
    extensions: fields.optionalExplicit(0, 'singleRequestExtensions', readExtensions) ?? [],
  }))
}
