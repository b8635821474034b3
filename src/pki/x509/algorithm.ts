/**
 * Signature and key algorithms: which there are, what their parameters must be, which suits which key.
 *
 * Only names and rules; the arithmetic is behind crypto.ts.
 */

import { StapleError } from '../../errors.ts'
import { formatHexBriefly } from '../der/bytes.ts'
import { type DerReader, readDer } from '../der/reader.ts'
import { tags } from '../der/tags.ts'
import { formatInteger, formatOid } from '../der/values.ts'

/** The digests that certIDs and signatures use here. */
export type HashAlgorithm = 'sha1' | 'sha256' | 'sha384' | 'sha512'

/** An OBJECT IDENTIFIER in dotted form. */
export type Oid = `${number}.${string}`

/** @see RFC 5280 §4.1.1.2 */
export interface AlgorithmIdentifier {
  readonly oid: string
  /** The whole parameters value as DER; absent where it is absent. */
  readonly parameters?: Uint8Array
}

/** A signature algorithm with its parameters understood. */
export interface SignatureScheme {
  /** As people write it: `ecdsa-with-SHA256`. */
  readonly name: string
  readonly family: 'rsa-pkcs1' | 'rsa-pss' | 'ecdsa' | 'ed25519' | 'ed448'
  /** Absent for the Edwards curves, which hash by themselves. */
  readonly hashAlgorithm?: HashAlgorithm | 'md2' | 'md5'
  /** Of RSASSA-PSS. */
  readonly saltLength?: number
}

/** What a public key is, as far as choosing and checking signatures needs. */
export type KeyType = 'rsa' | 'rsa-pss' | 'ec' | 'ed25519' | 'ed448'

export function readAlgorithmIdentifier(reader: DerReader, field: string): AlgorithmIdentifier {
  return reader.sequence(field, readAlgorithm)
}

/**
 * Tells what a signature algorithm is.
 *
 * @see RFC 8017 §A.2, RFC 4055 §3 and §5, RFC 5758 §3.2, RFC 8410 §3
 * @throws {@link StapleError} `ERR_X509_UNSUPPORTED_ALGORITHM` for others, and for parameters that are not theirs
 */
export function parseSignatureScheme(algorithm: AlgorithmIdentifier, field: string): SignatureScheme {
  const { oid, parameters } = algorithm
  if (oid === pssOid) return parsePss(parameters, `${field}.parameters`)
  const scheme = schemes[oid]
  if (scheme === undefined) {
    const expected = 'RSA, ECDSA, Ed25519 or Ed448 with SHA-256, SHA-384 or SHA-512'
    throw unsupported(`${field}.algorithm`, expected, oid, 'RFC 6960 §4.3')
  }
  const isNull = parameters !== undefined && parameters.length === 2 && parameters[0] === 0x05
  // RFC 4055 §5 has NULL written and its absence accepted; for the others any parameters are wrong.
  if (parameters !== undefined && !(isNull && scheme.family === 'rsa-pkcs1')) {
    const expected = scheme.family === 'rsa-pkcs1' ? 'NULL or absent' : 'absent'
    throw unsupported(`${field}.parameters`, expected, formatHexBriefly(parameters), clauses[scheme.family])
  }
  return scheme
}

/** Tells what kind of key a subjectPublicKeyInfo's algorithm makes; undefined for those not supported. */
export function parseKeyType(algorithm: AlgorithmIdentifier): KeyType | undefined {
  const type = keyTypes[algorithm.oid]
  return type === 'ec' && namedCurve(algorithm) === undefined ? undefined : type
}

/** Names a key as people do: `P-256`, `RSA`, `Ed25519`. */
export function formatKeyAlgorithm(algorithm: AlgorithmIdentifier): string {
  const type = keyTypes[algorithm.oid]
  if (type === undefined) return algorithm.oid
  return type === 'ec' ? (namedCurve(algorithm) ?? 'EC (unsupported curve)') : keyNames[type]
}

/** Tells whether a key of that type can have made a signature of that scheme. */
export function isSchemeOfKey(scheme: SignatureScheme, key: KeyType | undefined): boolean {
  if (key === 'rsa') return scheme.family === 'rsa-pkcs1' || scheme.family === 'rsa-pss'
  return key === (scheme.family === 'ecdsa' ? 'ec' : scheme.family)
}

/**
 * Why a signature of that scheme proves nothing today, as the clause that says so: MD2 and MD5 always, SHA-1 unless it is
 * allowed. Public CAs may not sign OCSP responses and CRLs with SHA-1 since June 2022; private ones decide for themselves.
 */
