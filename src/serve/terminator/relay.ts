/**
 * Bytes both ways between a client and its backend: back-pressure, half-close, and an end for both when one fails.
 *
 * The ordinary backend, one address without TLS, is connected to here: the client's first bytes are written while that
 * goes on. Any other is reached through its pool first. A relay's handlers are made once and shared by all its connections, whose two sockets know their pair through a
 * property: what Node's `pipe` does with a dozen closures a connection. Nothing here knows TLS, sites or staples.
 */
import { connect, Socket } from 'node:net'
import type { Clock } from '../../keep/clock.ts'
import { isTls, reset } from './backend/connect.ts'
import { type BackendError, describeFailure } from './backend/failure.ts'
import type { BackendPool } from './backend/pool.ts'
import type { BackendAddress } from './backend.ts'

export interface RelayOptions {
  /** 0: never. */
  readonly idleTimeoutMs: number
  /** 0: never. */
  readonly halfCloseTimeoutMs: number
  readonly connectTimeoutMs: number
  /** With it, TCP asks after backends that have been silent for a minute, and finds out about those that vanished. */
  readonly clock?: Pick<Clock, 'wake'>
  /** No backend could be reached. The client is closed next; until then its addresses can be read. */
  backendFailed(client: Socket, backend: Pick<BackendAddress, 'url'>, error: BackendError): void
  /** A transformation threw. Both sides are closed next. */
  transformFailed?(client: Socket, error: unknown): void
}

/**
 * Joins a client with a backend: one of a pool's, one at an address of its own, or one that is connected already. Nobody
 * may be reading from the two.
 */
export type Relay = (client: Socket, backend: BackendPool | BackendAddress | Socket, trip?: Trip) => void

/** What is particular about one connection. */
export interface Trip {
  /** The first bytes to the backend: a PROXY header. Not for a socket, which is past that. */
  readonly header?: Buffer | undefined
  /** Makes of each chunk from the backend what the client is sent in its place; nothing, one or several. */
  readonly transform?: Transform | undefined
}

export type Transform = (chunk: Buffer) => Buffer | readonly Buffer[] | undefined

