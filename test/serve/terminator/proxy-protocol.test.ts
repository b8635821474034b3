import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createNetworks } from '../../../src/serve/terminator/proxy-protocol/networks.ts'
import { longestBlockBytes, readProxyHeader, signature } from '../../../src/serve/terminator/proxy-protocol/read.ts'
import { encodeProxyHeader } from '../../../src/serve/terminator/proxy-protocol/write.ts'

const line = (text: string) => readProxyHeader(Buffer.from(text, 'latin1'))
const binary = (versionAndCommand: number, family: number, block: Buffer, length = block.length) =>
  readProxyHeader(
    Buffer.concat([signature, Buffer.from([versionAndCommand, family, length >> 8, length & 255]), block]),
  )
const kindOf = (text: string) => line(text).kind

const ipv4Block = Buffer.from([192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 0x01, 0xbb])
const ipv6Block = Buffer.from(
  '20010db8000000000000000000000001' + '20010db8000000000000000000000002' + 'ffff' + '0000',
  'hex',
)

describe('version 1', () => {
  it('names both ends, over IPv4 and IPv6', () => {
    expect(line('PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET /')).toEqual({
      kind: 'header',
      length: 47,
      source: { address: '192.168.0.1', port: 56324 },
      destination: { address: '192.168.0.11', port: 443 },
    })
    expect(line('PROXY TCP6 2001:DB8:0::1 ::1 1 65535\r\n')).toEqual({
      kind: 'header',
      length: 38,
      source: { address: '2001:db8::1', port: 1 },
      destination: { address: '::1', port: 65535 },
    })
  })

  it('may say that it does not know, with whatever else', () => {
    expect(line('PROXY UNKNOWN\r\nrest')).toEqual({ kind: 'header', length: 15 })
    expect(line('PROXY UNKNOWN ff::1 what ever\r\n')).toEqual({ kind: 'header', length: 31 })
    const longest = `PROXY UNKNOWN ${'f'.repeat(107 - 16)}\r\n`
    expect([longest.length, line(longest)]).toEqual([107, { kind: 'header', length: 107 }])
  })

  it.each([
    ['a leading zero in an address', 'PROXY TCP4 192.168.0.01 192.168.0.11 1 2\r\n'],
    ['a leading zero in a port', 'PROXY TCP4 192.168.0.1 192.168.0.11 01 2\r\n'],
    ['a port over 65,535', 'PROXY TCP4 192.168.0.1 192.168.0.11 65536 2\r\n'],
    ['a port with a sign', 'PROXY TCP4 192.168.0.1 192.168.0.11 +1 2\r\n'],
    ['a missing port', 'PROXY TCP4 192.168.0.1 192.168.0.11 1\r\n'],
    ['something behind the ports', 'PROXY TCP4 192.168.0.1 192.168.0.11 1 2 3\r\n'],
    ['two spaces', 'PROXY TCP4  192.168.0.1 192.168.0.11 1 2\r\n'],
    ['a space at the end', 'PROXY TCP4 192.168.0.1 192.168.0.11 1 2 \r\n'],
    ['a tab', 'PROXY TCP4 192.168.0.1\t192.168.0.11 1 2\r\n'],
    ['an address of the other family', 'PROXY TCP4 ::1 192.168.0.11 1 2\r\n'],
    ['an IPv4 address where IPv6 is said', 'PROXY TCP6 192.168.0.1 ::1 1 2\r\n'],
    ['an address with a zone', 'PROXY TCP6 fe80::1%lo ::1 1 2\r\n'],
    ['another family', 'PROXY UDP4 192.168.0.1 192.168.0.11 1 2\r\n'],
    ['no family', 'PROXY \r\n'],
    ['lower case', 'proxy TCP4 192.168.0.1 192.168.0.11 1 2\r\n'],
    ['UNKNOWN with a tail', 'PROXY UNKNOWNS\r\n'],
    ['a line feed alone', `PROXY TCP4 192.168.0.1 192.168.0.11 1 2\n${'x'.repeat(80)}\r\n`],
    ['a carriage return within', 'PROXY TCP4 192.168.0.1 192.168.0.11 1 2\rx\r\n'],
    ['a line of 108 bytes', `PROXY UNKNOWN ${'f'.repeat(108 - 16)}\r\n`],
  ])('refuses %s', (_, text) => {
    expect(kindOf(text)).toBe('invalid')
  })

  it('is given up when its end is not among the first 107 bytes', () => {
    expect(kindOf(`PROXY UNKNOWN ${'f'.repeat(92)}`)).toBe('incomplete')
    expect(kindOf(`PROXY UNKNOWN ${'f'.repeat(93)}`)).toBe('invalid')
  })
})

