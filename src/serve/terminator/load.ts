/** How many connections are open and how far they are, held against the limits; and what has happened so far. */
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

  get handshakes(): number {
    return this.connections.size - this.secured
  }

  /** Why a further connection is not taken; undefined when it may be. */
  refusal({ maxConnections, maxHandshakes }: Limits): ConnectionRefused['reason'] | undefined {
    if (this.connections.size >= maxConnections) return 'too-many-connections'
    return this.handshakes >= maxHandshakes ? 'too-many-handshakes' : undefined
  }
}

/** Counted since the start, over all generations. */
export interface Counts {
  accepted: number
  refusedConnections: number
  secured: number
  failedHandshakes: number
  refusedHandshakes: number
  stapled: number
  /** A status was asked for and there was none to give. */
  unstapled: number
  failedBackends: number
  /** Clients let in for what their CAs say, those that only a switch let in among them. */
  acceptedPeers: number
  warnedPeers: number
  refusedPeers: number
  /** Connections that were open and were cut for it. */
  closedPeers: number
}

export function createCounts(): Counts {
  return {
    accepted: 0,
    refusedConnections: 0,
    secured: 0,
    failedHandshakes: 0,
    refusedHandshakes: 0,
    stapled: 0,
    unstapled: 0,
    failedBackends: 0,
    acceptedPeers: 0,
    warnedPeers: 0,
    refusedPeers: 0,
    closedPeers: 0,
  }
}
