/**
 * The backend's side of a NATS connection: its INFO is read before anything is sent, then TLS is put over the same socket
 * if the backend wants it.
 *
 * Nothing after INFO is read, so whoever takes the socket over finds the next byte at the beginning of an operation.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { StapleError } from '../../../errors.ts'
import type { Clock } from '../../../keep/clock.ts'
import { describeFailure } from '../backend/failure.ts'
import { longestInfoBytes, parseInfo, type ServerInfo } from './info.ts'
import { createLineBuffer } from './line-buffer.ts'
import { quote } from './quote.ts'

export interface NatsBackendOptions {
  /** As written, for messages. */
  readonly url: string
  readonly clock: Clock
  /** For INFO and TLS together. */
  readonly timeoutMs: number
  /** For a `tls://` backend: begins the handshake that proves it, as tls.connect does. Absent: spoken to in clear. */
  readonly secure?: ((raw: Socket) => TLSSocket) | undefined
}

/** A backend that has introduced itself. Its socket is paused, nobody reads it, and an 'error' of it harms nobody. */
export interface NatsBackend {
  readonly url: string
  readonly socket: Socket
  readonly info: ServerInfo
}

/**
 * Reads the INFO of a connected socket that nobody has read from, and upgrades the socket if told to.
 *
 * @throws {@link StapleError} `ERR_NATS_NO_INFO`, `ERR_NATS_PROTOCOL`, `ERR_NATS_TLS`, and `ERR_TERMINATOR_BACKEND` for the
 * handshake itself; the socket is destroyed then
 */
export async function openNatsBackend(socket: Socket, options: NatsBackendOptions): Promise<NatsBackend> {
  const { url, clock, timeoutMs, secure } = options
  let late: (() => StapleError) | undefined
  let describeLate = () => noInfo(url, `no whole line within ${Math.round(timeoutMs)} ms`, silenceHint)
  const cancel = clock.wake(timeoutMs, () => {
    late = describeLate
    socket.destroy()
  })
  try {
    const info = await readInfo(socket, url)
    if (secure === undefined) {
      if (info.isTlsRequired)
        throw tlsError(url, 'it requires TLS, and its address is not tls://', 'write it as tls://')
      return { url, socket, info }
    }
    if (!info.isTlsRequired && !info.isTlsAvailable)
      throw tlsError(url, 'it offers no TLS, and nothing is sent in clear', 'write it as tcp://, or give it TLS')
    describeLate = () => describeFailure(url, lateHandshake(timeoutMs))
    return { url, socket: await upgrade(secure(socket), url), info }
  } catch (error) {
    socket.destroy()
    throw late?.() ?? error
  } finally {
    cancel()
  }
}

/** Reads one INFO line; what comes after it is left to read. */
function readInfo(socket: Socket, url: string): Promise<ServerInfo> {
  return new Promise((resolve, reject) => {
    const line = createLineBuffer()
    const fail = (error: StapleError) => {
      detach()
      socket.destroy()
      reject(error)
    }
    const onData = (chunk: Buffer) => {
      if (!continuesInfo(line.length, chunk)) {
        line.append(chunk.subarray(0, 64))
        return fail(notNats(url, line.take()))
      }
      const lineFeedAt = chunk.indexOf(0x0a)
      const end = lineFeedAt < 0 ? chunk.length : lineFeedAt + 1
      if (line.length + end > longestInfoBytes) return fail(notNats(url, line.take()))
      line.append(chunk.subarray(0, end))
      if (lineFeedAt < 0) return
      detach()
      socket.pause()
      if (end < chunk.length) socket.unshift(chunk.subarray(end))
      try {
        resolve(parseInfo(line.take(), url))
      } catch (error) {
        reject(error)
      }
    }
    const onEnd = () => fail(line.length > 0 ? notNats(url, line.take()) : noInfo(url, 'it closed without a word'))
    const onError = (cause: NodeJS.ErrnoException) => fail(noInfo(url, cause.code ?? cause.message, portHint, cause))
    const detach = () => {
      socket.off('data', onData)
      socket.off('end', onEnd)
      socket.off('close', onEnd)
      socket.off('error', onError)
    }
    socket.on('error', ignore)
    socket.on('error', onError)
    socket.on('data', onData)
    socket.on('end', onEnd)
    socket.on('close', onEnd)
    if (socket.destroyed) onEnd()
  })
}

/** Waits for the handshake over a socket whose INFO has been read. */
function upgrade(secured: TLSSocket, url: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException) => {
      secured.destroy()
      reject(describeFailure(url, cause))
    }
    const onClose = () => reject(describeFailure(url, closedHandshake()))
    secured.on('error', ignore)
    secured.once('error', onError)
    secured.once('close', onClose)
    secured.once('secureConnect', () => {
      secured.off('error', onError)
      secured.off('close', onClose)
      resolve(secured)
    })
  })
}

/** Whether bytes, of which `before` came earlier, can be the beginning of a NATS server. */
function continuesInfo(before: number, chunk: Buffer): boolean {
  const beginning = 'INFO'.slice(before)
  return beginning.startsWith(chunk.toString('latin1', 0, beginning.length).toUpperCase())
}

function notNats(url: string, bytes: Buffer): StapleError {
  const found = quote(bytes)
  const message = `backend ${url} is no NATS server: expected INFO, found ${found} (${portHint})`
  return new StapleError('ERR_NATS_PROTOCOL', message, { backend: url, expected: 'INFO', found, hint: portHint })
}

function noInfo(url: string, found: string, hint = portHint, cause?: unknown): StapleError {
  const message = `backend ${url} sent no INFO: ${found} (${hint})`
  return new StapleError('ERR_NATS_NO_INFO', message, { backend: url, expected: 'INFO', found, hint }, { cause })
}

function tlsError(url: string, found: string, hint: string): StapleError {
  const message = `backend ${url} and this front do not agree on TLS: ${found} (${hint})`
  return new StapleError('ERR_NATS_TLS', message, { backend: url, found, hint })
}

const portHint = 'is it the client port of a nats-server?'
const silenceHint = `${portHint} one with handshake_first: true says nothing`

function lateHandshake(timeoutMs: number): NodeJS.ErrnoException {
  const message = `no end of the TLS handshake within ${Math.round(timeoutMs)} ms`
  return Object.assign(new Error(message), { code: 'ETIMEDOUT' })
}

function closedHandshake(): NodeJS.ErrnoException {
  return Object.assign(new Error('closed during the TLS handshake'), { code: 'ECONNRESET' })
}

/** 'close' follows every 'error' and ends the other side. */
function ignore(): void {}
