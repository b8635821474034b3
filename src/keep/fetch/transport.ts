/**
 * One HTTP request and its whole answer, inside its limits: time, size, redirects, addresses; directly or through a proxy.
 *
 * Only node:http. Timers run on the Clock and cover everything up to the last byte, so a responder that drips ends like
 * one that hangs. What the answer means is read-answer.ts's business.
 */

import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { rootCertificates } from 'node:tls'
import { joinBytes } from '../../pki/der/bytes.ts'
import type { Clock } from '../clock.ts'
import { ForbiddenAddress, isPrivateAddress, publicLookup } from './address.ts'
import type { HttpExchange, Origin } from './contract.ts'
import { type Exchanged, fetchError, networkError } from './failure.ts'
import { type Place, readPlace } from './place.ts'
import type { ChooseProxy, Proxy } from './proxy.ts'
import { Stop } from './stop.ts'
import { openTunnel } from './tunnel.ts'

export interface TransportOptions {
  readonly clock: Clock
  readonly userAgent: string
  readonly chooseProxy: ChooseProxy
  readonly lookup: LookupFunction | undefined
  readonly privateAddresses: Readonly<Record<Origin, 'allow' | 'refuse'>>
  readonly ca: readonly string[]
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly redirects: number
  readonly maxBytes: number
  readonly exchanged: ((exchange: HttpExchange) => void) | undefined
}

export interface HttpRequest {
  readonly place: Place
  /** Instead of the place's own path. */
  readonly path?: string
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly origin: Origin
  /** For messages, as ` (SHA-256)`. */
  readonly note?: string
  /** The OCSP request, whichever the method; for {@link TransportOptions.exchanged} only. */
  readonly asked?: Uint8Array
  /** Instead of the transport's own. */
  readonly maxBytes?: number
  /** Instead of the transport's own. */
  readonly timeoutMs?: number
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
  /** For messages: where the answer came from, redirects included. */
  readonly exchanged: Exchanged
}

export interface Transport {
  /**
   * @throws {@link StapleError} `ERR_FETCH_NETWORK`, `_TIMEOUT`, `_TOO_LARGE`, `_REDIRECT`, `_FORBIDDEN_ADDRESS`; the reason when stopped
   */
  send(request: HttpRequest, stop: Stop): Promise<HttpAnswer>
  close(): void
}

/** One way of making one connection: what differs between direct, absolute form and CONNECT. */
interface Way {
  readonly options: RequestOptions
  readonly isSecure: boolean
}

/** Node gives an address 250 ms before the next one is tried too, and slow lines then never connect. */
const addressAttempts: object = { autoSelectFamilyAttemptTimeout: 1500 }

