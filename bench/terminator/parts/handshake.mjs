// Full handshakes through a front, with one core's worth of it and with two: the client and the backend of bench/handshake.

import { setTimeout as delay } from 'node:timers/promises'
import { cpuBetween, readCpu } from '../../kit/cpu.mjs'
import { formatTable } from '../../kit/table.mjs'
import { compareServe, formatMedian, formatSamples, formatVerdicts } from '../results.mjs'

export const handshake = {
  name: 'handshake',
  // Many short samples: the two sides of a ratio are then close in time.
  seconds: 0.4,
  roundsFactor: 3,
  async measure({ fronts, stage, start, rounds, seconds, progress }) {
    const cells = []
    for (const front of fronts) {
      const started = await start(front, stage.oneBytePort, true)
      await started.shakeHands('--seconds', '2')
      cells.push({ front: started, samples: [], rates: [] })
    }
    for (let round = 0; round < rounds; round++) {
      progress(`handshake: round ${round + 1} of ${rounds}`)
      for (const cell of round % 2 === 0 ? cells : [...cells].reverse()) await sample(cell, seconds)
    }
    const verdicts = compareServe(cells, { of: 'CPU per handshake', least: 1.05, peers: 1.25 })
    const rows = cells.map(({ front, samples, rates }) => [front.label, formatSamples(samples), formatMedian(rates)])
    return {
      verdicts,
      markdown: [
        '### Full handshakes through a front',
        'Four connections at a time, each closed before the next; every staple is compared.',
        formatTable(['server', 'CPU us per handshake:', 'handshakes/s:'], rows),
        ...(verdicts.length > 0 ? [formatVerdicts(verdicts)] : []),
      ].join('\n\n'),
    }
  },
}

async function sample({ front, samples, rates }, seconds) {
  const before = readCpu(front.server.pid)
  const result = await front.shakeHands('--seconds', `${seconds}`, '--connections', '4')
  // The last connection's end is the server's work too.
  await delay(30)
  samples.push((cpuBetween(before, readCpu(front.server.pid)) * 1000) / result.handshakes)
  rates.push(result.handshakes / result.seconds)
}
