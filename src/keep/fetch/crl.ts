/**
 * A certificate looked up in its issuer's CRL: one distribution point after the other, until one is verified.
 *
 * Each download is made once at a time and held until its nextUpdate; each certificate is verified against it on its own.
 * A CRL that has been held for long is downloaded anew, and still counts when that fails.
 */

import { isStapleError, StapleError } from '../../errors.ts'
import type { CrlEnvelope } from '../../pki/crl/certificate-list.ts'
import type { VerifyCrlOptions } from '../../pki/crl/options.ts'
import type { VerifiedCrl } from '../../pki/crl/verified.ts'
import { verifyCrl } from '../../pki/crl/verify.ts'
import type { Clock } from '../clock.ts'
import { dateSkewMs } from './caching.ts'
import type { CrlQuestion, FetchedCrl } from './contract.ts'
import type { CrlCache } from './crl-cache.ts'
import { type Exchanged, fetchError, inExchange, notHttp } from './failure.ts'
import type { Flights } from './flights.ts'
import type { FindPlace, Place } from './place.ts'
import { readCrl } from './read-crl.ts'
import type { Slots } from './slots.ts'
import { Stop } from './stop.ts'
import type { Transport } from './transport.ts'

export interface CrlOptions {
  readonly clock: Clock
  readonly transport: Transport
  readonly slots: Slots
  readonly findPlace: FindPlace
  readonly flights: Flights<Download>
  readonly cache: CrlCache
  /** The policies of acceptance, and `maxBytes`. */
  readonly policies: Pick<VerifyCrlOptions, 'allowedClockSkewMs' | 'danger'> & { readonly maxBytes: number }
  readonly maxAgeMs: number
}

/** What came from one distribution point, decoded but not verified. */
export interface Download {
  readonly list: CrlEnvelope
  readonly exchanged: Exchanged
  readonly dateSkewMs?: number
}

/** @throws {@link StapleError} `ERR_FETCH_FAILED` with every cause; the reason when stopped */
export async function fetchCrl(o: CrlOptions, question: CrlQuestion, outer: Stop): Promise<FetchedCrl> {
  const { deadlineMs = defaultDeadlineMs } = question
  const startedAt = o.clock.monotonicMs()
  const failures: StapleError[] = []
  const points = pointsOf(question, failures)
  for (const [index, url] of points.entries()) {
    const leftMs = Math.max(0, deadlineMs - (o.clock.monotonicMs() - startedAt))
    // Each point gets its share of what is left: one that drips must not take the time of the next.
    const shareMs = leftMs / (points.length - index)
    const found = await askPoint(o, question, url, shareMs, outer, failures)
    if (found) return { ...found, url, failures, elapsedMs: o.clock.monotonicMs() - startedAt }
  }
  const messages = [...new Set(failures.map((failure) => failure.message))]
  const why = messages.length === 0 ? 'the certificate names no distribution point' : messages.join('; ')
  throw new StapleError('ERR_FETCH_FAILED', `no acceptable CRL: ${why}`, { causes: failures })
}

const defaultDeadlineMs = 60_000

/** One download, however many wait for it. */
const downloadTimeoutMs = 60_000

function pointsOf({ certificate, crlURLs }: CrlQuestion, failures: StapleError[]): string[] {
  if (crlURLs !== undefined) return [...new Set(crlURLs)]
  const urls = new Set<string>()
  for (const [index, point] of certificate.extensions.crlDistributionPoints.entries()) {
    if (point.hasReasons || point.hasCRLIssuer) failures.push(passedOver(index, point.hasReasons))
    else for (const url of point.urls) urls.add(url)
  }
  return [...urls]
}

function passedOver(index: number, hasReasons: boolean): StapleError {
  const field = `certificate.extensions.cRLDistributionPoints[${index}].${hasReasons ? 'reasons' : 'cRLIssuer'}`
  const what = hasReasons ? 'has a CRL of some reasons only' : 'has an indirect CRL'
  const detail = { field, expected: 'absent', found: 'present', clause: 'RFC 5280 §4.2.1.13' }
  return new StapleError('ERR_CRL_UNSUPPORTED', `not asked: distribution point ${index + 1} ${what}`, detail)
}

