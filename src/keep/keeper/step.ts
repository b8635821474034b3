/**
 * The keeper's whole judgement as one pure function: an entry, what happened and when go in; the next entry and what is
 * to be done come out. No clock, timer, socket, disk or dice: the same arguments always give the same result.
 *
 * After whatever happened, `settle` judges the entry at that moment: what is withdrawn or restored, what is due, and
 * when to look again. keeper.ts carries the orders out.
 */
import { askAtOnce, scheduleAfterLoad, takeFetched, takeLoaded } from './answers.ts'
import { type Entry, isUrgent } from './entry.ts'
import type { Occurrence, Order } from './occurrence.ts'
import { attemptDeadline, saveRetryDelay, spread } from './schedule.ts'
import {
  draw,
  emit,
  emitRevocation,
  isRepeat,
  orderLoad,
  orderSave,
  scheduleAfterFailure,
  servedStaple,
  type Turn,
} from './turn.ts'
import { isServable, servableFrom, withdrawAt } from './window.ts'

/** Decides what becomes of an entry. Neither argument is changed. */
export function step(entry: Entry, occurrence: Occurrence, at: Date): { entry: Entry; orders: readonly Order[] } {
  if (!entry.isPrepared && occurrence.type !== 'prepared') return { entry, orders: [] }
  const turn: Turn = { entry: { ...entry }, orders: [], now: at.getTime() }
  take(turn, occurrence)
  settle(turn)
  return { entry: turn.entry, orders: turn.orders }
}

function take(turn: Turn, occurrence: Occurrence): void {
  const { entry, now } = turn
  switch (occurrence.type) {
    case 'prepared':
      return prepare(turn, occurrence)
    case 'issuer-fetched':
      entry.isAsking = false
      entry.hasIssuer = true
      entry.failures = 0
      entry.lastError = undefined
      if (occurrence.url !== undefined) emit(turn, { type: 'issuer-fetched', url: occurrence.url })
      return orderLoad(turn)
    case 'issuer-failed': {
      const isFirst = !isRepeat(entry.lastError, occurrence.error)
      endAttempt(turn)
      scheduleAfterFailure(turn, occurrence.error)
      if (isFirst) emit(turn, { type: 'no-issuer', error: occurrence.error, retryAt: dateOf(entry.refreshAt) })
      return
    }
    case 'loaded':
      return takeLoaded(turn, occurrence.response)
    case 'load-failed':
      return takeLoadFault(turn, occurrence)
    case 'fetched':
      return takeFetched(turn, occurrence)
    case 'fetch-failed':
      return takeFailure(turn, occurrence)
    case 'saved':
      if (entry.unsaved !== occurrence.staple) return
      entry.unsaved = undefined
      entry.saveFailures = 0
      return
    case 'save-failed':
      emit(turn, { type: 'save-failed', error: occurrence.error })
      if (entry.unsaved !== occurrence.staple) return
      entry.saveFailures++
      entry.saveAt = now + saveRetryDelay(entry.saveFailures, draw(turn))
      return
    case 'store-changed':
      // Whoever writes it may still be writing: a change after this one puts it off again.
      entry.loadAt = now + quietMs
      return
    case 'refresh-asked':
      if (!isAskable(entry)) orderLoad(turn)
      else if (!entry.isAsking) entry.refreshAt = now
      return
    case 'woken':
      return
    case 'clock-jumped':
      return takeJump(turn, occurrence.byMs)
  }
}

function prepare(turn: Turn, { isRequired, unsupportedReason, hasIssuer, issuerError }: Prepared): void {
  const { entry } = turn
  const hadIssuer = entry.hasIssuer
  entry.isPrepared = true
  entry.isRequired = isRequired
  entry.unsupportedReason = unsupportedReason
  entry.hasIssuer ||= hasIssuer
  if (issuerError !== undefined && !entry.isUnsupportedSaid) {
    // Nobody meant this to be so, which `unsupported` would be too quiet about.
    entry.isUnsupportedSaid = true
    emit(turn, { type: 'no-issuer', error: issuerError, retryAt: undefined })
  }
  if (!hadIssuer) orderLoad(turn)
  if (!entry.isLoading) askAtOnce(turn)
}

type Prepared = Extract<Occurrence, { type: 'prepared' }>

function takeLoadFault(turn: Turn, { fault, error }: Extract<Occurrence, { type: 'load-failed' }>): void {
  const { entry, orders } = turn
  entry.isLoading = false
  entry.isStoredOutOfTime = fault === 'out-of-time'
  if (fault === 'unreadable') emit(turn, { type: 'load-failed', error })
  if (fault === 'damaged' || fault === 'refused') {
    const isSetAside = fault === 'damaged'
    if (isSetAside) orders.push({ type: 'refuse-stored', reason: error.message })
    if (entry.lastRefusal !== error.code) emit(turn, { type: 'store-refused', error, isSetAside })
    entry.lastRefusal = error.code
    if (entry.held !== undefined) orderSave(turn, entry.held.der)
  }
  askAtOnce(turn)
}

function takeFailure(turn: Turn, { error }: Extract<Occurrence, { type: 'fetch-failed' }>): void {
  const { entry } = turn
  const isSame = isRepeat(entry.lastError, error)
  endAttempt(turn)
  scheduleAfterFailure(turn, error)
  const { failures } = entry
  emit(turn, { type: 'refresh-failed', error, retryAt: dateOf(entry.refreshAt), failures, isRepeat: isSame })
  emitRevocation(turn)
  // Somebody may have put a staple there by hand, on a file system that reports nothing.
  orderLoad(turn)
}

