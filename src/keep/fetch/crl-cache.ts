/**
 * CRLs held in memory, so that the certificates of one CA need one download: bounded in bytes, the longest unused go.
 *
 * Only what was verified for some certificate is held; for every other it is verified again, from the decoded CRL.
 */

import type { CrlEnvelope } from '../../pki/crl/certificate-list.ts'
import type { Clock } from '../clock.ts'

export interface CrlCache {
  /** The CRL held by that name, and for how long it has been. It may be past its nextUpdate: the rules say so. */
  recall(key: string): { readonly list: CrlEnvelope; readonly ageMs: number } | undefined
  hold(key: string, list: CrlEnvelope): void
  /** Of all that are held. */
  readonly bytes: number
}

interface Held {
  readonly list: CrlEnvelope
  readonly since: number
}

export function createCrlCache(clock: Clock, maxBytes: number): CrlCache {
  /** In the order of their last use. */
  const held = new Map<string, Held>()
  let bytes = 0

  function drop(key: string): Held | undefined {
    const found = held.get(key)
    if (found === undefined) return undefined
    held.delete(key)
    bytes -= found.list.der.length
    return found
  }

  function put(key: string, one: Held): void {
    held.set(key, one)
    bytes += one.list.der.length
  }

  return {
    recall(key) {
      const found = drop(key)
      if (found === undefined) return undefined
      const { nextUpdate } = found.list
      // Past its time it is of no use to anybody, and its place is.
      if (nextUpdate !== undefined && nextUpdate < clock.now()) return undefined
      put(key, found)
      return { list: found.list, ageMs: clock.monotonicMs() - found.since }
    },
    hold(key, list) {
      drop(key)
      if (list.der.length > maxBytes) return
      put(key, { list, since: clock.monotonicMs() })
      for (const oldest of held.keys()) {
        if (bytes <= maxBytes) break
        drop(oldest)
      }
    },
    get bytes() {
      return bytes
    },
  }
}
