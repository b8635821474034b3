import { connect as connectTcp, createServer } from 'node:net'
import { beforeAll, describe, expect, it } from 'vitest'
import { createTerminator } from '../../../src/serve/terminator/index.ts'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { manualClock } from '../../kit/clock.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { runProgram } from '../../kit/program.ts'
import { fakeKeeper, good } from '../fake-keeper.ts'
import { isAccepted, openSession, readAll, shakeHands, until } from '../tls-client.ts'
import { echoBackend, keyOf, site, startTerminator } from './stage.ts'

let leaf: Leaf
let mustStaple: Leaf
let other: Leaf

beforeAll(async () => {
  const authority = await createAuthority()
  ;[leaf, mustStaple, other] = await Promise.all([
    authority.issueLeaf({ name: 'plain.test' }),
    authority.issueLeaf({ name: 'must.test', mustStaple: true }),
    authority.issueLeaf({ name: 'other.test' }),
  ])
})

describe('a handshake', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'of %s is stapled, and what follows reaches the backend and back',
    async (version) => {
      const { port } = await startTerminator([site(leaf)])
      const { socket, staple, protocol } = await shakeHands(port, { minVersion: version, maxVersion: version })
      socket.end('all of it')
      expect({ staple, protocol, echo: (await readAll(socket)).toString() }).toEqual({
        staple: 'a good staple',
        protocol: version,
        echo: 'all of it',
      })
    },
  )

  it('is stapled for openssl s_client too', async () => {
    const { port } = await startTerminator([site(leaf)], {
      keeper: fakeKeeper({ [keyOf(leaf)]: good('not DER, but sent') }),
    })
    const { output } = await runProgram(
      'openssl',
      ['s_client', '-connect', `127.0.0.1:${port}`, '-status', '-tls1_3'],
      { input: '' },
    )
    // openssl shows what it cannot decode as an error of its own, which it has only when bytes came.
    expect(output).toMatch(/response parse error/)
  })

  it('without status_request gets no staple and is served', async () => {
    const { port } = await startTerminator([site(leaf)])
    expect(await isAccepted(port, { requestOCSP: false })).toBe(true)
  })

  it('reads bytes that a backend sends first', async () => {
    const backend = await echoBackend('INFO {}\r\n')
    const { port } = await startTerminator([site(leaf)], { backend: backend.url })
    const { socket } = await shakeHands(port)
    expect(await new Promise((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())))).toBe(
      'INFO {}\r\n',
    )
  })

  it('agrees on a protocol of the list', async () => {
    const { port } = await startTerminator([site(leaf)], { alpn: ['h2', 'nats'] })
    expect((await shakeHands(port, { ALPNProtocols: ['nats', 'h2'] })).alpn).toBe('h2')
  })

  it('answers no protocol when there is no list', async () => {
    const { port } = await startTerminator([site(leaf)])
    expect((await shakeHands(port, { ALPNProtocols: ['h2'] })).alpn).toBe(false)
  })

  it('counts', async () => {
    const { port, terminator } = await startTerminator([site(leaf)])
    await isAccepted(port)
    await isAccepted(port, { requestOCSP: false })
    expect(terminator.status()).toMatchObject({
      accepted: 2,
      secured: 2,
      stapled: 1,
      unstapled: 0,
      failedHandshakes: 0,
    })
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
    const { port } = await startTerminator([site(kind === 'must' ? mustStaple : leaf, { mode })])
    expect((await shakeHands(port)).staple).toBe(expected)
  })
})

