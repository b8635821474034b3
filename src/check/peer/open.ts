/**
 * Opens a connection and hands it over judged, or not at all: the one way that all doors of this folder go.
 *
 * Between the handshake and the verdict the socket belongs to nobody but this file, so no byte of the application can be
 * written to it. What the peer sends meanwhile waits in the socket.
 */
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { Clock } from '../../keep/clock.ts'
import { stopOf } from '../../keep/fetch/stop.ts'
import { type Certificate, isMustStaple } from '../../pki/x509/certificate.ts'
import type { StatusAsker } from '../revocation/index.ts'
import { type PeerChain, readChain } from './chain.ts'
import type { PeerVerdict } from './contract.ts'
import { peerError } from './failure.ts'
import { type SessionTap, shakeHands } from './handshake.ts'
import { type JudgeOptions, judgePeer } from './judge.ts'
import type { NameSession, Proof, SessionMemory } from './sessions.ts'
import { judgeStaple } from './staple.ts'

export interface OpenOptions {
  readonly clock: Clock
  readonly asker: StatusAsker
  readonly judge: JudgeOptions
  readonly connectTimeoutMs: number
  readonly maxAgeMs: number
  /** Absent where sessions are not resumed. */
  readonly sessions?: { readonly memory: SessionMemory; readonly nameOf: NameSession }
  readonly isUnverifiedAllowed: boolean
  readonly judged: ((verdict: PeerVerdict, socket: TLSSocket) => void) | undefined
  /** Where verdicts are found again by their sockets. */
  readonly proofs: WeakMap<object, Judged>
}

/**
 * Connects, judges, and gives the socket.
 *
 * @throws {@link StapleError} `ERR_PEER_…`; what Node itself refuses, as Node says it; the signal's reason when aborted
 */
export async function openPeer(
  o: OpenOptions,
  options: ConnectionOptions,
  signal: AbortSignal = new AbortController().signal,
): Promise<TLSSocket> {
  signal.throwIfAborted()
  const peer = peerOf(options)
  const key = o.sessions?.nameOf(options)
  const held = key === undefined ? undefined : o.sessions?.memory.recall(key, (proof) => isHolding(o, proof))
  const { connectTimeoutMs, clock } = o
  const shaken = await shakeHands({ clock, peer, connectTimeoutMs, session: held?.session }, options, signal)
  const { socket } = shaken
  const proof = held !== undefined && socket.isSessionReused() ? held.proof : undefined
  try {
    if (proof !== undefined && !isHolding(o, proof)) {
      if (key !== undefined) o.sessions?.memory.forget(key)
      // Its proof ended during the handshake: once more, in full.
      if (options.socket === undefined) {
        socket.destroy()
        return await openPeer(o, options, signal)
      }
    }
    const judged =
      proof !== undefined && isHolding(o, proof)
        ? resumed(proof)
        : await whileOpen(socket, signal, (over) => judgeInFull(o, socket, { peer, staple: shaken.staple }, over))
    o.proofs.set(socket, judged)
    const kept = judged.proof
    if (key !== undefined && kept !== undefined) keepSessions(o, key, shaken.tap, kept)
    o.judged?.(judged.verdict, socket)
    return socket
  } catch (error) {
    socket.on('error', () => {}) // it is given up
    socket.destroy()
    throw error
  }
}

/** Whether a proof serves again: its time is not over, and no revocation has become known since. */
function isHolding(o: Pick<OpenOptions, 'clock' | 'asker'>, { verdict, issuer, holdsUntil }: Proof): boolean {
  if (o.clock.now() >= holdsUntil) return false
  return o.asker.recall(verdict.certificate, issuer)?.certStatus !== 'revoked'
}

/** What is known of the peer of a connection. */
export interface Judged {
  readonly verdict: PeerVerdict
  /** What may serve again. */
  readonly proof?: Proof
  /** Proven to have issued its certificate. */
  readonly issuer?: Certificate
}

/** Whether a connection may carry on: its proof holds, and where it needed none, no revocation has become known. */
export function isStanding(o: Pick<OpenOptions, 'clock' | 'asker'>, { verdict, proof, issuer }: Judged): boolean {
  if (proof !== undefined) return isHolding(o, proof)
  return issuer === undefined || o.asker.recall(verdict.certificate, issuer)?.certStatus !== 'revoked'
}

