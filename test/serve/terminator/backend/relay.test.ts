import { once } from 'node:events'
import { connect, createServer, Socket as NetSocket, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../../../src/keep/clock.ts'
import { type BackendPool, createBackendPool } from '../../../../src/serve/terminator/backend/pool.ts'
import { parseBackend } from '../../../../src/serve/terminator/backend.ts'
import type { BackendOption } from '../../../../src/serve/terminator/options.ts'
import { createRelay, type RelayOptions, type Trip } from '../../../../src/serve/terminator/relay.ts'
import { createAuthority } from '../../../kit/authority.ts'
import { manualClock } from '../../../kit/clock.ts'
import { freePort } from '../../../kit/free-port.ts'
import { endsWithTest } from '../../../kit/lifetime.ts'
import { readAll, until } from '../../tls-client.ts'
import { listenWithoutAccepting } from '../listen-without-accepting.ts'

const authority = await createAuthority()
const leaf = await authority.issueLeaf()

/** Sockets that arrive at a server, one after the other. */
function arrivalsOf(server: { on(event: string, listener: (socket: Socket) => void): unknown }, event = 'connection') {
  const sockets: Socket[] = []
  server.on(event, (socket) => {
    socket.on('error', () => {})
    endsWithTest(() => socket.destroy())
    sockets.push(socket)
  })
  return async (): Promise<Socket> => {
    await until(() => sockets.length > 0)
    return sockets.shift() as Socket
  }
}

async function listening(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  endsWithTest(() => server.close())
  return (server.address() as { port: number }).port
}

/** Clients of a relay, and what it told. */
async function relayed(
  to: BackendPool | string | ((client: Socket) => Socket),
  trip: Trip = {},
  options: Partial<RelayOptions> = {},
) {
  const told: string[] = []
  const relay = createRelay({
    idleTimeoutMs: 0,
    halfCloseTimeoutMs: 0,
    connectTimeoutMs: 2_000,
    backendFailed: (client, { url }) => told.push(`${url} failed for ${client.remoteAddress}`),
    transformFailed: (_client, error) => told.push(String(error)),
    ...options,
  })
  const front = createServer({ allowHalfOpen: true }, (client) => {
    relay(client, typeof to === 'string' ? parseBackend(to) : typeof to === 'function' ? to(client) : to, trip)
  })
  const port = await listening(front)
  return {
    told,
    async client(): Promise<Socket> {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      socket.on('error', () => {})
      endsWithTest(() => socket.destroy())
      await once(socket, 'connect')
      return socket
    },
  }
}

const poolOf = (option: BackendOption, connectTimeoutMs = 2_000) =>
  createBackendPool(option, { clock: systemClock, connectTimeoutMs })

async function plainBackend() {
  const server = createServer({ allowHalfOpen: true })
  const arrival = arrivalsOf(server)
  return { arrival, url: `tcp://127.0.0.1:${await listening(server)}` }
}

async function tlsBackend(maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3') {
  const server = createTlsServer({ cert: leaf.chainPem, key: leaf.key, allowHalfOpen: true, maxVersion })
  const arrival = arrivalsOf(server, 'secureConnection')
  const received: Buffer[] = []
  // In between, to see what goes over the wire.
  const port = await listening(server)
  const tap = createServer({ allowHalfOpen: true }, (socket) => {
    const onward = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      one.on('error', () => other.resetAndDestroy())
      one.pipe(other)
    }
    socket.on('data', (chunk) => received.push(chunk))
  })
  const url = `tls://localhost:${await listening(tap)}`
  return { arrival, pool: poolOf({ urls: [url], ca: authority.root.pem }), sent: () => Buffer.concat(received) }
}

const alertRecord = 21

/** The type of each TLS record, which TLS 1.2 leaves readable. */
function recordTypes(bytes: Buffer): number[] {
  const types: number[] = []
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) types.push(bytes[at] as number)
  return types
}

const dead = async () => `tcp://127.0.0.1:${await freePort()}`
const closed = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.resume()
    if (socket.destroyed || socket.readableEnded) resolve()
    socket.once('close', () => resolve())
    socket.once('end', () => resolve())
  })
const text = async (socket: Socket) => String((await once(socket, 'data'))[0])

describe('a header', () => {
  it('comes before the first bytes of the client', async () => {
    const { url, arrival } = await plainBackend()
    const { client } = await relayed(url, { header: Buffer.from('HEADER ') })
    ;(await client()).end('and the rest')
    expect(String(await readAll(await arrival()))).toBe('HEADER and the rest')
  })
})

