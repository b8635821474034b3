/** Streams that nats-server can read: byte for byte as the format says, and nothing damaged taken back. */
import { expect, test } from 'vitest'
import { crc32c, decodeS2, encodeS2 } from '../../../src/run/peers/s2.ts'

test.each([
  // RFC 3720 §B.4
  [Buffer.alloc(32), 0x8a9136aa],
  [Buffer.alloc(32, 0xff), 0x62a8ab43],
  [Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
  [Buffer.from('123456789'), 0xe3069283],
])('CRC-32C of %j', (bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected)
})

test('a stream is its identifier and one chunk: type 1, length, masked checksum, the bytes', () => {
  // The checksum is masked as the format says: turned right by 15 bits, 0xa282ead8 added.
  const crc = 0xe3069283
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32LE(masked)
  const expected = ['ff060000', Buffer.from('S2sTwO').toString('hex'), '01', '0d0000', checksum.toString('hex')]
  expect(Buffer.from(encodeS2(Buffer.from('123456789'))).toString('hex')).toBe(
    `${expected.join('')}${Buffer.from('123456789').toString('hex')}`,
  )
})

test.each([0, 1, 1_500, 65_536, 65_537, 200_000])('%i bytes come back as they were', (length) => {
  const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * 7) & 0xff))
  expect(Buffer.from(decodeS2(encodeS2(bytes), 1e6) as Uint8Array).equals(bytes)).toBe(true)
})

const stream = () => Buffer.from(encodeS2(Buffer.from('some bytes')))

test("takes Snappy's identifier too, and passes over padding and further identifiers", () => {
  const snappy = stream()
  snappy.write('sNaPpY', 4)
  const padding = Buffer.from([0xfe, 3, 0, 0, 1, 2, 3])
  expect(Buffer.from(decodeS2(Buffer.concat([snappy, padding, stream()]), 100) as Uint8Array).toString()).toBe(
    'some bytessome bytes',
  )
})

test('says of a compressed chunk that it is one', () => {
  expect(decodeS2(Buffer.concat([stream().subarray(0, 10), Buffer.from([0, 5, 0, 0, 0, 0, 0, 0, 0])]), 100)).toBe(
    'compressed',
  )
})

test.each([
  ['nothing', Buffer.alloc(0)],
  ['another format', Buffer.from('\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x00')],
  ['a stream that is cut', stream().subarray(0, -1)],
  ['a head that is cut', stream().subarray(0, 12)],
  ['a wrong checksum', Buffer.concat([stream().subarray(0, -1), Buffer.from('X')])],
  ['a chunk too short for its checksum', Buffer.concat([stream().subarray(0, 10), Buffer.from([1, 2, 0, 0, 1, 2])])],
  ['a chunk that must be understood', Buffer.concat([stream().subarray(0, 10), Buffer.from([2, 0, 0, 0])])],
])('refuses %s', (_, bytes) => {
  expect(decodeS2(bytes, 100)).toBe('damaged')
})

test('refuses what would be more than was asked for', () => {
  expect(decodeS2(encodeS2(Buffer.alloc(101)), 100)).toBe('damaged')
})
