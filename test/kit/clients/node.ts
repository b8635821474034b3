/** Node's own TLS client: hands out the staple's bytes and the certificate, so that they can be judged (judge.ts). */

import { readFile } from 'node:fs/promises'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { endsWithTest } from '../lifetime.ts'
import { type ClientOutcome, type ClientTarget, defaultTimeoutMs } from './outcome.ts'

export interface NodeTarget extends ClientTarget {
  readonly version?: '1.2' | '1.3'
  /** Ask for no staple. */
  readonly asksNoStaple?: boolean
  /** Anything else that `tls.connect` takes. */
  readonly options?: ConnectionOptions
}

export interface NodeOutcome extends ClientOutcome {
  /** Exactly as it came; absent when none did. */
  readonly stapleBytes?: Uint8Array
  /** The leaf's DER. */
  readonly certificate?: Uint8Array
  readonly protocol?: string
  /** It resumed an earlier session. */
  readonly isReused?: boolean
  /** From the first packet to the completed handshake. */
  readonly elapsedMs: number
}

/** A connection that stays open until `close`, or the end of the test. */
export interface OpenConnection extends NodeOutcome {
  readonly socket: TLSSocket
  /** Sends a line and resolves with what comes back first. */
  ask(text: string): Promise<string>
  readonly closed: Promise<void>
  /** The tickets that came so far: `options: { session }` resumes with one. */
  readonly sessions: readonly Buffer[]
}

/** Shakes hands, takes what came, closes. A refusal is an outcome, not a rejection. */
export async function connectWithNode(target: NodeTarget): Promise<NodeOutcome> {
  const outcome = await shakeHands(target)
  if ('socket' in outcome) {
    outcome.socket.destroy()
    const { socket: _, sessions: __, ...rest } = outcome
    return rest
  }
  return outcome
}

/** Shakes hands and keeps the connection. @throws when the handshake is refused */
export async function openWithNode(target: NodeTarget): Promise<OpenConnection> {
  const outcome = await shakeHands(target)
  if (!('socket' in outcome)) throw new Error(`not connected: ${outcome.refusedBecause}`)
  const { socket } = outcome
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => {}) // closed says enough
  return {
    ...outcome,
    closed,
    ask: (text) =>
      new Promise((resolve, reject) => {
        const fail = () => reject(new Error('the connection was closed without an answer'))
        socket.once('close', fail)
        socket.once('data', (bytes: Buffer) => {
          socket.off('close', fail)
          resolve(bytes.toString())
        })
        socket.write(text)
      }),
  }
}

async function shakeHands(
  target: NodeTarget,
): Promise<NodeOutcome | (NodeOutcome & Pick<OpenConnection, 'socket' | 'sessions'>)> {
  const ca = await readFile(target.rootFile)
  const started = performance.now()
  const elapsed = () => performance.now() - started
  return new Promise((resolve) => {
    let stapleBytes: Uint8Array | undefined
    const version = target.version && (`TLSv${target.version}` as const)
    const options: ConnectionOptions & { requestOCSP: boolean } = {
      host: '127.0.0.1',
      port: target.port,
      servername: target.name ?? 'localhost',
      ca,
      requestOCSP: !target.asksNoStaple,
      ...(version && { minVersion: version, maxVersion: version }),
      ...target.options,
    }
    const socket = connect(options)
    endsWithTest(() => socket.destroy())
    const sessions: Buffer[] = []
    socket.on('session', (session) => sessions.push(session))
    const refuse = (refusedBecause: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ connected: false, ...stapleOf(), refusedBecause, elapsedMs: elapsed(), output: refusedBecause })
    }
    const stapleOf = () => ({
      ...(target.asksNoStaple ? {} : { staple: { present: stapleBytes !== undefined } }),
      ...(stapleBytes && { stapleBytes }),
    })
    const timer = setTimeout(refuse, target.timeoutMs ?? defaultTimeoutMs, 'the handshake took too long')
    socket.once('error', (error: NodeJS.ErrnoException) => refuse(error.code ?? error.message))
    socket.once('close', () => refuse('closed'))
    // Without a staple the event may come all the same, with null.
    socket.once('OCSPResponse', (bytes: Buffer | null) => {
      if (bytes && bytes.length > 0) stapleBytes = new Uint8Array(bytes)
    })
    socket.once('secureConnect', () => {
      clearTimeout(timer)
      socket.removeAllListeners('close')
      socket.removeAllListeners('error')
      socket.on('error', () => {})
      const certificate = socket.getPeerCertificate(true).raw as Buffer | undefined
      resolve({
        connected: true,
        ...stapleOf(),
        ...(certificate && { certificate: new Uint8Array(certificate) }),
        protocol: socket.getProtocol() ?? '',
        isReused: socket.isSessionReused(),
        elapsedMs: elapsed(),
        output: '',
        socket,
        sessions,
      })
    })
  })
}
