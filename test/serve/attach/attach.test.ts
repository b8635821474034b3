import { createServer as createHttp2Server, createSecureServer } from 'node:http2'
import { createServer as createHttpsServer, get } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { createSecureContext, createServer as createTlsServer, type Server } from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Certificate } from '../../../src/pki/x509/certificate.ts'
import { type StapleOptions, type StaplerEvent, staple } from '../../../src/serve/attach/index.ts'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { runProgram } from '../../kit/program.ts'
import { type FakeKeeper, fakeKeeper, good, revoked, stale, unknown, unsupported } from '../fake-keeper.ts'
import { keyOf } from '../terminator/stage.ts'
import { isAccepted, openSession, shakeHands } from '../tls-client.ts'

let leaf: Leaf
let mustStaple: Leaf
let other: Leaf
let rsa: Leaf

beforeAll(async () => {
  const authority = await createAuthority()
  ;[leaf, mustStaple, other, rsa] = await Promise.all([
    authority.issueLeaf({ name: 'plain.test' }),
    authority.issueLeaf({ name: 'must.test', mustStaple: true }),
    authority.issueLeaf({ name: 'other.test', san: ['other.test'] }),
    authority.issueLeaf({ name: 'rsa.test', keyType: 'rsa2048' }),
  ])
})

const tlsOptions = (of: Leaf) => ({ cert: of.chainPem, key: of.key })

/** A tls server that echoes, stapled with a fake keeper. */
async function attach(options: StapleOptions = {}, server: Server = createTlsServer(tlsOptions(leaf))) {
  const keeper =
    (options.keeper as FakeKeeper | undefined) ?? fakeKeeper({ [keyOf(leaf)]: good(), [keyOf(mustStaple)]: good() })
  const events: StaplerEvent[] = []
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {})
    if (!('timeout' in server)) socket.pipe(socket)
  })
  const stapler = await staple(server, {
    startTimeoutMs: 0,
    onEvent: (event) => events.push(event),
    ...options,
    keeper,
  })
  const port = await listen(server)
  endsWithTest(() => stapler.close())
  return {
    server,
    stapler,
    keeper,
    port,
    events,
    told: (type: StaplerEvent['type']) => events.filter((event) => event.type === type),
  }
}

async function listen(server: Server): Promise<number> {
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endsWithTest(() => {
    server.close()
  })
  return (server.address() as { port: number }).port
}

describe('a handshake', () => {
  const servers: [string, () => Server][] = [
    ['tls', () => createTlsServer(tlsOptions(leaf))],
    ['https', () => createHttpsServer(tlsOptions(leaf), (_request, response) => response.end('hello'))],
    [
      'http2',
      () => createSecureServer(tlsOptions(leaf), (_request, response) => response.end('hello')) as unknown as Server,
    ],
  ]
  for (const [kind, create] of servers) {
    it.each(['TLSv1.2', 'TLSv1.3'] as const)(
      `of a ${kind} server with %s is stapled, the first one too`,
      async (version) => {
        const { port } = await attach({ cert: leaf.chainPem }, create())
        const { staple: received, protocol } = await shakeHands(port, { minVersion: version, maxVersion: version })
        expect({ received, protocol }).toEqual({ received: 'a good staple', protocol: version })
      },
    )

    it.each(['TLSv1.2', 'TLSv1.3'] as const)(
      `of a ${kind} server with %s is resumed as without Staplewright`,
      async (version) => {
        const { port } = await attach({ cert: leaf.chainPem }, create())
        const only = {
          minVersion: version,
          maxVersion: version,
          ALPNProtocols: kind === 'http2' ? ['h2'] : ['http/1.1'],
        }
        const session = await openSession(port, only)
        expect((await shakeHands(port, { ...only, session })).isReused).toBe(true)
      },
    )
  }

  it('agrees on a protocol as without Staplewright', async () => {
    const h2 = await attach(
      { cert: leaf.chainPem },
      createSecureServer({ ...tlsOptions(leaf), allowHTTP1: true }) as unknown as Server,
    )
    const offers = [['h2', 'http/1.1'], ['http/1.1']]
    const agreed = []
    for (const ALPNProtocols of offers) agreed.push((await shakeHands(h2.port, { ALPNProtocols })).alpn)
    expect(agreed).toEqual(['h2', 'http/1.1'])
  })

  it('is stapled for openssl s_client too', async () => {
    const { port } = await attach({ cert: leaf.chainPem })
    const { output } = await runProgram(
      'openssl',
      ['s_client', '-connect', `127.0.0.1:${port}`, '-status', '-tls1_2'],
      { input: '' },
    )
    expect(output).toMatch(/response parse error/)
  })

  it('is served without a staple to a client that asks for none', async () => {
    const { port, stapler } = await attach({ cert: leaf.chainPem })
    expect(await isAccepted(port, { requestOCSP: false })).toBe(true)
    expect(stapler.status()).toMatchObject({ stapled: 0, unstapled: 0 })
  })

  it('is counted by what it got', async () => {
    const { port, stapler, keeper } = await attach({ cert: leaf.chainPem })
    await shakeHands(port)
    keeper.hold(keyOf(leaf), stale)
    await shakeHands(port)
    expect(stapler.status()).toMatchObject({ stapled: 1, unstapled: 1, refused: 0 })
  })

  it('serves the request that follows', async () => {
    const https = await attach(
      { cert: leaf.chainPem },
      createHttpsServer(tlsOptions(leaf), (_request, response) => response.end('hello')),
    )
    const body = await new Promise((resolve, reject) => {
      get({ port: https.port, host: '127.0.0.1', rejectUnauthorized: false, agent: false }, (response) => {
        response.on('data', (chunk) => resolve(chunk.toString()))
      }).on('error', reject)
    })
    expect(body).toBe('hello')
  })
})

