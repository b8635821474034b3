/**
 * A TLS front for TCP backends that staples: listeners, a front, a relay and what the keeper knows, put together.
 *
 * Everything it uses is handed in, and what happens is told in events: the daemon logs, counts and decides when the
 * process ends. Later protocols (NATS, PROXY, judging peers) fit between `secured` and the relay.
 */
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Clock, systemClock } from '../../keep/clock.ts'
import type { KeeperEvent } from '../../keep/keeper/index.ts'
import { createAnnouncer, type ListenerOf } from '../attach/announcer.ts'
import { judgeHandshake, judgeStop } from '../attach/policy.ts'
import { createTicketKeys } from './contexts.ts'
import { drainConnections } from './drain.ts'
import type { TerminatorEvent } from './events.ts'
import { createFront } from './front.ts'
import { type Listener, openListener } from './listener.ts'
import { Load } from './load.ts'
import { type TerminatorOptions, terminatorDefaults } from './options.ts'
import { createRelay } from './relay.ts'
import { createSiteTable, type Site, type SiteCertificate } from './site.ts'

export interface Terminator {
  /**
   * Opens every address, or none.
   *
   * @returns where it listens, in the order of the options
   * @throws {@link StapleError} `ERR_TERMINATOR_LISTEN` when one cannot be had
   */
  listen(): Promise<readonly AddressInfo[]>
  /** Accepts nothing more, lets connections end for `drainTimeoutMs`, then cuts them. The keeper is left alone. */
  drain(): Promise<void>
  /** Cuts every connection that is open, for a drain that somebody does not want to wait for. */
  cut(): void
  status(): TerminatorStatus
  on<Type extends TerminatorEvent['type']>(type: Type, listener: ListenerOf<TerminatorEvent, Type>): () => void
  off<Type extends TerminatorEvent['type']>(type: Type, listener: ListenerOf<TerminatorEvent, Type>): void
  /** Every event, until the returned function is called. */
  subscribe(listener: (event: TerminatorEvent) => void): () => void
  /** New keys for the sessions of all clients; for who shares them between processes. */
  setTicketKeys(keys: Buffer): void
}

export interface TerminatorStatus {
  readonly isDraining: boolean
  readonly addresses: readonly AddressInfo[]
  /** Open now, handshakes among them. */
  readonly connections: number
  readonly handshakes: number
  /** Since the start, as all below. */
  readonly accepted: number
  readonly refusedConnections: number
  readonly secured: number
  readonly failedHandshakes: number
  readonly refusedHandshakes: number
  readonly stapled: number
  /** A status was asked for and none given. */
  readonly unstapled: number
  readonly failedBackends: number
  readonly certificates: readonly {
    readonly certificateKey: string
    readonly site: string
    readonly refusal?: string
  }[]
}

