/** The Unix socket, in front of a daemon that answers as told: who may use it, what it obeys, and whose it is. */
import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/keep/clock.ts'
import { createAdmin } from '../../../src/run/admin/index.ts'
import { listenOnFile } from '../../../src/run/admin/socket-file.ts'
import type { Line } from '../../../src/run/journal/journal.ts'
import { createMetrics } from '../../../src/run/metrics/index.ts'
import { createFakeSubject } from '../../kit/admin-subject.ts'
import { manualClock } from '../../kit/clock.ts'
import { ask } from '../../kit/http.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

interface Options {
  readonly path?: string
  readonly clock?: typeof systemClock
}

async function openSocket({
  path = join(temporaryDirectory('admin'), 'staplewright.sock'),
  clock = systemClock,
}: Options = {}) {
  const subject = createFakeSubject()
  const said: Line[] = []
  const admin = createAdmin({
    settings: { socket: path },
    subject,
    clock,
    say: (line) => said.push(line),
    metrics: createMetrics(),
  })
  endsWithTest(() => admin.close())
  await admin.open()
  const warnings = () => said.filter(({ level }) => level === 'warn').map(({ text }) => text)
  return { path, directory: join(path, '..'), subject, said, warnings, admin }
}

/** A socket file that nobody listens on, as a killed daemon leaves it. */
async function leaveDeadSocket(path: string): Promise<void> {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' })
  await new Promise((resolve) => child.once('exit', resolve))
  expect(lstatSync(path).isSocket()).toBe(true)
}

async function listenElsewhere(path: string): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}).end('somebody else'))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  endsWithTest(() => server.close())
  return server
}

