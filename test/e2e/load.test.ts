/**
 * Clients and backends that behave badly, many at once: memory and time stay bounded, and who behaves is served.
 *
 * Numbers of time are not asserted beyond "while the others are still at it": these machines are busy. What the front
 * costs is measured in bench/terminator.
 */
import { readFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Leaf } from '../kit/authority.ts'
import { type RunningDaemon, startDaemon } from '../kit/daemon.ts'
import { endsWithTest } from '../kit/lifetime.ts'
import { look, type Stage, setStage } from './stage.ts'

vi.setConfig({ testTimeout: 90_000 })

const megabyte = 1_048_576

let stage: Stage
let leaf: Leaf
beforeEach(async () => {
  stage = await setStage()
  leaf = await stage.issue()
})

function start(lines: string, backend = stage.backend.url): Promise<RunningDaemon> {
  return startDaemon(`listen: "127.0.0.1:0"
backend: "${backend}"
${lines}
tls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}", ca_file: "${leaf.caFile}", timeout: 1 }
`)
}

/** A backend of the test's own. */
async function listen(accept: (socket: Socket) => void): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    endsWithTest(() => socket.destroy())
    accept(socket)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  endsWithTest(() => void server.close())
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A connection that is counted as closed when the front has ended it. */
function open(port: number): { readonly socket: Socket; readonly closed: Promise<void> } {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.resume()
  endsWithTest(() => socket.destroy())
  return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve())) }
}

async function shakeHands(port: number): Promise<TLSSocket> {
  const socket = tlsConnect({ port, host: '127.0.0.1', servername: 'localhost', ca: await readFile(leaf.rootFile) })
  socket.on('error', () => {})
  endsWithTest(() => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('close', () => reject(new Error('closed before the handshake was done')))
  })
  return socket
}

