/** One probe against real TLS servers: what is recorded, how many connections it takes, and that nothing is opinion. */
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, LookupFunction } from 'node:net'
import { join } from 'node:path'
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { startBadStapler } from '../../kit/bad-stapler.ts'
import { freePort } from '../../kit/free-port.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { nginxPaths, startNginx } from '../../kit/nginx.ts'
import { runProgram, startProgram } from '../../kit/program.ts'
import { makeStaple } from '../../kit/staple.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'
import { lines, look } from './seen.ts'

let ecdsa: Authority
let rsa: Authority
let ecdsaLeaf: Leaf
let rsaLeaf: Leaf
let ca: string[]

beforeAll(async () => {
  ;[ecdsa, rsa] = await Promise.all([createAuthority(), createAuthority({ keyType: 'rsa2048' })])
  ;[ecdsaLeaf, rsaLeaf] = await Promise.all([ecdsa.issueLeaf(), rsa.issueLeaf()])
  ca = [ecdsa.root.pem, rsa.root.pem]
})

const local = { serverName: 'localhost' }
const stapleOf = (text: string) => new Uint8Array(Buffer.from(text))

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  server.on('tlsClientError', () => {})
  server.on('secureConnection', (socket) => socket.on('error', () => {}))
  server.listen(0, host)
  await once(server, 'listening')
  endsWithTest(() => server.close())
  return (server.address() as AddressInfo).port
}

/** Staples the name of the key that the handshake uses. */
function startDual(options: TlsOptions = {}): Promise<number> {
  const server = createServer({
    cert: [ecdsaLeaf.chainPem, rsaLeaf.chainPem],
    key: [ecdsaLeaf.key, rsaLeaf.key],
    ...options,
  })
  return listen(server)
}

