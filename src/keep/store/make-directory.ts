/** A directory and those above it, made where they are missing. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory, for nobody else to read, and those above it.
 *
 * Not by `recursive: true`: where a directory exists but nothing can be made in it for ENOENT (/proc, an automounter's),
 * that tries for ever, in every version of Node.
 */
export function makeDirectory(path: string): void {
  try {
    makeOne(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error
    makeDirectory(dirname(path))
    makeOne(path)
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // What exists may still be no directory: who opens a file in it is told so.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
