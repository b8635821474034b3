// The results as Markdown, for the terminal and for docs/benchmarks.md alike.

import { summarise } from '../kit/statistics.mjs'
import { formatTable } from '../kit/table.mjs'

const doors = [
  ['attach', 'A server that holds the certificate itself'],
  ['terminator', 'A TLS front before a TCP backend'],
]

export function formatResults({ cells, verdicts, missing, command, machine, versions, stapleBytes, load }) {
  return [
    '## Server CPU per full TLS 1.3 handshake',
    `\`${command}\` on ${new Date().toISOString().slice(0, 10)}; ${machine}.`,
    `${versions.join(', ')}. The staple has ${stapleBytes} bytes; ${cells[0].samples.length} rounds, about ${Math.round(load)} handshakes/s while a server is measured.`,
    ...doors.flatMap(([door, title]) =>
      formatDoor(
        title,
        cells.filter((cell) => cell.door === door),
      ),
    ),
    ...(verdicts.length > 0 ? ['### The numbers to reach', formatVerdicts(verdicts)] : []),
    ...(missing.length > 0 ? [`Not measured here: ${missing.join('; ')}.`] : []),
  ].join('\n\n')
}

function formatDoor(title, cells) {
  if (cells.length === 0) return []
  const rows = [...new Set(cells.map((cell) => cell.name))].map((name) => {
    const find = (isStapled) => cells.find((cell) => cell.name === name && cell.isStapled === isStapled)
    return [name, ...formatSamples(find(true)), ...formatSamples(find(false))]
  })
  return [`### ${title}`, formatTable(['server', 'stapled, us:', 'min..max:', 'unstapled, us:', 'min..max:'], rows)]
}

function formatSamples(cell) {
  if (cell === undefined) return ['-', '-']
  const { median, min, max } = summarise(cell.samples)
  return [median.toFixed(0), `${min.toFixed(0)}..${max.toFixed(0)}`]
}

function formatVerdicts(verdicts) {
  const rows = verdicts.map(({ what, ratio, limit, isHard, isMet }) => [
    what,
    ratio.median.toFixed(3),
    `${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)}`,
    limit === undefined ? '' : `${isHard ? 'hard' : 'aim'} ≤ ${limit.toFixed(2)}`,
    limit === undefined ? '' : isHard ? (isMet ? 'PASS' : 'FAIL') : isMet ? 'met' : 'not met',
  ])
  return formatTable(['ratio, round by round', 'median:', 'min..max:', 'limit', 'verdict'], rows)
}