export function weaknessOf({ hashAlgorithm }: SignatureScheme, isSha1Allowed: boolean): string | undefined {
  if (hashAlgorithm === 'md2' || hashAlgorithm === 'md5') return 'RFC 6151 §2'
  return hashAlgorithm === 'sha1' && !isSha1Allowed ? 'CA/Browser Forum BR §7.1.3.2' : undefined
}

/** The OIDs of the digests. @see RFC 3279 §2.2.1, RFC 4055 §2.1 */
export const hashOids: Readonly<Record<HashAlgorithm, Oid>> = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
}

/** The digest that an OID names, if it is one of ours. */
export function hashAlgorithmOf(oid: string): HashAlgorithm | undefined {
  switch (oid) {
    case hashOids.sha1:
      return 'sha1'
    case hashOids.sha256:
      return 'sha256'
    case hashOids.sha384:
      return 'sha384'
    case hashOids.sha512:
      return 'sha512'
    default:
      return undefined
  }
}

export const pssOid: Oid = '1.2.840.113549.1.1.10'
export const mgf1Oid: Oid = '1.2.840.113549.1.1.8'

const schemes: Readonly<Record<string, SignatureScheme>> = {
  '1.2.840.113549.1.1.2': { name: 'md2WithRSAEncryption', family: 'rsa-pkcs1', hashAlgorithm: 'md2' },
  '1.2.840.113549.1.1.4': { name: 'md5WithRSAEncryption', family: 'rsa-pkcs1', hashAlgorithm: 'md5' },
  '1.2.840.113549.1.1.5': { name: 'sha1WithRSAEncryption', family: 'rsa-pkcs1', hashAlgorithm: 'sha1' },
  '1.2.840.113549.1.1.11': { name: 'sha256WithRSAEncryption', family: 'rsa-pkcs1', hashAlgorithm: 'sha256' },
  '1.2.840.113549.1.1.12': { name: 'sha384WithRSAEncryption', family: 'rsa-pkcs1', hashAlgorithm: 'sha384' },
  '1.2.840.113549.1.1.13': { name: 'sha512WithRSAEncryption', family: 'rsa-pkcs1', hashAlgorithm: 'sha512' },
  '1.2.840.10045.4.1': { name: 'ecdsa-with-SHA1', family: 'ecdsa', hashAlgorithm: 'sha1' },
  '1.2.840.10045.4.3.2': { name: 'ecdsa-with-SHA256', family: 'ecdsa', hashAlgorithm: 'sha256' },
  '1.2.840.10045.4.3.3': { name: 'ecdsa-with-SHA384', family: 'ecdsa', hashAlgorithm: 'sha384' },
  '1.2.840.10045.4.3.4': { name: 'ecdsa-with-SHA512', family: 'ecdsa', hashAlgorithm: 'sha512' },
  '1.3.101.112': { name: 'Ed25519', family: 'ed25519' },
  '1.3.101.113': { name: 'Ed448', family: 'ed448' },
}

const keyTypes: Readonly<Record<string, KeyType>> = {
  '1.2.840.113549.1.1.1': 'rsa',
  '1.2.840.113549.1.1.10': 'rsa-pss',
  '1.2.840.10045.2.1': 'ec',
  '1.3.101.112': 'ed25519',
  '1.3.101.113': 'ed448',
}

const keyNames: Readonly<Record<Exclude<KeyType, 'ec'>, string>> = {
  rsa: 'RSA',
  'rsa-pss': 'RSA-PSS',
  ed25519: 'Ed25519',
  ed448: 'Ed448',
}

const clauses: Readonly<Record<SignatureScheme['family'], string>> = {
  'rsa-pkcs1': 'RFC 4055 §5',
  'rsa-pss': 'RFC 4055 §3.1',
  ecdsa: 'RFC 5758 §3.2',
  ed25519: 'RFC 8410 §3',
  ed448: 'RFC 8410 §3',
}

/** NIST's curves by their OID, which is the parameters of the key. @see RFC 5480 §2.1.1.1 */
const curves: Readonly<Record<string, string>> = {
  '1.2.840.10045.3.1.7': 'P-256',
  '1.3.132.0.34': 'P-384',
  '1.3.132.0.35': 'P-521',
}

function readAlgorithm(reader: DerReader): AlgorithmIdentifier {
  const oid = reader.oid('algorithm')
  return reader.isAtEnd ? { oid } : { oid, parameters: reader.element('parameters') }
}

