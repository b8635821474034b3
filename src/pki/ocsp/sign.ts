/**
 * OCSP responses made: signed ones, and the unsigned error statuses.
 *
 * Whether the signer is authorised is for those who verify; what is said here is the caller's word.
 */

import { viewBytes } from '../der/bytes.ts'
import { constructedTag, primitiveTag } from '../der/tags.ts'
import {
  encodeBitString,
  encodeEnumerated,
  encodeExplicit,
  encodeGeneralizedTime,
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeValue,
} from '../der/writer.ts'
import {
  formatKeyAlgorithm,
  type HashAlgorithm,
  hashOids,
  mgf1Oid,
  type Oid,
  pssOid,
  type SignatureScheme,
} from '../x509/algorithm.ts'
import type { Certificate } from '../x509/certificate.ts'
import { keyType, type SigningKey, sign } from '../x509/crypto.ts'
import { ocspSigningOid } from '../x509/extensions.ts'
import { revocationReasons } from '../x509/revocation-reason.ts'
import { type CertID, encodeCertID } from './cert-id.ts'
import { hashOfKey } from './cert-id-match.ts'
import { encodeNonceExtensions } from './extensions.ts'
import { basicResponseOid, type ResponseStatus, responseStatuses } from './response.ts'
import type { CertStatus } from './single-response.ts'

/** What is to be said about one certificate. @see RFC 6960 §4.2.1 */
export interface SingleStatus {
  readonly certID: CertID
  readonly certStatus: CertStatus
  /** Needed with `revoked`. */
  readonly revocationTime?: Date
  /** A name of RFC 5280 §5.3.1. */
  readonly revocationReason?: string
  readonly thisUpdate: Date
  readonly nextUpdate?: Date
}

/** The issuer itself, or a delegated responder, with its key. */
export interface OcspSigner {
  readonly certificate: Certificate
  /** A private `KeyObject`, which saves reading it each time, or PEM. */
  readonly privateKey: SigningKey
}

export interface SignOcspResponseOptions {
  readonly signer: OcspSigner
  readonly responses: readonly SingleStatus[]
  readonly producedAt: Date
  /** Default `byKey`, as RFC 9919 has it. */
  readonly responderID?: 'byKey' | 'byName'
  /** The request's, to be echoed. */
  readonly nonce?: Uint8Array
  /** DER of certificates to carry. Default: the signer's where it has id-kp-OCSPSigning, else none. */
  readonly certificates?: readonly Uint8Array[]
  /** Of the signature. Default: SHA-256, or what fits a larger curve. Ed25519 and Ed448 have their own. */
  readonly hash?: Exclude<HashAlgorithm, 'sha1'>
}

/**
 * Signs a successful response.
 *
 * Times are cut to whole seconds, which is all that a response can say.
 *
 * @see RFC 6960 §4.2.1
 */
export function signOcspResponse(options: SignOcspResponseOptions): Uint8Array {
  const { signer, responses, producedAt, responderID = 'byKey', nonce } = options
  const { certificate, privateKey } = signer
  const scheme = chooseScheme(certificate, options.hash)
  const tbsResponseData = encodeSequence(
    responderID === 'byName'
      ? encodeExplicit(1, certificate.subject)
      : encodeExplicit(2, encodeOctetString(hashOfKey(certificate, 'sha1'))),
    encodeGeneralizedTime(producedAt),
    encodeSequence(...responses.map(encodeSingleResponse)),
    nonce === undefined ? undefined : encodeNonceExtensions(1, viewBytes(nonce, 'nonce')),
  )
  const isDelegated = certificate.extensions.extendedKeyUsage?.includes(ocspSigningOid) === true
  const certificates = options.certificates ?? (isDelegated ? [certificate.der] : [])
  return encodeSuccessful(
    encodeSequence(
      tbsResponseData,
      encodeScheme(scheme),
      encodeBitString(sign(privateKey, scheme, tbsResponseData)),
      certificates.length === 0 ? undefined : encodeExplicit(0, encodeSequence(...certificates)),
    ),
  )
}

/** The unsigned statuses a responder can answer with; they prove nothing. */
export type OcspErrorStatus = Exclude<ResponseStatus, 'successful'>

/** Encodes an error status. @see RFC 6960 §4.2.1 */
export function encodeOcspError(responseStatus: OcspErrorStatus): Uint8Array {
  const number = responseStatuses.indexOf(responseStatus)
  if (number < 1) throw new TypeError(`responseStatus is none of the error statuses: ${responseStatus}`)
  return encodeSequence(encodeEnumerated(number))
}

