/**
 * What is proven when a CRL passed every rule for one certificate.
 */

/** A CRL's word about one certificate, at the moment it was judged. Its existence is the proof; it holds no bytes of the CRL. */
export interface VerifiedCrl {
  /** `good`: the CRL covers the certificate and does not list it. A certificate on hold is revoked. */
  readonly certStatus: 'good' | 'revoked'
  readonly revocationTime?: Date
  /** A name of RFC 5280 §5.3.1; absent where the entry says none. */
  readonly revocationReason?: string
  /** Since when the key is thought to have been bad, where the entry says so. @see RFC 5280 §5.3.2 */
  readonly invalidityDate?: Date
  readonly thisUpdate: Date
  readonly nextUpdate: Date
  readonly crlNumber?: bigint
  /** As text. */
  readonly issuer: string
  /** As people write it: `ecdsa-with-SHA256`. */
  readonly signatureAlgorithm: string
  /** How many certificates it lists. */
  readonly entryCount: number
  /** Of the whole CRL. */
  readonly bytes: number
  readonly warnings: readonly CrlWarning[]
}

/** Something acceptable that is worth knowing. */
export interface CrlWarning {
  readonly code: CrlWarningCode
  readonly message: string
}

export type CrlWarningCode =
  /** It has no crlNumber: nothing tells an older CRL of the same window apart. */
  | 'no-crl-number'
  /** An empty list is written out, which RFC 5280 §5.1.2.6 has absent. */
  | 'empty-list'
  /** The certificate expired before thisUpdate: a CA may have dropped it from its list. @see RFC 5280 §3.3 */
  | 'expired-certificate'
  | 'sha1-signature'
