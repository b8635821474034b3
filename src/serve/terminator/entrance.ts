/**
 * What comes before TLS, where a plan wants something: first the PROXY header, then the INFO of a NATS server.
 *
 * A connection comes in unread and goes on unread, or is closed with one clear word why.
 */
import type { Socket } from 'node:net'
import type { StapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import { createReadAhead, type Reading } from '../attach/read-ahead.ts'
import type { Arrival, Arrivals } from './arrival.ts'
import type { ConnectionRefused } from './events.ts'
import type { NatsBackend } from './nats/backend.ts'
import type { InfoRewriting } from './nats/info.ts'
import { openNatsClient } from './nats/opening.ts'
import type { NatsOptions } from './options.ts'
import type { Networks } from './proxy-protocol/networks.ts'
import { type ProxyHeader, readProxyHeader } from './proxy-protocol/read.ts'

export interface EntranceOptions {
  readonly clock: Clock
  readonly arrivals: Arrivals
  readonly timeoutMs: number
  /** Whose connections begin with a PROXY header; undefined: nobody's, and nothing is looked at. */
  readonly proxies: Networks | undefined
  readonly nats: NatsEntrance | undefined
  /** Takes the connection on, unread. */
  enter(raw: Socket): void
  refused(raw: Socket, reason: ConnectionRefused['reason'], found?: string): void
  /** The backend that was asked for its INFO failed. */
  backendFailed(raw: Socket, error: StapleError): void
}

export interface NatsEntrance {
  readonly handshake: NatsOptions['handshake']
  readonly rewriting: InfoRewriting
  dial(raw: Socket): Promise<NatsBackend>
}

export interface Entrance {
  accept(raw: Socket): void
  /** Ends those that have not come through. */
  close(): void
}

/** Creates an entrance. */
export function createEntrance(options: EntranceOptions): Entrance {
  const { clock, arrivals, timeoutMs, proxies, nats, enter, refused, backendFailed } = options
  const fromProxies = createReadAhead<ProxyReading>({
    clock,
    timeoutMs,
    read: readHeader,
    passOn(raw, reading) {
      if (reading.kind === 'invalid') return refused(raw, 'no-proxy-header', reading.found)
      const { source, destination } = reading
      arrive(raw, { source, destination })
    },
    timedOut: (raw) => refused(raw, 'no-proxy-header', `nothing whole within ${timeoutMs} ms`),
  })
  const fromStrangers = createReadAhead<boolean>({
    clock,
    timeoutMs,
    read: readStranger,
    passOn(raw, isHeader) {
      if (isHeader) refused(raw, 'unexpected-proxy-header')
      else if (nats === undefined) arrive(raw, {})
      else enter(raw)
    },
    timedOut: (raw) => refused(raw, 'silent'),
  })

  function arrive(raw: Socket, arrival: Arrival): void {
    raw.on('error', ignore)
    if (nats === undefined) {
      if (arrival.source) arrivals.note(raw, arrival)
      enter(raw)
      return
    }
    arrivals.note(raw, arrival)
    greet(raw, arrival, nats).catch((error: StapleError) => {
      backendFailed(raw, error)
      raw.destroy()
    })
  }

  async function greet(raw: Socket, arrival: Arrival, { handshake, rewriting, dial }: NatsEntrance): Promise<void> {
    const { backend, isGreeted } = await openNatsClient(raw, {
      handshake,
      rewriting,
      clock,
      dial: () => dial(raw),
    })
    arrival.backend = backend
    arrival.isGreeted = isGreeted
    if (backend) endTogether(raw, arrival, backend.socket)
    if (raw.destroyed) return
    // Only now does a stranger say its first word: it waited for the server's.
    if (proxies === undefined || arrival.source || proxies.has(raw.remoteAddress)) enter(raw)
    else fromStrangers.start(raw)
  }

  return {
    accept(raw) {
      if (proxies === undefined) arrive(raw, {})
      else if (proxies.has(raw.remoteAddress)) fromProxies.start(raw)
      // A NATS client waits for the server's first word, so that there is nothing to look at before it.
      else if (nats === undefined) fromStrangers.start(raw)
      else arrive(raw, {})
    },
    close() {
      fromProxies.close()
      fromStrangers.close()
    },
  }
}

/** Until a relay has both, the end of one is the end of the other. */
function endTogether(raw: Socket, arrival: Arrival, backend: Socket): void {
  const isWaiting = () => arrival.backend?.socket === backend
  if (raw.destroyed) backend.destroy()
  if (backend.destroyed) raw.destroy()
  raw.once('close', () => {
    if (isWaiting()) backend.destroy()
  })
  backend.once('close', () => {
    if (isWaiting()) raw.destroy()
  })
}

type ProxyReading = ProxyHeader | { readonly kind: 'invalid'; readonly found: string }

function readHeader(bytes: Buffer): Reading<ProxyReading> {
  const reading = readProxyHeader(bytes)
  if (reading.kind === 'incomplete') return reading
  return { kind: 'done', value: reading, length: reading.kind === 'header' ? reading.length : 0 }
}

/** Whether bytes are the beginning of a PROXY header. TLS begins with 22, which is told apart at the first byte. */
function readStranger(bytes: Buffer): Reading<boolean> {
  const reading = readProxyHeader(bytes)
  if (reading.kind !== 'incomplete' || bytes.length >= tellingBytes)
    return { kind: 'done', value: reading.kind !== 'invalid' }
  return { kind: 'incomplete', neededBytes: Math.min(reading.neededBytes, tellingBytes) }
}

/** As many bytes of a PROXY header's beginning leave no doubt. */
const tellingBytes = 6

/** 'close' follows every 'error' and does the cleaning up. */
function ignore(): void {}