describe('sites', () => {
  it('are chosen by name, each with its certificate and staple', async () => {
    const keeper = fakeKeeper({ [keyOf(leaf)]: good('plain'), [keyOf(other)]: good('other') })
    const { port } = await startTerminator(
      [site(leaf, { names: ['plain.test'] }), site(other, { names: ['other.test', '*.other.test', '*.lone'] })],
      { keeper },
    )
    const seen = []
    for (const servername of ['plain.test', 'OTHER.test', 'a.other.test', 'a.b.other.test', 'elsewhere.test', 'lone']) {
      const { subject, staple } = await shakeHands(port, { servername })
      seen.push(`${servername}: ${subject}, ${staple}`)
    }
    expect(seen).toEqual([
      'plain.test: plain.test, plain',
      'OTHER.test: other.test, other',
      'a.other.test: other.test, other',
      'a.b.other.test: plain.test, plain',
      'elsewhere.test: plain.test, plain',
      'lone: plain.test, plain',
    ])
  })

  it('have backends of their own', async () => {
    const [one, two] = [await echoBackend('one'), await echoBackend('two')]
    const { port } = await startTerminator([
      site(leaf, { backend: one.url }),
      site(other, { names: ['other.test'], backend: two.url }),
    ])
    const greeting = async (servername?: string) => {
      const { socket } = await shakeHands(port, servername === undefined ? {} : { servername })
      return new Promise((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())))
    }
    expect([await greeting(), await greeting('other.test')]).toEqual(['one', 'two'])
  })

  it('that nobody has are refused on request, with an alert', async () => {
    const { port, next } = await startTerminator([site(leaf, { names: ['plain.test'] })], { unknownSni: 'refuse' })
    const told = next('handshake-refused')
    await expect(shakeHands(port, { servername: 'elsewhere.test' })).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
    })
    expect(await told).toMatchObject({ reason: 'unknown-sni', serverName: 'elsewhere.test' })
    expect([await isAccepted(port, { servername: 'plain.test' }), await isAccepted(port)]).toEqual([true, true])
  })

  it('may want TLS 1.3 where others do not', async () => {
    const { port, next } = await startTerminator([
      site(leaf),
      site(other, { names: ['other.test'], minVersion: 'TLSv1.3' }),
    ])
    const told = next('handshake-refused')
    const tls12 = { maxVersion: 'TLSv1.2' } as const
    expect(await isAccepted(port, { servername: 'other.test', ...tls12 })).toBe(false)
    expect(await told).toMatchObject({ reason: 'tls-version', serverName: 'other.test' })
    expect([await isAccepted(port, tls12), await isAccepted(port, { servername: 'other.test' })]).toEqual([true, true])
  })

  it('that share a certificate keep their own policies', async () => {
    const keeper = fakeKeeper({
      [keyOf(leaf)]: { staple: Buffer.from('revoked'), certStatus: 'revoked', isRevoked: true, stapleState: 'revoked' },
    })
    const { port } = await startTerminator(
      [
        site(leaf, { policies: { onRevoked: 'staple' } }),
        site(leaf, { names: ['withheld.test'], policies: { onRevoked: 'withhold' } }),
      ],
      { keeper },
    )
    const staples = [(await shakeHands(port)).staple, (await shakeHands(port, { servername: 'withheld.test' })).staple]
    expect(staples).toEqual(['revoked', null])
  })

  it.each([
    ['no site', () => [], /sites: expected at least one/],
    [
      'two certificates with one kind of key',
      () => [site([leaf, other])],
      /two certificates with ec keys/,
      'tcp://127.0.0.1:1',
    ],
    ['no backend', () => [site(leaf)], /no backend/],
    [
      'a backend that is none',
      () => [site(leaf, { backend: 'http://127.0.0.1' })],
      /expected tcp:\/\/host:port or tls:\/\/host:port, found "http:\/\/127.0.0.1"/,
    ],
  ])('with %s are refused as a caller mistake', (_what, sites, message, backend?: string) => {
    expect(() =>
      createTerminator({ listeners: [], sites: sites(), keeper: fakeKeeper(), ...(backend && { backend }) }),
    ).toThrow(message)
  })
})

describe('sessions', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('of %s are resumed', async (version) => {
    const { port } = await startTerminator([site(leaf)])
    const only = { minVersion: version, maxVersion: version }
    const session = await openSession(port, only)
    expect((await shakeHands(port, { ...only, session })).isReused).toBe(true)
  })

  it('are resumed by another terminator with the same keys', async () => {
    const ticketKeys = Buffer.alloc(48, 7)
    const one = await startTerminator([site(leaf)], { ticketKeys })
    const two = await startTerminator([site(leaf)], { ticketKeys })
    const session = await openSession(one.port)
    expect((await shakeHands(two.port, { session })).isReused).toBe(true)
  })

  it('end when the keys are rotated after 12 hours', async () => {
    const clock = manualClock()
    const { port } = await startTerminator([site(leaf)], { clock })
    const session = await openSession(port)
    await clock.advance(12 * 3_600_000 - 1)
    const before = (await shakeHands(port, { session })).isReused
    await clock.advance(1)
    expect([before, (await shakeHands(port, { session })).isReused]).toEqual([true, false])
  })
})

