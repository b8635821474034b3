/**
 * The fetcher: transport, slots, breaker and memory put together, and equal questions asked once.
 *
 * Nothing here knows about schedules or stores; the keeper decides when to ask and what to keep.
 */

import { StapleError } from '../../errors.ts'
import { formatHex } from '../../pki/der/bytes.ts'
import { createCertID } from '../../pki/ocsp/cert-id-match.ts'
import { onAbort } from './abort.ts'
import { attempt } from './attempt.ts'
import { createBreaker } from './breaker.ts'
import type { FetchedStaple, Fetcher, FetcherOptions, Origin, StapleQuestion } from './contract.ts'
import { fetchIssuer } from './issuer.ts'
import { createResponderMemory } from './memory.ts'
import { createProxyChoice } from './proxy.ts'
import { askResponder, type ResponderOptions } from './responder.ts'
import { createSlots } from './slots.ts'
import { createTransport } from './transport.ts'

/** One attempt, and everybody who waits for it. */
interface Flight {
  readonly promise: Promise<FetchedStaple>
  readonly controller: AbortController
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
  })
  const slots = createSlots(options.perHost ?? 8, options.total ?? 64)
  const responder: ResponderOptions = {
    clock,
    transport,
    slots,
    breaker: createBreaker(options.breakAfter ?? 5),
    memory: createResponderMemory(clock),
    policies: { maxBytes, ...verifyPolicies(options) },
    maxStapleBytes: options.maxStapleBytes ?? 16_000,
  }
  const flights = new Map<string, Flight>()
  /** Everything under way, to be ended by close(). */
  const underWay = new Set<AbortController>()
  const settled = new Set<Promise<unknown>>()
  let isClosed = false

  function start<T>(controller: AbortController, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    underWay.add(controller)
    const promise = run(controller.signal).finally(() => {
      underWay.delete(controller)
      settled.delete(promise)
    })
    settled.add(promise)
    promise.catch(() => {}) // told to whoever waits; nobody may be left
    return promise
  }

  function takeOff(question: StapleQuestion, key: string): Flight {
    const controller = new AbortController()
    const promise = start(controller, (signal) =>
      attempt(
        {
          clock,
          responderURLs: question.responderURLs,
          deadlineMs: question.deadlineMs ?? deadlineMs,
          nextURLAfterMs: options.nextURLAfterMs ?? 2000,
          ask: (lane, laneSignal, onStart) => askResponder(responder, question, lane, laneSignal, onStart),
        },
        signal,
      ).finally(() => {
        if (flights.get(key) === flight) flights.delete(key)
      }),
    )
    const flight: Flight = { promise, controller, waiting: 0 }
    flights.set(key, flight)
    return flight
  }

  return {
    async fetchStaple(question, signal) {
      if (isClosed) throw closedError()
      signal?.throwIfAborted()
      if (question.responderURLs.length === 0) throw noResponderURL()
      const key = flightKey(question)
      const known = flights.get(key)
      const flight = known && !known.controller.signal.aborted ? known : takeOff(question, key)
      return boardFlight(flight, signal)
    },
    async fetchIssuer(leaf, signal, origin: Origin = 'operator') {
      if (isClosed) throw closedError()
      signal?.throwIfAborted()
      const controller = new AbortController()
      const cancelAbort = signal && onAbort(signal, () => controller.abort(signal.reason))
      try {
        return await start(controller, (inner) => fetchIssuer({ transport, slots }, leaf, origin, inner))
      } finally {
        cancelAbort?.()
      }
    },
    async close() {
      isClosed = true
      for (const controller of underWay) controller.abort(closedError())
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
    const cancelAbort = onAbort(signal, () => {
      reject(signal.reason)
      if (--flight.waiting === 0) flight.controller.abort(signal.reason)
    })
    flight.promise.then(resolve, reject).finally(cancelAbort)
  })
}

/** The certID, and what makes the same certID another question. */
function flightKey(question: StapleQuestion): string {
  const { issuerNameHash, issuerKeyHash, serialNumber } = createCertID(question.certificate, question.issuer, 'sha1')
  return [
    formatHex(issuerNameHash),
    formatHex(issuerKeyHash),
    serialNumber,
    question.hashAlgorithm ?? 'auto',
    question.method ?? 'auto',
    question.origin ?? 'operator',
    question.deadlineMs,
    ...question.responderURLs,
  ].join(' ')
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
