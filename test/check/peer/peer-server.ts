/** A TLS server as peers are: it staples what it is told, and records every byte that a client sends it. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { endsWithTest } from '../../kit/lifetime.ts'

export interface PeerServer {
  readonly port: number
  /** What full handshakes carry from now on; null for nothing. */
  staple: Uint8Array | null
  /** Of each handshake that ended: whether it was resumed, and its protocol. */
  readonly handshakes: { readonly isReused: boolean; readonly protocol: string | null }[]
  /** Every byte of the application that came, as text. */
  readonly received: string
  readonly sockets: ReadonlySet<TLSSocket>
  /** Takes other ticket keys, as after a restart. */
  forgetSessions(): void
  /** TCP connections so far, and those open now: a client that refuses may leave before the handshake is over here. */
  readonly connections: { readonly accepted: number; readonly open: number }
}

export interface PeerServerOptions extends TlsOptions {
  readonly staple?: Uint8Array | null
  /** Sent when the handshake is over; default nothing. */
  readonly greeting?: string
}

export async function startPeerServer({ staple = null, greeting, ...tls }: PeerServerOptions): Promise<PeerServer> {
  let port = 0
  let received = ''
  const handshakes: PeerServer['handshakes'] = []
  const sockets = new Set<TLSSocket>()
  const connections = { accepted: 0, open: 0 }
  const server = createServer(tls)
  const peer: PeerServer = {
    get port() {
      return port
    },
    staple,
    handshakes,
    get received() {
      return received
    },
    sockets,
    connections,
    forgetSessions: () => server.setTicketKeys(randomBytes(48)),
  }
  server.on('connection', (socket: Socket) => {
    connections.accepted++
    connections.open++
    socket.once('close', () => connections.open--)
  })
  server.on(
    'OCSPRequest',
    (_certificate: Buffer, _issuer: Buffer, callback: (error: null, response: Buffer | null) => void) => {
      callback(null, peer.staple && Buffer.from(peer.staple))
    },
  )
  server.on('secureConnection', (socket) => {
    handshakes.push({ isReused: socket.isSessionReused(), protocol: socket.getProtocol() })
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {}) // a client that refuses may reset
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1')
    })
    if (greeting !== undefined) socket.write(greeting)
  })
  server.on('tlsClientError', () => {}) // nor does everybody finish
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  endsWithTest(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return peer
}
