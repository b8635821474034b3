/**
 * Follows what a NATS server sends to one client and rewrites every INFO in it; all else passes as it came.
 *
 * A server tells its clients of every change in its cluster, at any time, so the first INFO is not the last. Only a parser
 * can tell an INFO from a payload that looks like one: payloads are skipped by the length that their operation names,
 * without a look at their bytes. What it cannot follow it refuses: after one operation of unknown length, everything could
 * be an INFO, or none.
 *
 * @see the NATS client protocol: INFO, MSG, HMSG, PING, PONG, +OK and -ERR come from servers
 */
import { StapleError } from '../../../errors.ts'
import { longestInfoBytes } from './info.ts'
import { createLineBuffer } from './line-buffer.ts'
import { quote } from './quote.ts'

export interface InfoRewriterOptions {
  /** The backend's, for messages. */
  readonly url: string
  /** Takes a whole INFO line and returns the one that is sent in its place, both with their line ends. */
  rewrite(line: Buffer): Buffer
}

/**
 * Takes the next chunk and returns what the client is to be sent for it: the chunk itself when no INFO is in it, nothing
 * while an INFO is incomplete.
 *
 * @throws {@link StapleError} `ERR_NATS_PROTOCOL`; the connection is then of no use any more
 */
export type InfoRewriter = (chunk: Buffer) => Buffer | readonly Buffer[] | undefined

/** A subject may be long, but nats-server's own limit is 4 KiB unless raised. */
export const longestLineBytes = 65_536

/** Creates one for one connection, whose next byte begins an operation. */
export function createInfoRewriter({ url, rewrite }: InfoRewriterOptions): InfoRewriter {
  const line = createLineBuffer()
  let isInfo = false
  /** Bytes of a payload that are still to come, and of the line end that follows it. */
  let payloadLeft = 0
  let lineEndLeft = 0

  function refuse(expected: string, bytes: Buffer): never {
    const found = quote(bytes)
    const message = `backend ${url} left the NATS protocol: expected ${expected}, found ${found}`
    throw new StapleError('ERR_NATS_PROTOCOL', message, { backend: url, expected, found })
  }

  return (chunk) => {
    const { length } = chunk
    let sent: Buffer[] | undefined
    let sentTo = 0
    let offset = 0
    while (offset < length) {
      if (payloadLeft > 0) {
        const skipped = Math.min(payloadLeft, length - offset)
        payloadLeft -= skipped
        offset += skipped
        continue
      }
      if (lineEndLeft > 0) {
        if (chunk[offset] !== (lineEndLeft === 2 ? carriageReturn : lineFeed))
          refuse('the end of a payload', chunk.subarray(offset))
        lineEndLeft--
        offset++
        continue
      }
      if (line.length === 0) {
        const first = chunk[offset] as number
        if (!beginnings.has(first)) refuse('an operation', chunk.subarray(offset))
        isInfo = first === upperI || first === lowerI
      }
      const lineFeedAt = chunk.indexOf(lineFeed, offset)
      const end = lineFeedAt < 0 ? length : lineFeedAt + 1
      const longest = isInfo ? longestInfoBytes : longestLineBytes
      if (line.length + end - offset > longest) {
        line.append(chunk.subarray(offset, Math.min(end, offset + 64)))
        refuse(`a line of at most ${longest} bytes`, line.take())
      }
      if (lineFeedAt < 0 || line.length > 0) line.append(chunk.subarray(offset, end))
      if (isInfo) {
        sent ??= []
        if (sentTo < offset) sent.push(chunk.subarray(sentTo, offset))
        sentTo = end
      }
      if (lineFeedAt >= 0) {
        const whole = line.length > 0 ? line.take() : undefined
        if (isInfo) {
          sent?.push(rewrite(whole ?? chunk.subarray(offset, end)))
        } else {
          const bytes = whole === undefined ? payloadAfter(chunk, offset, end) : payloadAfter(whole, 0, whole.length)
          if (bytes === notNats) refuse('an operation', whole ?? chunk.subarray(offset, end))
          if (bytes !== noPayload) {
            payloadLeft = bytes
            lineEndLeft = 2
          }
        }
      }
      offset = end
    }
    if (sent === undefined) return chunk
    if (sentTo < length) sent.push(chunk.subarray(sentTo))
    return sent.length > 0 ? sent : undefined
  }
}

/** How many bytes of payload follow the line from `start` to `end`. */
function payloadAfter(bytes: Buffer, start: number, end: number): number {
  switch (bytes[start]) {
    case 0x4d: // M
    case 0x6d:
      return isOperation(bytes, start, 'MSG') ? lastNumber(bytes, start, end) : notNats
    case 0x48: // H
    case 0x68:
      return isOperation(bytes, start, 'HMSG') ? lastNumber(bytes, start, end) : notNats
    case 0x50: // P
    case 0x70:
      return isOperation(bytes, start, 'PING') || isOperation(bytes, start, 'PONG') ? noPayload : notNats
    case 0x2b: // +
      return isOperation(bytes, start, '+OK') ? noPayload : notNats
    default:
      return isOperation(bytes, start, '-ERR') ? noPayload : notNats
  }
}

/** Names of operations have no case; a space, a tab or the line's end stands after them. */
function isOperation(bytes: Buffer, start: number, name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    const byte = bytes[start + index] as number
    if ((byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte) !== name.charCodeAt(index)) return false
  }
  return isSpace(bytes[start + name.length] as number)
}

/** The size of MSG, the whole size of HMSG: the last word of the line. */
function lastNumber(bytes: Buffer, start: number, end: number): number {
  let index = end - 1
  while (isSpace(bytes[index] as number)) index--
  let value = 0
  let scale = 1
  for (; isDigit(bytes[index] as number); index--) {
    value += ((bytes[index] as number) - 0x30) * scale
    scale *= 10
  }
  const isNumber = scale > 1 && scale <= 1e10 && index > start && isSpace(bytes[index] as number)
  return isNumber ? value : notNats
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === carriageReturn || byte === lineFeed
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

const noPayload = -1
const notNats = -2
const carriageReturn = 0x0d
const lineFeed = 0x0a
const upperI = 0x49
const lowerI = 0x69
/** The first bytes of all operations, INFO's included. */
const beginnings = new Set(Buffer.from('IiMmHhPp+-'))
