/**
 * What a responder understood the last time it answered: method and hash, per responder and issuer.
 *
 * Lives as long as the fetcher. SHA-256 is forgotten after a day: a staple with it is refused by some clients, so it is
 * worth asking again whether the responder has learned SHA-1.
 */

import type { HashAlgorithm } from '../../pki/x509/crypto.ts'
import type { Clock } from '../clock.ts'
import type { HttpMethod } from './contract.ts'

export interface Understood {
  readonly method: HttpMethod
  readonly hashAlgorithm: HashAlgorithm
}

export interface ResponderMemory {
  recall(key: string): Understood | undefined
  remember(key: string, understood: Understood): void
  forget(key: string): void
}

const mostResponders = 4096
const sha256Ms = 86_400_000

export function createResponderMemory(clock: Clock): ResponderMemory {
  const known = new Map<string, Understood & { readonly since: number }>()
  return {
    recall(key) {
      const found = known.get(key)
      if (found && found.hashAlgorithm !== 'sha1' && clock.monotonicMs() - found.since > sha256Ms) {
        known.delete(key)
        return undefined
      }
      return found
    },
    remember(key, understood) {
      const found = known.get(key)
      if (found && found.method === understood.method && found.hashAlgorithm === understood.hashAlgorithm) return
      known.set(key, { ...understood, since: clock.monotonicMs() })
      // the oldest goes; a Map keeps the order of insertion
      if (known.size > mostResponders) known.delete(known.keys().next().value as string)
    },
    forget(key) {
      known.delete(key)
    },
  }
}
