/**
 * What the keeper knows of one certificate, as plain values: step.ts turns one entry into the next.
 *
 * A hundred thousand of them fit into one process, so they hold numbers and the staple's bytes, not decoded structures.
 * Moments are milliseconds since 1970. Every key is always there, so that all entries have one shape.
 */
import type { ErrorCode } from '../../errors.ts'
import type { VerifiedOcspResponse } from '../../pki/ocsp/verify.ts'
import { isServable } from './window.ts'

/** What may be said of one certificate's staple at one moment. */
export type StapleState = 'missing' | 'fresh' | 'due' | 'stale' | 'revoked' | 'unknown' | 'unsupported'

/** A verified response: its exact bytes and the facts that deciding needs. */
export interface Staple {
  readonly der: Uint8Array
  readonly certStatus: 'good' | 'revoked' | 'unknown'
  readonly source: 'network' | 'store'
  readonly thisUpdate: number
  /** As stated; undefined when the response has none. */
  readonly nextUpdate: number | undefined
  readonly effectiveNextUpdate: number
  /** effectiveNextUpdate, or the end of the delegated signer's certificate when that is sooner. */
  readonly usableUntil: number
  readonly signer: string
}

/** A verified revocation. It never goes stale: only a later `good` lifts it. */
export interface Revocation {
  readonly thisUpdate: number
  readonly revocationTime: number | undefined
  readonly revocationReason: string | undefined
  /** Kept until the event was emitted: one out of the store waits for the responder to be asked once more. */
  readonly unsaid: VerifiedOcspResponse | undefined
}

/** The last failure, for people. */
export interface LastError {
  readonly code: ErrorCode
  readonly message: string
  readonly at: number
  /** The codes behind it: a failure of the same causes is a repeat. */
  readonly causes: string
}

/** What holds for every entry of a keeper; one object, shared. */
export interface Limits {
  readonly maxStapleBytes: number
  readonly maxIntervalMs: number
}

/** All that is known of one certificate. Immutable. */
export interface Entry {
  readonly limits: Limits
  readonly notBefore: number
  readonly notAfter: number
  /** Without a servable staple, the responder is asked at the urgent cadence. */
  readonly isRequired: boolean
  /** Why no responder is ever asked; undefined when one is. */
  readonly unsupportedReason: string | undefined
  /** It was looked at: until then nothing else that happens counts. */
  readonly isPrepared: boolean
  /** The issuer is at hand and proven: responses can be verified. */
  readonly hasIssuer: boolean
  /** Where the pseudo-random sequence of this entry stands. */
  readonly seed: number

  /** A `good` or `revoked` response; kept when out of its time, for a clock may step back. */
  readonly held: Staple | undefined
  readonly revocation: Revocation | undefined
  /** Evidence beside what is held: the responder says that it does not know the certificate. */
  readonly unknown: Staple | undefined
  /** What the store still lacks. */
  readonly unsaved: Uint8Array | undefined
  /** The store has a staple that only its time kept out: looked at again when the clock steps. */
  readonly isStoredOutOfTime: boolean

  readonly isLoading: boolean
  readonly isAsking: boolean
  /** The first load and the first attempt have ended, or a staple is servable. */
  readonly isSettled: boolean

  /** When to ask next; undefined while asking, loading for the first time, or when never. */
  readonly refreshAt: number | undefined
  /** When a newer response than the held one is wanted. */
  readonly dueAt: number | undefined
  readonly loadAt: number | undefined
  readonly saveAt: number | undefined
  /** The soonest of all of them and of the withdrawal: what the shell was told last. */
  readonly wakeAt: number | undefined
  readonly lastRequestAt: number | undefined
  readonly lastFetchAt: number | undefined
  /** Since when a required staple is lacking. */
  readonly urgentSince: number | undefined
  readonly urgentAttempts: number

  /** Attempts that failed in a row. */
  readonly failures: number
  readonly saveFailures: number
  readonly lastError: LastError | undefined
  readonly lastRefusal: ErrorCode | undefined
  /** Who answered last. */
  readonly responderURL: string | undefined

