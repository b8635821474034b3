/** What a stapler tells: the keeper's events about its certificates, and its own about the server. */
import type { KeeperEvent } from '../../keep/keeper/index.ts'
import type { RefusalReason, StopReason } from './policy.ts'

export type StaplerEvent = KeeperEvent | AttachEvent

export type AttachEvent =
  | CertificateLearned
  | MustStapleLeftOut
  | HandshakeRefused
  | StopAsked
  | ListenerRefused
  | AttachFailed

interface About {
  readonly at: Date
  readonly certificateKey: string
  readonly label: string
}

/** A handshake showed a certificate that nobody had named. It is stapled as soon as its staple is in. */
export interface CertificateLearned extends About {
  readonly type: 'learned'
}

/** The mode staples nothing, but this certificate is Must-Staple: strict clients will refuse it. */
export interface MustStapleLeftOut extends About {
  readonly type: 'left-out'
}

/** The handshake of a client that asked for a status was ended, by `onStale` or `onRevoked`. */
export interface HandshakeRefused extends About {
  readonly type: 'handshake-refused'
  readonly reason: RefusalReason
}

/** The policies say that the server is to stop. It does not by itself: close it, and let the process end. Once a certificate. */
export interface StopAsked extends About {
  readonly type: 'stop'
  readonly reason: StopReason
}

/** Somebody tried to add a second 'OCSPRequest' listener, and got an error: two answers would end every handshake. */
export interface ListenerRefused {
  readonly type: 'listener-refused'
  readonly at: Date
}

/** Something failed that costs a certificate its staple, as when it cannot be decoded. Nothing else is touched. */
export interface AttachFailed {
  readonly type: 'failed'
  readonly at: Date
  readonly error: Error
}
