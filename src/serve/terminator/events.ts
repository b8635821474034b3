/** What a terminator tells about itself: facts as they happen, told apart by `type`. It writes no log and ends no process. */
import type { StapleError } from '../../errors.ts'
import type { RefusalReason, StopReason } from '../attach/policy.ts'
import type { PeerReason } from './options.ts'

export type TerminatorEvent =
  | ConnectionRefused
  | HandshakeFailed
  | HandshakeRefused
  | PeerRefused
  | PeerWarned
  | PeersClosed
  | CertificateRefused
  | CertificateRestored
  | BackendFailed
  | BackendLeftOut
  | BackendReturned
  | ListenerFailed
  | StopAsked
  | Drained

interface Common {
  readonly at: Date
}

interface Remote extends Common {
  readonly remoteAddress: string | undefined
}

/** A connection was closed before TLS: one of the limits was reached, or it did not begin as it must. */
export interface ConnectionRefused extends Remote {
  readonly type: 'connection-refused'
  readonly reason:
    | 'too-many-connections'
    | 'too-many-handshakes'
    | 'too-fast'
    /** From a network whose connections begin with a PROXY header: `found` came instead. */
    | 'no-proxy-header'
    /** A PROXY header from somebody who may not send one. */
    | 'unexpected-proxy-header'
    /** Nothing came in the time of a handshake. */
    | 'silent'
  readonly found?: string
}

/** A client failed the handshake or did not finish it in time; `code` is OpenSSL's or Node's. */
export interface HandshakeFailed extends Remote {
  readonly type: 'handshake-failed'
  readonly code: string
  readonly message: string
}

/** A handshake was refused for what the site is, before the backend heard of it. */
export interface HandshakeRefused extends Remote {
  readonly type: 'handshake-refused'
  readonly reason: RefusalReason | 'unknown-sni' | 'tls-version' | 'client-certificate' | 'pinned-certs'
  readonly serverName: string | undefined
  /** Of a client certificate: what is wrong with it, as OpenSSL names it. */
  readonly cause?: string
}

/** A client shook hands and was closed for what its CA says of its certificate, before the backend heard a byte. */
export interface PeerRefused extends Remote {
  readonly type: 'peer-refused'
  readonly reason: PeerReason
  /** The subject of its certificate. */
  readonly subject: string
  readonly message?: string
}

/** A client was let in only because a switch says so. */
export interface PeerWarned extends Remote {
  readonly type: 'peer-warned'
  readonly reason: PeerReason
  readonly subject: string
  readonly message?: string
}

/** The open connections of a client were cut: its CA says by now what would have kept it out. */
export interface PeersClosed extends Common {
  readonly type: 'peers-closed'
  readonly reason: PeerReason
  readonly subject: string
  readonly message?: string
  readonly connections: number
}

/** From now on every full handshake on this certificate is refused, and no session on it is resumed. */
export interface CertificateRefused extends Common {
  readonly type: 'certificate-refused'
  readonly reason: RefusalReason
  readonly certificateKey: string
  readonly site: string
}

/** The certificate is shown again. */
export interface CertificateRestored extends Common {
  readonly type: 'certificate-restored'
  readonly certificateKey: string
  readonly site: string
}

/** The backend could not be reached, or is not what it should be; its client was closed. */
export interface BackendFailed extends Remote {
  readonly type: 'backend-failed'
  readonly backend: string
  readonly error: StapleError
}

/** One of several backends is left out for a while; its clients go to the others. */
export interface BackendLeftOut extends Common {
  readonly type: 'backend-left-out'
  readonly backend: string
  readonly error: StapleError
}

/** A backend that was left out takes connections again. */
export interface BackendReturned extends Common {
  readonly type: 'backend-returned'
  readonly backend: string
}

/** A listener in use reported an error, as when the process runs out of file descriptors. It listens on. */
export interface ListenerFailed extends Common {
  readonly type: 'listener-failed'
  readonly address: string
  readonly code: string
  readonly message: string
}

/** The policies of a site say that everything is to stop. Who called decides what that means; told once a certificate. */
export interface StopAsked extends Common {
  readonly type: 'stop'
  readonly reason: StopReason
  readonly certificateKey: string
  readonly site: string
}

/** The last connection is gone. */
export interface Drained extends Common {
  readonly type: 'drained'
  /** How many did not end in time and were cut. */
  readonly destroyed: number
}
