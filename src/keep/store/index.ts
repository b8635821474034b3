/**
 * Where staples rest between runs: the door `staplewright/store`.
 *
 * A store is any object that keeps the contract {@link Store}; two come with the package, others (Redis, NATS KV) are
 * doors of their own. What a store holds is verified again by whoever loads it.
 *
 * @see RFC 6960 §3.2 - what a stored response must still pass before it is served
 */
export { type FileStoreOptions, fileStore } from './file.ts'
export { memoryStore } from './memory.ts'
export type { Store } from './store.ts'
