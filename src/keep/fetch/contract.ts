/**
 * What the fetcher is asked and what it gives: the types of this folder's door, and nothing that runs.
 *
 * The keeper (keep/keeper) asks; who serves staples never comes here.
 */

import type { IncomingHttpHeaders } from 'node:http'
import type { LookupFunction } from 'node:net'
import type { StapleError } from '../../errors.ts'
import type { VerifiedCrl } from '../../pki/crl/verified.ts'
import type { VerifyOptions } from '../../pki/ocsp/options.ts'
import type { VerifiedOcspResponse } from '../../pki/ocsp/verify.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import type { HashAlgorithm } from '../../pki/x509/crypto.ts'
import type { Clock } from '../clock.ts'

/** Whose word an address comes from: the operator's configuration and certificates, or a certificate somebody showed us. */
export type Origin = 'operator' | 'stranger'

export type HttpMethod = 'get' | 'post'

/** One certificate to ask about, and where. */
export interface StapleQuestion {
  readonly certificate: Certificate
  /** Proven to have issued it; here it is taken at its word. */
  readonly issuer: Certificate
  /** In order of preference, already resolved: the operator's override, else the certificate's AIA. */
  readonly responderURLs: readonly string[]
  /**
   * The certID's hash; default `auto`: SHA-1, and SHA-256 only where the responder refuses SHA-1. `prefer-sha256` is the
   * other way round, for answers that are not stapled; who needs SHA-1 is remembered for a day. @see RFC 9919 §3
   */
  readonly hashAlgorithm?: 'auto' | 'prefer-sha256' | 'sha1' | 'sha256'
  /** Default `auto`: GET when the whole URL is at most 255 bytes, else POST, and the other one where that fails. */
  readonly method?: 'auto' | HttpMethod
  /** Default `operator`. A stranger's addresses are asked only after its chain was verified, and as `privateAddresses` says. */
  readonly origin?: Origin
  /** Accepted as signer beside the issuer and its delegates, by local configuration. */
  readonly responderCertificate?: Certificate
  /** The end of the whole attempt, in milliseconds from its first request; default 30 000. */
  readonly deadlineMs?: number
  /** Whether the answer is to be stapled, so that `maxStapleBytes` counts; default true. */
  readonly isToBeStapled?: boolean
}

/** An answer that passed every rule, whatever its certStatus. */
export interface FetchedStaple {
  readonly response: VerifiedOcspResponse
  /** Which of the question's URLs answered. */
  readonly responderURL: string
  readonly method: HttpMethod
  readonly hashAlgorithm: HashAlgorithm
  /** From the attempt's first request to the answer. */
  readonly elapsedMs: number
  /** How long HTTP calls the answer fresh, from now; a hint, the signed times rule. */
  readonly maxAgeMs?: number
  /** The responder's HTTP Date minus our clock: positive when ours is behind. */
  readonly dateSkewMs?: number
  /** What failed before this answer came, in order. */
  readonly failures: readonly StapleError[]
}

/** One certificate to look up in its issuer's CRL, and where that is. */
export interface CrlQuestion {
  readonly certificate: Certificate
  /** Proven to have issued it; here it is taken at its word. */
  readonly issuer: Certificate
  /** Instead of the certificate's own distribution points, in order of preference. */
  readonly crlURLs?: readonly string[]
  /** As a {@link StapleQuestion}'s. */
  readonly origin?: Origin
  /** The end of it all, in milliseconds; default 60,000. */
  readonly deadlineMs?: number
  /** Download even where a CRL is held that still counts; default false. */
  readonly isFresh?: boolean
}

/** A CRL that passed every rule for that certificate, and what it says about it. */
export interface FetchedCrl {
  /** Holds nothing of the CRL's bytes. */
  readonly crl: VerifiedCrl
  /** The distribution point that it came from. */
  readonly url: string
  /** It was held from before, and nothing was downloaded. */
  readonly isCached: boolean
  readonly elapsedMs: number
  /** The server's HTTP Date minus our clock; absent with a CRL that was held. */
  readonly dateSkewMs?: number
  /** What failed before it came, in order. */
  readonly failures: readonly StapleError[]
}

/** One HTTP request and what came of it, redirects included; for people who want to see. */
export interface HttpExchange {
  readonly method: 'GET' | 'POST'
  /** The whole URL that was asked first, without credentials. */
  readonly url: string
  /** Where redirects led, in order. */
  readonly redirects: readonly string[]
  /** The OCSP request as DER, whichever the method; absent when something else was asked for. */
  readonly request?: Uint8Array
  /** Of the last hop; absent when none answered. */
  readonly status?: number
  readonly headers?: Readonly<IncomingHttpHeaders>
  /** The body that came; absent when it did not come whole. */
  readonly body?: Uint8Array
  /** Why there is no whole answer. What an answer means is not judged here. */
  readonly error?: unknown
  readonly elapsedMs: number
}

