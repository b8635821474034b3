/** What a terminator is told: a plan of its front, a keeper that holds the staples, and defaults. */
import type { Clock } from '../../keep/clock.ts'
import type { Keeper } from '../../keep/keeper/index.ts'
import type { Mode, Policies } from '../attach/policy.ts'

/**
 * All that a reload may change about a front. Plain data, so that one process can send it to another: no functions, no
 * sockets, every file read already.
 */
export interface FrontPlan {
  readonly listeners: readonly ListenAddress[]
  /** At least one; the first is the default, for clients that name no site. */
  readonly sites: readonly TerminatorSite[]
  /** Where sites without a backend of their own are served from. */
  readonly backend?: BackendOption
  /** What is spoken behind TLS. Default `tcp`: bytes are passed on as they are. */
  readonly protocol?: 'tcp' | 'nats'
  /** How NATS clients come in; only with protocol `nats`. */
  readonly nats?: NatsOptions
  /** Protocols offered in ALPN, the first preferred. Default: none, and what a client offers is not answered. */
  readonly alpn?: readonly string[]
  /** A name that no site has: the default site (default), or refused. */
  readonly unknownSni?: 'default' | 'refuse'
  /** Networks (`192.0.2.0/24`) whose connections must begin with a PROXY header. Default: none, and a header is refused. */
  readonly acceptProxyProtocol?: readonly string[]
  /** Tell the backend the client's address in a PROXY header of this version. Default: none. */
  readonly sendProxyProtocol?: 'v1' | 'v2'
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
  /** Default: no limit. New connections per second; a further one is closed at once. */
  readonly connectionRateLimit?: number
  /** Default 30 s. What is still open then is cut. */
  readonly drainTimeoutMs?: number
}

export interface TerminatorOptions extends FrontPlan {
  /** Holds the staples. Whoever made it adds the certificates and closes it. */
  readonly keeper: StapleSource
  readonly clock?: Clock
  /** 48 bytes that several processes share, so that each resumes the others' sessions; whoever passes them rotates them. */
  readonly ticketKeys?: Buffer
  /** Judges clients where a site's `clientAuth` has `ocspPeer`; needed there. */
  readonly judgePeer?: JudgePeer
}

/**
 * Judges a client by what its CAs say of its certificates. OpenSSL has verified the chain; no byte of the client's is
 * passed on before this resolves. What it says is final: it knows the policy. A rejection counts as a CA out of reach.
 */
export type JudgePeer = (question: PeerQuestion, signal: AbortSignal) => Promise<PeerJudgement>

/** Plain data, as is the answer: a worker sends it to the process that asks for all. */
export interface PeerQuestion {
  /** DER, the leaf first. */
  readonly chain: readonly Uint8Array[]
  /** Each is issued by the next, up to a self-signed root of `ca`. If not, nobody whom it names may be believed or asked. */
  readonly isProven: boolean
  readonly policy: PeerPolicy
  /** Answers that came longer ago do not count, unless no newer one can be had. Absent: as long as they say. */
  readonly maxAgeMs?: number
}

export interface PeerJudgement {
  /** `warned`: accepted, but only because a switch of the policy says so. */
  readonly outcome: 'accepted' | 'warned' | 'refused'
  readonly reason: PeerReason
  /** The leaf's subject, as text. */
  readonly subject: string
  /** In one sentence; absent where there is nothing to say. */
  readonly message?: string
  /** How long it may be repeated where nobody can be asked. */
  readonly usableUntil?: Date
}

export type PeerReason =
  | 'good'
  /** No certificate of the chain says where its status can be asked. */
  | 'no-responder'
  | 'revoked'
  | 'unknown'
  /** The CA could not be reached. */
  | 'unavailable'
  /** The CA's last word, out of date by now, was that it is revoked, and no newer one can be had. */
  | 'was-revoked'
  /** What came from the CA proves nothing. */
  | 'answer-refused'
  /** The chain does not lead to a root by its signatures. */
  | 'unproven'

/** What a terminator needs of a keeper; a worker has a copy of one instead. */
export type StapleSource = Pick<Keeper, 'servable' | 'subscribe'>

