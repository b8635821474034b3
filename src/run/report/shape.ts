/**
 * What `staplewright check` tells, as plain data: the JSON, and what text, metrics and page are made from. Types only.
 *
 * fields.ts has the meaning of each field, and docs/reference/check.md is made from it. Moments are `Date`s, which JSON
 * writes as text; bytes are base64.
 */
import type { CertificateEvidence, Unasked } from '../../check/diagnose/evidence.ts'
import type { Remedy, ServerKind, Severity } from '../../check/diagnose/finding.ts'
import type { Offer, StarttlsProtocol } from '../../check/probe/record.ts'

/** The words of monitoring plugins. */
export type Verdict = 'ok' | 'warning' | 'critical' | 'unknown'

/** One run of the command. */
export interface CheckReport {
  readonly verdict: Verdict
  readonly because: readonly string[]
  readonly at: Date
  readonly elapsedMs: number
  readonly unchecked: number
  readonly targets: readonly TargetReport[]
}

export interface TargetReport {
  readonly target: string
  readonly host: string
  readonly port: number
  readonly serverName?: string
  readonly starttls?: StarttlsProtocol
  readonly verdict: Verdict
  readonly because: string
  readonly at: Date
  readonly elapsedMs: number
  readonly server?: { readonly kind: ServerKind; readonly because: readonly string[] }
  readonly addresses: readonly string[]
  readonly connections: readonly ConnectionReport[]
  readonly certificates: readonly CertificateReport[]
  readonly findings: readonly FindingReport[]
  readonly notes: readonly string[]
  readonly error?: ErrorReport
}

export interface ConnectionReport extends Offer {
  readonly address: string
  readonly number: number
  readonly connectMs: number
  readonly handshakeMs?: number
  readonly cipher?: string
  readonly alpn?: string
  readonly certificateKey?: string
  readonly isStapled?: boolean
  readonly greeting?: string
  readonly error?: ErrorReport
}

export interface CertificateReport {
  readonly certificateKey: string
  readonly subject: string
  readonly names: readonly string[]
  readonly serialNumber: string
  readonly issuer: string
  readonly issuerSource?: NonNullable<CertificateEvidence['issuerSource']>
  readonly notBefore: Date
  readonly notAfter: Date
  readonly key: string
  readonly mustStaple: boolean
  readonly responderURLs: readonly string[]
  readonly isTrusted: boolean
  readonly distrust?: string
  readonly connections: number
  readonly stapled: number
  readonly staples: readonly StapleReport[]
  readonly unasked?: Unasked
  readonly live?: { readonly ocsp?: AnswerReport; readonly crl?: AnswerReport }
  readonly chain: readonly string[]
}

export interface StapleReport {
  readonly connections: number
  readonly isAccepted: boolean
  readonly certStatus?: string
  readonly thisUpdate?: Date
  readonly nextUpdate?: Date
  readonly effectiveNextUpdate?: Date
  readonly producedAt?: Date
  readonly usableUntil?: Date
  readonly revocationTime?: Date
  readonly revocationReason?: string
  readonly signer?: { readonly kind: string; readonly name: string; readonly notAfter?: Date }
  readonly hashAlgorithms?: readonly string[]
  readonly refusals: readonly { readonly rule: string; readonly clause: string; readonly error: ErrorReport }[]
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
  readonly bytes: number
  readonly der: string
}

export interface AnswerReport {
  readonly certStatus?: string
  readonly url?: string
  readonly thisUpdate?: Date
  readonly nextUpdate?: Date
  readonly revocationTime?: Date
  readonly revocationReason?: string
  readonly elapsedMs?: number
  readonly error?: ErrorReport
}

export interface FindingReport {
  readonly code: string
  readonly severity: Severity
  readonly title: string
  readonly meaning: string
  readonly evidence: readonly string[]
  readonly remedies: readonly Remedy[]
  readonly certificateKey?: string
}

export interface ErrorReport {
  readonly code: string
  readonly message: string
  readonly detail?: unknown
}
