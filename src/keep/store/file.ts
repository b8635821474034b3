/**
 * Staples as files, in nats-server's own layout, so that either program resumes from the other's staples:
 * `<store_dir>/ocsp/<lower-case hex SHA-256 of the leaf's DER>`, raw DER, directory 0700, files 0600.
 *
 * The directory may be shared, also with a running nats-server. Only files named for a certificate that is asked for are
 * read; a refused one becomes `<name>.refused`; files of other names are left alone.
 */
import { rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type FileIdentity, identify, readWhole, removeAbandoned, writeWhole } from './atomic-file.ts'
import { type DirectoryWatch, watchDirectory } from './directory-watch.ts'
import { assertCertificateKey, closedError, isCertificateKey, type Store, storeError } from './store.ts'

/** Where the staples rest, and how much is read. */
export interface FileStoreOptions {
  /** The `store_dir`; staples lie in its directory `ocsp`, made at the first save. */
  readonly directory: string
  /** The largest file that is read, in bytes; default 65,536. A larger one is `ERR_STORE_READ` and stays. */
  readonly maxBytes?: number
}

/**
 * Creates a store of files under `directory`. Touches nothing until something is loaded, saved or watched.
 *
 * @throws TypeError when `directory` is not a path
 * @example Resume from what nats-server stapled
 * const store = fileStore({ directory: '/var/lib/nats' })
 */
export function fileStore(options: FileStoreOptions): Store {
  const { directory, maxBytes = 65_536 } = options
  if (typeof directory !== 'string' || directory === '') throw new TypeError('directory: expected a path')
  const place = resolve(directory, 'ocsp')
  const pathOf = (name: string) => join(place, name)
  const writing = new Map<string, Promise<unknown>>()
  const own = new Map<string, FileIdentity>()
  const watches = new Set<DirectoryWatch>()
  let isTidied = false
  let isClosed = false

  const open = (certificateKey?: string) => {
    if (certificateKey !== undefined) assertCertificateKey(certificateKey)
    if (isClosed) throw closedError(place)
  }

  /** Runs what writes to one name after what already writes to it, so that the last call wins. */
  const inTurn = <T>(name: string, write: () => Promise<T>): Promise<T> => {
    const turn = (writing.get(name) ?? Promise.resolve()).then(write, write)
    const last = turn.then(
      () => {},
      () => {},
    )
    writing.set(name, last)
    last.then(() => {
      if (writing.get(name) === last) writing.delete(name)
    })
    return turn
  }

  const save = (name: string, bytes: Uint8Array, certificateKey?: string) =>
    inTurn(name, async () => {
      const writtenAt = await writeWhole(place, name, bytes, (identity) => {
        if (certificateKey !== undefined && watches.size > 0) own.set(certificateKey, identity)
      }).catch((error) => {
        throw storeError('ERR_STORE_WRITE', pathOf(name), error, certificateKey)
      })
      for (const each of watches) each.renew()
      if (isTidied) return
      isTidied = true
      await removeAbandoned(place, writtenAt).catch(() => {})
    })

  return {
    async load(certificateKey) {
      open(certificateKey)
      const path = pathOf(certificateKey)
      return readWhole(path, maxBytes).catch((error) => {
        throw storeError('ERR_STORE_READ', path, error, certificateKey)
      })
    },
    async save(certificateKey, staple) {
      open(certificateKey)
      await save(certificateKey, staple, certificateKey)
    },
    async refuse(certificateKey) {
      open(certificateKey)
      const path = pathOf(certificateKey)
      await inTurn(certificateKey, () =>
        rename(path, `${path}.refused`).catch((error) => {
          if (error.code !== 'ENOENT') throw storeError('ERR_STORE_WRITE', path, error, certificateKey)
        }),
      )
    },
    async loadNotes() {
      try {
        const bytes = await readWhole(pathOf(notesName), maxNotesBytes)
        const notes: unknown = bytes && JSON.parse(new TextDecoder().decode(bytes))
        return typeof notes === 'object' && notes !== null && !Array.isArray(notes) ? { ...notes } : {}
      } catch {
        return {}
      }
    },
    async saveNotes(notes) {
      open()
      await save(notesName, new TextEncoder().encode(`${JSON.stringify(notes, undefined, 2)}\n`))
    },
    watch(changed) {
      open()
      const watch = watchDirectory(place, async (name) => {
        if (!isCertificateKey(name)) return
        const found = await identify(pathOf(name))
        if (found !== undefined && found !== own.get(name) && watches.has(watch)) changed(name)
      })
      watches.add(watch)
      return () => {
        watches.delete(watch)
        watch.close()
      }
    },
    async close() {
      isClosed = true
      for (const each of watches) each.close()
      watches.clear()
      await Promise.all(writing.values())
    },
  }
}

const notesName = 'staplewright.json'
const maxNotesBytes = 4_194_304
