/** Where a fetched staple is put: a file, a directory under nats-server's name for it, or standard output. */
import { stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { StapleError } from '../../../errors.ts'
import type { Io } from '../io.ts'
import { resolveOwnFile, writeOwnFile } from '../own-file.ts'

/**
 * Tells which file --out means. A directory (one that is there, or by a slash at its end) is a store's: the staple is
 * called by its certificateKey there, as nats-server and Staplewright look for it.
 *
 * @throws a UsageError for what is there and is no file
 */
export async function resolveOut(out: string, certificateKey: string, workingDirectory: string): Promise<string> {
  const written = resolve(workingDirectory, out)
  const isDirectory = out.endsWith('/') || out.endsWith(sep) || (await stat(written).catch(absent))?.isDirectory()
  const path = isDirectory ? join(written, certificateKey) : written
  return await resolveOwnFile(path, '--out')
}

/**
 * Writes it there, whole or not at all. A staple is no secret, and who staples it is seldom who fetched it: lighttpd, Exim
 * and nats-server read it as users of their own.
 *
 * @throws {@link StapleError} `ERR_STORE_WRITE`
 */
export async function writeOut(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeOwnFile(path, bytes)
  } catch (cause) {
    const message = `${path} cannot be written: ${(cause as Error).message}`
    throw new StapleError('ERR_STORE_WRITE', message, { path }, { cause })
  }
}

/** Writes it to standard output; resolves when it is out. */
export function writeToStdout(bytes: Uint8Array, { stdout }: Io): Promise<void> {
  return new Promise((done) => stdout.write(bytes, () => done()))
}

function absent(): undefined {}
