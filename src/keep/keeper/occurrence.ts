/**
 * The keeper's vocabulary: what can happen to an entry (occurrences in), and what the shell is to do (orders out).
 */
import type { StapleError } from '../../errors.ts'
import type { VerifiedOcspResponse } from '../../pki/ocsp/verify.ts'
import type { EntryEvent } from './events.ts'

/** Why nothing came of a look into the store. */
export type LoadFault =
  /** The store could not be read. */
  | 'unreadable'
  /** Undecodable, about another certificate, or with a broken signature: to be set aside. */
  | 'damaged'
  /** Only its time keeps it out: it stays, and is judged again when the clock steps. */
  | 'out-of-time'
  /** A rule or policy of ours refuses it; it may be good for others who use the store. */
  | 'refused'

/** What happened. */
export type Occurrence =
  /** The certificate was looked at: after it was added, and again when who keeps it wants something else. */
  | {
      readonly type: 'prepared'
      readonly isRequired: boolean
      readonly unsupportedReason: string | undefined
      readonly hasIssuer: boolean
      /** Its issuer is not at hand and cannot be fetched: why. */
      readonly issuerError: StapleError | undefined
    }
  /** caIssuers gave the issuer, proven; or, without a URL, it came to hand otherwise. */
  | { readonly type: 'issuer-fetched'; readonly url: string | undefined }
  | { readonly type: 'issuer-failed'; readonly error: StapleError }
  /** The store was read; without a response there was nothing in it. */
  | { readonly type: 'loaded'; readonly response: VerifiedOcspResponse | undefined }
  | { readonly type: 'load-failed'; readonly fault: LoadFault; readonly error: StapleError }
  | {
      readonly type: 'fetched'
      readonly response: VerifiedOcspResponse
      readonly responderURL: string
      readonly maxAgeMs: number | undefined
    }
  | { readonly type: 'fetch-failed'; readonly error: StapleError }
  | { readonly type: 'saved'; readonly staple: Uint8Array }
  | { readonly type: 'save-failed'; readonly staple: Uint8Array; readonly error: StapleError }
  /** Another writer put something into the store. */
  | { readonly type: 'store-changed' }
  /** The operator wants it asked now. */
  | { readonly type: 'refresh-asked' }
  /** The moment that a `wake` order named has come, or it is time to look. */
  | { readonly type: 'woken' }
  /** The wall clock stepped by so much, beside the monotonic one. */
  | { readonly type: 'clock-jumped'; readonly byMs: number }

/** What the shell is to do. Each ends in an occurrence, but `refuse-stored`, `wake` and `emit`. */
export type Order =
  | { readonly type: 'load' }
  | { readonly type: 'fetch'; readonly deadlineMs: number }
  | { readonly type: 'fetch-issuer' }
  | { readonly type: 'save'; readonly staple: Uint8Array }
  | { readonly type: 'refuse-stored'; readonly reason: string }
  /** Replaces the wake before; undefined: no need. */
  | { readonly type: 'wake'; readonly at: number | undefined }
  | { readonly type: 'emit'; readonly event: EntryEvent }
