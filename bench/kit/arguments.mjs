// The command line of every bench: names first, then a few options that mean the same everywhere.
// A bench reads only what concerns it; unknown options end the run before anything is started.

import { parseArgs } from 'node:util'

/** Options of `npm run bench`, in the order in which the help shows them. */
const options = {
  rounds: { type: 'string', help: 'how often each cell is measured (the cells of a round are interleaved)' },
  starts: { type: 'string', help: 'how often the servers are started anew meanwhile (handshake)' },
  seconds: { type: 'string', help: 'length of one sample' },
  warmup: { type: 'string', help: 'seconds of load on each server before the first round' },
  only: { type: 'string', help: 'measure only the cells whose name matches this regular expression' },
  nodes: { type: 'string', help: 'Node majors to measure, "20,24"' },
  node: { type: 'string', multiple: true, help: 'path of one more node binary; may be repeated' },
  dist: { type: 'string', help: 'the built package (default: dist)' },
  profile: { type: 'string', help: 'write a .cpuprofile of each Node server into this directory' },
  record: { type: 'boolean', help: 'write the results into docs/benchmarks.md' },
  help: { type: 'boolean', help: 'show this' },
}

/**
 * Parse the command line of a bench.
 *
 * @returns {{ names: string[], values: Record<string, any> }} names of the benches, and the options as given
 */
export function parseArguments(argv = process.argv.slice(2)) {
  const accepted = Object.fromEntries(Object.entries(options).map(([name, { help, ...option }]) => [name, option]))
  const { values, positionals } = parseArgs({ args: argv, options: accepted, allowPositionals: true })
  for (const name of ['rounds', 'starts', 'seconds', 'warmup']) {
    if (values[name] === undefined) continue
    const number = Number(values[name])
    if (!(number > 0)) throw new TypeError(`--${name} must be a number over 0, got "${values[name]}"`)
    values[name] = number
  }
  return { names: positionals, values }
}

/** The lines of `--help` about the options. */
export function formatOptions() {
  return Object.entries(options).map(
    ([name, { type, help }]) => `  --${`${name}${type === 'string' ? ' X' : ''}`.padEnd(12)} ${help}`,
  )
}
