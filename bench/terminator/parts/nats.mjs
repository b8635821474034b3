// The same nats-server with its own TLS and in the clear behind a front: one client publishes to a subject without
// subscribers, through the same TLS 1.3. What is compared is the CPU time of all processes that a service then needs:
// nats-server alone, or nats-server and its front.

import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { converse, freePort, startServer } from '../../kit/child.mjs'
import { cpuBetween, readCpu } from '../../kit/cpu.mjs'
import { pairedRatio } from '../../kit/statistics.mjs'
import { formatTable } from '../../kit/table.mjs'
import { natsServer } from '../peers/nats-server.mjs'
import { formatMedian, formatSamples, formatVerdicts } from '../results.mjs'

export const nats = {
  name: 'nats',
  seconds: 0.8,
  async measure({ fronts, stage, start, rounds, seconds, progress }) {
    const { material } = stage
    const servers = []
    const cells = []
    const add = (label, { monitorPort }, target, pids) =>
      cells.push({ label, monitorPort, target, pids, samples: [], rates: [] })
    try {
      const own = await startNats(stage, material)
      servers.push(own)
      add(
        'nats-server with its own TLS',
        own,
        ['--port', `${own.port}`, '--info-first', ...stapled(material)],
        [own.pid],
      )
      for (const front of fronts.filter(({ width }) => width === 1)) {
        const clear = await startNats(stage)
        servers.push(clear)
        const { server, target } = await start(front, clear.port)
        add(`nats-server behind ${front.label}`, clear, target, [clear.pid, server.pid])
      }
      for (const cell of cells) await prove(cell, stage)
      for (let round = 0; round < rounds; round++) {
        progress(`nats: round ${round + 1} of ${rounds}`)
        for (const cell of round % 2 === 0 ? cells : [...cells].reverse()) await sample(cell, stage, seconds)
      }
    } finally {
      for (const server of servers) await server.stop()
    }
    const verdicts = cells.slice(1).map((cell) => ({
      what: `CPU of all per GB: ${cell.label} ÷ ${cells[0].label}`,
      ratio: pairedRatio(cell.samples, cells[0].samples),
    }))
    const rows = cells.map(({ label, samples, rates }) => [label, formatMedian(rates), formatSamples(samples)])
    return {
      verdicts,
      markdown: [
        '### Before a nats-server',
        'One client publishes messages of 64 KiB to a subject that nobody has subscribed to. CPU is that of nats-server and its front together.',
        formatTable(['server', 'MB/s:', 'CPU ms per GB:'], rows),
        formatVerdicts(verdicts),
      ].join('\n\n'),
    }
  },
}

async function startNats(stage, material) {
  const [port, monitorPort] = [await freePort(), await freePort()]
  const directory = path.join(stage.directory, `nats-${port}`)
  const server = await startServer(natsServer.program({ port, monitorPort, directory, material }))
  return { ...server, port, monitorPort }
}

function stapled(material) {
  return ['--staple', material.stapleFile]
}

/** nats-server fetches its staple in the background. */
async function prove(cell, stage) {
  for (const deadline = Date.now() + 15_000; ; await delay(200)) {
    try {
      await sample({ ...cell, samples: [], rates: [] }, stage, 0.3)
      return
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`${cell.label}: ${error.message}`)
    }
  }
}

/** One sample; nats-server's own count of what came in must have grown by at least what the client published. */
async function sample({ target, pids, monitorPort, samples, rates }, stage, seconds) {
  const client = converse(stage.programs.publish, [...target, '--seconds', `${seconds}`])
  await client.hear()
  const arrived = await readArrived(monitorPort)
  const before = pids.map(readCpu)
  client.say()
  const result = JSON.parse(await client.hear())
  const cpuMs = pids.reduce((sum, pid, index) => sum + cpuBetween(before[index], readCpu(pid)), 0)
  const counted = (await readArrived(monitorPort)) - arrived
  if (counted !== result.bytes) throw new Error(`nats-server counts ${counted} bytes, the client ${result.bytes}`)
  client.say()
  await client.end()
  samples.push((cpuMs * 1e9) / result.bytes)
  rates.push(result.bytes / result.seconds / 1e6)
}

/** Bytes of payload that nats-server has read. */
async function readArrived(monitorPort) {
  const response = await fetch(`http://127.0.0.1:${monitorPort}/varz`)
  return (await response.json()).in_bytes
}
