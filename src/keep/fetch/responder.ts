/**
 * One responder asked in every form that could help: method, then hash, and past a cache that holds old answers.
 *
 * A form that worked is remembered, and what worked before is not blamed: `unauthorized` in a form that the responder
 * understood for another certificate is about this certificate.
 */

import { isStapleError, type StapleError } from '../../errors.ts'
import { formatHex } from '../../pki/der/bytes.ts'
import { createCertID } from '../../pki/ocsp/cert-id-match.ts'
import { encodeOcspRequest } from '../../pki/ocsp/encode-request.ts'
import type { VerifyOptions } from '../../pki/ocsp/options.ts'
import type { HashAlgorithm } from '../../pki/x509/crypto.ts'
import type { Clock } from '../clock.ts'
import type { Answer, Lane } from './attempt.ts'
import type { Breaker, Passage } from './breaker.ts'
import { dateSkewMs, freshForMs } from './caching.ts'
import type { HttpMethod, StapleQuestion } from './contract.ts'
import { fetchError } from './failure.ts'
import type { ResponderMemory, Understood } from './memory.ts'
import { type Refused, readAnswer } from './read-answer.ts'
import { createRequestURL, isShort } from './request-url.ts'
import type { Slots } from './slots.ts'
import type { HttpAnswer, Transport } from './transport.ts'

export interface ResponderOptions {
  readonly clock: Clock
  readonly transport: Transport
  readonly slots: Slots
  readonly breaker: Breaker
  readonly memory: ResponderMemory
  /** The policies of acceptance. */
  readonly policies: Partial<VerifyOptions>
  readonly maxStapleBytes: number
}

/** Asks the lane's responder; see {@link AskResponder}. */
export async function askResponder(
  o: ResponderOptions,
  question: StapleQuestion,
  lane: Lane,
  signal: AbortSignal,
  onStart: () => void,
): Promise<Answer | undefined> {
  const url = URL.canParse(lane.responderURL) ? new URL(lane.responderURL) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    const found = url ? url.protocol : 'no URL'
    lane.failures.push(
      fetchError(
        'ERR_FETCH_FORBIDDEN_ADDRESS',
        { method: 'asking', url: lane.responderURL },
        `not an http or https URL`,
        { expected: 'an http or https URL', found },
      ),
    )
    return undefined
  }
  const release = await o.slots.acquire(url.host, signal)
  try {
    onStart()
    const passage = o.breaker.enter(url.host)
    if (!passage) {
      const failures = o.breaker.failures(url.host)
      const what = `not asked: ${url.host} failed ${failures} times in a row, and one probe at a time is under way`
      lane.failures.push(
        fetchError('ERR_FETCH_HOST_DOWN', { method: 'asking', url: lane.responderURL }, what, {
          expected: 'an answer to the probe',
          found: `${failures} failures in a row`,
        }),
      )
      return undefined
    }
    try {
      return await new Asking(o, question, lane, url, passage, signal).ask()
    } finally {
      passage.leave()
    }
  } finally {
    release()
  }
}

/** The course of asking one responder. */
class Asking {
  readonly #o: ResponderOptions
  readonly #question: StapleQuestion
  readonly #lane: Lane
  readonly #url: URL
  readonly #label: string
  readonly #passage: Passage
  readonly #signal: AbortSignal
  readonly #memoryKey: string
  readonly #requests = new Map<HashAlgorithm, Uint8Array>()

  constructor(
    o: ResponderOptions,
    question: StapleQuestion,
    lane: Lane,
    url: URL,
    passage: Passage,
    signal: AbortSignal,
  ) {
    this.#o = o
    this.#question = question
    this.#lane = lane
    this.#url = url
    this.#passage = passage
    this.#signal = signal
    this.#label = labelOf(url)
    const { issuerKeyHash } = createCertID(question.certificate, question.issuer, 'sha1')
    this.#memoryKey = `${formatHex(issuerKeyHash)} ${url.href}`
  }

