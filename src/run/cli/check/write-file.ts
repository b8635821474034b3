/** The page that `check` writes. */
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { resolveOwnFile, writeOwnFile } from '../own-file.ts'
import { UsageError } from '../usage.ts'

/**
 * Writes it, whole or not at all, into a directory that is there.
 *
 * @throws {@link UsageError} where it cannot be written, or what is there is no file
 */
export async function writePage(path: string, text: string, option: string): Promise<void> {
  const place = await resolveOwnFile(path, option)
  try {
    await stat(dirname(place))
    await writeOwnFile(place, Buffer.from(text))
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException
    const hint = 'name a file in a directory that exists'
    throw new UsageError(`${option} ${path} cannot be written: ${reasons[code] ?? message}`, hint, { cause })
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such directory',
  EACCES: 'permission denied',
  ENOSPC: 'the disk is full',
}