describe('a server with one certificate', () => {
  it('is asked five times: both kinds of key, both versions', async () => {
    const stapler = await startBadStapler({ cert: ecdsaLeaf.chainPem, key: ecdsaLeaf.key, staple: stapleOf('staple') })
    const record = await look(stapler.port, { ...local, ca })
    expect(lines(record)).toEqual([
      '1.3 ecdsa,rsa: ecdsa',
      '1.3 rsa: ERR_PROBE_HANDSHAKE',
      '1.2 ecdsa,rsa: ecdsa',
      '1.3 ecdsa,rsa: ecdsa',
      '1.2 ecdsa,rsa: ecdsa',
    ])
    expect(stapler.asked).toBe(5)
    expect(record.addresses).toEqual(['127.0.0.1'])
    expect(record.failure).toBeUndefined()
    for (const { handshake, connectMs, handshakeMs } of record.connections.filter((one) => one.handshake)) {
      expect(handshake?.staple).toEqual(stapleOf('staple'))
      expect(handshake?.trust).toEqual({ isTrusted: true })
      expect(handshake?.chain).toEqual([ecdsaLeaf.der, ecdsa.intermediate.der].map((der) => new Uint8Array(der)))
      expect(connectMs).toBeGreaterThan(0)
      expect(handshakeMs).toBeGreaterThan(0)
    }
    expect(record.connections.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5])
    expect(record.connections[0]?.handshake?.cipher).toBe('TLS_AES_256_GCM_SHA384')
    expect(record.connections[2]?.handshake?.version).toBe('TLSv1.2')
    expect(record.connections[1]?.failure?.detail).toMatchObject({
      expected: 'a TLS handshake',
      place: `127.0.0.1:${stapler.port}`,
    })
  })

  it('is asked once when one connection is wanted', async () => {
    const stapler = await startBadStapler({ cert: ecdsaLeaf.chainPem, key: ecdsaLeaf.key })
    expect(lines(await look(stapler.port, { connections: 1 }))).toEqual(['1.3 ecdsa,rsa: ecdsa'])
    expect(stapler.asked).toBe(1)
  })

  it('shows no staple as null, and on each connection what it stapled there', async () => {
    const server = createServer({ cert: ecdsaLeaf.chainPem, key: ecdsaLeaf.key })
    const staples = [null, 'to the refused', 'first', null, 'second'].map((text) => text && Buffer.from(text))
    server.on('OCSPRequest', (_leaf: Buffer, _issuer: Buffer, callback: (error: null, der: unknown) => void) =>
      callback(null, staples.shift()),
    )
    const record = await look(await listen(server))
    const seen = record.connections.flatMap(({ handshake }) => (handshake ? [handshake.staple] : []))
    expect(seen.map((staple) => staple && Buffer.from(staple).toString())).toEqual([null, 'first', null, 'second'])
  })

  it.each<[string, TlsOptions, string[]]>([
    [
      'without TLS 1.3',
      { maxVersion: 'TLSv1.2' },
      [
        '1.3 ecdsa,rsa: ERR_PROBE_HANDSHAKE',
        '1.2 ecdsa,rsa: rsa',
        '1.2 ecdsa: ERR_PROBE_HANDSHAKE',
        '1.2 ecdsa,rsa: rsa',
        '1.2 ecdsa,rsa: rsa',
      ],
    ],
    [
      'without TLS 1.2',
      { minVersion: 'TLSv1.3' },
      [
        '1.3 ecdsa,rsa: rsa',
        '1.3 ecdsa: ERR_PROBE_HANDSHAKE',
        '1.2 ecdsa,rsa: ERR_PROBE_HANDSHAKE',
        '1.3 ecdsa,rsa: rsa',
        '1.3 ecdsa,rsa: rsa',
      ],
    ],
  ])('%s is found out with one connection', async (_name, versions, expected) => {
    const port = await listen(createServer({ cert: rsaLeaf.chainPem, key: rsaLeaf.key, ...versions }))
    const record = await look(port, { ...local, ca })
    expect(lines(record)).toEqual(expected)
    const refused = record.connections.find(({ failure }) => /this version of TLS/.test(failure?.message ?? ''))
    expect(refused?.failure?.detail).toMatchObject({ tlsCode: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' })
  })

  it('of another kind is recorded under its name', async () => {
    const leaf = await (await createAuthority({ keyType: 'ed25519' })).issueLeaf()
    const port = await listen(createServer({ cert: leaf.chainPem, key: leaf.key }))
    expect(lines(await look(port, { connections: 3 }))).toEqual([
      '1.3 ecdsa,rsa: ed25519',
      '1.3 rsa: ERR_PROBE_HANDSHAKE',
      '1.2 ecdsa,rsa: ed25519',
    ])
  })
})

describe('a server with two kinds of certificate', () => {
  it('shows each as often as asked', async () => {
    const record = await look(await startDual(), { ...local, ca, connections: 3 })
    expect(lines(record)).toEqual([
      '1.3 ecdsa,rsa: ecdsa',
      '1.3 rsa: rsa',
      '1.2 ecdsa: ecdsa',
      '1.3 ecdsa: ecdsa',
      '1.2 rsa: rsa',
      '1.3 rsa: rsa',
    ])
    expect(record.connections.every(({ handshake }) => handshake?.trust.isTrusted)).toBe(true)
  })

  it('is nginx, with what it says over HTTP', async () => {
    const directory = temporaryDirectory('staples')
    const port = await freePort()
    const staple = await makeStaple(ecdsa, ecdsaLeaf)
    const file = join(directory, 'staple.der')
    await writeFile(file, staple)
    await startNginx(
      `http {
${nginxPaths}
server {
  listen 127.0.0.1:${port} ssl;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_certificate ${ecdsaLeaf.certificateFile};
  ssl_certificate_key ${ecdsaLeaf.keyFile};
  ssl_certificate ${rsaLeaf.certificateFile};
  ssl_certificate_key ${rsaLeaf.keyFile};
  ssl_stapling on;
  ssl_stapling_file ${file};
  add_header Strict-Transport-Security "max-age=600" always;
}
}`,
      port,
    )
    const record = await look(port, { ...local, ca, connections: 2 })
    expect(lines(record)).toEqual(['1.3 ecdsa,rsa: ecdsa', '1.3 rsa: rsa', '1.2 ecdsa: ecdsa', '1.2 rsa: rsa'])
    expect(record.connections[0]?.handshake?.staple).toEqual(new Uint8Array(staple))
    expect(record.http).toMatchObject({ status: 404, server: expect.stringContaining('nginx'), hsts: 'max-age=600' })
    expect(Math.abs(record.http?.dateSkewMs ?? Number.NaN)).toBeLessThan(5_000)
  })
})

it('openssl s_server with a status file is recorded byte for byte', async () => {
  const [port, directory] = [await freePort(), temporaryDirectory('status')]
  const staple = await makeStaple(ecdsa, ecdsaLeaf)
  const file = join(directory, 'staple.der')
  await writeFile(file, staple)
  const program = startProgram('openssl', [
    ...['s_server', '-accept', `127.0.0.1:${port}`, '-quiet'],
    ...['-cert', ecdsaLeaf.leafOnlyFile, '-cert_chain', ecdsaLeaf.caFile, '-key', ecdsaLeaf.keyFile],
    ...['-status_file', file],
  ])
  await program.waitForPort(port)
  const record = await look(port, { ...local, ca })
  const staples = record.connections.flatMap(({ handshake }) => (handshake ? [handshake.staple] : []))
  expect(staples).toEqual(Array(4).fill(new Uint8Array(staple)))
  // the root that it sends is also ours: such a one is left out
  expect(record.connections[0]?.handshake?.chain).toHaveLength(2)
})

describe('trust', () => {
  it('is recorded with its cause, and hides nothing', async () => {
    const stapler = await startBadStapler({ cert: ecdsaLeaf.chainPem, key: ecdsaLeaf.key, staple: stapleOf('x') })
    const [first] = (await look(stapler.port, { connections: 1 })).connections
    expect(first?.handshake).toMatchObject({
      staple: stapleOf('x'),
      trust: {
        isTrusted: false,
        code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
        reason: expect.stringContaining('no root'),
      },
    })
  })

  it('takes the name into account', async () => {
    const { port } = await startBadStapler({ cert: ecdsaLeaf.chainPem, key: ecdsaLeaf.key })
    const [first] = (await look(port, { serverName: 'other.example', connections: 1, ca })).connections
    expect(first?.offered.serverName).toBe('other.example')
    expect(first?.handshake?.trust).toMatchObject({
      isTrusted: false,
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      reason: expect.stringContaining('other.example'),
    })
  })

  it('takes the address into account where there is no name, and sends none', async () => {
    const { port } = await startBadStapler({ cert: ecdsaLeaf.chainPem, key: ecdsaLeaf.key })
    const [good] = (await look(port, { connections: 1, ca })).connections
    expect(good?.offered.serverName).toBeUndefined()
    expect(good?.handshake?.trust).toEqual({ isTrusted: true })
    const other = await ecdsa.issueLeaf({ san: ['localhost'] })
    const stapler = await startBadStapler({ cert: other.chainPem, key: other.key })
    const [bad] = (await look(stapler.port, { connections: 1, ca })).connections
    expect(bad?.handshake?.trust.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  })

  it('is not completed by an intermediate that the caller gives, nor is the chain', async () => {
    const stapler = await startBadStapler({ cert: ecdsaLeaf.pem, key: ecdsaLeaf.key })
    const [first] = (await look(stapler.port, { ...local, connections: 1, ca: [...ca, ecdsa.intermediate.pem] }))
      .connections
    expect(first?.handshake?.chain).toHaveLength(1)
    expect(first?.handshake?.trust).toMatchObject({ isTrusted: false, code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
  })

  it('of a certificate that has expired', async () => {
    const day = 86_400_000
    const leaf = await ecdsa.issueLeaf({
      notBefore: new Date(Date.now() - 9 * day),
      notAfter: new Date(Date.now() - day),
    })
    const { port } = await startBadStapler({ cert: leaf.chainPem, key: leaf.key })
    const [first] = (await look(port, { ...local, connections: 1, ca })).connections
    expect(first?.handshake?.trust.code).toBe('CERT_HAS_EXPIRED')
  })
})

describe('a server that wants a client certificate', () => {
  it.each<[string, TlsOptions]>([
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
    ['TLS 1.3', { minVersion: 'TLSv1.3' }],
  ])('in %s has its chain and staple recorded all the same', async (_name, versions) => {
    const server = createServer({
      ...{ cert: ecdsaLeaf.chainPem, key: ecdsaLeaf.key, requestCert: true, ca: ecdsa.root.pem },
      ...versions,
    })
    server.on('OCSPRequest', (_leaf: Buffer, _issuer: Buffer, callback: (error: null, der: Buffer) => void) =>
      callback(null, Buffer.from('staple')),
    )
    const record = await look(await listen(server), { ...local, ca })
    const shown = record.connections.filter(({ handshake }) => handshake)
    expect(shown.length).toBeGreaterThanOrEqual(3)
    for (const { handshake } of shown) {
      expect(handshake?.staple).toEqual(stapleOf('staple'))
      expect(handshake?.trust).toEqual({ isTrusted: true })
      expect(handshake?.chain).toHaveLength(2)
    }
    expect(shown[0]?.handshake?.wantsClientCertificate).toBe(true)
    expect(shown[0]?.failure?.message).toContain('wants a client certificate')
  })

  it('in TLS 1.2 is judged as Node would have, without its verdict', async () => {
    const options = { requestCert: true, ca: ecdsa.root.pem, maxVersion: 'TLSv1.2' } as const
    const alone = await listen(createServer({ cert: ecdsaLeaf.pem, key: ecdsaLeaf.key, ...options }))
    const whole = await listen(createServer({ cert: ecdsaLeaf.chainPem, key: ecdsaLeaf.key, ...options }))
    const codeOf = async (port: number, given: object) =>
      (await look(port, { connections: 2, ...given })).connections[1]?.handshake?.trust.code
    expect(await codeOf(alone, { ...local, ca })).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    expect(await codeOf(whole, local)).toBe('UNABLE_TO_GET_ISSUER_CERT_LOCALLY')
    expect(await codeOf(whole, { serverName: 'other.example', ca })).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  })
})

describe('the addresses of a name', () => {
  const lookup: LookupFunction = (_host, _options, callback) =>
    callback(null, [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
      { address: '127.0.0.2', family: 4 },
    ])

  it('are all connected to, each as often as asked', async () => {
    const port = await freePort()
    const options = { cert: ecdsaLeaf.chainPem, key: ecdsaLeaf.key, port }
    const staplers = [
      await startBadStapler({ ...options, host: '127.0.0.1', staple: stapleOf('four') }),
      await startBadStapler({ ...options, host: '::1', staple: stapleOf('six') }),
    ]
    const record = await look(port, { host: 'name.example', serverName: 'localhost', lookup, ca })
    expect(record.addresses).toEqual(['127.0.0.1', '::1', '127.0.0.2'])
    expect(staplers.map(({ asked }) => asked)).toEqual([5, 5])
    const staples = record.connections.map(({ address, number, handshake, failure }) =>
      [address, number, handshake?.staple ? Buffer.from(handshake.staple).toString() : failure?.code].join(' '),
    )
    expect(staples).toEqual([
      '127.0.0.1 1 four',
      '127.0.0.1 2 ERR_PROBE_HANDSHAKE',
      '127.0.0.1 3 four',
      '127.0.0.1 4 four',
      '127.0.0.1 5 four',
      '::1 1 six',
      '::1 2 ERR_PROBE_HANDSHAKE',
      '::1 3 six',
      '::1 4 six',
      '::1 5 six',
      '127.0.0.2 1 ERR_PROBE_CONNECT',
    ])
    expect(record.connections.at(-1)?.failure?.message).toBe(`127.0.0.2:${port}: connection refused (ECONNREFUSED)`)
  })
})

it('a name beyond ASCII is asked for as DNS and certificates have it', async () => {
  const leaf = await ecdsa.issueLeaf({ san: ['xn--mnchen-3ya.example'] })
  const names: string[] = []
  const server = createServer({
    cert: leaf.chainPem,
    key: leaf.key,
    SNICallback: (name, callback) => {
      names.push(name)
      callback(null)
    },
  })
  const record = await look(await listen(server), { serverName: 'münchen.example.', connections: 1, ca })
  expect(names).toEqual(['xn--mnchen-3ya.example'])
  expect(record.connections[0]?.offered.serverName).toBe('xn--mnchen-3ya.example')
  expect(record.connections[0]?.handshake?.trust).toEqual({ isTrusted: true })
})

describe('HTTP beside', () => {
  async function startHttps(options: TlsOptions = {}): Promise<{ port: number; methods: string[] }> {
    const methods: string[] = []
    const server = createHttpsServer(
      { cert: ecdsaLeaf.chainPem, key: ecdsaLeaf.key, ...options },
      (request, response) => {
        methods.push(`${request.method} ${request.url} ${request.headers.host}`)
        response.writeHead(301, {
          server: 'x'.repeat(900),
          'strict-transport-security': 'max-age=1',
          date: 'yesterday',
        })
        response.end()
      },
    )
    return { port: await listen(server), methods }
  }

  it('is asked once, on one of the same connections', async () => {
    const { port, methods } = await startHttps()
    const record = await look(port, { ...local, ca })
    expect(record.http).toEqual({ status: 301, server: 'x'.repeat(512), hsts: 'max-age=1' })
    expect(methods).toEqual([`HEAD / localhost:${port}`])
    expect(record.connections).toHaveLength(5)
    expect(record.connections[0]?.handshake?.alpn).toBe('http/1.1')
  })

  it('is not asked of a server that agrees on nothing', async () => {
    const heard: Buffer[] = []
    const server = createServer({ cert: ecdsaLeaf.chainPem, key: ecdsaLeaf.key }, (socket) => {
      socket.on('data', (chunk) => heard.push(chunk))
    })
    expect((await look(await listen(server))).http).toBeUndefined()
    expect(heard).toEqual([])
  })

  it.each<[string, (socket: TLSSocket) => void]>([
    ['something else', (socket) => void socket.write('+OK\r\n')],
    ['nothing', () => {}],
    ['a head without end', (socket) => void socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`)],
    ['an end', (socket) => void socket.end()],
  ])('that brings %s is no HTTP record, and the connection stays one', async (_name, answer) => {
    const server = createServer(
      { cert: ecdsaLeaf.chainPem, key: ecdsaLeaf.key, ALPNProtocols: ['http/1.1'] },
      (socket) => {
        socket.once('data', () => answer(socket))
        socket.on('end', () => socket.end())
      },
    )
    const record = await look(await listen(server), { ...local, ca, timeoutMs: 200 })
    expect(record.http).toBeUndefined()
    expect(lines(record).filter((line) => line.endsWith(': ecdsa'))).toHaveLength(4)
  })

  it('a server that knows no protocol of ours is asked again without ALPN', async () => {
    const port = await listen(createServer({ cert: ecdsaLeaf.chainPem, key: ecdsaLeaf.key, ALPNProtocols: ['nats'] }))
    const record = await look(port, { connections: 3 })
    expect(lines(record)).toEqual([
      '1.3 ecdsa,rsa: ERR_PROBE_HANDSHAKE',
      '1.3 ecdsa,rsa: ecdsa',
      '1.3 rsa: ERR_PROBE_HANDSHAKE',
    ])
    expect(record.connections[0]?.failure?.message).toContain('no protocol that ALPN offered')
  })
})

it('a weak key and an old signature are seen, not refused', async () => {
  const directory = temporaryDirectory('weak')
  const port = await freePort()
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  await runProgram('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:1024', '-nodes', '-sha1', '-subj', '/CN=localhost'],
    ...['-keyout', key, '-out', cert],
  ])
  await runProgram('openssl', ['dhparam', '-dsaparam', '-out', join(directory, 'dh.pem'), '512'])
  const program = startProgram('openssl', [
    ...['s_server', '-accept', `127.0.0.1:${port}`, '-quiet', '-cert', cert, '-key', key],
    ...['-dhparam', join(directory, 'dh.pem'), '-tls1_2', '-cipher', 'DHE-RSA-AES128-SHA:@SECLEVEL=0'],
    ...['-client_sigalgs', 'RSA+SHA1', '-sigalgs', 'RSA+SHA1'],
  ])
  await program.waitForPort(port)
  const record = await look(port, { connections: 2 })
  expect(lines(record)).toEqual(['1.3 ecdsa,rsa: ERR_PROBE_HANDSHAKE', '1.2 ecdsa,rsa: rsa'])
  expect(record.connections[1]?.handshake).toMatchObject({
    cipher: 'TLS_DHE_RSA_WITH_AES_128_CBC_SHA',
    trust: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
  })
})
