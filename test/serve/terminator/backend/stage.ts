/** Backends that a test can kill and bring back, and a pool of them. */
import { createServer, type Server, type Socket } from 'node:net'
import { systemClock } from '../../../../src/keep/clock.ts'
import type { BackendError } from '../../../../src/serve/terminator/backend/failure.ts'
import { createBackendPool, type DialRequest, type PoolOptions } from '../../../../src/serve/terminator/backend/pool.ts'
import type { BackendOption } from '../../../../src/serve/terminator/index.ts'
import { freePort } from '../../../kit/free-port.ts'
import { endsWithTest } from '../../../kit/lifetime.ts'

export interface Mortal {
  readonly port: number
  readonly url: string
  /** Connections so far, over all its lives. */
  readonly seen: number
  start(): Promise<void>
  /** Cuts its connections too. */
  kill(): Promise<void>
}

/** A backend that says its name to everybody. */
export async function mortal(name: string): Promise<Mortal> {
  const port = await freePort()
  const sockets = new Set<Socket>()
  let server: Server | undefined
  let seen = 0
  const kill = async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => {
      if (server) server.close(() => resolve())
      else resolve()
    })
    server = undefined
  }
  const start = async () => {
    server = createServer((socket) => {
      seen++
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => {})
      socket.write(name)
    })
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve))
  }
  endsWithTest(kill)
  await start()
  return {
    port,
    url: `tcp://127.0.0.1:${port}`,
    get seen() {
      return seen
    },
    start,
    kill,
  }
}

export interface Dialled {
  readonly socket?: Socket
  readonly url?: string
  readonly error?: BackendError
}

/** A pool whose dials are promises, with what it told of its members as text. */
export function pooled(option: BackendOption, options: Partial<PoolOptions> = {}) {
  const told: string[] = []
  const pool = createBackendPool(option, {
    clock: systemClock,
    connectTimeoutMs: 3_000,
    changed: ({ url }, error) => told.push(`${url} ${error ? 'out' : 'in'}`),
    ...options,
  })
  const dial = (request: DialRequest = {}) =>
    new Promise<Dialled>((resolve) => {
      pool.dial(request, {
        connected(socket, { url }) {
          endsWithTest(() => socket.destroy())
          resolve({ socket, url })
        },
        failed: (error) => resolve({ error }),
      })
    })
  return {
    pool,
    told,
    dial,
    /** Dials one after the other and tells who took each. */
    async dialled(count: number): Promise<(string | undefined)[]> {
      const urls: (string | undefined)[] = []
      for (let index = 0; index < count; index++) {
        const { url, socket } = await dial()
        socket?.destroy()
        urls.push(url)
      }
      return urls
    },
  }
}
