/**
 * Notices files that appear or change in one directory.
 *
 * One watch on the directory, by `fs.watch`: chokidar would set one on every file in it, and a store may hold a hundred
 * thousand. On file systems that report nothing (NFS) nothing is noticed; the keeper then finds a dropped staple when
 * it next looks into the store.
 */
import { type FSWatcher, statSync, watch } from 'node:fs'
import { makeDirectory } from './make-directory.ts'

/** A watch that can be set again after its directory was replaced. */
export interface DirectoryWatch {
  /** Sets the watch if it is not set on the directory that has the path now. */
  renew(): void
  close(): void
}

/**
 * Watches a directory, making it if need be.
 *
 * @param changed - called with the name of a file that appeared, changed or went
 */
export function watchDirectory(path: string, changed: (name: string) => void): DirectoryWatch {
  let watcher: FSWatcher | undefined
  let watched: string | undefined
  const close = () => {
    watcher?.close()
    watcher = undefined
    watched = undefined
  }
  const renew = () => {
    const found = identityOfDirectory(path)
    if (found !== undefined && found === watched) return
    close()
    try {
      makeDirectory(path)
      watcher = watch(path, { persistent: false }, (_kind, name) => {
        if (name !== null) changed(name)
      })
      watcher.on('error', close)
      watched = identityOfDirectory(path)
    } catch {
      // Not there, not a directory, no watches left: set at the next save, and until then nothing is noticed.
      close()
    }
  }
  renew()
  return { renew, close }
}

/** With the hour of its birth: a directory made anew often gets the inode of the one removed. */
function identityOfDirectory(path: string): string | undefined {
  try {
    const facts = statSync(path, { bigint: true })
    return `${facts.dev}:${facts.ino}:${facts.birthtimeNs}`
  } catch {
    return undefined
  }
}
