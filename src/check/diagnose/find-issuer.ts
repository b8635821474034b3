/**
 * The issuer that judges a leaf's staple: in the chain that was sent, among what was given, among this machine's roots,
 * or at the leaf's caIssuers address. Whoever finds it, the leaf's signature proves it.
 */
import { isStapleError } from '../../errors.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import { findIssuer } from '../../pki/x509/issuer.ts'
import { parsePemCertificates } from '../../pki/x509/pem.ts'
import type { TrustRecord } from '../probe/record.ts'
import { gatherRoots } from '../probe/trust.ts'
import type { CertificateEvidence } from './evidence.ts'

export interface IssuerSearch {
  /** PEM. */
  readonly ca: readonly string[]
  /** Absent: its addresses may not be used, or nobody is to be asked. */
  readonly fetchIssuer?: (leaf: Certificate) => Promise<Certificate>
}

export type FoundIssuer = Pick<CertificateEvidence, 'issuer' | 'issuerSource' | 'issuerFailure'>

export async function findIssuerOf(
  [leaf, ...others]: readonly Certificate[],
  trust: TrustRecord,
  { ca, fetchIssuer }: IssuerSearch,
): Promise<FoundIssuer> {
  if (leaf === undefined) return {}
  const sent = findIssuer(leaf, others)
  if (sent !== undefined) return { issuer: sent, issuerSource: 'sent' }
  const given = findIssuer(leaf, ca.flatMap(parseLeniently))
  if (given !== undefined) return { issuer: given, issuerSource: 'given' }
  // Reads files, so only where it helps: a leaf straight under a root that is known, which servers need not send.
  const trusted = endsInKnownRoot(trust) ? findIssuer(leaf, gatherRoots(ca).pem.flatMap(parseLeniently)) : undefined
  if (trusted !== undefined) return { issuer: trusted, issuerSource: 'trusted' }
  if (fetchIssuer === undefined || leaf.extensions.caIssuersURLs.length === 0) return {}
  try {
    return { issuer: await fetchIssuer(leaf), issuerSource: 'fetched' }
  } catch (error) {
    if (isStapleError(error)) return { issuerFailure: error }
    throw error
  }
}

/** Also of a leaf that has another name or is past its time, which hides nothing of what its staple is. */
function endsInKnownRoot({ isTrusted, code = '' }: TrustRecord): boolean {
  return isTrusted || leafCodes.has(code)
}

const leafCodes: ReadonlySet<string> = new Set([
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
])

/** A root that this project's strict reader does not take proves nothing here. */
function parseLeniently(pem: string): Certificate[] {
  try {
    return parsePemCertificates(pem)
  } catch (error) {
    if (isStapleError(error)) return []
    throw error
  }
}
