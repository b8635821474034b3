/** An entry as people and programs see it: dates instead of numbers, judged at one moment. */
import type { ErrorCode } from '../../errors.ts'
import { type Entry, judgeState, type StapleState } from './entry.ts'
import { withdrawAt } from './window.ts'

/** What is known of one certificate's staple. Times are absent where there is nothing to tell. */
export interface EntryStatus {
  readonly certificateKey: string
  readonly label: string
  /** As text: `CN=localhost,O=Example`. */
  readonly subject: string
  /** Lower-case hex. */
  readonly serialNumber: string
  readonly mustStaple: boolean
  readonly stapleState: StapleState
  readonly isRequired: boolean
  /** Of what is held, whether it may be served now or not. */
  readonly certStatus?: 'good' | 'revoked'
  readonly thisUpdate?: Date
  /** As stated. */
  readonly nextUpdate?: Date
  /** As stated, or thisUpdate and the policy for responses without it. */
  readonly effectiveNextUpdate?: Date
  /** When it is no longer served: before nextUpdate by the margin. */
  readonly withdrawAt?: Date
  /** The next request; absent while one is under way, or when there is none to come. */
  readonly refreshAt?: Date
  /** Who answered last; else who is asked first. */
  readonly responderURL?: string
  /** Who signed what is held. */
  readonly signer?: string
  readonly source?: 'network' | 'store'
  /** The last answer that passed every rule, whatever it said. */
  readonly lastFetch?: Date
  /** Why the last attempt failed; absent after a success. */
  readonly lastError?: { readonly code: ErrorCode; readonly message: string; readonly at: Date }
  /** Attempts that failed in a row. */
  readonly failures: number
  readonly revocationTime?: Date
  readonly revocationReason?: string
  /** Until when a verified `unknown` stands beside what is held. */
  readonly unknownUntil?: Date
  readonly unsupportedReason?: string
  /** The held staple is not on disk yet. */
  readonly isUnsaved: boolean
  /** Of the certificate itself. */
  readonly notAfter: Date
}

/** What does not change about a kept certificate. */
export interface Kept {
  readonly certificateKey: string
  readonly label: string
  readonly subject: string
  readonly serialNumber: string
  readonly mustStaple: boolean
  readonly responderURLs: readonly string[]
}

/** Describes an entry at a moment. */
export function describeEntry(kept: Kept, entry: Entry, now: number): EntryStatus {
  const { held, revocation, unknown, lastError } = entry
  const responderURL = entry.responderURL ?? kept.responderURLs[0]
  return {
    certificateKey: kept.certificateKey,
    label: kept.label,
    subject: kept.subject,
    serialNumber: kept.serialNumber,
    mustStaple: kept.mustStaple,
    stapleState: judgeState(entry, now),
    isRequired: entry.isRequired,
    ...(held && {
      certStatus: held.certStatus === 'revoked' ? 'revoked' : 'good',
      thisUpdate: new Date(held.thisUpdate),
      ...(held.nextUpdate !== undefined && { nextUpdate: new Date(held.nextUpdate) }),
      effectiveNextUpdate: new Date(held.effectiveNextUpdate),
      withdrawAt: new Date(withdrawAt(held)),
      signer: held.signer,
      source: held.source,
    }),
    ...(entry.refreshAt !== undefined && { refreshAt: new Date(entry.refreshAt) }),
    ...(responderURL !== undefined && { responderURL }),
    ...(entry.lastFetchAt !== undefined && { lastFetch: new Date(entry.lastFetchAt) }),
    ...(lastError && { lastError: { code: lastError.code, message: lastError.message, at: new Date(lastError.at) } }),
    failures: entry.failures,
    ...(revocation?.revocationTime !== undefined && { revocationTime: new Date(revocation.revocationTime) }),
    ...(revocation?.revocationReason !== undefined && { revocationReason: revocation.revocationReason }),
    ...(unknown && { unknownUntil: new Date(withdrawAt(unknown)) }),
    ...(entry.unsupportedReason !== undefined && { unsupportedReason: entry.unsupportedReason }),
    isUnsaved: entry.unsaved !== undefined,
    notAfter: new Date(entry.notAfter),
  }
}
