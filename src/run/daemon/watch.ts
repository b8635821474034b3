/**
 * Notices that files hold something else than what was read of them.
 *
 * By `fs.watch` on the directories along each path's links, not on the files: files are replaced, and what is watched
 * then is the old one. File systems that report nothing (NFS, a single file mounted into a container) are looked at once
 * a minute. However it is noticed, only content counts.
 */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Clock } from '../../keep/clock.ts'
import { digestOf } from '../config/index.ts'
import { createDirectories } from './watch-directories.ts'
import { tracePath } from './watch-path.ts'

export interface FileWatch {
  /** Watches these files from now on, each known by the digest of what was read of it. */
  follow(digests: ReadonlyMap<string, string>): void
  close(): void
}

export interface FileWatchOptions {
  readonly clock: Clock
  /**
   * Called with the files that hold something else than what is known, or are gone: once for each such state, and with
   * none when all is as it was.
   */
  differing(files: readonly string[]): void
  /** A directory cannot be watched: changes in it are noticed by the slow look. */
  failed(directory: string, error: NodeJS.ErrnoException): void
}

/** Creates a watch on nothing. */
export function createFileWatch({ clock, differing, failed }: FileWatchOptions): FileWatch {
  const directories = createDirectories({ stirred, failed })
  let known: ReadonlyMap<string, string> = new Map()
  let told = ''
  let firstStirAt: number | undefined
  let cancelQuiet: (() => void) | undefined
  let cancelSlow: (() => void) | undefined
  let isLooking = false
  let isStale = false
  let isClosed = false

  /** Files are seldom written in one go: it is looked when nothing has happened for a moment. */
  function stirred(): void {
    if (isClosed) return
    const now = clock.monotonicMs()
    firstStirAt ??= now
    cancelQuiet?.()
    cancelQuiet = clock.wake(Math.max(0, Math.min(quietMs, firstStirAt + longestMs - now)), look)
  }

  function lookSlowly(): void {
    cancelSlow = clock.wake(slowMs, lookSlowly)
    look()
  }

  function look(): void {
    firstStirAt = undefined
    cancelQuiet?.()
    isStale = true
    if (isLooking) return
    isLooking = true
    void lookUntilFresh().finally(() => {
      isLooking = false
    })
  }

  async function lookUntilFresh(): Promise<void> {
    while (isStale && !isClosed) {
      isStale = false
      const expected = known
      // The watches first: what changes after them is reported, what changed before is found.
      await arrange([...expected.keys()])
      const changes = await findChanges(expected)
      if (isClosed || known !== expected) continue
      const state = JSON.stringify(changes)
      if (state === told) continue
      told = state
      differing(changes.map(([file]) => file))
    }
  }

  /** Again when a directory is new: a link in it may have been changed before it was watched. */
  async function arrange(files: readonly string[]): Promise<void> {
    for (let round = 0; round < mostRounds; round++) {
      const places = (await Promise.all(files.map(tracePath))).flat()
      if (isClosed || !directories.arrange(places)) return
    }
  }

  return {
    follow(digests) {
      known = digests
      cancelSlow ??= clock.wake(slowMs, lookSlowly)
      told = JSON.stringify([])
      look()
    },
    close() {
      isClosed = true
      cancelQuiet?.()
      cancelSlow?.()
      directories.close()
    },
  }
}

async function findChanges(known: ReadonlyMap<string, string>): Promise<[file: string, found: string][]> {
  const changes: [string, string][] = []
  for (const [file, digest] of known) {
    const found = await readDigest(file)
    if (found !== undefined && found !== digest) changes.push([file, found])
  }
  return changes
}

/** Undefined for what is no file: reading a pipe would take from somebody, or wait for ever. */
async function readDigest(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, openFlags)
    try {
      const status = await file.stat()
      if (!status.isFile()) return undefined
      if (status.size > largestBytes) return `${status.size} bytes`
      return digestOf(await file.readFile())
    } finally {
      await file.close()
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable'
  }
}

/** A pipe without a writer would hold up the opening. */
const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

const quietMs = 200
/** What never falls quiet is looked at all the same. */
const longestMs = 2_000
const slowMs = 60_000
const mostRounds = 8
/** More than any certificate, key or bundle has. */
const largestBytes = 16 * 1024 * 1024
