/**
 * A scripted OCSP responder on a real socket of 127.0.0.1: it answers as told, and remembers who asked what.
 *
 * `behave` sets what it does from now on, `script` what it does with the next requests first; per certificate by its
 * serial number. It ends with the test. What it can do is in behaviour.ts.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { gzipSync } from 'node:zlib'
import { type Clock, systemClock } from '../../src/keep/clock.ts'
import type { CertID } from '../../src/pki/ocsp/cert-id.ts'
import { decodeOcspRequest } from '../../src/pki/ocsp/request.ts'
import { encodeOcspError, type OcspSigner } from '../../src/pki/ocsp/sign.ts'
import { decodeRequestPath } from '../../src/serve/responder/request-path.ts'
import { makeAnswer } from './answers.ts'
import type { Authority } from './authority.ts'
import { type Behaviour, type BehaviourOptions, optionsOf } from './behaviour.ts'
import { freePort } from './free-port.ts'
import { endsWithTest } from './lifetime.ts'

export type { Behaviour, BehaviourKind, BehaviourOptions } from './behaviour.ts'

export interface ScriptedResponderOptions {
  readonly authority: Authority
  /** Default good. */
  readonly behaviour?: Behaviour
  /** Default the authority's intermediate itself; `authority.delegate()` for a delegated one. */
  readonly signer?: OcspSigner
  /** What its answers and its HTTP Date go by; default the machine's. */
  readonly clock?: Clock
  /** Of its answers; default one hour. */
  readonly validityMs?: number
  /** How long before now thisUpdate is; default 0. */
  readonly thisUpdateAgeMs?: number
  readonly responderID?: 'byKey' | 'byName'
  readonly certificates?: readonly Uint8Array[]
  /** Default one that is free. */
  readonly port?: number
  /** Where it is mounted; default `/`. */
  readonly path?: string
  /** PEM of a certificate and its key: https instead of http. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

export interface RecordedRequest {
  readonly method: string
  /** The request target as it came. */
  readonly target: string
  readonly headers: IncomingMessage['headers']
  /** Undefined when it was no OCSP request. */
  readonly certID: CertID | undefined
  readonly der: Uint8Array | undefined
  /** By the responder's clock. */
  readonly at: Date
  readonly behaviour: BehaviourOptions
}

export interface ScriptedResponder {
  /** `http://127.0.0.1:PORT/`, or with its path. */
  readonly url: string
  readonly port: number
  /** What it does from now on, for every certificate or the one with that serial number. Resolves when the port is as told. */
  behave(behaviour: Behaviour, serialNumber?: bigint): Promise<void>
  /** What it does with the next requests, one each, before the standing behaviour. */
  script(...behaviours: readonly Behaviour[]): void
  /** All requests since the start or `forget`. */
  readonly requests: readonly RecordedRequest[]
  readonly count: number
  /** Resolves when so many requests have come in all. */
  waitForRequests(count: number, timeoutMs?: number): Promise<void>
  forget(): void
  /** Connections open now. */
  readonly connections: number
  close(): Promise<void>
}

