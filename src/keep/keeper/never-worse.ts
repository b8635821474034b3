/**
 * Whether an answer may take the place of what is held: never a worse one for a good one.
 *
 * Answers come here verified. What is still to judge is their size, their age beside what is held, and what they say.
 */
import { StapleError } from '../../errors.ts'
import type { VerifiedOcspResponse } from '../../pki/ocsp/verify.ts'
import { createStaple, type Entry, type Staple } from './entry.ts'
import { isServable, type Window, withdrawAt } from './window.ts'

/** What becomes of an answer. */
export type Verdict =
  /** It becomes the held staple. */
  | { readonly kind: 'hold'; readonly staple: Staple; readonly isUnrevoking: boolean }
  /** It says what is known already. */
  | { readonly kind: 'same'; readonly staple: Staple }
  /** It proves a revocation but cannot be stapled: what is held goes. */
  | { readonly kind: 'revoke'; readonly staple: Staple }
  /** It is recorded beside what is held. */
  | { readonly kind: 'record-unknown'; readonly staple: Staple; readonly isNew: boolean }
  | { readonly kind: 'refuse'; readonly error: StapleError }

/**
 * Weighs a verified answer against what is held at a moment.
 *
 * A newer answer (a later thisUpdate, or the same and a later nextUpdate) is taken; a revocation also when its thisUpdate
 * is the same as a good staple's; a `good` lifts a revocation only when its thisUpdate is later. What is past its
 * withdrawal protects nothing: then any answer that can be served is better than none.
 *
 * @see RFC 6960 §2.4 (thisUpdate and nextUpdate), §2.2 (certificateHold may be lifted)
 */
export function weigh(
  entry: Pick<Entry, 'held' | 'revocation' | 'unknown' | 'limits'>,
  response: VerifiedOcspResponse,
  source: Staple['source'],
  now: number,
): Verdict {
  const { maxStapleBytes } = entry.limits
  if (response.der.length > maxStapleBytes) return { kind: 'refuse', error: tooLarge(response, maxStapleBytes) }
  if (response.needsDelegateCheck) return { kind: 'refuse', error: delegateUnchecked(response) }
  const staple = createStaple(response, source)
  switch (staple.certStatus) {
    case 'revoked':
      return weighRevoked(entry, staple, response.isContradictory, now)
    case 'unknown':
      if (response.isContradictory) return refuse('entries', 'entries that agree', 'entries that contradict each other')
      return weighUnknown(entry, staple)
    case 'good':
      return weighGood(entry, staple, now)
  }
}

function weighGood({ held, revocation }: Held, staple: Staple, now: number): Verdict {
  if (revocation !== undefined && staple.thisUpdate <= revocation.thisUpdate) {
    return refuseOlder(staple, `later than the revocation's ${formatTime(revocation.thisUpdate)}`)
  }
  return replace(held, staple, revocation !== undefined, now)
}

function weighRevoked({ held, revocation }: Held, staple: Staple, isContradictory: boolean, now: number): Verdict {
  const known = Math.max(held?.thisUpdate ?? -Infinity, revocation?.thisUpdate ?? -Infinity)
  if (held?.certStatus !== 'revoked') {
    const isOlder = staple.thisUpdate < known && (revocation !== undefined || (held && now < withdrawAt(held)))
    if (isOlder) return refuseOlder(staple, `no earlier than ${formatTime(known)}`)
    if (!isContradictory) return { kind: 'hold', staple, isUnrevoking: false }
    return revocation?.thisUpdate === staple.thisUpdate ? { kind: 'same', staple } : { kind: 'revoke', staple }
  }
  // What cannot be stapled is no better than a revoked staple that says the same.
  if (isContradictory) return { kind: 'same', staple }
  return replace(held, staple, false, now)
}

function weighUnknown({ held, revocation, unknown }: Held, staple: Staple): Verdict {
  const known = Math.max(held?.thisUpdate ?? -Infinity, revocation?.thisUpdate ?? -Infinity)
  if (staple.thisUpdate < known) return refuseOlder(staple, `no earlier than ${formatTime(known)}`)
  const isNew = unknown === undefined || isNewer(staple, unknown)
  return { kind: 'record-unknown', staple: isNew ? staple : unknown, isNew }
}

function replace(held: Staple | undefined, staple: Staple, isUnrevoking: boolean, now: number): Verdict {
  if (held === undefined) return { kind: 'hold', staple, isUnrevoking }
  if (isNewer(staple, held)) {
    if (isUnrevoking || !isServable(held, now) || isServable(staple, now)) return { kind: 'hold', staple, isUnrevoking }
    return refuse('nextUpdate', `more than the margin after ${formatTime(now)}`, formatTime(staple.effectiveNextUpdate))
  }
  if (isSameWindow(staple, held)) return { kind: 'same', staple }
  if (now >= withdrawAt(held) && isServable(staple, now)) return { kind: 'hold', staple, isUnrevoking }
  return refuseOlder(staple, `later than the held one's ${formatTime(held.thisUpdate)}`)
}

function isNewer(staple: Staple, other: Staple): boolean {
  if (staple.thisUpdate !== other.thisUpdate) return staple.thisUpdate > other.thisUpdate
  if (staple.effectiveNextUpdate !== other.effectiveNextUpdate) {
    return staple.effectiveNextUpdate > other.effectiveNextUpdate
  }
  // The same times, signed by a delegate whose certificate lasts longer.
  return staple.usableUntil > other.usableUntil
}

function isSameWindow(staple: Staple, other: Staple): boolean {
  return staple.thisUpdate === other.thisUpdate && staple.effectiveNextUpdate === other.effectiveNextUpdate
}

function refuseOlder(staple: Staple & Window, expected: string): Verdict {
  return refuse('thisUpdate', expected, formatTime(staple.thisUpdate))
}

function refuse(field: string, expected: string, found: string): Verdict {
  const message = `an answer is no better than what is held: ${field} is ${found}, expected ${expected}`
  return { kind: 'refuse', error: new StapleError('ERR_KEEPER_WORSE', message, { field, expected, found }) }
}

function tooLarge({ der }: VerifiedOcspResponse, maxStapleBytes: number): StapleError {
  const expected = `at most ${maxStapleBytes} bytes`
  const found = `${der.length} bytes`
  const message = `the response is too large to be stapled: ${found}, expected ${expected}`
  return new StapleError('ERR_OCSP_TOO_LARGE', message, { field: 'ocspResponse', expected, found, clause: 'limit' })
}

/** Whoever set `delegateWithoutNocheck: 'check'` wants the signer's own status asked first; until then it proves nothing. */
function delegateUnchecked({ signer }: VerifiedOcspResponse): StapleError {
  const message = `the responder's own certificate lacks id-pkix-ocsp-nocheck, and its status was not asked: ${signer.name}`
  return new StapleError('ERR_OCSP_RESPONDER_NOT_AUTHORIZED', message, {
    field: 'basicResponse.certs',
    expected: 'id-pkix-ocsp-nocheck, or a status of its own',
    found: 'neither',
    clause: 'RFC 6960 §4.2.2.2.1',
  })
}

function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

type Held = Pick<Entry, 'held' | 'revocation' | 'unknown'>
