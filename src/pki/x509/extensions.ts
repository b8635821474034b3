/**
 * The certificate extensions that OCSP and stapling turn on, decoded; others are only looked at for being critical.
 */

import { StapleError } from '../../errors.ts'
import { type DerReader, readDer } from '../der/reader.ts'
import { constructedTag, primitiveTag } from '../der/tags.ts'
import { type Extension, readExtensions } from './extension.ts'
import { formatIpAddress } from './ip-address.ts'

/** What the extensions of a certificate say. Absent ones are absent, or empty lists. */
export interface CertificateExtensions {
  readonly basicConstraints?: BasicConstraints
  readonly keyUsage?: ReadonlySet<KeyUsage>
  /** Dotted OIDs, in order. */
  readonly extendedKeyUsage?: readonly string[]
  readonly subjectKeyIdentifier?: Uint8Array
  readonly authorityKeyIdentifier?: Uint8Array
  /** From authorityInfoAccess, id-ad-ocsp. @see RFC 5280 §4.2.2.1 */
  readonly responderURLs: readonly string[]
  /** From authorityInfoAccess, id-ad-caIssuers. */
  readonly caIssuersURLs: readonly string[]
  /** 5 is status_request: the certificate must be stapled. @see RFC 7633 */
  readonly tlsFeatures: readonly number[]
  /** The holder's own status need not be asked. @see RFC 6960 §4.2.2.2.1 */
  readonly ocspNoCheck: boolean
  /** There is no revocation information. @see RFC 9608 */
  readonly noRevAvail: boolean
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  /** OIDs of critical extensions that nothing here understands. */
  readonly unsupportedCritical: readonly string[]
}

/** @see RFC 5280 §4.2.1.9 */
export interface BasicConstraints {
  readonly ca: boolean
  readonly pathLength?: number
}

/** The bits of keyUsage, in their order. @see RFC 5280 §4.2.1.3 */
export const keyUsages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const

export type KeyUsage = (typeof keyUsages)[number]

/** id-kp-OCSPSigning. @see RFC 6960 §4.2.2.2 */
export const ocspSigningOid = '1.3.6.1.5.5.7.3.9'

/** Decodes the content of `tbsCertificate.extensions`; the reader stands inside its `[3]`. */
export function decodeExtensions(reader: DerReader): CertificateExtensions {
  const decoded: Draft = {
    responderURLs: [],
    caIssuersURLs: [],
    tlsFeatures: [],
    ocspNoCheck: false,
    noRevAvail: false,
    dnsNames: [],
    ipAddresses: [],
    unsupportedCritical: [],
  }
  const field = reader.path('')
  const extensions = readExtensions(reader, 'ERR_X509_MALFORMED')
  for (const extension of extensions) decodeExtension(extension, decoded, field)
  return decoded
}

/** What a certificate without extensions says. */
export const noExtensions: CertificateExtensions = {
  responderURLs: [],
  caIssuersURLs: [],
  tlsFeatures: [],
  ocspNoCheck: false,
  noRevAvail: false,
  dnsNames: [],
  ipAddresses: [],
  unsupportedCritical: [],
}

type Draft = { -readonly [Key in keyof CertificateExtensions]: CertificateExtensions[Key] } & {
  responderURLs: string[]
  caIssuersURLs: string[]
  dnsNames: string[]
  ipAddresses: string[]
  unsupportedCritical: string[]
}

function decodeExtension(extension: Extension, decoded: Draft, field: string): void {
  const { oid, value } = extension
  switch (oid) {
    case '2.5.29.14':
      decoded.subjectKeyIdentifier = readDer(value, `${field}.subjectKeyIdentifier`, 'RFC 5280 §4.2.1.2', readOctets)
      return
    case '2.5.29.15':
      decoded.keyUsage = readDer(value, `${field}.keyUsage`, 'RFC 5280 §4.2.1.3', readKeyUsage)
      return
    case '2.5.29.17':
      readDer(value, `${field}.subjectAltName`, 'RFC 5280 §4.2.1.6', (reader) =>
        reader.sequenceOf('', (name) => readAlternativeName(name, decoded)),
      )
      return
    case '2.5.29.19':
      decoded.basicConstraints = readDer(value, `${field}.basicConstraints`, 'RFC 5280 §4.2.1.9', readBasicConstraints)
      return
    case '2.5.29.35':
      readDer(value, `${field}.authorityKeyIdentifier`, 'RFC 5280 §4.2.1.1', (reader) =>
        readAuthorityKey(reader, decoded),
      )
      return
    case '2.5.29.37':
      decoded.extendedKeyUsage = readDer(value, `${field}.extKeyUsage`, 'RFC 5280 §4.2.1.12', readOids)
      return
    case '1.3.6.1.5.5.7.1.1':
      readDer(value, `${field}.authorityInfoAccess`, 'RFC 5280 §4.2.2.1', (reader) =>
        reader.sequenceOf('', (access) => readAccess(access, decoded)),
      )
      return
    case '1.3.6.1.5.5.7.1.24':
      decoded.tlsFeatures = readDer(value, `${field}.tlsFeature`, 'RFC 7633 §4.1', readTlsFeatures)
      return
    case '1.3.6.1.5.5.7.48.1.5':
      readDer(value, `${field}.ocspNoCheck`, 'RFC 6960 §4.2.2.2.1', (reader) => reader.null(''))
      decoded.ocspNoCheck = true
      return
    case '2.5.29.56':
      readDer(value, `${field}.noRevAvail`, 'RFC 9608 §2', (reader) => reader.null(''))
      decoded.noRevAvail = true
      return
    default:
      if (extension.isCritical && !pathOids.has(oid)) decoded.unsupportedCritical.push(oid)
  }
}

