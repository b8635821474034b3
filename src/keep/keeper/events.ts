/**
 * What the keeper tells: one event per change, with the entry as it is afterwards. Facts travel up as events; who logs,
 * counts or publishes them is not known here.
 */
import type { StapleError } from '../../errors.ts'
import type { VerifyWarning } from '../../pki/ocsp/judgement.ts'
import type { VerifiedOcspResponse } from '../../pki/ocsp/verify.ts'
import type { Suspect } from './clock-watch.ts'
import type { EntryStatus } from './status.ts'

/** Something worth knowing that stops nothing. */
export interface KeeperWarning {
  readonly code: VerifyWarning['code'] | 'certificate-expired'
  readonly message: string
}

/** What happened to one certificate's staple. */
export type EntryEvent =
  /** A staple out of the store is held. */
  | { readonly type: 'loaded'; readonly response: VerifiedOcspResponse }
  /** The responder answered, and its answer is what is held now. `isNew`: it was not held before. */
  | {
      readonly type: 'refreshed'
      readonly response: VerifiedOcspResponse
      readonly responderURL: string
      readonly isNew: boolean
    }
  /** A whole attempt failed. `failures`: how many in a row; `isRepeat`: for the same causes as the one before. */
  | {
      readonly type: 'refresh-failed'
      readonly error: StapleError
      readonly retryAt: Date | undefined
      readonly failures: number
      readonly isRepeat: boolean
    }
  /** The first answer after failures. */
  | { readonly type: 'recovered'; readonly failures: number }
  /** A verified answer was not taken: it is worse than what is held, too large to staple, or refused by a policy. */
  | { readonly type: 'refused'; readonly error: StapleError; readonly isRepeat: boolean }
  /** A verified revocation. One out of the store is told after the responder was asked once more. */
  | {
      readonly type: 'revoked'
      readonly revocationTime: Date | undefined
      readonly revocationReason: string | undefined
      readonly response: VerifiedOcspResponse
    }
  /** A later `good` lifted the revocation (certificateHold). */
  | { readonly type: 'unrevoked'; readonly response: VerifiedOcspResponse }
  /** The responder says that it does not know the certificate; said when it begins. */
  | { readonly type: 'unknown'; readonly response: VerifiedOcspResponse }
  /** The held staple was withdrawn: its time has come, or the clock says that it has not come yet. */
  | { readonly type: 'stale' }
  /** A staple is servable again after `stale`. */
  | { readonly type: 'restored' }
  /** The store did not take a staple; it is held in memory and saved again later. Once until it changes. */
  | { readonly type: 'save-failed'; readonly error: StapleError }
  /** The store takes staples again. */
  | { readonly type: 'save-recovered' }
  /** The store could not be read. Once until it changes. */
  | { readonly type: 'load-failed'; readonly error: StapleError }
  /**
   * A stored staple was refused. `isSetAside`: it is damaged or about another certificate, and was renamed; else a rule
   * of ours refuses what others who use the store may accept, and it stays where it is.
   */
  | { readonly type: 'store-refused'; readonly error: StapleError; readonly isSetAside: boolean }
  /** No responder is ever asked about this certificate; a normal, quiet state. Once. */
  | { readonly type: 'unsupported'; readonly reason: string }
  /** The issuer came from the certificate's caIssuers address, and is proven. */
  | { readonly type: 'issuer-fetched'; readonly url: string }
  /** The issuer is not at hand. Asked again at `retryAt`, if it can be had at all. */
  | { readonly type: 'no-issuer'; readonly error: StapleError; readonly retryAt: Date | undefined }
  /** A responder's HTTP Date is more than 5 min off: positive when our clock is behind. Once until it changes. */
  | {
      readonly type: 'clock-suspect'
      readonly responderURL: string
      readonly skewMs: number
      readonly suspect: Suspect
    }
  | { readonly type: 'warning'; readonly warning: KeeperWarning }

/** What every event about a certificate carries. */
export interface EventContext {
  readonly certificateKey: string
  /** What logs call the certificate. */
  readonly label: string
  readonly at: Date
  /** As it is after the event. */
  readonly entry: EntryStatus
}

/** The wall clock stepped by more than 30 s; every entry was judged anew. About no certificate in particular. */
export interface ClockJumped {
  readonly type: 'clock-jumped'
  readonly at: Date
  readonly byMs: number
  readonly certificateKey?: never
  readonly label?: never
  readonly entry?: never
}

/** Everything that a keeper tells. */
export type KeeperEvent = (EntryEvent & EventContext) | ClockJumped

/** The event of one type. */
export type KeeperEventOf<T extends KeeperEvent['type']> = Extract<KeeperEvent, { readonly type: T }>
