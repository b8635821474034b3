/**
 * What the openings in this folder have in common: a protocol's words in clear, up to the server's go-ahead for TLS.
 *
 * They are our own, a page each. The client libraries of these protocols (nodemailer, imapflow, pg, mysql2, ldapts and
 * others) make the TLS socket themselves and hand out neither staple nor chain, log in where only a handshake is wanted,
 * and know no limits; nine of them would be a large thing to depend on for nine short exchanges.
 */
import type { Limits } from '../limits.ts'
import type { Wire } from '../wire.ts'

export interface OpeningRequest {
  readonly wire: Wire
  /** The name that is asked for. */
  readonly name: string
  readonly port: number
  readonly limits: Limits
  /** Of one address: what an opening learned that the next ones can use. */
  readonly memory: OpeningMemory
  /** Records what the server said. */
  note(greeting: string): void
}

export interface OpeningMemory {
  /** It says nothing until it hears TLS. */
  isSilent?: boolean
}

/**
 * Resolves when TLS may begin.
 *
 * @throws {@link OpeningError} when the server does not agree; a WireError when it closes or sends too much
 */
export type Opening = (request: OpeningRequest) => Promise<void>

/** The server said something else than the go-ahead. */
export class OpeningError extends Error {
  /** What was found. */
  override readonly message: string
  readonly expected: string

  constructor(found: string, expected: string) {
    super(found)
    this.message = found
    this.expected = expected
  }
}
