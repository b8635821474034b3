/**
 * What a responder understood the last time it answered: method and hash, per responder and issuer.
 *
 * Lives as long as the fetcher. A second choice is forgotten after a day: SHA-256 in a staple is refused by some clients,
 * SHA-1 is the weaker hash, so it is worth asking again whether the responder has learned the better one.
 */

import type { HashAlgorithm } from '../../pki/x509/crypto.ts'
import type { Clock } from '../clock.ts'
import type { HttpMethod } from './contract.ts'

export interface Understood {
  readonly method: HttpMethod
  readonly hashAlgorithm: HashAlgorithm
  /** Another hash would have been better, and was not understood. */
  readonly isSecondChoice: boolean
}

export interface ResponderMemory {
  recall(key: string): Understood | undefined
  remember(key: string, understood: Understood): void
  forget(key: string): void
}

const mostResponders = 4096
const secondChoiceMs = 86_400_000

export function createResponderMemory(clock: Clock): ResponderMemory {
  const known = new Map<string, Understood & { readonly since: number }>()
  return {
    recall(key) {
      const found = known.get(key)
      if (found?.isSecondChoice && clock.monotonicMs() - found.since > secondChoiceMs) {
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