/** Creates a relay: one for any number of connections. */
export function createRelay(options: RelayOptions): Relay {
  const { connectTimeoutMs, clock, backendFailed, transformFailed } = options
  const idleTimeoutMs = settable(options.idleTimeoutMs)
  const halfCloseTimeoutMs = settable(options.halfCloseTimeoutMs)
  const halfIdleTimeoutMs = idleTimeoutMs > 0 && idleTimeoutMs < halfCloseTimeoutMs ? idleTimeoutMs : halfCloseTimeoutMs

  const backends = new Set<Side>()
  let cancelProbe: (() => void) | undefined

  /** Not asked for when they are made: most connections end within a minute, and it takes four system calls. */
  function probe(): void {
    for (const backend of backends) backend.setKeepAlive(true, probeMs)
    cancelProbe = clock?.wake(probeMs, probe)
  }

  function forward(this: Side, chunk: Buffer): void {
    const other = opposite(this)
    if (!other.destroyed) {
      if (!other.write(chunk)) this.pause()
    } else if (!other.readableEnded || this.writableFinished) this.destroy()
    // Else nobody is left to take these bytes, but this side is still being sent the last ones of the other.
  }

  /**
   * As {@link forward}, for a backend that reads into the buffer all share, which saves Node one of 64 KiB for each read.
   * A TLS client encrypts at once what it is given, unless something is still being written: then the bytes wait, in a
   * copy. (A plain socket would hand the memory itself to the kernel, later.)
   */
  function forwardShared(backend: Side, count: number): boolean {
    const { client } = backend[pair]
    const chunk = sharedRead.subarray(0, count)
    if (!client.destroyed) return client.write(client.writableLength > 0 ? Buffer.from(chunk) : chunk)
    if (!client.readableEnded || backend.writableFinished) backend.destroy()
    return true
  }

  /** As {@link forward}, for a backend whose bytes are changed on their way. */
  function forwardChanged(this: Side, chunk: Buffer): void {
    const { client, transform } = this[pair]
    let changed: ReturnType<Transform>
    try {
      changed = transform?.(chunk)
    } catch (error) {
      transformFailed?.(client, error)
      cut.call(this)
      return
    }
    if (changed === undefined) return
    if (Buffer.isBuffer(changed)) {
      forward.call(this, changed)
      return
    }
    client.cork()
    for (const part of changed) forward.call(this, part)
    client.uncork()
  }

  function resume(this: Side): void {
    opposite(this).resume()
  }

  /** FIN (or close_notify) on one side becomes the same on the other; the opposite direction flows on, in bounded silence. */
  function passEnd(this: Side): void {
    const other = opposite(this)
    const ends = this[pair]
    if (other === ends.backend && other.readableEnded && other.writableLength === 0 && !isTls(other)) {
      // Both have said all, and all of it is written: closing sends the FIN too, and saves a call into the kernel.
      ends.isDone = true
      other.destroy()
      return
    }
    other.end()
    if (!other.readableEnded && halfIdleTimeoutMs > 0) this[pair].client.setTimeout(halfIdleTimeoutMs)
  }

  function close(this: Side, hadError: boolean): void {
    if (backends.delete(this) && backends.size === 0) {
      // A relay without connections may be one that a reload replaced: nothing is to hold on to it.
      cancelProbe?.()
      cancelProbe = undefined
    }
    const other = opposite(this)
    if (other.destroyed) return
    const { client, isDone } = this[pair]
    const saidAll = isDone || (this.readableEnded && (hadError ? this !== client : this.writableFinished))
    if (saidAll) {
      // The other side may still be writing out the last bytes; it closes by itself, or by its timeout.
      other.setTimeout(halfIdleTimeoutMs)
      other.resume()
    } else sever(other)
  }

  function cut(this: Side): void {
    const other = opposite(this)
    this.destroy()
    sever(other)
  }

  function connected(this: Side): void {
    this[pair].isConnected = true
    this.setTimeout(0)
  }

  function timeOutBackend(this: Side): void {
    const ends = this[pair]
    if (ends.isConnected) cut.call(this)
    else if (!ends.isOverdue) {
      // A process that stood still sees the time-out before the answer that came meanwhile: one more turn for it.
      ends.isOverdue = true
      this.setTimeout(1)
    } else this.destroy(Object.assign(new Error(`no answer within ${connectTimeoutMs} ms`), { code: 'ETIMEDOUT' }))
  }

  function fail(this: Side, cause: NodeJS.ErrnoException): void {
    const { isConnected, client, address } = this[pair]
    if (isConnected || client.destroyed || address === undefined) return
    backendFailed(client, address, describeFailure(address.url, cause))
    client.destroy()
  }

  function join(ends: Pair): void {
    const { client, backend } = ends
    client[pair] = backend[pair] = ends

    client.allowHalfOpen = true
    client.on('data', forward)
    client.on('drain', resume)
    client.on('end', passEnd)
    client.on('error', ignore)
    client.on('close', close)
    client.on('timeout', cut)
    if (idleTimeoutMs > 0) client.setTimeout(idleTimeoutMs)

    if (clock) backends.add(backend)
    if (clock) cancelProbe ??= clock.wake(probeMs, probe)
    backend.on('timeout', timeOutBackend)
    if (ends.transform) backend.on('data', forwardChanged)
    else if (!ends.isReadShared) backend.on('data', forward)
    backend.on('drain', resume)
    backend.on('end', passEnd)
    backend.on('error', fail)
    backend.on('close', close)
  }

  function joinAddress(client: Side, address: BackendAddress, header: Buffer | undefined, transform?: Transform): void {
    if (address.isTls) throw new TypeError(`relay: ${address.url} is reached through a pool`)
    const isReadShared = transform === undefined && isTls(client)
    const backend = connect({
      host: address.host,
      port: address.port,
      allowHalfOpen: true,
      noDelay: true,
      ...(isReadShared && { onread: { buffer: sharedRead, callback: (count) => forwardShared(backend, count) } }),
    }) as Side
    if (header) backend.write(header)
    backend.setTimeout(connectTimeoutMs)
    backend.on('connect', connected)
    join({ client, backend, address, transform, isReadShared, isConnected: false, isOverdue: false, isDone: false })
  }

  function joinSocket(client: Side, backend: Side, transform: Transform | undefined): void {
    if (client.destroyed || backend.destroyed) {
      client.destroy()
      backend.destroy()
      return
    }
    join({
      client,
      backend,
      address: undefined,
      transform,
      isReadShared: false,
      isConnected: true,
      isOverdue: false,
      isDone: false,
    })
    // Whoever read from them before has paused them.
    client.resume()
    backend.resume()
    // Who ended in the meantime tells nobody a second time.
    if (backend.readableEnded) passEnd.call(backend)
    if (client.readableEnded) passEnd.call(client)
  }

  /** The client is left unread until there is a backend: what it sent to one that fails could not be sent to the next. */
  function joinPool(client: Side, pool: BackendPool, { header, transform }: Trip): void {
    if (client.destroyed) return
    const giveUp = pool.dial(
      { header },
      {
        connected(backend) {
          client.off('close', giveUp)
          joinSocket(client, backend as Side, transform)
        },
        failed(error) {
          client.off('close', giveUp)
          backendFailed(client, pool, error)
          client.destroy()
        },
      },
    )
    client.on('error', ignore)
    client.on('close', giveUp)
  }

  return (socket, to, trip = ordinary) => {
    const client = socket as Side
    if (to instanceof Socket) joinSocket(client, to as Side, trip.transform)
    else if (!('dial' in to)) joinAddress(client, to, trip.header, trip.transform)
    else if (to.direct) joinAddress(client, to.direct, trip.header, trip.transform)
    else joinPool(client, to, trip)
  }
}

const probeMs = 60_000

/** As much as Node reads at once. Nobody holds on to it: what is in it is gone before the next read. */
const sharedRead = Buffer.allocUnsafeSlow(65_536)

const pair = Symbol('pair')

interface Pair {
  readonly client: Side
  readonly backend: Side
  /** Absent when it is known to be reached. */
  readonly address: BackendAddress | undefined
  readonly transform: Transform | undefined
  /** What the backend sends is read into the one buffer that all share. */
  readonly isReadShared: boolean
  isConnected: boolean
  /** The time for connecting is over. */
  isOverdue: boolean
  /** Both sides have ended their streams and the backend has been given the last byte. */
  isDone: boolean
}

interface Side extends Socket {
  [pair]: Pair
}

function opposite(side: Side): Side {
  const { client, backend } = side[pair]
  return side === client ? backend : client
}

/** A cut must look like one: a FIN (or a close_notify) would make half a stream seem whole. */
function sever(side: Side): void {
  if (side === side[pair].client) side.destroy()
  else reset(side)
}

/** 'close' follows every 'error' and ends the other side. */
function ignore(): void {}

/** Node warns of a longer timeout and cuts it to this by itself. */
function settable(timeoutMs: number): number {
  return Math.min(timeoutMs, 2 ** 31 - 1)
}

const ordinary: Trip = {}
