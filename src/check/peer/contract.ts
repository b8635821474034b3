/**
 * What a verifying client is told and what it tells: the types of the door `staplewright/peer`, and nothing that runs.
 */
import type { TLSSocket } from 'node:tls'
import type { StapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import type { Fetcher, FetcherOptions } from '../../keep/fetch/index.ts'
import type { VerifyOptions } from '../../pki/ocsp/options.ts'
import type { CertStatus } from '../../pki/ocsp/single-response.ts'
import type { VerifiedOcspResponse } from '../../pki/ocsp/verify.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import type { RevocationPolicy, StatusAnswer } from '../revocation/index.ts'

/**
 * What a peer must show.
 *
 * - `require`: a good staple, and nothing else will do.
 * - `mustStaple`: a good staple where its certificate demands one (RFC 7633); elsewhere none is needed, but one that
 *   comes must be good (RFC 6066 §8).
 * - `staple-or-ask`: a good staple, or else a good answer from the CA. What cannot be learned is refused.
 * - `soft`: as staple-or-ask, but what cannot be learned is accepted. A revoked certificate never is.
 */
export type PeerPolicy = 'require' | 'mustStaple' | 'staple-or-ask' | 'soft'

/** What was learned about a peer that was accepted. */
export interface PeerVerdict {
  /**
   * Who says so: its staple; its CA, by OCSP or CRL; the proof that came with the session now resumed; or nobody, because
   * the policy accepts that.
   */
  readonly source: 'staple' | 'ocsp' | 'crl' | 'session' | 'none'
  /** Absent where nothing was learned; `unknown` only under the policy soft. Never `revoked`: that is refused. */
  readonly certStatus?: Exclude<CertStatus, 'revoked'>
  /** Until when that counts; absent where nothing was learned. */
  readonly usableUntil?: Date
  readonly policy: PeerPolicy
  /** False only under `danger.unverifiedChain`: then nothing is known of the peer, not even who it is. */
  readonly isChainVerified: boolean
  /** The peer's certificate. */
  readonly certificate: Certificate
  /** It demands to be stapled (RFC 7633). */
  readonly isMustStaple: boolean
  /** What was stapled and verified. */
  readonly staple?: VerifiedOcspResponse
  /** Why what was stapled does not count. */
  readonly stapleRefused?: StapleError
  /** What the CA said, where it was asked. */
  readonly answer?: StatusAnswer
  /** What the CA said of the certificates above the peer's, in order, where they are asked about. */
  readonly intermediates: readonly StatusAnswer[]
  /** What could not be learned, under the policy soft. */
  readonly failures: readonly StapleError[]
  /** From the end of the handshake to the verdict, in milliseconds. */
  readonly elapsedMs: number
}

export interface PeerVerifierOptions {
  /** Default `staple-or-ask`. */
  readonly policy?: PeerPolicy
  /** How the CA is asked where it is asked; default `ocsp-then-crl`. */
  readonly revocation?: RevocationPolicy
  /** Ask about the certificates between the peer's and the root too; nobody can staple those. Default false. */
  readonly intermediates?: boolean
  /**
   * `remember` (default): a TLS session is resumed while the proof that came with it holds, else there is a full
   * handshake. `off`: each connection is a full handshake.
   */
  readonly resumption?: 'remember' | 'off'
  /** TLS sessions remembered, each for one name and port; default 100. */
  readonly maxSessions?: number
  /**
   * How long a proof serves again, for a resumed session or out of the cache, although it counts for longer, so that a
   * revocation is noticed; milliseconds, default 12 h.
   */
  readonly maxAgeMs?: number
  /** The end of connecting and the handshake; milliseconds, default 10,000. */
  readonly connectTimeoutMs?: number
  /** The end of the judgement after it, everything asked included; milliseconds, default 10,000. */
  readonly judgeTimeoutMs?: number
  /** Certificates whose answers are held; default 1000. */
  readonly cacheEntries?: number
  /** How long a CA that failed is not asked again about the same certificate; milliseconds, default 5000. */
  readonly unavailableMs?: number
  /** How far a thisUpdate may lie ahead; milliseconds, default 300,000. */
  readonly allowedClockSkewMs?: number
  /** How far a staple's nextUpdate may lie back; milliseconds, default 0. */
  readonly nextUpdateToleranceMs?: number
  /** As `verifyOcspResponse` has it. */
  readonly maxAgeWithoutNextUpdateMs?: number
  /**
   * As `verifyOcspResponse` has it; default `accept`. `check` looks the delegated responder up in the CRL that covers it,
   * and a staple counts only if that says good.
   */
  readonly delegateWithoutNocheck?: VerifyOptions['delegateWithoutNocheck']
  /** Whether private and loopback addresses that a peer's certificate names may be asked; default refuse. */
  readonly privateAddresses?: 'allow' | 'refuse'
  /** How requests to CAs leave this machine; default `environment`. */
  readonly proxy?: FetcherOptions['proxy']
  /** Resolves the host names of CAs; default Node's own dns.lookup. */
  readonly lookup?: FetcherOptions['lookup']
  /** Asks the CAs instead of a fetcher made from these options; stays the caller's to close. */
  readonly fetcher?: Pick<Fetcher, 'fetchStaple' | 'fetchCrl'>
  /** Default the machine's. */
  readonly clock?: Clock
  /** Told of every verdict before its connection is handed over, for logs. Must not throw. */
  readonly judged?: (verdict: PeerVerdict, socket: TLSSocket) => void
  /** What lowers safety. */
  readonly danger?: {
    /**
     * Go on with a peer whose chain Node did not verify (`rejectUnauthorized: false`). Its issuer is whoever it says, so
     * nothing is asked, and the verdict is never good.
     */
    readonly unverifiedChain?: boolean
    /** Accept SHA-1 in signatures of responses and CRLs. */
    readonly allowSha1Signatures?: boolean
  }
}
