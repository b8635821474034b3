// Server CPU per full TLS 1.3 handshake, stapled and not: Staplewright's two doors beside the least that Node
// can do, nginx, HAProxy, Caddy and nats-server. docs/benchmarks.md says how to read it.

import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort, run as runProgram, startServer } from '../kit/child.mjs'
import { cpuBetween, readCpu } from '../kit/cpu.mjs'
import { describeMachine, findNodes, repository } from '../kit/machine.mjs'
import { median } from '../kit/statistics.mjs'
import { listCells, peers } from './cells.mjs'
import { compile } from './compile.mjs'
import { createMaterial } from './material.mjs'
import { formatResults } from './results.mjs'
import { judge } from './verdicts.mjs'

// Many short rounds rather than a few long ones: the two sides of a ratio are then close in time.
// And servers started anew, since one start differs from the next by some percent for as long as it runs.
const defaults = { rounds: 15, starts: 3, seconds: 0.8, warmup: 2 }

/**
 * Measure every cell in interleaved rounds.
 *
 * @returns {Promise<{ markdown: string, failures: string[] }>}
 */
export async function run(values) {
  const { rounds, starts, seconds, warmup } = { ...defaults, ...values }
  const dist = path.resolve(values.dist ?? path.join(repository, 'dist'))
  const nodes = findNodes({ majors: values.nodes, paths: values.node })
  const { cells: all, missing } = listCells({ nodes, dist, profile: values.profile })
  const wanted = values.only === undefined ? all : all.filter((cell) => new RegExp(values.only, 'i').test(cell.key))
  if (wanted.length === 0)
    throw new Error(`--only ${values.only} matches no cell of:\n${all.map((c) => c.key).join('\n')}`)

  const programs = await compile()
  const directory = mkdtempSync(path.join(os.tmpdir(), 'staplewright-bench-'))
  const material = await createMaterial(directory)
  const started = []
  try {
    const backendPort = await freePort()
    started.push(await startServer({ command: programs.backend, args: [`${backendPort}`], port: backendPort }))
    const cells = wanted.map((cell) => ({ ...cell, samples: [], rates: [] }))
    let done = 0
    for (let start = 0; start < starts; start++) {
      const until = Math.round((rounds * (start + 1)) / starts)
      if (until === done) continue
      for (const [index, cell] of cells.entries()) {
        const place = { port: await freePort(), sparePort: await freePort(), backendPort, material }
        const where = path.join(directory, `start-${start}-cell-${index}`)
        cell.server = await startServer(cell.program({ ...place, directory: where }))
        started.push(cell.server)
        cell.load = (...amount) => loadOnce(programs.client, cell, place.port, material, amount)
        await prove(cell, cell.server, cell.load)
        await cell.load('--seconds', `${warmup}`)
        progress(`ready: ${cell.key}`)
      }
      for (; done < until; done++) {
        progress(`round ${done + 1} of ${rounds}, start ${start + 1} of ${starts}`)
        // There and back again: whatever drifts during a round falls on both sides of each ratio in turn.
        for (const cell of done % 2 === 0 ? cells : [...cells].reverse()) await measure(cell, seconds)
      }
      for (const cell of cells) await cell.server.stop()
    }
    const samples = new Map(cells.map((cell) => [cell.key, cell.samples]))
    const verdicts = judge(samples, nodes)
    return {
      markdown: formatResults({
        cells,
        verdicts,
        missing,
        command: `npm run bench -- handshake --rounds ${rounds} --starts ${starts} --seconds ${seconds}`,
        machine: describeMachine(),
        versions: [
          ...nodes.map((node) => `Node ${node.version}`),
          ...peers.filter((peer) => peer.version()).map((peer) => `${peer.name} ${peer.version()}`),
        ],
        stapleBytes: material.stapleBytes,
        load: median(cells.flatMap((cell) => cell.rates)),
      }),
      failures: verdicts
        .filter((row) => row.isHard && !row.isMet)
        .map((row) => `${row.what}: ${row.ratio.median.toFixed(3)}, at most ${row.limit} is allowed`),
    }
  } finally {
    for (const server of started.reverse()) await server.stop()
    material.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** One sample: the CPU time that the server's process tree used, over the handshakes it made. */
async function measure(cell, seconds) {
  const before = readCpu(cell.server.pid)
  const result = await cell.load('--seconds', `${seconds}`)
  // The last connection's end is the server's work too.
  await delay(30)
  const cpuMs = cpuBetween(before, readCpu(cell.server.pid))
  cell.samples.push((cpuMs * 1000) / result.handshakes)
  cell.rates.push(result.handshakes / result.seconds)
}

/** Wait until the server staples (or does not) as it should: some fetch their staple in the background. */
async function prove(cell, server, load) {
  const deadline = Date.now() + 15_000
  for (;;) {
    try {
      return await load('--count', '50')
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`${cell.key}: ${error.message}\n${server.output()}`)
      await delay(200)
    }
  }
}

/** The client judges every handshake, also while it is measured: exactly our staple's bytes, or none. */
async function loadOnce(client, cell, port, material, amount) {
  const args = [
    '--port',
    `${port}`,
    ...amount,
    ...(cell.isStapled ? ['--staple', material.stapleFile] : ['--unstapled']),
  ]
  if (cell.door === 'terminator') args.push('--backend')
  return JSON.parse(await runProgram(client, args))
}

function progress(text) {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`)
}
