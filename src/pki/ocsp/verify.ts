/**
 * The proof that a response is authentic, about this certificate, and current: every rule passed.
 */

import { viewBytes } from '../der/bytes.ts'
import type { HashAlgorithm } from '../x509/algorithm.ts'
import type { Certificate } from '../x509/certificate.ts'
import { formatName } from '../x509/name.ts'
import { isKnownHash } from './cert-id.ts'
import type { Candidate, Judgement, Match, VerifyWarning } from './judgement.ts'
import { resolvePolicies, type VerifyOptions } from './options.ts'
import type { BasicResponse } from './response.ts'
import { effectiveNextUpdateOf, rules } from './rules.ts'
import type { CertStatus, SingleResponse } from './single-response.ts'

/** A response that passed every rule at the moment it was judged. Its existence is the proof. */
export interface VerifiedOcspResponse {
  /** Exactly as received. */
  readonly der: Uint8Array
  readonly certStatus: CertStatus
  readonly revocationTime?: Date
  /** A name of RFC 5280 §5.3.1. */
  readonly revocationReason?: string
  readonly producedAt: Date
  readonly thisUpdate: Date
  /** As stated. */
  readonly nextUpdate?: Date
  /** As stated, or thisUpdate + `maxAgeWithoutNextUpdateMs`. */
  readonly effectiveNextUpdate: Date
  /** The earliest end of all that makes the response acceptable: its entries' windows and the signer's certificate. */
  readonly usableUntil: Date
  /** The entry that counts. */
  readonly singleResponse: SingleResponse
  readonly signer: VerifiedSigner
  /** Entries about this certificate disagree: evidence of revocation, but not to be stapled. */
  readonly isContradictory: boolean
  /** Of the certIDs that match this certificate, in order, each once. */
  readonly hashAlgorithms: readonly HashAlgorithm[]
  readonly responseNonce?: Uint8Array
  /** By policy `delegateWithoutNocheck: 'check'`: whether the signer's own status must be asked before this counts. */
  readonly needsDelegateCheck: boolean
  readonly warnings: readonly VerifyWarning[]
}

export interface VerifiedSigner {
  readonly kind: 'issuer' | 'delegated' | 'configured'
  /** The subject, as text. */
  readonly name: string
  /** Of a delegated or configured responder. */
  readonly certificate?: Certificate
}

/**
 * Verifies that a response answers for `certificate`, was signed by or for `issuer`, and counts at `at`.
 *
 * A verified answer may be `revoked` or `unknown`: what follows from that is the caller's. The chain above the issuer
 * is the caller's too.
 *
 * @see RFC 6960 §3.2, and rules.ts
 * @throws {@link StapleError} of the first rule that refuses it
 * @example Refuse a stale response
 * ```ts
 * const verified = verifyOcspResponse(der, { certificate, issuer, at: new Date() })
 * if (verified.certStatus === 'good') console.log('good until', verified.usableUntil)
 * ```
 */
export function verifyOcspResponse(der: Uint8Array, options: VerifyOptions): VerifiedOcspResponse {
  const judgement: Judgement = { der: viewBytes(der, 'der'), policies: resolvePolicies(options), warnings: [] }
  for (const rule of rules) rule.check(judgement)
  return concludeFrom(judgement)
}

/** What every rule passed has established. */
export function concludeFrom(judgement: Judgement): VerifiedOcspResponse {
  const { der, warnings, matches, decisive, basicResponse, signer } = judgement as Required<Judgement>
  const { singleResponse } = decisive
  const { certStatus, revocationTime, revocationReason, thisUpdate, nextUpdate } = singleResponse
  const hashAlgorithms = distinctHashAlgorithms(matches)
  if (hashAlgorithms.every((algorithm) => algorithm !== 'sha1')) {
    const message = `the certID is only given as ${hashAlgorithms.join(', ')}: curl, Java, HAProxy and Envoy look for SHA-1`
    warnings.push({ code: 'only-sha256', message })
  }
  return {
    der,
    certStatus,
    ...(revocationTime === undefined ? {} : { revocationTime }),
    ...(revocationReason === undefined ? {} : { revocationReason }),
    producedAt: basicResponse.producedAt,
    thisUpdate,
    ...(nextUpdate === undefined ? {} : { nextUpdate }),
    effectiveNextUpdate: effectiveNextUpdateOf(singleResponse, judgement),
    usableUntil: usableUntil(judgement, matches, signer),
    singleResponse,
    signer: describeSigner(signer),
    isContradictory: matches.some((match) => match.singleResponse.certStatus !== certStatus),
    hashAlgorithms,
    ...nonceOf(basicResponse),
    needsDelegateCheck: judgement.needsDelegateCheck === true,
    warnings,
  }
}

function distinctHashAlgorithms(matches: readonly Match[]): HashAlgorithm[] {
  const algorithms = new Set<HashAlgorithm>()
  for (const { singleResponse } of matches) {
    const { hashAlgorithm } = singleResponse.certID
    if (isKnownHash(hashAlgorithm)) algorithms.add(hashAlgorithm)
  }
  return [...algorithms]
}

function usableUntil(judgement: Judgement, matches: readonly Match[], { kind, certificate }: Candidate): Date {
  // A client may look at any of the matching entries, so all must count.
  const ends = matches.map(({ singleResponse }) => effectiveNextUpdateOf(singleResponse, judgement).getTime())
  if (kind !== 'issuer') ends.push(certificate.notAfter.getTime())
  return new Date(Math.min(...ends))
}

function describeSigner({ kind, certificate }: Candidate): VerifiedSigner {
  const name = formatName(certificate.subject)
  return kind === 'issuer' ? { kind, name } : { kind, name, certificate }
}

function nonceOf({ nonce }: BasicResponse): { readonly responseNonce?: Uint8Array } {
  return nonce === undefined ? {} : { responseNonce: nonce }
}
