/**
 * Who speaks first, as nats-server's `handshake_first` has it, and client certificates: what each kind of client sees of a
 * front before the real nats-server.
 */
import { connect, type Socket } from 'node:net'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { Leaf } from '../kit/authority.ts'
import { createAuthority } from '../kit/authority.ts'
import { connectWithNats, readLine, watchNats } from '../kit/clients/nats.ts'
import { endsWithTest, endWithFile } from '../kit/lifetime.ts'
import { expectGood, type NatsFront, type NatsStage, setNatsStage } from '../kit/nats-front.ts'
import { type NatsBackend, startNatsBackend } from '../kit/nats-server.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })
endWithFile()

let stage: NatsStage
let backend: NatsBackend
beforeAll(async () => {
  stage = await setNatsStage()
  backend = await startNatsBackend()
})

/** A client that says nothing. */
function dial(port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  endsWithTest(() => socket.destroy())
  return socket.on('error', () => {})
}

/** How long a silent client waits for its INFO. */
async function timeInfo(port: number): Promise<{ line: string; afterMs: number }> {
  const begun = performance.now()
  const line = await readLine(dial(port))
  return { line, afterMs: performance.now() - begun }
}

describe('handshake_first', () => {
  test.each([undefined, 'false'])('%s: INFO comes at once, then TLS', async (handshakeFirst) => {
    const { port, target } = await stage.start(backend.url, handshakeFirst === undefined ? {} : { handshakeFirst })
    const { line, afterMs } = await timeInfo(port)
    expect(JSON.parse(line.slice('INFO '.length))).toMatchObject({ tls_required: true, port: backend.port })
    expect(afterMs).toBeLessThan(5_000)
    expectGood((await watchNats(target)).stapleBytes, stage.leaf)
    await (await connectWithNats(target)).flush()
  })

  test('true: a client that waits hears nothing and is closed after the time of a handshake', async () => {
    const { port, target } = await stage.start(backend.url, { handshakeFirst: 'true' })
    const patient = dial(port)
    let heard = 0
    patient.on('data', (chunk) => {
      heard += chunk.length
    })
    const closed = new Promise<void>((resolve) => patient.once('close', () => resolve()))
    await (await connectWithNats({ ...target, handshakeFirst: true })).flush()
    await closed
    expect(heard).toBe(0)
  })

  // On a loaded machine a client may take longer than 50 ms to begin, and is told INFO in clear: rightly.
  describe.each([
    ['auto', 50],
    ['"400ms"', 400],
  ])('%s', { retry: 3 }, (handshakeFirst, waitMs) => {
    let front: NatsFront
    beforeAll(async () => {
      front = await stage.start(backend.url, { handshakeFirst })
    })

    test('sends INFO to a client that waits, and no sooner than it should', async () => {
      const { line, afterMs } = await timeInfo(front.port)
      expect(line).toMatch(/^INFO \{.*"tls_required":true\}$/)
      expect(afterMs).toBeGreaterThan(waitMs - 2)
    })

    test.each([true, false])('serves the official client with TLS first: %s', async (first) => {
      const connection = await connectWithNats({ ...front.target, handshakeFirst: first })
      const messages = connection.subscribe('a', { max: 1 })
      connection.publish('a', 'hello')
      for await (const message of messages) expect(message.string()).toBe('hello')
    })

    test.each([true, false])('staples, with TLS first: %s', async (first) => {
      const watcher = await watchNats({ ...front.target, handshakeFirst: first })
      expectGood(watcher.stapleBytes, stage.leaf)
      if (first) await watcher.waitFor(/^INFO \{.*"tls_required":true\}\r\n/)
      watcher.send('CONNECT {"verbose":false}\r\nPING\r\n')
      await watcher.waitFor(/PONG\r\n/)
      expect(watcher.infos().length).toBe(first ? 1 : 0)
    })
  })
})

describe('client certificates', () => {
  let front: NatsFront
  let known: Leaf
  let stranger: Leaf
  beforeAll(async () => {
    known = await (await createAuthority()).issueLeaf({ name: 'client' })
    stranger = await (await createAuthority({ fresh: true })).issueLeaf({ name: 'stranger' })
    front = await stage.start(backend.url, { tls: ['verify: true'] })
  })

  test('are demanded in INFO, and one from the right CA is let in', async () => {
    expect((await timeInfo(front.port)).line).toMatch(/"tls_verify":true/)
    const connection = await connectWithNats({
      ...front.target,
      tls: { certFile: known.certificateFile, keyFile: known.keyFile } as object,
    })
    await connection.flush()
    expect(connection.info?.tls_verify).toBe(true)
  })

  test('from another CA are refused, and so is their absence', async () => {
    const tls = { certFile: stranger.certificateFile, keyFile: stranger.keyFile } as object
    await expect(connectWithNats({ ...front.target, tls }, { reconnect: false })).rejects.toThrow()
    await expect(connectWithNats(front.target, { reconnect: false })).rejects.toThrow()
  })
})

describe('a backend with TLS of its own', () => {
  let secure: NatsBackend
  let own: Leaf
  beforeAll(async () => {
    own = await (await createAuthority()).issueLeaf({ name: 'backend.example', san: ['backend.example'] })
    secure = await startNatsBackend({
      lines: [`tls { cert_file: "${own.certificateFile}", key_file: "${own.keyFile}", timeout: 5 }`],
    })
  })
  const group = (name: string) =>
    `{ url: "tls://127.0.0.1:${secure.port}", ca_file: "${own.rootFile}", server_name: "${name}" }`

  test.each([true, false])('is spoken to as its clients do, and proves its name (TLS first: %s)', async (first) => {
    const config = stage
      .config('BACKEND', { handshakeFirst: String(first) })
      .replace('"BACKEND"', group('backend.example'))
    const { target } = await stage.run(config)
    const connection = await connectWithNats({ ...target, handshakeFirst: first })
    const messages = connection.subscribe('a', { max: 1 })
    connection.publish('a', 'through both')
    for await (const message of messages) expect(message.string()).toBe('through both')
    expectGood((await watchNats({ ...target, handshakeFirst: first })).stapleBytes, stage.leaf)
  })

  test('that is another than it should be gets no client', async () => {
    const { daemon, port } = await stage.run(stage.config('BACKEND').replace('"BACKEND"', group('other.example')))
    const client = dial(port)
    client.resume()
    const line = await daemon.waitForLine(/refused for its certificate/)
    expect(line.message).toContain(`tls://127.0.0.1:${secure.port}`)
    expect(line.message).toContain('other.example')
    await vi.waitFor(() => expect(client.destroyed).toBe(true))
  })

  test('at a tcp:// address is refused, with what to write', async () => {
    const { daemon, port } = await stage.start(secure.url)
    dial(port)
    const line = await daemon.waitForLine(/do not agree on TLS/)
    expect(line.message).toContain('write it as tls://')
  })
})