describe('certificates', () => {
  it.each<[string, () => StapleOptions]>([
    ['cert, as PEM', () => ({ cert: leaf.chainPem })],
    ['cert, as the options of createServer', () => tlsOptions(leaf)],
    ['cert, in an array of bytes', () => ({ cert: [Buffer.from(leaf.chainPem)] })],
    ['certificates, as PEM bytes', () => ({ certificates: [Buffer.from(leaf.chainPem)] })],
    ['certificates, as DER', () => ({ certificates: [leaf.der] })],
  ])('are taken from %s', async (_what, options) => {
    const { port, stapler, told } = await attach(options())
    expect((await shakeHands(port)).staple).toBe('a good staple')
    expect(stapler.status().certificates).toMatchObject([{ certificateKey: keyOf(leaf), origin: 'given' }])
    expect(told('learned')).toEqual([])
  })

  it('bring the rest of their bundle and ca along, to find the issuer', async () => {
    const { keeper } = await attach({ cert: leaf.chainPem, ca: other.pem })
    const candidates = keeper.kept.get(keyOf(leaf))?.issuerCandidates as readonly Certificate[]
    expect(candidates.map(({ der }) => Buffer.from(der).toString('hex'))).toEqual(
      [leaf.issuer.der, other.der].map((der) => Buffer.from(der).toString('hex')),
    )
  })

  it('that nobody named are learned from the first handshake that shows them, with their issuer', async () => {
    const { port, keeper, told, stapler } = await attach()
    expect(stapler.status().certificates).toEqual([])
    expect((await shakeHands(port)).staple).toBe('a good staple')
    expect(told('learned')).toMatchObject([{ certificateKey: keyOf(leaf) }])
    expect(keeper.kept.get(keyOf(leaf))?.issuerCandidates).toMatchObject([{ subject: leaf.issuer.subject }])
    await shakeHands(port)
    expect(keeper.added).toEqual([keyOf(leaf)])
  })

  it("of the user's own SNICallback are told apart", async () => {
    const context = createSecureContext(tlsOptions(other))
    const server = createTlsServer({
      ...tlsOptions(leaf),
      SNICallback: (name, callback) => callback(null, name === 'other.test' ? context : undefined),
    })
    const keeper = fakeKeeper({ [keyOf(leaf)]: good('plain'), [keyOf(other)]: good('other') })
    const { port } = await attach({ keeper, certificates: [leaf.chainPem, other.chainPem] }, server)
    const staples = [(await shakeHands(port)).staple, (await shakeHands(port, { servername: 'other.test' })).staple]
    expect(staples).toEqual(['plain', 'other'])
  })

  it('set on the server behind our back are learned, and never get the old staple', async () => {
    const keeper = fakeKeeper({ [keyOf(leaf)]: good('old') })
    const { port, server } = await attach({ keeper, cert: leaf.chainPem })
    server.setSecureContext(tlsOptions(other))
    expect((await shakeHands(port)).staple).toBe(null)
    keeper.hold(keyOf(other), good('new'))
    expect((await shakeHands(port)).staple).toBe('new')
  })

  it('of a context are stapled from its first handshake on', async () => {
    const keeper = fakeKeeper({ [keyOf(leaf)]: good('plain') })
    const { port, stapler } = await attach({ keeper, cert: leaf.chainPem, startTimeoutMs: 5000 })
    let isAdded = false
    const adding = stapler.addContext('other.test', tlsOptions(other)).then((pending) => {
      isAdded = true
      return pending
    })
    // Until its staple is in, the name is served as before.
    expect(await shakeHands(port, { servername: 'other.test' })).toMatchObject({
      subject: 'plain.test',
      staple: 'plain',
    })
    expect(isAdded).toBe(false)
    keeper.hold(keyOf(other), good('other'))
    expect(await adding).toEqual([])
    expect(await shakeHands(port, { servername: 'other.test' })).toMatchObject({
      subject: 'other.test',
      staple: 'other',
    })
  })

  it('are replaced with their staple, and the old one is let go', async () => {
    const keeper = fakeKeeper({ [keyOf(leaf)]: good('old'), [keyOf(other)]: good('new') })
    const { port, stapler } = await attach({ keeper, cert: leaf.chainPem })
    await stapler.setSecureContext(tlsOptions(other))
    expect(await shakeHands(port)).toMatchObject({ subject: 'other.test', staple: 'new' })
    expect(keeper.added).toEqual([keyOf(other)])
  })

  it('are replaced after the start timeout though their staple is not in, and are then pending', async () => {
    const { port, stapler } = await attach({ cert: leaf.chainPem, startTimeoutMs: 20 })
    expect(await stapler.setSecureContext(tlsOptions(other))).toMatchObject([
      { certificateKey: keyOf(other), stapleState: 'missing' },
    ])
    expect((await shakeHands(port)).subject).toBe('other.test')
  })

  it('whose key does not fit change nothing', async () => {
    const { stapler, keeper, port } = await attach({ cert: leaf.chainPem })
    const misfit = { cert: other.chainPem, key: leaf.key }
    await expect(stapler.setSecureContext(misfit)).rejects.toThrow(/key values mismatch/)
    await expect(stapler.addContext('other.test', misfit)).rejects.toThrow(/key values mismatch/)
    expect(keeper.added).toEqual([keyOf(leaf)])
    expect(await shakeHands(port, { servername: 'other.test' })).toMatchObject({
      subject: 'plain.test',
      staple: 'a good staple',
    })
  })

  it('renewed with the same bytes stay kept', async () => {
    const { stapler, keeper } = await attach({ cert: leaf.chainPem })
    await stapler.setSecureContext(tlsOptions(leaf))
    expect(keeper.added).toEqual([keyOf(leaf)])
    expect(stapler.status().certificates).toHaveLength(1)
  })

  it('of two key types in one context are refused', async () => {
    const server = createTlsServer({ cert: [leaf.chainPem, rsa.chainPem], key: [leaf.key, rsa.key] })
    const refusal = { code: 'ERR_ATTACH_DUAL_KEY', detail: { one: 'ec', two: 'rsa' } }
    await expect(staple(server, { keeper: fakeKeeper(), cert: [leaf.chainPem, rsa.chainPem] })).rejects.toMatchObject(
      refusal,
    )
    await expect(
      staple(server, { keeper: fakeKeeper(), certificates: [leaf.chainPem, rsa.chainPem] }),
    ).rejects.toMatchObject(refusal)
    expect([server.listenerCount('OCSPRequest'), server.listenerCount('newListener')]).toEqual([0, 0])
  })

  it('of two key types for separate names are accepted where Node keeps contexts apart: from 24 on', async () => {
    const attempts = [
      async () =>
        staple(createTlsServer(tlsOptions(other)), {
          keeper: fakeKeeper(),
          startTimeoutMs: 0,
          certificates: [other.chainPem, rsa.chainPem],
        }),
      async () => (await attach({ cert: leaf.chainPem })).stapler.addContext('rsa.test', tlsOptions(rsa)),
    ]
    for (const attempt of attempts) {
      if (Number.parseInt(process.versions.node, 10) >= 24) await expect(attempt()).resolves.toBeDefined()
      else await expect(attempt()).rejects.toMatchObject({ code: 'ERR_ATTACH_DUAL_KEY' })
    }
  })

  it('may be replaced by one of another key type', async () => {
    for (const options of [{ cert: leaf.chainPem }, { certificates: [leaf.chainPem] }]) {
      const keeper = fakeKeeper({ [keyOf(leaf)]: good('ec'), [keyOf(rsa)]: good('rsa') })
      const { port, stapler } = await attach({ keeper, ...options })
      await stapler.setSecureContext(tlsOptions(rsa))
      expect(await shakeHands(port)).toMatchObject({ subject: 'rsa.test', staple: 'rsa' })
      expect(keeper.added).toEqual([keyOf(rsa)])
    }
  })

  it('that cannot be read are refused by their place in the options', async () => {
    const server = createTlsServer()
    await expect(staple(server, { certificates: [leaf.chainPem, 7 as never] })).rejects.toThrow(
      new TypeError('certificates[1]: expected PEM or DER, as text or bytes, found number'),
    )
    await expect(staple(server, { cert: 'nonsense' })).rejects.toMatchObject({ code: 'ERR_X509_PEM' })
  })
})

