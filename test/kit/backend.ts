/** A small HTTP server behind the front: a page whose background tells that it was drawn, and a record of who came. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { endsWithTest } from './lifetime.ts'

export interface Backend {
  readonly port: number
  /** As `backend` wants it in a configuration. */
  readonly url: string
  /** What was asked for, as `GET /`, in order. */
  readonly requests: readonly string[]
  /** TCP connections so far. */
  readonly connections: number
}

/** The page's background. */
export const pageColour = '#00c040'
export const pageText = 'served by the backend'

/** Starts one on 127.0.0.1; it ends with the test. */
export async function startBackend(): Promise<Backend> {
  const requests: string[] = []
  let connections = 0
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(`<!doctype html><title>page</title><body style="background:${pageColour}">${pageText}</body>`)
  })
  server.keepAliveTimeout = 0 // a test decides when a connection ends
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  endsWithTest(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `tcp://127.0.0.1:${port}`,
    requests,
    get connections() {
      return connections
    },
  }
}
