/** The certificates at hand: who issued one is looked for among them, and whose certID something is. */

import { isSameBytes } from '../../pki/der/bytes.ts'
import type { CertID } from '../../pki/ocsp/cert-id.ts'
import { certIDFaults } from '../../pki/ocsp/cert-id-match.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import { findIssuer } from '../../pki/x509/issuer.ts'
import type { Document } from './documents.ts'

/** A certificate and where it was found. */
export interface Known {
  readonly certificate: Certificate
  readonly origin: string
}

export interface Pool {
  /** Each once, in the order found. */
  readonly known: readonly Known[]
  /** The one that provably issued it. */
  issuerOf(certificate: Certificate): Certificate | undefined
  /** The certificate that a certID is about, where its issuer is at hand too. */
  ownerOf(certID: CertID): Known | undefined
}

/** Makes a pool of certificates, those that responses carry included. */
export function createPool(documents: readonly Document[]): Pool {
  const known: Known[] = []
  const add = (certificate: Certificate, origin: string) => {
    if (known.some((other) => isSameBytes(other.certificate.der, certificate.der))) return
    known.push({ certificate, origin })
  }
  for (const { content, origin } of documents) {
    if (content.kind === 'certificate') add(content.certificate, origin)
  }
  for (const { content, origin } of documents) {
    if (content.kind !== 'ocsp-response') continue
    for (const certificate of content.response.basicResponse?.certificates ?? []) add(certificate, `inside ${origin}`)
  }
  const certificates = known.map(({ certificate }) => certificate)
  const issuers = new Map<Certificate, Certificate | undefined>()
  const issuerOf = (certificate: Certificate) => {
    if (!issuers.has(certificate)) issuers.set(certificate, findIssuer(certificate, certificates))
    return issuers.get(certificate)
  }
  return {
    known,
    issuerOf,
    ownerOf: (certID) =>
      known.find(({ certificate }) => {
        if (certificate.serialNumber !== certID.serialNumber) return false
        const issuer = issuerOf(certificate)
        return issuer !== undefined && certIDFaults(certID, certificate, issuer).length === 0
      }),
  }
}