describe('modes', () => {
  it.each([
    ['auto', 'plain', null],
    ['auto', 'must', 'a good staple'],
    ['must', 'plain', null],
    ['must', 'must', 'a good staple'],
    ['always', 'plain', 'a good staple'],
    ['always', 'must', 'a good staple'],
    ['never', 'plain', null],
    ['never', 'must', null],
  ] as const)('%s with a %s certificate gives %s', async (mode, kind, expected) => {
    const of = kind === 'must' ? mustStaple : leaf
    const { port } = await attach({ mode, cert: of.chainPem }, createTlsServer(tlsOptions(of)))
    expect((await shakeHands(port)).staple).toBe(expected)
  })

  it('never says that a Must-Staple certificate is left without', async () => {
    const { told } = await attach({ mode: 'never', cert: mustStaple.chainPem })
    expect(told('left-out')).toMatchObject([{ certificateKey: keyOf(mustStaple) }])
  })

  it('is always when nobody says otherwise', async () => {
    const { port } = await attach({ cert: leaf.chainPem })
    expect((await shakeHands(port)).staple).toBe('a good staple')
  })
})

describe('policies', () => {
  const outcome = async (port: number) => {
    try {
      return (await shakeHands(port)).staple
    } catch {
      return 'refused'
    }
  }
  it.each([
    [{ onRevoked: 'staple' }, revoked(), 'a revoked staple', []],
    [{ onRevoked: 'withhold' }, revoked(), null, []],
    [{ onRevoked: 'stop' }, revoked(), 'a revoked staple', ['stop: revoked']],
    [{ onRevoked: 'stop-site' }, revoked(), 'refused', ['handshake-refused: revoked']],
    [{ mode: 'auto' }, revoked(), 'a revoked staple', []],
    [{ mode: 'must' }, revoked(), 'a revoked staple', ['stop: revoked']],
    [{ mode: 'always' }, revoked(), 'a revoked staple', ['stop: revoked']],
    [{ onUnknown: 'keep' }, unknown('held'), 'held', []],
    [{ onUnknown: 'keep' }, unknown(), null, []],
    [{ onUnknown: 'staple' }, unknown('held'), 'an unknown staple', []],
    [{ onUnknown: 'stop' }, unknown('held'), 'held', ['stop: unknown']],
    [{ onStale: 'unstapled' }, stale, null, []],
    [{ onStale: 'refuse' }, stale, 'refused', ['handshake-refused: no-staple']],
    [{ onStale: 'refuse' }, unsupported, null, []],
  ] as const)('%j', async (policies, servable, expected, told) => {
    const keeper = fakeKeeper({ [keyOf(mustStaple)]: good() })
    const { port, events } = await attach(
      { ...policies, keeper, cert: mustStaple.chainPem },
      createTlsServer(tlsOptions(mustStaple)),
    )
    expect(await outcome(port)).toBe('a good staple')
    keeper.hold(keyOf(mustStaple), servable)
    expect(await outcome(port)).toBe(expected)
    expect(events.flatMap((event) => ('reason' in event ? [`${event.type}: ${event.reason}`] : []))).toEqual(told)
  })

  it('that refuse let clients be that ask for no status, as Node does not tell of them', async () => {
    const keeper = fakeKeeper({ [keyOf(leaf)]: stale })
    const { port } = await attach({ onStale: 'refuse', keeper, cert: leaf.chainPem })
    expect(await isAccepted(port, { requestOCSP: false })).toBe(true)
  })

  it("tell of a refusal as the server's own tlsClientError", async () => {
    const keeper = fakeKeeper({ [keyOf(leaf)]: stale })
    const { port, server } = await attach({ onStale: 'refuse', keeper, cert: leaf.chainPem })
    const error = new Promise((resolve) => server.once('tlsClientError', resolve))
    await expect(shakeHands(port)).rejects.toThrow()
    expect(await error).toMatchObject({
      code: 'ERR_ATTACH_REFUSED',
      detail: { reason: 'no-staple', certificateKey: keyOf(leaf) },
    })
  })

  it('ask to stop after staple() has resolved, when the revocation was there before', async () => {
    const keeper = fakeKeeper({ [keyOf(leaf)]: revoked() })
    const stapler = await staple(createTlsServer(tlsOptions(leaf)), { keeper, cert: leaf.chainPem })
    endsWithTest(() => stapler.close())
    const stop = await new Promise((resolve) => stapler.on('stop', resolve))
    expect(stop).toMatchObject({ type: 'stop', reason: 'revoked', certificateKey: keyOf(leaf) })
  })

  it('ask to stop once, and again after the revocation was lifted in between', async () => {
    const { keeper, told } = await attach({ cert: leaf.chainPem })
    for (const servable of [revoked(), revoked(), good(), revoked()]) keeper.hold(keyOf(leaf), servable)
    expect(told('stop')).toHaveLength(2)
  })
})