  async ask(): Promise<Answer | undefined> {
    const known = this.#o.memory.recall(this.#memoryKey)
    const [hash, otherHash] = this.#hashes(known)
    let nearest: { method: HttpMethod; refused: Refused } | undefined
    let isFormInDoubt = false
    for (const method of this.#methods(hash, known)) {
      const refused = await this.#try(method, hash)
      if ('response' in refused) return refused
      const isProven = known?.method === method && known.hashAlgorithm === hash
      if (isProven) {
        this.#o.memory.forget(this.#memoryKey)
        if (refused.nearness === 3) return undefined
      }
      if (refused.remedy === 'next-responder') return undefined
      if (refused.remedy === 'other-form') isFormInDoubt = true
      if (!nearest || refused.nearness > nearest.refused.nearness) nearest = { method, refused }
    }
    if (!nearest || !otherHash || !isFormInDoubt || nearest.refused.nearness === 4) return undefined
    const last = await this.#try(nearest.method, otherHash)
    return 'response' in last ? last : undefined
  }

  #hashes(known: Understood | undefined): readonly [HashAlgorithm, HashAlgorithm?] {
    const wish = this.#question.hashAlgorithm ?? 'auto'
    if (wish !== 'auto') return [wish]
    return known?.hashAlgorithm === 'sha256' ? ['sha256', 'sha1'] : ['sha1', 'sha256']
  }

  #methods(hash: HashAlgorithm, known: Understood | undefined): readonly HttpMethod[] {
    const wish = this.#question.method ?? 'auto'
    if (wish !== 'auto') return [wish]
    const url = createRequestURL(this.#url, this.#request(hash))
    if (!url) return ['post']
    const first = known?.method ?? (isShort(url) ? 'get' : 'post')
    return first === 'get' ? ['get', 'post'] : ['post', 'get']
  }

  #request(hash: HashAlgorithm): Uint8Array {
    const known = this.#requests.get(hash)
    if (known) return known
    const { certificate, issuer } = this.#question
    const request = encodeOcspRequest({ certificate, issuer, hashAlgorithm: hash })
    this.#requests.set(hash, request)
    return request
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
    const request = this.#request(hash)
    // an explicit method: get has its way with URLs that have no GET form, too: the query goes last
    const url = method === 'get' ? (createRequestURL(this.#url, request) ?? withQuery(this.#url, request)) : this.#url
    let answer: HttpAnswer
    try {
      answer = await transport.send(
        {
          url,
          method: method === 'get' ? 'GET' : 'POST',
          headers: {
            accept: 'application/ocsp-response',
            ...(method === 'post' ? { 'content-type': 'application/ocsp-request' } : {}),
            ...(isPastCaches ? { 'cache-control': 'no-cache', pragma: 'no-cache' } : {}),
          },
          ...(method === 'post' ? { body: request } : {}),
          origin: this.#question.origin ?? 'operator',
          label: this.#label,
        },
        this.#signal,
      )
    } catch (error) {
      if (this.#signal.aborted || !isStapleError(error)) throw error
      return this.#refused(transportRefusal(error))
    }
    const { certificate, issuer, responderCertificate } = this.#question
    const at = clock.now()
    const reading = readAnswer(
      answer,
      { ...this.#o.policies, certificate, issuer, at, ...(responderCertificate ? { responderCertificate } : {}) },
      this.#o.maxStapleBytes,
    )
    if ('refused' in reading) return this.#refused(reading.refused)
    this.#passage.answered()
    this.#o.memory.remember(this.#memoryKey, { method, hashAlgorithm: hash })
    const maxAgeMs = freshForMs(answer.headers, at)
    const skewMs = dateSkewMs(answer.headers, at)
    return {
      response: reading.response,
      responderURL: this.#lane.responderURL,
      method,
      hashAlgorithm: hash,
      ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
      ...(skewMs === undefined ? {} : { dateSkewMs: skewMs }),
    }
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

/** The address without credentials. */
function labelOf(url: URL): string {
  if (url.username === '' && url.password === '') return url.href
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  return shown.href
}

function withQuery(url: URL, request: Uint8Array): URL {
  const bare = new URL(url)
  bare.search = ''
  bare.hash = ''
  const joined = createRequestURL(bare, request) ?? bare
  joined.search = url.search
  return joined
}
