/**
 * The file of a Unix socket, put in place so that nobody else can ever connect, and so that no socket is taken from a
 * process that answers on it.
 *
 * It is bound inside a directory that only this user may enter and then linked to its place: the mode is right from the
 * first moment that anybody can see it, and the path that Node removes when it closes is never the one that others use.
 */
import type { Stats } from 'node:fs'
import { chmod, link, lstat, mkdir, mkdtemp, rename, rm, rmdir, stat, unlink } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { dirname, join } from 'node:path'

/** A socket in its place. */
export interface SocketFile {
  /** Whether what stands in its place is still this one. */
  isThere(): Promise<boolean>
  /** Removes it, unless something else stands there by now. */
  remove(): Promise<void>
}

/**
 * Lets a server listen on a path; its directory is made if need be.
 *
 * @throws an error whose message says why not: somebody answers there, what stands there is no socket, a permission
 */
export async function listenOnFile(server: Server, path: string, now: Date): Promise<SocketFile> {
  const directory = dirname(path)
  const tooLong = Math.max(Buffer.byteLength(path), Buffer.byteLength(join(directory, `${prefix}xxxxxx`, short)))
  if (tooLong > longest) throw new Error(`${path} is too long for a socket: ${tooLong} bytes, at most ${longest}`)
  await mkdir(directory, { recursive: true, mode: 0o700 }).catch(refuse(`cannot make ${directory}`))
  await examineOwner(directory)
  const release = await claim(path, now)
  try {
    const dead = await findDead(path)
    const identity = await bindAside(server, directory, async (bound) => {
      if (dead !== undefined && isSame(await look(path), dead)) await unlink(path)
      await put(bound, path)
    })
    const isThere = async () => isSame(await look(path), identity)
    return {
      isThere,
      async remove() {
        if (await isThere()) await unlink(path)
      },
    }
  } finally {
    await release()
  }
}

/** Whoever owns the directory can put another socket into it: in /tmp, anybody can have made one in our name. */
async function examineOwner(directory: string): Promise<void> {
  const user = process.getuid?.()
  const { uid } = await stat(directory)
  if (user === undefined || user === 0 || uid === user || uid === 0) return
  throw new Error(`${directory} belongs to another user (uid ${uid}; this is ${user})`)
}

/** Two that find the same dead socket must not both replace it: the second would take the place of the first. */
async function claim(path: string, now: Date): Promise<() => Promise<void>> {
  const mark = `${path}.claim`
  const make = () => mkdir(mark, { mode: 0o700 })
  await make().catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw new Error(`cannot write to ${dirname(path)}: ${error.message}`, { cause: error })
    const found = await look(mark)
    const isLeft = found === undefined || Math.abs(now.getTime() - found.mtimeMs) > longestClaimMs
    if (!isLeft) throw new Error(`another daemon is coming to ${path} at this moment`)
    // Whoever made it was killed in between.
    if (found !== undefined) await rmdir(mark)
    await make()
  })
  return () => rmdir(mark).catch(() => {})
}

/** Listens where nobody else can go, and hands the socket on from there. */
async function bindAside(
  server: Server,
  directory: string,
  place: (bound: string) => Promise<void>,
): Promise<Pick<Stats, 'ino' | 'dev'>> {
  const workplace = await mkdtemp(join(directory, prefix))
  try {
    const bound = join(workplace, short)
    await listen(server, bound).catch(refuse(`cannot make a socket in ${directory}`))
    await chmod(bound, 0o600)
    const { ino, dev } = await lstat(bound)
    await place(bound)
    return { ino, dev }
  } catch (thrown) {
    server.close()
    throw thrown
  } finally {
    await rm(workplace, { recursive: true, force: true })
  }
}

/** What stands in the place, if it is a socket that nobody answers on; undefined if nothing does. */
async function findDead(path: string): Promise<Stats | undefined> {
  const found = await look(path)
  if (found === undefined) return undefined
  if (!found.isSocket()) throw new Error(`${path} is there and is no socket`)
  const outcome = await tryConnecting(path)
  if (outcome === 'ECONNREFUSED') return found
  if (outcome === 'ENOENT') return undefined
  if (outcome === undefined) throw new Error(`another daemon answers on ${path}`)
  throw new Error(`${path} belongs to somebody else (${outcome})`)
}

/** Resolves with undefined when somebody answers, or is there and does not; else with the error's code. */
function tryConnecting(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.setTimeout(2_000)
    const end = (code: string | undefined) => {
      socket.destroy()
      // EAGAIN: it listens, and its queue is full.
      resolve(code === 'EAGAIN' ? undefined : code)
    }
    socket.once('connect', () => end(undefined))
    socket.once('timeout', () => end(undefined))
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  })
}

async function put(bound: string, path: string): Promise<void> {
  await link(bound, path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw new Error(`something came to ${path} at this moment`, { cause: error })
    // Where sockets cannot be linked, what stands there is replaced.
    await rename(bound, path)
  })
}

async function look(path: string): Promise<Stats | undefined> {
  return await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new Error(`cannot look at ${path}: ${error.message}`, { cause: error })
  })
}

function isSame(found: Pick<Stats, 'ino' | 'dev'> | undefined, other: Pick<Stats, 'ino' | 'dev'>): boolean {
  return found !== undefined && found.ino === other.ino && found.dev === other.dev
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function refuse(what: string): (error: Error) => never {
  return (error) => {
    throw new Error(`${what}: ${error.message}`, { cause: error })
  }
}

const prefix = '.sw'
const short = 's'
/** What fits into sun_path beside its end. */
const longest = process.platform === 'linux' ? 107 : 103
/** To look who is there takes 2 s at most. */
const longestClaimMs = 10_000
