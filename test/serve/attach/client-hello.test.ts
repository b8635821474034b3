import { createServer, type Socket } from 'node:net'
import { type ConnectionOptions, connect } from 'node:tls'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { type ClientHello, longestClientHelloBytes, readClientHello } from '../../../src/serve/attach/client-hello.ts'
import { chooseKeyFamily } from '../../../src/serve/attach/key-choice.ts'
import type { ClientOptions } from '../tls-client.ts'

/** The bytes that a real client opens with. */
async function captureClientHello(options: ClientOptions): Promise<Buffer> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const client = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options } as ConnectionOptions)
  client.on('error', () => {})
  const socket = await new Promise<Socket>((resolve) => server.once('connection', resolve))
  const bytes = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
  client.destroy()
  socket.destroy()
  server.close()
  return bytes
}

function hello(bytes: Uint8Array): ClientHello {
  const reading = readClientHello(bytes)
  if (reading.kind !== 'hello') throw new Error(JSON.stringify(reading))
  return reading.hello
}

/** The same message, cut into records of at most `size` bytes. */
function split(bytes: Uint8Array, size: number): Buffer {
  const message = bytes.subarray(5)
  const records: Buffer[] = []
  for (let offset = 0; offset < message.length; offset += size) {
    const fragment = message.subarray(offset, offset + size)
    records.push(Buffer.from([22, 3, 1, fragment.length >> 8, fragment.length & 255]), Buffer.from(fragment))
  }
  return Buffer.concat(records)
}

let full: Buffer
let bare: Buffer

beforeAll(async () => {
  full = await captureClientHello({
    servername: 'WWW.Example.net',
    requestOCSP: true,
    ALPNProtocols: ['h2', 'http/1.1'],
  })
  bare = await captureClientHello({
    maxVersion: 'TLSv1.2',
    ciphers: 'ECDHE-RSA-AES128-GCM-SHA256',
    sigalgs: 'rsa_pss_rsae_sha256',
  })
})

describe('a real ClientHello', () => {
  it('is read in full', () => {
    expect(hello(full)).toMatchObject({
      serverName: 'www.example.net',
      asksForStatus: true,
      alpn: ['h2', 'http/1.1'],
      supportedVersions: [0x0304, 0x0303],
    })
  })

  it('is read with its cipher suites, schemes and groups', () => {
    const { cipherSuites, signatureAlgorithms, supportedGroups } = hello(full)
    expect([
      cipherSuites.includes(0x1301),
      signatureAlgorithms?.includes(0x0403),
      supportedGroups?.includes(23),
    ]).toEqual([true, true, true])
  })

  it('is read without what it does not say', () => {
    const { serverName, asksForStatus, alpn, supportedVersions, signatureAlgorithms } = hello(bare)
    expect({ serverName, asksForStatus, alpn, supportedVersions, signatureAlgorithms }).toEqual({
      serverName: undefined,
      asksForStatus: false,
      alpn: [],
      supportedVersions: [0x0303],
      signatureAlgorithms: [0x0804],
    })
  })

  it('is the same however its records are cut', () => {
    for (const size of [1, 2, 3, 7, 100, 200]) {
      if (split(full, size).length > longestClientHelloBytes) continue
      expect(hello(split(full, size))).toEqual(hello(full))
    }
  })

  it('is waited for until its last byte, and never asks for more than that', () => {
    for (const whole of [full, split(full, 90)]) {
      for (let length = 0; length < whole.length; length++) {
        const reading = readClientHello(whole.subarray(0, length))
        if (reading.kind !== 'incomplete') throw new Error(`${reading.kind} after ${length} of ${whole.length}`)
        expect(reading.neededBytes).toBeGreaterThan(length)
        expect(reading.neededBytes).toBeLessThanOrEqual(whole.length)
      }
    }
  })

  it('is read over empty records, as by OpenSSL', () => {
    const empty = Buffer.from([22, 3, 1, 0, 0])
    const [first, second] = [full.subarray(5, 40), full.subarray(40)].map((part) =>
      split(Buffer.concat([Buffer.alloc(5), part]), 16_384),
    )
    expect(hello(Buffer.concat([empty, first as Buffer, empty, empty, second as Buffer]))).toEqual(hello(full))
  })

  it('is read without what follows it', () => {
    expect(hello(Buffer.concat([full, Buffer.from('early data')]))).toEqual(hello(full))
  })
})

