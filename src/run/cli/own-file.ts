/** Files that a person names for what a command writes: put in place whole, readable by whom the umask lets. */
import { realpath, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { writeWhole } from '../../keep/store/atomic-file.ts'
import { UsageError } from './usage.ts'

/**
 * Tells where a file really lies: at the end of a symbolic link, which stays.
 *
 * @throws {@link UsageError} for what is there and is no file, as /dev/null, which a rename would replace
 */
export async function resolveOwnFile(path: string, option: string): Promise<string> {
  const facts = await stat(path).catch(() => undefined)
  if (facts === undefined) return path
  if (facts.isFile()) return await realpath(path)
  throw new UsageError(`${option} ${path} is there and no file`, 'name a file that may be written')
}

/** Writes it, and the directories that it needs. Throws what the file system says. */
export async function writeOwnFile(path: string, content: Uint8Array): Promise<void> {
  await writeWhole(dirname(path), basename(path), content, undefined, 'by-umask')
}
