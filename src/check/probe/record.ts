/**
 * What was seen of one target: plain facts, no opinion. The types of this folder's door; diagnose/ judges them.
 */
import type { StapleError } from '../../errors.ts'

/** Protocols that begin in clear and go over to TLS when asked. */
export const starttlsProtocols = ['smtp', 'imap', 'pop3', 'ftp', 'ldap', 'postgres', 'mysql', 'xmpp', 'nats'] as const

export type StarttlsProtocol = (typeof starttlsProtocols)[number]

/** What is to be looked at. */
export interface Target {
  /** As a person wrote it, or the configuration names it; what reports call it. */
  readonly label: string
  /** The name or address that is connected to. */
  readonly host: string
  readonly port: number
  /** Sent as SNI, and what the certificate must be for; default `host`. An address is never sent. */
  readonly serverName?: string
  readonly starttls?: StarttlsProtocol
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'
export type KeyFamily = 'rsa' | 'ecdsa'

/** All that one probe of a target brought. */
export interface ProbeRecord {
  readonly target: Target
  /** By our clock, when it began. */
  readonly at: Date
  readonly elapsedMs: number
  /** What the name resolved to; the target's own address when it is one. Empty: `failure` says why. */
  readonly addresses: readonly string[]
  /** Why nothing could be connected to at all: `ERR_PROBE_RESOLVE`. */
  readonly failure?: StapleError
  /** By address, and then in the order they were made. Never more than were asked for: see plan.ts. */
  readonly connections: readonly ConnectionRecord[]
  /** What a web server said beside; absent where none was asked or it does not speak HTTP. */
  readonly http?: HttpRecord
  /** CAA records of the name, nearest first; absent where not asked for. */
  readonly caa?: CaaRecord
}

/** One connection. */
export interface ConnectionRecord {
  readonly address: string
  /** From 1, per address. */
  readonly number: number
  readonly offered: Offer
  /** TCP, and where there is one the protocol's own opening, until TLS began. */
  readonly connectMs: number
  /** ClientHello to the end of the handshake; absent: it did not come to one. */
  readonly handshakeMs?: number
  /** Absent: it failed, and `failure` says why. */
  readonly handshake?: HandshakeRecord
  /** `ERR_PROBE_CONNECT`, `_TIMEOUT`, `_STARTTLS` or `_HANDSHAKE`. What came before it is in `handshake` all the same. */
  readonly failure?: StapleError
  /** What the protocol's opening said in clear (a banner, NATS's INFO), cut to 512 characters. */
  readonly greeting?: string
}

/** What the ClientHello offered. */
export interface Offer {
  /** One version, so that the record says what each gives. */
  readonly version: TlsVersion
  /** The kinds of certificate that the client can use. */
  readonly keyFamilies: readonly KeyFamily[]
  readonly serverName?: string
}

/** What a handshake showed. */
export interface HandshakeRecord {
  readonly version: TlsVersion
  readonly cipher: string
  /** `rsa`, `ecdsa`, or another kind of key as Node names it. */
  readonly keyFamily: string
  /** DER, the leaf first, then what Node could link to it; those that only the trust store had are left out. */
  readonly chain: readonly Uint8Array[]
  /** The stapled bytes as they came; null: none. Staples of intermediates are invisible to Node. */
  readonly staple: Uint8Array | null
  readonly trust: TrustRecord
  /** What ALPN agreed on. */
  readonly alpn?: string
  /** The server asked for a client certificate and ended the connection for want of one, after the staple: see `failure`. */
  readonly wantsClientCertificate?: boolean
}

/** What Node says of the chain, by its own roots, the system's and `ca`. */
export interface TrustRecord {
  readonly isTrusted: boolean
  /** Node's code, as `UNABLE_TO_VERIFY_LEAF_SIGNATURE` or `ERR_TLS_CERT_ALTNAME_INVALID`. */
  readonly code?: string
  readonly reason?: string
}

/** One HTTP answer, on one of the connections. */
export interface HttpRecord {
  readonly status: number
  /** The Server header. */
  readonly server?: string
  /** Strict-Transport-Security. */
  readonly hsts?: string
  /** The Date header minus our clock. */
  readonly dateSkewMs?: number
}

export interface CaaRecord {
  /** Where the records were found: the name or one above it. Absent: nowhere. */
  readonly name?: string
  readonly records: readonly { readonly critical: boolean; readonly tag: string; readonly value: string }[]
  /** The DNS did not say. */
  readonly failure?: string
}
