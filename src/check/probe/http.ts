/** One HEAD request on a connection that is there already: what a web server says of itself, in its own limits. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { inTime, type Limits } from './limits.ts'
import type { HttpRecord, Target } from './record.ts'
import { shorten } from './words.ts'

const headLimit = 16_384

/** Ports where a web server is asked although ALPN did not say that it is one. */
const webPorts: ReadonlySet<number> = new Set([443, 8443])

export function isWeb(target: Target, alpn: string | undefined): boolean {
  return target.starttls === undefined && (alpn === 'http/1.1' || (alpn === undefined && webPorts.has(target.port)))
}

/** @returns undefined: what answered, if anything, was not HTTP */
export async function askHead(socket: TLSSocket, target: Target, limits: Limits): Promise<HttpRecord | undefined> {
  const name = target.serverName ?? target.host
  const host = name.includes(':') ? `[${name}]` : name
  try {
    const answer = new Promise<HttpRecord>((resolve, reject) => {
      const request = httpRequest({
        createConnection: () => socket,
        method: 'HEAD',
        path: '/',
        maxHeaderSize: headLimit,
        headers: {
          host: target.port === 443 ? host : `${host}:${target.port}`,
          'user-agent': 'staplewright-check',
          accept: '*/*',
          connection: 'close',
        },
      })
      request.once('response', (response) => {
        resolve(recordOf(response.statusCode ?? 0, response.headers, limits.clock.now()))
        response.resume()
      })
      request.on('error', reject)
      request.once('close', () => reject(new Error('closed')))
      request.end()
    })
    return await inTime(limits, 'no HTTP answer', name, answer)
  } catch {
    return undefined
  }
}

function recordOf(status: number, headers: IncomingHttpHeaders, at: Date): HttpRecord {
  const { date } = headers
  const server = headers.server === undefined ? undefined : String(headers.server)
  const hsts = headers['strict-transport-security']
  const told = date === undefined ? Number.NaN : Date.parse(date)
  return {
    status,
    ...(server === undefined ? {} : { server: shorten(server) }),
    ...(hsts === undefined ? {} : { hsts: shorten(hsts) }),
    ...(Number.isNaN(told) ? {} : { dateSkewMs: told - at.getTime() }),
  }
}
