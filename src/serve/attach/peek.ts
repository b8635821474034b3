/**
 * Reads the ClientHello of a connection before TLS does, then gives the socket back as if nothing had been read.
 *
 * Costs about 25 us a connection, so it stands only before servers that hold several key types. What it cannot read
 * it hands on unread: OpenSSL's alert is better than a silent close. Waiting is bounded in bytes (client-hello.ts) and
 * in time, counted from the connection's first moment, so that dripping bytes buys nobody more of it.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../keep/clock.ts'
import { type ClientHello, readClientHello } from './client-hello.ts'

export interface PeekOptions {
  readonly clock: Clock
  readonly timeoutMs: number
  /** Takes the socket over, all its bytes still to be read; no hello when it could not be read. */
  passOn(socket: Socket, hello: ClientHello | undefined): void
  /** The socket was closed because its ClientHello did not come in time. */
  timedOut(socket: Socket): void
}

export interface Peek {
  /** Waits for the ClientHello of a connection that nobody has read from. */
  start(socket: Socket): void
  /** Destroys what is still waiting. */
  close(): void
}

/** Creates a peek; all its connections share one timer. */
export function createPeek({ clock, timeoutMs, passOn, timedOut }: PeekOptions): Peek {
  // In the order of their deadlines, as all wait equally long.
  const waiting = new Map<Socket, Waiting>()
  let cancelWake: (() => void) | undefined

  function expire(): void {
    cancelWake = undefined
    const now = clock.monotonicMs()
    for (const [socket, { dueMs }] of waiting) {
      if (dueMs > now) {
        cancelWake = clock.wake(dueMs - now, expire)
        return
      }
      waiting.delete(socket)
      socket.destroy()
      timedOut(socket)
    }
  }

  function finish(socket: Socket, state: Waiting, hello: ClientHello | undefined): void {
    waiting.delete(socket)
    socket.off('data', onData)
    socket.off('end', onEnd)
    socket.off('close', onClose)
    socket.pause()
    socket.unshift(state.chunks.length === 1 ? (state.chunks[0] as Buffer) : Buffer.concat(state.chunks))
    passOn(socket, hello)
  }

  function onData(this: Socket, chunk: Buffer): void {
    const state = waiting.get(this)
    if (!state) return
    state.chunks.push(chunk)
    state.bytes += chunk.length
    if (state.bytes < state.neededBytes) return
    // One buffer from here on, so that many small segments are not put together again and again.
    if (state.chunks.length > 1) state.chunks = [Buffer.concat(state.chunks)]
    const reading = readClientHello(state.chunks[0] as Buffer)
    if (reading.kind === 'incomplete') state.neededBytes = reading.neededBytes
    else finish(this, state, reading.kind === 'hello' ? reading.hello : undefined)
  }

  function onEnd(this: Socket): void {
    this.destroy()
  }

  function onClose(this: Socket): void {
    waiting.delete(this)
  }

  return {
    start(socket) {
      waiting.set(socket, { chunks: [], bytes: 0, neededBytes: 5, dueMs: clock.monotonicMs() + timeoutMs })
      cancelWake ??= clock.wake(timeoutMs, expire)
      // Stays on after the peek: a reset in the very moment of handing over must find a listener.
      socket.on('error', ignore)
      socket.on('end', onEnd)
      socket.on('close', onClose)
      socket.on('data', onData)
    },
    close() {
      cancelWake?.()
      for (const socket of waiting.keys()) socket.destroy()
      waiting.clear()
    },
  }
}

interface Waiting {
  chunks: Buffer[]
  bytes: number
  neededBytes: number
  readonly dueMs: number
}

/** 'close' follows every 'error' and does the cleaning up. */
function ignore(): void {}
