/** What a probe may be told. */
import type { LookupFunction } from 'node:net'
import type { Clock } from '../../keep/clock.ts'

export interface ProbeOptions {
  readonly clock: Clock
  /** Connections per address and certificate that it shows; default 5. See plan.ts. */
  readonly connections?: number
  /**
   * Milliseconds for each step: name, TCP connection, the protocol's opening, handshake, HTTP; default 5,000. A mail server's
   * opening may take twice as long, since some let strangers wait on purpose.
   */
  readonly timeoutMs?: number
  /** Further roots, PEM, beside Node's and the system's. */
  readonly ca?: readonly string[]
  /** Resolves names; default Node's dns.lookup. */
  readonly lookup?: LookupFunction
  /** Look at what is put beside stapling, too: CAA records. Default false. */
  readonly stack?: boolean
  /** Asks the DNS for CAA records; default Node's resolver. */
  readonly resolveCaa?: (name: string) => Promise<readonly object[]>
  readonly signal?: AbortSignal
}
