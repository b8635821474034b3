import { connect, createServer, type Server, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { StapleError } from '../../../src/errors.ts'
import { createRelay, type RelayOptions } from '../../../src/serve/terminator/relay.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { readAll } from '../tls-client.ts'
import { listenWithoutAccepting } from './listen-without-accepting.ts'

/** A relay without TLS between a client and a backend that the test plays itself. */
async function stage(options: Partial<RelayOptions> = {}) {
  const backends: Socket[] = []
  const arrivals: ((socket: Socket) => void)[] = []
  const backendServer = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    endsWithTest(() => socket.destroy())
    const waiting = arrivals.shift()
    if (waiting) waiting(socket)
    else backends.push(socket)
  })
  const port = await listen(backendServer)
  const failures: StapleError[] = []
  const relay = createRelay({
    idleTimeoutMs: 0,
    halfCloseTimeoutMs: 0,
    connectTimeoutMs: 2000,
    backendFailed: (_client, _address, error) => failures.push(error),
    ...options,
  })
  const address = { url: `tcp://127.0.0.1:${port}`, host: '127.0.0.1', port, isTls: false }
  const front = createServer((socket) => relay(socket, address))
  const frontPort = await listen(front)
  return {
    failures,
    relay,
    address,
    backendServer,
    async dial(): Promise<Socket> {
      const socket = connect({ port: frontPort, host: '127.0.0.1', allowHalfOpen: true })
      socket.on('error', () => {})
      endsWithTest(() => socket.destroy())
      return socket
    },
    backend: () =>
      new Promise<Socket>((resolve) => {
        const socket = backends.shift()
        if (socket) resolve(socket)
        else arrivals.push(resolve)
      }),
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endsWithTest(() => server.close())
  return (server.address() as { port: number }).port
}

/** The other end is gone, in order or not. */
const over = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
    socket.once('end', () => resolve())
    socket.resume()
  })
const ended = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.once('end', resolve)
    socket.resume()
  })
const once = (socket: Socket) =>
  new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())))

describe('bytes', () => {
  it('go both ways', async () => {
    const { dial, backend } = await stage()
    const client = await dial()
    client.write('question')
    const server = await backend()
    expect(await once(server)).toBe('question')
    server.write('answer')
    expect(await once(client)).toBe('answer')
  })

  it('arrive whole and in order, however slowly they are read', async () => {
    const { dial, backend } = await stage()
    const client = await dial()
    client.write('go')
    const server = await backend()
    const sent = Buffer.alloc(8 * 1024 * 1024, 'abcdefghijklmno')
    server.end(sent)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const received = await readAll(client)
    expect(received.equals(sent)).toBe(true)
  })

  it('are not taken from a side faster than the other side reads them', async () => {
    const { dial, backend } = await stage()
    const client = await dial()
    const server = await backend()
    server.pause()
    const chunk = Buffer.alloc(64 * 1024)
    let accepted = 0
    // Kernel buffers take a few megabytes; an unbounded relay would take all that is offered.
    while (accepted < 64 * 1024 * 1024 && (await writes(client, chunk))) accepted += chunk.length
    expect(accepted).toBeLessThan(48 * 1024 * 1024)
  })
})

/** Whether a chunk was taken within a quarter of a second. */
function writes(socket: Socket, chunk: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), 250)
    socket.write(chunk, () => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}

describe('half-close', () => {
  it('of the client reaches the backend, whose answer still comes', async () => {
    const { dial, backend } = await stage()
    const client = await dial()
    client.end('last words')
    const server = await backend()
    expect((await readUntilEnd(server)).toString()).toBe('last words')
    server.end('the answer to it')
    expect((await readAll(client)).toString()).toBe('the answer to it')
  })

  it('of the backend reaches the client, whose bytes still go', async () => {
    const { dial, backend } = await stage()
    const client = await dial()
    const server = await backend()
    server.end('bye')
    await ended(client)
    client.end('one thing more')
    expect((await readUntilEnd(server)).toString()).toBe('one thing more')
  })

  it('ends in silence: the half that is left is cut after its timeout', async () => {
    const { dial, backend } = await stage({ halfCloseTimeoutMs: 100 })
    const client = await dial()
    const server = await backend()
    client.end()
    await ended(server)
    await over(client)
    const error = new Promise<NodeJS.ErrnoException>((resolve) => server.once('error', resolve))
    server.write('too late')
    expect(['EPIPE', 'ECONNRESET']).toContain((await error).code)
  })

  it('does not cut an answer that keeps coming', async () => {
    const { dial, backend } = await stage({ halfCloseTimeoutMs: 500 })
    const client = await dial()
    const server = await backend()
    const answer = readAll(client)
    client.end()
    await ended(server)
    for (let index = 0; index < 12; index++) {
      server.write('.')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    server.end('!')
    expect((await answer).toString()).toBe('............!')
  })
})

function readUntilEnd(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('end', () => resolve(Buffer.concat(chunks)))
  })
}

