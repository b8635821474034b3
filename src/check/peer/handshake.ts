/** One TLS handshake as a client: what the peer showed, or why it did not come to that. Nothing is judged here. */
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { StapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import { stopOf } from '../../keep/fetch/stop.ts'

export interface Handshaken {
  readonly socket: TLSSocket
  /** What was stapled; absent too where the session was resumed. */
  readonly staple: Uint8Array | undefined
  readonly tap: SessionTap
}

/** Where a connection's sessions come out: one in the handshake of TLS 1.2, several at any time after that of TLS 1.3. */
export interface SessionTap {
  newest?: Buffer
  /** Told of those that come from now on. */
  keep?: (session: Buffer) => void
}

export interface HandshakeOptions {
  readonly clock: Clock
  /** As the caller named it. */
  readonly peer: string
  readonly connectTimeoutMs: number
  /** To be resumed. */
  readonly session: Buffer | undefined
}

/**
 * Connects and ends the handshake; nothing is written.
 *
 * @throws Node's own error; `ERR_PEER_TIMEOUT`; the signal's reason when aborted
 */
export function shakeHands(o: HandshakeOptions, options: ConnectionOptions, signal: AbortSignal): Promise<Handshaken> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const { session: _, ...rest } = options // what it would prove is not known
    const resumed = o.session === undefined ? {} : { session: o.session }
    const asking: ConnectionOptions & { requestOCSP: boolean } = { ...rest, ...resumed, requestOCSP: true }
    const socket = connect(asking)
    let staple: Uint8Array | undefined
    const tap: SessionTap = {}
    const onStaple = (response: Buffer | null) => {
      // Node's Buffer may be a slice of a pool.
      staple = response === null ? undefined : new Uint8Array(response)
    }
    const onSession = (newest: Buffer) => {
      tap.newest = newest
      tap.keep?.(newest)
    }
    const onSecure = () => end(() => resolve({ socket, staple, tap }))
    const onError = (error: Error) => fail(error)
    const onClose = () => fail(new Error(`${o.peer} closed the connection before the handshake was over`))
    const onAbort = () => fail(signal.reason)
    const cancelTimeout = o.clock.wake(o.connectTimeoutMs, () => fail(timeoutError(o)))
    socket.on('OCSPResponse', onStaple)
    socket.on('session', onSession)
    socket.once('secureConnect', onSecure)
    socket.on('error', onError)
    socket.once('close', onClose)
    const cancelStop = stopOf(signal).onStop(onAbort)

    function fail(reason: unknown): void {
      end(() => {
        socket.on('error', () => {}) // it is given up
        socket.destroy()
        reject(reason)
      })
    }

    function end(settle: () => void): void {
      cancelTimeout()
      socket.off('OCSPResponse', onStaple)
      socket.off('secureConnect', onSecure)
      socket.off('close', onClose)
      cancelStop()
      settle()
      socket.off('error', onError)
    }
  })
}

function timeoutError({ peer, connectTimeoutMs }: HandshakeOptions): StapleError<'ERR_PEER_TIMEOUT'> {
  const expected = `a handshake within ${connectTimeoutMs} ms`
  return new StapleError('ERR_PEER_TIMEOUT', `${peer}: no handshake within ${connectTimeoutMs} ms`, {
    peer,
    expected,
    found: 'none',
  })
}
