/**
 * Issues the demo's certificates: P-256, RFC 5280 version 3, just the extensions that stapling needs.
 *
 * Not a CA: one key type, no policy, no record of what was issued. It stands here so that the demo needs neither
 * OpenSSL nor a certificate library; tests have their certificates from OpenSSL.
 */
import { createHash, type KeyObject, sign } from 'node:crypto'
import { primitiveTag, tags } from '../../pki/der/tags.ts'
import { formatGeneralizedTime } from '../../pki/der/time.ts'
import {
  encodeBitString,
  encodeBoolean,
  encodeExplicit,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeValue,
} from '../../pki/der/writer.ts'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'

/** What to issue. */
export interface CertificateOrder {
  readonly commonName: string
  readonly publicKey: KeyObject
  readonly serialNumber: bigint
  readonly notBefore: Date
  readonly notAfter: Date
  /** Absent: self-signed, by `issuerKey`. */
  readonly issuer?: Certificate
  readonly issuerKey: KeyObject
  readonly extensions: readonly Uint8Array[]
}

/** Issues one certificate. @see RFC 5280 §4.1 */
export function issueCertificate(order: CertificateOrder): Certificate {
  const subject = encodeName(order.commonName)
  const publicKeyInfo = exportPublicKey(order.publicKey)
  const tbsCertificate = encodeSequence(
    encodeExplicit(0, encodeInteger(2n)),
    encodeInteger(order.serialNumber),
    ecdsaWithSha256,
    order.issuer?.subject ?? subject,
    encodeSequence(encodeUtcTime(order.notBefore), encodeUtcTime(order.notAfter)),
    subject,
    publicKeyInfo,
    encodeExplicit(3, encodeSequence(...order.extensions, ...keyIdentifiers(publicKeyInfo, order.issuer))),
  )
  const signature = sign('sha256', tbsCertificate, order.issuerKey)
  return decodeCertificate(encodeSequence(tbsCertificate, ecdsaWithSha256, encodeBitString(signature)))
}

/** The extensions of a CA. @see RFC 5280 §4.2.1.9, §4.2.1.3 */
export function caExtensions(): Uint8Array[] {
  const certSignCrlSignDigitalSignature = Uint8Array.of(1, 0b1000_0110)
  return [
    encodeExtension('2.5.29.19', encodeSequence(encodeBoolean(true)), true),
    encodeExtension('2.5.29.15', encodeValue(tags.bitString, certSignCrlSignDigitalSignature), true),
  ]
}

/** The extensions of a Must-Staple server certificate for localhost. @see RFC 5280 §4.2, RFC 7633 §4 */
export function serverExtensions(responderURL: string): Uint8Array[] {
  const ascii = (text: string) => new TextEncoder().encode(text)
  const names = encodeSequence(
    encodeValue(primitiveTag(2), ascii('localhost')),
    encodeValue(primitiveTag(7), Uint8Array.of(127, 0, 0, 1)),
  )
  const accessDescription = encodeSequence(
    encodeOid('1.3.6.1.5.5.7.48.1'),
    encodeValue(primitiveTag(6), ascii(responderURL)),
  )
  return [
    encodeExtension('2.5.29.15', encodeValue(tags.bitString, Uint8Array.of(7, 0b1000_0000)), true),
    encodeExtension('2.5.29.37', encodeSequence(encodeOid('1.3.6.1.5.5.7.3.1'))),
    encodeExtension('2.5.29.17', names),
    encodeExtension('1.3.6.1.5.5.7.1.1', encodeSequence(accessDescription)),
    encodeExtension('1.3.6.1.5.5.7.1.24', encodeSequence(encodeInteger(5n))),
  ]
}

const ecdsaWithSha256 = encodeSequence(encodeOid('1.2.840.10045.4.3.2'))

function encodeExtension(oid: string, value: Uint8Array, isCritical = false): Uint8Array {
  return encodeSequence(encodeOid(oid), isCritical ? encodeBoolean(true) : undefined, encodeOctetString(value))
}

function encodeName(commonName: string): Uint8Array {
  const attribute = encodeSequence(
    encodeOid('2.5.4.3'),
    encodeValue(tags.utf8String, new TextEncoder().encode(commonName)),
  )
  return encodeSequence(encodeValue(tags.set, attribute))
}

/** RFC 5280 §4.1.2.5: dates before 2050 are UTCTime. */
function encodeUtcTime(moment: Date): Uint8Array {
  return encodeValue(tags.utcTime, new TextEncoder().encode(formatGeneralizedTime(moment).slice(2)))
}

function exportPublicKey(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }))
}

/** The subject's and, unless self-signed, the issuer's key identifier. @see RFC 5280 §4.2.1.1, §4.2.1.2 (method 1) */
function keyIdentifiers(publicKeyInfo: Uint8Array, issuer: Certificate | undefined): Uint8Array[] {
  // The key's bits are, for P-256, the last 65 octets of the SPKI.
  const own = createHash('sha1').update(publicKeyInfo.subarray(-65)).digest()
  const issuers = issuer?.extensions.subjectKeyIdentifier
  const extensions = [encodeExtension('2.5.29.14', encodeOctetString(own))]
  if (issuers) extensions.push(encodeExtension('2.5.29.35', encodeSequence(encodeValue(primitiveTag(0), issuers))))
  return extensions
}
