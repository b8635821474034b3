/** A TLS connection to an https responder through a proxy's CONNECT (RFC 9110 §9.3.6). */

import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { LookupFunction } from 'node:net'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import type { Clock } from '../clock.ts'
import { type Exchanged, fetchError, networkError } from './failure.ts'
import type { Place } from './place.ts'
import type { Proxy } from './proxy.ts'
import type { Stop } from './stop.ts'

export interface TunnelOptions {
  readonly clock: Clock
  readonly connectTimeoutMs: number
  readonly userAgent: string
  readonly lookup: LookupFunction | undefined
  readonly target: Place
  readonly proxy: Proxy
  readonly ca: readonly string[] | undefined
  readonly stop: Stop
  readonly exchanged: Exchanged
}

/**
 * Connects, asks the proxy for the target, and proves the target's name over it.
 *
 * @throws {@link StapleError} `ERR_FETCH_NETWORK`, `ERR_FETCH_TIMEOUT`, `ERR_FETCH_HTTP_STATUS` when the proxy refuses
 */
export function openTunnel(o: TunnelOptions): Promise<TLSSocket> {
  const { proxy, target, stop } = o
  const exchanged = { ...o.exchanged, method: `CONNECT for ${o.exchanged.method}` }
  const authority = `${target.url.hostname}:${target.port}`
  const { place } = proxy
  return new Promise((resolve, reject) => {
    if (stop.isStopped) return reject(stop.reason)
    const request = (place.isSecure ? httpsRequest : httpRequest)({
      method: 'CONNECT',
      hostname: place.hostname,
      port: place.port,
      path: authority,
      agent: false,
      headers: {
        host: authority,
        'user-agent': o.userAgent,
        ...(place.authorization ? { 'proxy-authorization': place.authorization } : {}),
      },
      ...(o.lookup ? { lookup: o.lookup } : {}),
    })
    let tls: TLSSocket | undefined
    const settle = (outcome: () => void) => {
      cancelTimer()
      cancelStop()
      outcome()
    }
    const fail = (error: unknown) =>
      settle(() => {
        tls?.destroy()
        request.destroy()
        reject(error)
      })
    const cancelTimer = o.clock.wake(o.connectTimeoutMs, () =>
      fail(
        fetchError('ERR_FETCH_TIMEOUT', exchanged, `no connection within ${o.connectTimeoutMs} ms`, {
          expected: `a connection within ${o.connectTimeoutMs} ms`,
          found: 'none',
        }),
      ),
    )
    const cancelStop = stop.onStop(() => fail(stop.reason))
    request.on('error', (error) => fail(networkError(error, exchanged)))
    request.on('connect', (response, socket) => {
      const status = response.statusCode ?? 0
      if (status < 200 || status > 299) {
        socket.destroy()
        return fail(
          fetchError('ERR_FETCH_HTTP_STATUS', exchanged, `the proxy answered HTTP ${status}`, {
            httpStatus: status,
            expected: '2xx from the proxy',
            found: String(status),
          }),
        )
      }
      tls = tlsConnect({
        socket,
        host: target.hostname,
        ...(target.isAddress ? {} : { servername: target.hostname }),
        ...(o.ca ? { ca: [...o.ca] } : {}),
      })
      const made = tls
      made.once('secureConnect', () => settle(() => resolve(made)))
      made.on('error', (error) => fail(networkError(error, exchanged)))
    })
    request.end()
  })
}
