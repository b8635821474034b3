/** One connection from its TCP handshake to its end, as a record. Never rejects. */
import { isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { domainToASCII } from 'node:url'
import { isStapleError, type StapleError } from '../../errors.ts'
import type { Contexts } from './contexts.ts'
import { alertOf, handshakeFailure, isForClientCertificate, isTls } from './failure.ts'
import { beginHandshake, type Handshake } from './handshake.ts'
import { askHead, isWeb } from './http.ts'
import { inTime, type Limits, placeOf } from './limits.ts'
import { openWire } from './open.ts'
import type { Attempt, PlannedOffer } from './plan.ts'
import type { ConnectionRecord, HttpRecord, Target } from './record.ts'
import type { OpeningMemory } from './starttls/opening.ts'
import type { Wire } from './wire.ts'
import { shorten } from './words.ts'

export interface ConnectionRequest {
  readonly target: Target
  readonly address: string
  readonly number: number
  readonly offer: PlannedOffer
  readonly contexts: Contexts
  readonly limits: Limits
  /** Offer HTTP/1.1 by ALPN. */
  readonly offersAlpn: boolean
  /** Ask for HTTP's head when the server turns out to speak it. Called at most once, right before. */
  readonly takesHttp: () => boolean
  /** Wait a moment for what the server says to the end of the handshake: whether it wants a client certificate. */
  readonly lingers: boolean
  /** What the openings to this address have learned. */
  readonly memory: OpeningMemory
}

export interface ConnectionResult {
  readonly record: ConnectionRecord
  readonly outcome: Attempt['outcome']
  readonly http?: HttpRecord
  /** The server knows no protocol that ALPN offered. */
  readonly refusedAlpn: boolean
}

export async function makeConnection(request: ConnectionRequest): Promise<ConnectionResult> {
  const { target, address, limits, contexts, memory } = request
  const wasSilent = memory.isSilent === true
  const { clock } = limits
  const place = placeOf(address, target.port)
  const name = target.serverName ?? target.host
  const serverName = isIP(name) ? undefined : domainToASCII(name).replace(/\.$/, '') || name
  let started = clock.monotonicMs()
  let connected: number | undefined
  let shaken: number | undefined
  let handshake: Handshake | undefined
  let cause: unknown
  let http: HttpRecord | undefined
  let wire: Wire | undefined
  let greeting: string | undefined
  const note = (text: string) => {
    greeting = shorten(text)
  }

  try {
    const context = contexts.contextFor(request.offer)
    started = clock.monotonicMs() // the first context of its kind takes longer than a handshake
    wire = await openWire({ target, address, limits, memory, note })
    connected = clock.monotonicMs()
    handshake = beginHandshake(wire, {
      context,
      roots: contexts.roots,
      serverName,
      identity: serverName ?? name,
      alpn: request.offersAlpn ? ['http/1.1'] : [],
      at: clock.now(),
    })
    await inTime(limits, 'no TLS handshake', place, handshake.finished)
    shaken = clock.monotonicMs()
    const { socket } = handshake
    const seen = handshake.seen()
    if (isWeb(target, seen?.alpn) && request.takesHttp()) http = await askHead(socket, target, limits)
    else if (request.lingers) await linger(socket, limits, shaken - started)
    // TLS 1.3: what the server says to our end of the handshake; a connection that it closes rudely after that is nothing
    if (alertOf(handshake.error())) cause = handshake.error()
  } catch (error) {
    cause = error
  }

  const seen = handshake?.seen()
  const firstBytes = wire?.firstBytes() ?? new Uint8Array()
  const refusedAlpn = alertOf(cause) === 'no_application_protocol'
  const failure =
    cause === undefined || isStapleError(cause)
      ? (cause as StapleError | undefined)
      : handshakeFailure({
          place,
          error: cause,
          firstBytes,
          received: wire?.received() ?? 0,
          isShown: seen !== undefined,
        })
  close(handshake?.socket, wire)
  const record: ConnectionRecord = {
    address,
    number: request.number,
    offered: { ...request.offer, ...(serverName === undefined ? {} : { serverName }) },
    connectMs: (connected ?? clock.monotonicMs()) - started,
    ...(shaken === undefined || connected === undefined ? {} : { handshakeMs: shaken - connected }),
    ...(seen ? { handshake: isForClientCertificate(cause) ? { ...seen, wantsClientCertificate: true } : seen } : {}),
    ...(failure ? { failure } : {}),
    ...(greeting === undefined ? {} : { greeting }),
  }
  const isNoTls = connected === undefined || !isTls(firstBytes) || isStapleError(cause, 'ERR_PROBE_TIMEOUT')
  // a server that only now turned out to be silent had waited for us, perhaps for too long
  const isAgain = refusedAlpn || (memory.isSilent === true && !wasSilent)
  const outcome = seen ? 'shown' : isAgain ? 'again' : isNoTls ? 'unreachable' : 'refused'
  return { record, outcome, refusedAlpn, ...(http ? { http } : {}) }
}

/** Ends our side and waits for the server's, about as long as an alert takes to come. */
async function linger(socket: TLSSocket, limits: Limits, tripMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.end()
  socket.resume()
  const waitMs = Math.min(limits.timeoutMs, 150 + tripMs)
  await inTime(limits, 'no end of the connection', '', closed, waitMs).catch(() => {})
}

/** In order where that can be had at once; nobody waits for a server that keeps its side open. */
function close(socket: TLSSocket | undefined, wire: Wire | undefined): void {
  if (socket && !socket.destroyed && !socket.writableEnded) socket.end(() => wire?.socket.destroy())
  else wire?.socket.destroy()
}
