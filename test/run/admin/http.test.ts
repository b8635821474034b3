/** The HTTP port, over real sockets, in front of a daemon that answers as told. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/keep/clock.ts'
import { createAdmin } from '../../../src/run/admin/index.ts'
import type { Line } from '../../../src/run/journal/journal.ts'
import { createMetrics } from '../../../src/run/metrics/index.ts'
import { createFakeSubject, type FakeSubject, stapleStatus } from '../../kit/admin-subject.ts'
import { manualClock } from '../../kit/clock.ts'
import { freePort } from '../../kit/free-port.ts'
import { ask, speak } from '../../kit/http.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { parseScrape, valueOf } from '../../kit/prometheus.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

interface Port {
  readonly port: number
  readonly subject: FakeSubject
  readonly said: Line[]
}

async function openPort({ host = '127.0.0.1', clock = systemClock, port = undefined as number | undefined } = {}) {
  const subject = createFakeSubject()
  const said: Line[] = []
  const chosen = port ?? (await freePort())
  const socket = `${temporaryDirectory('admin')}/s`
  const admin = createAdmin({
    settings: { http: { host, port: chosen }, socket },
    subject,
    clock,
    say: (line) => said.push(line),
    metrics: createMetrics(),
  })
  endsWithTest(() => admin.close())
  await admin.open()
  return { port: chosen, subject, said, admin } satisfies Port & { admin: unknown }
}

describe('the pages', () => {
  test('/healthz answers while the process lives, whatever the daemon says of itself', async () => {
    const { port, subject } = await openPort()
    subject.status = async () => {
      throw new Error('no')
    }
    expect(await ask(port, '/healthz')).toMatchObject({ status: 200, text: 'ok\n' })
  })

  test('/readyz says ready, and nothing more', async () => {
    const { port } = await openPort()
    expect(await ask(port, '/readyz')).toMatchObject({ status: 200, text: 'ready\n' })
  })

  test('/readyz is 503 with every cause on a line of its own', async () => {
    const { port, subject } = await openPort()
    const causes = ['server.pem has no staple: refused', 'other.pem has no staple: timeout']
    subject.current = { ...subject.current, phase: 'closed', causes }
    expect(await ask(port, '/readyz')).toMatchObject({ status: 503, text: `not ready\n${causes.join('\n')}\n` })
  })

  test('/readyz is JSON for who accepts it', async () => {
    const { port, subject } = await openPort()
    subject.current = { ...subject.current, phase: 'draining' }
    const { status, headers, text } = await ask(port, '/readyz', { headers: { accept: 'application/json' } })
    expect({ status, type: headers['content-type'] }).toEqual({ status: 503, type: 'application/json' })
    expect(JSON.parse(text)).toEqual({ isReady: false, phase: 'draining', causes: ['the front is draining'] })
  })

  test('/metrics is a scrape of what the daemon says now', async () => {
    const { port, subject } = await openPort()
    subject.current = { ...subject.current, staples: [stapleStatus({ failures: 17 })] }
    const { status, headers, text } = await ask(port, '/metrics')
    expect({ status, type: headers['content-type'] }).toEqual({
      status: 200,
      type: 'text/plain; version=0.0.4; charset=utf-8',
    })
    const labels = { certificate: 'server.pem', sites: 'localhost,www.example.net' }
    expect(valueOf(parseScrape(text), 'staplewright_staple_failures', labels)).toBe(17)
  })

  test('/api/staples has the staples, with moments as text', async () => {
    const { port } = await openPort()
    const { staples } = JSON.parse((await ask(port, '/api/staples')).text)
    expect(staples).toEqual([JSON.parse(JSON.stringify(stapleStatus()))])
  })

  test('/api/status has the daemon, whether it is ready, and the staples', async () => {
    const { port, subject } = await openPort()
    const status = JSON.parse((await ask(port, '/api/status')).text)
    expect(status).toMatchObject({ pid: 4711, version: '1.2.3', isReady: true, causes: [], phase: 'open' })
    expect(status.front).toEqual(subject.current.front)
    expect(status.staples).toHaveLength(1)
    expect(status).not.toHaveProperty('lastReload')
  })

  test('a HEAD has the headers of a GET and no body', async () => {
    const { port } = await openPort()
    const { status, headers, text } = await ask(port, '/readyz', { method: 'HEAD' })
    expect({ status, text, length: headers['content-length'] }).toEqual({ status: 200, text: '', length: '6' })
  })

  test('are never cached, nor taken for anything but what they are', async () => {
    const { port } = await openPort()
    const { headers } = await ask(port, '/healthz')
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  })
})

describe('what it does not do', () => {
  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])('is refused: %s', async (method) => {
    const { port, subject } = await openPort()
    const { status, headers } = await ask(port, '/readyz', { method })
    expect({ status, allow: headers.allow }).toEqual({ status: 405, allow: 'GET, HEAD' })
    expect(subject.asked).toEqual([])
  })

  test.each(['/reload', '/refresh', '/refresh?certificate=server.pem'])('obey: POST %s', async (path) => {
    const { port, subject } = await openPort()
    expect((await ask(port, path, { method: 'POST' })).status).toBe(404)
    expect(subject.asked).toEqual([])
  })

  test.each(['/', '//', '/nothing', '/__proto__', '/constructor', '/api/staples/', '/%2e%2e/etc/passwd', '*', '/?'])(
    'know: %s',
    async (path) => {
      const { port } = await openPort()
      const { status, text } = await ask(port, path)
      expect(status).toBe(404)
      expect(text).toContain('/readyz')
    },
  )

  test('follow a method or path that is a property of every object', async () => {
    const { port } = await openPort()
    expect(await speak(port, 'GET /toString HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')).toMatch(/ 404 /)
  })
})

describe('the Host header', () => {
  test.each(['localhost', 'LOCALHOST:9090', '127.0.0.1', '127.0.0.1:80', '[::1]:9090', '192.0.2.1'])(
    'may be %s on a port of this machine alone',
    async (host) => {
      const { port } = await openPort()
      expect((await ask(port, '/api/staples', { headers: { host } })).status).toBe(200)
    },
  )

  test.each([
    'evil.example',
    'evil.example:9090',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost@evil',
  ])('may not be "%s" there: a web page could have sent it', async (host) => {
    const { port } = await openPort()
    for (const path of ['/api/staples', '/healthz']) {
      const { status, text } = await ask(port, path, { headers: { host } })
      expect(status).toBe(421)
      expect(text).not.toContain('server.pem')
    }
  })

  test('may be any where the port is open to others', async () => {
    const { port } = await openPort({ host: '0.0.0.0' })
    expect((await ask(port, '/healthz', { headers: { host: 'metrics.example' } })).status).toBe(200)
  })

  test('may be absent, as probes in HTTP/1.0 have it', async () => {
    const { port } = await openPort()
    expect(await speak(port, 'GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe('hostile clients', () => {
  test('that say nothing, or never come to an end, are cut', async () => {
    const { port } = await openPort()
    const heard = await Promise.all([
      speak(port, ''),
      speak(port, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: '),
      speak(port, 'POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\nx'),
    ])
    expect(heard.map((each) => each.slice(0, 12))).toEqual(['HTTP/1.1 408', 'HTTP/1.1 408', 'HTTP/1.1 405'])
  })

  test('with headers beyond the limit, and those that do not speak HTTP, are told so and cut', async () => {
    const { port } = await openPort()
    const huge = `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`
    expect(await speak(port, huge)).toMatch(/^HTTP\/1\.1 431 /)
    expect(await speak(port, '\x16\x03\x01\x02\x00')).toMatch(/^HTTP\/1\.1 400 /)
  })

  test('cannot hold more than 64 connections, and others are served when those are gone', async () => {
    const { port } = await openPort()
    const ended = Array.from({ length: 80 }, () => speak(port, 'GET /healthz HTTP/1.1\r\n'))
    const heard = await Promise.all(ended)
    // Those that are let in are told that they took too long; the others hear nothing.
    expect(heard.filter((each) => each.startsWith('HTTP/1.1 408'))).toHaveLength(64)
    expect(heard.filter((each) => each === '')).toHaveLength(16)
    expect((await ask(port, '/healthz')).status).toBe(200)
  })
})

describe('a failure inside', () => {
  test('is a 500 that says nothing of it, and one line that does, once a minute', async () => {
    const clock = manualClock()
    const { port, subject, said } = await openPort({ clock })
    subject.status = async () => {
      throw new Error('secret reason')
    }
    for (let time = 0; time < 3; time++) {
      const { status, text } = await ask(port, '/api/staples?x=1')
      expect(status).toBe(500)
      expect(text).not.toContain('secret')
    }
    const failures = () => said.filter(({ level }) => level === 'error').map(({ text }) => text)
    expect(failures()).toEqual(['GET /api/staples failed: secret reason'])
    await clock.advance(60_000)
    await ask(port, '/api/status')
    expect(failures()).toHaveLength(2)
    expect((await ask(port, '/healthz')).status).toBe(200)
  })

  test('that is no error at all does not end anything either', async () => {
    const { port, subject } = await openPort()
    subject.status = () => {
      throw 'thrown before it became a promise'
    }
    expect((await ask(port, '/metrics')).status).toBe(500)
  })

  test('a daemon that never answers is a 500 in time', async () => {
    const clock = manualClock()
    const { port, subject } = await openPort({ clock })
    const before = clock.timers
    subject.status = () => new Promise(() => {})
    const asked = ask(port, '/readyz')
    await expect.poll(() => clock.timers).toBe(before + 1)
    await clock.advance(5_000)
    expect((await asked).status).toBe(500)
  })
})

test('a crowd that asks at once asks the daemon once', async () => {
  const { port, subject } = await openPort()
  let count = 0
  let answer = () => {}
  const status = subject.current
  subject.status = () => {
    count += 1
    return new Promise((resolve) => {
      answer = () => resolve(status)
    })
  }
  const asked = Promise.all(Array.from({ length: 20 }, () => ask(port, '/readyz')))
  await expect.poll(() => count).toBe(1)
  // All of them have asked when each has been read, which the next answer tells.
  await ask(port, '/healthz')
  answer()
  expect((await asked).every((each) => each.status === 200)).toBe(true)
  expect(count).toBe(1)
})

test('an answer that took long is given again for nine times as long, and no longer', async () => {
  const clock = manualClock()
  const { port, subject } = await openPort({ clock })
  let count = 0
  const status = subject.current
  subject.status = async () => {
    count += 1
    // The time that making it takes.
    await clock.advance(100)
    return status
  }
  const askTwice = async () => {
    await ask(port, '/api/staples')
    await ask(port, '/readyz')
    return count
  }
  expect(await askTwice()).toBe(1)
  await clock.advance(800)
  expect(await askTwice()).toBe(1)
  await clock.advance(101)
  expect(await askTwice()).toBe(2)
})

describe('a port that is taken', () => {
  test('is said once, tried again every 30 s, and had when it is free', async () => {
    const other = createServer()
    const port = await freePort()
    other.listen(port, '127.0.0.1')
    await once(other, 'listening')
    const clock = manualClock()
    const { said } = await openPort({ clock, port })
    const warnings = () => said.filter(({ level, subject }) => level === 'warn' && subject === 'admin')
    expect(warnings().map(({ text }) => text)).toEqual([
      `cannot listen on 127.0.0.1:${port}: another program listens there; nobody can ask there. It is tried again every 30 s, and the front is not affected`,
    ])
    await clock.advance(30_000)
    await expect.poll(() => clock.timers).toBe(2)
    await clock.advance(30_000)
    await expect.poll(() => clock.timers).toBe(2)
    expect(warnings()).toHaveLength(1)
    await new Promise((resolve) => other.close(resolve))
    await clock.advance(30_000)
    await expect.poll(() => said.at(-1)?.text).toBe(`open on http://127.0.0.1:${port}`)
    expect((await ask(port, '/healthz')).status).toBe(200)
  })

  test('is not tried again after the end', async () => {
    const other = createServer()
    const port = await freePort()
    other.listen(port, '127.0.0.1')
    await once(other, 'listening')
    endsWithTest(() => other.close())
    const clock = manualClock()
    const { admin } = await openPort({ clock, port })
    await admin.close()
    expect(clock.timers).toBe(0)
  })

  test.each(['203.0.113.1', 'no-such-host.invalid'])(
    'nor does an address end anything that is not ours: %s',
    async (host) => {
      const { said } = await openPort({ host })
      expect(said.filter(({ level }) => level === 'warn')).toHaveLength(1)
    },
  )
})

test('its end frees the port and cuts who is connected', async () => {
  const { port, admin } = await openPort()
  const waiting = speak(port, '')
  await ask(port, '/healthz')
  await admin.close()
  await waiting
  await expect(ask(port, '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
