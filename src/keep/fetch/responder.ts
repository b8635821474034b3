/**
 * One responder asked in every form that could help: method, then hash, and past a cache that holds old answers.
 *
 * A form that worked is remembered, and what worked before is not blamed: `unauthorized` in a form that the responder
 * understood for another certificate is about this certificate.
 */

import { isStapleError, type StapleError } from '../../errors.ts'
import { formatHex } from '../../pki/der/bytes.ts'
import { hashOfKey } from '../../pki/ocsp/cert-id-match.ts'
import { encodeOcspRequest } from '../../pki/ocsp/encode-request.ts'
import type { VerifyOptions } from '../../pki/ocsp/options.ts'
import type { HashAlgorithm } from '../../pki/x509/crypto.ts'
import type { Clock } from '../clock.ts'
import type { Answer, Lane } from './attempt.ts'
import type { Breaker, Passage } from './breaker.ts'
import { dateSkewMs, freshForMs } from './caching.ts'
import type { HttpMethod, StapleQuestion } from './contract.ts'
import { fetchError, notHttp } from './failure.ts'
import type { ResponderMemory, Understood } from './memory.ts'
import type { FindPlace, Place } from './place.ts'
import { type Refused, readAnswer } from './read-answer.ts'
import { createRequestPath, createRequestPathBeforeQuery, isShort } from './request-url.ts'
import type { Slots } from './slots.ts'
import type { Stop } from './stop.ts'
import type { HttpAnswer, HttpRequest, Transport } from './transport.ts'

export interface ResponderOptions {
  readonly clock: Clock
  readonly transport: Transport
  readonly slots: Slots
  readonly breaker: Breaker
  readonly memory: ResponderMemory
  readonly findPlace: FindPlace
  /** The policies of acceptance. */
  readonly policies: Partial<VerifyOptions>
  readonly maxStapleBytes: number
}

/** A question, with the SHA-1 request that it was told apart by. */
export interface EncodedQuestion extends StapleQuestion {
  readonly request: Uint8Array
}

/** Asks the lane's responder; see {@link AskResponder}. */
export async function askResponder(
  o: ResponderOptions,
  question: EncodedQuestion,
  lane: Lane,
  stop: Stop,
  onStart: () => void,
): Promise<Answer | undefined> {
  const place = o.findPlace(lane.responderURL)
  if (!place) {
    lane.failures.push(notHttp({ method: 'asking', url: lane.responderURL }))
    return undefined
  }
  const release = await o.slots.acquire(place.host, stop)
  try {
    onStart()
    const passage = o.breaker.enter(place.host)
    if (!passage) {
      lane.failures.push(hostDown(place, o.breaker.failures(place.host)))
      return undefined
    }
    try {
      return await new Asking(o, question, lane, place, passage, stop).ask()
    } finally {
      passage.leave()
    }
  } finally {
    release()
  }
}

function hostDown(place: Place, failures: number): StapleError {
  const what = `not asked: ${place.host} failed ${failures} times in a row, and one probe at a time is under way`
  return fetchError('ERR_FETCH_HOST_DOWN', { method: 'asking', url: place.label }, what, {
    expected: 'an answer to the probe',
    found: `${failures} failures in a row`,
  })
}

/** The course of asking one responder. */
class Asking {
  readonly #o: ResponderOptions
  readonly #question: EncodedQuestion
  readonly #lane: Lane
  readonly #place: Place
  readonly #passage: Passage
  readonly #stop: Stop
  readonly #memoryKey: string
  #otherRequest: Uint8Array | undefined

  constructor(o: ResponderOptions, question: EncodedQuestion, lane: Lane, place: Place, passage: Passage, stop: Stop) {
    this.#o = o
    this.#question = question
    this.#lane = lane
    this.#place = place
    this.#passage = passage
    this.#stop = stop
    // What was tried first colours what is known: each preference has a memory of its own.
    const preference = question.hashAlgorithm === 'prefer-sha256' ? 'sha256 ' : ''
    this.#memoryKey = `${preference}${formatHex(hashOfKey(question.issuer, 'sha1'))} ${place.label}`
  }

