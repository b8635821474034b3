/** What metrics are taken from: the daemon as it is at the moment of a scrape. A part of what the admin doors know of it. */
import type { EntryStatus } from '../../keep/keeper/index.ts'

export interface Measured {
  readonly version: string
  readonly startedAt: Date
  readonly phase: 'closed' | 'open' | 'draining'
  /** Why it is not ready; empty when it is. */
  readonly causes: readonly string[]
  readonly staples: readonly MeasuredStaple[]
  readonly front: Readonly<Record<FrontCount, number>>
  readonly workers: readonly { readonly state: 'serving' | 'starting' | 'gone' }[]
  readonly peerCache?: Readonly<Record<'hits' | 'misses' | 'good' | 'revoked' | 'unknown', number>>
  readonly lastReload?: { readonly at: Date; readonly isDone: boolean }
}

/** An entry of the keeper, and the names of the sites that show it. */
export interface MeasuredStaple extends EntryStatus {
  readonly sites: readonly string[]
  /** Set while it stands behind the gate, its predecessor being shown. */
  readonly waiting?: object
}

export type FrontCount =
  | 'connections'
  | 'handshakes'
  | 'accepted'
  | 'refusedConnections'
  | 'secured'
  | 'failedHandshakes'
  | 'refusedHandshakes'
  | 'stapled'
  | 'unstapled'
  | 'failedBackends'
  | 'acceptedPeers'
  | 'warnedPeers'
  | 'refusedPeers'
  | 'closedPeers'
