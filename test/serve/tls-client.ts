/** Node's own TLS client, as the tests want it: one handshake, and all that can be known of it. */
import type { Socket } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { endsWithTest } from '../kit/lifetime.ts'

/** Node documents `requestOCSP` for `connect`; the types of Node 22 do not have it yet. */
export type ClientOptions = ConnectionOptions & { readonly requestOCSP?: boolean }

export interface Seen {
  readonly socket: TLSSocket
  /** As text; null when none came, undefined when no certificate was sent or no status asked for. */
  readonly staple: string | null | undefined
  readonly protocol: string | null
  readonly isReused: boolean
  readonly alpn: string | false | null
  /** The subject of the certificate shown. */
  readonly subject: string
  readonly publicKey: string
}

/** Shakes hands; rejects when that fails. */
export function shakeHands(port: number, options: ClientOptions = {}): Promise<Seen> {
  return new Promise((resolve, reject) => {
    let staple: string | null | undefined
    const socket = connect({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      requestOCSP: true,
      ...options,
    } as ConnectionOptions)
    endsWithTest(() => socket.destroy())
    socket.on('OCSPResponse', (response: Buffer | null) => {
      staple = response === null || response.length === 0 ? null : response.toString()
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('closed before the handshake was done')))
    socket.on('secureConnect', () => {
      const certificate = socket.getPeerCertificate()
      resolve({
        socket,
        staple,
        protocol: socket.getProtocol(),
        isReused: socket.isSessionReused(),
        alpn: socket.alpnProtocol,
        subject: String(certificate.subject?.CN),
        publicKey: certificate.asn1Curve ?? (certificate.modulus ? 'rsa' : 'other'),
      })
    })
  })
}

/** Whether a handshake succeeds and the server then keeps the connection: with TLS 1.3 a client is done before the server judges. */
export async function isAccepted(port: number, options: ClientOptions = {}): Promise<boolean> {
  try {
    const { socket } = await shakeHands(port, options)
    return await new Promise<boolean>((resolve) => {
      socket.on('error', () => resolve(false))
      socket.on('close', () => resolve(false))
      socket.once('data', () => {
        resolve(true)
        socket.destroy()
      })
      socket.write('ping')
    })
  } catch {
    return false
  }
}

/** A session of TLS 1.2 or 1.3, from a first connection that is closed again. */
export async function openSession(port: number, options: ClientOptions = {}): Promise<Buffer> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    requestOCSP: true,
    ...options,
  } as ConnectionOptions)
  const session = await new Promise<Buffer>((resolve, reject) => {
    socket.once('session', resolve)
    socket.on('error', reject)
  })
  socket.end()
  return session
}

/** Looks again until it holds: for what another part of the process does in a moment. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2))
}

export function readAll(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('end', () => resolve(Buffer.concat(chunks)))
    socket.on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(chunks)))
  })
}
