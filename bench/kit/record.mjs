// docs/benchmarks.md: each bench owns the text between its two markers; what people wrote around
// them stays.

import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { repository } from './machine.mjs'

const file = path.join(repository, 'docs/benchmarks.md')

/** Replace the recorded results of one bench. */
export function record(name, markdown) {
  const text = readText()
  const begin = `<!-- begin ${name} -->`
  const end = `<!-- end ${name} -->`
  const section = `${begin}\n${markdown.trim()}\n${end}`
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  const next =
    from === -1 || to === -1
      ? `${text.trimEnd()}\n\n${section}\n`
      : text.slice(0, from) + section + text.slice(to + end.length)
  writeFileSync(file, next)
}

function readText() {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return '# Benchmarks\n'
    throw error
  }
}
