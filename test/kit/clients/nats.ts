/**
 * NATS clients of the tests: the official one, and a small one that shows what the official one hides, the staple and
 * every line that came.
 */
import { readFile } from 'node:fs/promises'
import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node'
import { endsWithTest } from '../lifetime.ts'
import { defaultTimeoutMs } from './outcome.ts'

export interface NatsTarget {
  readonly port: number
  /** PEM: the root it trusts. */
  readonly rootFile: string
  /** Begin with TLS. */
  readonly handshakeFirst?: boolean
  /** Anything else that `tls.connect` takes. */
  readonly tls?: ConnectionOptions
}

/** Connects with the official client; it is closed with the test. */
export async function connectWithNats(
  { port, rootFile, handshakeFirst = false, tls }: NatsTarget,
  options: NodeConnectionOptions = {},
): Promise<NatsConnection> {
  const connection = await connect({
    servers: `127.0.0.1:${port}`,
    timeout: defaultTimeoutMs,
    reconnectTimeWait: 50,
    maxReconnectAttempts: -1,
    ...options,
    tls: { caFile: rootFile, handshakeFirst, ...(tls as object) },
  })
  endsWithTest(() => connection.close())
  return connection
}

/** What the small client knows of a connection. */
export interface NatsWatcher {
  readonly socket: TLSSocket
  /** The INFO that came before TLS; absent when TLS came first. */
  readonly infoInClear?: Record<string, unknown>
  /** Exactly as it came; absent when none did. */
  readonly stapleBytes?: Uint8Array
  /** All that came inside TLS so far. */
  text(): string
  /** The INFO lines among it. Payloads that look like one are taken for one. */
  infos(): Record<string, unknown>[]
  send(text: string | Uint8Array): void
  /** Resolves when what came since `from` matches; rejects with all of it when the connection ends. */
  waitFor(pattern: RegExp, from?: number): Promise<RegExpMatchArray>
  readonly closed: Promise<void>
}

/** Connects as a client would: by INFO in clear and a TLS upgrade, or by TLS at once; sends no CONNECT yet. */
export async function watchNats({ port, rootFile, handshakeFirst, tls }: NatsTarget): Promise<NatsWatcher> {
  const ca = await readFile(rootFile)
  const raw = connectTcp({ port, host: '127.0.0.1', noDelay: true })
  endsWithTest(() => raw.destroy())
  const infoInClear = handshakeFirst ? undefined : parseInfo(await readLine(raw))
  return new Promise((resolve, reject) => {
    let stapleBytes: Uint8Array | undefined
    let text = ''
    const options: ConnectionOptions & { requestOCSP: boolean } = {
      ca,
      servername: 'localhost',
      requestOCSP: true,
      ...tls,
    }
    const socket = connectTls({ ...options, socket: raw })
    const closed = new Promise<void>((done) => socket.once('close', () => done()))
    socket.on('OCSPResponse', (bytes: Buffer | null) => {
      if (bytes && bytes.length > 0) stapleBytes = new Uint8Array(bytes)
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`closed after ${JSON.stringify(text)}`)))
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('secureConnect', () => {
      resolve({
        socket,
        ...(infoInClear && { infoInClear }),
        ...(stapleBytes && { stapleBytes }),
        text: () => text,
        infos: () => [...text.matchAll(/^INFO .*(?=\r\n)/gm)].map(([line]) => parseInfo(line)),
        send: (bytes) => void socket.write(bytes),
        closed,
        waitFor: (pattern, from = 0) =>
          new Promise((found, failed) => {
            const look = () => {
              const match = text.slice(from).match(pattern)
              if (!match) return
              socket.off('data', look)
              socket.off('close', fail)
              found(match)
            }
            const fail = () => failed(new Error(`closed before ${pattern}, after ${JSON.stringify(text.slice(-500))}`))
            socket.on('data', look)
            socket.on('close', fail)
            look()
          }),
      })
    })
  })
}

/** Reads one line of a socket and leaves the rest. */
export function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const fail = () => reject(new Error(`closed after ${JSON.stringify(text)}`))
    const onData = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n')
      if (end < 0) return
      socket.off('data', onData)
      socket.off('close', fail)
      socket.pause()
      const rest = text.slice(end + 2)
      if (rest !== '') socket.unshift(Buffer.from(rest, 'latin1'))
      resolve(text.slice(0, end))
    }
    socket.on('error', () => {})
    socket.on('close', fail)
    socket.on('data', onData)
  })
}

function parseInfo(line: string): Record<string, unknown> {
  if (!line.startsWith('INFO ')) throw new Error(`no INFO: ${JSON.stringify(line)}`)
  return JSON.parse(line.slice('INFO '.length))
}
