/** What a terminator is told: addresses, sites, a keeper that holds the staples, and limits with their defaults. */
import type { Clock } from '../../keep/clock.ts'
import type { Keeper } from '../../keep/keeper/index.ts'
import type { Mode, Policies } from '../attach/policy.ts'

export interface TerminatorOptions {
  readonly listeners: readonly ListenAddress[]
  /** At least one; the first is the default, for clients that name no site. */
  readonly sites: readonly TerminatorSite[]
  /** Holds the staples. Whoever made it adds the certificates and closes it. */
  readonly keeper: Keeper
  readonly clock?: Clock
  /** Where sites without a backend of their own are served from, as `tcp://host:port`. */
  readonly backend?: string
  /** Protocols offered in ALPN, the first preferred. Default: none, and what a client offers is not answered. */
  readonly alpn?: readonly string[]
  /** Default 2 s, as nats-server. A handshake that takes longer is cut. */
  readonly handshakeTimeoutMs?: number
  /** Default 0: never. A connection on which no byte moved for so long, either way, is closed. */
  readonly idleTimeoutMs?: number
  /** Default 60 s without a byte once one side has ended its stream; then the other is cut. 0: never. */
  readonly halfCloseTimeoutMs?: number
  /** Default 5 s. */
  readonly connectTimeoutMs?: number
  /** Default 65,536 in all; a further one is closed at once. */
  readonly maxConnections?: number
  /** Default 2,048 handshakes at the same time; a further connection is closed at once. */
  readonly maxHandshakes?: number
  /** Default 30 s. What is still open then is cut. */
  readonly drainTimeoutMs?: number
  /** A name that no site has: the default site (default), or refused. */
  readonly unknownSni?: 'default' | 'refuse'
  /** 48 bytes that several processes share, so that each resumes the others' sessions; whoever passes them rotates them. */
  readonly ticketKeys?: Buffer
}

/** Port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

export interface TerminatorSite {
  /** As SNI names them; `*.example.net` is every name with one label more. May be empty for the default site. */
  readonly names: readonly string[]
  /** One, or one per family of keys (EC, RSA, Edwards curves). */
  readonly certificates: readonly TerminatorCertificate[]
  readonly backend?: string
  readonly mode: Mode
  readonly policies: Policies
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  readonly ciphers?: string
  /** Groups are agreed on before the site is known, so the default site's count for all. */
  readonly ecdhCurve?: string
}

export interface TerminatorCertificate {
  /** PEM, the leaf first. */
  readonly chain: string
  readonly key: string | Buffer
  readonly passphrase?: string
  /** What the keeper knows it by. */
  readonly certificateKey: string
}

/** The defaults of {@link TerminatorOptions}. */
export const terminatorDefaults = {
  handshakeTimeoutMs: 2_000,
  idleTimeoutMs: 0,
  halfCloseTimeoutMs: 60_000,
  connectTimeoutMs: 5_000,
  maxConnections: 65_536,
  maxHandshakes: 2_048,
  drainTimeoutMs: 30_000,
  unknownSni: 'default',
} as const
