/**
 * 200 reloads under load: clients that shake hands all the time never fail and never miss a staple, and nothing of what
 * was replaced is held on to.
 */
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import type { Leaf } from '../kit/authority.ts'
import { connectWithNode } from '../kit/clients/node.ts'
import { formatConfig, type RunningDaemon, startDaemon } from '../kit/daemon.ts'
import { judge, placeByRename } from './renewal.ts'
import { setStage } from './stage.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 180_000 })

/** One in so many because files changed; the others by SIGHUP, every second of them after a renewal. */
const everyRenewal = 6
/** In this process: the one that serves, its prototype, and one or two that a last connection holds on to. */
const mostServers = 4
/** One that is held on to for each reload would be 140 of them, and 2.4 MB of heap. */
const megabyte = 1_048_576
const memoryReport = fileURLToPath(new URL('../kit/memory-report.mjs', import.meta.url))

interface Memory {
  readonly heapUsed: number
  readonly external: number
  readonly rss: number
  /** tls.Servers that are alive; absent where Node cannot tell. */
  readonly servers?: number
}

test.each([
  { workers: 1, reloads: 200, warmUp: 60 },
  { workers: 2, reloads: 60, warmUp: 20 },
])('$reloads reloads, $workers at work: no failed handshake, none without its staple, flat memory', async (o) => {
  const { reloads, warmUp } = o
  const stage = await setStage({ thisUpdateAgeMs: 60_000 })
  const leaves: Leaf[] = []
  for (let n = 0; n < 6; n++) leaves.push(await stage.issue())
  const [first] = leaves as [Leaf]
  const { files, put } = await placeByRename(first)
  const config = formatConfig({ backend: stage.backend.url, leaf: files, lines: [`workers: ${o.workers}`] }).replace(
    'tls {',
    'tls {\n  timeout: 0.5',
  )
  const daemon = await startDaemon(config, { env: { NODE_OPTIONS: `--import ${memoryReport}` } })
  const clients = startClients(await daemon.opened(), first.rootFile)

  let renewed = 0
  let memoryBefore: Memory | undefined
  let marks = { lines: 0, handshakes: 0 }
  for (let round = 0; round < reloads; round++) {
    marks = { lines: daemon.log().length, handshakes: clients.count() }
    const isRenewal = round % everyRenewal === 0
    if (isRenewal || round % 2 === 0) await put(leaves[++renewed % leaves.length] as Leaf)
    if (!isRenewal) daemon.program.kill('SIGHUP')
    await daemon.waitForLine(isRenewal ? /^reloaded \(.*changed\)/ : /^reloaded \(SIGHUP\)$/, 20_000, marks.lines)
    if (round === warmUp) memoryBefore = await measure(daemon, clients.pause)
  }
  const memory = await measure(daemon, clients.pause)
  const { failed, unstapled, handshakes, shown } = await clients.end()

  expect({ failed, unstapled }).toEqual({ failed: [], unstapled: [] })
  expect(handshakes).toBeGreaterThan(reloads)
  expect(shown).toBe(leaves.length)
  expect(daemon.log().filter(({ level }) => level === 'error' || level === 'warn')).toEqual([])
  if (memory.servers !== undefined) expect(memory.servers).toBeLessThanOrEqual(mostServers)
  expect(memory.heapUsed - (memoryBefore as Memory).heapUsed).toBeLessThan(1.5 * megabyte)
  expect(memory.rss - (memoryBefore as Memory).rss).toBeLessThan(24 * megabyte)
})

/** Several at once, TLS 1.2 and 1.3 in turn, each handshake a full one. */
function startClients(port: number, rootFile: string) {
  const failed: string[] = []
  const unstapled: string[] = []
  const shown = new Set<bigint>()
  let handshakes = 0
  let isEnding = false
  let paused: Promise<void> | undefined
  const run = async (version: '1.2' | '1.3') => {
    while (!isEnding) {
      await paused
      const outcome = await connectWithNode({ port, rootFile, version })
      handshakes++
      const { staple, serial } = judge(outcome.certificate, outcome.stapleBytes)
      if (!outcome.connected) failed.push(outcome.refusedBecause ?? 'not connected')
      else if (staple !== 'good') unstapled.push(`${version}: ${staple}`)
      if (serial !== undefined) shown.add(serial)
    }
  }
  const clients = (['1.2', '1.3', '1.2', '1.3'] as const).map(run)
  return {
    count: () => handshakes,
    /** Nobody connects while the task runs. */
    async pause<T>(task: () => Promise<T>): Promise<T> {
      let resume = () => {}
      paused = new Promise((resolve) => {
        resume = resolve
      })
      const result = await task()
      paused = undefined
      resume()
      return result
    },
    async end() {
      isEnding = true
      await Promise.all(clients)
      return { failed, unstapled, handshakes, shown: shown.size }
    },
  }
}

/** What is left after the garbage is collected, when what waits for a moment is gone too. */
function measure(daemon: RunningDaemon, pause: <T>(task: () => Promise<T>) => Promise<T>): Promise<Memory> {
  return pause(async () => {
    const report = async () => {
      const from = daemon.program.stdout().length
      daemon.program.kill('SIGUSR2')
      const lines = () => daemon.program.stdout().slice(from)
      await vi.waitUntil(() => lines().includes('\n'), { timeout: 10_000, interval: 5 })
      return JSON.parse(lines()) as Memory
    }
    // Certificates that were replaced are kept for a handshake's time.
    let memory = await report()
    const deadline = performance.now() + 5_000
    while (performance.now() < deadline && (memory.servers ?? Number.POSITIVE_INFINITY) > mostServers)
      memory = await report()
    return memory
  })
}
