/** Targets that are no TLS servers, or bad ones: a clear line each, in bounded time, and never a rejection. */
import { once } from 'node:events'
import type { AddressInfo, LookupFunction, Socket } from 'node:net'
import { createServer, type TlsOptions } from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { startBadStapler } from '../../kit/bad-stapler.ts'
import { freePort } from '../../kit/free-port.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { sendCertificateMessage, startOddListener } from '../../kit/odd-listener.ts'
import { failureOf, lines, look } from './seen.ts'

let leaf: Leaf

beforeAll(async () => {
  leaf = await (await createAuthority()).issueLeaf()
})

describe('a name', () => {
  const failing =
    (code: string): LookupFunction =>
    (_host, _options, callback) =>
      callback(Object.assign(new Error(`getaddrinfo ${code}`), { code }), [])

  it.each([
    ['that is not known', failing('ENOTFOUND'), 'ENOTFOUND', /not known/],
    ['whose name server is silent', failing('EAI_AGAIN'), 'EAI_AGAIN', /did not answer/],
    [
      'without addresses',
      ((_host, _options, callback) => callback(null, [])) as LookupFunction,
      undefined,
      /no address/,
    ],
  ])('%s', async (_name, lookup, networkCode, words) => {
    const record = await look(443, { host: 'name.example', lookup })
    expect(record).toMatchObject({ addresses: [], connections: [], failure: { code: 'ERR_PROBE_RESOLVE' } })
    expect(failureOf(record)).toMatchObject({ host: 'name.example', networkCode, found: expect.stringMatching(words) })
  })

  it('with more addresses than any service has: nobody is sent to all of them', async () => {
    const many = (count: number): LookupFunction => {
      const all = Array.from({ length: count }, (_, index) => ({
        address: `224.0.${index >> 8}.${index & 255}`,
        family: 4,
      }))
      return (_host, _options, callback) => callback(null, all)
    }
    const record = await look(443, { host: 'name.example', lookup: many(101) })
    expect(record).toMatchObject({ addresses: [], connections: [] })
    expect(failureOf(record)).toMatchObject({ code: 'ERR_PROBE_RESOLVE', found: '101 addresses' })
    expect((await look(443, { host: 'name.example', lookup: many(100) })).addresses).toHaveLength(100)
  })

  it('that is never answered', async () => {
    const record = await look(443, { host: 'name.example', lookup: () => {}, timeoutMs: 50 })
    expect(failureOf(record)).toMatchObject({
      code: 'ERR_PROBE_RESOLVE',
      found: expect.stringContaining('within 50 ms'),
    })
  })

  it('of no possible spelling', async () => {
    expect(failureOf(await look(443, { host: 'a..b' })).code).toBe('ERR_PROBE_RESOLVE')
  })
})

describe('an address', () => {
  it('that refuses is asked once', async () => {
    const port = await freePort()
    const record = await look(port)
    expect(record.connections).toHaveLength(1)
    expect(failureOf(record)).toMatchObject({
      code: 'ERR_PROBE_CONNECT',
      networkCode: 'ECONNREFUSED',
      place: `127.0.0.1:${port}`,
    })
  })

  it('that is written in IPv6 stands in brackets', async () => {
    const port = await freePort()
    expect((await look(port, { host: '::1' })).connections[0]?.failure?.message).toContain(
      `[::1]:${port}: connection refused`,
    )
  })
})

