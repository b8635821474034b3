/**
 * A worker's events on their way to the primary: one batch at a time, at most ten a second, never more than a bounded
 * number waiting. Of a flood the first ones go as they are, the rest as counts: neither failed handshakes by the
 * thousand nor a primary that takes nothing costs a worker memory, and the primary counts right.
 */
import type { Clock } from '../../keep/clock.ts'
import type { TerminatorEvent } from '../../serve/terminator/index.ts'

export interface Outbox {
  put(event: TerminatorEvent): void
  /** The primary took the last batch. */
  took(): void
}

/** An event, and how many more like it are told of with it. */
export interface Counted {
  readonly event: TerminatorEvent
  readonly times: number
}

/** Creates an empty outbox. */
export function createOutbox({ clock, send }: OutboxOptions): Outbox {
  const waiting = new Map<string, { event: TerminatorEvent; times: number }>()
  const ofType = new Map<TerminatorEvent['type'], number>()
  let state: 'free' | 'sent' | 'pausing' = 'free'

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

  /** Deleted first, so that it stands last: what is newest of a certificate is told after what was before. */
  function replace(key: string, event: TerminatorEvent): void {
    waiting.delete(key)
    waiting.set(key, { event, times: 1 })
  }

  function count(event: TerminatorEvent): void {
    const number = ofType.get(event.type) ?? 0
    ofType.set(event.type, number + 1)
    if (number < mostOfType) return replace(`${event.type} ${number}`, event)
    const key = `more ${kindOf(event)}`
    const like = waiting.get(key)
    if (like) like.times++
    else if (waiting.size < mostKinds) replace(key, event)
  }

  return {
    put(event) {
      const key = stateOf(event)
      if (key === undefined) count(event)
      else replace(key, event)
      if (state === 'free') flush()
    },
    took() {
      if (state !== 'sent') return
      state = 'pausing'
      clock.wake(pauseMs, flush)
    },
  }
}

export interface OutboxOptions {
  readonly clock: Clock
  send(events: readonly Counted[]): void
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

/** What makes events alike enough to be counted together. */
function kindOf(event: TerminatorEvent): string {
  const parts = event as { readonly code?: string; readonly reason?: string; readonly backend?: string }
  return [event.type, parts.code, parts.reason, parts.backend].join(' ')
}

const mostOfType = 16
/** Kinds are few; this is for the day when they are not. */
const mostKinds = 10_000
const pauseMs = 100