type Found = Pick<FetchedCrl, 'crl' | 'isCached' | 'dateSkewMs'>

/** What one distribution point says; what fails is put into the failures. */
async function askPoint(
  o: CrlOptions,
  question: CrlQuestion,
  url: string,
  shareMs: number,
  outer: Stop,
  failures: StapleError[],
): Promise<Found | undefined> {
  const { origin = 'operator', isFresh = false } = question
  const place = o.findPlace(url)
  if (!place) {
    failures.push(notHttp({ method: 'asking', url }))
    return undefined
  }
  const key = `${origin} ${place.label}`
  const held = o.cache.recall(key)
  const known = held && verifyHeld(o, question, held.list)
  if (held && known && !isFresh && held.ageMs < o.maxAgeMs) return { crl: known, isCached: true }
  const asked = { method: 'GET', url: place.label }
  try {
    const { list, exchanged, ...rest } = await inTime(o, asked, shareMs, outer, (stop) =>
      o.flights.board(key, stop, (flight) => download(o, place, origin, flight)),
    )
    const crl = verifyIn(o, question, list, exchanged)
    // Never worse: an older CRL may lack what the newer one says.
    if (held && known && list.thisUpdate < held.list.thisUpdate) return { crl: known, isCached: true }
    o.cache.hold(key, list)
    return { crl, isCached: false, ...rest }
  } catch (error) {
    outer.throwIfStopped()
    if (!isStapleError(error)) throw error
    failures.push(error)
    return known && { crl: known, isCached: true }
  }
}

/** Waits for at most so long. */
async function inTime<T>(
  o: CrlOptions,
  asked: Exchanged,
  ms: number,
  outer: Stop,
  run: (stop: Stop) => Promise<T>,
): Promise<T> {
  outer.throwIfStopped()
  const stop = new Stop()
  const cancelStop = outer.onStop(() => stop.stop(outer.reason))
  const detail = { expected: `a CRL within ${Math.round(ms)} ms`, found: 'none' }
  const what = `no CRL within the ${Math.round(ms)} ms that this attempt had for it`
  const cancelDeadline = o.clock.wake(ms, () => stop.stop(fetchError('ERR_FETCH_TIMEOUT', asked, what, detail)))
  try {
    return await run(stop)
  } finally {
    cancelStop()
    cancelDeadline()
  }
}

async function download(o: CrlOptions, place: Place, origin: 'operator' | 'stranger', stop: Stop): Promise<Download> {
  const release = await o.slots.acquire(place.host, stop)
  const { maxBytes } = o.policies
  const request = { place, method: 'GET', headers: crlHeaders, origin, maxBytes, timeoutMs: downloadTimeoutMs } as const
  const answer = await o.transport.send(request, stop).finally(release)
  const now = o.clock.now()
  const skewMs = dateSkewMs(answer.headers, now)
  const list = readCrl(answer, now)
  return { list, exchanged: answer.exchanged, ...(skewMs === undefined ? {} : { dateSkewMs: skewMs }) }
}

const crlHeaders = { accept: 'application/pkix-crl, application/x-pkcs7-crl, */*' }

function verifyIn(o: CrlOptions, question: CrlQuestion, list: CrlEnvelope, exchanged: Exchanged): VerifiedCrl {
  const { certificate, issuer } = question
  try {
    return verifyCrl(list, { ...o.policies, certificate, issuer, at: o.clock.now() })
  } catch (error) {
    throw isStapleError(error) ? inExchange(error, exchanged) : error
  }
}

/** Undefined where it does not serve this certificate, or not any more: then it is asked for anew. */
function verifyHeld(o: CrlOptions, question: CrlQuestion, list: CrlEnvelope): VerifiedCrl | undefined {
  try {
    return verifyIn(o, question, list, { method: 'holding', url: '' })
  } catch (error) {
    if (isStapleError(error)) return undefined
    throw error
  }
}
