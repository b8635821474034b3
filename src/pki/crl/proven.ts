/**
 * Signatures of CRLs that were verified already: one of 40 MB is hashed once, and then serves every certificate of its CA.
 */

import { isSameBytes } from '../der/bytes.ts'
import type { SignatureScheme } from '../x509/algorithm.ts'
import type { Certificate } from '../x509/certificate.ts'
import { isSignedBy } from '../x509/crypto.ts'
import type { CertificateList } from './certificate-list.ts'

/** The subjectPublicKeyInfo that verified it, per decoded CRL; gone when the CRL is. */
const provenBy = new WeakMap<CertificateList, Uint8Array>()

/** Tells whether the key of that certificate signed the CRL. */
export function isProvenBy(list: CertificateList, scheme: SignatureScheme, issuer: Certificate): boolean {
  const { subjectPublicKeyInfo } = issuer
  const known = provenBy.get(list)
  if (known !== undefined && isSameBytes(known, subjectPublicKeyInfo)) return true
  if (!isSignedBy(issuer, scheme, list.tbsCertList, list.signature)) return false
  provenBy.set(list, subjectPublicKeyInfo.slice())
  return true
}
