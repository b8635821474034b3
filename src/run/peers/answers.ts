/**
 * What CAs said about clients, by certificate: bounded, and kept past its end where it says that one is revoked.
 *
 * What is here is evidence to be verified again, never a verdict. held-asker.ts looks at it, cache-file.ts rests it on disk.
 */

/** What a CA said about one certificate. */
export interface HeldResponse {
  /** The certificate's subject, for people. */
  readonly subject: string
  /** When it came. */
  readonly cachedAt: Date
  readonly certStatus: 'good' | 'revoked' | 'unknown'
  /** Until when it counts. */
  readonly usableUntil: Date
  /** The OCSP response. */
  readonly der: Uint8Array
}

export interface HeldResponses {
  find(certificateKey: string): HeldResponse | undefined
  put(certificateKey: string, held: HeldResponse): void
  drop(certificateKey: string): void
  /** Drops what ended long ago; revoked ones stay if `isRevokedPreserved`. */
  sweep(now: Date, isRevokedPreserved: boolean): void
  clear(): void
  entries(): IterableIterator<readonly [string, HeldResponse]>
  readonly size: number
  count(certStatus: HeldResponse['certStatus']): number
  /** Grows with each change. */
  readonly version: number
}

/** Creates an empty place. The least recently used goes when it is full, of the revoked ones last. */
export function createHeldResponses(most = 10_000): HeldResponses {
  const held = new Map<string, HeldResponse>()
  const counts = { good: 0, revoked: 0, unknown: 0 }
  let version = 0

  function drop(key: string): void {
    const known = held.get(key)
    if (known === undefined) return
    held.delete(key)
    counts[known.certStatus]--
    version++
  }

  function makeRoom(): void {
    if (held.size < most) return
    // A flood of new certificates must not push out who is known to be revoked; but looking is bounded too.
    let looked = 0
    for (const [key, { certStatus }] of held) {
      if (certStatus !== 'revoked') return drop(key)
      if (++looked === mostLooked) break
    }
    const [oldest] = held.keys()
    if (oldest !== undefined) drop(oldest)
  }

  return {
    find(key) {
      const known = held.get(key)
      if (known === undefined) return undefined
      held.delete(key)
      held.set(key, known)
      return known
    },
    put(key, each) {
      drop(key)
      makeRoom()
      held.set(key, each)
      counts[each.certStatus]++
      version++
    },
    drop,
    sweep(now, isRevokedPreserved) {
      for (const [key, { usableUntil, certStatus }] of held) {
        if (isRevokedPreserved && certStatus === 'revoked') continue
        if (now.getTime() - usableUntil.getTime() > graceMs) drop(key)
      }
    },
    clear() {
      for (const key of [...held.keys()]) drop(key)
    },
    entries: () => held.entries(),
    get size() {
      return held.size
    },
    count: (certStatus) => counts[certStatus],
    get version() {
      return version
    },
  }
}

/** A revocation that nobody has renewed for a day says little about today. */
const graceMs = 86_400_000
const mostLooked = 1_000
