/** A directory and those above it, made where they are missing. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory and those above it: for nobody else to read, unless another mode is given, of which the umask takes.
 *
 * Not by `recursive: true`: where a directory exists but nothing can be made in it for ENOENT (/proc, an automounter's),
 * that tries for ever, in every version of Node.
 */
export function makeDirectory(path: string, mode: number = 0o700): void {
  try {
    makeOne(path, mode)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error
    makeDirectory(dirname(path), mode)
    makeOne(path, mode)
  }
}

function makeOne(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    // What exists may still be no directory: who opens a file in it is told so.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
