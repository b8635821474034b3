/**
 * What is asked about any certificate that somebody showed us, and what is learned: the types of this folder's door.
 *
 * A staple is one way to learn it; the CA's responder and its CRLs are the others. Who asks decides what follows.
 */
import type { StapleError } from '../../errors.ts'
import type { Origin, StapleQuestion } from '../../keep/fetch/index.ts'
import type { CertStatus } from '../../pki/ocsp/single-response.ts'
import type { VerifiedOcspResponse } from '../../pki/ocsp/verify.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'

/** Where a status is asked for: the responder only, the CRL only, or the CRL where the responder cannot say. */
export type RevocationPolicy = 'ocsp' | 'crl' | 'ocsp-then-crl'

export interface StatusQuestion {
  readonly certificate: Certificate
  /** Proven to have issued it. */
  readonly issuer: Certificate
  /** Default `stranger`: its addresses are asked only where they are public. Ask only after the chain was verified. */
  readonly origin?: Origin
  /** Default `ocsp-then-crl`. */
  readonly policy?: RevocationPolicy
  /** Instead of the certificate's own (AIA). */
  readonly responderURLs?: readonly string[]
  /** How the responder is asked, and whose signature counts besides, where the operator says so. */
  readonly asking?: Pick<StapleQuestion, 'hashAlgorithm' | 'method' | 'responderCertificate'>
  /** Instead of the certificate's own distribution points. */
  readonly crlURLs?: readonly string[]
  /** The end of it all, in milliseconds; default the asker's. */
  readonly deadlineMs?: number
  /** Ask even if an answer is held that still counts; default false. */
  readonly isFresh?: boolean
}

/** What was learned, proven: who says it, and how long it holds. */
export interface StatusAnswer {
  readonly source: 'ocsp' | 'crl'
  readonly certStatus: CertStatus
  readonly revocationTime?: Date
  /** A name of RFC 5280 §5.3.1. */
  readonly revocationReason?: string
  readonly thisUpdate: Date
  readonly nextUpdate?: Date
  /** Until when it counts. */
  readonly usableUntil: Date
  /** The responder or distribution point that answered. */
  readonly url: string
  /** With source `ocsp`. */
  readonly response?: VerifiedOcspResponse
  /** It was held from before. */
  readonly isCached: boolean
  /** What failed before it came, in order. */
  readonly failures: readonly StapleError[]
  readonly elapsedMs: number
  /** The answering server's HTTP Date minus our clock. */
  readonly dateSkewMs?: number
}

/** Asks CAs, with single flight and a cache per certID. Verdicts on the answers are the caller's. */
export interface StatusAsker {
  /**
   * Learns the status of a certificate from its CA.
   *
   * @throws {@link StapleError} `ERR_PEER_STATUS_UNAVAILABLE` with every cause; the signal's reason when aborted
   */
  ask(question: StatusQuestion, signal?: AbortSignal): Promise<StatusAnswer>
  /** The answer held for it that still counts; asks nobody. */
  recall(certificate: Certificate, issuer: Certificate): StatusAnswer | undefined
  /** Takes in a response that came another way (a staple) and was verified: it answers the next question. */
  remember(certificate: Certificate, issuer: Certificate, response: VerifiedOcspResponse): void
  close(): Promise<void>
}
