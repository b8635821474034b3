/** What `ocsp_peer` does beyond nats-server's: tickets, connections that stay, several processes, reloads, NATS before TLS. */
import { writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { watchNats } from '../kit/clients/nats.ts'
import { endsWithTest } from '../kit/lifetime.ts'
import { createMiniCa, type MiniCa, type UserName } from '../kit/mini-ca.ts'
import { closeAll, type Front, startFront, versions } from './ocsp-peer-stage.ts'

vi.setConfig({ testTimeout: 60_000 })

let ca: MiniCa
beforeAll(async () => {
  ca = await createMiniCa()
})

const serial = (user: UserName) => ca.users[user].serialNumber
const page = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'

test.each(versions)('a ticket of TLS %s from before a revocation opens nothing after it', async (version) => {
  const { first } = await ca.startResponders()
  const front = await startFront(ca, { lines: ['ocsp_cache: false'] })
  const before = await front.connect('UserA1', version)
  expect(await before.ask(page)).toContain('200 OK')
  const session = before.sessions.at(-1)
  await first.behave('revoked', serial('UserA1'))
  const after = await front.connect('UserA1', version, session && { session })
  expect(after.isReused).toBe(false)
  await after.closed
  await front.daemon.waitForLine(/UserA1.*is revoked/)
})

test('a connection that is open is cut after a revocation, and only that', async () => {
  const { first } = await ca.startResponders()
  const front = await startFront(ca, { peer: 'ocsp_peer { verify: true, recheck: "1s" }' })
  const revoked = await front.connect('UserA1')
  const other = await front.connect('UserA2', '1.2')
  expect(await revoked.ask(page)).toContain('200 OK')
  await first.behave('revoked', serial('UserA1'))
  await revoked.closed
  const line = await front.daemon.waitForLine(/UserA1.*is revoked/)
  expect(line).toMatchObject({ event: 'peers-closed', reason: 'revoked', connections: 1 })
  expect(await other.ask(page)).toContain('200 OK')
  expect((await front.status()).front).toMatchObject({ closedPeers: 1 })
  expect(await front.visit('UserA1')).toBe('refused')
})

test('a connection that is open stays while its CA is silent', async () => {
  const responders = await ca.startResponders({ validityMs: 2_000 })
  const front = await startFront(ca, { peer: 'ocsp_peer { verify: true, recheck: "500ms" }' })
  const open = await front.connect('UserA1')
  expect(await open.ask(page)).toContain('200 OK')
  await closeAll(responders)
  // By then its answer is out of date, and whoever comes anew is refused.
  await expect.poll(() => front.visit('UserA1'), { timeout: 10_000 }).toBe('refused')
  expect(await open.ask(page)).toContain('200 OK')
})

test('a reload changes the policy for who comes after it, and forgets no answer', async () => {
  const { first } = await ca.startResponders()
  await first.behave('revoked', serial('UserA1'))
  const front = await startFront(ca)
  expect(await front.visit('UserA1')).toBe('refused')
  const asked = first.count
  const lenient = front.config.replace('ocsp_peer: true', 'ocsp_peer { verify: true, warn_only: true }')
  await writeFile(front.daemon.configFile, lenient)
  front.daemon.program.kill('SIGHUP')
  await front.daemon.waitForLine(/^reloaded/)
  expect(await front.visit('UserA1')).toBe('in')
  expect(first.count).toBe(asked)
})

describe('with workers', () => {
  const lines = ['workers: 2', 'drain_timeout: 1s']
  const settled = async (front: Front) => (await front.status()).peerCache

  test('one process asks for all: each question once, whoever has the client', async () => {
    const { root, first } = await ca.startResponders()
    await first.behave('revoked', serial('UserA2'))
    const front = await startFront(ca, { lines })
    expect(await front.visit('UserA1')).toBe('in')
    const seen = await Promise.all(Array.from({ length: 12 }, (_, index) => front.visit('UserA1', versions[index % 2])))
    expect(new Set(seen)).toEqual(new Set(['in']))
    for (let time = 0; time < 4; time++) expect(await front.visit('UserA2')).toBe('refused')
    expect([root.count, first.count]).toEqual([1, 2])
    expect(await settled(front)).toMatchObject({ misses: 3, good: 2, revoked: 1 })
    expect((await front.status()).front).toMatchObject({ acceptedPeers: 13, refusedPeers: 4 })
  })

  test('open connections of both are cut after a revocation', async () => {
    const { first } = await ca.startResponders()
    const front = await startFront(ca, { lines, peer: 'ocsp_peer { verify: true, recheck: "1s" }' })
    const open = await Promise.all(Array.from({ length: 8 }, () => front.connect('UserA1')))
    for (const connection of open) expect(await connection.ask(page)).toContain('200 OK')
    await first.behave('revoked', serial('UserA1'))
    await Promise.all(open.map(({ closed }) => closed))
    await expect.poll(async () => (await front.status()).front.closedPeers).toBe(8)
  })

  test('those that have lost the primary let in whom it judged, and nobody else', async () => {
    await ca.startResponders()
    const front = await startFront(ca, { lines })
    const pids = (await front.status()).workers.map(({ pid }) => pid)
    endsWithTest(() => {
      for (const pid of pids) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // It is gone.
        }
      }
    })
    // So many that both meet the user.
    await Promise.all(Array.from({ length: 24 }, () => front.visit('UserA1')))
    front.daemon.program.kill('SIGKILL')
    await front.daemon.exitCode()
    // Some other one may have been idle all the time.
    await expect.poll(() => front.visit('UserA1')).toBe('in')
    expect(await front.visit('UserB1')).toBe('refused')
  })

  test('those that have lost the primary count as cut off from the CA, as allow_when_ca_unreachable has it', async () => {
    await ca.startResponders()
    const peer = 'ocsp_peer { verify: true, allow_when_ca_unreachable: true }'
    const front = await startFront(ca, { lines, peer })
    const pids = (await front.status()).workers.map(({ pid }) => pid)
    endsWithTest(() => {
      for (const pid of pids) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // It is gone.
        }
      }
    })
    front.daemon.program.kill('SIGKILL')
    await front.daemon.exitCode()
    expect(await front.visit('UserB1')).toBe('in')
  })
})