describe('a server that speaks no TLS is named by what it sent, and asked once', () => {
  it.each<[string, (socket: Socket) => void, string]>([
    [
      'HTTP',
      (socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      'HTTP ("HTTP/1.1 400 Bad Request")',
    ],
    ['SSH', (socket) => void socket.write('SSH-2.0-x\r\n'), 'SSH ("SSH-2.0-x")'],
    [
      'SMTP',
      (socket) => void socket.write('220 mail.example ESMTP\r\n'),
      'an SMTP or FTP greeting; try --starttls smtp',
    ],
    ['FTP', (socket) => void socket.write('220 ready for FTP\r\n'), 'FTP; try --starttls ftp'],
    ['IMAP', (socket) => void socket.write('* OK ready\r\n'), 'IMAP; try --starttls imap'],
    ['POP3', (socket) => void socket.write('+OK ready\r\n'), 'POP3; try --starttls pop3'],
    ['NATS', (socket) => void socket.write('INFO {"server_id":"x"}\r\n'), 'NATS; try --starttls nats'],
    ['words', (socket) => void socket.write('hello\u001b[31m\r\n'), '68656c6c6f1b5b33316d0d0a (hex)'],
    ['bytes', (socket) => void socket.write(Buffer.alloc(64, 0x99)), `${'99'.repeat(16)} (hex)`],
  ])('%s', async (_name, act, found) => {
    const { port } = await startOddListener((socket) => {
      act(socket)
      socket.resume()
    })
    const record = await look(port)
    expect(record.connections).toHaveLength(1)
    expect(failureOf(record)).toMatchObject({
      code: 'ERR_PROBE_HANDSHAKE',
      found: expect.stringContaining(`the server speaks no TLS: it sent ${found}`),
    })
  })
})

describe('a server that does not finish', () => {
  it('hangs: once, and no longer than told', async () => {
    const { port } = await startOddListener((socket) => socket.resume())
    const record = await look(port, { timeoutMs: 80 })
    expect(record.connections).toHaveLength(1)
    expect(failureOf(record)).toMatchObject({ code: 'ERR_PROBE_TIMEOUT', expected: 'an end within 80 ms' })
    expect(record.elapsedMs).toBeLessThan(1_000)
  })

  it('drips a record that is as long as it likes', async () => {
    const { port } = await startOddListener((socket) => {
      const bytes = [22, 3, 3, 64, 0]
      const timer = setInterval(() => socket.write(Uint8Array.of(bytes.shift() ?? 2)), 5)
      socket.once('close', () => clearInterval(timer))
      socket.resume()
    })
    expect(failureOf(await look(port, { timeoutMs: 150 })).code).toBe('ERR_PROBE_TIMEOUT')
  })

  it.each<[string, (socket: Socket) => void, RegExp]>([
    [
      'resets',
      (socket) => void socket.once('data', () => socket.resetAndDestroy()),
      /reset the connection without an answer/,
    ],
    ['closes', (socket) => void socket.once('data', () => socket.destroy()), /without an answer/],
    [
      'closes in the middle',
      (socket) => void socket.once('data', () => socket.end(Uint8Array.of(22, 3, 3, 0, 122, 2, 0, 0, 118))),
      /in the handshake, after 9 bytes/,
    ],
    [
      'refuses with an alert',
      (socket) => void socket.once('data', () => socket.end(Uint8Array.of(21, 3, 3, 0, 2, 2, 80))),
      /the alert internal_error/,
    ],
    [
      'does not know the name',
      (socket) => void socket.once('data', () => socket.end(Uint8Array.of(21, 3, 3, 0, 2, 2, 112))),
      /does not know the name sent as SNI/,
    ],
    [
      'has nothing in common',
      (socket) => void socket.once('data', () => socket.end(Uint8Array.of(21, 3, 3, 0, 2, 2, 40))),
      /finds nothing in the offer/,
    ],
  ])('%s: both versions are tried, and no more', async (_name, act, found) => {
    const { port } = await startOddListener(act)
    const record = await look(port)
    expect(lines(record)).toEqual(['1.3 ecdsa,rsa: ERR_PROBE_HANDSHAKE', '1.2 ecdsa,rsa: ERR_PROBE_HANDSHAKE'])
    for (const { failure } of record.connections) {
      expect(failure?.detail).toMatchObject({ found: expect.stringMatching(found) })
    }
  })

  it('sends a certificate message of 10 MB: refused at its header', async () => {
    const { port } = await startOddListener((socket) => sendCertificateMessage(socket, 10_000_000))
    const record = await look(port, { connections: 2 })
    expect(record.connections.map(({ failure }) => failure?.code)).toEqual(Array(2).fill('ERR_PROBE_HANDSHAKE'))
    expect(record.connections[1]?.failure?.detail).toMatchObject({
      tlsCode: 'ERR_SSL_EXCESSIVE_MESSAGE_SIZE',
      found: expect.stringContaining('larger than OpenSSL takes'),
    })
  })

  it('sends records without end behind the handshake: cut off', async () => {
    let sent = 0
    const server = createServer({ cert: leaf.chainPem, key: leaf.key, ALPNProtocols: ['http/1.1'] }, (socket) => {
      const chunk = Buffer.alloc(16_384, 'x')
      const more = () => {
        while (!socket.destroyed && socket.write(chunk)) sent += chunk.length
      }
      socket.on('error', () => {})
      socket.on('drain', more)
      more()
    })
    server.on('tlsClientError', () => {})
    server.listen(0, '127.0.0.1')
    endsWithTest(() => server.close())
    await once(server, 'listening')
    const record = await look((server.address() as AddressInfo).port, { connections: 1 })
    expect(lines(record)).toEqual(['1.3 ecdsa,rsa: ecdsa'])
    expect(record.http).toBeUndefined()
    expect(sent).toBeLessThan(20_000_000)
  })
})

describe('a staple over 16 KiB', () => {
  const staple = new Uint8Array(20_000).fill(7)

  it.each<[string, TlsOptions, string[]]>([
    ['is read in TLS 1.3', { minVersion: 'TLSv1.3' }, ['20000', 'ERR_PROBE_HANDSHAKE']],
    [
      'is refused by Node in TLS 1.2, which is told',
      { maxVersion: 'TLSv1.2' },
      ['ERR_PROBE_HANDSHAKE', 'ERR_PROBE_HANDSHAKE'],
    ],
  ])('%s', async (_name, versions, expected) => {
    const { port } = await startBadStapler({ cert: leaf.chainPem, key: leaf.key, staple, ...versions })
    const record = await look(port, { connections: 2 })
    const seen = record.connections.map(({ handshake, failure }) => String(handshake?.staple?.length ?? failure?.code))
    expect(seen).toEqual(expected)
    if (versions.maxVersion) {
      expect(record.connections[1]?.failure?.detail).toMatchObject({ tlsCode: 'ERR_SSL_EXCESSIVE_MESSAGE_SIZE' })
    }
  })
})

describe('a probe that is stopped', () => {
  it('says so, and connects no more', async () => {
    const stop = new AbortController()
    const { port } = await startOddListener((socket) => socket.once('data', () => stop.abort()))
    const record = await look(port, { signal: stop.signal })
    expect(record.connections).toHaveLength(1)
    expect(failureOf(record)).toMatchObject({ code: 'ERR_PROBE_CONNECT', found: 'stopped' })
  })

  it('before it began, it makes no connection', async () => {
    const record = await look(await freePort(), { signal: AbortSignal.abort() })
    expect(record.connections).toEqual([])
  })
})
