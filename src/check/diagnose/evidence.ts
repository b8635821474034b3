/**
 * What the rules of this folder look at: what was seen of a target, what follows from it, and what the CA says.
 *
 * Put together by gather.ts; no rule connects anywhere.
 */
import type { StapleError } from '../../errors.ts'
import type { Origin } from '../../keep/fetch/index.ts'
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
  /** Leaves that could not be decoded. */
  readonly unreadable: readonly UnreadableLeaf[]
  /** `operator` where the target itself is on private addresses alone: then the addresses in its certificates may be, too. */
  readonly origin: Origin
  /** Look at what is put beside stapling, too. */
  readonly stack: boolean
}

/** One leaf that the target showed. */
export interface CertificateEvidence {
  readonly certificate: Certificate
  readonly certificateKey: string
  /** As sent, the leaf first; what stands after it as far as it can be decoded. */
  readonly chain: readonly Certificate[]
  /** The connections that showed it. */
  readonly connections: readonly ConnectionRecord[]
  /** Proven to have issued it; absent: not found, and no staple of it can be judged. */
  readonly issuer?: Certificate
  /** Where the issuer was found: in the chain, in `ca`, among the roots of this machine, at its caIssuers address. */
  readonly issuerSource?: 'sent' | 'given' | 'trusted' | 'fetched'
  /** Why it was not found, where it was looked for. */
  readonly issuerFailure?: StapleError
  /** The first connection's. */
  readonly trust: TrustRecord
  /** Each distinct staple, in the order they were first seen. */
  readonly staples: readonly StapleEvidence[]
  /** What the CA says now; absent: nobody was asked, and `unasked` says why. */
  readonly live?: LiveEvidence
  readonly unasked?: Unasked
}

/**
 * Why a CA was not asked: it was not to be; a stranger's chain that does not verify names addresses that nobody should
 * be sent to; there is no issuer to prove an answer by; the certificate names no address; it has expired.
 */
export type Unasked = 'asked-not-to' | 'chain-unverified' | 'no-issuer' | 'no-address' | 'expired'

export interface UnreadableLeaf {
  readonly error: StapleError
  readonly connections: readonly ConnectionRecord[]
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
