/**
 * What the admin doors want to know of a daemon, and may ask it to do. The daemon implements it; nothing here knows how.
 */
import type { EntryStatus } from '../../keep/keeper/index.ts'

/** The daemon as it is at one moment. */
export interface DaemonStatus {
  readonly pid: number
  readonly version: string
  readonly startedAt: Date
  /** closed: the doors wait for staples. */
  readonly phase: 'closed' | 'open' | 'draining'
  /** Why it is not ready; empty when it is. */
  readonly causes: readonly string[]
  readonly configFile: string
  /** As `host:port`. */
  readonly addresses: readonly string[]
  readonly staples: readonly StapleStatus[]
  readonly front: FrontCounts
  readonly workers: readonly WorkerStatus[]
  /** Absent where no CA is asked about clients. */
  readonly peerCache?: PeerCacheStatus
  readonly lastReload?: { readonly at: Date; readonly isDone: boolean; readonly message: string }
}

/** An entry of the keeper, and where it is shown. */
export interface StapleStatus extends EntryStatus {
  readonly sites: readonly string[]
  /** A certificate that is ready beside the old one, and why it is not shown yet. */
  readonly waiting?: { readonly cause: string; readonly deadline?: Date }
}

/** A process that serves. */
export interface WorkerStatus {
  readonly pid: number
  readonly state: 'serving' | 'starting' | 'gone'
}

/** Since the start, over all workers; `connections` and `handshakes` are those of now. */
export interface FrontCounts {
  readonly connections: number
  readonly handshakes: number
  readonly accepted: number
  readonly refusedConnections: number
  readonly secured: number
  readonly failedHandshakes: number
  readonly refusedHandshakes: number
  readonly stapled: number
  readonly unstapled: number
  readonly failedBackends: number
  readonly acceptedPeers: number
  readonly warnedPeers: number
  readonly refusedPeers: number
  readonly closedPeers: number
}

/** `ocsp_cache`: what is held of what CAs said about clients. */
export interface PeerCacheStatus {
  readonly type: 'local' | 'none'
  /** Questions that were answered from it, and those for which a CA had to be asked. */
  readonly hits: number
  readonly misses: number
  /** Answers held now. */
  readonly good: number
  readonly revoked: number
  readonly unknown: number
}

/** What a reload came to. */
export interface ReloadOutcome {
  readonly isDone: boolean
  readonly message: string
  /** Each as `file:line:column: …`, when the configuration is to blame. */
  readonly problems?: readonly string[]
}

/** What asking responders came to. */
export interface RefreshOutcome {
  /** The labels of the certificates that were asked about. */
  readonly asked: readonly string[]
  readonly failed: readonly { readonly label: string; readonly message: string }[]
}

/** A daemon that answers for itself. */
export interface AdminSubject {
  status(): Promise<DaemonStatus>
  /** Resolves when the reload is done or was given up; never rejects. */
  reload(): Promise<ReloadOutcome>
  /** All, or those whose label, file, site name, serial or certificateKey (or a prefix of 8+ digits) is `which`. */
  refresh(which?: string): Promise<RefreshOutcome>
}
