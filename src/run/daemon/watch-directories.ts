/** Directories watched for names in them, whichever directory has the path at the time. */
import { type FSWatcher, statSync, watch } from 'node:fs'
import type { Place } from './watch-path.ts'

export interface Directories {
  /**
   * Watches these places from now on, and no others. @returns whether a directory among them was not watched before:
   * what happened in it up to now was not reported
   */
  arrange(places: readonly Place[]): boolean
  close(): void
}

export interface DirectoriesOptions {
  /** Something happened to one of the names. */
  stirred(): void
  /** A directory cannot be watched. */
  failed(directory: string, error: NodeJS.ErrnoException): void
}

/** Creates a watch on nothing. */
export function createDirectories({ stirred, failed }: DirectoriesOptions): Directories {
  const watched = new Map<string, Watched>()

  function forget(directory: string): void {
    watched.get(directory)?.watcher?.close()
    watched.delete(directory)
  }

  /** @returns whether it is watched anew */
  function renew(directory: string, names: ReadonlySet<string>): boolean {
    const identity = identityOf(directory)
    const known = watched.get(directory)
    if (known !== undefined && known.identity === identity) {
      known.names = names
      return false
    }
    forget(directory)
    if (identity === undefined) return false
    const entry: Watched = { identity, names, watcher: undefined }
    watched.set(directory, entry)
    try {
      entry.watcher = watch(directory, { persistent: false }, (_kind, name) => {
        if (name === null || entry.names.has(name)) stirred()
      })
      entry.watcher.on('error', () => {
        // Set again when something is looked at next.
        if (watched.get(directory) === entry) forget(directory)
        stirred()
      })
      return true
    } catch (error) {
      failed(directory, error as NodeJS.ErrnoException)
      return false
    }
  }

  return {
    arrange(places) {
      const wanted = new Map<string, Set<string>>()
      for (const { directory, name } of places) {
        const names = wanted.get(directory) ?? new Set()
        wanted.set(directory, names.add(name))
      }
      for (const directory of [...watched.keys()]) if (!wanted.has(directory)) forget(directory)
      let isNew = false
      for (const [directory, names] of wanted) if (renew(directory, names)) isNew = true
      return isNew
    },
    close() {
      for (const directory of [...watched.keys()]) forget(directory)
    },
  }
}

interface Watched {
  readonly identity: string
  names: ReadonlySet<string>
  /** Absent where it could not be set. */
  watcher: FSWatcher | undefined
}

/** With the hour of its birth: a directory made anew often gets the inode of the one removed. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino, birthtimeNs } = statSync(path, { bigint: true })
    return `${dev}:${ino}:${birthtimeNs}`
  } catch {
    return undefined
  }
}
