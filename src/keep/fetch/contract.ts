/**
 * What the fetcher is asked and what it gives: the types of this folder's door, and nothing that runs.
 *
 * The keeper (keep/keeper) asks; who serves staples never comes here.
 */

import type { LookupFunction } from 'node:net'
import type { StapleError } from '../../errors.ts'
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
  /** The certID's hash; default `auto`: SHA-1, and SHA-256 only where the responder refuses SHA-1. */
  readonly hashAlgorithm?: 'auto' | 'sha1' | 'sha256'
  /** Default `auto`: GET when the whole URL is at most 255 bytes, else POST, and the other one where that fails. */
  readonly method?: 'auto' | HttpMethod
  /** Default `operator`. A stranger's addresses are asked only after its chain was verified, and as `privateAddresses` says. */
  readonly origin?: Origin
  /** Accepted as signer beside the issuer and its delegates, by local configuration. */
  readonly responderCertificate?: Certificate
  /** The end of the whole attempt, in milliseconds from its first request; default 30 000. */
  readonly deadlineMs?: number
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

/** Asks responders and finds issuers over HTTP. Decides nothing about when. */
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
}
