/** `staplewright status`: the verdict of every state, what is printed, and who is found. */
import { once } from 'node:events'
import { linkSync, mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { DaemonStatus, StapleStatus } from '../../../src/run/admin/index.ts'
import { judgeStatus } from '../../../src/run/cli/judge-status.ts'
import { openAdminDoor } from '../../kit/admin-door.ts'
import { daemonStatus, stapleStatus } from '../../kit/admin-subject.ts'
import { freePort } from '../../kit/free-port.ts'
import { runCommand } from '../../kit/io.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

const at = new Date('2026-01-02T00:00:00Z')
const lastError = { code: 'ERR_FETCH_TIMEOUT', message: 'no answer\nfrom a\nfrom b', at } as const

describe('the verdict', () => {
  test.each<[string, Partial<StapleStatus>, number, string | undefined]>([
    ['fresh', {}, 0, undefined],
    ['due', { stapleState: 'due' }, 0, undefined],
    ['unsupported', { stapleState: 'unsupported' }, 0, undefined],
    ['fresh, but asking fails', { failures: 2, lastError }, 1, 'a newer staple for server.pem did not come: no answer'],
    ['not in the store', { isUnsaved: true }, 1, 'the staple of server.pem is not in the store'],
    ['missing', { stapleState: 'missing', failures: 1, lastError }, 2, 'server.pem has no staple: no answer'],
    ['missing, not required', { stapleState: 'missing', isRequired: false }, 1, 'server.pem has no staple'],
    ['stale', { stapleState: 'stale' }, 2, 'server.pem has no staple: the one held is stale'],
    ['stale, not required', { stapleState: 'stale', isRequired: false }, 1, 'server.pem has no staple'],
    ['unknown', { stapleState: 'unknown' }, 2, 'the responder does not know server.pem'],
    ['revoked', { stapleState: 'revoked' }, 2, 'server.pem is revoked'],
    ['revoked, not required', { stapleState: 'revoked', isRequired: false }, 2, 'server.pem is revoked'],
    ['expired', { notAfter: at }, 2, 'server.pem is expired'],
    [
      'missing behind the gate',
      { stapleState: 'missing', waiting: { cause: 'no answer yet' } },
      1,
      'the new certificate of server.pem waits: no answer yet',
    ],
  ])('of a staple that is %s', (_, changes, code, because) => {
    const verdict = judgeStatus(daemonStatus({ staples: [stapleStatus(changes)] }), at)
    expect(verdict.code).toBe(code)
    expect(verdict.because).toHaveLength(because === undefined ? 0 : 1)
    if (because !== undefined) expect(verdict.because[0]).toMatch(because)
  })

  test.each<[string, Partial<DaemonStatus>, number, readonly string[]]>([
    ['open', {}, 0, []],
    ['without a certificate to staple', { staples: [] }, 0, []],
    ['closed', { phase: 'closed', causes: ['waits for a'] }, 2, ['the doors are closed', 'waits for a']],
    ['open with a cause', { causes: ['a listener is lost'] }, 2, ['a listener is lost']],
    ['draining', { phase: 'draining', causes: ['stopping'] }, 1, ['the front is draining']],
    ['open, no worker serving', { workers: [{ pid: 1, state: 'starting' }] }, 2, ['no worker is serving']],
    [
      'open, a worker gone',
      {
        workers: [
          { pid: 1, state: 'serving' },
          { pid: 2, state: 'gone' },
        ],
      },
      1,
      ['1 of 2 workers are serving'],
    ],
    [
      'open, the last reload refused',
      { lastReload: { at, isDone: false, message: 'bad' } },
      1,
      ['the last reload was refused: bad'],
    ],
    ['open, the last reload done', { lastReload: { at, isDone: true, message: 'done' } }, 0, []],
  ])('of a daemon that is %s', (_, changes, code, because) => {
    expect(judgeStatus(daemonStatus(changes), at)).toEqual({ code, because })
  })

  test('begins with the worst, and says once what the daemon says, too', () => {
    const staples = [
      stapleStatus({ label: 'a.pem', isUnsaved: true }),
      stapleStatus({ label: 'b.pem', stapleState: 'missing' }),
    ]
    expect(judgeStatus(daemonStatus({ staples, causes: ['b.pem: no answer'] }), at).because).toEqual([
      'b.pem: no answer',
      'the staple of a.pem is not in the store',
    ])
  })
})

describe('what it prints', () => {
  test('is the verdict on the first line, then each staple, then the daemon', async () => {
    const { socket, subject } = await openAdminDoor()
    const notAfter = new Date('2099-01-01T00:00:00Z')
    const lastReload = { at, isDone: true, message: 'reloaded (SIGHUP)' }
    subject.current = { ...subject.current, lastReload, staples: [stapleStatus({ notAfter })] }
    const { code, stdout, stderr } = await runCommand(['status', '--socket', socket])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout.split('\n')
    expect(lines[0]).toBe('ok: open on 127.0.0.1:8443, 1 certificate stapled')
    expect(lines[2]).toMatch(/^fresh {8}server\.pem {2}good, signed by CN=issuer, until 2026-01-08 00:00:00Z \(/)
    expect(lines[3]).toBe('             for localhost, www.example.net')
    expect(stdout).toContain('staplewright 1.2.3, pid 4711, since 2026-01-01 00:00:00Z')
    expect(stdout).toContain('10 done: 9 stapled, 6 without')
    expect(stdout).toContain('last reload    2026-01-02 00:00:00Z')
  })

  test('is short about many reasons', async () => {
    const { socket, subject } = await openAdminDoor()
    const staples = ['a', 'b', 'c', 'd', 'e'].map((label) => stapleStatus({ label, stapleState: 'missing' }))
    subject.current = { ...subject.current, staples }
    const { code, stdout } = await runCommand(['status', '--socket', socket])
    expect(code).toBe(2)
    const notAfter = stdout.split('\n')[0]
    expect(notAfter).toMatch(/^critical: .*; and \d+ more$/)
  })

  test('is what the daemon sent and the verdict, with --json', async () => {
    const { socket, subject } = await openAdminDoor()
    subject.current = { ...subject.current, staples: [stapleStatus({ stapleState: 'revoked' })] }
    const { code, stdout } = await runCommand(['status', '--socket', socket, '--json'])
    expect(code).toBe(2)
    const shown = JSON.parse(stdout)
    expect(shown).toMatchObject({ verdict: 'critical', pid: 4711, phase: 'open', isReady: true })
    expect(shown.because).toContain('server.pem is revoked')
    expect(shown.staples[0].thisUpdate).toBe('2026-01-01T00:00:00.000Z')
  })

  test('does not steer a terminal, whatever a responder said', async () => {
    const { socket, subject } = await openAdminDoor()
    const message = 'said \u001b[31mred\u0007'
    subject.current = {
      ...subject.current,
      staples: [stapleStatus({ failures: 1, lastError: { ...lastError, message } })],
    }
    expect((await runCommand(['status', '--socket', socket])).stdout).toContain('said ?[31mred?')
  })
})

describe('who it asks', () => {
  test('is found by a configuration, whatever else is wrong with that', async () => {
    const { configFile } = await openAdminDoor()
    expect((await runCommand(['status', '-c', configFile, '--json'])).stdout).toContain('"pid": 4711')
  })

  test('is found by a configuration through a link', async () => {
    const { configFile } = await openAdminDoor()
    const link = `${configFile}.link`
    symlinkSync(configFile, link)
    expect((await runCommand(['status', '-c', link, '--json'])).stdout).toContain('"pid": 4711')
  })

  test('is found by its port', async () => {
    const { url } = await openAdminDoor()
    expect((await runCommand(['status', '--url', url, '--json'])).stdout).toContain('"pid": 4711')
  })

  test('is the only one in the runtime directory when nothing is said', async () => {
    const { socket } = await openAdminDoor()
    const runtime = temporaryDirectory('run')
    // Root's directory is one for the whole machine, and not for a test.
    const { getuid } = process
    Object.defineProperty(process, 'getuid', { value: () => 12_345, configurable: true })
    endsWithTest(() => Object.defineProperty(process, 'getuid', { value: getuid, configurable: true }))
    const environment = { XDG_RUNTIME_DIR: runtime }
    const none = await runCommand(['status'], { environment })
    expect(none).toMatchObject({ code: 3, stderr: expect.stringContaining('-c FILE') })
    mkdirSync(join(runtime, 'staplewright'))
    symlinkSync(socket, join(runtime, 'staplewright', 'one.sock'))
    expect((await runCommand(['status', '--json'], { environment })).stdout).toContain('"pid": 4711')
    symlinkSync(socket, join(runtime, 'staplewright', 'two.sock'))
    const several = await runCommand(['status'], { environment })
    expect(several).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('two.sock') })
    unlinkSync(join(runtime, 'staplewright', 'two.sock'))
    await leaveSocket(join(runtime, 'staplewright', 'killed.sock'))
    expect((await runCommand(['status', '--json'], { environment })).stdout).toContain('"pid": 4711')
  })

  test('must run with the configuration that is named', async () => {
    const { configFile, subject } = await openAdminDoor()
    subject.current = { ...subject.current, configFile: '/etc/other.conf' }
    const { code, stderr } = await runCommand(['status', '-c', configFile])
    expect(code).toBe(3)
    expect(stderr).toMatch(`runs with /etc/other.conf, not with ${configFile}`)
  })
})

