/**
 * Who may ask now: at most so many requests per host and in all, first come first served per host.
 *
 * Hosts take turns, so a slow responder with a long queue keeps nobody else waiting.
 */

import { Queue } from './queue.ts'
import type { Stop } from './stop.ts'

/** Gives the slot back; calling it twice does no harm. */
export type Release = () => void

export interface Slots {
  /** Resolves when it is this request's turn; rejects with the reason when stopped before that. */
  acquire(host: string, stop: Stop): Promise<Release>
  readonly active: number
}

interface Host {
  readonly name: string
  active: number
  /** Those who left are still in it, and are passed over. */
  readonly queue: Queue<Waiter>
  /** Those who have not left. */
  waiting: number
  /** It stands in the queue of turns: somebody waits and a slot of its own is free. */
  hasTurn: boolean
}

interface Waiter {
  readonly start: () => void
  hasLeft: boolean
}

export function createSlots(perHost: number, total: number): Slots {
  const hosts = new Map<string, Host>()
  const turns = new Queue<Host>()
  let active = 0

  function grant(): void {
    while (active < total) {
      const host = turns.shift()
      if (!host) return
      host.hasTurn = false
      let waiter = host.queue.shift()
      while (waiter?.hasLeft) waiter = host.queue.shift()
      if (waiter) {
        host.waiting--
        waiter.start()
      }
      queueTurn(host)
    }
  }

  function queueTurn(host: Host): void {
    if (host.hasTurn || host.waiting === 0 || host.active >= perHost) return
    host.hasTurn = true
    turns.push(host)
  }

  function take(host: Host): Release {
    host.active++
    active++
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      host.active--
      active--
      forgetIdle(host)
      queueTurn(host)
      grant()
    }
  }

  function forgetIdle(host: Host): void {
    if (host.active === 0 && host.waiting === 0) hosts.delete(host.name)
  }

  function hostOf(name: string): Host {
    const known = hosts.get(name)
    if (known) return known
    const made: Host = { name, active: 0, queue: new Queue(), waiting: 0, hasTurn: false }
    hosts.set(name, made)
    return made
  }

  return {
    acquire(name, stop) {
      if (stop.isStopped) return Promise.reject(stop.reason)
      const host = hostOf(name)
      if (active < total && host.active < perHost && host.waiting === 0) return Promise.resolve(take(host))
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          hasLeft: false,
          start() {
            cancelStop()
            resolve(take(host))
          },
        }
        const cancelStop = stop.onStop(() => {
          waiter.hasLeft = true
          host.waiting--
          forgetIdle(host)
          reject(stop.reason)
        })
        host.queue.push(waiter)
        host.waiting++
        queueTurn(host)
      })
    },
    get active() {
      return active
    },
  }
}