describe('version 2', () => {
  it('names both ends, over IPv4 and IPv6', () => {
    expect(binary(0x21, 0x11, ipv4Block)).toEqual({
      kind: 'header',
      length: 28,
      source: { address: '192.0.2.1', port: 56324 },
      destination: { address: '198.51.100.2', port: 443 },
    })
    expect(binary(0x21, 0x21, ipv6Block)).toEqual({
      kind: 'header',
      length: 52,
      source: { address: '2001:db8::1', port: 65535 },
      destination: { address: '2001:db8::2', port: 0 },
    })
  })

  it('skips what stands behind the addresses', () => {
    const tlv = Buffer.from([4, 0, 3, 1, 2, 3])
    expect(binary(0x21, 0x11, Buffer.concat([ipv4Block, tlv]))).toMatchObject({
      length: 34,
      source: { address: '192.0.2.1' },
    })
  })

  it.each([
    ['LOCAL', 0x20, 0x00, Buffer.alloc(0)],
    ['LOCAL with an address, which does not count', 0x20, 0x11, ipv4Block],
    ['LOCAL with a family that nobody knows', 0x20, 0xff, Buffer.alloc(3)],
    ['no family', 0x21, 0x00, Buffer.alloc(0)],
    ['no family with bytes', 0x21, 0x00, ipv4Block],
    ['IPv4 without a protocol', 0x21, 0x10, Buffer.alloc(0)],
    ['UDP', 0x21, 0x12, ipv4Block],
    ['a Unix socket', 0x21, 0x31, Buffer.alloc(216)],
  ])('accepts %s, and says no address', (_, command, family, block) => {
    expect(binary(command, family, block)).toEqual({ kind: 'header', length: 16 + block.length })
  })

  it.each([
    ['another version', 0x11, 0x11, ipv4Block],
    ['another command', 0x22, 0x11, ipv4Block],
    ['another family', 0x21, 0x41, ipv4Block],
    ['another protocol', 0x21, 0x13, ipv4Block],
    ['fewer bytes than IPv4 takes', 0x21, 0x11, ipv4Block.subarray(0, 11)],
    ['fewer bytes than IPv6 takes', 0x21, 0x21, ipv6Block.subarray(0, 35)],
    ['fewer bytes than a Unix socket takes', 0x21, 0x31, ipv6Block],
  ])('refuses %s', (_, command, family, block) => {
    expect(binary(command, family, block).kind).toBe('invalid')
  })

  it('is bounded, whatever its length says', () => {
    const atMost = Buffer.concat([ipv4Block, Buffer.alloc(longestBlockBytes - 12)])
    expect(binary(0x21, 0x11, atMost)).toMatchObject({ kind: 'header', length: 16 + 4096 })
    expect(binary(0x21, 0x11, Buffer.alloc(0), longestBlockBytes)).toEqual({
      kind: 'incomplete',
      neededBytes: 16 + 4096,
    })
    expect(binary(0x21, 0x11, Buffer.alloc(0), longestBlockBytes + 1).kind).toBe('invalid')
  })
})

describe('what is no header', () => {
  it('is refused at its first byte that differs, and named', () => {
    const found = (bytes: Buffer) => {
      const reading = readProxyHeader(bytes)
      return reading.kind === 'invalid' ? reading.found : reading.kind
    }
    expect(found(Buffer.from([22, 3, 1, 2, 0]))).toBe('a TLS handshake')
    expect(found(Buffer.from('GET / HTTP/1.1\r\n'))).toBe('"GET / HTTP/1.1\\r\\n"')
    expect(found(Buffer.from([0, 255]))).toBe('the bytes 00ff')
    expect(found(Buffer.from('PROXYTCP4'))).toBe('"PROXYTCP4"')
    expect(found(Buffer.from('\r\n\r\nQUIT'))).toBe('"\\r\\n\\r\\nQUIT"')
  })

  it('is not yet known of nothing', () => {
    expect(readProxyHeader(Buffer.alloc(0))).toEqual({ kind: 'incomplete', neededBytes: 1 })
  })
})

const port = fc.integer({ min: 0, max: 65_535 })
const endpoint = (address: fc.Arbitrary<string>) => fc.record({ address, port })
const family = fc.constantFrom(fc.ipV4(), fc.ipV6())
const ends = family.chain((address) => fc.tuple(endpoint(address), endpoint(address)))
const version = fc.constantFrom('v1' as const, 'v2' as const)

