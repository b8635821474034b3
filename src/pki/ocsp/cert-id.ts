/**
 * CertID as it is written: the question asked about a certificate, as hashes of its issuer and its serial number.
 *
 * Only shape and encoding, so that what decodes needs no cryptography; cert-id-match.ts computes the hashes.
 */

import type { DerReader } from '../der/reader.ts'
import { encodeInteger, encodeNull, encodeOctetString, encodeOid, encodeSequence } from '../der/writer.ts'
import { type HashAlgorithm, hashAlgorithmOf, hashOids, type Oid, readAlgorithmIdentifier } from '../x509/algorithm.ts'

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

export function isKnownHash(algorithm: HashAlgorithm | Oid): algorithm is HashAlgorithm {
  return Object.hasOwn(hashOids, algorithm)
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
