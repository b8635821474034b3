/**
 * The HTTP server behind both doors: bounded in connections, bytes and time, and never the end of the process. What is
 * answered is decided elsewhere (answers.ts); here it is only written.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Clock } from '../../keep/clock.ts'

/** What a request is answered with. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Decides; may reject, which is answered with 500. */
export type Respond = (request: IncomingMessage) => Promise<Answer>

export interface ServerOptions {
  readonly respond: Respond
  /** Told of what `respond` rejected with. */
  readonly failed: (thrown: unknown, request: IncomingMessage) => void
  /** How long a connection may rest while a request is under way or its answer is taken; 0: for ever. */
  readonly idleTimeoutMs: number
}

/** Creates a server that listens nowhere yet. */
export function createAdminServer({ respond, failed, idleTimeoutMs }: ServerOptions): Server {
  const server = createServer(limits, (request, response) => {
    // Who asks may go away while the answer is made or written: nothing to tell anybody.
    request.on('error', ignore)
    response.on('error', ignore)
    answer(request, response).catch((thrown) => {
      failed(thrown, request)
      if (response.headersSent) response.destroy()
      else write(response, request, plain(500, 'something went wrong; the log of Staplewright says what'))
    })
  })
  server.maxConnections = mostConnections
  server.setTimeout(idleTimeoutMs)
  return server

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const decided = await respond(request)
    if (!server.listening) response.shouldKeepAlive = false
    write(response, request, decided)
  }
}

/** Stops listening and ends what rests; who is being answered has a moment, for a reload may be what ends the server. */
export async function endServer(server: Server, clock: Clock): Promise<void> {
  if (!server.listening) return
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  const cancel = clock.wake(graceMs, () => server.closeAllConnections())
  await closed
  cancel()
}

/** An answer of one line of text. */
export function plain(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', text: `${text}\n`, headers }
}

/** An answer that programs read. */
export function json(status: number, value: object): Answer {
  return { ...jsonText(`${JSON.stringify(value, null, 2)}\n`), status }
}

/** The same, formatted already. */
export function jsonText(text: string): Answer {
  return { status: 200, contentType: 'application/json', text }
}

function write(
  response: ServerResponse,
  request: IncomingMessage,
  { status, contentType, text, headers }: Answer,
): void {
  const body = Buffer.from(text)
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
    // Nothing here reads a body: a connection on which one comes is not used again.
    ...(hasBody(request) && { connection: 'close' }),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

function ignore(): void {}

const mostConnections = 64
const graceMs = 2_000
const limits = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
}