describe('waiting', () => {
  it('ends as soon as every staple is in', async () => {
    const keeper = fakeKeeper()
    const waiting = staple(createTlsServer(tlsOptions(leaf)), {
      keeper,
      certificates: [leaf.chainPem, other.chainPem],
      startTimeoutMs: 60_000,
    })
    keeper.hold(keyOf(leaf), good())
    keeper.hold(keyOf(other), unsupported, 'unsupported')
    expect((await waiting).pending).toEqual([])
  })

  it('is not worth it for a certificate whose issuer is not given, which is said', async () => {
    const asked = await (await createAuthority()).issueLeaf({ name: 'alone.test', responderURL: 'http://127.0.0.1:1/' })
    const alone = asked.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/)[0] as string
    const stapler = await staple(createTlsServer(tlsOptions(asked)), { cert: alone, startTimeoutMs: 60_000 })
    endsWithTest(() => stapler.close())
    expect(stapler.pending).toMatchObject([
      {
        certificateKey: keyOf(asked),
        stapleState: 'unsupported',
        unsupportedReason: expect.stringContaining('issuer'),
      },
    ])
  })

  it('ends after the start timeout, and says what is not in', async () => {
    const stapler = await staple(createTlsServer(tlsOptions(leaf)), {
      keeper: fakeKeeper(),
      cert: leaf.chainPem,
      startTimeoutMs: 10,
    })
    expect(stapler.pending).toMatchObject([{ certificateKey: keyOf(leaf), stapleState: 'missing' }])
  })

  it('counts a revocation as an answer, and an unknown alone as none', async () => {
    const keeper = fakeKeeper({ [keyOf(leaf)]: revoked(), [keyOf(other)]: unknown() })
    const stapler = await staple(createTlsServer(tlsOptions(leaf)), {
      keeper,
      certificates: [leaf.chainPem, other.chainPem],
      startTimeoutMs: 10,
    })
    expect(stapler.pending).toMatchObject([{ certificateKey: keyOf(other), stapleState: 'unknown' }])
  })

  it('is over for pending once its staple comes', async () => {
    const keeper = fakeKeeper()
    const stapler = await staple(createTlsServer(tlsOptions(leaf)), { keeper, cert: leaf.chainPem, startTimeoutMs: 10 })
    keeper.hold(keyOf(leaf), good())
    expect(stapler.pending).toEqual([])
  })
})

