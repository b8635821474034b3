/**
 * The official NATS client and Debian's real nats-server, with the front between them: all that a client does, whichever
 * way TLS begins.
 */
import { randomBytes } from 'node:crypto'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { createUser } from '@nats-io/nkeys'
import { headers, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { connectWithNats, watchNats } from '../kit/clients/nats.ts'
import { endWithFile } from '../kit/lifetime.ts'
import { expectGood, type NatsFront, type NatsStage, setNatsStage } from '../kit/nats-front.ts'
import { type NatsBackend, startNatsBackend } from '../kit/nats-server.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })
endWithFile()

let stage: NatsStage
let backend: NatsBackend
beforeAll(async () => {
  stage = await setNatsStage()
  backend = await startNatsBackend({ hasJetStream: true })
})

describe.each([
  ['INFO before TLS', false],
  ['TLS before INFO', true],
])('%s:', (_, handshakeFirst) => {
  let front: NatsFront
  let connect: () => Promise<NatsConnection>
  beforeAll(async () => {
    front = await stage.start(backend.url, { handshakeFirst: String(handshakeFirst) })
    connect = () => connectWithNats({ ...front.target, handshakeFirst })
  })

  test('what one client publishes, another receives, with its headers', async () => {
    const [publisher, subscriber] = [await connect(), await connect()]
    const messages = subscriber.subscribe('orders.*', { max: 100 })
    await subscriber.flush()
    for (let index = 0; index < 100; index++) publisher.publish(`orders.${index}`, `order ${index}`)
    const received: string[] = []
    for await (const message of messages) received.push(`${message.subject}: ${message.string()}`)
    expect(received).toEqual(Array.from({ length: 100 }, (_, index) => `orders.${index}: order ${index}`))
  })

  test('a request is answered, and headers arrive', async () => {
    const [asking, answering] = [await connect(), await connect()]
    answering.subscribe('echo', {
      callback(_error, message) {
        message.respond(message.data, { ...(message.headers && { headers: message.headers }) })
      },
    })
    await answering.flush()
    const sent = headers()
    sent.set('Trace', 'INFO {"connect_urls":["10.0.0.1:4222"]}')
    const answer = await asking.request('echo', 'hello', { headers: sent, timeout: 5_000 })
    expect({ text: answer.string(), trace: answer.headers?.get('Trace') }).toEqual({
      text: 'hello',
      trace: 'INFO {"connect_urls":["10.0.0.1:4222"]}',
    })
  })

  test('JetStream keeps what is published, and a consumer takes it', async () => {
    const connection = await connect()
    const name = handshakeFirst ? 'FIRST' : 'AFTER'
    const manager = await jetstreamManager(connection)
    await manager.streams.add({ name, subjects: [`${name}.>`] })
    const stream = jetstream(connection)
    for (let index = 0; index < 20; index++) {
      const { seq } = await stream.publish(`${name}.kept`, `message ${index}`)
      expect(seq).toBe(index + 1)
    }
    await manager.consumers.add(name, { durable_name: 'reader', ack_policy: 'explicit' })
    const consumer = await stream.consumers.get(name, 'reader')
    const received: string[] = []
    for await (const message of await consumer.fetch({ max_messages: 20, expires: 10_000 })) {
      received.push(message.string())
      message.ack()
    }
    expect(received).toEqual(Array.from({ length: 20 }, (_, index) => `message ${index}`))
    await connection.flush()
    expect((await consumer.info()).num_ack_pending).toBe(0)
  })

  test('1 MB goes both ways untouched, with lines in it that look like INFO', async () => {
    const [publisher, subscriber] = [await connect(), await connect()]
    const line = Buffer.from('\r\nINFO {"connect_urls":["10.0.0.1:4222"]}\r\nMSG a 1 5\r\n')
    const payload = randomBytes(1_048_576)
    for (let at = 0; at < payload.length - line.length; at += 65_536 - 7) line.copy(payload, at)
    subscriber.subscribe('large', {
      callback(_error, message) {
        message.respond(message.data)
      },
    })
    await subscriber.flush()
    for (let round = 0; round < 4; round++) {
      const answer = await publisher.request('large', payload, { timeout: 20_000 })
      expect(Buffer.from(answer.data).equals(payload)).toBe(true)
    }
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'the staple of %s is there and proves the certificate good',
    async (version) => {
      const tls = { minVersion: version, maxVersion: version }
      const watcher = await watchNats({ ...front.target, handshakeFirst, tls })
      expectGood(watcher.stapleBytes, stage.leaf)
      expect(watcher.socket.getProtocol()).toBe(version)
      watcher.send('CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n')
      await watcher.waitFor(/PONG\r\n/)
      const told = watcher.infoInClear ?? watcher.infos()[0]
      expect(told).toMatchObject({ tls_required: true, port: backend.port, version: '2.9.10' })
    },
  )
})

describe('authentication with nkeys', () => {
  let front: NatsFront
  const [user, stranger] = [createUser(), createUser()]
  beforeAll(async () => {
    const guarded = await startNatsBackend({
      lines: [`authorization { users: [ { nkey: "${user.getPublicKey()}" } ] }`],
    })
    front = await stage.start(guarded.url, { handshakeFirst: '"500ms"' })
  })

  test.each([false, true])('signs the nonce of the backend (TLS first: %s)', async (handshakeFirst) => {
    const authenticator = nkeyAuthenticator(user.getSeed())
    const connection = await connectWithNats({ ...front.target, handshakeFirst }, { authenticator })
    await connection.flush()
    expect(connection.info).toMatchObject({ auth_required: true, nonce: expect.stringMatching(/./) })
  })

  test('refuses another key', async () => {
    const authenticator = nkeyAuthenticator(stranger.getSeed())
    await expect(connectWithNats(front.target, { authenticator })).rejects.toThrow(/Authorization Violation/i)
  })
})

test.each([false, true])(
  'a client whose backend is gone comes back through the front, with its subscriptions (TLS first: %s)',
  async (handshakeFirst) => {
    const first = await startNatsBackend()
    const front = await stage.start(first.url, { handshakeFirst: String(handshakeFirst) })
    const connection = await connectWithNats({ ...front.target, handshakeFirst })
    const messages = connection.subscribe('kept', { max: 2 })
    connection.publish('kept', 'before')
    await connection.flush()
    const reconnected = eventOf(connection, 'reconnect')
    first.program.kill('SIGKILL')
    await front.daemon.waitForLine(/could not be reached/)
    await startNatsBackend({ port: first.port })
    expect(await reconnected).toBe(`127.0.0.1:${front.port}`)
    connection.publish('kept', 'after')
    const received: string[] = []
    for await (const message of messages) received.push(message.string())
    expect(received).toEqual(['before', 'after'])
    expect(connection.getServer()).toBe(`127.0.0.1:${front.port}`)
  },
)

/** What the next such event of the client's says. */
async function eventOf(connection: NatsConnection, type: string): Promise<string> {
  for await (const status of connection.status()) {
    if (status.type === type) return 'server' in status ? status.server : ''
  }
  return `closed before ${type}`
}
