/**
 * The certificate extensions that OCSP and stapling turn on, decoded; others are only looked at for being critical.
 */

import { StapleError } from '../../errors.ts'
import type { DerReader } from '../der/reader.ts'
import { constructedTag, primitiveTag, tags } from '../der/tags.ts'
import { formatInteger, formatOctets } from '../der/values.ts'
import { type DistributionPoint, readDistributionPoints } from './distribution-point.ts'
import { walkExtensions } from './extension.ts'
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
  /** Where the issuer's CRLs are; empty where it does not say. @see RFC 5280 §4.2.1.13 */
  readonly crlDistributionPoints: readonly DistributionPoint[]
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
    crlDistributionPoints: [],
    tlsFeatures: [],
    ocspNoCheck: false,
    noRevAvail: false,
    dnsNames: [],
    ipAddresses: [],
    unsupportedCritical: [],
  }
  walkExtensions(reader, 'certificate', (fields, oid, isCritical) => {
    const decode = decoders[oid]
    if (decode !== undefined) {
      fields.octetStringHolding(decode.field, decode.clause, (value) => decode.read(value, decoded))
      return
    }
    fields.octetString('extnValue')
    if (isCritical && !pathOids.has(oid)) decoded.unsupportedCritical.push(oid)
  })
  return decoded
}

/** What a certificate without extensions says. */
export const noExtensions: CertificateExtensions = {
  responderURLs: [],
  caIssuersURLs: [],
  crlDistributionPoints: [],
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

/** How one extension is decoded. */
interface Decoder {
  readonly field: string
  readonly clause: string
  /** Reads the value into the draft. */
  readonly read: (reader: DerReader, decoded: Draft) => void
}

const decoders: Readonly<Record<string, Decoder>> = {
  '2.5.29.14': {
    field: 'subjectKeyIdentifier',
    clause: 'RFC 5280 §4.2.1.2',
    read(reader, decoded) {
      decoded.subjectKeyIdentifier = reader.octetString('')
    },
  },
  '2.5.29.15': {
    field: 'keyUsage',
    clause: 'RFC 5280 §4.2.1.3',
    read(reader, decoded) {
      decoded.keyUsage = readKeyUsage(reader)
    },
  },
  '2.5.29.17': {
    field: 'subjectAltName',
    clause: 'RFC 5280 §4.2.1.6',
    read: (reader, decoded) => reader.sequenceOf('', (name) => readAlternativeName(name, decoded)),
  },
  '2.5.29.19': {
    field: 'basicConstraints',
    clause: 'RFC 5280 §4.2.1.9',
    read(reader, decoded) {
      decoded.basicConstraints = readBasicConstraints(reader)
    },
  },
  '2.5.29.31': {
    field: 'cRLDistributionPoints',
    clause: 'RFC 5280 §4.2.1.13',
    read(reader, decoded) {
      decoded.crlDistributionPoints = readDistributionPoints(reader)
    },
  },
  '2.5.29.35': {
    field: 'authorityKeyIdentifier',
    clause: 'RFC 5280 §4.2.1.1',
    read: readAuthorityKey,
  },
  '2.5.29.37': {
    field: 'extKeyUsage',
    clause: 'RFC 5280 §4.2.1.12',
    read(reader, decoded) {
      decoded.extendedKeyUsage = reader.sequenceOf('', (purpose) => purpose.oid(''))
    },
  },
  '2.5.29.56': {
    field: 'noRevAvail',
    clause: 'RFC 9608 §2',
    read(reader, decoded) {
      reader.null('')
      decoded.noRevAvail = true
    },
  },
  '1.3.6.1.5.5.7.1.1': {
    field: 'authorityInfoAccess',
    clause: 'RFC 5280 §4.2.2.1',
    read: (reader, decoded) => reader.sequenceOf('', (access) => readAccess(access, decoded)),
  },
  '1.3.6.1.5.5.7.1.24': {
    field: 'tlsFeature',
    clause: 'RFC 7633 §4.1',
    read(reader, decoded) {
      decoded.tlsFeatures = readTlsFeatures(reader)
    },
  },
  '1.3.6.1.5.5.7.48.1.5': {
    field: 'ocspNoCheck',
    clause: 'RFC 6960 §4.2.2.2.1',
    read(reader, decoded) {
      reader.null('')
      decoded.ocspNoCheck = true
    },
  },
}

/** Critical extensions that only concern the building of paths, which is not done here. @see RFC 5280 §4.2.1 */
const pathOids: ReadonlySet<string> = new Set([
  '2.5.29.9',
  '2.5.29.18',
  '2.5.29.30',
  '2.5.29.32',
  '2.5.29.33',
  '2.5.29.36',
  '2.5.29.46',
  '2.5.29.54',
])

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
    // A large CA has issued many certificates with cA FALSE written out: not DER, but taken by every client.
    const ca = fields.nextTag === tags.boolean && fields.boolean('cA')
    if (fields.isAtEnd) return { ca }
    const pathLength = fields.integer('pathLenConstraint')
    if (pathLength < 0n) fields.fail('ERR_DER_VALUE', 'pathLenConstraint', 'at least 0', formatInteger(pathLength))
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
  return reader.fail('ERR_DER_VALUE', 'iPAddress', '4 or 16 octets', formatOctets(octets.length))
}

function readTlsFeatures(reader: DerReader): number[] {
  const field = reader.path('')
  return reader.sequenceOf('', (element) => {
    const feature = element.integer('')
    if (feature >= 0n && feature <= 0xffffn) return Number(feature)
    const detail = { field, expected: '0 to 65535', found: formatInteger(feature), clause: 'RFC 7633 §4.1' }
    throw new StapleError('ERR_X509_MALFORMED', `${field} lists what is no TLS extension`, detail)
  })
}