/** Asks responders, finds issuers and CRLs over HTTP. Decides nothing about when. */
export interface Fetcher {
  /**
   * Asks every responder, by every method and hash that could help, until one answer passes every rule.
   *
   * Equal questions asked at the same time share one attempt.
   *
   * @throws {@link StapleError} `ERR_FETCH_FAILED` when all failed, with every cause; `ERR_FETCH_CLOSED`; the signal's reason when aborted
   */
  fetchStaple(question: StapleQuestion, signal?: AbortSignal): Promise<FetchedStaple>
  /**
   * Fetches the issuer from the leaf's caIssuers addresses: DER, PEM or PKCS#7, and proven against the leaf.
   *
   * @throws {@link StapleError} `ERR_FETCH_NO_ISSUER` when none gave it, with every cause
   */
  fetchIssuer(leaf: Certificate, signal?: AbortSignal, origin?: Origin): Promise<Certificate>
  /**
   * Looks a certificate up in its issuer's CRL: one distribution point after the other, until one gives a CRL that
   * passes every rule. What was downloaded is held and serves the next questions; equal downloads are made once.
   *
   * @throws {@link StapleError} `ERR_FETCH_FAILED` when all failed, or there is none to ask, with every cause;
   * `ERR_FETCH_CLOSED`; the signal's reason when aborted
   */
  fetchCrl(question: CrlQuestion, signal?: AbortSignal): Promise<FetchedCrl>
  /** Ends what is under way (`ERR_FETCH_CLOSED`) and closes the connections kept open. */
  close(): Promise<void>
}

/** The policies of acceptance that a fetcher passes on to `verifyOcspResponse`; undefined is as absent. */
export type VerifyPolicies = {
  readonly [Policy in
    | 'allowedClockSkewMs'
    | 'maxAgeWithoutNextUpdateMs'
    | 'maxValidityMs'
    | 'delegateWithoutNocheck'
    | 'danger']?: VerifyOptions[Policy] | undefined
}

export interface FetcherOptions extends VerifyPolicies {
  readonly clock: Clock
  /** The User-Agent header; default `staplewright`. */
  readonly userAgent?: string
  /** `environment` (default): http_proxy, https_proxy, all_proxy, no_proxy; `none`; or the URL of a proxy for everything. */
  readonly proxy?: 'environment' | 'none' | (string & {})
  /** Where `environment` is read, once; default process.env. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Resolves host names; default Node's own dns.lookup, which asks the system. */
  readonly lookup?: LookupFunction
  /**
   * Whether loopback, private, link-local and other special addresses may be asked; default operator allow, stranger
   * refuse. One word is the operator's; strangers get theirs only by name.
   */
  readonly privateAddresses?: 'allow' | 'refuse' | Partial<Readonly<Record<Origin, 'allow' | 'refuse'>>>
  /** Additional roots for responders on https, PEM; default only Node's own. */
  readonly ca?: readonly string[]
  /** Requests at once to one host; default 8. */
  readonly perHost?: number
  /** Requests at once in all; default 64. */
  readonly total?: number
  /** Default 5000: name resolution, connection, TLS. */
  readonly connectTimeoutMs?: number
  /** Default 10 000: one request, redirects included, to the last byte of its answer. */
  readonly requestTimeoutMs?: number
  /** Default 30 000: all requests of one attempt; a question may say its own. */
  readonly deadlineMs?: number
  /** When the next URL is asked although the previous one may still answer; default 2000. */
  readonly nextURLAfterMs?: number
  /** Redirects followed per request; default 3. */
  readonly redirects?: number
  /** Default 65 536; an answer's body beyond it is not read. */
  readonly maxBytes?: number
  /** Default 16 000: a larger response cannot be stapled and counts as a failure. */
  readonly maxStapleBytes?: number
  /** Failures in a row after which a host is asked by one probe at a time; default 5. */
  readonly breakAfter?: number
  /** Default 64 MiB; a CRL beyond it is not read. */
  readonly maxCrlBytes?: number
  /** Default 128 MiB: CRLs held for the next question, in all; 0 holds none. */
  readonly maxCrlCacheBytes?: number
  /** Default 12 h: a CRL held for longer is downloaded anew, so that a revocation is noticed before its nextUpdate. */
  readonly maxCrlAgeMs?: number
  /** Told of every HTTP exchange when it has ended. Must not throw. */
  readonly exchanged?: (exchange: HttpExchange) => void
}
