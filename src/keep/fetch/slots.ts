/**
 * Who may ask now: at most so many requests per host and in all, first come first served per host.
 *
 * Hosts take turns, so a slow responder with a long queue keeps nobody else waiting.
 */

import { onAbort } from './abort.ts'

/** Gives the slot back; calling it twice does no harm. */
export type Release = () => void

export interface Slots {
  /** Resolves when it is this request's turn; rejects with the signal's reason when aborted before that. */
  acquire(host: string, signal: AbortSignal): Promise<Release>
  readonly active: number
}

interface Host {
  active: number
  readonly waiting: Set<() => void>
}

export function createSlots(perHost: number, total: number): Slots {
  const hosts = new Map<string, Host>()
  /** Hosts with somebody waiting, in the order of their next turn. */
  const turns = new Set<string>()
  let active = 0

  /** At most `total / perHost` hosts can be full, so few are looked at in vain. */
  function grant(): void {
    while (active < total) {
      const name = nextTurn()
      if (name === undefined) return
      const host = hosts.get(name) as Host
      const [start] = host.waiting
      host.waiting.delete(start as () => void)
      turns.delete(name)
      if (host.waiting.size > 0) turns.add(name)
      start?.()
    }
  }

  function nextTurn(): string | undefined {
    for (const name of turns) if ((hosts.get(name) as Host).active < perHost) return name
    return undefined
  }

  function take(name: string, host: Host): Release {
    host.active++
    active++
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      host.active--
      active--
      if (host.active === 0 && host.waiting.size === 0) hosts.delete(name)
      grant()
    }
  }

  return {
    acquire(name, signal) {
      if (signal.aborted) return Promise.reject(signal.reason)
      let host = hosts.get(name)
      if (!host) hosts.set(name, (host = { active: 0, waiting: new Set() }))
      const found = host
      if (active < total && found.active < perHost && found.waiting.size === 0)
        return Promise.resolve(take(name, found))
      return new Promise((resolve, reject) => {
        const start = () => {
          cancelAbort()
          resolve(take(name, found))
        }
        const leave = () => {
          found.waiting.delete(start)
          if (found.waiting.size === 0) {
            turns.delete(name)
            if (found.active === 0) hosts.delete(name)
          }
          reject(signal.reason)
        }
        found.waiting.add(start)
        turns.add(name)
        const cancelAbort = onAbort(signal, leave)
      })
    },
    get active() {
      return active
    },
  }
}
