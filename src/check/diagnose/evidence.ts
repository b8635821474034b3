/**
 * What the rules of this folder look at: what was seen of a target, what follows from it, and what the CA says.
 *
 * Put together by gather.ts; no rule connects anywhere.
 */
import type { StapleError } from '../../errors.ts'
import type { Diagnosis } from '../../pki/ocsp/diagnose.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import type { ConnectionRecord, ProbeRecord, TrustRecord } from '../probe/record.ts'
import type { StatusAnswer } from '../revocation/contract.ts'

export interface Evidence {
  readonly record: ProbeRecord
  /** The moment that is judged at: `--at`, else when the probe was made. */
  readonly at: Date
  /** One per certificate that was shown, in the order they were first seen. */
  readonly certificates: readonly CertificateEvidence[]
  /** Look at what is put beside stapling, too. */
  readonly stack: boolean
}

/** One leaf that the target showed. */
export interface CertificateEvidence {
  readonly certificate: Certificate
  readonly certificateKey: string
  /** The connections that showed it. */
  readonly connections: readonly ConnectionRecord[]
  /** Proven to have issued it; absent: not found, and no staple of it can be judged. */
  readonly issuer?: Certificate
  /** Where the issuer was found. */
  readonly issuerSource?: 'sent' | 'given' | 'fetched'
  /** Why it was not found, where it was looked for. */
  readonly issuerFailure?: StapleError
  /** The first connection's. */
  readonly trust: TrustRecord
  /** Each distinct staple, in the order they were first seen. */
  readonly staples: readonly StapleEvidence[]
  /** What the CA says now; absent: nobody was asked. */
  readonly live?: LiveEvidence
}

export interface StapleEvidence {
  readonly der: Uint8Array
  readonly connections: readonly ConnectionRecord[]
  /** Every rule's verdict; absent where the issuer is not known. */
  readonly diagnosis?: Diagnosis
}

/** What was asked, and what came of it. */
export interface LiveEvidence {
  readonly ocsp?: StatusAnswer | StapleError
  readonly crl?: StatusAnswer | StapleError
}
