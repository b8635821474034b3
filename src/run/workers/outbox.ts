/**
 * A worker's events on their way to the primary: one batch at a time, at most ten a second, never more than a bounded
 * number waiting. A flood of failed handshakes, or a primary that takes nothing, costs a worker no memory.
 */
import type { Clock } from '../../keep/clock.ts'
import type { TerminatorEvent } from '../../serve/terminator/index.ts'

export interface Outbox {
  put(event: TerminatorEvent): void
  /** The primary took the last batch. */
  took(): void
  /** How many events were left out: those that come by the thousand. The counts of the status have them all. */
  readonly dropped: number
}

/** Creates an empty outbox. */
export function createOutbox({ clock, send }: OutboxOptions): Outbox {
  const waiting = new Map<string, TerminatorEvent>()
  const ofType = new Map<TerminatorEvent['type'], number>()
  let state: 'free' | 'sent' | 'pausing' = 'free'
  let dropped = 0

  function flush(): void {
    if (waiting.size === 0) {
      state = 'free'
      return
    }
    const events = [...waiting.values()]
    waiting.clear()
    ofType.clear()
    state = 'sent'
    send(events)
  }

  return {
    put(event) {
      const count = ofType.get(event.type) ?? 0
      const key = stateOf(event) ?? `${event.type} ${count}`
      if (stateOf(event) === undefined && count >= mostOfType) {
        dropped++
        return
      }
      ofType.set(event.type, count + 1)
      // Deleted first, so that it stands last: what is newest of a certificate is told after what was before.
      waiting.delete(key)
      waiting.set(key, event)
      if (state === 'free') flush()
    },
    took() {
      if (state !== 'sent') return
      state = 'pausing'
      clock.wake(pauseMs, flush)
    },
    get dropped() {
      return dropped
    },
  }
}

export interface OutboxOptions {
  readonly clock: Clock
  send(events: readonly TerminatorEvent[]): void
}

/** What an event is the newest state of: there are never more of them than certificates, and none may be left out. */
function stateOf(event: TerminatorEvent): string | undefined {
  switch (event.type) {
    case 'certificate-refused':
    case 'certificate-restored':
      return `shown ${event.site} ${event.certificateKey}`
    case 'stop':
      return `stop ${event.site} ${event.certificateKey}`
    case 'drained':
      return event.type
    default:
      return undefined
  }
}

const mostOfType = 16
const pauseMs = 100
