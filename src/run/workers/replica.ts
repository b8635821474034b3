/**
 * A worker's copy of what the keeper holds. It judges by its own clock at each handshake, so that a primary that is
 * frozen or gone never makes a worker staple what is stale.
 */
import type { Clock } from '../../keep/clock.ts'
import type { KeeperEvent, Servable, ServableSnapshot } from '../../keep/keeper/index.ts'
import { nothingServable, type View, viewEntry } from '../../keep/keeper/servable.ts'
import type { StapleSource } from '../../serve/terminator/index.ts'
import type { SentStaple } from './messages.ts'

export interface Replica extends StapleSource {
  /** Takes what the primary sent in place of what was known. */
  put(staples: readonly SentStaple[]): void
  forget(certificateKeys: readonly string[]): void
}

/** Creates an empty replica. Its timer does not keep the process alive. */
export function createReplica(clock: Clock): Replica {
  const entries = new Map<string, Copy>()
  const listeners = new Set<(event: KeeperEvent) => void>()
  let cancel: (() => void) | undefined

  function tell(certificateKey: string): void {
    // Of the keeper's events only this is known here, and a terminator looks at nothing else.
    for (const listener of listeners) listener({ certificateKey } as KeeperEvent)
  }

  /** Tells of what time has changed, and sleeps until it changes something again. The wall clock may step meanwhile. */
  function look(): void {
    const now = clock.now().getTime()
    let next = now + longestSleepMs
    for (const [certificateKey, copy] of entries) {
      if (isOver(copy.view, now)) {
        copy.view = viewEntry(copy.snapshot, now)
        tell(certificateKey)
      }
      next = Math.min(next, copy.view.until)
    }
    cancel?.()
    cancel = entries.size === 0 ? undefined : clock.wake(Math.max(shortestSleepMs, next - now), look)
  }

  return {
    put(staples) {
      const now = clock.now().getTime()
      for (const { certificateKey, snapshot } of staples) {
        if (snapshot === undefined) entries.delete(certificateKey)
        else {
          const owned = { ...snapshot, held: own(snapshot.held), unknown: own(snapshot.unknown) }
          entries.set(certificateKey, { snapshot: owned, view: viewEntry(owned, now) })
        }
        tell(certificateKey)
      }
      look()
    },
    forget(certificateKeys) {
      for (const certificateKey of certificateKeys) entries.delete(certificateKey)
    },
    servable(certificateKey): Servable {
      const copy = entries.get(certificateKey)
      if (copy === undefined) return nothingServable
      const now = clock.now().getTime()
      // The timer tells of it; a handshake only wants to know.
      return isOver(copy.view, now) ? viewEntry(copy.snapshot, now).servable : copy.view.servable
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

interface Copy {
  readonly snapshot: ServableSnapshot
  view: View
}

function isOver({ from, until }: View, now: number): boolean {
  return now < from || now >= until
}

/** The message that brought the bytes must not stay alive with them; and Node staples Buffers. */
function own(staple: ServableSnapshot['held']): ServableSnapshot['held'] {
  if (staple === undefined) return undefined
  const der = Buffer.allocUnsafeSlow(staple.der.length)
  der.set(staple.der)
  return { ...staple, der }
}

/** How long a step of the wall clock can go unnoticed by those who wait to be told. */
const longestSleepMs = 30_000
/** With ten thousand certificates something changes all the time. */
const shortestSleepMs = 10
