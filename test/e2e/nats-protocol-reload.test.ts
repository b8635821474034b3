/** NATS clients over reloads, over the loss of a worker, and from behind a load balancer. */
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { beforeEach, expect, test, vi } from 'vitest'
import { connectWithNats, readLine, watchNats } from '../kit/clients/nats.ts'
import { endsWithTest } from '../kit/lifetime.ts'
import { expectGood, type NatsStage, setNatsStage } from '../kit/nats-front.ts'
import { type NatsBackend, startNatsBackend } from '../kit/nats-server.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

let stage: NatsStage
let backend: NatsBackend
beforeEach(async () => {
  stage = await setNatsStage()
  backend = await startNatsBackend()
})

test('a reload changes what new clients are told, and those connected notice nothing', async () => {
  const { daemon, target } = await stage.start(backend.url)
  const before = await connectWithNats(target)
  const messages = before.subscribe('a')
  await before.flush()
  const other = await startNatsBackend({ lines: ['server_name: other'] })
  const next = { handshakeFirst: '"500ms"', lines: ['advertise: ["nats.example.net:4222"]'] }
  await writeFile(daemon.configFile, stage.config(other.url, next))
  daemon.refresh()
  await daemon.waitForLine(/^reloaded/)
  for (const handshakeFirst of [false, true]) {
    const after = await connectWithNats({ ...target, handshakeFirst })
    expect(after.info).toMatchObject({ server_name: 'other', connect_urls: ['nats.example.net:4222'] })
  }
  before.publish('a', 'still here')
  for await (const message of messages) {
    expect(message.string()).toBe('still here')
    break
  }
  expect(before.stats()).toMatchObject({ inMsgs: 1 })
})

test('a reload with a mistake changes nothing', async () => {
  const { daemon, target } = await stage.start(backend.url)
  const before = await connectWithNats(target)
  await writeFile(daemon.configFile, stage.config(backend.url, { handshakeFirst: 'sometimes' }))
  daemon.refresh()
  await daemon.waitForLine(/handshake_first/)
  await before.flush()
  await (await connectWithNats(target)).flush()
})

test('with two workers every client is stapled, and those of a killed worker come back', async () => {
  const { daemon, target } = await stage.start(backend.url, { lines: ['workers: 2'] })
  for (let count = 0; count < 10; count++) expectGood((await watchNats(target)).stapleBytes, stage.leaf)
  const clients = await Promise.all(Array.from({ length: 20 }, () => connectWithNats(target)))
  const received = clients.map(() => 0)
  for (const [index, client] of clients.entries()) {
    client.subscribe('all', {
      callback() {
        received[index] = (received[index] ?? 0) + 1
      },
    })
  }
  await Promise.all(clients.map((client) => client.flush()))
  clients[0]?.publish('all')
  await expect.poll(() => received, { timeout: 10_000 }).toEqual(clients.map(() => 1))

  const [worker] = await childrenOf(daemon.program.pid)
  process.kill(worker as number, 'SIGKILL')
  // Those of the other worker hear it at once, those of the killed one when they are back: until all have heard one more.
  await expect
    .poll(
      () => {
        clients[0]?.publish('all')
        return received.every((count) => count >= 2)
      },
      { timeout: 30_000 },
    )
    .toBe(true)
})

test('a PROXY header comes before INFO, and INFO after it', async () => {
  const { target } = await stage.start(backend.url, { lines: ['accept_proxy_protocol: ["127.0.0.1/32"]'] })
  const raw = connect(target.port, '127.0.0.1').on('error', () => {})
  endsWithTest(() => raw.destroy())
  raw.write('PROXY TCP4 192.0.2.7 192.0.2.1 56324 4222\r\n')
  expect(await readLine(raw)).toMatch(/^INFO \{.*"tls_required":true\}$/)
  const secured = connectTls({ socket: raw, rejectUnauthorized: false })
  secured.write('CONNECT {"verbose":false}\r\nPING\r\n')
  expect(await readLine(secured)).toBe('PONG')
})

async function childrenOf(pid: number): Promise<number[]> {
  return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').map(Number)
}
