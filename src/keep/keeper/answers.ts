/**
 * What an answer changes: one from a responder, or one out of the store. Both pass never-worse.ts; only then they count.
 */
import type { VerifiedOcspResponse } from '../../pki/ocsp/verify.ts'
import type { Staple } from './entry.ts'
import { type Verdict, weigh } from './never-worse.ts'
import type { Occurrence } from './occurrence.ts'
import { refreshPoint, spread } from './schedule.ts'
import {
  draw,
  emit,
  emitRefused,
  emitRevocation,
  emitWarnings,
  hold,
  orderSave,
  scheduleAfterFailure,
  scheduleAfterNew,
  scheduleAfterSame,
  scheduleUrgent,
  servedStaple,
  type Turn,
} from './turn.ts'
import { withdrawAt } from './window.ts'

type Fetched = Extract<Occurrence, { type: 'fetched' }>

/** A responder answered, and the answer passed every rule. */
export function takeFetched(turn: Turn, { response, responderURL, maxAgeMs }: Fetched): void {
  const { entry, now } = turn
  const verdict = weigh(entry, response, 'network', now)
  const { failures } = entry
  entry.isAsking = false
  entry.isSettled = true
  entry.lastFetchAt = now
  entry.responderURL = responderURL
  if (verdict.kind === 'refuse') {
    refuse(turn, verdict)
    emitRevocation(turn)
    return
  }
  entry.failures = 0
  entry.lastError = undefined
  entry.lastRefusal = undefined
  const isNew = apply(turn, verdict, response, maxAgeMs)
  if (verdict.kind === 'hold' || verdict.kind === 'same') {
    emit(turn, { type: 'refreshed', response, responderURL, isNew })
  }
  emitWarnings(turn, response)
  if (failures > 0) emit(turn, { type: 'recovered', failures })
  emitRevocation(turn)
  schedule(turn, verdict.staple, isNew, maxAgeMs)
}

/** The store had something that passed every rule; or nothing. */
export function takeLoaded(turn: Turn, response: VerifiedOcspResponse | undefined): void {
  const { entry, now } = turn
  entry.isLoading = false
  if (response === undefined) {
    entry.isStoredOutOfTime = false
    return askAtOnce(turn)
  }
  const verdict = weigh(entry, response, 'store', now)
  entry.isStoredOutOfTime = false
  switch (verdict.kind) {
    case 'same':
      return askAtOnce(turn)
    case 'refuse':
      // What the store has is worse than what is held: it gets what is held, if it is not due to get it anyway.
      if (entry.unsaved === undefined) {
        if (entry.held !== undefined) orderSave(turn, entry.held.der)
        emitRefused(turn, verdict.error)
      }
      return askAtOnce(turn)
    case 'record-unknown':
      apply(turn, verdict, response)
      return askAtOnce(turn)
    case 'revoke':
      apply(turn, verdict, response)
      entry.refreshAt = now
      return
    case 'hold': {
      apply(turn, verdict, response)
      emit(turn, { type: 'loaded', response })
      emitWarnings(turn, response)
      // A stored revocation may have been lifted since: it is asked once more before it is said.
      if (verdict.staple.certStatus === 'revoked') entry.refreshAt = now
      else if (!entry.isAsking) scheduleAfterLoad(turn, verdict.staple)
    }
  }
}

/** Asks now, where nothing is scheduled: nothing useful was in the store. */
export function askAtOnce({ entry, now }: Turn): void {
  if (!entry.isAsking) entry.refreshAt ??= now
}

/** Sets the next request for a staple that nobody asked about lately: at its refresh point, or soon when that is past. */
export function scheduleAfterLoad(turn: Turn, staple: Staple): void {
  const { entry, now } = turn
  const point = entry.dueAt ?? refreshPoint(staple, now, undefined, draw(turn))
  if (servedStaple(turn) === undefined) entry.refreshAt = now
  else if (point <= now) entry.refreshAt = now + spread(withdrawAt(staple) - now, draw(turn))
  else scheduleAfterNew(turn, staple, point)
}

/** Changes what is held; says whether that is new. */
function apply(
  turn: Turn,
  verdict: Exclude<Verdict, { kind: 'refuse' }>,
  response: VerifiedOcspResponse,
  maxAgeMs?: number,
): boolean {
  const { entry } = turn
  const { staple } = verdict
  switch (verdict.kind) {
    case 'hold':
      hold(turn, staple, maxAgeMs)
      clearUnknown(turn, staple)
      if (staple.certStatus === 'revoked') revoke(turn, staple, response)
      if (verdict.isUnrevoking) {
        entry.revocation = undefined
        emit(turn, { type: 'unrevoked', response })
      }
      if (staple.source === 'network') orderSave(turn, staple.der)
      return true
    case 'same':
      clearUnknown(turn, staple)
      if (staple.certStatus === 'revoked') revoke(turn, staple, response)
      if (entry.held !== undefined && staple.source === 'network' && entry.held.source === 'store') {
        entry.held = { ...entry.held, source: 'network' }
      }
      return false
    case 'revoke':
      entry.held = undefined
      entry.dueAt = undefined
      clearUnknown(turn, staple)
      revoke(turn, staple, response)
      // The evidence goes to the store, so that a restart does not serve the good staple that lies there.
      if (staple.source === 'network') orderSave(turn, staple.der)
      return true
    case 'record-unknown': {
      const isFirst = entry.unknown === undefined
      entry.unknown = staple
      if (isFirst) emit(turn, { type: 'unknown', response })
      return verdict.isNew
    }
  }
}

function revoke({ entry }: Turn, staple: Staple, response: VerifiedOcspResponse): void {
  const known = entry.revocation
  entry.revocation = {
    thisUpdate: Math.max(staple.thisUpdate, known?.thisUpdate ?? staple.thisUpdate),
    revocationTime: response.revocationTime?.getTime(),
    revocationReason: response.revocationReason,
    unsaid: known === undefined ? response : known.unsaid,
  }
}

/** What is now known is no older than the `unknown`, which it contradicts. */
function clearUnknown({ entry }: Turn, staple: Staple): void {
  if (entry.unknown !== undefined && staple.thisUpdate >= entry.unknown.thisUpdate) entry.unknown = undefined
}

function refuse(turn: Turn, { error }: Extract<Verdict, { kind: 'refuse' }>): void {
  emitRefused(turn, error)
  const served = servedStaple(turn)
  if (served === undefined) scheduleAfterFailure(turn, error)
  else scheduleAfterSame(turn, served)
}

function schedule(turn: Turn, answer: Staple, isNew: boolean, maxAgeMs: number | undefined): void {
  const { entry, now } = turn
  if (scheduleUrgent(turn)) return
  const served = servedStaple(turn)
  if (served !== undefined && served.der !== answer.der) return scheduleAfterSame(turn, served)
  if (!isNew) return scheduleAfterSame(turn, answer)
  const point = served && entry.dueAt !== undefined ? entry.dueAt : refreshPoint(answer, now, maxAgeMs, draw(turn))
  scheduleAfterNew(turn, answer, point)
}
