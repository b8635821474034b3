/**
 * What a caller may ask of verification: the certificate in question, the moment, and the policies, each with its default.
 */

import { viewBytes } from '../der/bytes.ts'
import { asCount, asMoment } from '../x509/arguments.ts'
import { asCertificate, type Certificate } from '../x509/certificate.ts'
import { defaultMaxBytes } from './limits.ts'

export interface VerifyOptions {
  /** The certificate in question, decoded or as DER. Decoded is faster: what is computed from it is kept. */
  readonly certificate: Certificate | Uint8Array
  /** Its issuer, which the caller has proven. */
  readonly issuer: Certificate | Uint8Array
  /** The moment to judge at; nothing here reads the clock. */
  readonly at: Date
  /** The nonce that was sent: a response with another one is refused. */
  readonly nonce?: Uint8Array
  /** Refuse a response without a nonce where one was sent; default false, for few responders echo it. */
  readonly requireNonce?: boolean
  /** How far thisUpdate may lie after `at`; milliseconds, default 300,000; never more than half the window. */
  readonly allowedClockSkewMs?: number
  /** How far `at` may lie after nextUpdate; milliseconds, default 0. Not for what is held or served. */
  readonly nextUpdateToleranceMs?: number
  /** How long a response without nextUpdate counts from its thisUpdate; milliseconds, default 3,600,000. */
  readonly maxAgeWithoutNextUpdateMs?: number
  /** From which window on a warning says that it is too long; milliseconds, default 10 days. */
  readonly maxValidityMs?: number
  /** The largest response read; bytes, default 65,536. */
  readonly maxBytes?: number
  /**
   * What to do with a delegated responder whose certificate lacks id-pkix-ocsp-nocheck: `accept` it with a warning
   * (default), `refuse` it, or accept it and say in `needsDelegateCheck` that its own status is to be asked.
   */
  readonly delegateWithoutNocheck?: 'accept' | 'refuse' | 'check'
  /** `certificateKey`s of delegated responders known to be revoked: always refused. */
  readonly revokedDelegates?: ReadonlySet<string>
  /** A certificate trusted to sign for this issuer by local configuration. */
  readonly responderCertificate?: Certificate | Uint8Array
  /** What lowers safety. */
  readonly danger?: {
    /** Accept SHA-1 in signatures of responses and delegated responders; default false. */
    readonly allowSha1Signatures?: boolean
  }
}

/** The options with every default filled in and every argument checked. */
export interface Policies {
  readonly certificate: Certificate
  readonly issuer: Certificate
  readonly at: Date
  readonly nonce: Uint8Array | undefined
  readonly requireNonce: boolean
  readonly allowedClockSkewMs: number
  readonly nextUpdateToleranceMs: number
  readonly maxAgeWithoutNextUpdateMs: number
  readonly maxValidityMs: number
  readonly maxBytes: number
  readonly delegateWithoutNocheck: 'accept' | 'refuse' | 'check'
  readonly revokedDelegates: ReadonlySet<string> | undefined
  readonly responderCertificate: Certificate | undefined
  readonly allowSha1Signatures: boolean
}

/** Checks the caller's arguments and fills in the defaults. @throws TypeError naming the option */
export function resolvePolicies(options: VerifyOptions): Policies {
  const { nonce, responderCertificate, delegateWithoutNocheck = 'accept' } = options
  const at = asMoment(options.at, 'at')
  if (!nocheckPolicies.has(delegateWithoutNocheck)) {
    throw new TypeError(`delegateWithoutNocheck must be accept, refuse or check, not ${delegateWithoutNocheck}`)
  }
  if (options.requireNonce === true && nonce === undefined) {
    throw new TypeError('requireNonce needs nonce, the one that was sent')
  }
  return {
    certificate: asCertificate(options.certificate, 'certificate'),
    issuer: asCertificate(options.issuer, 'issuer'),
    at,
    nonce: nonce === undefined ? undefined : viewBytes(nonce, 'nonce'),
    requireNonce: options.requireNonce === true,
    allowedClockSkewMs: asCount(options.allowedClockSkewMs, 300_000, 'allowedClockSkewMs'),
    nextUpdateToleranceMs: asCount(options.nextUpdateToleranceMs, 0, 'nextUpdateToleranceMs'),
    maxAgeWithoutNextUpdateMs: asCount(options.maxAgeWithoutNextUpdateMs, 3_600_000, 'maxAgeWithoutNextUpdateMs'),
    maxValidityMs: asCount(options.maxValidityMs, 10 * 86_400_000, 'maxValidityMs'),
    maxBytes: asCount(options.maxBytes, defaultMaxBytes, 'maxBytes'),
    delegateWithoutNocheck,
    revokedDelegates: options.revokedDelegates,
    responderCertificate:
      responderCertificate === undefined ? undefined : asCertificate(responderCertificate, 'responderCertificate'),
    allowSha1Signatures: options.danger?.allowSha1Signatures === true,
  }
}

const nocheckPolicies: ReadonlySet<string> = new Set(['accept', 'refuse', 'check'])
