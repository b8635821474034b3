/**
 * Files that are whole or absent: how one is written so that no kill, crash or full disk leaves half of it, and how one
 * is read so that nothing that lies under its name (a pipe, a directory, a gigabyte) stops the process.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDirectory } from './make-directory.ts'

/** What tells one written file from another without reading it. */
export type FileIdentity = string

/**
 * Writes a file in place of the one of that name: temporary file, fsync, rename, fsync of the directory.
 *
 * @param renaming - called with the identity of the new file before it gets its name
 * @param readers - who may read it, and the directories that are made for it: its owner, or whom the umask lets
 * @returns the hour it was written, by the file system's own clock
 */
export async function writeWhole(
  directory: string,
  name: string,
  bytes: Uint8Array,
  renaming?: (identity: FileIdentity) => void,
  readers: 'owner' | 'by-umask' = 'owner',
): Promise<number> {
  const isPrivate = readers === 'owner'
  makeDirectory(directory, isPrivate ? 0o700 : 0o777)
  const temporary = join(directory, `.staplewright-${randomBytes(8).toString('hex')}.tmp`)
  const file = await open(temporary, 'wx', isPrivate ? 0o600 : 0o666)
  try {
    let writtenAt: number
    try {
      await file.writeFile(bytes)
      await file.sync()
      const facts = await file.stat({ bigint: true })
      writtenAt = Number(facts.mtimeMs)
      renaming?.(identityOf(facts))
    } finally {
      await file.close()
    }
    await rename(temporary, join(directory, name))
    await syncDirectory(directory)
    return writtenAt
  } catch (error) {
    await unlink(temporary).catch(() => {})
    throw error
  }
}

/**
 * Reads a file whole.
 *
 * @returns undefined when there is none of that name
 * @throws when it is not a regular file, is larger than `maxBytes`, or cannot be read
 */
export async function readWhole(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  // A pipe without a writer would hold a plain open for ever.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((error) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (file === undefined) return undefined
  try {
    const facts = await file.stat()
    if (!facts.isFile()) throw new Error('expected a regular file, found something else')
    if (facts.size > maxBytes) throw new Error(`expected at most ${maxBytes} bytes, found ${facts.size}`)
    // One octet more than it had: a file that grows meanwhile is being written by somebody, so it is not whole.
    const bytes = Buffer.allocUnsafeSlow(facts.size + 1)
    let length = 0
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length)
      if (bytesRead === 0) return bytes.subarray(0, length)
      length += bytesRead
    }
    throw new Error(`expected ${facts.size} bytes, found more: it is being written`)
  } finally {
    await file.close()
  }
}

/**
 * Removes the temporary files that killed processes left: our own form of name only, and only those an hour older than
 * `now`, the file system's own hour, so that no other process loses what it is writing.
 */
export async function removeAbandoned(directory: string, now: number): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!temporaryName.test(name)) continue
    const path = join(directory, name)
    const facts = await stat(path).catch(() => undefined)
    if (facts?.isFile() && now - facts.mtimeMs > hourMs) await unlink(path).catch(() => {})
  }
}

/** The identity of the file that has this path now; undefined when there is none. */
export async function identify(path: string): Promise<FileIdentity | undefined> {
  const facts = await stat(path, { bigint: true }).catch(() => undefined)
  return facts && identityOf(facts)
}

function identityOf(facts: { readonly ino: bigint; readonly mtimeNs: bigint; readonly size: bigint }): FileIdentity {
  return `${facts.ino}:${facts.mtimeNs}:${facts.size}`
}

/** Makes a rename last through a power cut. Windows cannot, and some file systems say that they need not. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } catch (error) {
    if (!needless.has((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    await directory.close()
  }
}

/** nats-server, which may share the directory, names its own `tmp-cert-status…`. */
const temporaryName = /^\.staplewright-[0-9a-f]{16}\.tmp$/
const hourMs = 3_600_000
const needless = new Set(['EINVAL', 'ENOTSUP', 'ENOSYS'])