function resumed(proof: Proof): Judged {
  return { verdict: { ...proof.verdict, source: 'session', elapsedMs: 0 }, proof }
}

async function judgeInFull(
  o: OpenOptions,
  socket: TLSSocket,
  shown: { readonly peer: string; readonly staple: Uint8Array | undefined },
  signal: AbortSignal,
): Promise<Judged> {
  const chain = readChain(socket)
  if (chain === undefined) throw new Error(`${shown.peer} showed no certificate`)
  if (!socket.authorized) return { verdict: await judgeUnverified(o, chain, socket, shown) }
  const at = o.clock.now()
  const verdict = await judgePeer(o.judge, { ...shown, chain }, signal)
  const { issuer } = chain
  if (issuer === undefined) return { verdict }
  if (verdict.certStatus !== 'good' || verdict.usableUntil === undefined) return { verdict, issuer }
  const holdsUntil = new Date(Math.min(verdict.usableUntil.getTime(), at.getTime() + o.maxAgeMs))
  return { verdict, issuer, proof: { verdict, issuer, holdsUntil } }
}

/** Whoever it is chose the issuer, so a good staple proves nothing. One that says revoked is taken at its word. */
async function judgeUnverified(
  o: OpenOptions,
  chain: PeerChain,
  socket: TLSSocket,
  { peer, staple }: { readonly peer: string; readonly staple: Uint8Array | undefined },
): Promise<PeerVerdict> {
  const { policy, staplePolicies } = o.judge
  const subject = { peer, policy, certificate: chain.leaf }
  const cause = socket.authorizationError
  const expected = 'a chain to a trusted root, for the name that was asked for'
  const unverified = peerError('ERR_PEER_UNVERIFIED', subject, `its certificate was not verified: ${cause}`, expected)
  if (!o.isUnverifiedAllowed) throw unverified
  if (chain.issuer !== undefined) {
    const finding = await judgeStaple(staple, {
      ...staplePolicies,
      certificate: chain.leaf,
      issuer: chain.issuer,
      at: o.clock.now(),
      delegateWithoutNocheck: 'accept',
      askAboutDelegate: () => Promise.reject(unverified),
    })
    if (finding.kind === 'revoked') {
      throw peerError(
        'ERR_PEER_REVOKED',
        subject,
        'its own staple says revoked',
        'a certificate that is not',
        unverified,
      )
    }
  }
  return {
    source: 'none',
    policy,
    isChainVerified: false,
    certificate: chain.leaf,
    isMustStaple: isMustStaple(chain.leaf),
    intermediates: [],
    failures: [unverified],
    elapsedMs: 0,
  }
}

/** Judges while the peer stays; a connection that ends meanwhile ends the asking. */
function whileOpen<T>(socket: TLSSocket, signal: AbortSignal, judge: (over: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController()
  const onError = (error: Error) => over.abort(error)
  const onClose = () => over.abort(new Error('the peer closed the connection before it was judged'))
  const onAbort = () => over.abort(signal.reason)
  socket.on('error', onError)
  socket.once('close', onClose)
  const cancelStop = stopOf(signal).onStop(onAbort)
  if (signal.aborted) onAbort()
  else if (socket.destroyed) onClose()
  return new Promise<T>((resolve, reject) => {
    over.signal.addEventListener('abort', () => reject(over.signal.reason), { once: true })
    if (over.signal.aborted) return reject(over.signal.reason)
    judge(over.signal).then(resolve, reject)
  }).finally(() => {
    socket.off('error', onError)
    socket.off('close', onClose)
    cancelStop()
  })
}

function keepSessions(o: OpenOptions, key: string, tap: SessionTap, proof: Proof): void {
  tap.keep = (session) => o.sessions?.memory.remember(key, { session, proof })
  if (tap.newest !== undefined) tap.keep(tap.newest)
}

function peerOf({ host, servername, port, path, socket }: ConnectionOptions): string {
  if (path !== undefined && path !== null) return path
  const name = servername || host || (socket === undefined ? 'localhost' : 'the peer')
  return port === undefined ? name : `${name.includes(':') ? `[${name}]` : name}:${port}`
}