describe('NATS, whose INFO comes before TLS', () => {
  /** Says INFO and notes what it hears. */
  async function startSilentNats() {
    const heard: string[] = []
    const sockets: Socket[] = []
    const server = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => {})
      socket.on('data', (chunk) => heard.push(chunk.toString()))
      socket.write('INFO {"server_id":"X","version":"2.9.10","proto":1,"max_payload":1048576}\r\n')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    endsWithTest(() => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
    return { url: `nats://127.0.0.1:${(server.address() as { port: number }).port}`, heard, sockets }
  }

  test.each(versions)(
    'a client that is refused in TLS %s is closed, and its backend, which had said INFO, hears no byte',
    async (version) => {
      const { first } = await ca.startResponders()
      await first.behave('revoked', serial('UserA1'))
      const backend = await startSilentNats()
      const front = await startFront(ca, { backend: backend.url })
      const tls = (user: UserName) => {
        const { chainPem: cert, key } = ca.users[user]
        return { cert, key, minVersion: `TLSv${version}`, maxVersion: `TLSv${version}` } as const
      }
      const refused = await watchNats({ port: front.port, rootFile: ca.rootFile, tls: tls('UserA1') })
      refused.send('CONNECT {}\r\nPING\r\n')
      await refused.closed
      await expect.poll(() => backend.sockets[0]?.destroyed).toBe(true)
      expect(backend.heard).toEqual([])
      const accepted = await watchNats({ port: front.port, rootFile: ca.rootFile, tls: tls('UserA2') })
      accepted.send('CONNECT {}\r\nPING\r\n')
      await expect.poll(() => backend.heard.join('')).toBe('CONNECT {}\r\nPING\r\n')
    },
  )
})

test('a responder that only takes POST, and one that only takes GET, are asked', async () => {
  const { root, first } = await ca.startResponders()
  await root.behave('postOnly')
  await first.behave('getOnly')
  expect(await (await startFront(ca)).visit('UserA1')).toBe('in')
})

test('an answer about another certificate of the same CA, which nats-server takes, counts for nothing', async () => {
  const { first } = await ca.startResponders()
  await first.behave('wrongSerial')
  expect(await (await startFront(ca)).visit('UserA1')).toBe('refused')
})
