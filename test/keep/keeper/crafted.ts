/** Verified answers and entries made by hand, for the tables of step.ts: no signatures, no clock. */

import { StapleError } from '../../../src/errors.ts'
import { createEntry, type Entry, type Limits } from '../../../src/keep/keeper/entry.ts'
import type { EntryEvent } from '../../../src/keep/keeper/events.ts'
import type { Occurrence, Order } from '../../../src/keep/keeper/occurrence.ts'
import { step } from '../../../src/keep/keeper/step.ts'
import type { VerifiedOcspResponse } from '../../../src/pki/ocsp/verify.ts'

export const second = 1_000
export const minute = 60_000
export const hour = 3_600_000
export const day = 86_400_000
export const noon = Date.UTC(2026, 0, 15, 12)

export const limits: Limits = { maxStapleBytes: 16_000, maxIntervalMs: 12 * hour }

export interface Crafted {
  readonly certStatus?: 'good' | 'revoked' | 'unknown'
  readonly thisUpdate: number
  readonly nextUpdate: number
  readonly usableUntil?: number
  readonly size?: number
  readonly isContradictory?: boolean
  readonly needsDelegateCheck?: boolean
  readonly warnings?: VerifiedOcspResponse['warnings']
}

let serial = 0

/** An answer as verifyOcspResponse would return it. */
export function answer(crafted: Crafted): VerifiedOcspResponse {
  const { certStatus = 'good', thisUpdate, nextUpdate, size = 500, isContradictory = false, warnings = [] } = crafted
  const der = new Uint8Array(size)
  new DataView(der.buffer).setUint32(0, ++serial)
  return {
    der,
    certStatus,
    ...(certStatus === 'revoked' && { revocationTime: new Date(thisUpdate - day), revocationReason: 'keyCompromise' }),
    producedAt: new Date(thisUpdate),
    thisUpdate: new Date(thisUpdate),
    nextUpdate: new Date(nextUpdate),
    effectiveNextUpdate: new Date(nextUpdate),
    usableUntil: new Date(crafted.usableUntil ?? nextUpdate),
    singleResponse: undefined as never,
    signer: { kind: 'issuer', name: 'CN=Issuer' },
    isContradictory,
    hashAlgorithms: ['sha1'],
    needsDelegateCheck: crafted.needsDelegateCheck ?? false,
    warnings,
  }
}

export function fetched(response: VerifiedOcspResponse, maxAgeMs?: number): Occurrence {
  return { type: 'fetched', response, responderURL: 'http://responder.test/', maxAgeMs }
}

export const prepared: Extract<Occurrence, { type: 'prepared' }> = {
  type: 'prepared',
  isRequired: false,
  unsupportedReason: undefined,
  hasIssuer: true,
  issuerError: undefined,
}

export function networkError(retryAfterMs?: number): StapleError {
  const cause = new StapleError('ERR_FETCH_NETWORK', 'connect ECONNREFUSED', { url: 'http://responder.test/' })
  return fetchError([cause], retryAfterMs)
}

export function fetchError(causes: readonly StapleError[], retryAfterMs?: number): StapleError {
  return new StapleError('ERR_FETCH_FAILED', 'every responder failed', {
    causes,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
}

export function statusError(responseStatus: string): StapleError {
  return new StapleError('ERR_OCSP_RESPONSE_STATUS', `the responder answered ${responseStatus}`, {
    field: 'ocspResponse.responseStatus',
    expected: 'successful',
    found: responseStatus,
    clause: 'RFC 6960 §4.2.1',
  })
}

export function plainError(
  code: 'ERR_STORE_READ' | 'ERR_STORE_WRITE' | 'ERR_OCSP_STALE' | 'ERR_OCSP_SIGNATURE',
): StapleError {
  return new StapleError(code, code, { path: 'x', field: 'x', expected: 'x', found: 'x', clause: 'x' } as never)
}

export interface NewEntry {
  readonly isRequired?: boolean
  readonly notBefore?: number
  readonly notAfter?: number
  readonly seed?: number
}

export function newEntry(o: NewEntry = {}): Entry {
  const { isRequired = false, notBefore = noon - 30 * day, notAfter = noon + 365 * day, seed = 1 } = o
  return createEntry({ limits, notBefore, notAfter, isRequired, seed })
}

/** One entry on its way through step, with everything that was ordered. */
export class Walk {
  entry: Entry
  now: number
  readonly orders: Order[] = []

  constructor(entry: Entry, now: number = noon) {
    this.entry = entry
    this.now = now
  }

  /** Takes one step; returns its orders. */
  take(occurrence: Occurrence, at: number = this.now): readonly Order[] {
    this.now = at
    const before = Object.freeze(this.entry)
    const { entry, orders } = step(before, occurrence, new Date(at))
    this.entry = entry
    this.orders.push(...orders)
    return orders
  }

  /** Wakes at the moment that was last asked for; false when none was, or it is after `until`. */
  wake(until = Number.POSITIVE_INFINITY): boolean {
    const { wakeAt } = this.entry
    if (wakeAt === undefined || wakeAt > until) return false
    this.take({ type: 'woken' }, wakeAt)
    return true
  }

  /** Wakes until somebody is asked. */
  wakeUntilAsked(): void {
    while (!this.entry.isAsking) {
      if (!this.wake()) throw new Error(`nobody will be asked: ${JSON.stringify(this.entry)}`)
    }
  }

  count(type: Order['type']): number {
    return this.orders.filter((order) => order.type === type).length
  }

  get events(): EntryEvent[] {
    return eventsOf(this.orders)
  }
}

/** A certificate that was prepared, whose store was empty, and who was asked for the first time. */
export function asking(o: NewEntry = {}, at = noon): Walk {
  const walk = new Walk(newEntry(o), at)
  walk.take({ ...prepared, isRequired: o.isRequired ?? false })
  walk.take({ type: 'loaded', response: undefined })
  return walk
}

export function eventsOf(orders: readonly Order[]): EntryEvent[] {
  return orders.flatMap((order) => (order.type === 'emit' ? [order.event] : []))
}

export function typesOf(orders: readonly Order[]): string[] {
  return eventsOf(orders).map((event) => event.type)
}
