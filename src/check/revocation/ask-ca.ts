/**
 * One question put to the CA: its responder, its CRL, or the one after the other, as the policy says.
 *
 * Nothing is remembered here; asker.ts does that.
 */
import { isStapleError, StapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import type { Fetcher } from '../../keep/fetch/index.ts'
import type { VerifiedOcspResponse } from '../../pki/ocsp/verify.ts'
import type { StatusAnswer, StatusQuestion } from './contract.ts'

/** What is needed of a fetcher: the two ways of asking a CA. */
export type StatusFetcher = Pick<Fetcher, 'fetchStaple' | 'fetchCrl'>

export interface CaOptions {
  readonly clock: Clock
  readonly fetcher: StatusFetcher
}

/** A question with its defaults filled in. */
export type WholeQuestion = StatusQuestion & Required<Pick<StatusQuestion, 'origin' | 'policy' | 'deadlineMs'>>

/**
 * Asks, and gives what the CA says, whatever it is.
 *
 * @throws {@link StapleError} `ERR_PEER_STATUS_UNAVAILABLE` with every cause; the signal's reason when aborted
 */
export async function askCa(o: CaOptions, question: WholeQuestion, signal: AbortSignal): Promise<StatusAnswer> {
  const startedAt = o.clock.monotonicMs()
  const failures: StapleError[] = []
  const conclude = (answer: Learned): StatusAnswer => {
    return {
      ...answer,
      isCached: false,
      failures: [...failures.flatMap(causesOf), ...answer.failures],
      elapsedMs: elapsedMs(),
    }
  }
  const elapsedMs = () => o.clock.monotonicMs() - startedAt

  let unknown: StatusAnswer | undefined
  if (question.policy !== 'crl') {
    const answer = await attempt(() => askResponder(o, question, signal), failures)
    if (answer !== undefined && (answer.certStatus !== 'unknown' || question.policy === 'ocsp')) return conclude(answer)
    unknown = answer && conclude(answer)
  }
  if (question.policy !== 'ocsp') {
    const restMs = Math.max(1, Math.floor((question.deadlineMs - elapsedMs()) * 0.95))
    const answer = await attempt(() => askForCrl(o, question, restMs, signal), failures)
    // A CRL lists what was revoked: what the CA never issued is in no list, so it cannot make an unknown good.
    if (answer !== undefined && (unknown === undefined || answer.certStatus === 'revoked')) return conclude(answer)
  }
  if (unknown !== undefined) {
    return { ...unknown, failures: [...unknown.failures, ...failures.flatMap(causesOf)], elapsedMs: elapsedMs() }
  }
  throw unavailable(failures)
}

/** What one way of asking gives. */
type Learned = Omit<StatusAnswer, 'isCached' | 'elapsedMs'>

/** One way of asking: its failure is a cause among others, unless asking is over. */
async function attempt(ask: () => Promise<Learned>, failures: StapleError[]): Promise<Learned | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (!isStapleError(error) || error.code === 'ERR_FETCH_CLOSED') throw error
    failures.push(error)
    return undefined
  }
}

async function askResponder(o: CaOptions, question: WholeQuestion, signal: AbortSignal): Promise<Learned> {
  const { certificate, issuer, origin, deadlineMs } = question
  const fetched = await o.fetcher.fetchStaple(
    {
      certificate,
      issuer,
      origin,
      responderURLs: question.responderURLs ?? certificate.extensions.responderURLs,
      hashAlgorithm: 'prefer-sha256',
      ...question.asking,
      isToBeStapled: false,
      // A responder that hangs must leave the CRL its time, and the fetcher time to say that it hung.
      deadlineMs: Math.ceil(deadlineMs * (question.policy === 'ocsp' ? 0.95 : 0.5)),
    },
    signal,
  )
  const { response, responderURL, failures, dateSkewMs } = fetched
  return { ...learnedFrom(response), url: responderURL, failures, ...(dateSkewMs !== undefined && { dateSkewMs }) }
}

/** What a verified response says. */
export function learnedFrom(response: VerifiedOcspResponse): Omit<Learned, 'url' | 'failures'> {
  const { certStatus, revocationTime, revocationReason, thisUpdate, nextUpdate, usableUntil } = response
  return {
    source: 'ocsp',
    certStatus,
    ...(revocationTime !== undefined && { revocationTime }),
    ...(revocationReason !== undefined && { revocationReason }),
    thisUpdate,
    ...(nextUpdate !== undefined && { nextUpdate }),
    usableUntil,
    response,
  }
}

async function askForCrl(
  o: CaOptions,
  question: WholeQuestion,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Learned> {
  const { certificate, issuer, origin, crlURLs, isFresh = false } = question
  const asked = { certificate, issuer, origin, deadlineMs, isFresh, ...(crlURLs !== undefined && { crlURLs }) }
  const { crl, url, failures, dateSkewMs } = await o.fetcher.fetchCrl(asked, signal)
  const { certStatus, revocationTime, revocationReason, thisUpdate, nextUpdate } = crl
  return {
    source: 'crl',
    certStatus,
    ...(revocationTime !== undefined && { revocationTime }),
    ...(revocationReason !== undefined && { revocationReason }),
    thisUpdate,
    nextUpdate,
    usableUntil: nextUpdate,
    url,
    failures,
    ...(dateSkewMs !== undefined && { dateSkewMs }),
  }
}

/** Every cause as one failure. */
export function unavailable(failures: readonly StapleError[]): StapleError<'ERR_PEER_STATUS_UNAVAILABLE'> {
  const causes = failures.flatMap(causesOf)
  const lists = failures.flatMap((failure) => (isStapleError(failure, 'ERR_FETCH_FAILED') ? [failure.detail] : []))
  const waits = lists.flatMap(({ retryAfterMs }) => retryAfterMs ?? [])
  const dateSkew = lists.find((list) => list.dateSkew !== undefined)?.dateSkew
  const messages = [...new Set(causes.map((cause) => cause.message))]
  return new StapleError('ERR_PEER_STATUS_UNAVAILABLE', `the CA did not say: ${messages.join('; ')}`, {
    causes,
    ...(waits.length > 0 && { retryAfterMs: Math.max(...waits) }),
    ...(dateSkew !== undefined && { dateSkew }),
  })
}

/** What is a list itself is opened. */
function causesOf(failure: StapleError): readonly StapleError[] {
  if (!isStapleError(failure, 'ERR_FETCH_FAILED')) return [failure]
  return failure.detail.causes.length > 0 ? failure.detail.causes : [failure]
}
