// Clients and backends are C, so that they take as little as possible of a machine with few cores. Built once into
// bench/.cache, again when a source of the same folder is newer.

import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { run } from './child.mjs'

const cache = path.join(import.meta.dirname, '../.cache')

/** Build `NAME.c` of a folder. @returns {Promise<string>} the program's path */
export async function build(folder, name, libraries = []) {
  mkdirSync(cache, { recursive: true })
  const program = path.join(cache, `${path.basename(path.dirname(folder))}-${name}`)
  const newest = Math.max(...readdirSync(folder).map((file) => statSync(path.join(folder, file)).mtimeMs))
  if (existsSync(program) && statSync(program).mtimeMs >= newest) return program
  try {
    await run('gcc', ['-O2', '-Wall', '-Wextra', '-o', program, path.join(folder, `${name}.c`), ...libraries])
  } catch (error) {
    throw new Error(`the bench needs gcc and OpenSSL's headers (Debian: gcc libssl-dev): ${error.message}`)
  }
  return program
}
