// Compiled in a consumer's project: a store of one's own, and the two that come along.
import { fileStore, memoryStore, type Store } from 'staplewright/store'

export const stores: readonly Store[] = [memoryStore(), fileStore({ directory: '/var/lib/staplewright' })]

const staples = new Map<string, Uint8Array>()
export const own: Store = {
  async load(certificateKey) {
    return staples.get(certificateKey)
  },
  async save(certificateKey, staple) {
    staples.set(certificateKey, staple)
  },
  async refuse(certificateKey, _reason) {
    staples.delete(certificateKey)
  },
  async loadNotes() {
    return {}
  },
  async saveNotes() {},
  async close() {},
}

// @ts-expect-error a store of files needs a place
fileStore({})
// @ts-expect-error a store that cannot load is none
export const broken: Store = { async save() {} }