describe('the one listener', () => {
  it('is refused where another stands', async () => {
    const server = createTlsServer(tlsOptions(leaf))
    server.on('OCSPRequest', (_certificate, _issuer, callback) => callback(null, Buffer.from('theirs')))
    await expect(staple(server, { keeper: fakeKeeper() })).rejects.toMatchObject({ code: 'ERR_ATTACH_LISTENER' })
    expect(server.listenerCount('OCSPRequest')).toBe(1)
  })

  it('is refused a second time on the same server', async () => {
    const { server } = await attach()
    await expect(staple(server, { keeper: fakeKeeper() })).rejects.toMatchObject({ code: 'ERR_ATTACH_LISTENER' })
  })

  it('lets nobody in beside it later, and goes on', async () => {
    const { server, port, told } = await attach({ cert: leaf.chainPem })
    expect(() => server.on('OCSPRequest', () => {})).toThrow(expect.objectContaining({ code: 'ERR_ATTACH_LISTENER' }))
    expect(told('listener-refused')).toHaveLength(1)
    expect((await shakeHands(port)).staple).toBe('a good staple')
  })

  it('costs a handshake its staple when the keeper fails, never the process', async () => {
    const { port, keeper, told } = await attach({ cert: leaf.chainPem })
    await new Promise((resolve) => setImmediate(resolve))
    keeper.broken = true
    expect((await shakeHands(port)).staple).toBe(null)
    expect(told('failed')).toMatchObject([{ error: { message: 'the keeper is broken' } }])
  })

  it('staples nothing that a TLS 1.2 client could not take', async () => {
    const keeper = fakeKeeper({ [keyOf(leaf)]: good('x'.repeat(16_385)) })
    const { port } = await attach({ keeper, cert: leaf.chainPem })
    expect((await shakeHands(port, { maxVersion: 'TLSv1.2' })).staple).toBe(null)
  })

  it('is gone after close, and so is what was kept', async () => {
    const { server, stapler, port, keeper } = await attach({ cert: leaf.chainPem })
    await stapler.close()
    await stapler.close()
    expect(server.listenerCount('OCSPRequest')).toBe(0)
    server.on('OCSPRequest', (_certificate, _issuer, callback) => callback(null, Buffer.from('theirs')))
    expect((await shakeHands(port)).staple).toBe('theirs')
    expect([keeper.added, keeper.isClosed]).toEqual([[], false])
  })
})

