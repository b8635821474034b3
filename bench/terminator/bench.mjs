// The front in depth, beside the fronts of others: bytes, handshakes, memory, latency, and before a nats-server beside
// that server's own TLS. docs/benchmarks.md says how to read it.

import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createMaterial } from '../handshake/material.mjs'
import { freePort, startServer } from '../kit/child.mjs'
import { describeMachine, findNodes, repository } from '../kit/machine.mjs'
import { mostOpenFiles, withOpenFiles } from '../kit/memory.mjs'
import { compile } from './compile.mjs'
import { listFronts, startFront } from './fronts.mjs'
import { handshake } from './parts/handshake.mjs'
import { latency } from './parts/latency.mjs'
import { memory } from './parts/memory.mjs'
import { nats } from './parts/nats.mjs'
import { transfer } from './parts/transfer.mjs'

const parts = [transfer, handshake, memory, latency, nats]
const defaultRounds = 7

/**
 * Measure every part, one after the other, each in interleaved rounds.
 *
 * @returns {Promise<{ markdown: string, failures: string[] }>}
 */
export async function run(values) {
  const { rounds = defaultRounds } = values
  const dist = path.resolve(values.dist ?? path.join(repository, 'dist'))
  const nodes = findNodes({ majors: values.nodes, paths: values.node })
  const { fronts, missing, versions } = listFronts(nodes, dist)
  const chosen = choose(fronts, values.only)

  const programs = await compile()
  const directory = mkdtempSync(path.join(os.tmpdir(), 'staplewright-bench-'))
  const material = await createMaterial(directory)
  // A front has two sockets open for each connection, and some files besides.
  const connections = Math.min(10_000, Math.floor((mostOpenFiles() - 100) / 2))
  const stage = { programs, material, directory, connections, oneBytePort: await freePort() }
  const started = []
  const results = []
  try {
    stage.backendPort = await freePort()
    started.push(await startBackend(programs.oneByte, stage.oneBytePort))
    started.push(await startBackend(programs.backend, stage.backendPort))
    for (const part of parts) {
      const own = chosen.get(part)
      if (own.length === 0) continue
      const running = []
      const start = async (cell, backendPort, isOneByte) => {
        const front = await startFront(cell, backendPort, stage, isOneByte)
        running.push(front.server)
        return front
      }
      try {
        const repetitions = Math.min(rounds * (part.roundsFactor ?? 1), part.mostRounds ?? Number.POSITIVE_INFINITY)
        const seconds = values.seconds ?? part.seconds
        results.push(await part.measure({ fronts: own, stage, start, rounds: repetitions, seconds, progress }))
      } finally {
        // Each part begins with fronts that have done nothing yet, and has the machine to itself.
        for (const server of running.reverse()) await server.stop()
      }
    }
  } finally {
    for (const server of started.reverse()) await server.stop()
    material.close()
    rmSync(directory, { recursive: true, force: true })
  }
  const failed = results.flatMap(({ verdicts }) => verdicts).filter((row) => row.isHard && !row.isMet)
  return {
    markdown: [
      '## The front, in depth',
      `\`npm run bench -- terminator --rounds ${rounds}\` on ${new Date().toISOString().slice(0, 10)}; ${describeMachine()}.`,
      `${[...nodes.map((node) => `Node ${node.version}`), ...versions].join(', ')}. Medians, the least and the most of the rounds in parentheses.`,
      ...results.map(({ markdown }) => markdown),
      ...(missing.length > 0 ? [`Not measured here: ${missing.join('; ')}.`] : []),
    ].join('\n\n'),
    failures: failed.map(
      ({ what, ratio, limit }) => `${what}: ${ratio.median.toFixed(3)}, at most ${limit} is allowed`,
    ),
  }
}

/** The fronts of each part; `only` is matched against "transfer · HAProxy × 2". */
function choose(fronts, only) {
  const pattern = new RegExp(only ?? '', 'i')
  const chosen = new Map(
    parts.map((part) => [part, fronts.filter((front) => pattern.test(`${part.name} · ${front.label}`))]),
  )
  if ([...chosen.values()].some((list) => list.length > 0)) return chosen
  const names = parts.flatMap((part) => fronts.map((front) => `${part.name} · ${front.label}`))
  throw new Error(`--only ${only} matches nothing of:\n${names.join('\n')}`)
}

function startBackend(command, port) {
  return startServer(withOpenFiles({ command, args: [`${port}`], port }))
}

function progress(text) {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`)
}