describe('a transformation', () => {
  let changed = 0
  const transform = (chunk: Buffer) => {
    const said = String(chunk)
    changed++
    if (said === 'nothing') return undefined
    if (said === 'several') return [Buffer.from('1'), Buffer.from('2'), Buffer.from('3')]
    if (said === 'none') return []
    if (said === 'bad') throw new Error('not to be said')
    return Buffer.from(said.toUpperCase())
  }

  it('makes of a chunk nothing, one or several, and leaves what the client says alone', async () => {
    const { url, arrival } = await plainBackend()
    const { client } = await relayed(poolOf({ urls: [url, url] }), { transform })
    const socket = await client()
    socket.write('hello')
    const backend = await arrival()
    expect(await text(backend)).toBe('hello')
    const answer = readAll(socket)
    for (const word of ['nothing', 'one', 'several', 'none', 'end']) {
      const before = changed
      backend.write(word)
      await until(() => changed > before) // so that each is a chunk of its own
    }
    backend.end()
    expect(String(await answer)).toBe('ONE123END')
  })

  it('that throws ends both sides, and is told of', async () => {
    const { url, arrival } = await plainBackend()
    const { client, told } = await relayed(url, { transform })
    const socket = await client()
    const backend = await arrival()
    backend.write('bad')
    await Promise.all([closed(socket), closed(backend)])
    expect(told).toEqual(['Error: not to be said'])
  })

  it('does not read on from the backend while the client does not', async () => {
    const { url, arrival } = await plainBackend()
    let taken = 0
    const { client } = await relayed(url, {
      transform(chunk) {
        taken += chunk.length
        return [chunk.subarray(0, 10), chunk.subarray(10)]
      },
    })
    const socket = await client()
    const backend = await arrival()
    const sent = Buffer.alloc(64 * 1024 * 1024, 'abcdefghijklmnopqrstuvwxyz')
    backend.end(sent)
    let before = -1
    while (before !== taken) {
      before = taken
      await new Promise((resolve) => setTimeout(resolve, 150))
    }
    expect(taken).toBeLessThan(24 * 1024 * 1024)
    expect((await readAll(socket)).equals(sent)).toBe(true)
  })
})

describe('several backends', () => {
  it('take a client with all that it had said before one was found', async () => {
    const { url, arrival } = await plainBackend()
    const { client } = await relayed(poolOf({ urls: [await dead(), url] }))
    const sent = Buffer.alloc(4 * 1024 * 1024, 'abcdefghijklmno')
    ;(await client()).end(sent)
    expect((await readAll(await arrival())).equals(sent)).toBe(true)
  })

  it('that all fail are told of, with the client, which is closed', async () => {
    const urls = [await dead(), await dead()]
    const { client, told } = await relayed(poolOf({ urls }))
    await closed(await client())
    expect(told).toEqual([`${urls.join(', ')} failed for 127.0.0.1`])
  })

  it('are not dialled any more for a client that is gone', async () => {
    const { url, arrival } = await plainBackend()
    const hangs = `tcp://127.0.0.1:${await listenWithoutAccepting()}`
    const clients: Socket[] = []
    const pool = poolOf({ urls: [hangs, url] }, 3_000)
    const { client, told } = await relayed({
      ...pool,
      dial: (request, outcome) => {
        const giveUp = pool.dial(request, outcome)
        return () => {
          clients.pop()
          giveUp()
        }
      },
    })
    const socket = await client()
    clients.push(socket)
    socket.resetAndDestroy()
    await until(() => clients.length === 0)
    // The next one finds its backend, and is the first that this backend sees.
    const next = await client()
    next.write('next')
    expect(await text(await arrival())).toBe('next')
    expect(told).toEqual([])
  })
})

it('a backend that fails is told of with the client, whose address can still be read', async () => {
  const url = await dead()
  const { client, told } = await relayed(url)
  await closed(await client())
  expect(told).toEqual([`${url} failed for 127.0.0.1`])
})

describe('a socket that is connected already', () => {
  it('is joined with what it has said and nobody read', async () => {
    const { url, arrival } = await plainBackend()
    const { port } = parseBackend(url)
    const { client } = await relayed(() => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      socket.pause()
      return socket
    })
    const socket = await client()
    const backend = await arrival()
    backend.write('hello')
    expect(await text(socket)).toBe('hello')
    socket.write('and back')
    expect(await text(backend)).toBe('and back')
  })

  it('and has ended lets the client know, and hears the rest', async () => {
    const { url, arrival } = await plainBackend()
    const backendSide = connect({ port: parseBackend(url).port, host: '127.0.0.1', allowHalfOpen: true })
    const backend = await arrival()
    backend.end()
    backendSide.resume()
    await once(backendSide, 'end')
    const { client } = await relayed(() => backendSide)
    const socket = await client()
    await closed(socket)
    socket.end('one thing more')
    expect(String(await readAll(backend))).toBe('one thing more')
  })

  it('and was destroyed in the meantime closes the client', async () => {
    const { url } = await plainBackend()
    const gone = connect({ port: parseBackend(url).port, host: '127.0.0.1' })
    gone.destroy()
    const { client } = await relayed(() => gone)
    await expect(closed(await client())).resolves.toBeUndefined()
  })
})

