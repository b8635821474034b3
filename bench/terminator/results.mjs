// What the parts of the bench write the same way: samples in cells, ratios in a table of verdicts.

import { median, pairedRatio, summarise } from '../kit/statistics.mjs'
import { formatTable } from '../kit/table.mjs'

/** A median with the least and the most in parentheses. */
export function formatSamples(samples, digits = 0) {
  const { median: middle, min, max } = summarise(samples)
  return `${middle.toFixed(digits)} (${min.toFixed(digits)}..${max.toFixed(digits)})`
}

/** Just the median. */
export function formatMedian(samples, digits = 0) {
  return median(samples).toFixed(digits)
}

/**
 * The usual comparisons of staplewright serve: with the least front of the same Node, and with the peers of its width.
 *
 * @param {{ front: Front, samples: number[] }[]} cells
 * @param {{ least?: number, peers?: number, of: string }} limits hard for the least front, an aim for the peers
 */
export function compareServe(cells, { least, peers, of }) {
  const rows = []
  for (const serve of cells.filter(({ front }) => front.name.includes('serve'))) {
    const node = serve.front.name.split(', ')[1]
    for (const other of cells) {
      const isLeast = other.front.name === `least front, ${node}`
      const isPeer = !other.front.name.includes('Node') && other.front.width === serve.front.width
      if (!isLeast && !isPeer) continue
      const ratio = pairedRatio(serve.samples, other.samples)
      const limit = isLeast ? least : peers
      rows.push({
        what: `${of}: ${serve.front.label} ÷ ${other.front.label}`,
        ratio,
        limit,
        isHard: isLeast,
        isMet: limit === undefined || ratio.median <= limit,
      })
    }
  }
  return rows
}

export function formatVerdicts(verdicts) {
  const rows = verdicts.map(({ what, ratio, limit, isHard, isMet }) => [
    what,
    `${ratio.median.toFixed(3)} ± ${ratio.error.toFixed(3)}`,
    `${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)}`,
    limit === undefined ? '' : `${isHard ? 'hard' : 'aim'} ≤ ${limit.toFixed(2)}`,
    limit === undefined ? '' : isHard ? (isMet ? 'PASS' : 'FAIL') : isMet ? 'met' : 'not met',
  ])
  return formatTable(['ratio, round by round', 'median ± standard error:', 'min..max:', 'limit', 'verdict'], rows)
}
