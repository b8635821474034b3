// Memory per idle TLS connection: what a front's process tree holds with ten thousand of them, less what it held without,
// each time in a front just started. Garbage that is not collected yet counts: the memory is taken.

import { setTimeout as delay } from 'node:timers/promises'
import { converse } from '../../kit/child.mjs'
import { readMemory } from '../../kit/memory.mjs'
import { formatTable } from '../../kit/table.mjs'
import { compareServe, formatMedian, formatSamples, formatVerdicts } from '../results.mjs'

/** A front that has grown goes on collecting for a while. */
const settleMs = 2_000

export const memory = {
  name: 'memory',
  seconds: 0,
  mostRounds: 3,
  async measure({ fronts, stage, start, rounds, progress }) {
    const cells = fronts.map((front) => ({ front, samples: [], bases: [] }))
    for (let round = 0; round < rounds; round++) {
      for (const cell of round % 2 === 0 ? cells : [...cells].reverse()) {
        progress(`memory: round ${round + 1} of ${rounds}, ${cell.front.label}`)
        await sample(cell, stage, start)
      }
    }
    const verdicts = compareServe(cells, { of: 'memory per connection' })
    const rows = cells.map(({ front, samples, bases }) => [
      front.label,
      formatMedian(bases, 1),
      formatSamples(samples, 1),
    ])
    return {
      verdicts,
      markdown: [
        '### Memory per idle connection',
        `${stage.connections} TLS connections, each with one to the backend; all are shown to be alive after the measurement. Anonymous memory (PSS) of the front's processes.`,
        formatTable(['server', 'without connections, MB:', 'KB per connection:'], rows),
        ...(verdicts.length > 0 ? [formatVerdicts(verdicts)] : []),
      ].join('\n\n'),
    }
  },
}

async function sample(cell, stage, start) {
  const front = await start(cell.front, stage.backendPort)
  await delay(settleMs)
  const without = readMemory(front.server.pid)
  const client = await holdConnections(front, stage, stage.connections)
  await delay(settleMs)
  const withAll = readMemory(front.server.pid)
  await client.prove()
  await client.end()
  await front.server.stop()
  cell.bases.push(without / 1e6)
  cell.samples.push((withAll - without) / stage.connections / 1e3)
}

/** Idle connections to a front, from a process of their own; `prove` throws unless every one still echoes. */
export async function holdConnections(front, stage, connections) {
  const client = converse(stage.programs.hold, [...front.target, '--connections', `${connections}`])
  await client.hear()
  return {
    end: client.end,
    async prove() {
      client.say('echo')
      const answer = await client.hear()
      if (answer !== `alive ${connections}`) throw new Error(`of ${connections} idle connections: ${answer}`)
    },
  }
}
