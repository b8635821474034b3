/**
 * What is known of a connection beside its socket: who it is said to come from, and a backend dialled ahead of TLS.
 *
 * Only kept where a plan needs it (PROXY headers, NATS): the TLS socket that a tls.Server makes of a raw one has no public
 * way back to it, so the two meet here by the four numbers of their TCP connection.
 */
import type { Socket } from 'node:net'
import type { NatsBackend } from './nats/backend.ts'
import type { Endpoint } from './proxy-protocol/read.ts'

export interface Arrival {
  /** As a PROXY header says; absent: as TCP says. */
  readonly source?: Endpoint | undefined
  readonly destination?: Endpoint | undefined
  /** A NATS backend whose INFO was read before TLS. */
  backend?: NatsBackend | undefined
  /** The client has had its INFO in clear. */
  isGreeted?: boolean
}

export interface Arrivals {
  /** Remembers it until the connection is closed. */
  note(raw: Socket, arrival: Arrival): void
  /** Of the raw socket, or the TLS socket over it. */
  of(socket: Socket): Arrival | undefined
}

/** Creates an empty list. */
export function createArrivals(): Arrivals {
  const known = new Map<string, Arrival>()
  return {
    note(raw, arrival) {
      const key = keyOf(raw)
      if (key === undefined) return
      known.set(key, arrival)
      raw.once('close', () => {
        if (known.get(key) === arrival) known.delete(key)
      })
    },
    of(socket) {
      if (known.size === 0) return undefined
      const key = keyOf(socket)
      return key === undefined ? undefined : known.get(key)
    },
  }
}

/** Undefined once the connection is closed. */
function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string | undefined {
  return remotePort === undefined ? undefined : `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