describe('limits', () => {
  it('close a connection that is one too many, and say so', async () => {
    const { port, told } = await startTerminator([site(leaf)], { maxConnections: 1 })
    const { socket } = await shakeHands(port)
    expect(await isAccepted(port)).toBe(false)
    expect(told('connection-refused')).toMatchObject([{ reason: 'too-many-connections', remoteAddress: '127.0.0.1' }])
    socket.destroy()
  })

  it('give a place back when its connection ends', async () => {
    const { port, terminator } = await startTerminator([site(leaf)], { maxConnections: 1 })
    for (let index = 0; index < 3; index++) {
      expect(await isAccepted(port)).toBe(true)
      await until(() => terminator.status().secured === index + 1 && terminator.status().connections === 0)
    }
    expect(terminator.status()).toMatchObject({ connections: 0, handshakes: 0, secured: 3, refusedConnections: 0 })
  })

  it('count the handshakes under way apart', async () => {
    const { port, told, terminator } = await startTerminator([site(leaf)], { maxHandshakes: 1 })
    const { socket } = await shakeHands(port)
    await until(() => terminator.status().secured === 1)
    const silent = connectTcp(port, '127.0.0.1')
    await until(() => terminator.status().handshakes === 1)
    expect(await isAccepted(port)).toBe(false)
    expect(told('connection-refused')).toMatchObject([{ reason: 'too-many-handshakes' }])
    silent.destroy()
    socket.destroy()
  })

  it('give the place of a failed handshake back', async () => {
    const { port, terminator, next } = await startTerminator([site(leaf)], { maxHandshakes: 1 })
    const failed = next('handshake-failed')
    connectTcp(port, '127.0.0.1').end('GET / HTTP/1.1\r\n\r\n')
    expect(await failed).toMatchObject({ code: 'ERR_SSL_HTTP_REQUEST', remoteAddress: '127.0.0.1' })
    await until(() => terminator.status().handshakes === 0)
    expect(await isAccepted(port)).toBe(true)
  })

  it('cut a handshake that is not done in time, though its bytes keep dripping in', async () => {
    const { port, next, terminator } = await startTerminator([site(leaf)], { handshakeTimeoutMs: 200 })
    const failed = next('handshake-failed')
    const client = connectTcp(port, '127.0.0.1')
    client.on('error', () => {})
    const closed = new Promise((resolve) => client.once('close', resolve))
    const hello = Buffer.concat([Buffer.from([22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3]), Buffer.alloc(200)])
    let sent = 0
    const drip = setInterval(() => client.write(hello.subarray(sent, ++sent)), 30)
    const started = performance.now()
    expect(await failed).toMatchObject({ code: 'ERR_TLS_HANDSHAKE_TIMEOUT' })
    clearInterval(drip)
    expect(performance.now() - started).toBeLessThan(1000)
    client.resume()
    await closed
    await until(() => terminator.status().handshakes === 0)
    expect(terminator.status()).toMatchObject({ connections: 0, failedHandshakes: 1 })
  })

  it('give the place of a client that says nothing back', async () => {
    const { port, terminator } = await startTerminator([site(leaf)], { handshakeTimeoutMs: 500, maxHandshakes: 2 })
    const silent = [1, 2].map(() => connectTcp(port, '127.0.0.1').resume())
    await Promise.all(silent.map((client) => new Promise((resolve) => client.once('close', resolve))))
    await until(() => terminator.status().handshakes === 0)
    expect(await isAccepted(port)).toBe(true)
  })

  it('end a connection on which nothing moves', async () => {
    const { port, terminator } = await startTerminator([site(leaf)], { idleTimeoutMs: 100 })
    const { socket } = await shakeHands(port)
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('close', resolve))
    await until(() => terminator.status().connections === 0)
    expect(terminator.status()).toMatchObject({ secured: 1, handshakes: 0 })
  })
})

describe('half-close through TLS', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'lets a client of %s end its stream and still read the answer',
    async (version) => {
      const backend = createServer({ allowHalfOpen: true }, (socket) => {
        readAll(socket).then((asked) => socket.end(`answer to ${asked}`))
      })
      await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
      endsWithTest(() => backend.close())
      const { port } = await startTerminator([site(leaf)], {
        backend: `tcp://127.0.0.1:${(backend.address() as { port: number }).port}`,
      })
      const { socket } = await shakeHands(port, { minVersion: version, maxVersion: version })
      socket.end('question')
      expect((await readAll(socket)).toString()).toBe('answer to question')
    },
  )
})

