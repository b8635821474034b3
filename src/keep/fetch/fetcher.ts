/**
 * The fetcher: transport, slots, breaker and memory put together, and equal questions asked once.
 *
 * Nothing here knows about schedules or stores; the keeper decides when to ask and what to keep.
 */

import { StapleError } from '../../errors.ts'
import { encodeOcspRequest } from '../../pki/ocsp/encode-request.ts'
import { attempt } from './attempt.ts'
import { createBreaker } from './breaker.ts'
import type { FetchedStaple, Fetcher, FetcherOptions, Origin, StapleQuestion } from './contract.ts'
import { fetchIssuer } from './issuer.ts'
import { createResponderMemory } from './memory.ts'
import { createPlaceFinder } from './place.ts'
import { createProxyChoice } from './proxy.ts'
import { askResponder, type ResponderOptions } from './responder.ts'
import { createSlots } from './slots.ts'
import { Stop, stopOf } from './stop.ts'
import { createTransport } from './transport.ts'

/** One attempt, and everybody who waits for it. */
interface Flight {
  readonly promise: Promise<FetchedStaple>
  readonly stop: Stop
  waiting: number
}

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
    policies: { maxBytes, ...verifyPolicies(options) },
    maxStapleBytes: options.maxStapleBytes ?? 16_000,
  }
  const flights = new Map<string, Flight>()
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

  function takeOff(question: StapleQuestion, key: string, request: Uint8Array): Flight {
    const stop = new Stop()
    const promise = start(stop, () =>
      attempt(
        {
          clock,
          responderURLs: question.responderURLs,
          deadlineMs: question.deadlineMs ?? deadlineMs,
          nextURLAfterMs: options.nextURLAfterMs ?? 2000,
          ask: (lane, laneStop, onStart) => askResponder(responder, { ...question, request }, lane, laneStop, onStart),
        },
        stop,
      ),
    )
    const flight: Flight = { promise, stop, waiting: 0 }
    flights.set(key, flight)
    const land = () => {
      if (flights.get(key) === flight) flights.delete(key)
    }
    promise.then(land, land)
    return flight
  }

  return {
    async fetchStaple(question, signal) {
      if (isClosed) throw closedError()
      signal?.throwIfAborted()
      if (question.responderURLs.length === 0) throw noResponderURL()
      const { certificate, issuer } = question
      const request = encodeOcspRequest({ certificate, issuer, hashAlgorithm: 'sha1' })
      const key = flightKey(question, request)
      const known = flights.get(key)
      const flight = known && !known.stop.isStopped ? known : takeOff(question, key, request)
      return boardFlight(flight, signal)
    },
    async fetchIssuer(leaf, signal, origin: Origin = 'operator') {
      if (isClosed) throw closedError()
      signal?.throwIfAborted()
      const stop = new Stop()
      const cancelStop = signal && stopOf(signal).onStop(() => stop.stop(signal.reason))
      try {
        return await start(stop, () => fetchIssuer({ clock, transport, slots, deadlineMs }, leaf, origin, stop))
      } finally {
        cancelStop?.()
      }
    },
    async fetchCrl() {
      throw new StapleError('ERR_FETCH_FAILED', 'CRLs are not fetched yet', { causes: [] })
    },
    async close() {
      isClosed = true
      for (const stop of [...underWay]) stop.stop(closedError())
      await Promise.allSettled([...settled])
      transport.close()
    },
  }
}

/** Waits for a flight until the caller's own signal; the last one to leave ends it. */
function boardFlight(flight: Flight, signal: AbortSignal | undefined): Promise<FetchedStaple> {
  flight.waiting++
  if (!signal) return flight.promise
  return new Promise((resolve, reject) => {
    const cancelStop = stopOf(signal).onStop(() => {
      reject(signal.reason)
      if (--flight.waiting === 0) flight.stop.stop(signal.reason)
    })
    flight.promise.then(resolve, reject).finally(cancelStop)
  })
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

/** The options that verifyOcspResponse knows, without the absent ones. */
function verifyPolicies(options: FetcherOptions): ResponderOptions['policies'] {
  const { allowedClockSkewMs, maxAgeWithoutNextUpdateMs, maxValidityMs, delegateWithoutNocheck, danger } = options
  return {
    ...(allowedClockSkewMs === undefined ? {} : { allowedClockSkewMs }),
    ...(maxAgeWithoutNextUpdateMs === undefined ? {} : { maxAgeWithoutNextUpdateMs }),
    ...(maxValidityMs === undefined ? {} : { maxValidityMs }),
    ...(delegateWithoutNocheck === undefined ? {} : { delegateWithoutNocheck }),
    ...(danger === undefined ? {} : { danger }),
  }
}

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
