/**
 * Reads the first bytes of connections before anybody else does, then gives each socket back as if nothing had been read.
 *
 * What it looks for is the caller's affair (a ClientHello, a PROXY header). Waiting is bounded in time, counted from the
 * connection's first moment, so that dripping bytes buys nobody more of it; the caller's reader bounds it in bytes.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../keep/clock.ts'

/** What a reader says of the bytes so far: at least so many are needed, or it is done and has eaten the first `length`. */
export type Reading<Value> =
  | { readonly kind: 'incomplete'; readonly neededBytes: number }
  | { readonly kind: 'done'; readonly value: Value; readonly length?: number }

export interface ReadAheadOptions<Value> {
  readonly clock: Clock
  readonly timeoutMs: number
  /** Asked with all bytes so far, whenever there are as many as it needs. */
  read(bytes: Buffer): Reading<Value>
  /** Takes the socket over, with all its bytes but the eaten ones still to be read. */
  passOn(socket: Socket, value: Value): void
  /** The socket was closed because what was looked for did not come in time. */
  timedOut(socket: Socket): void
  /** The client ended the connection before it had sent what was looked for. */
  brokenOff?(socket: Socket): void
}

export interface ReadAhead {
  /** Waits for the first bytes of a connection that nobody has read from. */
  start(socket: Socket): void
  /** Destroys what is still waiting. */
  close(): void
}

/** Creates one; all its connections share one timer. */
export function createReadAhead<Value>(options: ReadAheadOptions<Value>): ReadAhead {
  const { clock, timeoutMs, read, passOn, timedOut, brokenOff } = options
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

  function finish(socket: Socket, bytes: Buffer, value: Value, length: number): void {
    waiting.delete(socket)
    socket.off('data', onData)
    socket.off('end', onEnd)
    socket.off('close', onClose)
    socket.pause()
    if (length < bytes.length) socket.unshift(length === 0 ? bytes : bytes.subarray(length))
    passOn(socket, value)
  }

  function onData(this: Socket, chunk: Buffer): void {
    const state = waiting.get(this)
    if (!state) return
    state.chunks.push(chunk)
    state.bytes += chunk.length
    if (state.bytes < state.neededBytes) return
    // One buffer from here on, so that many small segments are not put together again and again.
    if (state.chunks.length > 1) state.chunks = [Buffer.concat(state.chunks)]
    const bytes = state.chunks[0] as Buffer
    const reading = read(bytes)
    if (reading.kind === 'incomplete') state.neededBytes = reading.neededBytes
    else finish(this, bytes, reading.value, reading.length ?? 0)
  }

  function onEnd(this: Socket): void {
    if (waiting.delete(this)) brokenOff?.(this)
    this.destroy()
  }

  function onClose(this: Socket): void {
    if (waiting.delete(this)) brokenOff?.(this)
  }

  return {
    start(socket) {
      waiting.set(socket, { chunks: [], bytes: 0, neededBytes: 1, dueMs: clock.monotonicMs() + timeoutMs })
      cancelWake ??= clock.wake(timeoutMs, expire)
      // Stays on afterwards: a reset in the very moment of handing over must find a listener.
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
