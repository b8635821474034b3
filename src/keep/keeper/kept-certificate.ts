/** What the keeper is handed, and what it keeps of it: a few strings and numbers, for there may be very many. */
import { type Certificate, decodeCertificate, isMustStaple } from '../../pki/x509/certificate.ts'
import { certificateKey } from '../../pki/x509/crypto.ts'
import { formatName } from '../../pki/x509/name.ts'
import { flatten, type Interner } from './intern.ts'
import type { Kept } from './status.ts'

/** A certificate to keep a staple for, and how to ask. */
export interface KeptCertificate {
  /** The leaf, decoded or as DER. */
  readonly certificate: Certificate | Uint8Array
  /** Where its issuer is looked for, in any order: the rest of its bundle, a `ca_file`. Default none: then caIssuers. */
  readonly issuerCandidates?: readonly (Certificate | Uint8Array)[]
  /**
   * It must be stapled: without a servable staple the responder is asked every few seconds, not with a growing pause.
   * Default false.
   */
  readonly isRequired?: boolean
  /** Asked in place of the certificate's own responder URLs, in this order. Default: those of its AIA. */
  readonly responderURLs?: readonly string[]
  /** The hash of the certID; default `auto`, which is SHA-1 unless the responder refuses it. */
  readonly hashAlgorithm?: 'auto' | 'sha1' | 'sha256'
  /** Default `auto`. */
  readonly method?: 'auto' | 'get' | 'post'
  /** A certificate that may sign for this issuer, by local configuration. */
  readonly responderCertificate?: Certificate | Uint8Array
  /** What logs call it: a file's name, say. Default its subject. */
  readonly label?: string
}

/** What one of those who added it wants. */
export type Wishes = Pick<KeptCertificate, 'hashAlgorithm' | 'method'> & {
  readonly isRequired: boolean
  readonly responderURLs: readonly string[] | undefined
  readonly responderCertificate: Certificate | undefined
  readonly label: string | undefined
}

/** The part of a leaf that stays in memory beside its DER. */
export interface LeafFacts extends Omit<Kept, 'label' | 'responderURLs'> {
  readonly der: Uint8Array
  readonly notBefore: number
  readonly notAfter: number
  readonly ownURLs: readonly string[]
  readonly noRevAvail: boolean
}

/** Reads what is to be remembered of a leaf. */
export function describeLeaf(leaf: Certificate, interner: Interner): LeafFacts {
  return {
    der: leaf.der,
    certificateKey: certificateKey(leaf.der),
    subject: flatten(formatName(leaf.subject)),
    serialNumber: leaf.serialNumber.toString(16),
    mustStaple: isMustStaple(leaf),
    notBefore: leaf.notBefore.getTime(),
    notAfter: leaf.notAfter.getTime(),
    ownURLs: interner.list(leaf.extensions.responderURLs),
    noRevAvail: leaf.extensions.noRevAvail,
  }
}

/** Reads what one who adds the certificate wants. */
export function readWishes(kept: KeptCertificate, interner: Interner): Wishes {
  return {
    isRequired: kept.isRequired ?? false,
    responderURLs: kept.responderURLs && interner.list(kept.responderURLs),
    responderCertificate: kept.responderCertificate && decoded(kept.responderCertificate, 'responderCertificate'),
    label: kept.label,
    ...(kept.hashAlgorithm !== undefined && { hashAlgorithm: kept.hashAlgorithm }),
    ...(kept.method !== undefined && { method: kept.method }),
  }
}

/**
 * Why no responder is ever asked about a leaf; undefined when one is.
 *
 * @see RFC 9608 (noRevAvail), RFC 6960 §3.1 (where the responder's URL stands)
 */
export function explainUnsupported(leaf: LeafFacts, wishes: Wishes): string | undefined {
  if (leaf.noRevAvail) return 'its CA publishes no revocation status for it (noRevAvail)'
  const urls = wishes.responderURLs ?? leaf.ownURLs
  return urls.length === 0 ? 'it names no OCSP responder, and none is configured' : undefined
}

/** The certificate itself, decoded where it came as DER. */
export function decoded(certificate: Certificate | Uint8Array, option: string): Certificate {
  if (ArrayBuffer.isView(certificate)) return decodeCertificate(certificate)
  if (ArrayBuffer.isView(certificate?.der)) return certificate
  throw new TypeError(`${option}: expected a certificate, decoded or as DER`)
}
