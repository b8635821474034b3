// The client and the backend are C, so that they take as little as possible of a machine with few cores.
// Built once into bench/.cache, again when the source is newer.

import { existsSync, mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { run } from '../kit/child.mjs'

const here = import.meta.dirname
const cache = path.join(here, '../.cache')

/** Build both programs. @returns {Promise<{ client: string, backend: string }>} their paths */
export async function compile() {
  mkdirSync(cache, { recursive: true })
  return { client: await build('client', ['-lssl', '-lcrypto', '-lpthread']), backend: await build('backend', []) }
}

async function build(name, libraries) {
  const source = path.join(here, `${name}.c`)
  const program = path.join(cache, `handshake-${name}`)
  if (!existsSync(program) || statSync(program).mtimeMs < statSync(source).mtimeMs) {
    try {
      await run('gcc', ['-O2', '-Wall', '-Wextra', '-o', program, source, ...libraries])
    } catch (error) {
      throw new Error(`bench/handshake needs gcc and OpenSSL's headers (Debian: gcc libssl-dev): ${error.message}`)
    }
  }
  return program
}
