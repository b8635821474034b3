/**
 * One attempt over all responders of a certificate: who is asked when, and when it is over.
 *
 * The next URL starts when the one before it failed, or did not answer for a while; the first acceptable answer wins and
 * ends the others. The deadline counts from the first request, not from the wait for a free slot.
 */

import { StapleError } from '../../errors.ts'
import type { Clock } from '../clock.ts'
import type { FetchedStaple } from './contract.ts'
import { fetchError } from './failure.ts'
import { Stop } from './stop.ts'

/** What asking one responder has come to so far. */
export interface Lane {
  readonly responderURL: string
  readonly failures: StapleError[]
  /** The responder's own wish; the longest it said. */
  retryAfterMs?: number
  /** The HTTP Date of its last answer, minus our clock. */
  dateSkewMs?: number
}

export type Answer = Omit<FetchedStaple, 'failures' | 'elapsedMs'>

/**
 * Asks one responder; what fails is put into the lane.
 *
 * @param onStart - to be called when the first request goes out
 * @returns undefined when all that could be tried there has failed; rejects only when stopped
 */
export type AskResponder = (lane: Lane, stop: Stop, onStart: () => void) => Promise<Answer | undefined>

export interface AttemptOptions {
  readonly clock: Clock
  readonly responderURLs: readonly string[]
  readonly deadlineMs: number
  readonly nextURLAfterMs: number
  readonly ask: AskResponder
}

/** @throws {@link StapleError} `ERR_FETCH_FAILED`; the reason when stopped */
export function attempt(o: AttemptOptions, outer: Stop): Promise<FetchedStaple> {
  const urls = [...new Set(o.responderURLs)]
  return new Promise((resolve, reject) => {
    if (outer.isStopped) return reject(outer.reason)
    const stop = new Stop()
    const lanes: Lane[] = []
    const open = new Set<Lane>()
    let startedAt: number | undefined
    let cancelDeadline: (() => void) | undefined
    let cancelNext: (() => void) | undefined
    let isEnded = false

    const end = (settle: () => void) => {
      if (isEnded) return
      isEnded = true
      cancelDeadline?.()
      cancelNext?.()
      cancelStop()
      settle()
      if (open.size > 0) stop.stop(outer.isStopped ? outer.reason : new Error('no longer wanted'))
    }
    const cancelStop = outer.onStop(() => end(() => reject(outer.reason)))

    const onDeadline = () => {
      for (const lane of open) {
        const what = `no acceptable answer within the ${o.deadlineMs} ms of the whole attempt`
        const expected = `an answer within ${o.deadlineMs} ms`
        lane.failures.push(
          fetchError('ERR_FETCH_TIMEOUT', { method: 'asking', url: lane.responderURL }, what, {
            expected,
            found: 'none',
          }),
        )
      }
      end(() => reject(failed(lanes)))
    }

    const startNext = () => {
      cancelNext?.()
      const responderURL = urls[lanes.length]
      if (responderURL === undefined || isEnded) return
      const lane: Lane = { responderURL, failures: [] }
      const isLast = () => lane === lanes.at(-1)
      lanes.push(lane)
      open.add(lane)
      const onStart = () => {
        if (isEnded) return
        if (startedAt === undefined) {
          startedAt = o.clock.monotonicMs()
          cancelDeadline = o.clock.wake(o.deadlineMs, onDeadline)
        }
        if (isLast() && lanes.length < urls.length) cancelNext = o.clock.wake(o.nextURLAfterMs, startNext)
      }
      o.ask(lane, stop, onStart).then(
        (answer) => {
          open.delete(lane)
          if (answer) {
            const elapsedMs = o.clock.monotonicMs() - (startedAt ?? o.clock.monotonicMs())
            // Most servers ask the first alone: that it hangs must not be hidden by the next one's answer.
            for (const each of lanes.slice(0, lanes.indexOf(lane))) {
              if (open.has(each)) each.failures.push(overtaken(each, lane, elapsedMs))
            }
            end(() => resolve({ ...answer, elapsedMs, failures: lanes.flatMap((each) => each.failures) }))
          } else if (isLast() && lanes.length < urls.length) startNext()
          else if (open.size === 0) end(() => reject(failed(lanes)))
        },
        (error) => end(() => reject(error)),
      )
    }
    startNext()
  })
}

/** It was asked first, and had not answered when the other did. */
function overtaken({ responderURL: url }: Lane, other: Lane, elapsedMs: number): StapleError {
  const what = `no acceptable answer after ${Math.round(elapsedMs)} ms, when ${other.responderURL} gave one`
  const expected = 'an answer before the next responder gave one'
  return fetchError('ERR_FETCH_TIMEOUT', { method: 'asking', url }, what, { expected, found: 'none' })
}

/** Every cause, in the order of the URLs; a message said twice is shown once. */
function failed(lanes: readonly Lane[]): StapleError<'ERR_FETCH_FAILED'> {
  const causes = lanes.flatMap((lane) => lane.failures)
  const waits = lanes.flatMap((lane) => lane.retryAfterMs ?? [])
  const messages = [...new Set(causes.map((cause) => cause.message))]
  const [dateSkew] = lanes.flatMap(({ responderURL, dateSkewMs }) => {
    return dateSkewMs === undefined ? [] : [{ responderURL, skewMs: dateSkewMs }]
  })
  return new StapleError('ERR_FETCH_FAILED', `no responder gave an acceptable answer: ${messages.join('; ')}`, {
    causes,
    ...(waits.length > 0 ? { retryAfterMs: Math.max(...waits) } : {}),
    ...(dateSkew === undefined ? {} : { dateSkew }),
  })
}
