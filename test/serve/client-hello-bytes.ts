/** ClientHellos written by hand, byte by byte: what no client would send, and each offer by itself. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'

/** What it offers, in the numbers of the TLS registries. An absent list is an absent extension. */
export interface HelloOptions {
  readonly cipherSuites: readonly number[]
  /** Default TLS 1.2 alone. */
  readonly versions?: readonly number[]
  readonly signatureAlgorithms?: readonly number[] | undefined
  readonly signatureAlgorithmsCert?: readonly number[] | undefined
  readonly supportedGroups?: readonly number[] | undefined
  readonly serverName?: string
  readonly asksForStatus?: boolean
  /** Whole extensions, put behind the others: {@link extension} makes them. */
  readonly further?: readonly Buffer[]
}

/** The message without its record. With TLS 1.3 it carries a key share for X25519. */
export function helloMessage(options: HelloOptions): Buffer {
  const { versions = [0x0303], serverName, further = [] } = options
  const extensions = Buffer.concat([
    ...(serverName === undefined ? [] : [extension(0, vector16(uint8(0), vector16(Buffer.from(serverName))))]),
    ...(options.asksForStatus ? [extension(5, Buffer.from([1, 0, 0, 0, 0]))] : []),
    ...list(10, options.supportedGroups),
    ...(options.supportedGroups ? [extension(11, Buffer.from([1, 0]))] : []),
    ...list(13, options.signatureAlgorithms),
    ...list(50, options.signatureAlgorithmsCert),
    extension(23, Buffer.alloc(0)),
    ...(versions.includes(0x0304)
      ? [
          extension(43, vector8(...versions.map(uint16))),
          extension(51, vector16(uint16(29), vector16(x25519Share))),
          extension(45, Buffer.from([1, 1])),
        ]
      : []),
    ...further,
  ])
  return message(
    Buffer.concat([
      uint16(0x0303),
      randomBytes(32),
      vector8(randomBytes(32)),
      vector16(...options.cipherSuites.map(uint16)),
      Buffer.from([1, 0]),
      vector16(extensions),
    ]),
  )
}

/** A handshake message of type ClientHello. */
export function message(body: Buffer): Buffer {
  return Buffer.concat([uint8(1), uint8(body.length >> 16), uint16(body.length & 0xffff), body])
}

/** A message in handshake records of at most `size` bytes each. */
export function records(whole: Uint8Array, size = 16_384): Buffer {
  const cut: Buffer[] = []
  for (let offset = 0; offset < whole.length; offset += size) cut.push(record(whole.subarray(offset, offset + size)))
  return Buffer.concat(cut)
}

export function record(fragment: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([22, 3, 1]), vector16(fragment)])
}

export function extension(type: number, body: Uint8Array): Buffer {
  return Buffer.concat([uint16(type), vector16(body)])
}

function uint8(value: number): Buffer {
  return Buffer.from([value])
}

export function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255])
}

function vector8(...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([uint8(body.length), body])
}

export function vector16(...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([uint16(body.length), body])
}

function list(type: number, values: readonly number[] | undefined): Buffer[] {
  return values ? [extension(type, vector16(...values.map(uint16)))] : []
}

const x25519Share = generateKeyPairSync('x25519').publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
