/**
 * OCSP over HTTP as a responder serves it: GET and POST, small, in time, and cacheable as RFC 9919 §7 has it.
 *
 * Malformed requests are answered 200 with `malformedRequest`, which clients can read; HTTP errors are left for what is
 * not OCSP at all.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../keep/clock.ts'
import { formatHex } from '../../pki/der/bytes.ts'
import { encodeOcspError } from '../../pki/ocsp/sign.ts'
import { hash } from '../../pki/x509/crypto.ts'
import { decodeRequestPath } from './request-path.ts'

/** An encoded answer, and the window that HTTP caches may know about. */
export interface Reply {
  readonly der: Uint8Array
  /** Absent with an error status, and where there is no nextUpdate. */
  readonly window?: { readonly thisUpdate: Date; readonly nextUpdate: Date }
  /** It answers this very request: no cache may keep it for another. */
  readonly hasNonce: boolean
}

export interface ListenerOptions {
  readonly reply: (requestDer: Uint8Array) => Promise<Reply>
  readonly clock: Clock
  readonly path: string
}

/** A POST body beyond it is not read; a request about one certificate takes some 100 bytes. */
const longestBody = 10_240
/** A client that sends slower is let go. */
const bodyTimeoutMs = 10_000

export function createListener(o: ListenerOptions): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    respond(o, request, response).catch(() => response.destroy())
  }
}

async function respond(o: ListenerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.on('error', () => {}) // the client is gone
  switch (request.method) {
    case 'GET':
    case 'HEAD': {
      const der = decodeRequestPath(request.url ?? '', o.path)
      return send(o, response, der ? await o.reply(der) : malformed(), request.headers['if-none-match'])
    }
    case 'POST': {
      const body = await readBody(o.clock, request)
      if (body instanceof Uint8Array) return send(o, response, await o.reply(body))
      response.writeHead(body, { connection: 'close', 'content-length': 0 })
      response.end()
      return
    }
    default:
      response.writeHead(405, { allow: 'GET, HEAD, POST', 'content-length': 0 })
      response.end()
  }
}

/** @returns the body, or the HTTP status that says why there is none */
function readBody(clock: Clock, request: IncomingMessage): Promise<Uint8Array | 408 | 413> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let length = 0
    const end = (outcome: () => void) => {
      cancelTimer()
      request.removeAllListeners('data')
      outcome()
    }
    const cancelTimer = clock.wake(bodyTimeoutMs, () => end(() => resolve(408)))
    if (Number(request.headers['content-length']) > longestBody) return end(() => resolve(413))
    request.on('data', (chunk: Uint8Array) => {
      length += chunk.length
      if (length > longestBody) end(() => resolve(413))
      else chunks.push(chunk)
    })
    request.on('end', () => end(() => resolve(Buffer.concat(chunks))))
    request.on('error', (error) => end(() => reject(error)))
    request.on('close', () => end(() => reject(new Error('the request was cut short'))))
  })
}

function malformed(): Reply {
  return { der: encodeOcspError('malformedRequest'), hasNonce: false }
}

/** @see RFC 9919 §7.2 */
function send({ clock }: ListenerOptions, response: ServerResponse, reply: Reply, knownETag?: string): void {
  const now = clock.now()
  const headers: Record<string, string | number> = {
    'content-type': 'application/ocsp-response',
    'content-length': reply.der.length,
    date: now.toUTCString(),
  }
  if (reply.window && !reply.hasNonce) {
    const { thisUpdate, nextUpdate } = reply.window
    // half of what is left: a cache asks again while there is time to
    const maxAge = Math.max(0, Math.floor((nextUpdate.getTime() - now.getTime()) / 2000))
    const etag = `"${formatHex(hash('sha256', reply.der))}"`
    headers['cache-control'] = `max-age=${maxAge}, public, no-transform, must-revalidate`
    headers['last-modified'] = thisUpdate.toUTCString()
    headers.expires = nextUpdate.toUTCString()
    headers.etag = etag
    if (knownETag?.split(/\s*,\s*/).includes(etag)) {
      delete headers['content-length']
      response.writeHead(304, headers)
      response.end()
      return
    }
  } else headers['cache-control'] = 'max-age=0, no-cache'
  response.writeHead(200, headers)
  response.end(reply.der)
}
