import type { Socket } from 'node:net'
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../../src/keep/clock.ts'
import { type NatsBackend, openNatsBackend } from '../../../../src/serve/terminator/nats/backend.ts'
import {
  greet,
  type Opened,
  type OpeningOptions,
  openNatsClient,
} from '../../../../src/serve/terminator/nats/opening.ts'
import { createAuthority, type Leaf } from '../../../kit/authority.ts'
import { manualClock } from '../../../kit/clock.ts'
import { endsWithTest } from '../../../kit/lifetime.ts'
import { readText, socketPair } from './stage.ts'

const rewriting = { asksForCertificate: false, advertise: [] }
const told = 'INFO {"nonce":"n","tls_required":true}\r\n'

let leaf: Leaf
let ca: string
beforeAll(async () => {
  const authority = await createAuthority()
  ca = authority.root.pem
  leaf = await authority.issueLeaf()
})

/** A client (`near` is its own end, `far` the front's), and a front that does with it what the options say. */
async function stage(options: Partial<OpeningOptions> & Pick<OpeningOptions, 'handshake'>, info = '{"nonce":"n"}') {
  const { near, far } = await socketPair()
  const backends: NatsBackend[] = []
  const dial = async (): Promise<NatsBackend> => {
    const { near: socket, far: server } = await socketPair()
    server.write(`INFO ${info}\r\n`)
    const backend = await openNatsBackend(socket, { url: 'tcp://b:1', clock: systemClock, timeoutMs: 5_000 })
    backends.push(backend)
    return backend
  }
  return {
    client: near,
    far,
    backends,
    open: () => openNatsClient(far, { rewriting, clock: systemClock, dial, ...options }),
  }
}

/** The front's TLS after its opening; resolves with what the client hears inside it. */
async function secure(client: Socket, far: Socket, { backend, isGreeted }: Opened, late: NatsBackend | undefined) {
  const server = createTlsServer({ cert: leaf.chainPem, key: leaf.key }, (secured) => {
    secured.on('error', () => {})
    const greeting = backend ?? late
    if (!isGreeted && greeting) greet(secured, greeting, rewriting)
    secured.write('PING\r\n')
  })
  endsWithTest(() => server.close())
  const heard = new Promise<string>((resolve, reject) => {
    server.on('tlsClientError', reject)
    const secured = tlsConnect({ socket: client, ca, servername: 'localhost' })
    secured.on('error', reject)
    resolve(readText(secured, 'PING\r\n'))
  })
  server.emit('connection', far)
  return heard
}

describe('after-info', () => {
  it('sends INFO in clear, then the same socket takes TLS, in which it is not repeated', async () => {
    const { client, far, open } = await stage({ handshake: 'after-info' })
    const opened = await open()
    expect(opened.isGreeted).toBe(true)
    expect(await readText(client, '\n')).toBe(told)
    expect(await secure(client, far, opened, undefined)).toBe('PING\r\n')
  })

  it('sends a long INFO whole, before TLS', async () => {
    const long = 'x'.repeat(900_000)
    const { client, far, open } = await stage({ handshake: 'after-info' }, `{"a":"${long}"}`)
    const opened = await open()
    const server = createTlsServer({ cert: leaf.chainPem, key: leaf.key }, (secured) => secured.write('PING\r\n'))
    endsWithTest(() => server.close())
    server.emit('connection', far)
    expect(await readText(client, '\n')).toBe(`INFO {"a":"${long}","tls_required":true}\r\n`)
    const secured = tlsConnect({ socket: client, ca, servername: 'localhost' })
    expect(await readText(secured, '\n')).toBe('PING\r\n')
    expect(opened.backend?.socket.destroyed).toBe(false)
  })

  it('says what the front asks for and advertises', async () => {
    const asking = { asksForCertificate: true, advertise: ['nats.example.net:4222'] }
    const { client, open } = await stage({ handshake: 'after-info', rewriting: asking })
    await open()
    expect(await readText(client, '\n')).toBe(
      'INFO {"nonce":"n","tls_required":true,"tls_verify":true,"connect_urls":["nats.example.net:4222"]}\r\n',
    )
  })

  it('tells why there is no backend and leaves the client to the caller', async () => {
    const failure = new Error('no backend')
    const { far, open } = await stage({ handshake: 'after-info', dial: () => Promise.reject(failure) })
    await expect(open()).rejects.toBe(failure)
    expect(far.destroyed).toBe(false)
  })

  it('writes nothing to a client that has gone meanwhile', async () => {
    const { far, open } = await stage({ handshake: 'after-info' })
    far.destroy()
    const { backend, isGreeted } = await open()
    expect({ isGreeted, isOpen: backend?.socket.destroyed === false }).toEqual({ isGreeted: false, isOpen: true })
  })
})

