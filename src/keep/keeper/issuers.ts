/**
 * The issuers of all that is kept, each once, and each proven before it counts for a leaf.
 *
 * Those that came from caIssuers are noted in the store, so that a restart needs no network; what is noted is proven anew.
 */
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'
import { certificateKey } from '../../pki/x509/crypto.ts'
import { findIssuer } from '../../pki/x509/issuer.ts'
import { formatName, isSameName } from '../../pki/x509/name.ts'

/** The known issuers of one keeper. */
export interface Issuers {
  /** The one object for a certificate: a hundred thousand leaves of one CA share its decoded form. */
  intern(certificate: Certificate | Uint8Array): Certificate
  /** Finds who issued a leaf, among candidates first and then among all that is known. */
  find(leaf: Certificate, candidates: readonly Certificate[]): Certificate | undefined
  /** Takes one in that caIssuers gave. */
  remember(issuer: Certificate): void
  /** Those that caIssuers gave, for the notes. */
  note(): string[]
  /** Takes in what was noted; what cannot be read is left out. */
  recall(noted: unknown): void
}

/** Creates an empty set of issuers. */
export function createIssuers(): Issuers {
  const byKey = new Map<string, Certificate>()
  const fetched = new Set<Certificate>()
  const intern = (certificate: Certificate | Uint8Array) => {
    const key = certificateKey(ArrayBuffer.isView(certificate) ? certificate : certificate.der)
    const known = byKey.get(key)
    if (known) return known
    const decoded = ArrayBuffer.isView(certificate) ? decodeCertificate(certificate) : certificate
    byKey.set(key, decoded)
    return decoded
  }
  return {
    intern,
    find: (leaf, candidates) => findIssuer(leaf, candidates) ?? findIssuer(leaf, [...byKey.values()]),
    remember(issuer) {
      fetched.add(intern(issuer))
    },
    note: () => [...fetched].slice(-mostNoted).map(({ der }) => Buffer.from(der).toString('base64')),
    recall(noted) {
      if (!Array.isArray(noted)) return
      for (const each of noted.slice(0, mostNoted)) {
        try {
          fetched.add(intern(Buffer.from(String(each), 'base64')))
        } catch {
          // Notes are conveniences: a damaged one is fetched again.
        }
      }
    },
  }
}

/** Why there can be no issuer to ask: the certificate is its own. */
export function explainSelfSigned(leaf: Certificate): string | undefined {
  return isSameName(leaf.subject, leaf.issuer) ? `it is self-signed: ${formatName(leaf.subject)}` : undefined
}

const mostNoted = 100
