// npm run bench [NAME…] [--rounds N] [--seconds S] [--record] …
// Runs every bench/NAME/bench.mjs, one after the other. Each exports
//   run(values) → Promise<{ markdown: string, failures: string[] }>
// where values are the parsed options, markdown is what is printed and recorded, and failures are the
// hard numbers that were missed (they make the exit code 1; aims do not).

import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { formatOptions, parseArguments } from './kit/arguments.mjs'
import { record } from './kit/record.mjs'

const here = import.meta.dirname
const known = readdirSync(here)
  .filter((name) => existsSync(path.join(here, name, 'bench.mjs')))
  .sort()

const { names, values } = parse()
let failed = 0
for (const name of names.length > 0 ? names : known) {
  const { run } = await import(`./${name}/bench.mjs`)
  console.log(`\n── ${name} ──`)
  const { markdown, failures } = await run(values).catch((error) => {
    console.error(`error: ${name}: ${error.message}`)
    process.exit(2)
  })
  console.log(`\n${markdown}`)
  for (const failure of failures) console.log(`FAIL ${name}: ${failure}`)
  failed += failures.length
  if (values.record) {
    record(name, markdown)
    console.log(`recorded in docs/benchmarks.md`)
  }
}
process.exit(failed > 0 ? 1 : 0)

function parse() {
  let problem
  try {
    const parsed = parseArguments()
    if (parsed.values.help) {
      console.log(
        [`usage: npm run bench -- [NAME…] [options]`, `benches: ${known.join(', ')}`, ...formatOptions()].join('\n'),
      )
      process.exit(0)
    }
    const stranger = parsed.names.find((name) => !known.includes(name))
    if (parsed.values.record && parsed.values.only) throw new TypeError('--record is for whole benches, without --only')
    if (stranger === undefined) return parsed
    problem = `no bench is named "${stranger}"; there are ${known.join(', ')}`
  } catch (error) {
    problem = error.message
  }
  console.error(`error: ${problem}\nhint: npm run bench -- --help`)
  process.exit(2)
}