/** Port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** One address as `tcp://host:port` or `tls://host:port`, or a group of them. */
export type BackendOption = string | BackendGroup

/** Several backends that serve the same: asked in turn, those that do not answer left out for a while. */
export interface BackendGroup {
  /** Each `tcp://host:port` or `tls://host:port`. */
  readonly urls: readonly string[]
  /** PEM of the CAs that a `tls://` backend's certificate must come from. Default: those of Node. */
  readonly ca?: string
  /** The name that a `tls://` backend's certificate must have, and that is sent in SNI. Default: the URL's host. */
  readonly serverName?: string
  /** Do not verify a `tls://` backend at all. Default false. */
  readonly isUnverified?: boolean
}

export interface NatsOptions {
  /**
   * When the TLS handshake comes: after the INFO line (`after-info`, nats-server's default), before anything
   * (`first`), or first if the client speaks within so many milliseconds, else after INFO.
   */
  readonly handshake: 'after-info' | 'first' | { readonly waitMs: number }
  /** `host:port`s that take the place of `connect_urls`; none: the field is removed. */
  readonly advertise: readonly string[]
}

export interface TerminatorSite {
  /** As SNI names them; `*.example.net` is every name with one label more. May be empty for the default site. */
  readonly names: readonly string[]
  /** One, or one per family of keys (EC, RSA, Edwards curves). */
  readonly certificates: readonly TerminatorCertificate[]
  readonly backend?: BackendOption
  readonly mode: Mode
  readonly policies: Policies
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  readonly ciphers?: string
  /** Groups are agreed on before the site is known, so the default site's count for all. */
  readonly ecdhCurve?: string
  /** Ask clients for a certificate and refuse those without one from these CAs. Default: clients are not asked. */
  readonly clientAuth?: ClientAuth
}

export interface ClientAuth {
  /** PEM of the CAs that clients' certificates must come from. */
  readonly ca: string
  /** Lower-case hex SHA-256 of the public keys (SubjectPublicKeyInfo) that alone are let in. Default: any. */
  readonly pinnedKeys?: readonly string[]
  /** Ask the CAs whether the certificates still count, and resume no session. Default: they are not asked. */
  readonly ocspPeer?: PeerPolicy
}

/** How clients are judged by what their CAs say. Plain data. */
export interface PeerPolicy {
  /** From the end of the handshake to the verdict, at most. */
  readonly deadlineMs: number
  /** For one certificate, and one address of its CA. */
  readonly caTimeoutMs: number
  readonly allowedClockSkewMs: number
  readonly maxAgeWithoutNextUpdateMs: number
  readonly isWarnOnly: boolean
  readonly isUnknownGood: boolean
  readonly isUnreachableAllowed: boolean
  readonly whenNoResponder: 'allow' | 'refuse'
  readonly revocation: 'ocsp' | 'crl' | 'ocsp-then-crl'
  /** How often the CAs are asked about those whose connections are open; 0: never. */
  readonly recheckMs: number
  readonly responders: readonly PeerResponder[]
}

/** Where and how to ask about the certificates of an issuer, or those that name a URL. */
export interface PeerResponder {
  /** The issuer's subject, or the URL. */
  readonly key: string
  readonly isURL: boolean
  readonly responderURLs?: readonly string[]
  readonly hashAlgorithm?: 'sha1' | 'sha256'
  readonly method?: 'get' | 'post'
  /** DER of a certificate whose signature counts too. */
  readonly responderCertificate?: Uint8Array
}

export interface TerminatorCertificate {
  /** PEM, the leaf first. */
  readonly chain: string
  readonly key: string | Buffer
  readonly passphrase?: string
  /** What the keeper knows it by. */
  readonly certificateKey: string
}

/** The defaults of {@link FrontPlan}. */
export const terminatorDefaults = {
  protocol: 'tcp',
  handshakeTimeoutMs: 2_000,
  idleTimeoutMs: 0,
  halfCloseTimeoutMs: 60_000,
  connectTimeoutMs: 5_000,
  maxConnections: 65_536,
  maxHandshakes: 2_048,
  drainTimeoutMs: 30_000,
  unknownSni: 'default',
} as const
