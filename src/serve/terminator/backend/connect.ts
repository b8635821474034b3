/**
 * One attempt at one backend: a TCP connection, a PROXY header, and for `tls://` a handshake that is verified.
 *
 * What the relay does by itself for the ordinary backend is faster; this is for all others. See pool.ts.
 */
import { connect, isIP, type Socket } from 'node:net'
import { createSecureContext, type SecureContext, type TLSSocket, connect as tlsConnect } from 'node:tls'
import type { Clock } from '../../../keep/clock.ts'
import type { BackendAddress } from '../backend.ts'
import type { BackendGroup } from '../options.ts'

/** How the backends of a group are spoken to over TLS. */
export interface TlsClient {
  readonly context: SecureContext
  readonly serverName: string | undefined
  readonly isUnverified: boolean
  /** The last session of each backend: the next connection resumes it, which saves both sides the signatures. */
  readonly sessions: Map<BackendAddress, Buffer>
}

export interface Attempt {
  readonly address: BackendAddress
  /** Given when the address is `tls://`. */
  readonly tls: TlsClient | undefined
  /** The first bytes on the connection, before TLS. */
  readonly header: Buffer | undefined
  readonly clock: Clock
  /** For all of it. */
  readonly timeoutMs: number
}

/** Creates what all connections to a group share. Throws what OpenSSL says of CAs that it cannot read. */
export function createTlsClient({ ca, serverName, isUnverified = false }: Omit<BackendGroup, 'urls'>): TlsClient {
  return {
    context: createSecureContext({ ...(ca !== undefined && { ca }), minVersion: 'TLSv1.2' }),
    serverName,
    isUnverified,
    sessions: new Map(),
  }
}

/**
 * Tries once. The socket that is settled with has nobody reading from it, and both its sides may end by themselves.
 *
 * @returns a function that gives up: nothing is settled after it
 */
export function connectOnce(
  { address, tls, header, clock, timeoutMs }: Attempt,
  settled: (error: NodeJS.ErrnoException | undefined, socket: Socket) => void,
): () => void {
  const raw = connect({ host: address.host, port: address.port, allowHalfOpen: true, noDelay: true })
  if (header) raw.write(header)
  let socket: Socket = raw
  let isOpen = true
  const cancel = clock.wake(timeoutMs, () => {
    const what = socket === raw ? 'no answer' : 'no end of the TLS handshake'
    settle(Object.assign(new Error(`${what} within ${Math.round(timeoutMs)} ms`), { code: 'ETIMEDOUT' }))
  })
  raw.on('error', settle)
  raw.once('connect', () => {
    if (!isOpen) return
    if (tls === undefined) return settle(undefined)
    socket = secure(raw, address, tls)
    socket.on('error', settle)
    socket.once('secureConnect', () => settle(undefined))
    socket.once('close', () =>
      settle(Object.assign(new Error('closed during the TLS handshake'), { code: 'ECONNRESET' })),
    )
  })

  function settle(error: NodeJS.ErrnoException | undefined): void {
    if (!close()) return
    if (error !== undefined) socket.destroy()
    settled(error, socket)
  }

  /** The listeners for errors stay: one may still come, and must find somebody. */
  function close(): boolean {
    const wasOpen = isOpen
    isOpen = false
    cancel()
    return wasOpen
  }

  return () => {
    if (close()) socket.destroy()
  }
}

/** Begins a handshake on a connected socket. The backend proves the name that it is configured with, else the host of its URL. */
export function secure(
  raw: Socket,
  address: BackendAddress,
  { context, serverName, isUnverified, sessions }: TlsClient,
): TLSSocket {
  const name = serverName ?? address.host
  const session = sessions.get(address)
  const socket = tlsConnect({
    socket: raw,
    secureContext: context,
    host: name,
    // SNI has names only. @see RFC 6066 §3
    ...(isIP(name) === 0 && { servername: name }),
    rejectUnauthorized: !isUnverified,
    ...(session && { session }),
  })
  socket.on('session', (next: Buffer) => sessions.set(address, next))
  Object.assign(socket, { [beneath]: raw })
  return socket
}

/** Ends a connection so that the other side cannot take half a stream for a whole one. */
export function reset(socket: Socket & { [beneath]?: Socket }): void {
  const raw = socket[beneath]
  // Over TLS a cut is an end without close_notify. Not everybody looks at that: hence the RST below it.
  if (raw !== undefined) raw.resetAndDestroy()
  if (raw !== undefined || isTls(socket)) socket.destroy()
  else socket.resetAndDestroy()
}

export function isTls(socket: Socket): boolean {
  return 'encrypted' in socket
}

/** The TCP connection under a TLS one. */
const beneath: unique symbol = Symbol('beneath')
