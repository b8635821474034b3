/**
 * Events as a union told apart by `type`: subscribing to all, or to one type with its own shape.
 *
 * A listener that throws cannot break a handshake: its error surfaces as an uncaught one, after what announced it.
 */

export interface Announcer<Event extends { readonly type: string }> {
  announce(event: Event): void
  subscribe(listener: (event: Event) => void): () => void
  /** @returns a function that ends it, as `off` does */
  on<Type extends Event['type']>(type: Type, listener: ListenerOf<Event, Type>): () => void
  off<Type extends Event['type']>(type: Type, listener: ListenerOf<Event, Type>): void
  clear(): void
}

export type ListenerOf<Event extends { readonly type: string }, Type extends Event['type']> = (
  event: Extract<Event, { readonly type: Type }>,
) => void

/** Creates an announcer with nobody listening. */
export function createAnnouncer<Event extends { readonly type: string }>(): Announcer<Event> {
  const subscribers = new Set<(event: Event) => void>()
  const listeners = new Map<string, Set<(event: never) => void>>()
  return {
    announce(event) {
      // Copies, as a listener may take itself away.
      for (const subscriber of [...subscribers]) call(subscriber, event)
      for (const listener of [...(listeners.get(event.type) ?? [])]) call(listener as (event: Event) => void, event)
    },
    subscribe(listener) {
      subscribers.add(listener)
      return () => {
        subscribers.delete(listener)
      }
    },
    on(type, listener) {
      const ofType = listeners.get(type) ?? new Set()
      listeners.set(type, ofType.add(listener))
      return () => {
        ofType.delete(listener)
      }
    },
    off(type, listener) {
      listeners.get(type)?.delete(listener)
    },
    clear() {
      subscribers.clear()
      listeners.clear()
    },
  }
}

function call<Event>(listener: (event: Event) => void, event: Event): void {
  try {
    listener(event)
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown
    })
  }
}
