/** A store that lasts as long as the process: for tests, dry runs, and machines without a disk. */
import { assertCertificateKey, closedError, type Store } from './store.ts'

/**
 * Creates an empty store in memory. It has no `watch`: nobody else can write to it.
 *
 * @example Keep staples without a disk
 * const keeper = createKeeper({ store: memoryStore(), fetcher })
 */
export function memoryStore(): Store {
  const staples = new Map<string, Uint8Array>()
  let savedNotes = '{}'
  let isClosed = false
  const open = (certificateKey?: string) => {
    if (certificateKey !== undefined) assertCertificateKey(certificateKey)
    if (isClosed) throw closedError('memory')
  }
  return {
    async load(certificateKey) {
      open(certificateKey)
      return staples.get(certificateKey)?.slice()
    },
    async save(certificateKey, staple) {
      open(certificateKey)
      staples.set(certificateKey, staple.slice())
    },
    async refuse(certificateKey) {
      open(certificateKey)
      staples.delete(certificateKey)
    },
    async loadNotes() {
      return JSON.parse(savedNotes)
    },
    async saveNotes(notes) {
      open()
      savedNotes = JSON.stringify(notes)
    },
    async close() {
      isClosed = true
    },
  }
}