/** Critical extensions that only concern the building of paths, which is not done here. @see RFC 5280 §4.2.1 */
const pathOids: ReadonlySet<string> = new Set([
  '2.5.29.9',
  '2.5.29.18',
  '2.5.29.30',
  '2.5.29.31',
  '2.5.29.32',
  '2.5.29.33',
  '2.5.29.36',
  '2.5.29.46',
  '2.5.29.54',
])

function readOctets(reader: DerReader): Uint8Array {
  return reader.octetString('')
}

function readOids(reader: DerReader): string[] {
  return reader.sequenceOf('', (element) => element.oid(''))
}

function readKeyUsage(reader: DerReader): ReadonlySet<KeyUsage> {
  const { octets } = reader.bitString('')
  const usages = new Set<KeyUsage>()
  for (const [bit, usage] of keyUsages.entries()) {
    if ((((octets[bit >> 3] ?? 0) << (bit & 7)) & 0x80) !== 0) usages.add(usage)
  }
  return usages
}

function readBasicConstraints(reader: DerReader): BasicConstraints {
  return reader.sequence('', (fields) => {
    const ca = fields.booleanOrFalse('cA')
    if (fields.isAtEnd) return { ca }
    const pathLength = fields.integer('pathLenConstraint')
    if (pathLength < 0n) fields.fail('ERR_DER_VALUE', 'pathLenConstraint', 'at least 0', 'a negative number')
    // A path is never as long as this; the exact number would mean nothing.
    return { ca, pathLength: pathLength > 0xffffn ? 0xffff : Number(pathLength) }
  })
}

function readAuthorityKey(reader: DerReader, decoded: Draft): void {
  reader.sequence('', (fields) => {
    if (fields.nextTag === primitiveTag(0))
      decoded.authorityKeyIdentifier = fields.primitive(primitiveTag(0), 'keyIdentifier')
    if (fields.nextTag === constructedTag(1)) fields.element('authorityCertIssuer')
    if (fields.nextTag === primitiveTag(2)) fields.primitive(primitiveTag(2), 'authorityCertSerialNumber')
  })
}

function readAccess(reader: DerReader, decoded: Draft): void {
  reader.sequence('', (fields) => {
    const method = fields.oid('accessMethod')
    if (fields.nextTag !== primitiveTag(6)) {
      fields.element('accessLocation')
      return
    }
    const url = fields.ascii(primitiveTag(6), 'accessLocation')
    if (method === '1.3.6.1.5.5.7.48.1') decoded.responderURLs.push(url)
    if (method === '1.3.6.1.5.5.7.48.2') decoded.caIssuersURLs.push(url)
  })
}

function readAlternativeName(reader: DerReader, decoded: Draft): void {
  const tag = reader.nextTag
  if (tag === primitiveTag(2)) decoded.dnsNames.push(reader.ascii(tag, 'dNSName'))
  else if (tag === primitiveTag(7)) decoded.ipAddresses.push(readIpAddress(reader))
  else reader.element('')
}

function readIpAddress(reader: DerReader): string {
  const octets = reader.primitive(primitiveTag(7), 'iPAddress')
  if (octets.length === 4 || octets.length === 16) return formatIpAddress(octets)
  return reader.fail('ERR_DER_VALUE', 'iPAddress', '4 or 16 octets', `${octets.length} octets`)
}

function readTlsFeatures(reader: DerReader): number[] {
  const field = reader.path('')
  return reader.sequenceOf('', (element) => {
    const feature = element.integer('')
    if (feature >= 0n && feature <= 0xffffn) return Number(feature)
    const detail = { field, expected: 'TLS extension numbers, 0 to 65535', found: 'another', clause: 'RFC 7633 §4.1' }
    throw new StapleError('ERR_X509_MALFORMED', `${field} lists what is no TLS extension`, detail)
  })
}
