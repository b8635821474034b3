/**
 * What a caller may ask of a CRL's verification: the certificate in question, the moment, and the policies.
 */

import { asCount, asMoment } from '../x509/arguments.ts'
import { asCertificate, type Certificate } from '../x509/certificate.ts'

export interface VerifyCrlOptions {
  /** The certificate in question, decoded or as DER. */
  readonly certificate: Certificate | Uint8Array
  /** Its issuer, which the caller has proven, and whose key must have signed the CRL. */
  readonly issuer: Certificate | Uint8Array
  /** The moment to judge at; nothing here reads the clock. */
  readonly at: Date
  /** How far thisUpdate may lie after `at`; milliseconds, default 300,000; never more than half the window. */
  readonly allowedClockSkewMs?: number
  /** How far `at` may lie after nextUpdate; milliseconds, default 0. */
  readonly nextUpdateToleranceMs?: number
  /** The largest CRL read; bytes, default 67,108,864. */
  readonly maxBytes?: number
  /** What lowers safety. */
  readonly danger?: {
    /** Accept SHA-1 in the CRL's signature; default false. */
    readonly allowSha1Signatures?: boolean
  }
}

/** The options with every default filled in and every argument checked. */
export interface CrlPolicies {
  readonly certificate: Certificate
  readonly issuer: Certificate
  readonly at: Date
  readonly allowedClockSkewMs: number
  readonly nextUpdateToleranceMs: number
  readonly maxBytes: number
  readonly allowSha1Signatures: boolean
}

/** Bytes of a whole CRL: one of a million entries has about 40,000,000. A design choice, not a clause. */
export const defaultMaxCrlBytes: number = 64 * 1024 * 1024

/** Checks the caller's arguments and fills in the defaults. @throws TypeError naming the option */
export function resolvePolicies(options: VerifyCrlOptions): CrlPolicies {
  return {
    certificate: asCertificate(options.certificate, 'certificate'),
    issuer: asCertificate(options.issuer, 'issuer'),
    at: asMoment(options.at, 'at'),
    allowedClockSkewMs: asCount(options.allowedClockSkewMs, 300_000, 'allowedClockSkewMs'),
    nextUpdateToleranceMs: asCount(options.nextUpdateToleranceMs, 0, 'nextUpdateToleranceMs'),
    maxBytes: asCount(options.maxBytes, defaultMaxCrlBytes, 'maxBytes'),
    allowSha1Signatures: options.danger?.allowSha1Signatures === true,
  }
}
