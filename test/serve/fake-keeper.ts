/** A keeper that holds what a test puts into it, and tells of it in the real one's events. No fetching, no clock. */
import type { EntryStatus, Keeper, KeeperEvent, KeptCertificate, Servable } from '../../src/keep/keeper/index.ts'
import { certificateKey } from '../../src/pki/x509/crypto.ts'

export interface FakeKeeper extends Keeper {
  /** What is served for a certificate from now on; announced unless `quiet`. */
  hold(key: string, servable: Servable, announced?: KeeperEvent['type'] | 'quiet'): void
  /** The keys of what was added and not removed, as often as it was added. */
  readonly added: readonly string[]
  readonly kept: ReadonlyMap<string, KeptCertificate>
  readonly isClosed: boolean
  /** Makes every `servable` throw. */
  broken: boolean
}

const missing: Servable = { isRevoked: false, stapleState: 'missing' }

export function good(text = 'a good staple'): Servable {
  return { staple: Buffer.from(text), certStatus: 'good', isRevoked: false, stapleState: 'fresh' }
}
export function revoked(text = 'a revoked staple'): Servable {
  return { staple: Buffer.from(text), certStatus: 'revoked', isRevoked: true, stapleState: 'revoked' }
}
export const stale: Servable = { isRevoked: false, stapleState: 'stale' }
export const unsupported: Servable = { isRevoked: false, stapleState: 'unsupported' }
export function unknown(held?: string): Servable {
  return {
    ...(held !== undefined && { staple: Buffer.from(held), certStatus: 'good' }),
    unknown: Buffer.from('an unknown staple'),
    isRevoked: false,
    stapleState: 'unknown',
  }
}

export function fakeKeeper(initial: Readonly<Record<string, Servable>> = {}): FakeKeeper {
  const held = new Map(Object.entries(initial))
  const kept = new Map<string, KeptCertificate>()
  const added: string[] = []
  const subscribers = new Set<(event: KeeperEvent) => void>()
  const entry = (key: string) =>
    kept.has(key) || held.has(key)
      ? ({
          certificateKey: key,
          label: kept.get(key)?.label ?? key.slice(0, 8),
          stapleState: (held.get(key) ?? missing).stapleState,
          certStatus: held.get(key)?.certStatus,
        } as unknown as EntryStatus)
      : undefined
  const keeper = {
    added,
    kept,
    isClosed: false,
    broken: false,
    hold(key: string, servable: Servable, announced: KeeperEvent['type'] | 'quiet' = 'refreshed') {
      held.set(key, servable)
      if (announced === 'quiet') return
      const event = { type: announced, certificateKey: key, label: key.slice(0, 8), at: new Date(), entry: entry(key) }
      for (const subscriber of subscribers) subscriber(event as unknown as KeeperEvent)
    },
    add(one: KeptCertificate) {
      const der = one.certificate instanceof Uint8Array ? one.certificate : one.certificate.der
      const key = certificateKey(der)
      added.push(key)
      kept.set(key, one)
      return {
        certificateKey: key,
        servable: () => keeper.servable(key),
        status: () => entry(key) as EntryStatus,
        settled: async () => {},
        remove: () => keeper.remove(key),
      }
    },
    remove(key: string) {
      const index = added.indexOf(key)
      if (index >= 0) added.splice(index, 1)
      if (!added.includes(key)) kept.delete(key)
    },
    servable(key: string) {
      if (keeper.broken) throw new Error('the keeper is broken')
      return held.get(key) ?? missing
    },
    entry,
    entries: () => [...kept.keys()].map((key) => entry(key) as EntryStatus),
    refresh: async () => {},
    settled: async () => {},
    on() {},
    off() {},
    subscribe(listener: (event: KeeperEvent) => void) {
      subscribers.add(listener)
      return () => void subscribers.delete(listener)
    },
    async close() {
      keeper.isClosed = true
    },
  }
  return keeper as unknown as FakeKeeper
}
