/**
 * A cluster of real nats-servers that changes while clients are connected to one of its nodes through the front: each
 * change is told to all clients in a further INFO, which must lead nobody past the front.
 */

import { connect, type Socket } from 'node:net'
import { beforeEach, expect, test, vi } from 'vitest'
import { connectWithNats, type NatsWatcher, readLine, watchNats } from '../kit/clients/nats.ts'
import { freePort } from '../kit/free-port.ts'
import { endsWithTest } from '../kit/lifetime.ts'
import { type NatsStage, setNatsStage } from '../kit/nats-front.ts'
import { type NatsBackend, startNatsBackend } from '../kit/nats-server.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

let stage: NatsStage
beforeEach(async () => {
  stage = await setNatsStage()
})

/** One that others may join, and a function that lets one join. */
async function startCluster(): Promise<{ first: NatsBackend; join: () => Promise<NatsBackend> }> {
  const routePort = await freePort()
  const node = async (name: string, listen: number, routes: string) =>
    startNatsBackend({
      lines: [
        `server_name: ${name}`,
        'lame_duck_grace_period: "100ms"',
        'lame_duck_duration: "30s"',
        `cluster { name: test, listen: "127.0.0.1:${listen}", no_advertise: false, routes: [${routes}] }`,
      ],
    })
  return {
    first: await node('first', routePort, ''),
    join: async () => node('second', await freePort(), `"nats://127.0.0.1:${routePort}"`),
  }
}

/** A client that the backend itself tells of its cluster: the proof that there was something to tell. */
async function watchBackend(port: number): Promise<{ told: (pattern: RegExp) => Promise<void> }> {
  const socket: Socket = connect(port, '127.0.0.1')
  endsWithTest(() => socket.destroy())
  let text = `${await readLine(socket)}\r\n`
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.resume()
  socket.write('CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n')
  return { told: (pattern) => vi.waitFor(() => expect(text).toMatch(pattern), { timeout: 20_000, interval: 10 }) }
}

const begin = 'CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n'
const everything = ({ infoInClear, text }: NatsWatcher) => `${JSON.stringify(infoInClear ?? {})}\r\n${text()}`

test.each([false, true])(
  'a node that joins and one that leaves are told, and no address with it (TLS first: %s)',
  async (handshakeFirst) => {
    const { first, join } = await startCluster()
    const { target } = await stage.start(first.url, { handshakeFirst: String(handshakeFirst) })
    const direct = await watchBackend(first.port)
    const watcher = await watchNats({ ...target, handshakeFirst })
    watcher.send(begin)
    await watcher.waitFor(/PONG\r\n/)

    const before = watcher.text().length
    const second = await join()
    await direct.told(new RegExp(`"connect_urls":\\[[^\\]]*"127.0.0.1:${second.port}"`))
    await watcher.waitFor(/INFO .*\r\n/, before)

    const then = watcher.text().length
    await second.program.end()
    await watcher.waitFor(/INFO .*\r\n/, then)

    expect(watcher.infos().length).toBeGreaterThanOrEqual(2)
    for (const info of watcher.infos()) expect(info).toMatchObject({ tls_required: true, server_name: 'first' })
    expect(everything(watcher)).not.toMatch(/connect_urls|tls_available/)
    expect(everything(watcher)).not.toContain(String(second.port))
  },
)

test('with advertise every INFO names those addresses, and no other', async () => {
  const { first, join } = await startCluster()
  const advertise = ['nats-1.example.net:4222', 'nats-2.example.net:4222']
  const { target } = await stage.start(first.url, { lines: [`advertise: ${JSON.stringify(advertise)}`] })
  const watcher = await watchNats(target)
  watcher.send(begin)
  await watcher.waitFor(/PONG\r\n/)
  const before = watcher.text().length
  const second = await join()
  await watcher.waitFor(/INFO .*\r\n/, before)
  const infos = [watcher.infoInClear, ...watcher.infos()]
  expect(infos.length).toBeGreaterThanOrEqual(2)
  for (const info of infos) expect(info).toMatchObject({ connect_urls: advertise, tls_required: true })
  expect(everything(watcher)).not.toContain(String(second.port))
})

test('the official client, told of each change, knows of no server but the front', async () => {
  const { first, join } = await startCluster()
  const front = await stage.start(first.url)
  const connection = await connectWithNats(front.target)
  const updates: string[] = []
  void (async () => {
    for await (const status of connection.status()) if (status.type === 'update') updates.push(...(status.added ?? []))
  })()
  const direct = await watchBackend(first.port)
  const watcher = await watchNats(front.target)
  watcher.send(begin)
  await watcher.waitFor(/PONG\r\n/)
  const before = watcher.text().length
  const second = await join()
  await direct.told(new RegExp(`"127.0.0.1:${second.port}"`))
  await watcher.waitFor(/INFO .*\r\n/, before)
  await connection.flush()
  expect(connection.info?.connect_urls).toBeUndefined()
  expect(updates).toEqual([])
})

test('a node that goes says so, and its clients come back through the front to the other', async () => {
  const { first, join } = await startCluster()
  const second = await join()
  const front = await stage.start([first.url, second.url])
  const connection = await connectWithNats(front.target)
  const serving = connection.info?.server_name === 'first' ? first : second
  const reconnected = (async () => {
    for await (const status of connection.status()) if (status.type === 'reconnect') return status.server
    return undefined
  })()
  serving.program.kill('SIGUSR2') // lame duck mode
  expect(await reconnected).toBe(`127.0.0.1:${front.port}`)
  await connection.flush()
  expect(connection.info?.server_name).toBe(serving === first ? 'second' : 'first')
})
