import { createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { StapleError } from '../../../../src/errors.ts'
import { createBackendPool } from '../../../../src/serve/terminator/backend/pool.ts'
import { manualClock } from '../../../kit/clock.ts'
import { freePort } from '../../../kit/free-port.ts'
import { endsWithTest } from '../../../kit/lifetime.ts'
import { listenWithoutAccepting } from '../listen-without-accepting.ts'
import { mortal, pooled } from './stage.ts'

describe('several backends', () => {
  it('are taken in turn', async () => {
    const [a, b, c] = [await mortal('a'), await mortal('b'), await mortal('c')]
    const { dialled } = pooled({ urls: [a.url, b.url, c.url] })
    expect(await dialled(6)).toEqual([a.url, b.url, c.url, a.url, b.url, c.url])
  })

  it('take one another’s clients when one fails, which is then left out', async () => {
    const clock = manualClock()
    const [a, b, c] = [await mortal('a'), await mortal('b'), await mortal('c')]
    const { pool, dialled, told } = pooled({ urls: [a.url, b.url, c.url] }, { clock })
    await b.kill()
    const urls = await dialled(20)
    expect(urls).not.toContain(undefined)
    expect(urls).not.toContain(b.url)
    expect(told).toEqual([`${b.url} out`])
    expect(pool.states()).toEqual([
      { url: a.url, isLeftOut: false },
      { url: b.url, isLeftOut: true },
      { url: c.url, isLeftOut: false },
    ])
    // The two that are left share evenly: the neighbour of the dead one has no more than the other.
    expect(Math.abs(a.seen - c.seen)).toBeLessThanOrEqual(2)
  })

  it('have one that came back again, once a connection has shown it', async () => {
    const clock = manualClock()
    const [a, b] = [await mortal('a'), await mortal('b')]
    const { dialled, told, pool } = pooled({ urls: [a.url, b.url] }, { clock })
    await b.kill()
    await dialled(2)
    await b.start()
    expect(await dialled(4)).toEqual([a.url, a.url, a.url, a.url])
    await clock.advance(1_000)
    expect(await dialled(3)).toContain(b.url)
    expect(told).toEqual([`${b.url} out`, `${b.url} in`])
    expect(pool.states().map(({ isLeftOut }) => isLeftOut)).toEqual([false, false])
  })

  it('are tried again after 1 s, 2 s, 4 s, up to 30 s', async () => {
    const clock = manualClock()
    const a = await mortal('a')
    const { count, url } = await refuser()
    const { dialled } = pooled({ urls: [a.url, url] }, { clock })
    await dialled(2)
    expect(count()).toBe(1)
    const pauses: number[] = []
    for (let tries = 2, waited = 0; tries < 9; ) {
      await clock.advance(500)
      waited += 500
      await dialled(2)
      if (count() < tries) continue
      expect(count()).toBe(tries)
      pauses.push(waited)
      waited = 0
      tries++
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  it('are tried by one connection at a time once they failed', async () => {
    const clock = manualClock()
    const a = await mortal('a')
    const hangs = `tcp://127.0.0.1:${await listenWithoutAccepting()}`
    const { dial, dialled, pool } = pooled({ urls: [hangs, a.url] }, { clock, connectTimeoutMs: 4_000 })
    const first = dial()
    await clock.advance(2_000)
    expect((await first).url).toBe(a.url)
    await clock.advance(1_000)
    let trials = 0
    const urls: string[] = []
    for (let index = 0; index < 6; index++) {
      const dialling = dial().then(({ url }) => {
        urls.push(url as string)
      })
      await Promise.race([dialling, new Promise((resolve) => setTimeout(resolve, 700))])
      if (urls.length < index + 1 - trials) trials++
    }
    expect(trials).toBe(1)
    expect(urls).toEqual([a.url, a.url, a.url, a.url, a.url])
    await clock.advance(2_000)
    await expect.poll(() => urls.length).toBe(6)
    expect(await dialled(2)).toEqual([a.url, a.url])
    expect(pool.states()[0]).toEqual({ url: hangs, isLeftOut: true })
  })

  it('count a failure once that many connections found at the same time', async () => {
    const clock = manualClock()
    const [a, b] = [await mortal('a'), await mortal('b')]
    const { dial, dialled } = pooled({ urls: [a.url, b.url] }, { clock })
    await b.kill()
    await Promise.all(Array.from({ length: 40 }, () => dial()))
    await b.start()
    await clock.advance(1_000)
    expect(await dialled(2)).toContain(b.url)
  })

  it('that hang leave the others time to answer, within one connect timeout', async () => {
    const a = await mortal('a')
    const hangs = `tcp://127.0.0.1:${await listenWithoutAccepting()}`
    const { dial } = pooled({ urls: [hangs, a.url] }, { connectTimeoutMs: 3_000 })
    const begun = performance.now()
    expect((await dial()).url).toBe(a.url)
    expect(performance.now() - begun).toBeLessThan(2_500)
  })

  it('that all fail are told of, one by one', async () => {
    const urls = [`tcp://127.0.0.1:${await freePort()}`, `tcp://127.0.0.1:${await freePort()}`]
    const { dial } = pooled({ urls })
    const { error } = await dial()
    expect(error?.detail).toEqual({ backend: urls.join(', '), networkCode: 'ECONNREFUSED' })
    expect(causesOf(error).map(({ detail }) => detail)).toEqual(
      urls.map((backend) => ({ backend, networkCode: 'ECONNREFUSED' })),
    )
    for (const url of urls) expect(error?.message).toContain(url)
  })

  it('that are all left out are tried nevertheless', async () => {
    const clock = manualClock()
    const [a, b] = [await mortal('a'), await mortal('b')]
    const { dial, dialled } = pooled({ urls: [a.url, b.url] }, { clock })
    await Promise.all([a.kill(), b.kill()])
    expect((await dial()).error?.code).toBe('ERR_TERMINATOR_BACKEND')
    await a.start()
    expect(await dialled(3)).toEqual([a.url, a.url, a.url])
  })

  it('that are all left out are tried in the order in which they failed', async () => {
    const clock = manualClock()
    const [a, b] = [await mortal('a'), await mortal('b')]
    const { dialled, told } = pooled({ urls: [a.url, b.url] }, { clock })
    await b.kill()
    await dialled(2)
    await clock.advance(500)
    await a.kill()
    await dialled(1)
    expect(told).toEqual([`${b.url} out`, `${a.url} out`])
    await Promise.all([a.start(), b.start()])
    expect(await dialled(1)).toEqual([b.url])
  })

  it('that hang all are given up after the connect timeout', async () => {
    const hangs = `tcp://127.0.0.1:${await listenWithoutAccepting()}`
    const { dial } = pooled({ urls: [hangs, hangs, hangs] }, { connectTimeoutMs: 2_000 })
    const begun = performance.now()
    const { error } = await dial()
    expect(error?.detail).toMatchObject({ networkCode: 'ETIMEDOUT' })
    expect(performance.now() - begun).toBeLessThan(3_900)
    expect(causesOf(error)).toHaveLength(2)
  })
})

describe('a dial', () => {
  it('begins the connection with the header, whoever takes it', async () => {
    const heard: string[] = []
    const server = createServer((socket) => socket.on('data', (chunk) => heard.push(chunk.toString())))
    const url = await open(server)
    const { dial } = pooled({ urls: [`tcp://127.0.0.1:${await freePort()}`, url] })
    await dial({ header: Buffer.from('who it is\r\n') })
    await expect.poll(() => heard).toEqual(['who it is\r\n'])
  })

  it('that is given up closes its connection and settles nothing', async () => {
    const arrived: Socket[] = []
    const closed: string[] = []
    const url = await open(
      createServer((socket) => {
        arrived.push(socket)
        socket.on('close', () => closed.push('closed')).on('error', () => {})
        socket.resume()
      }),
    )
    const { pool } = pooled({ urls: [url, url] })
    const settled: string[] = []
    const giveUp = pool.dial({}, { connected: () => settled.push('connected'), failed: () => settled.push('failed') })
    giveUp()
    expect((await pooled(url).dial()).url).toBe(url)
    await expect.poll(() => arrived.length === 1 + closed.length).toBe(true)
    expect(settled).toEqual([])
  })
})

describe('a pool', () => {
  const options = { clock: manualClock(), connectTimeoutMs: 1 }

  it('of one plain backend says that the relay may connect by itself', () => {
    expect(createBackendPool('tcp://a:1', options).direct).toMatchObject({ host: 'a', port: 1 })
    expect(createBackendPool({ urls: ['tcp://[::1]:2'] }, options).direct).toMatchObject({ host: '::1', port: 2 })
    expect(createBackendPool('tls://a:1', options).direct).toBeUndefined()
    expect(createBackendPool({ urls: ['tcp://a:1', 'tcp://b:1'] }, options).direct).toBeUndefined()
  })

  it.each([['http://a:1'], ['tcp://a'], ['tls://a:0'], ['tcp://a:65536'], ['tcp://u@a:1'], ['tls://a:1/path']])(
    'of %s is a mistake of the caller',
    (url) => {
      expect(() => createBackendPool(url, options)).toThrow(TypeError)
    },
  )

  it('of none is one too', () => {
    expect(() => createBackendPool({ urls: [] }, options)).toThrow(TypeError)
  })
})

async function open(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endsWithTest(() => server.close())
  return `tcp://127.0.0.1:${(server.address() as { port: number }).port}`
}

function causesOf(error: StapleError | undefined): readonly StapleError[] {
  return (error?.cause as AggregateError | undefined)?.errors ?? []
}

/** A backend whose TLS handshakes all fail, and that counts them: a refused TCP connection could not be counted. */
async function refuser(): Promise<{ url: string; count(): number }> {
  let seen = 0
  const url = await open(
    createServer((socket) => {
      seen++
      socket.on('error', () => {})
      socket.destroy()
    }),
  )
  return { url: url.replace('tcp', 'tls'), count: () => seen }
}
