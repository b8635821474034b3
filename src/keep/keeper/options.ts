/** What a keeper is made of and what it offers: the types of this folder's door. */
import type { VerifyOptions } from '../../pki/ocsp/options.ts'
import type { Clock } from '../clock.ts'
import type { Fetcher } from '../fetch/index.ts'
import type { Store } from '../store/index.ts'
import type { Limits, ServableSnapshot } from './entry.ts'
import type { KeptCertificate } from './kept-certificate.ts'
import type { Listeners } from './listeners.ts'
import type { Servable } from './servable.ts'
import type { EntryStatus } from './status.ts'

/** How strictly a staple out of the store is judged; give the fetcher the same. */
export type KeeperVerifyPolicies = Pick<
  VerifyOptions,
  | 'allowedClockSkewMs'
  | 'maxAgeWithoutNextUpdateMs'
  | 'maxValidityMs'
  | 'maxBytes'
  | 'delegateWithoutNocheck'
  | 'danger'
>

export interface KeeperOptions extends KeeperVerifyPolicies {
  /** Where staples rest between runs. Not closed by the keeper. */
  readonly store: Store
  /** Who asks the responders. Not closed by the keeper. */
  readonly fetcher: Pick<Fetcher, 'fetchStaple' | 'fetchIssuer'>
  /** Default the machine's. */
  readonly clock?: Clock
  /** The largest staple that is held, in bytes; default 16,000: Node's TLS 1.2 refuses about 16 KiB and more. */
  readonly maxStapleBytes?: number
  /** The longest time between two requests, in milliseconds; default 12 h: how late a revocation is noticed. */
  readonly maxIntervalMs?: number
  /** Numbers in [0, 1) that seed each entry's jitter; default node:crypto's. Give a fixed one to repeat a run. */
  readonly random?: () => number
}

/** Keeps the staples of any number of certificates. */
export interface Keeper extends Pick<Listeners, 'on' | 'off' | 'subscribe'> {
  /**
   * Begins to keep a certificate. Adding the same one again counts: it is kept until it was removed as often. The last
   * one added says how to ask; it is required when it is for any.
   *
   * @throws TypeError when there is no certificate in it; {@link StapleError} `ERR_X509_…` when it cannot be decoded,
   * `ERR_KEEPER_CLOSED`
   */
  add(kept: KeptCertificate): KeptEntry
  /** Takes one `add` back, the oldest first; after the last, what is under way is given up. Nothing happens when unknown. */
  remove(certificateKey: string): void
  /**
   * What may be sent in a handshake at this moment; `missing` for what is not kept. A few comparisons: call it in each.
   * After `close()` it goes on judging what is held.
   *
   * @see RFC 6066 §8, RFC 8446 §4.4.2.1
   */
  servable(certificateKey: string): Servable
  /** What {@link Keeper.servable} judges by, for another process to judge; undefined when it is not kept. */
  snapshot(certificateKey: string): ServableSnapshot | undefined
  /** What is known of a certificate; undefined when it is not kept. */
  entry(certificateKey: string): EntryStatus | undefined
  /** The same of all, in the order in which they were added. */
  entries(): readonly EntryStatus[]
  /**
   * Asks now: for one certificate, or for all. Resolves when the attempts have ended, either way; `entry` says how.
   *
   * @throws {@link StapleError} `ERR_KEEPER_UNKNOWN_CERTIFICATE`, `ERR_KEEPER_CLOSED`
   */
  refresh(certificateKey?: string): Promise<void>
  /**
   * Resolves when the first look into the store and the first attempt have ended, either way, or a staple is servable.
   * A revocation out of the store counts only after the responder was asked once more.
   *
   * @throws {@link StapleError} `ERR_KEEPER_UNKNOWN_CERTIFICATE`, `ERR_KEEPER_CLOSED`
   */
  settled(certificateKey: string): Promise<void>
  /** Gives up what is asked, waits for what is being saved (at most 5 s). Store and fetcher stay open. */
  close(): Promise<void>
}

/** One certificate as one who added it holds it. */
export interface KeptEntry {
  readonly certificateKey: string
  /** As {@link Keeper.servable}, without looking the certificate up. */
  servable(): Servable
  status(): EntryStatus
  /** As {@link Keeper.settled}. */
  settled(): Promise<void>
  /** Takes this very `add` back. */
  remove(): void
}

/** Checks the options and fills in the defaults. @throws TypeError naming the option */
export function resolveOptions(options: KeeperOptions): { limits: Limits; policies: KeeperVerifyPolicies } {
  const { store, fetcher, maxStapleBytes = 16_000, maxIntervalMs = 12 * 3_600_000 } = options
  if (typeof store?.load !== 'function') throw new TypeError('store: expected a Store')
  if (typeof fetcher?.fetchStaple !== 'function') throw new TypeError('fetcher: expected a Fetcher')
  for (const [name, value] of Object.entries({ maxStapleBytes, maxIntervalMs })) {
    if (!(value > 0)) throw new TypeError(`${name}: expected a number greater than 0, found ${value}`)
  }
  const { allowedClockSkewMs, maxAgeWithoutNextUpdateMs, maxValidityMs, maxBytes, delegateWithoutNocheck, danger } =
    options
  return {
    limits: { maxStapleBytes, maxIntervalMs },
    policies: {
      ...(allowedClockSkewMs !== undefined && { allowedClockSkewMs }),
      ...(maxAgeWithoutNextUpdateMs !== undefined && { maxAgeWithoutNextUpdateMs }),
      ...(maxValidityMs !== undefined && { maxValidityMs }),
      ...(maxBytes !== undefined && { maxBytes }),
      // `check` is the fetcher's: a stored staple passed it, and must be served also where nobody can be asked.
      ...(delegateWithoutNocheck === 'refuse' && { delegateWithoutNocheck }),
      ...(danger !== undefined && { danger }),
    },
  }
}
