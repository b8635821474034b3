/**
 * The S2 stream format, as far as it takes to share a file with nats-server: written in chunks that are not compressed,
 * which every reader takes, and read the same way. (A response is mostly signatures and keys: there is little to gain.)
 *
 * @see the framing format of Snappy, which S2 keeps: a stream identifier, then chunks of type, length, checksum, data
 */

/** Wraps bytes into a stream. */
export function encodeS2(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [streamIdentifier]
  for (let from = 0; from < bytes.length; from += mostInChunk) {
    const data = bytes.subarray(from, from + mostInChunk)
    const head = Buffer.alloc(headBytes + checksumBytes)
    head.writeUInt8(uncompressed, 0)
    head.writeUIntLE(checksumBytes + data.length, 1, 3)
    head.writeUInt32LE(maskedChecksum(data), headBytes)
    parts.push(head, data)
  }
  return Buffer.concat(parts)
}

/** What a stream holds: `compressed` where it has chunks that only a decompressor can read, `damaged` where it is none. */
export function decodeS2(stream: Uint8Array, mostBytes: number): Uint8Array | 'compressed' | 'damaged' {
  const view = Buffer.from(stream.buffer, stream.byteOffset, stream.length)
  const identifier = view.subarray(0, streamIdentifier.length)
  if (!identifiers.some((each) => identifier.equals(each))) return 'damaged'
  const parts: Buffer[] = []
  let length = 0
  for (let at = identifier.length; at < view.length; ) {
    if (at + headBytes > view.length) return 'damaged'
    const type = view.readUInt8(at)
    const end = at + headBytes + view.readUIntLE(at + 1, 3)
    if (end > view.length) return 'damaged'
    const content = view.subarray(at + headBytes, end)
    at = end
    if (type === uncompressed) {
      if (content.length < checksumBytes) return 'damaged'
      const data = content.subarray(checksumBytes)
      if (content.readUInt32LE(0) !== maskedChecksum(data)) return 'damaged'
      length += data.length
      if (length > mostBytes) return 'damaged'
      parts.push(data)
    } else if (type === compressed) return 'compressed'
    // From 0x02 on chunks must be understood; those from 0x80 on are passed over, padding and further streams among them.
    else if (type < firstSkippable) return 'damaged'
  }
  return Buffer.concat(parts)
}

/** CRC-32C, turned and moved, so that a checksum of something that holds checksums is none of them. */
function maskedChecksum(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** Castagnoli's polynomial; node:zlib has another one. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let entry = index
  for (let bit = 0; bit < 8; bit++) entry = entry & 1 ? (entry >>> 1) ^ 0x82f63b78 : entry >>> 1
  return entry
})

const identifiers = ['S2sTwO', 'sNaPpY'].map((name) => Buffer.from([0xff, 6, 0, 0, ...Buffer.from(name)]))
const streamIdentifier = identifiers[0] as Buffer
const compressed = 0x00
const uncompressed = 0x01
const firstSkippable = 0x80
const headBytes = 4
const checksumBytes = 4
/** Snappy's bound, below S2's own. */
const mostInChunk = 65_536