describe('wrong arguments', () => {
  it.each<[string, unknown, unknown, RegExp]>([
    ['no server', undefined, {}, /^server: expected a tls, https or http2 secure server$/],
    ['a server without TLS', createTcpServer(), {}, /^server: expected/],
    ['a http2 server without TLS', createHttp2Server(), {}, /^server: expected/],
    [
      'a mode that is none',
      createTlsServer(),
      { mode: 'sometimes' },
      /^mode: expected 'auto', 'must', 'always', 'never', found "sometimes"$/,
    ],
    [
      'a policy that is none',
      createTlsServer(),
      { onStale: 'panic' },
      /^onStale: expected 'unstapled', 'refuse', found "panic"$/,
    ],
    [
      'a URL that is none',
      createTlsServer(),
      { url: 'ocsp.example.net' },
      /^urls: expected http:\/\/ or https:\/\/ addresses, found "ocsp.example.net"$/,
    ],
    [
      'a timeout that is none',
      createTlsServer(),
      { startTimeoutMs: '5s' },
      /^startTimeoutMs: expected milliseconds, found 5s$/,
    ],
  ])('%s: a TypeError that names the option', async (_what, server, options, message) => {
    const failure = await staple(server as Server, options as StapleOptions).catch((error) => error)
    expect(failure).toBeInstanceOf(TypeError)
    expect(failure.message).toMatch(message)
  })
})

it('asks what the options say', async () => {
  const { keeper } = await attach({
    cert: mustStaple.chainPem,
    url: 'http://one.test',
    urls: ['http://two.test'],
    method: 'post',
    hashAlgorithm: 'sha256',
    mode: 'auto',
  })
  expect(keeper.kept.get(keyOf(mustStaple))).toMatchObject({
    responderURLs: ['http://one.test', 'http://two.test'],
    method: 'post',
    hashAlgorithm: 'sha256',
    isRequired: true,
  })
})
