/** How many connections are open and how far they are, held against the limits. */
import type { Socket } from 'node:net'
import type { ConnectionRefused } from './events.ts'

export interface Limits {
  readonly maxConnections: number
  readonly maxHandshakes: number
}

/** The open connections of one terminator: in their handshake, or secured. */
export class Load {
  readonly connections: Set<Socket> = new Set()
  secured = 0
  accepted = 0
  refused = 0

  get handshakes(): number {
    return this.connections.size - this.secured
  }

  /** Why a further connection is not taken; undefined when it may be. */
  refusal({ maxConnections, maxHandshakes }: Limits): ConnectionRefused['reason'] | undefined {
    if (this.connections.size >= maxConnections) return 'too-many-connections'
    return this.handshakes >= maxHandshakes ? 'too-many-handshakes' : undefined
  }
}