  async ask(): Promise<Answer | undefined> {
    const known = this.#o.memory.recall(this.#memoryKey)
    const [hash, otherHash] = this.#hashes(known)
    let nearest: { method: HttpMethod; refused: Refused } | undefined
    let isFormInDoubt = false
    for (const method of this.#methods(hash, known)) {
      const refused = await this.#try(method, hash)
      if ('response' in refused) return this.#doubt(refused)
      const isProven = known?.method === method && known.hashAlgorithm === hash
      if (isProven) {
        this.#o.memory.forget(this.#memoryKey)
        if (refused.nearness === 3) return undefined
      }
      if (refused.remedy === 'next-responder') return undefined
      if (refused.remedy === 'other-form') isFormInDoubt = true
      if (!nearest || refused.nearness > nearest.refused.nearness) nearest = { method, refused }
      // Many do not know SHA-256 yet, and say so by an error status: the other method would bring the same.
      if (this.#isPreferring && hash === 'sha256' && refused.nearness === 3) break
    }
    if (!nearest || !otherHash || !isFormInDoubt || nearest.refused.nearness === 4) return undefined
    const last = await this.#try(nearest.method, otherHash)
    return 'response' in last ? last : undefined
  }

  get #isPreferring(): boolean {
    return this.#question.hashAlgorithm === 'prefer-sha256'
  }

  /** A responder that looks certificates up by SHA-1 only may call a SHA-256 certID `unknown`, and sign that. */
  async #doubt(answer: Answer): Promise<Answer> {
    const isDoubtful = answer.response.certStatus === 'unknown' && answer.hashAlgorithm === 'sha256'
    if (!this.#isPreferring || !isDoubtful) return answer
    const other = await this.#try(answer.method, 'sha1')
    return 'response' in other ? other : answer
  }

