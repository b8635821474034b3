/**
 * The asker: one question per certificate at a time, answers held per certID, and a dead CA felt once, not at every
 * connection.
 *
 * What follows from an answer is the caller's to say.
 */
import { isStapleError, StapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import { stopOf } from '../../keep/fetch/stop.ts'
import { askCa, learnedFrom, type StatusFetcher, unavailable, type WholeQuestion } from './ask-ca.ts'
import type { RevocationPolicy, StatusAnswer, StatusAsker } from './contract.ts'
import { createStatusCache, type HeldAnswer, isYounger, statusKey } from './status-cache.ts'

export interface StatusAskerOptions {
  readonly clock: Clock
  /** Stays the caller's: close() does not close it. */
  readonly fetcher: StatusFetcher
  /** Of questions that say none; default `ocsp-then-crl`. */
  readonly policy?: RevocationPolicy
  /** Certificates whose answers are held; default 1000. The least recently used goes. */
  readonly cacheEntries?: number
  /** After how long a held answer is asked for anew although it still counts, so that a revocation is noticed; default 12 h. */
  readonly maxAgeMs?: number
  /** How long a failure, or an `unknown`, answers the next questions about that certificate; default 5000; 0 for never. */
  readonly unavailableMs?: number
  /** The end of one question in all, of those that say none; default 10 000. */
  readonly deadlineMs?: number
  /** How far a held answer's thisUpdate may lie ahead; default 300 000. */
  readonly allowedClockSkewMs?: number
}

/** A question under way, and how many wait for it. */
interface Flight {
  readonly promise: Promise<StatusAnswer>
  readonly end: AbortController
  waiting: number
}

/** A failure that answers the next questions. */
interface Failure {
  readonly error: StapleError<'ERR_PEER_STATUS_UNAVAILABLE'>
  readonly sinceMs: number
}

/** Creates an asker. It asks nobody before it is asked. */
export function createStatusAsker(options: StatusAskerOptions): StatusAsker {
  const { clock, fetcher, cacheEntries = 1000, maxAgeMs = 43_200_000, unavailableMs = 5000 } = options
  const { allowedClockSkewMs = 300_000 } = options
  const cache = createStatusCache({ entries: cacheEntries, unknownMs: unavailableMs, allowedClockSkewMs })
  const flights = new Map<string, Flight>()
  const failed = new Map<string, Failure>()
  let isClosed = false

  function takeOff(question: WholeQuestion, key: string, flightKey: string): Flight {
    const end = new AbortController()
    const cancelDeadline = clock.wake(question.deadlineMs, () => end.abort(timeout(question.deadlineMs)))
    const promise = askCa({ clock, fetcher }, question, end.signal).then(
      (answer) => {
        failed.delete(flightKey)
        cache.take(key, answer, clock.now())
        return answer
      },
      (error) => {
        const isAbandoned = flight.end.signal.aborted && flight.waiting === 0
        if (!isAbandoned && isStapleError(error, 'ERR_PEER_STATUS_UNAVAILABLE')) rememberFailure(flightKey, error)
        throw error
      },
    )
    const flight: Flight = { promise, end, waiting: 0 }
    flights.set(flightKey, flight)
    const land = () => {
      cancelDeadline()
      if (flights.get(flightKey) === flight) flights.delete(flightKey)
    }
    promise.then(land, land)
    return flight
  }

  function rememberFailure(flightKey: string, error: Failure['error']): void {
    failed.delete(flightKey)
    failed.set(flightKey, { error, sinceMs: clock.monotonicMs() })
    if (failed.size > cacheEntries) failed.delete(failed.keys().next().value as string)
  }

  /** A failure of a moment ago. Where an answer is still held, asking anew is less urgent. */
  function recallFailure(flightKey: string, held: HeldAnswer | undefined): Failure | undefined {
    const failure = failed.get(flightKey)
    if (failure === undefined) return undefined
    const forMs = held === undefined ? unavailableMs : Math.max(unavailableMs, retryHeldMs)
    return clock.monotonicMs() - failure.sinceMs < forMs ? failure : undefined
  }

  return {
    async ask(asked, signal) {
      if (isClosed) throw closedError()
      signal?.throwIfAborted()
      const { certificate, issuer, isFresh = false } = asked
      const question: WholeQuestion = {
        ...asked,
        origin: asked.origin ?? 'stranger',
        policy: asked.policy ?? options.policy ?? 'ocsp-then-crl',
        deadlineMs: asked.deadlineMs ?? options.deadlineMs ?? 10_000,
      }
      const key = statusKey(certificate, issuer)
      const flightKey = flightKeyOf(key, question)
      if (!isFresh) {
        const held = cache.recall(key, question.policy, clock.now())
        if (held !== undefined && isYounger(held, clock.now(), maxAgeMs)) return cached(held)
        const failure = recallFailure(flightKey, held)
        if (failure !== undefined && held !== undefined) return cached(held, failure.error.detail.causes)
        if (failure !== undefined) throw failure.error
      }
      const known = flights.get(flightKey)
      const flight = known && !known.end.signal.aborted ? known : takeOff(question, key, flightKey)
      try {
        const answer = await board(flight, question.deadlineMs, clock, signal)
        const held = cache.recall(key, question.policy, clock.now())
        if (held === undefined || held.answer === answer) return answer
        // The CA's own word of this moment, but for a revocation that it has not taken back since.
        if (isFresh && held.answer.certStatus !== 'revoked') return answer
        return cached(held, answer.failures)
      } catch (error) {
        const held = isFresh ? undefined : cache.recall(key, question.policy, clock.now())
        if (held === undefined || !isStapleError(error, 'ERR_PEER_STATUS_UNAVAILABLE')) throw error
        return cached(held, error.detail.causes)
      }
    },
    recall(certificate, issuer) {
      const held = cache.recall(statusKey(certificate, issuer), 'ocsp-then-crl', clock.now())
      return held && cached(held)
    },
    remember(certificate, issuer, response) {
      // Its signer's own status is still to be asked.
      if (response.needsDelegateCheck) return
      const answer = { ...learnedFrom(response), url: '', isCached: true, failures: [], elapsedMs: 0 }
      cache.take(statusKey(certificate, issuer), answer, clock.now())
    },
    async close() {
      isClosed = true
      const ending = [...flights.values()]
      for (const { end } of ending) end.abort(closedError())
      await Promise.allSettled(ending.map(({ promise }) => promise))
    },
  }
}

/** While an answer is held that still counts, a CA that fails is asked again after so long. */
const retryHeldMs = 300_000

function cached(held: HeldAnswer, failures: readonly StapleError[] = []): StatusAnswer {
  return { ...held.answer, isCached: true, failures, elapsedMs: 0 }
}

/** The certID, and what makes the same one another question. */
function flightKeyOf(key: string, { policy, origin, responderURLs, crlURLs }: WholeQuestion): string {
  return [key, policy, origin, responderURLs?.join(' '), crlURLs?.join(' ')].join('\n')
}

/** Waits for a flight until the caller's own deadline or signal; when the last one left by signal, it ends. */
function board(
  flight: Flight,
  deadlineMs: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<StatusAnswer> {
  flight.waiting++
  return new Promise((resolve, reject) => {
    const cancelDeadline = clock.wake(deadlineMs, () => leave(() => reject(unavailable([timeout(deadlineMs)]))))
    const onAbort = () => {
      leave(() => reject(signal?.reason))
      if (flight.waiting === 0) flight.end.abort(signal?.reason)
    }
    let isGone = false
    function leave(settle: () => void): void {
      if (isGone) return
      isGone = true
      flight.waiting--
      cancelDeadline()
      cancelStop?.()
      settle()
    }
    const cancelStop = signal && stopOf(signal).onStop(onAbort)
    flight.promise.then(
      (answer) => leave(() => resolve(answer)),
      (error) => leave(() => reject(error)),
    )
  })
}

function timeout(deadlineMs: number): StapleError<'ERR_FETCH_TIMEOUT'> {
  return new StapleError('ERR_FETCH_TIMEOUT', `the CA did not answer within ${deadlineMs} ms`, {
    url: '',
    expected: `an answer within ${deadlineMs} ms`,
    found: 'none',
  })
}

function closedError(): StapleError<'ERR_FETCH_CLOSED'> {
  return new StapleError('ERR_FETCH_CLOSED', 'the asker is closed', { url: '' })
}
