/** Who wants to hear of the keeper's events. A listener that throws stops neither the keeper nor the other listeners. */
import type { KeeperEvent, KeeperEventOf } from './events.ts'

export interface Listeners {
  on<T extends KeeperEvent['type']>(type: T, listener: (event: KeeperEventOf<T>) => void): () => void
  off<T extends KeeperEvent['type']>(type: T, listener: (event: KeeperEventOf<T>) => void): void
  subscribe(listener: (event: KeeperEvent) => void): () => void
  tell(event: KeeperEvent): void
  /** Nobody would hear it: the event need not be made. */
  readonly isDeaf: boolean
}

/** Creates an empty list of listeners. */
export function createListeners(): Listeners {
  const every = new Set<(event: KeeperEvent) => void>()
  const byType = new Map<string, Set<(event: never) => void>>()
  const off = (type: string, listener: (event: never) => void) => {
    const listeners = byType.get(type)
    listeners?.delete(listener)
    if (listeners?.size === 0) byType.delete(type)
  }
  return {
    on(type, listener) {
      const listeners = byType.get(type) ?? new Set()
      byType.set(type, listeners.add(listener))
      return () => off(type, listener)
    },
    off,
    subscribe(listener) {
      every.add(listener)
      return () => void every.delete(listener)
    },
    tell(event) {
      for (const listener of [...every, ...(byType.get(event.type) ?? [])]) {
        try {
          listener(event as never)
        } catch (error) {
          // As an EventEmitter's would: uncaught, but not in the middle of our own work.
          queueMicrotask(() => {
            throw error
          })
        }
      }
    },
    get isDeaf() {
      return every.size === 0 && byType.size === 0
    },
  }
}