/** Starts it; resolves when it listens. */
export async function createScriptedResponder(options: ScriptedResponderOptions): Promise<ScriptedResponder> {
  const clock = options.clock ?? systemClock
  const maker = {
    authority: options.authority,
    clock,
    signer: options.signer ?? options.authority.intermediate,
    validityMs: options.validityMs ?? 3_600_000,
    thisUpdateAgeMs: options.thisUpdateAgeMs ?? 0,
    ...(options.responderID ? { responderID: options.responderID } : {}),
    ...(options.certificates ? { certificates: options.certificates } : {}),
  }
  const port = options.port ?? (await freePort())
  const path = options.path ?? '/'
  const url = `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}${path}`
  const sockets = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  const requests: RecordedRequest[] = []
  const watchers = new Set<() => void>()
  const script: BehaviourOptions[] = []
  const standing = new Map<bigint, BehaviourOptions>()
  let general = optionsOf(options.behaviour ?? 'good')
  let server: Server | undefined

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer)
        resolve()
      }, ms)
      timers.add(timer)
    })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request)
    const der = request.method === 'POST' ? body : decodeRequestPath(request.url ?? '', path)
    const certID = certIDOf(der)
    const behaviour = script.shift() ?? standing.get(certID?.serialNumber ?? -1n) ?? general
    const { method = '', url: target = '', headers } = request
    requests.push({ method, target, headers, certID, der, at: clock.now(), behaviour })
    for (const watcher of [...watchers]) watcher()
    if (behaviour.delayMs !== undefined) await pause(behaviour.delayMs)
    await act(behaviour, request, response, certID)
  }

  async function act(
    behaviour: BehaviourOptions,
    request: IncomingMessage,
    response: ServerResponse,
    certID: CertID | undefined,
  ): Promise<void> {
    const answer = (body: Uint8Array | string = '', status = 200, headers: Record<string, string> = {}) => {
      const given = behaviour.body ?? body
      const all = {
        'content-type': 'application/ocsp-response',
        'content-length': String(Buffer.byteLength(given)),
        date: new Date(clock.now().getTime() + (behaviour.dateSkewMs ?? 0)).toUTCString(),
        ...headers,
        ...behaviour.headers,
      }
      response.writeHead(
        behaviour.status ?? status,
        Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined)),
      )
      response.end(given)
    }
    const socket = response.socket as Socket
    const good = async (kind: BehaviourOptions['kind'] = 'good') =>
      certID ? makeAnswer(maker, { ...behaviour, kind }, certID) : encodeOcspError('malformedRequest')

    switch (behaviour.kind) {
      case 'refuse':
      case 'reset':
        socket.resetAndDestroy()
        return
      case 'hang':
        return
      case 'drip': {
        const body = await good()
        const head = `HTTP/1.1 200 OK\r\ncontent-type: application/ocsp-response\r\ncontent-length: ${body.length}\r\n\r\n`
        for (const octet of Buffer.concat([Buffer.from(head), body])) {
          if (socket.destroyed) return
          socket.write(Buffer.of(octet))
          await pause(behaviour.everyMs ?? 20)
        }
        return
      }
      case 'cut': {
        const body = await good()
        response.writeHead(200, { 'content-type': 'application/ocsp-response', 'content-length': body.length })
        response.write(body.subarray(0, body.length >> 1), () => socket.destroySoon())
        return
      }
      case 'httpError':
        return answer('Internal Server Error\n', 500, { 'content-type': 'text/plain' })
      case 'unavailable': {
        const { retryAfter } = behaviour
        const text = retryAfter instanceof Date ? retryAfter.toUTCString() : String(retryAfter)
        return answer('Service Unavailable\n', 503, {
          'content-type': 'text/plain',
          ...(retryAfter === undefined ? {} : { 'retry-after': text }),
        })
      }
      case 'html':
        return answer('<!DOCTYPE html><html><head><title>Please log in</title></head></html>', 200, {
          'content-type': 'text/html; charset=utf-8',
        })
      case 'garbage':
        return answer(Uint8Array.from({ length: 300 }, (_, index) => (index * 37 + 11) & 0xff))
      case 'empty':
        return answer()
      case 'huge':
        return stream(response, behaviour.bytes ?? 100_000_000)
      case 'redirect': {
        const to = behaviour.to ?? new URL(request.url ?? '/', url).href
        return answer('', behaviour.redirectStatus ?? 302, { location: to, 'content-type': 'text/plain' })
      }
      case 'notHttp':
        socket.end('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n')
        return
      case 'gzip':
        return answer(gzipSync(await good()), 200, { 'content-encoding': 'gzip' })
      case 'tryLater':
      case 'internalError':
      case 'malformedRequest':
      case 'unauthorized':
      case 'sigRequired':
        return answer(encodeOcspError(behaviour.kind))
      case 'sha256Only':
        return answer(certID?.hashAlgorithm === 'sha256' ? await good() : encodeOcspError('unauthorized'))
      case 'sha1Only':
        return answer(certID?.hashAlgorithm === 'sha1' ? await good() : encodeOcspError('unauthorized'))
      case 'getOnly':
        return request.method === 'GET' ? answer(await good()) : answer('no\n', 405, { 'content-type': 'text/plain' })
      case 'postOnly':
        return request.method === 'POST' ? answer(await good()) : answer('no\n', 405, { 'content-type': 'text/plain' })
      case 'staleCache':
        return answer(await good(request.headers['cache-control'] === 'no-cache' ? 'good' : 'expired'), 200)
      default:
        return answer(await good(behaviour.kind))
    }
  }

  const open = () =>
    new Promise<void>((resolve, reject) => {
      if (server) return resolve()
      const listener = (request: IncomingMessage, response: ServerResponse) => {
        serve(request, response).catch(() => response.destroy())
      }
      const made = options.tls ? createSecureServer(options.tls, listener) : createServer(listener)
      made.on('connection', (socket: Socket) => {
        sockets.add(socket)
        socket.on('error', () => {}) // clients may reset
        socket.once('close', () => sockets.delete(socket))
      })
      made.once('error', reject)
      made.listen(port, '127.0.0.1', () => {
        server = made
        resolve()
      })
    })
  const shut = () =>
    new Promise<void>((resolve) => {
      const closing = server
      server = undefined
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      for (const socket of sockets) socket.destroy()
      if (closing) closing.close(() => resolve())
      else resolve()
    })

  if (general.kind !== 'refuse') await open()
  const responder: ScriptedResponder = {
    url,
    port,
    async behave(behaviour, serialNumber) {
      if (serialNumber !== undefined) standing.set(serialNumber, optionsOf(behaviour))
      else {
        general = optionsOf(behaviour)
        standing.clear()
      }
      await (general.kind === 'refuse' ? shut() : open())
    },
    script(...behaviours) {
      script.push(...behaviours.map(optionsOf))
    },
    requests,
    get count() {
      return requests.length
    },
    waitForRequests(count, timeoutMs = 5000) {
      return new Promise((resolve, reject) => {
        const look = () => {
          if (requests.length < count) return
          clearTimeout(timer)
          watchers.delete(look)
          resolve()
        }
        const timer = setTimeout(() => {
          watchers.delete(look)
          reject(new Error(`${requests.length} requests came within ${timeoutMs} ms, expected ${count}`))
        }, timeoutMs)
        watchers.add(look)
        look()
      })
    },
    forget() {
      requests.length = 0
    },
    get connections() {
      return sockets.size
    },
    close: shut,
  }
  endsWithTest(shut)
  return responder
}

function certIDOf(der: Uint8Array | undefined): CertID | undefined {
  try {
    return der && decodeOcspRequest(der).requestList[0]?.certID
  } catch {
    return undefined
  }
}

async function readAll(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk as Uint8Array)
  const joined = Buffer.concat(chunks)
  return new Uint8Array(joined.buffer, joined.byteOffset, joined.length)
}

/** As fast as the client takes it, without holding it. */
async function stream(response: ServerResponse, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(65_536, 0x30)
  response.writeHead(200, { 'content-type': 'application/ocsp-response' })
  const chunks = Readable.from(
    (function* () {
      for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk
    })(),
  )
  await pipeline(chunks, response).catch(() => {}) // the client has had enough
}