  /** The event `stale` was emitted, `restored` not yet. */
  readonly isWithdrawn: boolean
  readonly isUnsupportedSaid: boolean
  readonly isExpirySaid: boolean
  /** The codes of the warnings that were emitted about the staple held. */
  readonly warned: string
}

/**
 * What an entry is judged by at each handshake, as plain data: for another process, which judges by its own clock and
 * stays right when nobody tells it anything more. The moments at which the judgement changes are in it.
 */
export interface ServableSnapshot {
  readonly held: StapleSnapshot | undefined
  /** Evidence beside what is held: the responder does not know the certificate. */
  readonly unknown: StapleSnapshot | undefined
  /** Present when a verified revocation is held, whether it can be stapled or not. */
  readonly revocation: object | undefined
  /** When a newer response than the held one is wanted. */
  readonly dueAt: number | undefined
  readonly unsupportedReason: string | undefined
}

/** A staple and its window. */
export type StapleSnapshot = Pick<Staple, 'der' | 'certStatus' | 'thisUpdate' | 'usableUntil'>

/** What is known of a certificate before anything happened. */
export type EntryStart = Pick<Entry, 'limits' | 'notBefore' | 'notAfter' | 'isRequired' | 'seed'>

/** Creates the entry of a certificate that was just added. */
export function createEntry(start: EntryStart): Entry {
  return {
    limits: start.limits,
    notBefore: start.notBefore,
    notAfter: start.notAfter,
    isRequired: start.isRequired,
    unsupportedReason: undefined,
    isPrepared: false,
    hasIssuer: false,
    seed: start.seed,
    held: undefined,
    revocation: undefined,
    unknown: undefined,
    unsaved: undefined,
    isStoredOutOfTime: false,
    isLoading: false,
    isAsking: false,
    isSettled: false,
    refreshAt: undefined,
    dueAt: undefined,
    loadAt: undefined,
    saveAt: undefined,
    wakeAt: undefined,
    lastRequestAt: undefined,
    lastFetchAt: undefined,
    urgentSince: undefined,
    urgentAttempts: 0,
    failures: 0,
    saveFailures: 0,
    lastError: undefined,
    lastRefusal: undefined,
    responderURL: undefined,
    isWithdrawn: false,
    isUnsupportedSaid: false,
    isExpirySaid: false,
    warned: '',
  }
}

/** Creates a staple from a response that passed every rule. */
export function createStaple(response: VerifiedOcspResponse, source: Staple['source']): Staple {
  return {
    der: response.der,
    certStatus: response.certStatus,
    source,
    thisUpdate: response.thisUpdate.getTime(),
    nextUpdate: response.nextUpdate?.getTime(),
    effectiveNextUpdate: response.effectiveNextUpdate.getTime(),
    usableUntil: response.usableUntil.getTime(),
    signer: response.signer.name,
  }
}

/**
 * Judges the state at a moment. What the responder last said comes first: a verified revocation, then a verified
 * `unknown` still in its window, both also while a `good` staple is held; then whether that staple may be served.
 */
export function judgeState(entry: ServableSnapshot, now: number): StapleState {
  if (entry.revocation !== undefined) return 'revoked'
  if (entry.unknown !== undefined && isServable(entry.unknown, now)) return 'unknown'
  if (entry.held !== undefined) {
    if (!isServable(entry.held, now)) return 'stale'
    return entry.dueAt !== undefined && now >= entry.dueAt ? 'due' : 'fresh'
  }
  return entry.unsupportedReason === undefined ? 'missing' : 'unsupported'
}

/** Tells whether a required staple is lacking and a responder could give one: the urgent cadence. */
export function isUrgent(entry: Entry, now: number): boolean {
  return (
    entry.isRequired &&
    entry.unsupportedReason === undefined &&
    now < entry.notAfter &&
    !(entry.held !== undefined && isServable(entry.held, now))
  )
}
