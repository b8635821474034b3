/**
 * What a store of staples is: the contract that every other file in this folder keeps, tested by one suite.
 *
 * A store rests bytes between runs and judges nothing: whoever loads a staple verifies it before it counts, and whoever
 * saves one holds it in memory first. What is asked for by name is all that is read: others may use the same place.
 */
import { isStapleError, StapleError } from '../../errors.ts'

/** Rests staples between runs, by certificateKey (64 lower-case hex digits; anything else is a `TypeError`). */
export interface Store {
  /**
   * Loads the staple last saved, byte for byte.
   *
   * @returns undefined when there is none
   * @throws {@link StapleError} `ERR_STORE_READ` when there may be one that cannot be read; `ERR_STORE_CLOSED`
   */
  load(certificateKey: string): Promise<Uint8Array | undefined>

  /**
   * Saves a staple in place of the one before. Whatever ends the process meanwhile, a later load finds the old one
   * whole or the new one whole; once this resolves, the new one. Saves of one key land in the order of the calls.
   *
   * @throws {@link StapleError} `ERR_STORE_WRITE`, and the staple before is still there; `ERR_STORE_CLOSED`
   */
  save(certificateKey: string, staple: Uint8Array): Promise<void>

  /**
   * Sets a staple aside that proved to be damaged or about another certificate: load no longer finds it, a person can.
   * Nothing happens when there is none.
   *
   * @param reason - why, in words, for stores that can keep it
   * @throws {@link StapleError} `ERR_STORE_WRITE`; `ERR_STORE_CLOSED`
   */
  refuse(certificateKey: string, reason: string): Promise<void>

  /** Loads the small side notes: derived values, never needed to serve. `{}` when absent, damaged or unreadable. */
  loadNotes(): Promise<Record<string, unknown>>

  /** Saves the side notes, whole, as one JSON object. @throws {@link StapleError} `ERR_STORE_WRITE`; `ERR_STORE_CLOSED` */
  saveNotes(notes: Record<string, unknown>): Promise<void>

  /**
   * Reports staples that another writer put there; this store's own saves are not reported. Optional: a store that
   * cannot notice leaves it out. What is reported may still be being written: wait a moment before loading it.
   *
   * @returns a function that ends the watch
   */
  watch?(changed: (certificateKey: string) => void): () => void

  /** Waits for what is being saved; afterwards all but `loadNotes` reject with `ERR_STORE_CLOSED`. */
  close(): Promise<void>
}

/** Throws a `TypeError` for what is not a certificateKey: it becomes part of a file name. */
export function assertCertificateKey(certificateKey: string): void {
  if (!isCertificateKey(certificateKey)) {
    throw new TypeError(`certificateKey: expected 64 lower-case hex digits, found ${JSON.stringify(certificateKey)}`)
  }
}

/** Tells whether a name is a certificateKey: 64 lower-case hex digits. */
export function isCertificateKey(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name)
}

/** Creates the failure to read or write one path, with the system's own words. */
export function storeError(
  code: 'ERR_STORE_READ' | 'ERR_STORE_WRITE',
  path: string,
  cause: unknown,
  certificateKey?: string,
): StapleError {
  if (isStapleError(cause)) return cause
  const verb = code === 'ERR_STORE_READ' ? 'read' : 'write'
  const why = cause instanceof Error ? cause.message : String(cause)
  return new StapleError(
    code,
    `cannot ${verb} ${path}: ${why}`,
    { path, ...(certificateKey === undefined ? {} : { certificateKey }) },
    { cause },
  )
}

/** Creates the failure of every call after `close()`. */
export function closedError(path: string): StapleError {
  return new StapleError('ERR_STORE_CLOSED', `the store is closed: ${path}`, { path })
}