  #hashes(known: Understood | undefined): readonly [HashAlgorithm, HashAlgorithm?] {
    const wish = this.#question.hashAlgorithm ?? 'auto'
    if (wish === 'prefer-sha256') return known?.hashAlgorithm === 'sha1' ? ['sha1', 'sha256'] : ['sha256', 'sha1']
    if (wish !== 'auto') return [wish]
    return known?.hashAlgorithm === 'sha256' ? ['sha256', 'sha1'] : ['sha1', 'sha256']
  }

  #methods(hash: HashAlgorithm, known: Understood | undefined): readonly HttpMethod[] {
    const wish = this.#question.method ?? 'auto'
    if (wish !== 'auto') return [wish]
    const path = createRequestPath(this.#place, this.#request(hash))
    if (path === undefined) return ['post']
    const first = known?.method ?? (isShort(this.#place, path) ? 'get' : 'post')
    return first === 'get' ? ['get', 'post'] : ['post', 'get']
  }

  #request(hash: HashAlgorithm): Uint8Array {
    if (hash === 'sha1') return this.#question.request
    const { certificate, issuer } = this.#question
    this.#otherRequest ??= encodeOcspRequest({ certificate, issuer, hashAlgorithm: hash })
    return this.#otherRequest
  }

  /** One request, and a second one past the caches when the answer was old. */
  async #try(method: HttpMethod, hash: HashAlgorithm): Promise<Answer | Refused> {
    const first = await this.#exchange(method, hash, false)
    if ('response' in first) return first
    if (first.remedy !== 'no-cache' || method !== 'get') return { ...first, remedy: settledRemedy(first) }
    const second = await this.#exchange(method, hash, true)
    return 'response' in second ? second : { ...second, remedy: settledRemedy(second) }
  }

  async #exchange(method: HttpMethod, hash: HashAlgorithm, isPastCaches: boolean): Promise<Answer | Refused> {
    const { transport, clock } = this.#o
    let answer: HttpAnswer
    try {
      answer = await transport.send(this.#httpRequest(method, hash, isPastCaches), this.#stop)
    } catch (error) {
      if (this.#stop.isStopped || !isStapleError(error)) throw error
      return this.#refused(transportRefusal(error))
    }
    const { certificate, issuer, responderCertificate } = this.#question
    const at = clock.now()
    const reading = readAnswer(
      answer,
      { ...this.#o.policies, certificate, issuer, at, ...(responderCertificate ? { responderCertificate } : {}) },
      this.#question.isToBeStapled === false ? Number.POSITIVE_INFINITY : this.#o.maxStapleBytes,
    )
    const skewMs = dateSkewMs(answer.headers, at)
    if (skewMs !== undefined) this.#lane.dateSkewMs = skewMs
    if ('refused' in reading) return this.#refused(reading.refused)
    this.#passage.answered()
    const isSecondChoice = hash === (this.#isPreferring ? 'sha1' : 'sha256')
    this.#o.memory.remember(this.#memoryKey, { method, hashAlgorithm: hash, isSecondChoice })
    const maxAgeMs = freshForMs(answer.headers, at)
    return {
      response: reading.response,
      responderURL: this.#lane.responderURL,
      method,
      hashAlgorithm: hash,
      ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
      ...(skewMs === undefined ? {} : { dateSkewMs: skewMs }),
    }
  }

  #httpRequest(method: HttpMethod, hash: HashAlgorithm, isPastCaches: boolean): HttpRequest {
    const place = this.#place
    const request = this.#request(hash)
    const note = `${hash === 'sha1' ? '' : ' (SHA-256)'}${isPastCaches ? ' (no-cache)' : ''}`
    const common = { place, note, origin: this.#question.origin ?? 'operator', asked: request }
    if (method === 'post') return { ...common, method: 'POST', headers: postHeaders, body: request }
    const path = createRequestPath(place, request) ?? createRequestPathBeforeQuery(place, request)
    return { ...common, path, method: 'GET', headers: isPastCaches ? pastCachesHeaders : getHeaders }
  }

  #refused(refused: Refused): Refused {
    this.#lane.failures.push(refused.error)
    if (refused.retryAfterMs !== undefined) {
      this.#lane.retryAfterMs = Math.max(this.#lane.retryAfterMs ?? 0, refused.retryAfterMs)
    }
    if (refused.host === 'broken') this.#passage.failed()
    else if (refused.host === 'works') this.#passage.answered()
    return refused
  }
}

const getHeaders = { accept: 'application/ocsp-response' }
const pastCachesHeaders = { ...getHeaders, 'cache-control': 'no-cache', pragma: 'no-cache' }
const postHeaders = { ...getHeaders, 'content-type': 'application/ocsp-request' }

/** What a failed exchange suggests: a connection that was cut may be about the method, one that never came is not. */
function transportRefusal(error: StapleError): Refused {
  switch (error.code) {
    case 'ERR_FETCH_NETWORK': {
      const { networkCode = '' } = error.detail as { networkCode?: string }
      const isCut = networkCode === 'ECONNRESET' || networkCode === 'EPIPE' || networkCode.startsWith('HPE_')
      return { error, remedy: isCut ? 'other-form' : 'next-responder', host: 'broken', nearness: 0 }
    }
    case 'ERR_FETCH_TIMEOUT':
      return { error, remedy: 'next-responder', host: 'broken', nearness: 0 }
    case 'ERR_FETCH_TOO_LARGE':
      return { error, remedy: 'other-form', host: 'broken', nearness: 1 }
    case 'ERR_FETCH_REDIRECT':
      return { error, remedy: 'other-form', host: undefined, nearness: 0 }
    default:
      return { error, remedy: 'next-responder', host: undefined, nearness: 0 }
  }
}

/** Past the caches it is still old: another method may reach another server. */
function settledRemedy(refused: Refused): Refused['remedy'] {
  return refused.remedy === 'no-cache' ? 'other-method' : refused.remedy
}
