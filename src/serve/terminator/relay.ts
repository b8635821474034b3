/**
 * Bytes both ways between a client and its backend: back-pressure, half-close, and an end for both when one fails.
 *
 * A relay's handlers are made once and shared by all its connections, which are linked through a property: what Node's
 * `pipe` does with a dozen closures a connection. Nothing here knows TLS, sites or staples.
 */
import { connect, type Socket } from 'node:net'
import { StapleError } from '../../errors.ts'
import type { BackendAddress } from './backend.ts'

export interface RelayOptions {
  readonly idleTimeoutMs: number
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
  function forward(this: Side, chunk: Buffer): void {
    const other = this[peer]
    if (!other.destroyed) {
      if (!other.write(chunk)) this.pause()
    } else if (!other.readableEnded || this.writableFinished) this.destroy()
    // Else nobody is left to take these bytes, but this side is still being sent the last ones of the other.
  }

  function resume(this: Side): void {
    this[peer].resume()
  }

  /** FIN (or close_notify) on one side becomes the same on the other; the opposite direction flows on, in bounded silence. */
  function passEnd(this: Side): void {
    const other = this[peer]
    other.end()
    const client = this[isClient] ? this : other
    if (halfCloseTimeoutMs > 0 && (idleTimeoutMs === 0 || halfCloseTimeoutMs < idleTimeoutMs))
      client.setTimeout(halfCloseTimeoutMs)
  }

  function close(this: Side, hadError: boolean): void {
    const other = this[peer]
    if (other.destroyed) return
    const saidAll = this.readableEnded && (hadError ? !this[isClient] : this.writableFinished)
    if (saidAll) {
      // The other side may still be writing out the last bytes; it closes by itself, or by its timeout.
      other.setTimeout(halfCloseTimeoutMs)
      other.resume()
    } else if (other[isClient]) other.destroy()
    // A cut must look like one: a FIN here would make half a stream seem whole.
    else other.resetAndDestroy()
  }

  function cut(this: Side): void {
    const other = this[peer]
    this.destroy()
    if (other[isClient]) other.destroy()
    else other.resetAndDestroy()
  }

  function connected(this: Side): void {
    this[isConnected] = true
    this.setTimeout(0)
  }

  function timeOutBackend(this: Side): void {
    if (this[isConnected]) cut.call(this)
    else this.destroy(Object.assign(new Error(`no answer within ${connectTimeoutMs} ms`), { code: 'ETIMEDOUT' }))
  }

  function fail(this: Side, cause: NodeJS.ErrnoException): void {
    if (this[isConnected]) return
    const client = this[peer]
    const address = this[dialled]
    if (address === undefined || client.destroyed) return
    client.destroy()
    const message = `backend ${address.url} could not be reached: ${cause.message || cause.code}`
    const detail = { backend: address.url, networkCode: cause.code }
    backendFailed(client, address, new StapleError('ERR_TERMINATOR_BACKEND', message, detail, { cause }))
  }

  return (socket, address) => {
    const client = socket as Side
    const backend = connect({ host: address.host, port: address.port, allowHalfOpen: true, noDelay: true }) as Side
    client[peer] = backend
    client[isClient] = true
    backend[peer] = client
    backend[isClient] = false
    backend[dialled] = address
    backend[isConnected] = false

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

const peer = Symbol('peer')
const isClient = Symbol('isClient')
const isConnected = Symbol('isConnected')
const dialled = Symbol('dialled')

interface Side extends Socket {
  [peer]: Side
  [isClient]: boolean
  [isConnected]: boolean
  [dialled]: BackendAddress | undefined
}

/** 'close' follows every 'error' and ends the other side. */
function ignore(): void {}