describe('a backend that is down', () => {
  it('closes its clients, is told, and the next client finds it up again', async () => {
    const backend = await echoBackend()
    const { port, next, terminator } = await startTerminator([site(leaf)], { backend: 'tcp://127.0.0.1:1' })
    const told = next('backend-failed')
    expect(await isAccepted(port)).toBe(false)
    expect(await told).toMatchObject({ backend: 'tcp://127.0.0.1:1', error: { code: 'ERR_TERMINATOR_BACKEND' } })
    expect(terminator.status()).toMatchObject({ failedBackends: 1 })
    expect(backend.connections).toEqual([])
  })

  it('is not dialled for a client that fails its handshake', async () => {
    const backend = await echoBackend()
    const { port, next } = await startTerminator([site(leaf)], { backend: backend.url })
    const failed = next('handshake-failed')
    connectTcp(port, '127.0.0.1').end('nonsense')
    await failed
    expect(backend.connections.length).toBe(0)
  })
})

describe('listening', () => {
  it('opens several addresses', async () => {
    const keeper = fakeKeeper({ [keyOf(leaf)]: good() })
    const backend = (await echoBackend()).url
    const listeners = [
      { host: '127.0.0.1', port: 0 },
      { host: '::1', port: 0 },
    ]
    const terminator = createTerminator({ listeners, sites: [site(leaf)], keeper, backend })
    const addresses = await terminator.listen()
    endsWithTest(() => terminator.drain())
    expect(addresses.map(({ address }) => address)).toEqual(['127.0.0.1', '::1'])
    expect(await isAccepted(addresses[1]?.port as number, { host: '::1' })).toBe(true)
  })

  it('opens nothing when one address is taken', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    endsWithTest(() => taken.close())
    const { port } = taken.address() as { port: number }
    const listeners = [
      { host: '127.0.0.1', port: 0 },
      { host: '127.0.0.1', port },
    ]
    const terminator = createTerminator({
      listeners,
      sites: [site(leaf)],
      keeper: fakeKeeper(),
      backend: 'tcp://127.0.0.1:1',
    })
    await expect(terminator.listen()).rejects.toMatchObject({
      code: 'ERR_TERMINATOR_LISTEN',
      detail: { address: `127.0.0.1:${port}`, networkCode: 'EADDRINUSE' },
    })
    expect(terminator.status().addresses).toEqual([])
  })
})

describe('draining', () => {
  it('takes nothing new, lets what is open end, and then is done', async () => {
    const { terminator, port, next } = await startTerminator([site(leaf)], { drainTimeoutMs: 10_000 })
    const { socket } = await shakeHands(port)
    const drained = terminator.drain()
    const told = next('drained')
    await expect(shakeHands(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    socket.end('last')
    expect((await readAll(socket)).toString()).toBe('last')
    await drained
    expect(await told).toMatchObject({ destroyed: 0 })
  })

  it('cuts what does not end in time, and says how many', async () => {
    const clock = manualClock()
    const { terminator, port, next } = await startTerminator([site(leaf)], { clock, drainTimeoutMs: 3000 })
    const { socket } = await shakeHands(port)
    socket.on('error', () => {})
    const cut = new Promise((resolve) => socket.once('close', resolve))
    const told = next('drained')
    const drained = terminator.drain()
    await clock.advance(3000)
    await Promise.all([drained, cut])
    expect(await told).toMatchObject({ destroyed: 1 })
  })

  it('closes the backend side of what it cuts', async () => {
    const backend = await echoBackend()
    const { terminator, port } = await startTerminator([site(leaf)], { backend: backend.url, drainTimeoutMs: 10 })
    const { socket } = await shakeHands(port)
    socket.on('error', () => {})
    await until(() => backend.connections.length > 0)
    const closed = new Promise((resolve) => backend.connections[0]?.once('close', resolve))
    await terminator.drain()
    await expect(closed).resolves.toBe(true)
  })

  it('leaves the keeper to whoever made it', async () => {
    const { terminator, keeper } = await startTerminator([site(leaf)])
    await terminator.drain()
    expect(keeper.isClosed).toBe(false)
  })
})

describe('what goes wrong inside', () => {
  it('costs a handshake its staple, never the process', async () => {
    const { port, keeper, terminator } = await startTerminator([site(leaf)])
    keeper.broken = true
    expect((await shakeHands(port)).staple).toBe(null)
    await until(() => terminator.status().secured === 1)
    expect(terminator.status()).toMatchObject({ unstapled: 1, stapled: 0 })
  })
})