describe('the socket', () => {
  test('is for its user alone', async () => {
    const { path } = await openSocket()
    expect(lstatSync(path).mode & 0o777).toBe(0o600)
  })

  test('is so from the first moment that anybody can see it, even under an open umask', async () => {
    const directory = temporaryDirectory('admin')
    const path = join(directory, 'staplewright.sock')
    const before = process.umask(0)
    endsWithTest(() => process.umask(before))
    const modes = new Set<string>()
    let isDone = false
    const opened = openSocket({ path }).finally(() => {
      isDone = true
    })
    while (!isDone) {
      for (const name of readdirSync(directory)) {
        const status = lstatSync(join(directory, name), { throwIfNoEntry: false })
        if (status) modes.add(`${status.isDirectory() ? 'directory' : 'socket'} ${(status.mode & 0o777).toString(8)}`)
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    await opened
    expect([...modes].filter((mode) => mode !== 'directory 700' && mode !== 'socket 600')).toEqual([])
    expect(lstatSync(path).mode & 0o777).toBe(0o600)
  })

  test('leaves nothing else in its directory, and makes that directory for its user alone', async () => {
    const directory = join(temporaryDirectory('admin'), 'made', 'here')
    const { admin } = await openSocket({ path: join(directory, 'staplewright.sock') })
    expect(readdirSync(directory)).toEqual(['staplewright.sock'])
    expect(lstatSync(directory).mode & 0o777).toBe(0o700)
    await admin.close()
    expect(readdirSync(directory)).toEqual([])
  })

  test('tells what the port tells', async () => {
    const { path } = await openSocket()
    expect(JSON.parse((await ask(path, '/api/status')).text)).toMatchObject({ pid: 4711, isReady: true })
    expect((await ask(path, '/readyz')).status).toBe(200)
  })

  test('reloads, and tells what came of it', async () => {
    const { path, subject } = await openSocket()
    subject.reloading = async () => ({
      isDone: false,
      message: 'refused',
      problems: ['a.conf:1:2: backend: is missing'],
    })
    const { status, text } = await ask(path, '/reload', { method: 'POST' })
    expect(status).toBe(200)
    expect(JSON.parse(text)).toEqual({
      isDone: false,
      message: 'refused',
      problems: ['a.conf:1:2: backend: is missing'],
    })
    expect(subject.asked).toEqual(['reload'])
  })

  test('tells after a reload how it is then, however long the last telling took', async () => {
    const clock = manualClock()
    const { path, subject } = await openSocket({ clock })
    subject.status = async () => {
      const status = subject.current
      await clock.advance(100)
      return status
    }
    const version = async () => JSON.parse((await ask(path, '/api/status')).text).version
    expect(await version()).toBe('1.2.3')
    subject.reloading = async () => {
      subject.current = { ...subject.current, version: '2' }
      return { isDone: true, message: 'reloaded' }
    }
    await clock.advance(1)
    await ask(path, '/reload', { method: 'POST' })
    expect(await version()).toBe('2')
  })

  test('refreshes all, or those that are named', async () => {
    const { path, subject } = await openSocket()
    const { text } = await ask(path, '/refresh', { method: 'POST' })
    expect(JSON.parse(text)).toEqual({ asked: ['server.pem'], failed: [] })
    await ask(path, `/refresh?certificate=${encodeURIComponent('a b&c.pem')}`, { method: 'POST' })
    expect(subject.asked).toEqual(['refresh', 'refresh a b&c.pem'])
  })

  test('says 404 when nothing has the name', async () => {
    const { path, subject } = await openSocket()
    subject.refreshing = async () => ({ asked: [], failed: [] })
    expect((await ask(path, '/refresh?certificate=x', { method: 'POST' })).status).toBe(404)
  })

  test('answers whom it obeys, also when what it was asked ends the socket', async () => {
    const { path, subject, admin } = await openSocket()
    let ended: Promise<void> | undefined
    subject.reloading = async () => {
      ended = admin.close()
      await expect.poll(() => existsSync(path)).toBe(false)
      return { isDone: true, message: 'reloaded' }
    }
    const { status, headers } = await ask(path, '/reload', { method: 'POST', headers: { connection: 'keep-alive' } })
    expect({ status, connection: headers.connection }).toEqual({ status: 200, connection: 'close' })
    await ended
    expect(existsSync(path)).toBe(false)
  })

  test.each(['/reload', '/refresh'])('does not obey a GET: %s', async (page) => {
    const { path, subject } = await openSocket()
    const { status, headers } = await ask(path, page)
    expect({ status, allow: headers.allow, asked: subject.asked }).toEqual({ status: 405, allow: 'POST', asked: [] })
  })
})

describe('whose socket it is', () => {
  test('a dead daemon leaves it, and the next one takes its place', async () => {
    const path = join(temporaryDirectory('admin'), 'staplewright.sock')
    await leaveDeadSocket(path)
    const { directory, warnings } = await openSocket({ path })
    expect(warnings()).toEqual([])
    expect((await ask(path, '/healthz')).status).toBe(200)
    expect(readdirSync(directory)).toEqual(['staplewright.sock'])
  })

  test('a living daemon keeps it; the second one says so, and takes it over when the first is gone', async () => {
    const first = await openSocket()
    const clock = manualClock()
    const second = await openSocket({ path: first.path, clock })
    expect(second.warnings()).toHaveLength(1)
    expect(second.warnings()[0]).toMatch(`another daemon answers on ${first.path}; \`staplewright status\``)
    await ask(first.path, '/refresh?certificate=1', { method: 'POST' })
    expect([first.subject.asked, second.subject.asked]).toEqual([['refresh 1'], []])
    await first.admin.close()
    await clock.advance(30_000)
    await expect.poll(() => second.said.at(-1)?.text).toBe(`open on ${first.path}`)
    await ask(first.path, '/refresh?certificate=2', { method: 'POST' })
    expect(second.subject.asked).toEqual(['refresh 2'])
  })

  test('the end of one that never had it leaves it alone', async () => {
    const first = await openSocket()
    const second = await openSocket({ path: first.path })
    await second.admin.close()
    expect((await ask(first.path, '/healthz')).status).toBe(200)
  })

  test('one that listens and never answers is alive, too', async () => {
    const path = join(temporaryDirectory('admin'), 'staplewright.sock')
    const server = await listenElsewhere(path)
    server.removeAllListeners('connection')
    expect((await openSocket({ path })).warnings()[0]).toMatch('another daemon answers')
  })

  test('of two that start at once, one has it', async () => {
    const path = join(temporaryDirectory('admin'), 'staplewright.sock')
    await leaveDeadSocket(path)
    const all = await Promise.all(Array.from({ length: 6 }, () => openSocket({ path })))
    expect(all.filter(({ warnings }) => warnings().length === 0)).toHaveLength(1)
    expect((await ask(path, '/healthz')).status).toBe(200)
    expect(readdirSync(join(path, '..'))).toEqual(['staplewright.sock'])
  })

  test('what a daemon left that was killed while it came does not keep others away for long', async () => {
    const path = join(temporaryDirectory('admin'), 'staplewright.sock')
    mkdirSync(`${path}.claim`)
    const clock = manualClock(new Date())
    const { warnings } = await openSocket({ path, clock })
    expect(warnings()[0]).toMatch('another daemon is coming')
    await clock.advance(30_000)
    await expect.poll(() => existsSync(path)).toBe(true)
    expect(readdirSync(join(path, '..'))).toEqual(['staplewright.sock'])
  })

  test.each<[string, (path: string) => void]>([
    ['a file', (path) => writeFileSync(path, 'precious')],
    ['a directory', (path) => mkdirSync(path)],
    ['a link that leads to a file', (path) => symlinkSync('/etc/passwd', path)],
  ])('%s in its place is never removed', async (_, make) => {
    const path = join(temporaryDirectory('admin'), 'staplewright.sock')
    make(path)
    const before = lstatSync(path).ino
    const { warnings, admin } = await openSocket({ path })
    expect(warnings()[0]).toMatch(`${path} is there and is no socket`)
    await admin.close()
    expect(lstatSync(path).ino).toBe(before)
  })

  test('removed by somebody, it is made anew, and said', async () => {
    const clock = manualClock()
    const { path, warnings } = await openSocket({ clock })
    unlinkSync(path)
    await clock.advance(30_000)
    await expect.poll(() => existsSync(path)).toBe(true)
    expect((await ask(path, '/healthz')).status).toBe(200)
    expect(warnings()).toEqual([`${path} was removed or replaced; it is made anew if that is free`])
  })

  test('replaced by somebody who lives, it is theirs, and stays when ours ends', async () => {
    const clock = manualClock()
    const { path, warnings, admin } = await openSocket({ clock })
    unlinkSync(path)
    await listenElsewhere(path)
    const { ino } = lstatSync(path)
    await clock.advance(30_000)
    await expect.poll(() => warnings().length).toBe(2)
    expect(warnings()[1]).toMatch('another daemon answers')
    await admin.close()
    expect(lstatSync(path).ino).toBe(ino)
  })

  test('replaced by a file just before the end, the file stays', async () => {
    const { path, admin } = await openSocket()
    unlinkSync(path)
    writeFileSync(path, 'precious')
    await admin.close()
    expect(lstatSync(path).isFile()).toBe(true)
  })

  test('a connection that was there goes on when the file is removed', async () => {
    const clock = manualClock()
    const { path, subject } = await openSocket({ clock })
    let finish = () => {}
    subject.reloading = () =>
      new Promise((resolve) => {
        finish = () => resolve({ isDone: true, message: 'reloaded' })
      })
    const reload = ask(path, '/reload', { method: 'POST' })
    await expect.poll(() => subject.asked).toEqual(['reload'])
    unlinkSync(path)
    await clock.advance(30_000)
    await expect.poll(() => existsSync(path)).toBe(true)
    finish()
    expect(JSON.parse((await reload).text)).toEqual({ isDone: true, message: 'reloaded' })
  })
})

describe('a place that cannot be had is one line', () => {
  test('when the path is too long for the system', async () => {
    const { warnings } = await openSocket({ path: join(temporaryDirectory('admin'), 'x'.repeat(120)) })
    expect(warnings()).toHaveLength(1)
    expect(warnings()[0]).toMatch(/too long for a socket: \d+ bytes, at most 107/)
  })

  test('when the directory is none', async () => {
    const { warnings } = await openSocket({ path: '/dev/null/staplewright.sock' })
    expect(warnings()).toHaveLength(1)
    expect(warnings()[0]).toMatch('cannot make /dev/null')
  })

  test('when the directory may not be written', async () => {
    const { warnings } = await openSocket({ path: '/proc/self/staplewright.sock' })
    expect(warnings()).toHaveLength(1)
    expect(warnings()[0]).toMatch('/proc/self')
  })

  test('when the directory is of another user, as one in /tmp can be', async () => {
    const directory = temporaryDirectory('admin')
    const { getuid } = process
    const own = getuid?.() ?? 0
    if (own === 0) chownSync(directory, 54_321, -1)
    Object.defineProperty(process, 'getuid', { value: () => 12_345, configurable: true })
    endsWithTest(() => Object.defineProperty(process, 'getuid', { value: getuid, configurable: true }))
    const { warnings } = await openSocket({ path: join(directory, 'staplewright.sock') })
    expect(warnings()).toHaveLength(1)
    expect(warnings()[0]).toMatch(
      `${directory} belongs to another user (uid ${own === 0 ? 54_321 : own}; this is 12345)`,
    )
    expect(readdirSync(directory)).toEqual([])
  })

  test('and a directory that is there keeps its mode', async () => {
    const directory = temporaryDirectory('admin')
    chmodSync(directory, 0o755)
    await openSocket({ path: join(directory, 'staplewright.sock') })
    expect(lstatSync(directory).mode & 0o777).toBe(0o755)
  })
})

test('what failed leaves neither a file nor a listener behind', async () => {
  const directory = temporaryDirectory('admin')
  const path = join(directory, 'staplewright.sock')
  writeFileSync(path, 'precious')
  const server = createServer()
  await expect(listenOnFile(server, path, new Date())).rejects.toThrow('is no socket')
  expect(server.listening).toBe(false)
  expect(readdirSync(directory)).toEqual(['staplewright.sock'])
})
