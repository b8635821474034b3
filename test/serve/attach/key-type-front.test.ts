/** `front: true`: servers of the user's with two kinds of keys in one context. */
import { createSecureServer } from 'node:http2'
import { createServer as createHttpsServer, get } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { createServer as createTlsServer, type Server, type TlsOptions } from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import { type StapleOptions, staple } from '../../../src/serve/attach/index.ts'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { manualClock } from '../../kit/clock.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { fakeKeeper, good } from '../fake-keeper.ts'
import { keyOf } from '../terminator/stage.ts'
import { type ClientOptions, openSession, shakeHands } from '../tls-client.ts'

let ec: Leaf
let rsa: Leaf
let other: Leaf
let otherRsa: Leaf

beforeAll(async () => {
  const authority = await createAuthority()
  ;[ec, rsa, other, otherRsa] = await Promise.all([
    authority.issueLeaf({ name: 'ec.test' }),
    authority.issueLeaf({ name: 'rsa.test', keyType: 'rsa2048' }),
    authority.issueLeaf({ name: 'other-ec.test' }),
    authority.issueLeaf({ name: 'other-rsa.test', keyType: 'rsa2048' }),
  ])
})

/** The keys stand in the other order, as Node allows. */
const bothKeys = (): TlsOptions => ({ cert: [ec.chainPem, rsa.chainPem], key: [rsa.key, ec.key] })

async function attach(server: Server, options: StapleOptions) {
  const keeper = fakeKeeper(
    Object.fromEntries([ec, rsa, other, otherRsa].map((leaf) => [keyOf(leaf), good(`staple of ${leaf.subject}`)])),
  )
  const stapler = await staple(server, { keeper, front: true, ...options })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endsWithTest(async () => {
    await stapler.close()
    server.close()
  })
  return { server, stapler, keeper, port: (server.address() as { port: number }).port }
}

async function shown(port: number, options: ClientOptions): Promise<string> {
  const { subject, staple: received, socket } = await shakeHands(port, options)
  socket.destroy()
  return `${subject}: ${received}`
}

const asRsa12 = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' } as const
const asEc12 = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' } as const
const asRsa13 = { minVersion: 'TLSv1.3', sigalgs: 'rsa_pss_rsae_sha256' } as const
const asEc13 = { minVersion: 'TLSv1.3', sigalgs: 'ecdsa_secp256r1_sha256' } as const
const kinds: [string, (options: TlsOptions) => Server][] = [
  ['tls', (options) => createTlsServer(options)],
  ['https', (options) => createHttpsServer(options, (_request, response) => response.end('hello'))],
  [
    'http2',
    (options) => createSecureServer(options, (_request, response) => response.end('hello')) as unknown as Server,
  ],
]

describe.each(kinds)('a %s server', (kind, create) => {
  it.each([
    ['TLS 1.2, RSA only', asRsa12, 'rsa'],
    ['TLS 1.2, ECDSA only', asEc12, 'ec'],
    ['TLS 1.3, RSA only', asRsa13, 'rsa'],
    ['TLS 1.3, ECDSA only', asEc13, 'ec'],
  ])('shows a client of %s what it can use, with the right staple', async (_what, options, expected) => {
    const { port } = await attach(create(bothKeys()), bothKeys())
    expect(await shown(port, options)).toBe(`${expected}.test: staple of /CN=${expected}.test`)
  })

  it('agrees on its protocol, and resumes sessions of either key', async () => {
    const { port } = await attach(create(bothKeys()), bothKeys())
    const protocol = { tls: [], https: ['http/1.1'], http2: ['h2'] }[kind as 'tls'] as string[]
    const offer = protocol.length > 0 ? { ALPNProtocols: protocol } : {}
    for (const options of [asRsa12, asEc12, asRsa13, asEc13]) {
      const session = await openSession(port, { ...options, ...offer })
      const { isReused, alpn } = await shakeHands(port, { ...options, ...offer, session })
      expect({ isReused, alpn }).toEqual({ isReused: true, alpn: protocol[0] ?? false })
    }
  })
})

it('a https server answers through the front', async () => {
  const server = createHttpsServer(bothKeys(), (request, response) => response.end(`you asked for ${request.url}`))
  const { port } = await attach(server, bothKeys())
  const body = await new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/this', rejectUnauthorized: false, agent: false }, (response) => {
      response.on('data', (chunk) => resolve(chunk.toString()))
    }).on('error', reject)
  })
  expect(body).toBe('you asked for /this')
})

