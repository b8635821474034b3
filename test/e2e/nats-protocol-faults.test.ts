/**
 * Backends that turn bad behind the real program: one clear line, that one connection closed, all others untouched; and
 * configurations that say two things of NATS.
 */
import { connect, createServer, type Socket } from 'node:net'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { connectWithNats, readLine, watchNats } from '../kit/clients/nats.ts'
import { startDaemon } from '../kit/daemon.ts'
import { endsWithTest } from '../kit/lifetime.ts'
import { type NatsStage, setNatsStage } from '../kit/nats-front.ts'
import { type NatsBackend, startNatsBackend } from '../kit/nats-server.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

let stage: NatsStage
let backend: NatsBackend
beforeEach(async () => {
  stage = await setNatsStage()
  backend = await startNatsBackend()
})

type Misbehave = (socket: Socket) => unknown

/** Passes connections on to the real nats-server, until it is told to do something else with new ones. */
async function startMoody() {
  let misbehave: Misbehave | undefined
  const passed: { client: Socket; server: Socket }[] = []
  const moody = createServer((client) => {
    client.on('error', () => {})
    endsWithTest(() => client.destroy())
    if (misbehave) {
      misbehave(client)
      return
    }
    const server = connect(backend.port, '127.0.0.1').on('error', () => {})
    server.on('close', () => client.destroy())
    client.on('close', () => server.destroy())
    client.pipe(server).pipe(client)
    passed.push({ client, server })
  })
  await new Promise<void>((resolve) => moody.listen(0, '127.0.0.1', resolve))
  endsWithTest(() => moody.close())
  return {
    url: `tcp://127.0.0.1:${(moody.address() as { port: number }).port}`,
    passed,
    turn: (how: Misbehave | undefined) => {
      misbehave = how
    },
  }
}

/** A client that has heard nothing when the other side closes. */
async function expectClosed(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  endsWithTest(() => socket.destroy())
  let heard = ''
  socket.on('data', (chunk) => {
    heard += chunk
  })
  await new Promise((resolve) => socket.once('close', resolve))
  expect(heard).toBe('')
}

describe('a backend that turns bad', () => {
  test.each<[string, Misbehave, RegExp]>([
    [
      'that is another program',
      (socket) => socket.write('SSH-2.0-OpenSSH_9.2p1 Debian\r\n'),
      /is no NATS server: expected INFO, found "SSH-2.0-OpenSSH_9.2p1 Debian\\r\\n"/,
    ],
    ['that hangs', () => {}, /sent no INFO: no whole line within \d+ ms/],
    ['that closes', (socket) => socket.end(), /sent no INFO: it closed without a word/],
    ['that resets', (socket) => socket.resetAndDestroy(), /ECONNRESET/],
    [
      'whose INFO is broken',
      (socket) => socket.write('INFO {"server_id":\r\n'),
      /sent an INFO that is no JSON object: "INFO \{\\"server_id\\":\\r\\n"/,
    ],
    ['that never ends its INFO', (socket) => socket.write(`INFO {${' '.repeat(1_100_000)}`), /is no NATS server/],
  ])('%s costs one connection and one line', async (_, misbehave, words) => {
    const moody = await startMoody()
    const { daemon, port, target } = await stage.start(moody.url)
    const good = await connectWithNats(target)
    const messages = good.subscribe('a')
    await good.flush()
    moody.turn(misbehave)
    await expectClosed(port)
    const line = await daemon.waitForLine(words)
    expect(line).toMatchObject({ level: 'error', subject: 'front' })
    expect(line.message).toContain(moody.url)
    good.publish('a', 'untouched')
    for await (const message of messages) {
      expect(message.string()).toBe('untouched')
      break
    }
    moody.turn(undefined)
    await (await connectWithNats(target)).flush()
    expect(good.stats().inMsgs).toBe(1)
  })

  test('that leaves the protocol in the middle is cut, and its client with it, and nobody else', async () => {
    const moody = await startMoody()
    const { daemon, target } = await stage.start(moody.url)
    const [good, other] = [await connectWithNats(target), await watchNats(target)]
    other.send('CONNECT {"verbose":false}\r\nPING\r\n')
    await other.waitFor(/PONG\r\n/)
    const before = other.text()
    moody.passed[1]?.client.write('HTTP/1.1 400 Bad Request\r\n\r\n')
    await other.closed
    expect(other.text()).toBe(before)
    const line = await daemon.waitForLine(/left the NATS protocol/)
    expect(line.message).toContain('expected an operation, found "HTTP/1.1 400 Bad Request\\r\\n')
    await good.flush()
    expect(good.isClosed()).toBe(false)
  })

  test('that sends a broken INFO later is cut before a byte of it leaves the front', async () => {
    const moody = await startMoody()
    const { daemon, target } = await stage.start(moody.url)
    const other = await watchNats(target)
    const before = other.text()
    moody.passed[0]?.client.write('INFO {"connect_urls":["10.0.0.1:4222"],}\r\n')
    await other.closed
    expect(other.text()).toBe(before)
    await daemon.waitForLine(/sent an INFO that is no JSON object/)
  })
})

describe('a client that is none', () => {
  test.each([
    ['speaks NATS in clear', 'CONNECT {}\r\nPING\r\n'],
    ['speaks HTTP', 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['begins TLS and does not go on', Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3])],
  ])('%s: it is closed, and the backend hears nothing of it', async (_, bytes) => {
    const moody = await startMoody()
    const { port, target } = await stage.start(moody.url)
    const good = await connectWithNats(target)
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    endsWithTest(() => socket.destroy())
    await readLine(socket)
    let heard = 0
    moody.passed[1]?.client.on('data', (chunk: Buffer) => {
      heard += chunk.length
    })
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.resume()
    socket.write(bytes)
    await closed
    await vi.waitFor(() => expect(moody.passed[1]?.client.destroyed).toBe(true), 10_000)
    expect(heard).toBe(0)
    await good.flush()
  })
})

describe('a configuration that says two things of NATS is refused, with its place', () => {
  test.each([
    ['advertise: ["a.example:4222"]', 'backend: "tcp://127.0.0.1:1"', /advertise/],
    ['protocol: tcp', 'backend: "nats://127.0.0.1:1"', /protocol/],
    ['protocol: nat', 'backend: "tcp://127.0.0.1:1"', /protocol/],
    ['advertise: ["nats://a.example"], protocol: nats', 'backend: "tcp://127.0.0.1:1"', /advertise/],
  ])('%s with %s', async (line, backendLine, key) => {
    const { leaf } = stage
    const tls = `tls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}", ca_file: "${leaf.caFile}" }`
    const daemon = await startDaemon(`listen: "127.0.0.1:0"\n${line}\n${backendLine}\n${tls}\n`)
    expect(await daemon.exitCode()).toBe(2)
    const output = daemon.program.output()
    expect(output).toMatch(/staplewright\.conf:[23]:\d+/)
    expect(output).toMatch(key)
    expect(output).toMatch(/hint/)
  })

  test('a handshake_first that is none', async () => {
    const daemon = await startDaemon(stage.config(backend.url, { handshakeFirst: 'sometimes' }))
    expect(await daemon.exitCode()).toBe(2)
    expect(daemon.program.output()).toMatch(/staplewright\.conf:\d+:\d+: tls\.handshake_first: /)
  })
})