describe('first', () => {
  it('dials nobody and reads nothing; INFO comes inside TLS', async () => {
    const { client, far, backends, open } = await stage({ handshake: 'first' })
    const opened = await open()
    expect({ opened, dialled: backends.length }).toEqual({ opened: { isGreeted: false }, dialled: 0 })
    const late = await (await stage({ handshake: 'after-info' })).open()
    expect(await secure(client, far, opened, late.backend)).toBe(`${told}PING\r\n`)
  })
})

describe('waiting for the client', () => {
  it('leaves the word to one that begins with TLS, and loses none of its bytes', async () => {
    const clock = manualClock()
    const { client, far, backends, open } = await stage({ handshake: { waitMs: 50 }, clock })
    const opening = open()
    const secured = tlsConnect({ socket: client, ca, servername: 'localhost' })
    const opened = await opening
    expect({ opened, dialled: backends.length }).toEqual({ opened: { isGreeted: false }, dialled: 0 })
    const server = createTlsServer({ cert: leaf.chainPem, key: leaf.key }, (one) => one.write('INFO\r\n'))
    endsWithTest(() => server.close())
    server.emit('connection', far)
    expect(await readText(secured, '\n')).toBe('INFO\r\n')
    expect(clock.timers).toBe(0)
  })

  it('sends INFO in clear to one that is silent for so long', async () => {
    const clock = manualClock()
    const { client, far, backends, open } = await stage({ handshake: { waitMs: 50 }, clock })
    const opening = open()
    await clock.advance(49)
    expect(backends).toHaveLength(0)
    await clock.advance(1)
    const opened = await opening
    expect(opened.isGreeted).toBe(true)
    expect(await readText(client, '\n')).toBe(told)
    expect(await secure(client, far, opened, undefined)).toBe('PING\r\n')
  })

  it('sends nothing in clear to one that begins while the backend is asked', async () => {
    const clock = manualClock()
    let secured: Socket | undefined
    const { client, far, open } = await stage({
      handshake: { waitMs: 50 },
      clock,
      async dial() {
        secured = tlsConnect({ socket: client, ca, servername: 'localhost' })
        while (far.readableLength === 0) await new Promise((resolve) => setImmediate(resolve))
        return { url: 'tcp://backend', socket: far, info: { isTlsRequired: false, isTlsAvailable: false, fields: [] } }
      },
    })
    const opening = open()
    await clock.advance(50)
    const opened = await opening
    expect(opened.isGreeted).toBe(false)
    const server = createTlsServer({ cert: leaf.chainPem, key: leaf.key }, (one) =>
      greet(one, opened.backend as NatsBackend, rewriting),
    )
    endsWithTest(() => server.close())
    server.emit('connection', far)
    expect(await readText(secured as Socket, '\n')).toBe('INFO {"tls_required":true}\r\n')
  })

  it.each(['end', 'resetAndDestroy'] as const)('ends with a client that goes (%s), and dials nobody', async (go) => {
    const clock = manualClock()
    const { client, far, backends, open } = await stage({ handshake: { waitMs: 50 }, clock })
    const opening = open()
    client[go]()
    await opening
    expect({ isGone: far.destroyed, dialled: backends.length, timers: clock.timers }).toEqual({
      isGone: true,
      dialled: 0,
      timers: 0,
    })
  })
})