function endAttempt({ entry }: Turn): void {
  entry.isAsking = false
  entry.isSettled = true
}

/** Moves along what was counted from the old hour, and judges anew what hangs on the new one. */
function takeJump(turn: Turn, byMs: number): void {
  const { entry, now } = turn
  const move = (at: number | undefined) => (at === undefined ? undefined : at + byMs)
  entry.lastRequestAt = move(entry.lastRequestAt)
  entry.urgentSince = move(entry.urgentSince)
  entry.saveAt = move(entry.saveAt)
  entry.loadAt = move(entry.loadAt)
  if (entry.isStoredOutOfTime) orderLoad(turn)
  if (entry.isAsking || !isAskable(entry)) return
  const served = servedStaple(turn)
  // What failed, or was out of its time, may have been so for the clock alone.
  if (served === undefined) entry.refreshAt = now
  else if (entry.failures > 0) entry.refreshAt = now + spread(withdrawAt(served) - now, draw(turn))
  else scheduleAfterLoad(turn, served)
}

/** Judges the entry at this moment, whatever happened before. */
function settle(turn: Turn): void {
  const { entry, now } = turn
  judgeExpiry(turn)
  judgeSupport(turn)
  judgeService(turn)
  judgeUrgency(turn)
  if (entry.unknown !== undefined && now >= entry.unknown.usableUntil) entry.unknown = undefined
  if (entry.loadAt !== undefined && entry.loadAt <= now) orderLoad(turn)
  if (entry.saveAt !== undefined && entry.saveAt <= now && entry.unsaved !== undefined) orderSave(turn, entry.unsaved)
  if (entry.refreshAt !== undefined && entry.refreshAt <= now && !entry.isAsking) ask(turn)
  const wakeAt = soonest(turn)
  if (wakeAt !== entry.wakeAt) {
    entry.wakeAt = wakeAt
    turn.orders.push({ type: 'wake', at: wakeAt })
  }
}

/** An expired certificate is refused whatever is stapled: nobody is asked about it. */
function judgeExpiry(turn: Turn): void {
  const { entry, now } = turn
  if (now < entry.notAfter) return
  entry.refreshAt = undefined
  if (!entry.isLoading) entry.isSettled = true
  if (entry.isExpirySaid) return
  entry.isExpirySaid = true
  const message = `the certificate has expired: notAfter ${formatTime(entry.notAfter)}, it is ${formatTime(now)}`
  emit(turn, { type: 'warning', warning: { code: 'certificate-expired', message } })
}

/** A certificate that nobody can be asked about may still have a staple in the store, put there by hand. */
function judgeSupport(turn: Turn): void {
  const { entry } = turn
  if (entry.unsupportedReason === undefined) return
  entry.refreshAt = undefined
  if (entry.isLoading) return
  entry.isSettled = true
  emitRevocation(turn)
  if (entry.isUnsupportedSaid || entry.held !== undefined) return
  entry.isUnsupportedSaid = true
  emit(turn, { type: 'unsupported', reason: entry.unsupportedReason })
}

function judgeService(turn: Turn): void {
  const { entry, now } = turn
  if (entry.held === undefined) return
  const isServed = isServable(entry.held, now)
  if (!isServed && !entry.isWithdrawn) {
    entry.isWithdrawn = true
    emit(turn, { type: 'stale' })
  } else if (isServed && entry.isWithdrawn) {
    entry.isWithdrawn = false
    emit(turn, { type: 'restored' })
  }
  if (isServed && entry.revocation?.unsaid === undefined) entry.isSettled = true
}

/** Without a required staple, the next request does not wait for the schedule of the one that was. */
function judgeUrgency({ entry, now }: Turn): void {
  if (!isUrgent(entry, now)) {
    entry.urgentSince = undefined
    entry.urgentAttempts = 0
  } else if (entry.urgentSince === undefined) {
    entry.urgentSince = now
    if (entry.refreshAt === undefined) return
    const soon = Math.max(now, (entry.lastRequestAt ?? -Infinity) + 5_000)
    entry.refreshAt = Math.min(entry.refreshAt, soon)
  }
}

function ask({ entry, orders, now }: Turn): void {
  entry.isAsking = true
  entry.refreshAt = undefined
  entry.lastRequestAt = now
  if (entry.urgentSince !== undefined) entry.urgentAttempts++
  if (!entry.hasIssuer) {
    orders.push({ type: 'fetch-issuer' })
    return
  }
  const { urgentSince: since, urgentAttempts: attempts } = entry
  const outage = since === undefined ? undefined : { since, attempts, lastRequestAt: now }
  orders.push({ type: 'fetch', deadlineMs: attemptDeadline(outage) })
}

function soonest({ entry, now }: Turn): number | undefined {
  const { held } = entry
  const moments = [entry.refreshAt, entry.saveAt, entry.loadAt]
  if (held !== undefined) moments.push(now < servableFrom(held) ? servableFrom(held) : withdrawAt(held))
  const least = Math.min(...moments.filter((moment) => moment !== undefined && moment > now).map(Number))
  return Number.isFinite(least) ? least : undefined
}

function isAskable(entry: Entry): boolean {
  return entry.unsupportedReason === undefined
}

function dateOf(at: number | undefined): Date | undefined {
  return at === undefined ? undefined : new Date(at)
}

function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

/** How long a file in the store has to be left alone before it is read. */
const quietMs = 1_000
