/**
 * The bytes of one connection before and during TLS: read by the protocol's opening first, then carried to the TLS socket.
 *
 * TLS runs over a stream of ours instead of the socket itself, so that the first bytes of a server that speaks no TLS are
 * there to be named, and so that what comes in is counted.
 */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

export interface Wire {
  readonly socket: Socket
  write(bytes: Uint8Array | string): void
  /**
   * The next line, without its end.
   *
   * @throws {@link WireError} when the server closes or sends more than `limit` bytes without one
   */
  readLine(limit?: number): Promise<string>
  /** @throws {@link WireError} when the server closes before */
  readBytes(length: number): Promise<Buffer>
  /** Reads text up to and with what matches. @throws {@link WireError} as readLine */
  readUntil(pattern: RegExp, limit?: number): Promise<string>
  /** What has come and was not read. */
  unread(): Buffer
  /** The stream for TLS: from here on nothing can be read here. */
  toStream(): Duplex
  /** The first bytes that came to the stream, 64 at most. */
  firstBytes(): Buffer
  /** Bytes that came to the stream. */
  received(): number
}

/** The connection did not bring what was waited for. */
export class WireError extends Error {
  /** What came instead, and was not read. */
  readonly unread: Buffer

  constructor(message: string, unread: Buffer, cause?: unknown) {
    super(message, { cause })
    this.unread = unread
  }
}

/** A server that sends this much in one connection is cut off: a handshake and an HTTP head take a few thousand. */
const receiveLimit = 1_048_576
const lineLimit = 65_536
const firstBytesKept = 64

export function createWire(socket: Socket): Wire {
  let pending: Buffer = Buffer.alloc(0)
  let isEnded = false
  let failure: Error | undefined
  let notify = () => {}
  let stream: Duplex | undefined
  let first: Buffer = Buffer.alloc(0)
  let count = 0

  socket.on('data', (chunk: Buffer) => {
    if (stream) return carry(stream, chunk)
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    if (pending.length > receiveLimit) socket.destroy()
    notify()
  })
  socket.on('end', () => {
    isEnded = true
    stream?.push(null)
    notify()
  })
  socket.on('error', (error) => {
    failure = error
    stream?.destroy(error)
  })
  socket.on('close', () => {
    isEnded = true
    stream?.destroy()
    notify()
  })

  function carry(to: Duplex, chunk: Buffer): void {
    count += chunk.length
    if (first.length < firstBytesKept) first = Buffer.concat([first, chunk.subarray(0, firstBytesKept - first.length)])
    if (count > receiveLimit) socket.destroy()
    else if (!to.push(chunk)) socket.pause()
  }

  /** Looks at what has come until `look` finds what it wants there. */
  function until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const attempt = () => {
        try {
          const found = look()
          if (found !== undefined) resolve(found)
          else if (isEnded) reject(new WireError('the server closed the connection', pending, failure))
          else return
        } catch (error) {
          reject(error)
        }
        notify = () => {}
      }
      notify = attempt
      attempt()
    })
  }

  function take(length: number, andSkip = 0): Buffer {
    const taken = pending.subarray(0, length)
    pending = pending.subarray(length + andSkip)
    return taken
  }

  return {
    socket,
    write(bytes) {
      socket.write(bytes)
    },
    readLine(limit = lineLimit) {
      return until(() => {
        const end = pending.indexOf(0x0a)
        if (end > limit || (end < 0 && pending.length > limit)) {
          throw new WireError(`the server sent more than ${limit} bytes without the end of a line`, pending)
        }
        return end < 0 ? undefined : take(end, 1).toString('utf8').replace(/\r$/, '')
      })
    },
    readUntil(pattern, limit = lineLimit) {
      return until(() => {
        const text = pending.toString('latin1')
        const match = pattern.exec(text)
        const end = match ? match.index + match[0].length : text.length
        if (end > limit) {
          throw new WireError(`the server sent more than ${limit} bytes without what was waited for`, pending)
        }
        return match ? take(end).toString('utf8') : undefined
      })
    },
    readBytes: (length) => until(() => (pending.length < length ? undefined : take(length))),
    unread: () => pending,
    toStream() {
      stream = new Duplex({
        read: () => void socket.resume(),
        write: (chunk, _encoding, done) => void socket.write(chunk, done),
        final: (done) => void socket.end(done),
        destroy: (error, done) => {
          socket.destroy()
          done(error)
        },
      })
      stream.on('error', () => {}) // told by the TLS socket
      if (pending.length > 0) carry(stream, take(pending.length))
      if (failure) stream.destroy(failure)
      else if (isEnded) stream.push(null)
      return stream
    },
    firstBytes: () => first,
    received: () => count,
  }
}