describe('a TLS backend', () => {
  it('is given and gives all bytes, whole and in order', async () => {
    const { pool, arrival } = await tlsBackend()
    const { client } = await relayed(pool)
    const socket = await client()
    const [up, down] = [Buffer.alloc(8 * 1024 * 1024, 'abcdefghijklmno'), Buffer.alloc(8 * 1024 * 1024, 'pqrstuvwxyz')]
    socket.end(up)
    const backend = await arrival()
    backend.end(down)
    const [atBackend, atClient] = await Promise.all([readAll(backend), readAll(socket)])
    expect([atBackend.equals(up), atClient.equals(down)]).toEqual([true, true])
  })

  it('hears the end of the client and may still answer, and the other way round', async () => {
    const { pool, arrival } = await tlsBackend()
    const { client } = await relayed(pool)
    const [first, second] = [await client(), await client()]
    first.end('question')
    second.write('hello')
    const sides = [await arrival(), await arrival()]
    const heard = await Promise.all(sides.map(text))
    const [one, two] = heard[0] === 'question' ? sides : sides.reverse()
    await closed(one as Socket)
    one?.end('answer')
    expect(String(await readAll(first))).toBe('answer')
    two?.end()
    await closed(second)
    second.end('last words')
    expect(String(await readAll(two as Socket))).toBe('last words')
  })

  it('learns of an abrupt end of the client as one', async () => {
    const { pool, arrival } = await tlsBackend()
    const { client } = await relayed(pool)
    const socket = await client()
    socket.write('half of')
    const backend = await arrival()
    expect(await text(backend)).toBe('half of')
    const error = once(backend, 'error')
    socket.resetAndDestroy()
    expect((await error)[0]).toMatchObject({ code: 'ECONNRESET' })
  })

  it('is told of the end in the words of TLS, also when it has ended before', async () => {
    const { pool, arrival, sent } = await tlsBackend('TLSv1.2')
    const { client } = await relayed(pool)
    const socket = await client()
    const backend = await arrival()
    backend.end('bye')
    await closed(socket)
    socket.end()
    await closed(backend)
    await until(() => recordTypes(sent()).at(-1) === alertRecord)
    expect(recordTypes(sent()).filter((type) => type === alertRecord)).toHaveLength(1)
  })

  it('that ends abruptly closes the client', async () => {
    const { pool, arrival } = await tlsBackend()
    const { client } = await relayed(pool)
    const socket = await client()
    const backend = await arrival()
    backend.destroy()
    await expect(closed(socket)).resolves.toBeUndefined()
  })
})

it('a timeout longer than a timer can be is as long as a timer can be', async () => {
  const warnings: Error[] = []
  const warned = (warning: Error) => warnings.push(warning)
  process.on('warning', warned)
  endsWithTest(() => process.off('warning', warned))
  const { url, arrival } = await plainBackend()
  const month = 31 * 86_400_000
  const { client } = await relayed(url, {}, { idleTimeoutMs: month, halfCloseTimeoutMs: month })
  const socket = await client()
  const backend = await arrival()
  socket.end()
  await closed(backend)
  backend.end('still there')
  expect(String(await readAll(socket))).toBe('still there')
  expect(warnings).toEqual([])
})

it('an address over TLS is not spoken to in the clear', () => {
  const relay = createRelay({ idleTimeoutMs: 0, halfCloseTimeoutMs: 0, connectTimeoutMs: 1, backendFailed() {} })
  expect(() => relay(null as unknown as Socket, parseBackend('tls://127.0.0.1:1'))).toThrow(TypeError)
})

it('a backend that stays is asked after by TCP once a minute has passed, and one that went is not', async () => {
  const asked: Socket[] = []
  const ask = vi.spyOn(NetSocket.prototype, 'setKeepAlive').mockImplementation(function (this: Socket) {
    asked.push(this)
    return this
  })
  endsWithTest(() => ask.mockRestore())
  const clock = manualClock()
  const { url, arrival } = await plainBackend()
  const { client } = await relayed(url, {}, { clock })
  const [first, second] = [await client(), await client()]
  const sides = [await arrival(), await arrival()]
  first.resetAndDestroy()
  await Promise.race(sides.map(closed))
  await clock.advance(59_000)
  expect(asked).toEqual([])
  await clock.advance(1_000)
  expect(asked.map(({ remotePort }) => `tcp://127.0.0.1:${remotePort}`)).toEqual([url])
  second.resetAndDestroy()
  await Promise.all(sides.map(closed))
  await clock.advance(120_000)
  expect({ asked: asked.length, timers: clock.timers }).toEqual({ asked: 1, timers: 0 })
})