describe('nobody to ask is exit code 3, an error and a hint', () => {
  const noDaemon = async (words: readonly string[]) => {
    const { code, stdout, stderr } = await runCommand(['status', ...words])
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^error: .*\n {2}hint: .*\n$/)
    return { code, stderr }
  }

  test('when there is no socket', async () => {
    const { code, stderr } = await noDaemon(['--socket', '/nowhere/staplewright.sock'])
    expect(code).toBe(3)
    expect(stderr).toMatch('no daemon answers on /nowhere/staplewright.sock: there is no such socket')
  })

  test('when nobody listens', async () => {
    const { code, stderr } = await noDaemon(['--url', `http://127.0.0.1:${await freePort()}`])
    expect({ code, isSaid: stderr.includes('nobody listens') }).toEqual({ code: 3, isSaid: true })
  })

  test('when what answers is something else', async () => {
    const socket = join(temporaryDirectory('other'), 's')
    const server = createServer((peer) => peer.on('error', () => {}).end('HTTP/1.1 200 OK\r\n\r\n<html>'))
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    endsWithTest(() => server.close())
    const { code, stderr } = await noDaemon(['--socket', socket])
    expect({ code, isSaid: stderr.includes('is not Staplewright') }).toEqual({ code: 3, isSaid: true })
  })

  test('when it ends instead of answering', async () => {
    const socket = join(temporaryDirectory('other'), 's')
    const server = createServer((peer) => peer.on('error', () => {}).on('data', () => peer.destroy()))
    await new Promise<void>((resolve) => server.listen(socket, resolve))
    endsWithTest(() => server.close())
    expect((await noDaemon(['--socket', socket])).stderr).toContain('it ended before it had answered')
  })

  test('when it failed', async () => {
    const { socket, subject } = await openAdminDoor()
    subject.status = async () => {
      throw new Error('no')
    }
    expect((await noDaemon(['--socket', socket])).code).toBe(3)
  })

  test.each([
    ['a configuration that is not there', ['-c', '/nowhere.conf']],
    ['two places at once', ['-c', 'a.conf', '--socket', 's']],
    ['an address that is none', ['--url', 'localhost:8222']],
    ['an address with a path', ['--url', 'http://localhost:8222/api']],
    ['an address that it does not speak', ['--url', 'https://localhost:8222']],
  ])('with %s', async (_, words) => {
    expect((await noDaemon(words)).code).toBe(3)
  })

  test('also for a word that it does not know', async () => {
    expect((await runCommand(['status', '--nothing'])).code).toBe(3)
    expect((await runCommand(['--no-color', 'status', 'x'])).code).toBe(3)
  })
})

test('a certificate file that is a directory keeps nobody from asking', async () => {
  const { configFile } = await openAdminDoor()
  writeFileSync(configFile, `store_dir: "${join(configFile, '..')}"\nbackend: 5\ntls { cert_file: "/" }\n`)
  expect((await runCommand(['status', '-c', configFile, '--json'])).stdout).toContain('"pid": 4711')
})

/** A socket on which nobody listens any more, as a daemon leaves it that was killed. */
async function leaveSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}.before`)
  await once(server, 'listening')
  linkSync(`${path}.before`, path)
  server.close()
  await once(server, 'close')
}
