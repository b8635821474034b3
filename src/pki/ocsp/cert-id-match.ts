/**
 * Whether a CertID is about a certificate: its hashes computed, compared and remembered.
 */

import { isSameBytes } from '../der/bytes.ts'
import { type HashAlgorithm, hashOids } from '../x509/algorithm.ts'
import { asCertificate, type Certificate } from '../x509/certificate.ts'
import { hash } from '../x509/crypto.ts'
import { type CertID, isKnownHash } from './cert-id.ts'

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
  if (!Object.hasOwn(hashOids, hashAlgorithm)) {
    throw new TypeError(`hashAlgorithm must be sha1, sha256, sha384 or sha512, not ${hashAlgorithm}`)
  }
  const leaf = asCertificate(certificate, 'certificate')
  return {
    hashAlgorithm,
    issuerNameHash: hashOfIssuerName(leaf, hashAlgorithm),
    issuerKeyHash: hashOfKey(asCertificate(issuer, 'issuer'), hashAlgorithm),
    serialNumber: leaf.serialNumber,
  }
}

/** A field that can make a CertID another certificate's. */
export type CertIDField = 'hashAlgorithm' | 'issuerNameHash' | 'issuerKeyHash' | 'serialNumber'

/** The fields of a CertID that do not fit a certificate; none when it is about this certificate. */
export function certIDFaults(certID: CertID, certificate: Certificate, issuer: Certificate): readonly CertIDField[] {
  const { hashAlgorithm } = certID
  const faults: CertIDField[] = []
  if (certID.serialNumber !== certificate.serialNumber) faults.push('serialNumber')
  if (!isKnownHash(hashAlgorithm)) return ['hashAlgorithm', ...faults]
  if (!isSameBytes(certID.issuerNameHash, hashOfIssuerName(certificate, hashAlgorithm))) faults.push('issuerNameHash')
  if (!isSameBytes(certID.issuerKeyHash, hashOfKey(issuer, hashAlgorithm))) faults.push('issuerKeyHash')
  return faults
}

/** The digest of a certificate's public key, as issuerKeyHash and a responderID byKey want it. */
export function hashOfKey(certificate: Certificate, algorithm: HashAlgorithm): Uint8Array {
  return remembered(keyHashes, certificate, algorithm, certificate.subjectPublicKey)
}

/** Over the issuer field of the certificate asked about, not the issuer's subject: they may be written differently. */
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
