/**
 * What a command line names, as bytes: a file, a pipe or standard input, up to a limit; and what a person gets where it
 * is none of those.
 */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { describeReadFailure } from '../config/resolve.ts'

export interface Input {
  /** As it was named; `standard input` for `-`. */
  readonly name: string
  readonly bytes: Uint8Array
}

export interface InputPlace {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly workingDirectory: string
}

/** Something that was named cannot be used: what was found, what was expected, what to do. */
export class InputError extends Error {
  readonly origin: string
  /** The message without the origin. */
  readonly reason: string
  readonly hint: string

  constructor(origin: string, reason: string, hint: string, options?: ErrorOptions) {
    super(`${origin}: ${reason}`, options)
    this.origin = origin
    this.reason = reason
    this.hint = hint
  }
}

/**
 * Reads what `name` says: `-` is standard input.
 *
 * Pipes count (`<(openssl …)` of a shell is one); directories and what is over the limit do not.
 *
 * @throws {@link InputError}
 */
export async function readInput(name: string, { stdin, workingDirectory }: InputPlace, most: number): Promise<Input> {
  if (name === '-') {
    if (stdin.isTTY) {
      throw new InputError('standard input', 'it is this terminal', 'pipe something in, or name a file')
    }
    return { name: 'standard input', bytes: await collect(stdin, 'standard input', most) }
  }
  const path = resolve(workingDirectory, name)
  const file = await open(path, constants.O_RDONLY).catch((cause: NodeJS.ErrnoException) => {
    const hint = cause.code === 'ENOENT' ? `it was looked up as ${path}` : 'check its owner and mode'
    throw new InputError(name, `it cannot be read: ${describeReadFailure(cause)}`, hint, { cause })
  })
  try {
    const facts = await file.stat()
    if (facts.isDirectory()) throw new InputError(name, 'it is a directory', 'name the files in it')
    if (facts.size > most) throw tooLarge(name, facts.size, most)
    return { name, bytes: await collect(file.createReadStream({ autoClose: false }), name, most) }
  } finally {
    await file.close()
  }
}

async function collect(stream: AsyncIterable<Uint8Array>, name: string, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of stream) {
      length += chunk.length
      if (length > most) throw tooLarge(name, undefined, most)
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof InputError) throw cause
    throw new InputError(name, `it cannot be read: ${describeReadFailure(cause)}`, 'try it again', { cause })
  }
  const joined = Buffer.concat(chunks)
  return new Uint8Array(joined.buffer, joined.byteOffset, joined.length)
}

function tooLarge(name: string, size: number | undefined, most: number): InputError {
  const found = size === undefined ? 'more' : formatSize(size)
  return new InputError(
    name,
    `expected at most ${formatSize(most)}, found ${found}`,
    'name the very file that is meant',
  )
}

function formatSize(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`
}
