/** A file of the user's own, put in place whole: who reads it meanwhile sees the one before. */
import { randomBytes } from 'node:crypto'
import { rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UsageError } from '../usage.ts'

/**
 * Writes a text with the mode that the user's umask gives, since others may be meant to read it.
 *
 * @throws {@link UsageError} where it cannot be written, or what is there is no file
 */
export async function writeFileWhole(path: string, text: string, option: string): Promise<void> {
  const there = await stat(path).catch(() => undefined)
  // A rename would take the place of a device, or of a pipe that somebody reads.
  if (there !== undefined && !there.isFile()) {
    throw new UsageError(`${option} ${path} is there and is no file`, 'name a file that may be written')
  }
  const temporary = join(dirname(path), `.staplewright-${randomBytes(8).toString('hex')}.tmp`)
  try {
    await writeFile(temporary, text, { flag: 'wx' })
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    const { code, message } = cause as NodeJS.ErrnoException
    const why = { ENOENT: 'there is no such directory', EACCES: 'permission denied', ENOSPC: 'the disk is full' }[
      code ?? ''
    ]
    throw new UsageError(
      `${option} ${path} cannot be written: ${why ?? message}`,
      'name a file in a directory that exists',
      {
        cause,
      },
    )
  }
}
