/** The admin doors of the real program: asked by its own commands, by Prometheus' text and by plain HTTP. */
import { existsSync, lstatSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Leaf } from '../kit/authority.ts'
import { programFile, type RunningDaemon } from '../kit/daemon.ts'
import { freePort } from '../kit/free-port.ts'
import { ask } from '../kit/http.ts'
import { endsWithTest } from '../kit/lifetime.ts'
import { type ProgramResult, runProgram } from '../kit/program.ts'
import { parseScrape, valueOf } from '../kit/prometheus.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { look, type Stage, setStage } from './stage.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

let stage: Stage
let leaf: Leaf
let storeDir: string
let http: number
beforeEach(async () => {
  stage = await setStage({ thisUpdateAgeMs: 60_000 })
  leaf = await stage.issue()
  storeDir = temporaryDirectory('store')
  http = await freePort()
})

function start(ocsp = '{ mode: always }', lines: readonly string[] = []): Promise<RunningDaemon> {
  return stage.start(leaf, ocsp, { storeDir, lines: [`http_port: ${http}`, ...lines] })
}

/** Runs `staplewright COMMAND -c FILE …`. */
function command(
  { configFile }: Pick<RunningDaemon, 'configFile'>,
  name: string,
  ...words: string[]
): Promise<ProgramResult> {
  return runProgram(process.execPath, [programFile, name, '-c', configFile, ...words], { name: `staplewright ${name}` })
}

describe('staplewright status', () => {
  test('finds the daemon by its configuration and tells how it and its staple are', async () => {
    const daemon = await start()
    const port = await daemon.opened()
    await look(port, leaf)
    const { code, stdout, stderr } = await command(daemon, 'status')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`^ok: open on 127\\.0\\.0\\.1:${port}, 1 certificate stapled\\n`))
    expect(stdout).toMatch(/\nfresh +\S+chain\.pem +good, signed by /)
    expect(stdout).toContain(`pid ${daemon.program.pid},`)
    expect(stdout).toContain('1 done: 1 stapled, 0 without')
  })

  test('is 2 when the certificate is revoked, and tells programs so', async () => {
    await stage.responder.behave('revoked')
    const daemon = await start('{ mode: auto }')
    await daemon.opened()
    const { code, stdout } = await command(daemon, 'status', '--json')
    const { verdict, staples } = JSON.parse(stdout)
    expect({ code, verdict, state: staples[0].stapleState }).toEqual({ code: 2, verdict: 'critical', state: 'revoked' })
  })

  test('asks the HTTP port, too', async () => {
    const daemon = await start()
    await daemon.opened()
    const words = ['status', '--url', `http://127.0.0.1:${http}`]
    expect((await runProgram(process.execPath, [programFile, ...words])).code).toBe(0)
  })

  test('is 3 when the daemon is frozen', async () => {
    const daemon = await start()
    await daemon.opened()
    daemon.program.kill('SIGSTOP')
    endsWithTest(() => daemon.program.kill('SIGCONT'))
    const { code, stderr } = await command(daemon, 'status')
    expect({ code, isSaid: stderr.includes('no answer within 10 s') }).toEqual({ code: 3, isSaid: true })
  })

  test('is 3 when the daemon is gone, and its socket with it', async () => {
    const daemon = await start()
    await daemon.opened()
    const socket = join(storeDir, 'staplewright.sock')
    expect(lstatSync(socket).mode & 0o777).toBe(0o600)
    expect(await daemon.stop()).toBe(0)
    expect(existsSync(socket)).toBe(false)
    const { code, stderr } = await command(daemon, 'status')
    expect(code).toBe(3)
    expect(stderr).toMatch(/^error: no daemon answers on .*\n {2}hint: /)
  })
})

describe('while on_start: require keeps the doors closed', () => {
  test('everybody can ask why, and a refresh opens them', async () => {
    await stage.responder.behave('refuse')
    const daemon = await start('{ mode: must }', ['start_timeout: "300ms"'])
    await daemon.waitForLine(/stay closed/)
    expect((await ask(http, '/healthz')).status).toBe(200)
    const ready = await ask(http, '/readyz')
    expect(ready.status).toBe(503)
    expect(ready.text).toMatch(/^not ready\nthe doors are closed until the staples are in\n.*chain\.pem: /)
    const metrics = parseScrape((await ask(http, '/metrics')).text)
    expect(valueOf(metrics, 'staplewright_ready')).toBe(0)
    expect(valueOf(metrics, 'staplewright_phase', { phase: 'closed' })).toBe(1)
    const status = await command(daemon, 'status')
    expect(status.code).toBe(2)
    expect(status.stdout).toMatch(/^critical: the doors are closed/)

    await stage.responder.behave('good')
    expect((await command(daemon, 'refresh')).code).toBe(0)
    await daemon.opened()
    expect(await ask(http, '/readyz')).toMatchObject({ status: 200, text: 'ready\n' })
  })
})

