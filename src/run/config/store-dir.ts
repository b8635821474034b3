/**
 * Whether staples could rest in a directory. Looks, and makes nothing: a configuration that is only read writes nothing.
 */
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Complaint } from './problem.ts'
import { describeReadFailure } from './resolve.ts'

const expected = 'a directory that this process may write to, or make'

/** Looks at a store directory, absolute; answers with what is wrong. */
export async function examineStoreDir(directory: string): Promise<Complaint | undefined> {
  for (const each of [directory, join(directory, 'ocsp')]) {
    const complaint = await examineDirectory(each)
    if (complaint !== undefined) return complaint
  }
  return undefined
}

/** Looks at one directory, absolute; answers with what is wrong. */
export async function examineDirectory(directory: string): Promise<Complaint | undefined> {
  // What does not exist is made later: then the nearest directory above it is what counts.
  let at = directory
  for (;;) {
    const found = await stat(at).catch((error: NodeJS.ErrnoException) => error)
    if (!(found instanceof Error)) {
      if (!found.isDirectory()) return { summary: 'is not a directory', found: at, expected, hint: 'name a directory' }
      break
    }
    if (found.code !== 'ENOENT') {
      return { summary: `cannot be used: ${describeReadFailure(found)}`, found: at, expected, hint: 'name a directory' }
    }
    at = dirname(at)
  }
  const refusal = await access(at, constants.W_OK | constants.X_OK).catch((error: unknown) => error)
  if (refusal === undefined) return undefined
  const { code } = refusal as NodeJS.ErrnoException
  const reason = code === 'EROFS' ? 'its file system is read-only' : describeReadFailure(refusal)
  return {
    summary: at === directory ? `cannot be written: ${reason}` : `cannot be made: ${reason}`,
    found: at,
    expected,
    hint: `make it and give it to the user that this runs as: install -d -m 0700 -o USER ${directory}`,
  }
}