describe('certificates', () => {
  it('of a context are chosen by name and by key', async () => {
    const { port, stapler } = await attach(createTlsServer(bothKeys()), bothKeys())
    await stapler.addContext('other.test', {
      cert: [other.chainPem, otherRsa.chainPem],
      key: [other.key, otherRsa.key],
    })
    await stapler.addContext('*.rsa-only.test', { cert: otherRsa.chainPem, key: otherRsa.key })
    expect([
      await shown(port, { ...asRsa13, servername: 'other.test' }),
      await shown(port, { ...asEc13, servername: 'other.test' }),
      await shown(port, { servername: 'a.rsa-only.test' }),
      await shown(port, { ...asEc13, servername: 'unheard-of.test' }),
    ]).toEqual([
      'other-rsa.test: staple of /CN=other-rsa.test',
      'other-ec.test: staple of /CN=other-ec.test',
      'other-rsa.test: staple of /CN=other-rsa.test',
      'ec.test: staple of /CN=ec.test',
    ])
  })

  it('are replaced at run time, also by who calls the server itself', async () => {
    const { port, server, stapler } = await attach(createTlsServer(bothKeys()), bothKeys())
    await stapler.setSecureContext({ cert: [other.chainPem, rsa.chainPem], key: [other.key, rsa.key] })
    const first = [await shown(port, asEc13), await shown(port, asRsa13)]
    server.setSecureContext({ cert: [ec.chainPem, otherRsa.chainPem], key: [ec.key, otherRsa.key] })
    expect([...first, await shown(port, asEc13), await shown(port, asRsa13)]).toEqual([
      'other-ec.test: staple of /CN=other-ec.test',
      'rsa.test: staple of /CN=rsa.test',
      'ec.test: staple of /CN=ec.test',
      'other-rsa.test: staple of /CN=other-rsa.test',
    ])
  })

  it.each<[string, () => StapleOptions, RegExp]>([
    [
      'no key',
      () => ({ cert: [ec.chainPem, rsa.chainPem] }),
      /^options: front needs cert and key, as passed to createServer, found 2 and 0$/,
    ],
    [
      'a key of another certificate',
      () => ({ cert: [ec.chainPem], key: other.key }),
      /^options.key: none fits cert\[0\] \(CN=ec.test\)$/,
    ],
    [
      'two of one family',
      () => ({ cert: [ec.chainPem, other.chainPem], key: [ec.key, other.key] }),
      /^options.cert\[1\]: a second certificate with a key of the ec family$/,
    ],
  ])('with %s are a caller mistake, and the server is left as it was', async (_what, options, message) => {
    const server = createTlsServer(bothKeys())
    const before = server.listeners('connection')
    const failure = await staple(server, { keeper: fakeKeeper(), front: true, startTimeoutMs: 0, ...options() }).catch(
      (error) => error,
    )
    expect(failure).toBeInstanceOf(TypeError)
    expect(failure.message).toMatch(message)
    expect([server.listeners('connection'), server.listenerCount('OCSPRequest')]).toEqual([before, 0])
  })
})

describe('what the server tells', () => {
  it('are its own secureConnection and tlsClientError events', async () => {
    const server = createTlsServer(bothKeys())
    const { port } = await attach(server, bothKeys())
    const secured = new Promise<{ servername: string }>((resolve) => server.once('secureConnection', resolve as never))
    await shakeHands(port, { servername: 'ec.test' })
    expect((await secured).servername).toBe('ec.test')
    const failed = new Promise((resolve) => server.once('tlsClientError', resolve))
    connectTcp(port, '127.0.0.1').end('GET / HTTP/1.1\r\n\r\n')
    expect(await failed).toMatchObject({ code: 'ERR_SSL_HTTP_REQUEST' })
  })

  it('are keylog events for who listens, whenever that begins', async () => {
    const server = createTlsServer(bothKeys())
    const { port } = await attach(server, bothKeys())
    const line = new Promise<Buffer>((resolve) => server.once('keylog', resolve))
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    await shakeHands(port)
    expect((await line).toString()).toMatch(/TRAFFIC_SECRET|CLIENT_RANDOM/)
  })

  it('is a timeout for a ClientHello that does not come', async () => {
    const clock = manualClock()
    const server = createTlsServer(bothKeys())
    const { port } = await attach(server, { ...bothKeys(), clock, handshakeTimeout: 3000 })
    const failed = new Promise((resolve) => server.once('tlsClientError', resolve))
    const accepted = new Promise((resolve) => server.once('connection', resolve))
    connectTcp(port, '127.0.0.1').on('error', () => {})
    await accepted
    await clock.advance(3000)
    expect(await failed).toMatchObject({ code: 'ERR_TLS_HANDSHAKE_TIMEOUT' })
  })
})

it('after close the server is as it was', async () => {
  const server = createTlsServer(bothKeys())
  const before = server.listeners('connection')
  const { port, stapler } = await attach(server, bothKeys())
  await stapler.close()
  expect(server.listeners('connection')).toEqual(before)
  expect(Object.keys(server)).not.toContain('setSecureContext')
  expect((await shakeHands(port)).staple).toBe(null)
})

it('ticket keys are those of the server', async () => {
  const one = await attach(createTlsServer(bothKeys()), bothKeys())
  const two = await attach(createTlsServer(bothKeys()), bothKeys())
  two.server.setTicketKeys(one.server.getTicketKeys())
  const session = await openSession(one.port)
  expect((await shakeHands(two.port, { session })).isReused).toBe(true)
})