describe('what is no ClientHello', () => {
  it.each([
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'not-tls'],
    ['a PROXY header', Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n'), 'not-tls'],
    ['an SSL 2 hello', Buffer.from([0x80, 0x2e, 0x01, 0x03, 0x01]), 'not-tls'],
    ['an alert', Buffer.from([21, 3, 1, 0, 2, 2, 40]), 'not-tls'],
    ['a ServerHello', Buffer.from([22, 3, 3, 0, 4, 2, 0, 0, 0]), 'not-a-client-hello'],
    ['a record longer than TLS allows', Buffer.from([22, 3, 1, 0x40, 1]), 'malformed'],
    ['a message of 16 MB', Buffer.from([22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff]), 'too-long'],
    ['a message that ends inside itself', Buffer.from([22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3]), 'malformed'],
  ])('%s is told apart', (_what, bytes, reason) => {
    expect(readClientHello(bytes)).toEqual({ kind: 'unreadable', reason })
  })

  it('is refused when it goes on for ever in tiny records', () => {
    const endless = split(Buffer.concat([Buffer.from([22, 3, 1, 0, 0, 1, 0, 0x3f, 0xf0]), Buffer.alloc(0x3ff0)]), 1)
    expect(readClientHello(endless)).toEqual({ kind: 'unreadable', reason: 'too-long' })
  })

  it('never throws and never waits for ever, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.nat(), fc.uint8Array({ maxLength: 3 }), fc.nat(), (at, noise, cut) => {
        const bytes = Buffer.from(full)
        bytes.set(noise.subarray(0, bytes.length - (at % bytes.length)), at % bytes.length)
        const reading = readClientHello(bytes.subarray(0, cut % (bytes.length + 1)))
        if (reading.kind === 'incomplete')
          expect(reading.neededBytes).toBeLessThanOrEqual(longestClientHelloBytes + 160)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('the key that a client can use', () => {
  const tls13 = { asksForStatus: true, alpn: [], cipherSuites: [0x1301], supportedVersions: [0x0304, 0x0303] }
  const tls12 = { ...tls13, supportedVersions: [0x0303] }
  it.each<[string, ClientHello, string]>([
    ['TLS 1.3 with both', { ...tls13, signatureAlgorithms: [0x0403, 0x0804] }, 'ec'],
    ['TLS 1.3 with RSA only', { ...tls13, signatureAlgorithms: [0x0804] }, 'rsa'],
    ['TLS 1.3 with nothing that fits', { ...tls13, signatureAlgorithms: [0x0101] }, 'rsa'],
    [
      'TLS 1.2 with an ECDSA suite',
      { ...tls12, cipherSuites: [0xc02b], signatureAlgorithms: [0x0403, 0x0401], supportedGroups: [29, 23] },
      'ec',
    ],
    [
      'TLS 1.2 without an ECDSA suite',
      { ...tls12, cipherSuites: [0xc02f], signatureAlgorithms: [0x0403, 0x0401] },
      'rsa',
    ],
    [
      'TLS 1.2 without ECDSA schemes',
      { ...tls12, cipherSuites: [0xc02b, 0xc02f], signatureAlgorithms: [0x0401] },
      'rsa',
    ],
    [
      'TLS 1.2 with X25519 as its only curve',
      { ...tls12, cipherSuites: [0xc02b, 0xc02f], signatureAlgorithms: [0x0403], supportedGroups: [29] },
      'rsa',
    ],
    ['TLS 1.2 without supported_groups', { ...tls12, cipherSuites: [0xc02b, 0x009c] }, 'rsa'],
  ])('%s', (_what, asked, family) => {
    expect(chooseKeyFamily(asked, ['rsa', 'ec'])).toBe(family)
  })

  it('is Ed25519 only for a client that names it', () => {
    const both = { ...tls13, signatureAlgorithms: [0x0807, 0x0804] }
    expect([
      chooseKeyFamily(both, ['rsa', 'ed']),
      chooseKeyFamily({ ...tls13, signatureAlgorithms: [0x0804] }, ['rsa', 'ed']),
    ]).toEqual(['ed', 'rsa'])
  })

  it('is the one there is', () => {
    expect(chooseKeyFamily({ ...tls13, signatureAlgorithms: [0x0804] }, ['ec'])).toBe('ec')
  })
})
