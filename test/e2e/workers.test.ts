/** `workers: 2` as a user runs it: the daemon, its workers, and signals to any of them. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Leaf } from '../kit/authority.ts'
import { formatConfig, type RunningDaemon, startDaemon } from '../kit/daemon.ts'
import { freePort } from '../kit/free-port.ts'
import { endsWithTest } from '../kit/lifetime.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { isAccepted, shakeHands, until } from '../serve/tls-client.ts'
import { look, setStage } from './stage.ts'

const lines = ['workers: 2', 'drain_timeout: 5s']

describe('a daemon with workers', () => {
  it('staples in all of them with one request, and ends in order', async () => {
    const { daemon, port, leaf, stage } = await start()
    for (let shaken = 0; shaken < 6; shaken++) expect(await look(port, leaf)).toBe('good')
    expect(stage.responder.count).toBe(1)
    const workers = workersOf(daemon)
    expect(workers).toHaveLength(2)
    expect(await daemon.stop()).toBe(0)
    expect(workers.filter(isAlive)).toEqual([])
  })

  it('reloads in all of them, and the connections of before go on', async () => {
    const { daemon, port } = await start()
    const workers = workersOf(daemon)
    const held = await Promise.all(Array.from({ length: 10 }, () => shakeHands(port)))
    daemon.program.kill('SIGHUP')
    await daemon.waitForLine(/^reloaded/)
    expect(workersOf(daemon)).toEqual(workers)
    expect(held.filter(({ socket }) => socket.destroyed)).toEqual([])
    const session = await Promise.all(Array.from({ length: 10 }, () => shakeHands(port)))
    expect(session.filter(({ staple }) => !staple)).toEqual([])
  })

  it('replaces a worker that is killed, and says so', async () => {
    const { daemon, port, leaf } = await start()
    const [victim = 0] = workersOf(daemon)
    process.kill(victim, 'SIGKILL')
    const line = await daemon.waitForLine(/another takes its place/)
    expect(line).toMatchObject({ level: 'error', event: 'worker-ended', pid: victim })
    await until(() => workersOf(daemon).length === 2)
    expect(await look(port, leaf)).toBe('good')
    expect(await daemon.stop()).toBe(0)
  })

  it('serves on while it is frozen', async () => {
    const { daemon, port, leaf } = await start()
    daemon.program.kill('SIGSTOP')
    endsWithTest(() => daemon.program.kill('SIGCONT'))
    for (let shaken = 0; shaken < 6; shaken++) expect(await look(port, leaf)).toBe('good')
    daemon.program.kill('SIGCONT')
    expect(await daemon.stop()).toBe(0)
  })

  it('ends in order when all its processes are told to, as by a supervisor or a Ctrl-C', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const { daemon } = await start()
      process.kill(-daemon.program.pid, signal)
      expect(await daemon.exitCode()).toBe(0)
      expect(daemon.log().filter(({ level }) => level === 'error' || level === 'warn')).toEqual([])
    }
  })

  it('ends with 3, all of it, when the certificate is revoked and the mode is must', async () => {
    const { daemon, stage, port } = await start('{ mode: must }')
    const workers = workersOf(daemon)
    await stage.responder.behave('revoked')
    await refreshUntilEnded(daemon)
    expect(await daemon.exitCode()).toBe(3)
    expect(workers.filter(isAlive)).toEqual([])
    expect(await isAccepted(port)).toBe(false)
  })

  it('that is killed leaves its port to the next one: connections of before go on, the workers of before end', async () => {
    const { daemon, port, leaf, config } = await start()
    const workers = workersOf(daemon)
    const held = await Promise.all(Array.from({ length: 10 }, () => shakeHands(port)))
    process.kill(daemon.program.pid, 'SIGKILL')
    await until(() => daemon.log().filter(({ message }) => /the primary is gone/.test(message)).length === 2)
    expect(await look(port, leaf)).toBe('good')

    const next = await startDaemon(config)
    expect(await next.opened()).toBe(port)
    expect(await look(port, leaf)).toBe('good')
    expect(workersOf(next).filter((pid) => workers.includes(pid))).toEqual([])
    expect(held.filter(({ socket }) => socket.destroyed)).toEqual([])
    for (const { socket } of held) socket.destroy()
    await until(() => !workers.some(isAlive))
    expect(await next.stop()).toBe(0)
  })
})

async function start(ocsp = '{ mode: auto }') {
  const stage = await setStage()
  const leaf: Leaf = await stage.issue()
  const port = await freePort()
  const storeDir = temporaryDirectory('store')
  const config = formatConfig({ backend: stage.backend.url, leaf, ocsp, storeDir, lines }).replace(
    '127.0.0.1:0',
    `127.0.0.1:${port}`,
  )
  const daemon = await startDaemon(config)
  expect(await daemon.opened()).toBe(port)
  return { stage, leaf, daemon, port, config }
}

/** An answer of the same second as the one held is no better, so it is asked again. */
async function refreshUntilEnded(daemon: RunningDaemon): Promise<void> {
  while (!daemon.program.hasEnded) {
    daemon.program.kill('SIGHUP')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** The processes that the daemon has started. */
function workersOf({ program }: RunningDaemon): number[] {
  return readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, 'utf8')
    .split(' ')
    .map(Number)
    .filter(Boolean)
}

function isAlive(pid: number): boolean {
  return readdirSync('/proc').includes(String(pid))
}