export function createTransport(o: TransportOptions): Transport {
  const ca = o.ca.length > 0 ? [...rootCertificates, ...o.ca] : undefined
  const pool = { keepAlive: true, maxFreeSockets: 16, timeout: 30_000 }
  const createAgents = () => ({ http: new HttpAgent(pool), https: new HttpsAgent({ ...pool, ...(ca ? { ca } : {}) }) })
  // a connection is kept for the origin that its address was checked for
  const agents = { operator: createAgents(), stranger: createAgents() }

  async function send(request: HttpRequest, outer: Stop): Promise<HttpAnswer> {
    outer.throwIfStopped()
    const stop = new Stop()
    const cancelStop = outer.onStop(() => stop.stop(outer.reason))
    const { method, note, place, maxBytes = o.maxBytes, timeoutMs = o.requestTimeoutMs } = request
    const progress: Progress = {
      exchanged: { method, url: place.label, ...(note ? { note } : {}) },
      bytes: 0,
      maxBytes,
      redirects: [],
    }
    const startedAt = o.clock.monotonicMs()
    const cancelTimer = o.clock.wake(timeoutMs, () => {
      const got = progress.bytes === 0 ? '' : `, ${progress.bytes} bytes of it came`
      const what = `no complete answer within ${timeoutMs} ms${got}`
      stop.stop(
        fetchError('ERR_FETCH_TIMEOUT', progress.exchanged, what, {
          expected: `a complete answer within ${timeoutMs} ms`,
          found: progress.bytes === 0 ? 'nothing' : `${progress.bytes} bytes`,
        }),
      )
    })
    try {
      const answer = await follow(request, stop, progress)
      const { status, headers, body } = answer
      tell(request, progress, startedAt, { status, headers, body })
      return answer
    } catch (error) {
      tell(request, progress, startedAt, { error })
      throw error
    } finally {
      cancelTimer()
      cancelStop()
    }
  }

  function tell(
    { place, path, method, asked }: HttpRequest,
    { redirects }: Progress,
    startedAt: number,
    outcome: Pick<HttpExchange, 'status' | 'headers' | 'body' | 'error'>,
  ): void {
    o.exchanged?.({
      method,
      url: path === undefined ? place.label : `${place.origin}${path}`,
      redirects,
      ...(asked === undefined ? {} : { request: asked }),
      ...outcome,
      elapsedMs: o.clock.monotonicMs() - startedAt,
    })
  }

  /** Sends, and sends again where a redirect says so. */
  async function follow(request: HttpRequest, stop: Stop, progress: Progress): Promise<HttpAnswer> {
    let place = request.place
    let path = request.path ?? place.path
    let method = request.method
    for (let redirects = 0; ; redirects++) {
      const body = method === 'POST' ? request.body : undefined
      const headers = headersFor(request, place, method, body)
      const answer = await hop({ place, path, method, headers, body, origin: request.origin, stop, progress })
      const location = answer.headers.location
      if (!redirectStatuses.has(answer.status) || location === undefined) {
        return { ...answer, exchanged: progress.exchanged }
      }
      const next = readPlace(location, new URL(path, place.url))
      if (!next) {
        throw fetchError('ERR_FETCH_REDIRECT', progress.exchanged, `redirects to ${location.slice(0, 200)}`, {
          httpStatus: answer.status,
          expected: 'an http or https URL',
          found: location.slice(0, 200),
        })
      }
      if (redirects >= o.redirects) {
        throw fetchError('ERR_FETCH_REDIRECT', progress.exchanged, `redirects more than ${o.redirects} times`, {
          httpStatus: answer.status,
          expected: `at most ${o.redirects} redirects`,
          found: next.origin,
        })
      }
      // 301 and 302 turn a browser's POST into GET; an OCSP POST without its body asks nothing
      if (answer.status === 303) method = 'GET'
      place = next
      path = next.path
      progress.redirects.push(next.label)
      const seen = `${next.origin}${path.length > 60 ? '/…' : path}`
      progress.exchanged = { ...progress.exchanged, way: ` redirected to ${seen}` }
    }
  }

  function headersFor(
    request: HttpRequest,
    place: Place,
    method: string,
    body: Uint8Array | undefined,
  ): Record<string, string | number> {
    const headers: Record<string, string | number> = {
      host: place.host,
      'user-agent': o.userAgent,
      'accept-encoding': 'identity',
      ...request.headers,
    }
    if (body) headers['content-length'] = body.length
    if (method !== 'POST') delete headers['content-type']
    // not where a redirect leads, and not what a stranger's certificate says
    if (place === request.place && place.authorization !== undefined && request.origin === 'operator') {
      headers.authorization = place.authorization
    }
    return headers
  }

  /** One request on one connection, made anew once when a kept connection turns out to be dead. */
  async function hop(one: Hop): Promise<Omit<HttpAnswer, 'exchanged'>> {
    const { hostname, isAddress } = one.place
    const isRefusing = o.privateAddresses[one.origin] === 'refuse'
    if (isRefusing && isAddress && isPrivateAddress(hostname)) throw forbidden(one.progress.exchanged, hostname)
    const proxy = o.chooseProxy(one.place)
    if (proxy) {
      const { exchanged } = one.progress
      one.progress.exchanged = { ...exchanged, way: `${exchanged.way ?? ''} through ${proxy.label}` }
      if (isRefusing && !isAddress) await resolvePublic(hostname, one)
    }
    const lookup = isRefusing && !proxy ? publicLookup(o.lookup) : o.lookup
    try {
      return await exchange(one, await wayOf(one, proxy, lookup, true))
    } catch (error) {
      if (!(error instanceof DeadConnection)) throw error
      return exchange(one, await wayOf(one, proxy, lookup, false))
    }
  }

  async function wayOf(
    one: Hop,
    proxy: Proxy | undefined,
    lookup: LookupFunction | undefined,
    isKept: boolean,
  ): Promise<Way> {
    const { place, path, method, origin } = one
    const common: RequestOptions = {
      method,
      headers: one.headers,
      ...addressAttempts,
      ...(lookup ? { lookup } : {}),
    }
    if (proxy && place.isSecure) {
      const socket = await openTunnel({
        ...o,
        target: place,
        proxy,
        ca,
        stop: one.stop,
        exchanged: one.progress.exchanged,
      })
      return { isSecure: false, options: { ...common, path, createConnection: () => socket } }
    }
    const peer = proxy ? proxy.place : place
    if (proxy?.place.authorization) one.headers['proxy-authorization'] = proxy.place.authorization
    const agent = peer.isSecure ? agents[origin].https : agents[origin].http
    return {
      isSecure: peer.isSecure,
      options: {
        ...common,
        hostname: peer.hostname,
        port: peer.port,
        path: proxy ? `${place.origin}${path}` : path,
        agent: isKept ? agent : false,
        ...(peer.isSecure && ca ? ({ ca } as object) : {}),
      },
    }
  }

  function exchange(one: Hop, way: Way): Promise<Omit<HttpAnswer, 'exchanged'>> {
    const { stop, progress } = one
    const { maxBytes } = progress
    return new Promise((resolve, reject) => {
      if (stop.isStopped) return reject(stop.reason)
      const request = (way.isSecure ? httpsRequest : httpRequest)(way.options)
      let cancelConnect: (() => void) | undefined
      let isSettled = false
      const settle = (outcome: () => void) => {
        if (isSettled) return
        isSettled = true
        cancelConnect?.()
        cancelStop()
        outcome()
      }
      const fail = (error: unknown) =>
        settle(() => {
          request.destroy()
          reject(error)
        })
      const cancelStop = stop.onStop(() => fail(stop.reason))

      request.on('socket', (socket) => {
        if (!socket.connecting || isSettled) return
        let isResolved = isIP(String(way.options.hostname).replace(/^\[|\]$/g, '')) !== 0
        socket.once('lookup', () => {
          isResolved = true
        })
        cancelConnect = o.clock.wake(o.connectTimeoutMs, () => {
          const found = isResolved ? 'none' : 'no answer from the name server'
          const what = `no connection within ${o.connectTimeoutMs} ms${isResolved ? '' : `: ${found}`}`
          fail(
            fetchError('ERR_FETCH_TIMEOUT', progress.exchanged, what, {
              expected: `a connection within ${o.connectTimeoutMs} ms`,
              found,
            }),
          )
        })
        socket.once(way.isSecure ? 'secureConnect' : 'connect', () => cancelConnect?.())
      })
      request.on('error', (error) => {
        if (request.reusedSocket && progress.bytes === 0 && isClosing(error)) return fail(new DeadConnection())
        if (error instanceof ForbiddenAddress) return fail(forbidden(progress.exchanged, error.message, error))
        fail(networkError(error, progress.exchanged))
      })
      request.on('response', (response) => {
        cancelConnect?.()
        const status = response.statusCode ?? 0
        if (redirectStatuses.has(status) && response.headers.location !== undefined) {
          // its body is of no use, and reading it would be a way to keep us busy
          return settle(() => {
            request.destroy()
            resolve({ status, headers: response.headers, body: new Uint8Array() })
          })
        }
        const chunks: Uint8Array[] = []
        let length = 0
        const tooLarge = (found: string) =>
          fail(
            fetchError('ERR_FETCH_TOO_LARGE', progress.exchanged, `the answer is over ${maxBytes} bytes: ${found}`, {
              httpStatus: status,
              expected: `at most ${maxBytes} bytes`,
              found,
            }),
          )
        const announced = Number(response.headers['content-length'])
        if (announced > maxBytes) return tooLarge(`${announced} bytes announced`)
        response.on('data', (chunk: Uint8Array) => {
          length += chunk.length
          progress.bytes = length
          if (length > maxBytes) tooLarge(`${length} bytes so far`)
          else chunks.push(chunk)
        })
        response.on('error', (error) => fail(networkError(error, progress.exchanged, length)))
        response.on('end', () => {
          if (!response.complete) return // 'error' says why
          settle(() => resolve({ status, headers: response.headers, body: joinBytes(chunks) }))
        })
      })
      request.end(one.body)
    })
  }

  /** Through a proxy somebody else connects; what can be done here is to refuse names that are not public here. */
  function resolvePublic(host: string, one: Hop): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancelStop = one.stop.onStop(() => reject(one.stop.reason))
      publicLookup(o.lookup)(host, { all: true }, (error) => {
        cancelStop()
        if (error instanceof ForbiddenAddress) reject(forbidden(one.progress.exchanged, error.message, error))
        else if (error) reject(networkError(error, one.progress.exchanged))
        else resolve()
      })
    })
  }

  return {
    send,
    close() {
      for (const pair of Object.values(agents)) {
        pair.http.destroy()
        pair.https.destroy()
      }
    },
  }
}

interface Progress {
  exchanged: Exchanged
  bytes: number
  readonly maxBytes: number
  readonly redirects: string[]
}

interface Hop {
  readonly place: Place
  readonly path: string
  readonly method: 'GET' | 'POST'
  readonly headers: Record<string, string | number>
  readonly body: Uint8Array | undefined
  readonly origin: Origin
  readonly stop: Stop
  readonly progress: Progress
}

/** A kept connection that the responder had closed meanwhile: says nothing about the responder. */
class DeadConnection extends Error {}

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

function isClosing(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE'
}

function forbidden(exchanged: Exchanged, found: string, cause?: unknown) {
  return fetchError(
    'ERR_FETCH_FORBIDDEN_ADDRESS',
    exchanged,
    `${found} is not a public address`,
    { expected: 'a public address', found },
    cause,
  )
}
