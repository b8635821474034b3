/**
 * Bytes both ways between a client and its backend: back-pressure, half-close, and an end for both when one fails.
 *
 * A relay's handlers are made once and shared by all its connections, whose two sockets know their pair through a
 * property: what Node's `pipe` does with a dozen closures a connection. Nothing here knows TLS, sites or staples.
 */
import { connect, type Socket } from 'node:net'
import { StapleError } from '../../errors.ts'
import type { BackendAddress } from './backend.ts'

export interface RelayOptions {
  /** 0: never. */
  readonly idleTimeoutMs: number
  /** 0: never. */
  readonly halfCloseTimeoutMs: number
  readonly connectTimeoutMs: number
  /** The backend could not be reached. The client is closed already. */
  backendFailed(client: Socket, backend: BackendAddress, error: StapleError<'ERR_TERMINATOR_BACKEND'>): void
}

/** Dials the backend and joins the two. The client must have nobody reading from it. */
export type Relay = (client: Socket, address: BackendAddress) => void

/** Creates a relay: one for any number of connections. */
export function createRelay({
  idleTimeoutMs,
  halfCloseTimeoutMs,
  connectTimeoutMs,
  backendFailed,
}: RelayOptions): Relay {
  const halfIdleTimeoutMs = idleTimeoutMs > 0 && idleTimeoutMs < halfCloseTimeoutMs ? idleTimeoutMs : halfCloseTimeoutMs

  function forward(this: Side, chunk: Buffer): void {
    const other = opposite(this)
    if (!other.destroyed) {
      if (!other.write(chunk)) this.pause()
    } else if (!other.readableEnded || this.writableFinished) this.destroy()
    // Else nobody is left to take these bytes, but this side is still being sent the last ones of the other.
  }

  function resume(this: Side): void {
    opposite(this).resume()
  }

  /** FIN (or close_notify) on one side becomes the same on the other; the opposite direction flows on, in bounded silence. */
  function passEnd(this: Side): void {
    const other = opposite(this)
    const ends = this[pair]
    if (other === ends.backend && other.readableEnded && other.writableLength === 0) {
      // Both have said all, and all of it is written: closing sends the FIN too, and saves a call into the kernel.
      ends.isDone = true
      other.destroy()
      return
    }
    other.end()
    if (!other.readableEnded && halfIdleTimeoutMs > 0) this[pair].client.setTimeout(halfIdleTimeoutMs)
  }

  function close(this: Side, hadError: boolean): void {
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
    if (this[pair].isConnected) cut.call(this)
    else this.destroy(Object.assign(new Error(`no answer within ${connectTimeoutMs} ms`), { code: 'ETIMEDOUT' }))
  }

  function fail(this: Side, cause: NodeJS.ErrnoException): void {
    const { isConnected, client, address } = this[pair]
    if (isConnected || client.destroyed) return
    client.destroy()
    const message = `backend ${address.url} could not be reached: ${cause.message || cause.code}`
    const detail = { backend: address.url, networkCode: cause.code }
    backendFailed(client, address, new StapleError('ERR_TERMINATOR_BACKEND', message, detail, { cause }))
  }

  return (socket, address) => {
    const client = socket as Side
    const backend = connect({ host: address.host, port: address.port, allowHalfOpen: true, noDelay: true }) as Side
    client[pair] = backend[pair] = { client, backend, address, isConnected: false, isDone: false }

    client.allowHalfOpen = true
    client.on('data', forward)
    client.on('drain', resume)
    client.on('end', passEnd)
    client.on('error', ignore)
    client.on('close', close)
    client.on('timeout', cut)
    if (idleTimeoutMs > 0) client.setTimeout(idleTimeoutMs)

    backend.setTimeout(connectTimeoutMs)
    backend.on('connect', connected)
    backend.on('timeout', timeOutBackend)
    backend.on('data', forward)
    backend.on('drain', resume)
    backend.on('end', passEnd)
    backend.on('error', fail)
    backend.on('close', close)
  }
}

const pair = Symbol('pair')

interface Pair {
  readonly client: Side
  readonly backend: Side
  readonly address: BackendAddress
  isConnected: boolean
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
  else side.resetAndDestroy()
}

/** 'close' follows every 'error' and ends the other side. */
function ignore(): void {}
