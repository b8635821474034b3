/**
 * Certificates as RFC 5280 has them, as far as OCSP and stapling need: decoded strictly, nothing verified.
 *
 * issuer.ts proves who issued one; crypto.ts does the arithmetic.
 */

import { StapleError } from '../../errors.ts'
import { formatHexBriefly, isSameBytes, viewBytes } from '../der/bytes.ts'
import { type DerReader, readDer } from '../der/reader.ts'
import { primitiveTag } from '../der/tags.ts'
import { formatInteger } from '../der/values.ts'
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from './algorithm.ts'
import { type CertificateExtensions, decodeExtensions, noExtensions } from './extensions.ts'
import { readName } from './name.ts'

/** A decoded certificate. Every `Uint8Array` is a slice of `der`. */
export interface Certificate {
  readonly der: Uint8Array
  /** The bytes that are signed. */
  readonly tbsCertificate: Uint8Array
  readonly serialNumber: bigint
  /** A Name, as DER. */
  readonly issuer: Uint8Array
  /** A Name, as DER. */
  readonly subject: Uint8Array
  readonly notBefore: Date
  readonly notAfter: Date
  readonly subjectPublicKeyInfo: Uint8Array
  readonly publicKeyAlgorithm: AlgorithmIdentifier
  /** The octets of the BIT STRING: what issuerKeyHash and a responderID byKey hash. */
  readonly subjectPublicKey: Uint8Array
  readonly signatureAlgorithm: AlgorithmIdentifier
  readonly signature: Uint8Array
  readonly extensions: CertificateExtensions
}

/**
 * Decodes one certificate from its DER.
 *
 * Proves nothing about it: neither its signature nor its dates are looked at.
 *
 * @see RFC 5280 §4.1
 * @throws {@link StapleError} `ERR_DER_…` for what is not DER, `ERR_X509_MALFORMED` for what RFC 5280 does not allow
 */
export function decodeCertificate(der: Uint8Array): Certificate {
  return decodeCertificateAs(viewBytes(der, 'der'), 'certificate')
}

/** Decodes a certificate that is part of something; `field` says where it stands. */
export function decodeCertificateAs(der: Uint8Array, field: string): Certificate {
  return readDer(der, field, clause, readCertificate)
}

/** Reads a certificate that is part of something. */
export function readCertificate(reader: DerReader): Certificate {
  const start = reader.position
  const fields = reader.sequence('', readFields, clause)
  const { tbs } = fields
  return {
    der: reader.since(start),
    tbsCertificate: fields.tbsCertificate,
    serialNumber: tbs.serialNumber,
    issuer: tbs.issuer,
    subject: tbs.subject,
    notBefore: tbs.notBefore,
    notAfter: tbs.notAfter,
    subjectPublicKeyInfo: tbs.subjectPublicKeyInfo,
    publicKeyAlgorithm: tbs.publicKeyAlgorithm,
    subjectPublicKey: tbs.subjectPublicKey,
    signatureAlgorithm: fields.signatureAlgorithm,
    signature: fields.signature,
    extensions: tbs.extensions,
  }
}

/** The certificate itself, decoded where it came as DER. */
export function asCertificate(certificate: Certificate | Uint8Array, option: string): Certificate {
  if (ArrayBuffer.isView(certificate)) return decodeCertificateAs(viewBytes(certificate, option), option)
  if (typeof certificate === 'object' && certificate !== null && ArrayBuffer.isView(certificate.tbsCertificate)) {
    return certificate
  }
  throw new TypeError(`${option} must be a certificate, decoded or as the bytes of its DER`)
}

/**
 * The numbers of the TLS feature extension; 5 is status_request.
 *
 * @see RFC 7633 §4.1
 */
export function tlsFeatures(certificate: Certificate | Uint8Array): readonly number[] {
  return asCertificate(certificate, 'certificate').extensions.tlsFeatures
}

/** Tells whether the certificate must be stapled: its TLS features list status_request. @see RFC 7633 §4.2.3 */
export function isMustStaple(certificate: Certificate | Uint8Array): boolean {
  return tlsFeatures(certificate).includes(statusRequest)
}

const clause = 'RFC 5280 §4.1'
const statusRequest = 5

function readFields(reader: DerReader) {
  const start = reader.position
  const tbs = reader.sequence('tbsCertificate', readTbsCertificate)
  const tbsCertificate = reader.since(start)
  const afterTbs = reader.position
  const signatureAlgorithm = readAlgorithmIdentifier(reader, 'signatureAlgorithm')
  const outer = reader.since(afterTbs)
  if (!isSameBytes(tbs.signatureField, outer)) {
    const found = `${formatHexBriefly(outer)} beside ${formatHexBriefly(tbs.signatureField)}`
    throw malformed(reader.path('signatureAlgorithm'), 'as in tbsCertificate.signature', found, 'RFC 5280 §4.1.1.2')
  }
  return { tbs, tbsCertificate, signatureAlgorithm, signature: reader.bitStringOctets('signatureValue') }
}

function readTbsCertificate(reader: DerReader) {
  const version = reader.optionalExplicit(0, 'version', (inner) => inner.integer('')) ?? 0n
  if (version !== 0n && version !== 1n && version !== 2n) {
    throw malformed(reader.path('version'), '0, 1 or 2', formatInteger(version), 'RFC 5280 §4.1.2.1')
  }
  const serialNumber = reader.integer('serialNumber')
  const signatureStart = reader.position
  readAlgorithmIdentifier(reader, 'signature')
  const signatureField = reader.since(signatureStart)
  const issuer = readName(reader, 'issuer')
  const [notBefore, notAfter] = reader.sequence('validity', readValidity)
  const subject = readName(reader, 'subject')
  const keyStart = reader.position
  const key = reader.sequence('subjectPublicKeyInfo', readPublicKey)
  const subjectPublicKeyInfo = reader.since(keyStart)
  // Unique identifiers: never in use, RFC 5280 §4.1.2.8 has them parsed.
  if (reader.nextTag === primitiveTag(1)) reader.primitive(primitiveTag(1), 'issuerUniqueID')
  if (reader.nextTag === primitiveTag(2)) reader.primitive(primitiveTag(2), 'subjectUniqueID')
  const extensions = reader.optionalExplicit(3, 'extensions', decodeExtensions)
  if (extensions !== undefined && version !== 2n) {
    throw malformed(reader.path('version'), 'v3, for there are extensions', `v${version + 1n}`, 'RFC 5280 §4.1.2.9')
  }
  return {
    serialNumber,
    signatureField,
    issuer,
    subject,
    notBefore,
    notAfter,
    subjectPublicKeyInfo,
    publicKeyAlgorithm: key.algorithm,
    subjectPublicKey: key.octets,
    extensions: extensions ?? noExtensions,
  }
}

function readValidity(reader: DerReader): readonly [Date, Date] {
  return [reader.time('notBefore'), reader.time('notAfter')]
}

function readPublicKey(reader: DerReader) {
  return { algorithm: readAlgorithmIdentifier(reader, 'algorithm'), octets: reader.bitStringOctets('subjectPublicKey') }
}

function malformed(field: string, expected: string, found: string, where: string): StapleError {
  const detail = { field, expected, found, clause: where }
  return new StapleError('ERR_X509_MALFORMED', `${field}: expected ${expected}, found ${found}`, detail)
}
