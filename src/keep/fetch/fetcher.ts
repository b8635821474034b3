/**
 * The fetcher: transport, slots, breaker and memory put together, and equal questions asked once.
 *
 * Nothing here knows about schedules or stores; the keeper decides when to ask and what to keep.
 */

import { isStapleError, StapleError } from '../../errors.ts'
import { defaultMaxCrlBytes } from '../../pki/crl/options.ts'
import { encodeOcspRequest } from '../../pki/ocsp/encode-request.ts'
import { type AskResponder, attempt } from './attempt.ts'
import { createBreaker } from './breaker.ts'
import type { FetchedStaple, Fetcher, FetcherOptions, Origin, StapleQuestion } from './contract.ts'
import { type CrlOptions, fetchCrl } from './crl.ts'
import { createCrlCache } from './crl-cache.ts'
import { createDelegates, type Delegates } from './delegates.ts'
import { inExchange } from './failure.ts'
import { createFlights } from './flights.ts'
import { fetchIssuer } from './issuer.ts'
import { createResponderMemory } from './memory.ts'
import { createPlaceFinder } from './place.ts'
import { createProxyChoice } from './proxy.ts'
import { askResponder, type ResponderOptions } from './responder.ts'
import { createSlots } from './slots.ts'
import { Stop, stopOf } from './stop.ts'
import { createTransport } from './transport.ts'

/** Creates a fetcher. It opens nothing before it is asked. */
export function createFetcher(options: FetcherOptions): Fetcher {
  const { clock } = options
  const deadlineMs = options.deadlineMs ?? 30_000
  const maxBytes = options.maxBytes ?? 65_536
  const transport = createTransport({
    clock,
    userAgent: options.userAgent ?? 'staplewright',
    chooseProxy: createProxyChoice(options.proxy ?? 'environment', options.environment ?? process.env),
    lookup: options.lookup,
    privateAddresses: addressPolicies(options.privateAddresses),
    ca: options.ca ?? [],
    connectTimeoutMs: options.connectTimeoutMs ?? 5000,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    redirects: options.redirects ?? 3,
    maxBytes,
    exchanged: options.exchanged,
  })
  const slots = createSlots(options.perHost ?? 8, options.total ?? 64)
  const responder: ResponderOptions = {
    clock,
    transport,
    slots,
    breaker: createBreaker(options.breakAfter ?? 5),
    memory: createResponderMemory(clock),
    findPlace: createPlaceFinder(),
    policies: { maxBytes, ...given(options, ...verifyPolicies) },
    maxStapleBytes: options.maxStapleBytes ?? 16_000,
  }
  const maxCrlBytes = options.maxCrlBytes ?? defaultMaxCrlBytes
  const crl: CrlOptions = {
    clock,
    transport,
    // Of their own: a few large downloads must neither keep responders waiting nor fill the memory.
    slots: createSlots(4, 16),
    findPlace: responder.findPlace,
    flights: createFlights(),
    cache: createCrlCache(clock, options.maxCrlCacheBytes ?? 2 * defaultMaxCrlBytes),
    policies: { maxBytes: maxCrlBytes, ...given(options, 'allowedClockSkewMs', 'danger') },
    maxAgeMs: options.maxCrlAgeMs ?? 12 * 3_600_000,
  }
  const flights = createFlights<FetchedStaple>()
  // About a delegate only the issuer answers, or another delegate that need not be asked about.
  const aboutDelegates = {
    ...responder,
    policies: { ...responder.policies, delegateWithoutNocheck: 'refuse' as const },
  }
  const delegates = createDelegates({
    clock,
    ways: [
      async ({ certificate, issuer, origin }, ms, stop) => {
        const { responderURLs } = certificate.extensions
        if (responderURLs.length === 0) return undefined
        const question = { certificate, issuer, origin, responderURLs, deadlineMs: ms, isToBeStapled: false }
        const { response } = await askAll(aboutDelegates, question, encodeSha1(question), stop)
        return { certStatus: response.certStatus, until: response.usableUntil }
      },
      async ({ certificate, issuer, origin }, ms, stop) => {
        if (certificate.extensions.crlDistributionPoints.length === 0) return undefined
        const found = await fetchCrl(crl, { certificate, issuer, origin, deadlineMs: ms }, stop)
        return { certStatus: found.crl.certStatus, until: found.crl.nextUpdate }
      },
    ],
  })
  /** Everything under way, to be ended by close(). */
  const underWay = new Set<Stop>()
  const settled = new Set<Promise<unknown>>()
  let isClosed = false

  function start<T>(stop: Stop, run: () => Promise<T>): Promise<T> {
    underWay.add(stop)
    const end = () => {
      underWay.delete(stop)
      settled.delete(promise)
    }
    const promise = run()
    settled.add(promise)
    promise.then(end, end)
    return promise
  }

  /** Asks every responder of a question; `settle` has the last word on each answer. */
  function askAll(
    to: ResponderOptions,
    question: StapleQuestion,
    request: Uint8Array,
    stop: Stop,
    settle?: Delegates['settle'],
  ): Promise<FetchedStaple> {
    const { issuer, origin = 'operator', deadlineMs: wholeMs = deadlineMs, responderURLs } = question
    const asked = { issuer, origin, deadlineMs: wholeMs }
    const ask: AskResponder = async (lane, laneStop, onStart) => {
      // The slot is free again when it comes to the delegate, which may be asked about at the same host.
      const answer = await askResponder(to, { ...question, request }, lane, laneStop, onStart)
      if (!answer?.response.needsDelegateCheck || settle === undefined) return answer
      try {
        return { ...answer, response: await settle(answer.response, asked, laneStop) }
      } catch (error) {
        laneStop.throwIfStopped()
        if (!isStapleError(error)) throw error
        lane.failures.push(inExchange(error, { method: 'asking', url: lane.responderURL }))
        return undefined
      }
    }
    const nextURLAfterMs = options.nextURLAfterMs ?? 2000
    return attempt({ clock, responderURLs, deadlineMs: wholeMs, nextURLAfterMs, ask }, stop)
  }

  /** Runs what one caller alone waits for, until its signal. */
  async function until<T>(signal: AbortSignal | undefined, run: (stop: Stop) => Promise<T>): Promise<T> {
    if (isClosed) throw closedError()
    signal?.throwIfAborted()
    const stop = new Stop()
    const cancelStop = signal && stopOf(signal).onStop(() => stop.stop(signal.reason))
    try {
      return await start(stop, () => run(stop))
    } finally {
      cancelStop?.()
    }
  }

  return {
    async fetchStaple(question, signal) {
      if (isClosed) throw closedError()
      signal?.throwIfAborted()
      if (question.responderURLs.length === 0) throw noResponderURL()
      const request = encodeSha1(question)
      const passenger = signal && stopOf(signal)
      return flights.board(flightKey(question, request), passenger, (stop) =>
        start(stop, () => askAll(responder, question, request, stop, delegates.settle)),
      )
    },
    fetchIssuer: (leaf, signal, origin: Origin = 'operator') =>
      until(signal, (stop) => fetchIssuer({ clock, transport, slots, deadlineMs }, leaf, origin, stop)),
    fetchCrl: (question, signal) => until(signal, (stop) => fetchCrl(crl, question, stop)),
    async close() {
      isClosed = true
      for (const stop of [...underWay]) stop.stop(closedError())
      await Promise.allSettled([...settled])
      transport.close()
    },
  }
}