/** Resident memory of the front, in bytes. */
async function memoryOf({ program }: RunningDaemon): Promise<number> {
  const status = await readFile(`/proc/${program.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1_024
}

const many = (count: number) => Array.from({ length: count })

describe('a flood of connections', () => {
  test('that say nothing: each is closed when its time is up, and a client among them is served, stapled', async () => {
    const daemon = await start('')
    const port = await daemon.opened()
    const before = await memoryOf(daemon)
    const silent = many(1_000).map(() => open(port))
    await Promise.all(silent.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))))
    expect(await look(port, leaf)).toBe('good')
    expect((await memoryOf(daemon)) - before).toBeLessThan(100 * megabyte)
    await Promise.all(silent.map(({ closed }) => closed))
    expect(await look(port, leaf)).toBe('good')
  })

  test('that drip their ClientHello: dripping buys no more time', async () => {
    const port = await (await start('')).opened()
    // The head of a record of 512 bytes, and then a byte now and then.
    const drips = many(200).map(() => open(port))
    const timer = setInterval(() => {
      for (const { socket } of drips) if (!socket.destroyed) socket.write(Buffer.from([0]))
    }, 50)
    endsWithTest(() => clearInterval(timer))
    for (const { socket } of drips) socket.write(Buffer.from([22, 3, 1, 2, 0, 1]))
    expect(await look(port, leaf)).toBe('good')
    await Promise.all(drips.map(({ closed }) => closed))
  })

  test('above max_connections is closed at the door, said once, and the place comes back', async () => {
    const daemon = await start('max_connections: 20')
    const port = await daemon.opened()
    const inside = await Promise.all(many(20).map(() => shakeHands(port)))
    const outside = many(200).map(() => open(port))
    await Promise.all(outside.map(({ closed }) => closed))
    expect(inside.every((socket) => !socket.destroyed)).toBe(true)
    expect(await look(port, leaf)).toBe('refused')
    for (const socket of inside) socket.destroy()
    await expect.poll(() => look(port, leaf), { timeout: 20_000 }).toBe('good')
    expect(daemon.log().filter(({ message }) => message.includes('max_connections'))).toHaveLength(1)
  })
})

describe('back-pressure', () => {
  test('a client that does not read stops its backend, not the front: memory is bounded, others are served', async () => {
    let sent = 0
    const chunk = Buffer.alloc(64 * 1_024)
    const backend = await listen((socket) => {
      const pour = () => {
        while (sent < 2_000 * megabyte) {
          sent += chunk.length
          if (!socket.write(chunk)) return
        }
      }
      socket.on('drain', pour)
      pour()
    })
    const daemon = await start('', backend)
    const port = await daemon.opened()
    const before = await memoryOf(daemon)
    const sockets = await Promise.all(many(20).map(() => shakeHands(port)))
    for (const socket of sockets) socket.pause()
    // It stands still when nothing more goes through.
    await expect
      .poll(
        unchanged(() => sent),
        { timeout: 30_000, interval: 300 },
      )
      .toBe(true)
    expect(sent).toBeLessThan(500 * megabyte)
    expect((await memoryOf(daemon)) - before).toBeLessThan(100 * megabyte)
    expect(await look(port, leaf)).toBe('good')
  })

  test('a backend that does not read stops its client', async () => {
    const backend = await listen((socket) => socket.pause())
    const daemon = await start('', backend)
    const port = await daemon.opened()
    const before = await memoryOf(daemon)
    let sent = 0
    const chunk = Buffer.alloc(64 * 1_024)
    const sockets = await Promise.all(many(20).map(() => shakeHands(port)))
    for (const socket of sockets) {
      const pour = () => {
        while (sent < 2_000 * megabyte) {
          sent += chunk.length
          if (!socket.write(chunk)) return
        }
      }
      socket.on('drain', pour)
      pour()
    }
    await expect
      .poll(
        unchanged(() => sent),
        { timeout: 30_000, interval: 300 },
      )
      .toBe(true)
    expect((await memoryOf(daemon)) - before).toBeLessThan(100 * megabyte)
    expect(await look(port, leaf)).toBe('good')
  })

  test('a slow reader gets every byte', async () => {
    const total = 8 * megabyte
    const backend = await listen((socket) => socket.end(Buffer.alloc(total, 7)))
    const port = await (await start('', backend)).opened()
    const socket = await shakeHands(port)
    let got = 0
    for await (const part of socket) {
      got += (part as Buffer).length
      // One turn of the loop for each piece.
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(got).toBe(total)
  })
})

describe('half-open peers', () => {
  test('a client that has ended its stream still gets a long answer', async () => {
    const backend = await listen((socket) => {
      socket.resume()
      socket.on('end', () => socket.end(Buffer.alloc(megabyte, 1)))
    })
    const port = await (await start('', backend)).opened()
    const socket = await shakeHands(port)
    socket.end('question')
    let got = 0
    socket.on('data', (part: Buffer) => {
      got += part.length
    })
    await new Promise((resolve) => socket.once('end', resolve))
    expect(got).toBe(megabyte)
  })

  test('connections on which nothing moves are closed after idle_timeout, on both sides', async () => {
    const ends: Promise<void>[] = []
    const backend = await listen((socket) => {
      socket.resume()
      ends.push(new Promise((resolve) => socket.once('close', () => resolve())))
    })
    const port = await (await start('idle_timeout: "1s"', backend)).opened()
    const sockets = await Promise.all(many(50).map(() => shakeHands(port)))
    await Promise.all(
      sockets.map((socket) => socket.resume() && new Promise((resolve) => socket.once('close', resolve))),
    )
    await Promise.all(ends)
    expect(ends).toHaveLength(50)
  })
})

test('1,000 idle connections: each costs little, a handshake among them is stapled, and their end gives it back', async () => {
  const backend = await listen((socket) => socket.resume())
  const daemon = await start('', backend)
  const port = await daemon.opened()
  for (let warmUp = 0; warmUp < 50; warmUp++) (await shakeHands(port)).destroy()
  const before = await memoryOf(daemon)
  const sockets: TLSSocket[] = []
  while (sockets.length < 1_000) sockets.push(...(await Promise.all(many(50).map(() => shakeHands(port)))))
  const each = ((await memoryOf(daemon)) - before) / sockets.length
  expect(each).toBeLessThan(150 * 1_024)
  expect(await look(port, leaf)).toBe('good')
  expect(sockets.every((socket) => !socket.destroyed)).toBe(true)
  for (const socket of sockets) socket.destroy()
  expect(await look(port, leaf)).toBe('good')
})

/** Tells whether a number has stayed as it was since the last look. */
function unchanged(read: () => number): () => boolean {
  let last = -1
  return () => {
    const now = read()
    const isSame = now === last
    last = now
    return isSame
  }
}
