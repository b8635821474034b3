/**
 * CertID: the question asked about a certificate, as hashes of its issuer and its serial number.
 */

import { isSameBytes } from '../der/bytes.ts'
import type { DerReader } from '../der/reader.ts'
import { encodeInteger, encodeNull, encodeOctetString, encodeOid, encodeSequence } from '../der/writer.ts'
import { type HashAlgorithm, hashAlgorithmOf, hashOids, type Oid, readAlgorithmIdentifier } from '../x509/algorithm.ts'
import { asCertificate, type Certificate } from '../x509/certificate.ts'
import { hash } from '../x509/crypto.ts'

/** @see RFC 6960 §4.1.1 */
export interface CertID {
  /** The dotted OID where it is none of ours; such an entry matches no certificate. */
  readonly hashAlgorithm: HashAlgorithm | Oid
  /** Over the issuer field of the certificate asked about. */
  readonly issuerNameHash: Uint8Array
  /** Over the octets of the issuer's public key. */
  readonly issuerKeyHash: Uint8Array
  readonly serialNumber: bigint
  /** Set where hashAlgorithm came without the usual NULL, so that an echo of it is the same bytes. */
  readonly isParameterless?: true
}

/**
 * Creates the CertID of a certificate.
 *
 * @see RFC 6960 §4.1.1
 */
export function createCertID(
  certificate: Certificate | Uint8Array,
  issuer: Certificate | Uint8Array,
  hashAlgorithm: HashAlgorithm,
): CertID & { readonly hashAlgorithm: HashAlgorithm } {
  if (!Object.hasOwn(hashOids, hashAlgorithm)) throw new TypeError(`hashAlgorithm is unknown: ${hashAlgorithm}`)
  const leaf = asCertificate(certificate, 'certificate')
  return {
    hashAlgorithm,
    issuerNameHash: hashOfIssuerName(leaf, hashAlgorithm),
    issuerKeyHash: hashOfKey(asCertificate(issuer, 'issuer'), hashAlgorithm),
    serialNumber: leaf.serialNumber,
  }
}

/** The fields of a CertID that do not fit a certificate, in their order; none when it is about this certificate. */
export function certIDFaults(certID: CertID, certificate: Certificate, issuer: Certificate): readonly CertIDField[] {
  const { hashAlgorithm } = certID
  const faults: CertIDField[] = []
  if (certID.serialNumber !== certificate.serialNumber) faults.push('serialNumber')
  if (!isKnownHash(hashAlgorithm)) return ['hashAlgorithm', ...faults]
  if (!isSameBytes(certID.issuerNameHash, hashOfIssuerName(certificate, hashAlgorithm))) faults.push('issuerNameHash')
  if (!isSameBytes(certID.issuerKeyHash, hashOfKey(issuer, hashAlgorithm))) faults.push('issuerKeyHash')
  return faults
}

export type CertIDField = 'hashAlgorithm' | 'issuerNameHash' | 'issuerKeyHash' | 'serialNumber'

export function readCertID(reader: DerReader, field: string): CertID {
  return reader.sequence(field, readFields)
}

export function encodeCertID(certID: CertID): Uint8Array {
  const { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber, isParameterless } = certID
  const oid = isKnownHash(hashAlgorithm) ? hashOids[hashAlgorithm] : hashAlgorithm
  return encodeSequence(
    // NULL, as openssl and every other program writes it; RFC 4055 §2.1 allows both.
    encodeSequence(encodeOid(oid), isParameterless === true ? undefined : encodeNull()),
    encodeOctetString(issuerNameHash),
    encodeOctetString(issuerKeyHash),
    encodeInteger(serialNumber),
  )
}

/** The digest of a certificate's public key, as issuerKeyHash and a responderID byKey want it. */
export function hashOfKey(certificate: Certificate, algorithm: HashAlgorithm): Uint8Array {
  return remembered(keyHashes, certificate, algorithm, certificate.subjectPublicKey)
}

export function isKnownHash(algorithm: HashAlgorithm | Oid): algorithm is HashAlgorithm {
  return Object.hasOwn(hashOids, algorithm)
}

function hashOfIssuerName(certificate: Certificate, algorithm: HashAlgorithm): Uint8Array {
  return remembered(issuerNameHashes, certificate, algorithm, certificate.issuer)
}

type Digests = Partial<Record<HashAlgorithm, Uint8Array>>

const keyHashes = new WeakMap<Certificate, Digests>()
const issuerNameHashes = new WeakMap<Certificate, Digests>()

/** A certificate never changes, so its digests are computed once. */
function remembered(
  memory: WeakMap<Certificate, Digests>,
  certificate: Certificate,
  algorithm: HashAlgorithm,
  bytes: Uint8Array,
): Uint8Array {
  let digests = memory.get(certificate)
  if (digests === undefined) {
    digests = {}
    memory.set(certificate, digests)
  }
  digests[algorithm] ??= hash(algorithm, bytes)
  return digests[algorithm]
}

function readFields(reader: DerReader): CertID {
  const { oid, parameters } = readAlgorithmIdentifier(reader, 'hashAlgorithm')
  const isNull = parameters?.length === 2 && parameters[0] === 0x05
  const isUnderstood = parameters === undefined || isNull
  const fields = {
    // With other parameters it is another function.
    hashAlgorithm: (isUnderstood ? hashAlgorithmOf(oid) : undefined) ?? (oid as Oid),
    issuerNameHash: reader.octetString('issuerNameHash'),
    issuerKeyHash: reader.octetString('issuerKeyHash'),
    serialNumber: reader.integer('serialNumber'),
  }
  return parameters === undefined ? { ...fields, isParameterless: true } : fields
}
