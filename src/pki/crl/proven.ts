/**
 * What was found out about a CRL before, and holds as long as its bytes do: one of 40 MB is hashed and walked over once,
 * and then serves every certificate of its CA.
 */

import { isSameBytes } from '../der/bytes.ts'
import type { SignatureScheme } from '../x509/algorithm.ts'
import type { Certificate } from '../x509/certificate.ts'
import { isSignedBy } from '../x509/crypto.ts'
import type { CertificateList, CrlEnvelope } from './certificate-list.ts'
import { type Entries, surveyEntries } from './entries.ts'

/** The subjectPublicKeyInfo that verified it, per decoded CRL; gone when the CRL is. */
const provenBy = new WeakMap<CrlEnvelope, Uint8Array>()

/** Tells whether the key of that certificate signed the CRL. */
export function isProvenBy(list: CrlEnvelope, scheme: SignatureScheme, issuer: Certificate): boolean {
  const { subjectPublicKeyInfo } = issuer
  const known = provenBy.get(list)
  if (known !== undefined && isSameBytes(known, subjectPublicKeyInfo)) return true
  if (!isSignedBy(issuer, scheme, list.tbsCertList, list.signature)) return false
  provenBy.set(list, subjectPublicKeyInfo.slice())
  return true
}

const surveys = new WeakMap<CrlEnvelope, Entries>()

/** The entries of a CRL, each looked at. @throws {@link StapleError} `ERR_DER_…`, `ERR_CRL_MALFORMED` */
export function entriesOf(list: CrlEnvelope | CertificateList): Entries {
  if ('revokedCertificates' in list) return list.revokedCertificates
  const known = surveys.get(list)
  if (known !== undefined) return known
  const entries = surveyEntries(list.entries, list.version)
  surveys.set(list, entries)
  return entries
}