function namedCurve({ parameters }: AlgorithmIdentifier): string | undefined {
  // RFC 5480 §2.1.1: a named curve, whose OID has fewer than 128 octets.
  if (parameters?.[0] !== tags.oid || parameters[1] !== parameters.length - 2) return undefined
  const { text } = formatOid(parameters, 2, parameters.length)
  return text === undefined ? undefined : curves[text]
}

function parsePss(parameters: Uint8Array | undefined, field: string): SignatureScheme {
  const clause = clauses['rsa-pss']
  if (parameters === undefined) throw unsupported(field, 'RSASSA-PSS-params', 'absent', clause)
  const read = readDer(parameters, field, clause, (reader) => reader.sequence('', readPssParameters))
  const hashAlgorithm = hashAlgorithmOf(read.hashOid)
  if (hashAlgorithm === undefined) {
    throw unsupported(`${field}.hashAlgorithm`, 'SHA-256, SHA-384 or SHA-512', read.hashOid, clause)
  }
  if (read.maskOid !== mgf1Oid) throw unsupported(`${field}.maskGenAlgorithm`, `MGF1 ${mgf1Oid}`, read.maskOid, clause)
  // RFC 4055 §3.1 advises one digest for both; no signer in use and no verifier at hand mixes them.
  if (read.maskHashOid !== read.hashOid) {
    throw unsupported(`${field}.maskGenAlgorithm.parameters`, `MGF1 with ${hashAlgorithm}`, read.maskHashOid, clause)
  }
  if (read.saltLength < 0n || read.saltLength > maxSaltLength) {
    throw unsupported(`${field}.saltLength`, `0 to ${maxSaltLength}`, formatInteger(read.saltLength), clause)
  }
  if (read.trailerField !== 1n)
    throw unsupported(`${field}.trailerField`, '1', formatInteger(read.trailerField), clause)
  return {
    name: `RSASSA-PSS with ${hashAlgorithm}`,
    family: 'rsa-pss',
    hashAlgorithm,
    saltLength: Number(read.saltLength),
  }
}

/** The longest salt that fits an RSA key of 16,384 bits. */
const maxSaltLength = 2046n

function readPssParameters(reader: DerReader) {
  const hashOid = reader.optionalExplicit(0, 'hashAlgorithm', readDigest)
  const mask = reader.optionalExplicit(1, 'maskGenAlgorithm', (inner) => inner.sequence('', readMask))
  const saltLength = reader.optionalExplicit(2, 'saltLength', (inner) => inner.integer(''))
  const trailerField = reader.optionalExplicit(3, 'trailerField', (inner) => inner.integer(''))
  const isSha1Mask = mask?.oid === mgf1Oid && mask.hashOid === hashOids.sha1
  if (hashOid === hashOids.sha1) refuseDefault(reader, 'hashAlgorithm', 'SHA-1')
  if (isSha1Mask) refuseDefault(reader, 'maskGenAlgorithm', 'MGF1 with SHA-1')
  if (saltLength === 20n) refuseDefault(reader, 'saltLength', '20')
  if (trailerField === 1n) refuseDefault(reader, 'trailerField', '1')
  return {
    hashOid: hashOid ?? hashOids.sha1,
    maskOid: mask?.oid ?? mgf1Oid,
    maskHashOid: mask?.hashOid ?? hashOids.sha1,
    saltLength: saltLength ?? 20n,
    trailerField: trailerField ?? 1n,
  }
}

function refuseDefault(reader: DerReader, field: string, found: string): never {
  return reader.fail('ERR_DER_NOT_CANONICAL', field, 'absent, being the default', found, 'X.690 §11.5')
}

function readMask(reader: DerReader): { oid: string; hashOid: string } {
  const oid = reader.oid('algorithm')
  return { oid, hashOid: oid === mgf1Oid ? readDigest(reader) : formatHexBriefly(reader.element('parameters')) }
}

function readDigest(reader: DerReader): string {
  const { oid, parameters } = readAlgorithmIdentifier(reader, '')
  // RFC 4055 §2.1: NULL and absent mean the same.
  if (parameters !== undefined && !(parameters.length === 2 && parameters[0] === 0x05)) {
    reader.fail('ERR_DER_VALUE', 'parameters', 'NULL or absent', formatHexBriefly(parameters), 'RFC 4055 §2.1')
  }
  return oid
}

function unsupported(field: string, expected: string, found: string, clause: string): StapleError {
  const message = `unsupported signature algorithm: ${field} is ${found}, expected ${expected}`
  return new StapleError('ERR_X509_UNSUPPORTED_ALGORITHM', message, { field, expected, found, clause })
}
