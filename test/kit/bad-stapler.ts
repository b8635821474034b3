/** A TLS server that staples whatever bytes it is told to: the scripted server that no real one would be. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type TlsOptions } from 'node:tls'
import { endsWithTest } from './lifetime.ts'

export interface BadStapler {
  readonly port: number
  /** What the next handshakes carry; null: nothing. */
  staple: Uint8Array | null
  /** Handshakes that asked for a staple so far. */
  readonly asked: number
}

export interface BadStaplerOptions extends Pick<TlsOptions, 'cert' | 'key' | 'minVersion' | 'maxVersion'> {
  /** Where it listens; default 127.0.0.1. */
  readonly host?: string
  /** Default one that is free. */
  readonly port?: number
  /** Answers each HTTP request with this Server header; default: says nothing. */
  readonly serverHeader?: string
  /** Of the first handshake on; default null. */
  readonly staple?: Uint8Array | null
}

/** Starts one; it ends with the test. */
export async function startBadStapler(options: BadStaplerOptions): Promise<BadStapler> {
  const { host = '127.0.0.1', port = 0, staple = null, serverHeader, ...tls } = options
  let asked = 0
  const stapler = {
    port,
    staple,
    get asked() {
      return asked
    },
  }
  const server = createServer({ ...tls, ...(serverHeader === undefined ? {} : { ALPNProtocols: ['http/1.1'] }) })
  server.on(
    'OCSPRequest',
    (_certificate: Buffer, _issuer: Buffer, callback: (error: null, response: Buffer | null) => void) => {
      asked++
      callback(null, stapler.staple && Buffer.from(stapler.staple))
    },
  )
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {}) // who only looks may reset
    socket.on('end', () => socket.end())
    if (serverHeader === undefined) socket.resume()
    else
      socket.on('data', () =>
        socket.end(`HTTP/1.1 404 Not Found\r\nServer: ${serverHeader}\r\nContent-Length: 0\r\n\r\n`),
      )
  })
  server.on('tlsClientError', () => {}) // nor does everybody finish
  const sockets = new Set<{ destroy(): unknown }>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(port, host)
  await once(server, 'listening')
  stapler.port = (server.address() as AddressInfo).port
  endsWithTest(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return stapler
}
