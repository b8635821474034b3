// The numbers to reach: each is a ratio of two cells of the same round, and a limit. A missed hard number fails the
// bench; a missed aim is said and recorded. Ratios without a limit say where a figure comes from: what Node's own
// 'OCSPRequest' costs is in every stapled figure on Node, whoever answers it.

import { pairedRatio } from '../kit/statistics.mjs'
import { names } from './cells.mjs'

/**
 * Judge the samples.
 *
 * @param samples Map of cell key → CPU per handshake of each round
 * @returns rows { what, ratio, limit?, isHard, isMet }; a comparison whose cells were not measured is left out
 */
export function judge(samples, nodes) {
  const rows = []
  const compare = (what, numerator, denominator, limit, isHard = false) => {
    const [above, below] = [samples.get(numerator), samples.get(denominator)]
    if (above === undefined || below === undefined) return
    const ratio = pairedRatio(above, below)
    rows.push({ what, ratio, limit, isHard, isMet: limit === undefined || ratio.median <= limit })
  }

  for (const node of nodes) {
    const attached = `attach · ${names.attached(node)} · stapled`
    const bare = `attach · ${names.bare(node)} · unstapled`
    compare(`attach, stapled ÷ the same server without Staplewright, ${node.name}`, attached, bare, 1.05, true)
    compare(`attach, stapled ÷ the same server without Staplewright, ${node.name}`, attached, bare, 1.01, false)
    const never = `attach · ${names.attached(node)} · unstapled`
    const ready = `attach · ${names.listener(node)} · stapled`
    compare(`ready bytes in a listener ÷ the same server without, ${node.name}`, ready, bare)
    compare(`attach, stapled ÷ ready bytes in a listener, ${node.name}`, attached, ready)
    compare(`attach, stapled ÷ attach in mode never, ${node.name}`, attached, never, 1.05, true)
    compare(`attach, stapled ÷ Caddy, stapled, ${node.name}`, attached, 'attach · Caddy · stapled', 1, false)
    compare(
      `attach, stapled ÷ nats-server, stapled, ${node.name}`,
      attached,
      'attach · nats-server · stapled',
      1,
      false,
    )

    const serve = `terminator · ${names.serve(node)} · stapled`
    const serveUnstapled = `terminator · ${names.serve(node)} · unstapled`
    const front = `terminator · ${names.front(node)} · unstapled`
    const readyFront = `terminator · ${names.frontListener(node)} · stapled`
    compare(`least front with ready bytes ÷ least front, ${node.name}`, readyFront, front)
    compare(`serve, stapled ÷ least front, ${node.name}`, serve, front, 1.05, true)
    compare(`serve, unstapled ÷ least front, ${node.name}`, serveUnstapled, front, 1.05, true)
    compare(`serve, stapled ÷ serve, unstapled, ${node.name}`, serve, serveUnstapled, 1.05, true)
    compare(`serve, stapled ÷ serve, unstapled, ${node.name}`, serve, serveUnstapled, 1.01, false)
    // nginx before 1.27 cannot staple in a stream, so its figure is the unstapled one.
    compare(`serve, stapled ÷ nginx stream, ${node.name}`, serve, 'terminator · nginx · unstapled', 1.25, false)
    compare(`serve, stapled ÷ HAProxy tcp, stapled, ${node.name}`, serve, 'terminator · HAProxy · stapled', 1.25, false)
  }
  return rows
}
