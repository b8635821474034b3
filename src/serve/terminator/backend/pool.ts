/**
 * Several backends that serve the same: in turn, without those that do not answer.
 *
 * Health is what connections show. A backend that failed is left out for a second, then one connection tries it; each
 * failure doubles the time, up to half a minute. A client whose backend fails is taken to the next, within one connect
 * timeout for all of it, and when all are left out they are tried nevertheless.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../../../keep/clock.ts'
import { type BackendAddress, parseBackend } from '../backend.ts'
import type { BackendGroup, BackendOption } from '../options.ts'
import { connectOnce, createTlsClient, secure, type TlsClient } from './connect.ts'
import { type BackendError, describeFailure, describeFailures, isOwnLack } from './failure.ts'

export interface PoolOptions {
  readonly clock: Clock
  /** For one client, however many backends are tried for it. */
  readonly connectTimeoutMs: number
  /** Begin no handshake on `tls://` connections: {@link DialRequest.open} does, with {@link BackendPool.secure}. */
  readonly isTlsLater?: boolean
  /** One of several is left out from now on, for this reason; or (no error) is in turn again. */
  changed?(address: BackendAddress, error: BackendError | undefined): void
}

export interface BackendPool {
  /** All of them, as messages call them. */
  readonly url: string
  /** The only backend, when a plain TCP connection is all it takes: the relay then makes it by itself. */
  readonly direct: BackendAddress | undefined
  /** Connects a client to the first that takes it. Call what is returned when the client has gone. */
  dial(request: DialRequest, outcome: DialOutcome): () => void
  /** Begins the handshake on a connection to a `tls://` backend that was dialled without one. */
  secure(raw: Socket, address: BackendAddress): TLSSocket
  states(): readonly BackendState[]
}

export interface DialRequest {
  /** The first bytes on the connection, before TLS: a PROXY header. */
  readonly header?: Buffer | undefined
  /**
   * What else a backend must do, within so many milliseconds, before it has taken the connection. Resolves with the socket
   * to go on with; rejects, the socket destroyed, when the client is to be taken to the next.
   */
  readonly open?: (socket: Socket, address: BackendAddress, timeoutMs: number) => Promise<Socket>
}

export interface DialOutcome {
  /** Nobody reads from the socket yet, and there is no timeout on it. */
  connected(socket: Socket, address: BackendAddress): void
  /** No backend took the connection. */
  failed(error: BackendError): void
}

export interface BackendState {
  readonly url: string
  /** It failed, and is tried again later. */
  readonly isLeftOut: boolean
}

/** Creates a pool. Throws a TypeError for what is no address, and what OpenSSL says of CAs that it cannot read. */
export function createBackendPool(option: BackendOption, options: PoolOptions): BackendPool {
  const { clock, connectTimeoutMs, isTlsLater = false, changed } = options
  const group: BackendGroup = typeof option === 'string' ? { urls: [option] } : option
  const members = group.urls.map(
    (url): Member => ({ address: parseBackend(url), failures: 0, dueMs: 0, isOnTrial: false }),
  )
  const [first] = members
  if (first === undefined) throw new TypeError('backend: expected at least one address, found none')
  const url = group.urls.join(', ')
  const tls: TlsClient | undefined = members.some(({ address }) => address.isTls) ? createTlsClient(group) : undefined
  let turn = 0

  /** Who is tried for one client: those that are fit, the one whose turn it is first; then those left out, the longest first. */
  function queue(nowMs: number): Member[] {
    const fit = members.filter((member) => member.failures === 0 || (!member.isOnTrial && member.dueMs <= nowMs))
    const leftOut = members.filter((member) => !fit.includes(member)).sort((a, b) => a.dueMs - b.dueMs)
    const start = fit.length > 0 ? turn++ % fit.length : 0
    return [...fit.slice(start), ...fit.slice(0, start), ...leftOut]
  }

  /** Counts once what many connections may have found out at the same time. */
  function reportFailure(member: Member, startedMs: number, error: BackendError): void {
    if (member.failures > 0 && startedMs < member.dueMs) return
    member.failures++
    member.dueMs = clock.monotonicMs() + Math.min(firstPauseMs * 2 ** (member.failures - 1), longestPauseMs)
    if (member.failures === 1 && members.length > 1) changed?.(member.address, error)
  }

  function reportSuccess(member: Member): void {
    if (member.failures === 0) return
    member.failures = 0
    if (members.length > 1) changed?.(member.address, undefined)
  }

  return {
    url,
    direct: members.length === 1 && !first.address.isTls ? first.address : undefined,
    secure(raw, address) {
      if (tls === undefined) throw new TypeError(`backend: ${address.url} is none for TLS`)
      return secure(raw, address, tls)
    },
    states: () => members.map(({ address, failures }) => ({ url: address.url, isLeftOut: failures > 0 })),
    dial({ header, open }, { connected, failed }) {
      const begunMs = clock.monotonicMs()
      const waiting = queue(begunMs)
      const failures: BackendError[] = []
      let hasGivenUp = false
      let giveUp: () => void = nothing

      function tryNext(): void {
        const nowMs = clock.monotonicMs()
        const leftMs = begunMs + connectTimeoutMs - nowMs
        const member = leftMs > tooLateMs || failures.length === 0 ? waiting.shift() : undefined
        if (member === undefined) {
          failed(describeFailures(url, failures))
          return
        }
        // A backend that swallows connections must not use up the time of those after it.
        const timeoutMs = Math.min(leftMs, Math.max(leftMs / (waiting.length + 1), leastTimeoutMs))
        const isTrial = member.failures > 0 && member.dueMs <= nowMs && !member.isOnTrial
        if (isTrial) member.isOnTrial = true
        const { address } = member

        const endTrial = () => {
          if (isTrial) member.isOnTrial = false
        }
        const take = (socket: Socket) => {
          endTrial()
          giveUp = nothing
          reportSuccess(member)
          connected(socket, address)
        }

        const refuse = (error: BackendError) => {
          endTrial()
          failures.push(error)
          if (isOwnLack(error.detail.networkCode)) {
            failed(error)
            return
          }
          reportFailure(member, nowMs, error)
          tryNext()
        }

        const abandon = connectOnce(
          { address, tls: address.isTls && !isTlsLater ? tls : undefined, header, clock, timeoutMs },
          (cause, socket) => {
            if (cause !== undefined) refuse(describeFailure(address.url, cause))
            else if (open === undefined) take(socket)
            else {
              giveUp = () => {
                endTrial()
                hasGivenUp = true
                socket.destroy()
              }
              open(socket, address, Math.max(nowMs + timeoutMs - clock.monotonicMs(), tooLateMs)).then(
                (opened) => (hasGivenUp ? void opened.destroy() : take(opened)),
                (error: BackendError) => (hasGivenUp ? undefined : refuse(error)),
              )
            }
          },
        )
        giveUp = () => {
          endTrial()
          abandon()
        }
      }

      tryNext()
      return () => giveUp()
    },
  }
}

function nothing(): void {}

interface Member {
  readonly address: BackendAddress
  /** In a row. */
  failures: number
  /** When one connection may try it again. */
  dueMs: number
  isOnTrial: boolean
}

const firstPauseMs = 1_000
const longestPauseMs = 30_000

/** Less would be unfair to a backend far away whose first packet was lost: TCP sends it again after a second. */
const leastTimeoutMs = 1_500

/** With less left, another attempt would only add one more cause to the message. */
const tooLateMs = 20
