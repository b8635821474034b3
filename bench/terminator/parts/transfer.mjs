// Bytes through a front: one connection and sixteen, up to the backend and down from it. How many bytes a second depends on
// all processes of a machine with few cores, the client's cryptography among them; what it costs the front does not.

import { converse } from '../../kit/child.mjs'
import { cpuBetween, readCpu } from '../../kit/cpu.mjs'
import { formatTable } from '../../kit/table.mjs'
import { compareServe, formatMedian, formatSamples, formatVerdicts } from '../results.mjs'

const directions = ['up', 'down']

export const transfer = {
  name: 'transfer',
  seconds: 0.8,
  async measure({ fronts, stage, start, rounds, seconds, progress }) {
    const running = []
    for (const front of fronts) running.push(await start(front, stage.backendPort))
    const cells = [1, 16].flatMap((connections) =>
      directions.flatMap((direction) =>
        // One connection is one core's worth, however many there are.
        running
          .filter(({ width }) => connections > 1 || width === 1)
          .map((front) => ({ front, direction, connections, samples: [], rates: [] })),
      ),
    )
    for (let round = 0; round < rounds; round++) {
      progress(`transfer: round ${round + 1} of ${rounds}`)
      for (const cell of round % 2 === 0 ? cells : [...cells].reverse()) await sample(cell, stage, seconds)
    }
    const verdicts = directions.flatMap((direction) =>
      [1, 16].flatMap((connections) =>
        compareServe(
          cells.filter((cell) => cell.direction === direction && cell.connections === connections),
          { of: `${direction}, ${connections} connection${connections > 1 ? 's' : ''}` },
        ),
      ),
    )
    return {
      verdicts,
      markdown: [
        '### Bytes through a front',
        'TLS 1.3, AES-128-GCM. A GB is 10^9 bytes of payload; CPU is that of the front alone.',
        ...[1, 16].map((connections) => format(cells, running, connections)),
        ...(verdicts.length > 0 ? ['CPU per GB, compared:', formatVerdicts(verdicts)] : []),
      ].join('\n\n'),
    }
  },
}

/** One sample; the client compares every byte that comes, the backend every byte that arrives and says how many did. */
async function sample(cell, stage, seconds) {
  const { front, direction, connections } = cell
  const args = [...front.target, '--direction', direction, '--connections', `${connections}`, '--seconds', `${seconds}`]
  const client = converse(stage.programs.transfer, args)
  await client.hear()
  const before = readCpu(front.server.pid)
  client.say()
  const result = JSON.parse(await client.hear())
  const cpuMs = cpuBetween(before, readCpu(front.server.pid))
  client.say()
  await client.end()
  cell.samples.push((cpuMs * 1e9) / result.bytes)
  cell.rates.push(result.bytes / result.seconds / 1e6)
}

function format(cells, running, connections) {
  const rows = running.flatMap((front) => {
    const own = directions.map((direction) =>
      cells.find((cell) => cell.front === front && cell.direction === direction && cell.connections === connections),
    )
    if (own.includes(undefined)) return []
    return [[front.label, ...own.flatMap(({ rates, samples }) => [formatMedian(rates), formatSamples(samples)])]]
  })
  const title = connections === 1 ? 'one connection' : `${connections} connections`
  return formatTable([title, 'up, MB/s:', 'up, CPU ms per GB:', 'down, MB/s:', 'down, CPU ms per GB:'], rows)
}
