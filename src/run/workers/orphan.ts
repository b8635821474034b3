/**
 * The sockets at which workers whose primary is gone wait for another one, and how that one asks them to let go of
 * their listeners. Who may connect is a matter of the directory and the socket's mode; to connect is to ask.
 */
import { readdir, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { isStapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import type { Line } from '../journal/journal.ts'

/**
 * Waits for another primary.
 *
 * @param letGo - stops listening before it returns
 * @returns a function that ends the waiting
 */
export function awaitPrimary(
  { socket, pid }: { readonly socket: string; readonly pid: number },
  letGo: () => void,
): () => void {
  const path = `${socket}.${pid}`
  const server = createServer((connection) => {
    connection.on('error', ignore)
    letGo()
    connection.end('let go\n')
  })
  server.on('error', ignore)
  // In a worker of node:cluster a server is the primary's matter, unless it is exclusive.
  const before = process.umask(0o177)
  server.listen({ path, exclusive: true })
  process.umask(before)
  server.unref()
  return () => void server.close()
}

/**
 * Makes an attempt to listen; where it finds an address taken, workers of an earlier primary are asked to let go, and it
 * is made once more.
 */
export async function relieving<T>({ socket, clock, say }: ReliefOptions, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt()
  } catch (thrown) {
    const isTaken = isStapleError(thrown, 'ERR_TERMINATOR_LISTEN') && thrown.detail.networkCode === 'EADDRINUSE'
    const relieved = socket !== undefined && isTaken ? await relieveOrphans(socket, clock) : 0
    if (relieved === 0) throw thrown
    const text = `workers of an earlier process let go of the port: ${relieved}`
    say({ level: 'notice', subject: 'front', text, fields: { event: 'orphans-relieved', relieved } })
    return await attempt()
  }
}

export interface ReliefOptions {
  readonly socket: string | undefined
  readonly clock: Clock
  say(line: Line): void
}

/** Asks every orphan that waits at this path to let go. @returns how many have; one that is frozen does not */
export async function relieveOrphans(socket: string, clock: Clock): Promise<number> {
  const sockets = await findSockets(socket)
  const outcomes = await Promise.all(sockets.map((path) => relieve(path, clock)))
  return outcomes.filter(Boolean).length
}

/** Tells whether workers of an earlier primary wait at this path: they hold their listeners until they are asked. */
export async function hasOrphans(socket: string): Promise<boolean> {
  return (await findSockets(socket)).length > 0
}

async function findSockets(socket: string): Promise<string[]> {
  const names = await readdir(dirname(socket)).catch(() => [])
  const prefix = `${basename(socket)}.`
  return names
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => join(dirname(socket), name))
}

function relieve(path: string, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(path)
    const cancel = clock.wake(patienceMs, () => connection.destroy())
    let hasLetGo = false
    connection.on('data', () => {
      hasLetGo = true
    })
    connection.on('error', (error: NodeJS.ErrnoException) => {
      // Nobody is there any more.
      if (error.code === 'ECONNREFUSED') rm(path, { force: true }).catch(ignore)
    })
    connection.on('close', () => {
      cancel()
      resolve(hasLetGo)
    })
  })
}

function ignore(): void {}

const patienceMs = 2_000
