/** What `staple` resolves with: the types of the stapler and of what it tells about itself. */
import type { SecureContextOptions } from 'node:tls'
import type { EntryStatus } from '../../keep/keeper/index.ts'
import type { ListenerOf } from './announcer.ts'
import type { StaplerEvent } from './events.ts'
import type { PendingCertificate } from './waiting.ts'

/** Keeps one server's handshakes stapled, until it is closed. */
export interface Stapler {
  /**
   * The certificates that have no staple at this moment, though the mode wants one. Empty: every handshake is stapled, but
   * for certificates whose CA has no responder.
   */
  readonly pending: readonly PendingCertificate[]
  status(): StaplerStatus
  /**
   * As `server.addContext`, but the new certificate is stapled in its first handshake: its staple is waited for, at most
   * `startTimeoutMs`, before the context is added.
   *
   * @returns what is still pending of this context
   * @throws TypeError; {@link StapleError} `ERR_ATTACH_DUAL_KEY`, `ERR_X509_…`; nothing has changed then
   */
  addContext(hostname: string, context: SecureContextOptions): Promise<readonly PendingCertificate[]>
  /**
   * As `server.setSecureContext`, prepared first in the same way. The replaced default certificate is not kept any more.
   *
   * Of connections that were accepted before the change and whose ClientHello comes after it, Node names the new
   * certificate while it shows the old one; they get a staple that does not fit. With `front: true` they do not.
   */
  setSecureContext(options: SecureContextOptions): Promise<readonly PendingCertificate[]>
  /** Asks the responders now: for one certificate, or all of this server. Resolves when the attempts have ended, either way. */
  refresh(certificateKey?: string): Promise<void>
  /** @returns a function that ends it, as `off` does */
  on<Type extends StaplerEvent['type']>(type: Type, listener: ListenerOf<StaplerEvent, Type>): () => void
  off<Type extends StaplerEvent['type']>(type: Type, listener: ListenerOf<StaplerEvent, Type>): void
  /** Every event, until the returned function is called. */
  subscribe(listener: (event: StaplerEvent) => void): () => void
  /** Staples nothing more and asks nobody; the server goes on as if it had never been stapled. */
  close(): Promise<void>
}

export interface StaplerStatus {
  readonly certificates: readonly StapledCertificate[]
  /** Handshakes since the start that asked for a status, by what they got. */
  readonly stapled: number
  readonly unstapled: number
  readonly refused: number
}

export interface StapledCertificate {
  readonly certificateKey: string
  readonly label: string
  /** Named in the options, come with a context, or learned from a handshake. */
  readonly origin: 'given' | 'context' | 'learned'
  /** Absent when the mode does not staple it. */
  readonly entry?: EntryStatus
}