describe('what is written', () => {
  it('is read again as the same two ends', () => {
    fc.assert(
      fc.property(version, ends, fc.uint8Array({ maxLength: 20 }), (version, [source, destination], rest) => {
        const header = encodeProxyHeader(version, source, destination)
        const reading = readProxyHeader(Buffer.concat([header, rest]))
        expect(reading).toMatchObject({ kind: 'header', length: header.length })
        if (reading.kind !== 'header' || reading.source === undefined) {
          // An IPv6 address that stands for an IPv4 one beside one that does not: no common family.
          expect(source.address).toContain(':')
          return
        }
        expect(encodeProxyHeader(version, reading.source, reading.destination).equals(header)).toBe(true)
        expect([reading.source.port, reading.destination?.port]).toEqual([source.port, destination.port])
        if (!source.address.includes(':')) expect(reading.source.address).toBe(source.address)
      }),
    )
  })

  it('is incomplete wherever it is cut', () => {
    fc.assert(
      fc.property(version, ends, (version, [source, destination]) => {
        const header = encodeProxyHeader(version, source, destination)
        for (let length = 0; length < header.length; length++) {
          const reading = readProxyHeader(header.subarray(0, length))
          expect(reading.kind).toBe('incomplete')
          if (reading.kind !== 'incomplete') continue
          expect(reading.neededBytes).toBeGreaterThan(length)
          expect(reading.neededBytes).toBeLessThanOrEqual(header.length)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('has IPv4 addresses as IPv4, in whatever form they came', () => {
    const source = { address: '::ffff:192.0.2.1', port: 56324 }
    expect(encodeProxyHeader('v1', source, { address: '198.51.100.2', port: 443 }).toString()).toBe(
      'PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n',
    )
    expect(encodeProxyHeader('v2', source, { address: '::FFFF:c633:6402', port: 443 })).toEqual(
      Buffer.concat([signature, Buffer.from([0x21, 0x11, 0, 12]), ipv4Block]),
    )
  })

  it.each([
    ['two families', { address: '2001:db8::1', port: 1 }, { address: '192.0.2.1', port: 2 }],
    ['an end that is not known', { address: undefined, port: undefined }, { address: '192.0.2.1', port: 2 }],
    ['the path of a Unix socket', { address: '/run/x', port: 0 }, { address: '192.0.2.1', port: 2 }],
  ])('says UNKNOWN for %s', (_, source, destination) => {
    const [one, other] = [source, destination] as Parameters<typeof readable>
    expect(readable(one, other)).toEqual(['PROXY UNKNOWN\r\n', { kind: 'header', length: 16 }])
  })
})

function readable(source: { address?: string; port?: number }, destination: { address?: string; port?: number }) {
  return [
    encodeProxyHeader('v1', source, destination).toString(),
    readProxyHeader(encodeProxyHeader('v2', source, destination)),
  ]
}

describe('any bytes', () => {
  const damaged = fc
    .tuple(
      version,
      ends,
      fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 3 }),
      fc.uint8Array({ maxLength: 200 }),
    )
    .map(([version, [source, destination], changes, rest]) => {
      const bytes = Buffer.concat([encodeProxyHeader(version, source, destination), rest])
      for (const [index, value] of changes) if (index < bytes.length) bytes[index] = value
      return bytes
    })
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([Buffer.from('PROXY '), bytes])),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([signature, bytes])),
    damaged,
  )

  it('never throw, and mean the same in whatever pieces they come', () => {
    fc.assert(
      fc.property(anything, (bytes) => {
        const whole = readProxyHeader(bytes)
        let length = 0
        let reading = readProxyHeader(bytes.subarray(0, 0))
        while (reading.kind === 'incomplete') {
          expect(reading.neededBytes).toBeGreaterThan(length)
          if (reading.neededBytes > bytes.length) break
          length = reading.neededBytes
          reading = readProxyHeader(bytes.subarray(0, length))
        }
        if (reading.kind === 'incomplete') expect(whole.kind).not.toBe('header')
        else expect(reading.kind).toBe(whole.kind)
        if (reading.kind === 'header') expect(reading).toEqual(whole)
        if (reading.kind === 'header') expect(reading.length).toBeLessThanOrEqual(bytes.length)
      }),
      { seed: 20261121, numRuns: 20_000 },
    )
  })
})

describe('networks', () => {
  const networks = createNetworks(['192.0.2.0/24', '10.0.0.1', '2001:db8::/32', '::ffff:198.51.100.0/120'])

  it.each([
    ['192.0.2.255', true],
    ['192.0.3.0', false],
    ['::ffff:192.0.2.9', true],
    ['::ffff:c000:209', true],
    ['10.0.0.1', true],
    ['10.0.0.2', false],
    ['2001:db8:ffff::', true],
    ['2001:DB8:0:0:0:0:0:1', true],
    ['2001:db9::', false],
    ['198.51.100.7', true],
    ['fe80::1%lo', false],
    ['', false],
    ['nonsense', false],
    [undefined, false],
  ])('know %s: %s', (address, isIn) => {
    expect(networks.has(address)).toBe(isIn)
  })

  it('of length 0 are everybody of that family', () => {
    const all = createNetworks(['0.0.0.0/0'])
    expect([all.has('203.0.113.9'), all.has('::1')]).toEqual([true, false])
  })

  it.each([
    '192.0.2.0/33',
    '192.0.2.0/-1',
    '192.0.2.0/',
    '2001:db8::/129',
    '192.0.2/24',
    'example.net',
    '1.2.3.4/5/6',
    '',
  ])('refuse %j', (text) => {
    expect(() => createNetworks([text])).toThrow(TypeError)
  })
})