/** Creates a terminator; it listens when told. Throws a TypeError for options that cannot work together. */
export function createTerminator(options: TerminatorOptions): Terminator {
  const settings = { ...terminatorDefaults, ...withoutUndefined(options) }
  const { keeper, clock = systemClock, sites, backend, alpn = [] } = options
  const table = createSiteTable(sites, backend)
  const certificates = table.sites.flatMap((site) => site.certificates).filter(({ isStapled }) => isStapled)
  const { announce, on, off, subscribe } = createAnnouncer<TerminatorEvent>()
  const load = new Load()
  const counts = { failedHandshakes: 0, refusedHandshakes: 0, failedBackends: 0 }
  let listeners: readonly Listener[] = []
  let draining: Promise<void> | undefined

  const relay = createRelay({
    idleTimeoutMs: settings.idleTimeoutMs,
    halfCloseTimeoutMs: settings.halfCloseTimeoutMs,
    connectTimeoutMs: settings.connectTimeoutMs,
    backendFailed(client, address, error) {
      counts.failedBackends++
      announce({
        type: 'backend-failed',
        at: clock.now(),
        backend: address.url,
        error,
        remoteAddress: client.remoteAddress,
      })
    },
  })
  const front = createFront({
    table,
    keeper,
    clock,
    alpn,
    handshakeTimeoutMs: settings.handshakeTimeoutMs,
    unknownSni: settings.unknownSni,
    ticketKeys: options.ticketKeys ?? createTicketKeys(),
    secured,
    failed(error, socket) {
      counts.failedHandshakes++
      const { code = 'ERR_TLS', message } = error
      announce({ type: 'handshake-failed', at: clock.now(), code, message, remoteAddress: socket.remoteAddress })
    },
    refused(reason, client, serverName) {
      counts.refusedHandshakes++
      announce({ type: 'handshake-refused', at: clock.now(), reason, serverName, remoteAddress: client?.remoteAddress })
    },
    refusalDue: (certificate) => judgeCertificate(certificate),
  })
  const unsubscribe = keeper.subscribe(judgeAll)
  const cancelRotation = options.ticketKeys
    ? undefined
    : repeat(clock, ticketRotationMs, () => front.setTicketKeys(createTicketKeys()))
  const cancelProbing = repeat(clock, keepAliveMs, keepAlive)
  // What is refused already is refused from the first connection on.
  for (const certificate of certificates) judgeCertificate(certificate)

  function accept(raw: Socket): void {
    const reason = load.refusal(settings)
    if (reason !== undefined) {
      load.refused++
      const { remoteAddress } = raw
      raw.destroy()
      announce({ type: 'connection-refused', at: clock.now(), reason, remoteAddress })
      return
    }
    load.accepted++
    load.connections.add(raw)
    raw.on('close', forget)
    front.accept(raw)
  }

  function forget(this: Socket): void {
    load.connections.delete(this)
  }

  function secured(client: TLSSocket, site: Site): void {
    load.secured++
    client.on('close', forgetSecured)
    relay(client, site.backend)
  }

  function forgetSecured(): void {
    load.secured--
  }

  /** Lets the front refuse or show a certificate as policy has it now, and asks for the end when policy says so. */
  function judgeCertificate(certificate: SiteCertificate): void {
    const { certificateKey, site } = certificate
    const servable = keeper.servable(certificateKey)
    const verdict = judgeHandshake(servable, site.policies)
    const refusal = verdict.kind === 'refuse' ? verdict.reason : undefined
    if (refusal !== certificate.refusal) {
      front.refuse(certificate, refusal)
      if (refusal) front.setTicketKeys(createTicketKeys())
      const common = { at: clock.now(), certificateKey, site: site.label }
      announce(
        refusal
          ? { type: 'certificate-refused', reason: refusal, ...common }
          : { type: 'certificate-restored', ...common },
      )
    }
    const reason = judgeStop(servable, site.policies)
    if (reason === certificate.stopTold || listeners.length === 0) return
    certificate.stopTold = reason
    if (reason === undefined) return
    // Revoked under `stop`: what was shaken hands on before must not be resumed in what time is left.
    front.setTicketKeys(createTicketKeys())
    announce({ type: 'stop', at: clock.now(), reason, certificateKey, site: site.label })
  }

  function judgeAll(event: Pick<KeeperEvent, 'certificateKey'>): void {
    for (const certificate of certificates) {
      if (event.certificateKey === undefined || event.certificateKey === certificate.certificateKey)
        judgeCertificate(certificate)
    }
  }

  /**
   * Lets TCP find out about peers that vanished without a word. Asked for only on connections that live long enough to
   * need it: it takes four system calls, and Node leaves alone what has been asked before.
   */
  function keepAlive(): void {
    for (const connection of load.connections) connection.setKeepAlive(true, keepAliveMs)
  }

  async function openAll(): Promise<readonly AddressInfo[]> {
    const opened = await Promise.allSettled(
      options.listeners.map((address) =>
        openListener(address, accept, (error) => {
          const { code = 'UNKNOWN', message } = error
          announce({
            type: 'listener-failed',
            at: clock.now(),
            address: `${address.host}:${address.port}`,
            code,
            message,
          })
        }),
      ),
    )
    const open = opened.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    const failure = opened.find((outcome) => outcome.status === 'rejected')
    if (failure) {
      for (const listener of open) listener.stop()
      throw failure.reason
    }
    listeners = open
    judgeAll({})
    return open.map((listener) => listener.address)
  }

  async function end(): Promise<void> {
    for (const listener of listeners) listener.stop()
    const destroyed = await drainConnections(load.connections, clock, settings.drainTimeoutMs)
    unsubscribe()
    cancelRotation?.()
    cancelProbing()
    front.close()
    announce({ type: 'drained', at: clock.now(), destroyed })
  }

  return {
    listen: openAll,
    drain: () => {
      draining ??= end()
      return draining
    },
    cut() {
      for (const connection of load.connections) connection.destroy()
    },
    on,
    off,
    subscribe,
    setTicketKeys: front.setTicketKeys,
    status: () => ({
      isDraining: draining !== undefined,
      addresses: listeners.map((listener) => listener.address),
      connections: load.connections.size,
      handshakes: load.handshakes,
      accepted: load.accepted,
      refusedConnections: load.refused,
      ...counts,
      ...front.tally,
      certificates: certificates.map(({ certificateKey, site, refusal }) => ({
        certificateKey,
        site: site.label,
        ...(refusal && { refusal }),
      })),
    }),
  }
}

/** Keys that never change would let who steals them read every session ever sealed with them. */
const ticketRotationMs = 12 * 3_600_000

/** Silence after which TCP asks whether the peer is still there. */
const keepAliveMs = 60_000

/** Calls back at regular intervals. */
function repeat(clock: Clock, everyMs: number, callback: () => void): () => void {
  let cancel = clock.wake(everyMs, run)
  function run(): void {
    cancel = clock.wake(everyMs, run)
    callback()
  }
  return () => cancel()
}

/** Leaves the defaults standing where an option was passed as undefined. */
function withoutUndefined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}
