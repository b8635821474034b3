/**
 * CRLs decoded, strictly; nothing is proven here. verify.ts does that.
 *
 * In two steps, for the entries are most of it: what stands around them first, so that verification can check the
 * signature before it looks at a million entries that anybody could have sent.
 */

import { formatHexBriefly, isSameBytes, viewBytes } from '../der/bytes.ts'
import { type DerReader, readDer } from '../der/reader.ts'
import { constructedTag, tags } from '../der/tags.ts'
import { formatInteger, formatOctets } from '../der/values.ts'
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from '../x509/algorithm.ts'
import { type Extension, readExtensions } from '../x509/extension.ts'
import { readName } from '../x509/name.ts'
import { type Entries, surveyEntries } from './entries.ts'
import { decodeIssuingDistributionPoint, type IssuingDistributionPoint } from './issuing-distribution-point.ts'
import { malformed } from './malformed.ts'

/** A CRL whose entries nobody has looked at yet. Every `Uint8Array` is a slice of `der`. @see RFC 5280 §5.1 */
export interface CrlEnvelope {
  readonly der: Uint8Array
  /** The bytes that are signed. */
  readonly tbsCertList: Uint8Array
  readonly version: 1 | 2
  /** A Name, as DER. */
  readonly issuer: Uint8Array
  readonly thisUpdate: Date
  readonly nextUpdate?: Date
  /** The content of revokedCertificates; absent where the field is. */
  readonly entries?: Uint8Array
  /** The crlExtensions. */
  readonly extensions: readonly Extension[]
  readonly crlNumber?: bigint
  /** Present in a delta CRL: the number of the CRL that it adds to. */
  readonly deltaCRLIndicator?: bigint
  readonly issuingDistributionPoint?: IssuingDistributionPoint
  readonly signatureAlgorithm: AlgorithmIdentifier
  readonly signature: Uint8Array
}

/** A decoded CRL, every entry of which is as RFC 5280 has it. @see RFC 5280 §5.1 */
export interface CertificateList extends CrlEnvelope {
  readonly revokedCertificates: Entries
}

/**
 * Decodes a CRL. What it says is not proven: for that, {@link verifyCrl}.
 *
 * Every entry is looked at, none is kept as an object: {@link findRevokedCertificate} and
 * {@link readRevokedCertificates} read them where they stand. There is no limit on the size; the caller has the bytes.
 *
 * @see RFC 5280 §5.1
 * @throws {@link StapleError} `ERR_DER_…` for what is not DER, `ERR_CRL_MALFORMED` for what RFC 5280 does not allow
 */
export function decodeCertificateList(der: Uint8Array): CertificateList {
  const envelope = decodeEnvelope(der)
  return { ...envelope, revokedCertificates: surveyEntries(envelope.entries, envelope.version) }
}

/** Decodes all but the entries. */
export function decodeEnvelope(der: Uint8Array): CrlEnvelope {
  const bytes = viewBytes(der, 'der')
  return readDer(bytes, 'certificateList', clause, (reader) => reader.sequence('', readFields))
}

const clause = 'RFC 5280 §5.1'

/** Octets of a crlNumber. @see RFC 5280 §5.2.3 */
const maxNumberOctets = 20

function readFields(reader: DerReader): CrlEnvelope {
  const start = reader.position
  const { innerAlgorithm, ...tbs } = reader.sequence('tbsCertList', readTbsCertList)
  const tbsCertList = reader.since(start)
  const afterTbs = reader.position
  const signatureAlgorithm = readAlgorithmIdentifier(reader, 'signatureAlgorithm')
  const outer = reader.since(afterTbs)
  if (!isSameBytes(innerAlgorithm, outer)) {
    const found = `${formatHexBriefly(outer)} beside ${formatHexBriefly(innerAlgorithm)}`
    throw malformed(reader.path('signatureAlgorithm'), 'as in tbsCertList.signature', found, 'RFC 5280 §5.1.1.2')
  }
  return {
    der: reader.bytes,
    tbsCertList,
    ...tbs,
    signatureAlgorithm,
    signature: reader.bitStringOctets('signatureValue'),
  }
}

function readTbsCertList(reader: DerReader) {
  const version = readVersion(reader)
  const signatureStart = reader.position
  readAlgorithmIdentifier(reader, 'signature')
  const innerAlgorithm = reader.since(signatureStart)
  const issuer = readName(reader, 'issuer')
  const thisUpdate = reader.time('thisUpdate')
  const hasNextUpdate = reader.nextTag === tags.utcTime || reader.nextTag === tags.generalizedTime
  const nextUpdate = hasNextUpdate ? reader.time('nextUpdate') : undefined
  // Taken as raw content: a callback for each of a million entries would cost more than the signature.
  const hasEntries = reader.nextTag === tags.sequence
  const entries = hasEntries ? reader.primitive(tags.sequence, 'revokedCertificates') : undefined
  if (version === 1 && reader.nextTag === constructedTag(0)) {
    throw malformed(reader.path('crlExtensions'), 'absent in a CRL of version 1', 'present', 'RFC 5280 §5.1.2.1')
  }
  const extensions = reader.optionalExplicit(0, 'crlExtensions', (inner) => readExtensions(inner, 'crl')) ?? []
  return {
    innerAlgorithm,
    version,
    issuer,
    thisUpdate,
    ...(nextUpdate === undefined ? {} : { nextUpdate }),
    ...(entries === undefined ? {} : { entries }),
    extensions,
    ...decodeKnown(extensions, reader.path('crlExtensions')),
  }
}

function readVersion(reader: DerReader): 1 | 2 {
  if (reader.nextTag !== tags.integer) return 1
  const version = reader.integer('version')
  if (version === 1n) return 2
  throw malformed(reader.path('version'), '1 (v2), or absent', formatInteger(version), 'RFC 5280 §5.1.2.1')
}

/** What the extensions say that are acted on. */
function decodeKnown(extensions: readonly Extension[], field: string) {
  const known: {
    crlNumber?: bigint
    deltaCRLIndicator?: bigint
    issuingDistributionPoint?: IssuingDistributionPoint
  } = {}
  for (const { oid, value } of extensions) {
    switch (oid) {
      case '2.5.29.20':
        known.crlNumber = decodeNumber(value, `${field}.cRLNumber`, 'RFC 5280 §5.2.3')
        break
      case '2.5.29.27':
        known.deltaCRLIndicator = decodeNumber(value, `${field}.deltaCRLIndicator`, 'RFC 5280 §5.2.4')
        break
      case '2.5.29.28':
        known.issuingDistributionPoint = decodeIssuingDistributionPoint(value, `${field}.issuingDistributionPoint`)
    }
  }
  return known
}

function decodeNumber(value: Uint8Array, field: string, where: string): bigint {
  if (value.length > maxNumberOctets + 2) {
    throw malformed(field, `at most ${maxNumberOctets} octets`, formatOctets(value.length - 2), where)
  }
  const number = readDer(value, field, where, (reader) => reader.integer(''))
  if (number < 0n) throw malformed(field, 'at least 0', formatInteger(number), where)
  return number
}