describe('an abrupt end', () => {
  it('of the client resets the backend, so that half a stream is not taken for a whole one', async () => {
    const { dial, backend } = await stage()
    const client = await dial()
    const server = await backend()
    client.write('half of')
    await once(server)
    const error = new Promise<NodeJS.ErrnoException>((resolve) => server.once('error', resolve))
    client.resetAndDestroy()
    expect((await error).code).toBe('ECONNRESET')
  })

  it('of the backend closes the client', async () => {
    const { dial, backend } = await stage()
    const client = await dial()
    const server = await backend()
    server.resetAndDestroy()
    await expect(over(client)).resolves.toBeUndefined()
  })

  it('of a backend that has said everything loses none of it, though its client writes on', async () => {
    const { relay, address, backend } = await stage({ halfCloseTimeoutMs: 5000 })
    const client = new SlowClient()
    relay(client as unknown as Socket, address)
    const server = await backend()
    server.write('the end of the answer')
    await client.wasWrittenTo
    server.destroySoon()
    await new Promise((resolve) => setTimeout(resolve, 30))
    for (const text of ['more', 'and more']) {
      client.push(text)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    expect({ isDestroyed: client.destroyed, isEnding: client.writableEnded }).toEqual({
      isDestroyed: false,
      isEnding: true,
    })
    client.release()
    await new Promise((resolve) => client.once('finish', resolve))
  })
})

/** A client that takes its time to read: what is written to it is done only when it is released. */
class SlowClient extends Duplex {
  #release: (() => void)[] = []
  #written!: () => void
  readonly wasWrittenTo = new Promise<void>((resolve) => {
    this.#written = resolve
  })
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    this.#release.push(done)
    this.#written()
  }
  setTimeout(): void {}
  release(): void {
    for (const done of this.#release) done()
  }
}

describe('timeouts', () => {
  it('end a connection on which nothing moves', async () => {
    const { dial, backend } = await stage({ idleTimeoutMs: 100 })
    const client = await dial()
    const server = await backend()
    await Promise.all([over(client), over(server)])
    expect([client.readableLength, server.readableLength]).toEqual([0, 0])
  })

  it('leave a connection alone on which something moves one way', async () => {
    const { dial, backend } = await stage({ idleTimeoutMs: 150 })
    const client = await dial()
    const server = await backend()
    let isOpen = true
    client.once('close', () => {
      isOpen = false
    })
    for (let index = 0; index < 6; index++) {
      server.write('.')
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    expect(isOpen).toBe(true)
  })
})

describe('a backend that cannot be reached', () => {
  it('closes its client and is told as such', async () => {
    const { dial, backendServer, failures, address } = await stage()
    await new Promise((resolve) => backendServer.close(resolve))
    await over(await dial())
    expect(failures.map(({ code, detail }) => ({ code, detail }))).toEqual([
      { code: 'ERR_TERMINATOR_BACKEND', detail: { backend: address.url, networkCode: 'ECONNREFUSED' } },
    ])
  })

  it('is given up after the connect timeout', async () => {
    const failures: StapleError[] = []
    const relay = createRelay({
      idleTimeoutMs: 0,
      halfCloseTimeoutMs: 0,
      connectTimeoutMs: 100,
      backendFailed: (_client, _address, error) => failures.push(error),
    })
    const port = await listenWithoutAccepting()
    const address = { url: `tcp://127.0.0.1:${port}`, host: '127.0.0.1', port, isTls: false }
    const front = createServer((socket) => relay(socket, address))
    const client = connect({ port: await listen(front), host: '127.0.0.1' })
    await over(client)
    expect(failures.map(({ detail }) => detail)).toMatchObject([{ networkCode: 'ETIMEDOUT' }])
  })
})
