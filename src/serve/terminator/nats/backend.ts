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
 * @throws {@link StapleError} `ERR_NATS_NO_INFO`, `ERR_NATS_PROTOCOL` or `ERR_NATS_TLS`; the socket is destroyed then
 */
export async function openNatsBackend(socket: Socket, options: NatsBackendOptions): Promise<NatsBackend> {
  const { url, clock, timeoutMs, secure } = options
  let isLate = false
  let isIntroduced = false
  const cancel = clock.wake(timeoutMs, () => {
    isLate = true
    socket.destroy()
  })
  try {
    const info = await readInfo(socket, url)
    isIntroduced = true
    if (secure === undefined && info.isTlsRequired) throw tlsError(url, 'it requires TLS, and its address is tcp://')
    if (secure === undefined) return { url, socket, info }
    if (!info.isTlsRequired && !info.isTlsAvailable)
      throw tlsError(url, 'it offers no TLS, and its address is tls://: nothing is sent in clear')
    return { url, socket: await upgrade(secure(socket), url), info }
  } catch (error) {
    socket.destroy()
    if (!isLate) throw error
    throw isIntroduced
      ? tlsError(url, `no handshake within ${timeoutMs} ms`, error)
      : noInfo(url, `no whole line within ${timeoutMs} ms`, error)
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
    const onError = (cause: NodeJS.ErrnoException) => fail(noInfo(url, cause.code ?? cause.message, cause))
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
      reject(tlsError(url, cause.message, cause))
    }
    const onClose = () => reject(tlsError(url, 'it closed during the handshake'))
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
  const message = `backend ${url} is no NATS server: expected INFO, found ${found}`
  return new StapleError('ERR_NATS_PROTOCOL', message, { backend: url, expected: 'INFO', found })
}

function noInfo(url: string, found: string, cause?: unknown): StapleError {
  const message = `backend ${url} sent no INFO: ${found}`
  return new StapleError('ERR_NATS_NO_INFO', message, { backend: url, expected: 'INFO', found }, { cause })
}

function tlsError(url: string, found: string, cause?: unknown): StapleError {
  const message = `backend ${url} and the front do not agree on TLS: ${found}`
  return new StapleError('ERR_NATS_TLS', message, { backend: url, found }, { cause })
}

/** 'close' follows every 'error' and ends the other side. */
function ignore(): void {}