describe('staplewright reload', () => {
  test('waits until the new configuration is in force', async () => {
    const daemon = await start()
    await daemon.opened()
    const other = await freePort()
    await rewrite(daemon, (text) => text.replace('listen: "127.0.0.1:0"', `listen: "127.0.0.1:${other}"`))
    const { code, stdout, stderr } = await command(daemon, 'reload')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).not.toBe('')
    expect(await look(other, leaf)).toBe('good')
    expect((await command(daemon, 'status')).stdout).toMatch(/\nlast reload +\d/)
  })

  test('tells every problem of one that is refused, and what was in force goes on', async () => {
    const daemon = await start()
    const port = await daemon.opened()
    await rewrite(daemon, (text) => `${text}\nalpn: 5\nwibble: 1\n`)
    const { code, stdout, stderr } = await command(daemon, 'reload')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/error: \S+staplewright\.conf:\d+:\d+: alpn/)
    expect(stderr).toMatch(/error: \S+staplewright\.conf:\d+:\d+: wibble/)
    expect(await look(port, leaf)).toBe('good')

    const status = await command(daemon, 'status')
    expect(status.code).toBe(1)
    expect(status.stdout).toMatch(/^warning: the last reload was refused/)
    const metrics = parseScrape((await ask(http, '/metrics')).text)
    expect(valueOf(metrics, 'staplewright_reloads_total', { outcome: 'refused' })).toBe(1)
    expect(valueOf(metrics, 'staplewright_last_reload_successful')).toBe(0)
  })

  test('moves the admin port, and answers whoever asked for it', async () => {
    const daemon = await start()
    await daemon.opened()
    const other = await freePort()
    await rewrite(daemon, (text) => text.replace(`http_port: ${http}`, `http_port: ${other}`))
    expect((await command(daemon, 'reload')).code).toBe(0)
    await expect
      .poll(() =>
        ask(other, '/readyz').then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200)
    await expect(ask(http, '/readyz')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect.poll(async () => (await command(daemon, 'status')).code, { timeout: 10_000 }).toBe(0)
  })
})

describe('staplewright refresh', () => {
  test('asks about the certificate that is named, and tells what came of it', async () => {
    const daemon = await start()
    await daemon.opened()
    for (const name of [leaf.certificateFile, 'localhost']) {
      const before = stage.responder.count
      const { code, stdout } = await command(daemon, 'refresh', name)
      expect({ code, asked: stage.responder.count - before }).toEqual({ code: 0, asked: 1 })
      expect(stdout).toMatch(/^answered {2}\S+chain\.pem\n$/)
    }
    await stage.responder.behave('refuse')
    const { code, stdout } = await command(daemon, 'refresh')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^failed {4}\S+chain\.pem: /)
  })

  test('is 2 for a name that none has, and nobody is asked', async () => {
    const daemon = await start()
    await daemon.opened()
    const before = stage.responder.count
    expect((await command(daemon, 'refresh', 'nobody.example')).code).toBe(2)
    expect(stage.responder.count).toBe(before)
  })
})

