/**
 * One step while it is being decided: the entry as it becomes, the orders so far. Nothing of it outlives the step.
 */
import { isStapleError, type Retry, type StapleError } from '../../errors.ts'
import type { VerifiedOcspResponse } from '../../pki/ocsp/verify.ts'
import { drawChance } from './chance.ts'
import { type Entry, isUrgent, type LastError, type Staple } from './entry.ts'
import type { EntryEvent } from './events.ts'
import type { Order } from './occurrence.ts'
import { latestRefresh, refreshAfterSame, refreshPoint, retryDelay, urgentRetryAt } from './schedule.ts'
import { isServable, type Window, withdrawAt } from './window.ts'

export interface Turn {
  /** A copy of the entry before; what a step changes, it changes here. */
  readonly entry: { -readonly [Key in keyof Entry]: Entry[Key] }
  readonly orders: Order[]
  readonly now: number
}

export function emit(turn: Turn, event: EntryEvent): void {
  turn.orders.push({ type: 'emit', event })
}

/** Draws a number in [0, 1) from the entry's own sequence. */
export function draw(turn: Turn): number {
  const { chance, seed } = drawChance(turn.entry.seed)
  turn.entry.seed = seed
  return chance
}

/** The held staple, if it may be served now. */
export function servedStaple({ entry, now }: Turn): Staple | undefined {
  return entry.held !== undefined && isServable(entry.held, now) ? entry.held : undefined
}

/** Orders a look into the store, unless one is under way or nothing found there could be verified. */
export function orderLoad({ entry, orders }: Turn): void {
  if (entry.isLoading || !entry.hasIssuer) return
  entry.isLoading = true
  entry.loadAt = undefined
  orders.push({ type: 'load' })
}

/** Orders a save of what the store is to have from now on. */
export function orderSave({ entry, orders }: Turn, staple: Uint8Array): void {
  entry.unsaved = staple
  entry.saveAt = undefined
  orders.push({ type: 'save', staple })
}

/** Puts a staple into memory as what is held, and says when a newer one is wanted. */
export function hold(turn: Turn, staple: Staple, maxAgeMs?: number): void {
  const { entry, now } = turn
  entry.held = staple
  entry.dueAt = refreshPoint(staple, now, maxAgeMs, draw(turn))
}

/** Sets the next request after a new answer: at its refresh point, and within the longest interval. */
export function scheduleAfterNew(turn: Turn, window: Window, point: number): void {
  const { entry, now } = turn
  if (point <= now) return scheduleAfterSame(turn, window)
  entry.refreshAt = Math.min(point, latestRefresh(now, entry.limits.maxIntervalMs, draw(turn)))
}

/** Sets the next request after an answer that brought nothing newer, or came late in its own window. */
export function scheduleAfterSame(turn: Turn, window: Window): void {
  const { entry, now } = turn
  const at = refreshAfterSame(window, now, entry.lastRequestAt)
  entry.refreshAt = Math.min(at, latestRefresh(now, entry.limits.maxIntervalMs, draw(turn)))
}

/** Sets the next request while a required staple is lacking; false when none is. */
export function scheduleUrgent(turn: Turn, retryAfterMs?: number): boolean {
  const { entry, now } = turn
  if (!isUrgent(entry, now) || entry.isAsking) return false
  const since = entry.urgentSince ?? now
  const outage = { since, lastRequestAt: entry.lastRequestAt ?? now, attempts: Math.max(1, entry.urgentAttempts) }
  entry.refreshAt = urgentRetryAt(outage, now, retryAfterMs, draw(turn))
  return true
}

/** Records a failed attempt and sets the next one. */
export function scheduleAfterFailure(turn: Turn, error: StapleError): void {
  const { entry, now } = turn
  entry.failures++
  entry.lastError = { code: error.code, message: error.message, at: now, causes: listCauses(error) }
  const retryAfterMs = hasCauses(error) ? error.detail.retryAfterMs : undefined
  if (scheduleUrgent(turn, retryAfterMs)) return
  const served = servedStaple(turn)
  const failure = {
    failures: entry.failures,
    leftMs: served && withdrawAt(served) - now,
    retry: retryOf(error),
    retryAfterMs,
    youngMs: isUnauthorized(error) && now - entry.notBefore < dayMs ? Math.max(0, now - entry.notBefore) : undefined,
  }
  entry.refreshAt = now + retryDelay(failure, draw(turn))
}

/** Tells whether a failure is the one before over again. */
export function isRepeat(before: LastError | undefined, error: StapleError): boolean {
  return before !== undefined && before.code === error.code && before.causes === listCauses(error)
}

/** Emits each warning about the held staple that was not emitted about the one before. */
export function emitWarnings(turn: Turn, { warnings }: VerifiedOcspResponse): void {
  const before = new Set(turn.entry.warned.split(' '))
  for (const warning of warnings) if (!before.has(warning.code)) emit(turn, { type: 'warning', warning })
  turn.entry.warned = warnings.map(({ code }) => code).join(' ')
}

/** Emits that an answer was not taken, and whether that was the last thing to say of this kind. */
export function emitRefused(turn: Turn, error: StapleError): void {
  emit(turn, { type: 'refused', error, isRepeat: turn.entry.lastRefusal === error.code })
  turn.entry.lastRefusal = error.code
}

/** Emits a revocation that the responder was given time to take back. */
export function emitRevocation(turn: Turn): void {
  const { revocation } = turn.entry
  if (revocation?.unsaid === undefined) return
  turn.entry.revocation = { ...revocation, unsaid: undefined }
  emit(turn, {
    type: 'revoked',
    revocationTime: revocation.revocationTime === undefined ? undefined : new Date(revocation.revocationTime),
    revocationReason: revocation.revocationReason,
    response: revocation.unsaid,
  })
}

/** When asking again could help: as soon as it could for any of the causes. */
function retryOf(error: StapleError): Retry {
  if (!hasCauses(error)) return error.retry
  const wishes = error.detail.causes.map((cause) => cause.retry)
  if (wishes.length === 0 || wishes.includes('soon')) return 'soon'
  return wishes.includes('later') ? 'later' : 'when-changed'
}

function isUnauthorized(error: StapleError): boolean {
  if (hasCauses(error)) return error.detail.causes.some(isUnauthorized)
  return isStapleError(error, 'ERR_OCSP_RESPONSE_STATUS') && error.detail.found === 'unauthorized'
}

function listCauses(error: StapleError): string {
  if (!hasCauses(error)) return error.code
  return [...new Set(error.detail.causes.map(({ code }) => code))].sort().join(' ')
}

function hasCauses(error: StapleError): error is StapleError<'ERR_FETCH_FAILED' | 'ERR_FETCH_NO_ISSUER'> {
  return isStapleError(error, 'ERR_FETCH_FAILED') || isStapleError(error, 'ERR_FETCH_NO_ISSUER')
}

const dayMs = 86_400_000
