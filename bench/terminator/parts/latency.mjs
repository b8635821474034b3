// How long a small message takes there and back with a thousand idle connections beside: when nothing else goes on, and
// while another client floods the front with handshakes.

import { setTimeout as delay } from 'node:timers/promises'
import { run } from '../../kit/child.mjs'
import { formatTable } from '../../kit/table.mjs'
import { compareServe, formatMedian, formatSamples, formatVerdicts } from '../results.mjs'
import { holdConnections } from './memory.mjs'

const idle = 1_000

export const latency = {
  name: 'latency',
  seconds: 1,
  async measure({ fronts, stage, start, rounds, seconds, progress }) {
    const cells = []
    for (const front of fronts) {
      progress(`latency: ${idle} idle connections to ${front.label}`)
      const started = await start(front, stage.backendPort)
      const held = await holdConnections(started, stage, idle)
      cells.push({ front: started, held, calm: createTimes(), flooded: createTimes(), rates: [] })
    }
    for (let round = 0; round < rounds; round++) {
      progress(`latency: round ${round + 1} of ${rounds}`)
      for (const cell of round % 2 === 0 ? cells : [...cells].reverse()) await sample(cell, stage, seconds)
    }
    for (const { held } of cells) {
      await held.prove()
      await held.end()
    }
    const compare = (of, choose) =>
      compareServe(
        cells.map((cell) => ({ front: cell.front, samples: choose(cell) })),
        { of },
      )
    const verdicts = [
      ...compare('p50, unloaded', (cell) => cell.calm.p50),
      ...compare('p99, unloaded', (cell) => cell.calm.p99),
      ...compare('p50 in a flood', (cell) => cell.flooded.p50),
      ...compare('p99 in a flood', (cell) => cell.flooded.p99),
    ]
    const rows = cells.map(({ front, calm, flooded, rates }) => [
      front.label,
      ...[calm.p50, calm.p99, flooded.p50, flooded.p99].map((samples) => formatSamples(samples)),
      formatMedian(rates),
    ])
    const head = ['server', 'p50, us:', 'p99, us:', 'p50 in a flood, us:', 'p99 in a flood, us:', 'handshakes/s:']
    return {
      verdicts,
      markdown: [
        '### A small message beside others',
        `64 bytes there and back, ${idle} idle connections beside; the flood is four connections that do nothing but full handshakes.`,
        formatTable(head, rows),
        ...(verdicts.length > 0 ? [formatVerdicts(verdicts)] : []),
      ].join('\n\n'),
    }
  },
}

async function sample({ front, calm, flooded, rates }, stage, seconds) {
  const echo = async () => JSON.parse(await run(stage.programs.echo, [...front.target, '--seconds', `${seconds}`]))
  keep(calm, await echo())
  const flood = front.shakeHands('--seconds', `${seconds + 0.6}`, '--connections', '4')
  // A rejection is for the `await` below, after the echo has told what it saw.
  flood.catch(() => {})
  await delay(200)
  keep(flooded, await echo())
  const { handshakes, seconds: took } = await flood
  rates.push(handshakes / took)
}

function createTimes() {
  return { p50: [], p99: [] }
}

/** @param times all of a sample, sorted */
function keep(percentiles, times) {
  if (times.length < 50) throw new Error(`only ${times.length} echoes in a sample: give it more --seconds`)
  percentiles.p50.push(times[Math.floor(times.length * 0.5)])
  percentiles.p99.push(times[Math.floor(times.length * 0.99)])
}