describe('the HTTP port', () => {
  test('counts what the front did', async () => {
    const daemon = await start()
    const port = await daemon.opened()
    for (let time = 0; time < 3; time++) expect(await look(port, leaf)).toBe('good')
    const metrics = parseScrape((await ask(http, '/metrics')).text)
    expect(valueOf(metrics, 'staplewright_ready')).toBe(1)
    expect(valueOf(metrics, 'staplewright_front_handshakes_stapled_total')).toBe(3)
    expect(valueOf(metrics, 'staplewright_front_handshakes_unstapled_total')).toBe(0)
    expect(valueOf(metrics, 'staplewright_front_connections_total', { outcome: 'accepted' })).toBe(3)
    const [staple] = metrics.get('staplewright_refreshes_total')?.series ?? []
    expect(staple?.value).toBe(1)
    expect(staple?.labels.certificate).toMatch(/chain\.pem$/)
    const { staples } = JSON.parse((await ask(http, '/api/staples')).text)
    expect(staples[0]).toMatchObject({ stapleState: 'fresh', certStatus: 'good', sites: ['localhost'] })
  })

  test('counts over all workers, and says when one is gone', async () => {
    const daemon = await start('{ mode: always }', ['workers: 2'])
    const port = await daemon.opened()
    const workers = async () =>
      JSON.parse((await ask(http, '/api/status')).text).workers as { pid: number; state: string }[]
    await expect.poll(async () => (await workers()).map(({ state }) => state)).toEqual(['serving', 'serving'])
    for (let time = 0; time < 6; time++) expect(await look(port, leaf)).toBe('good')
    const scrape = async () => parseScrape((await ask(http, '/metrics')).text)
    await expect
      .poll(async () => valueOf(await scrape(), 'staplewright_front_handshakes_stapled_total'), { timeout: 10_000 })
      .toBe(6)
    const [first] = await workers()
    process.kill(first?.pid ?? 0, 'SIGKILL')
    await expect
      .poll(async () => (await workers()).some(({ pid, state }) => pid === first?.pid && state === 'serving'))
      .toBe(false)
    await expect
      .poll(async () => (await workers()).filter(({ state }) => state === 'serving').length, { timeout: 20_000 })
      .toBe(2)
    // What a dead worker counted is still told: a counter never goes back.
    expect(valueOf(await scrape(), 'staplewright_front_handshakes_stapled_total')).toBe(6)
  })

  test('says that the front drains, until the last connection is gone', async () => {
    const daemon = await start()
    const port = await daemon.opened()
    const client = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: await readFile(leaf.rootFile) })
    endsWithTest(() => client.destroy())
    client.on('error', () => {})
    await new Promise((resolve) => client.once('secureConnect', resolve))
    daemon.program.kill('SIGTERM')
    await expect.poll(async () => (await ask(http, '/readyz')).status).toBe(503)
    expect(JSON.parse((await ask(http, '/readyz', { headers: { accept: 'application/json' } })).text).phase).toBe(
      'draining',
    )
    expect((await command(daemon, 'status')).code).toBe(1)
    client.destroy()
    expect(await daemon.exitCode()).toBe(0)
  })

  test('that somebody else has is said, and the front serves', async () => {
    const thief = createServer((socket) => socket.on('error', () => {}).end('mine'))
    await new Promise<void>((resolve) => thief.listen(http, '127.0.0.1', resolve))
    endsWithTest(() => thief.close())
    const daemon = await start()
    const port = await daemon.opened()
    expect(daemon.log().filter(({ level, subject }) => level === 'warn' && subject === 'admin')).toHaveLength(1)
    expect(await look(port, leaf)).toBe('good')
    expect((await command(daemon, 'status')).code).toBe(0)
    expect(await daemon.stop()).toBe(0)
  })
})

describe('two daemons', () => {
  test('with one store_dir: the first keeps the socket, both serve, neither is taken for the other', async () => {
    const first = await start()
    await first.opened()
    http = await freePort()
    const second = await start()
    const port = await second.opened()
    expect(second.log().filter(({ level, subject }) => level === 'warn' && subject === 'socket')).toHaveLength(1)
    expect(await look(port, leaf)).toBe('good')
    expect((await command(first, 'status')).code).toBe(0)
    const { code, stderr } = await command(second, 'reload')
    expect(code).toBe(3)
    expect(stderr).toContain(`runs with ${first.configFile}, not with ${second.configFile}`)
    expect(await second.stop()).toBe(0)
    expect((await command(first, 'status')).code).toBe(0)
  })

  test('one after the other: the socket of one that was killed is taken over', async () => {
    const first = await start()
    await first.opened()
    first.program.kill('SIGKILL')
    await first.program.ended
    expect(existsSync(join(storeDir, 'staplewright.sock'))).toBe(true)
    expect((await command(first, 'status')).code).toBe(3)
    const second = await start()
    await second.opened()
    expect((await command(second, 'status')).code).toBe(0)
  })
})

async function rewrite({ configFile }: RunningDaemon, change: (text: string) => string): Promise<void> {
  const text = await readFile(configFile, 'utf8')
  const changed = change(text)
  expect(changed).not.toBe(text)
  await writeFile(configFile, changed)
}