function encodeSha1({ certificate, issuer }: StapleQuestion): Uint8Array {
  return encodeOcspRequest({ certificate, issuer, hashAlgorithm: 'sha1' })
}

/** The certID, as its encoded request, and what makes the same certID another question. */
function flightKey(question: StapleQuestion, request: Uint8Array): string {
  const { hashAlgorithm = 'auto', method = 'auto', origin = 'operator', deadlineMs = 0, responderURLs } = question
  const { isToBeStapled = true } = question
  const certID = Buffer.from(request.buffer, request.byteOffset, request.length).toString('latin1')
  return `${certID} ${hashAlgorithm} ${method} ${origin} ${deadlineMs} ${isToBeStapled} ${responderURLs.join(' ')}`
}

function addressPolicies(given: FetcherOptions['privateAddresses']): Record<Origin, 'allow' | 'refuse'> {
  if (typeof given === 'string') return { operator: given, stranger: 'refuse' }
  return { operator: 'allow', stranger: 'refuse', ...given }
}

/** The named options, without the absent ones. */
function given<K extends keyof FetcherOptions>(options: FetcherOptions, ...names: readonly K[]) {
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  ) as { [P in K]?: Exclude<FetcherOptions[P], undefined> }
}

const verifyPolicies = [
  'allowedClockSkewMs',
  'maxAgeWithoutNextUpdateMs',
  'maxValidityMs',
  'delegateWithoutNocheck',
  'danger',
] as const

function closedError(): StapleError<'ERR_FETCH_CLOSED'> {
  return new StapleError('ERR_FETCH_CLOSED', 'the fetcher is closed', { url: '' })
}

function noResponderURL(): StapleError<'ERR_X509_NO_RESPONDER_URL'> {
  const detail = {
    field: 'certificate.extensions.authorityInfoAccess',
    expected: 'the URL of an OCSP responder',
    found: 'none',
    clause: 'RFC 6960 §3.1',
  }
  return new StapleError('ERR_X509_NO_RESPONDER_URL', 'there is no responder to ask', detail)
}