function encodeSuccessful(basicResponse: Uint8Array): Uint8Array {
  const responseBytes = encodeSequence(encodeOid(basicResponseOid), encodeOctetString(basicResponse))
  return encodeSequence(encodeEnumerated(0), encodeExplicit(0, responseBytes))
}

function encodeSingleResponse(status: SingleStatus): Uint8Array {
  const { certID, thisUpdate, nextUpdate } = status
  return encodeSequence(
    encodeCertID(certID),
    encodeCertStatus(status),
    encodeGeneralizedTime(thisUpdate),
    nextUpdate === undefined ? undefined : encodeExplicit(0, encodeGeneralizedTime(nextUpdate)),
  )
}

function encodeCertStatus({ certStatus, revocationTime, revocationReason }: SingleStatus): Uint8Array {
  if (certStatus === 'good') return encodeValue(primitiveTag(0), new Uint8Array())
  if (certStatus === 'unknown') return encodeValue(primitiveTag(2), new Uint8Array())
  if (revocationTime === undefined) throw new TypeError('revocationTime is needed with certStatus revoked')
  const time = encodeGeneralizedTime(revocationTime)
  if (revocationReason === undefined) return encodeValue(constructedTag(1), time)
  const number = revocationReasons.indexOf(revocationReason)
  if (number < 0) throw new TypeError(`revocationReason is no name of RFC 5280 §5.3.1: ${revocationReason}`)
  const reason = encodeExplicit(0, encodeEnumerated(number))
  const content = new Uint8Array(time.length + reason.length)
  content.set(time)
  content.set(reason, time.length)
  return encodeValue(constructedTag(1), content)
}

const digestNames = { sha256: 'SHA256', sha384: 'SHA384', sha512: 'SHA512' } as const
const saltLengths = { sha256: 32, sha384: 48, sha512: 64 } as const
const rsaOids = {
  sha256: '1.2.840.113549.1.1.11',
  sha384: '1.2.840.113549.1.1.12',
  sha512: '1.2.840.113549.1.1.13',
} as const
const ecdsaOids = {
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
} as const

type Digest = keyof typeof digestNames

function chooseScheme(certificate: Certificate, wanted: Digest | undefined): SignatureScheme {
  const type = keyType(certificate)
  const curve = type === 'ec' ? formatKeyAlgorithm(certificate.publicKeyAlgorithm) : undefined
  const hashAlgorithm = wanted ?? (curve === 'P-384' ? 'sha384' : curve === 'P-521' ? 'sha512' : 'sha256')
  if (!Object.hasOwn(digestNames, hashAlgorithm)) throw new TypeError(`hash cannot be ${hashAlgorithm}`)
  switch (type) {
    case 'rsa':
      return { name: `${hashAlgorithm}WithRSAEncryption`, family: 'rsa-pkcs1', hashAlgorithm }
    case 'rsa-pss':
      return { name: 'RSASSA-PSS', family: 'rsa-pss', hashAlgorithm, saltLength: saltLengths[hashAlgorithm] }
    case 'ec':
      return { name: `ecdsa-with-${digestNames[hashAlgorithm]}`, family: 'ecdsa', hashAlgorithm }
    case 'ed25519':
      return { name: 'Ed25519', family: 'ed25519' }
    case 'ed448':
      return { name: 'Ed448', family: 'ed448' }
  }
}

function encodeScheme({ family, hashAlgorithm, saltLength = 0 }: SignatureScheme): Uint8Array {
  const digest = hashAlgorithm as Digest
  switch (family) {
    case 'rsa-pkcs1':
      return encodeAlgorithm(rsaOids[digest], encodeNull())
    case 'ecdsa':
      return encodeAlgorithm(ecdsaOids[digest])
    case 'ed25519':
      return encodeAlgorithm('1.3.101.112')
    case 'ed448':
      return encodeAlgorithm('1.3.101.113')
    case 'rsa-pss': {
      const hashIdentifier = encodeAlgorithm(hashOids[digest], encodeNull())
      return encodeAlgorithm(
        pssOid,
        encodeSequence(
          encodeExplicit(0, hashIdentifier),
          encodeExplicit(1, encodeAlgorithm(mgf1Oid, hashIdentifier)),
          encodeExplicit(2, encodeInteger(BigInt(saltLength))),
        ),
      )
    }
  }
}

function encodeAlgorithm(oid: Oid, parameters?: Uint8Array): Uint8Array {
  return encodeSequence(encodeOid(oid), parameters)
}
