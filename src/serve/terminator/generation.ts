/**
 * One plan at work: its sites, its TLS servers, its relay, and what policy says of its certificates at present.
 *
 * A reload makes a new generation beside the old one; connections stay with the one that accepted them. What outlives a
 * generation (listeners, counts, ticket keys, events) is handed in by the terminator.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { StapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import { judgeHandshake, judgeStop, type RefusalReason } from '../attach/policy.ts'
import { createArrivals } from './arrival.ts'
import { type BackendPool, createBackendPool } from './backend/pool.ts'
import type { ContextShelf } from './context-shelf.ts'
import { createEntrance } from './entrance.ts'
import type { ConnectionRefused, TerminatorEvent } from './events.ts'
import { createFront } from './front.ts'
import type { Counts, Load } from './load.ts'
import { createNatsBridge } from './nats/bridge.ts'
import { type FrontPlan, type StapleSource, terminatorDefaults } from './options.ts'
import type { Peers } from './peers.ts'
import { createNetworks } from './proxy-protocol/networks.ts'
import type { Endpoint } from './proxy-protocol/read.ts'
import { encodeProxyHeader } from './proxy-protocol/write.ts'
import { createRateLimit } from './rate.ts'
import { createRelay } from './relay.ts'
import { createSiteTable, type Site, type SiteCertificate } from './site.ts'

/** What all generations of a terminator share. */
export interface Surroundings {
  readonly keeper: StapleSource
  readonly clock: Clock
  readonly load: Load
  readonly counts: Counts
  announce(event: TerminatorEvent): void
  /** Judges clients; undefined where nobody can. */
  readonly peers: Peers | undefined
  /** What TLS contexts there are already. */
  readonly contexts: ContextShelf
  /** The keys that seal sessions now. */
  ticketKeys(): Buffer
  /** Sessions of before are not to be resumed any more. */
  voidTickets(): void
}

export interface Generation {
  readonly plan: ResolvedPlan
  /** Takes a connection that nobody has read from, within the limits. */
  accept(raw: Socket): void
  /** It serves from now on: tells what it refuses and the one before did not. */
  begin(before: Generation | undefined): void
  /** The keeper knows something new, of one certificate or of all. Before the doors are open nothing is told of an end. */
  judge(certificateKey: string | undefined, isOpen: boolean): void
  setTicketKeys(keys: Buffer): void
  certificates(): readonly CertificateState[]
  /** Ends the connections whose handshake has not begun. */
  close(): void
}

export interface CertificateState {
  readonly certificateKey: string
  readonly site: string
  /** Why it is not shown. */
  readonly refusal?: string
}

/** A plan with its defaults filled in. */
export type ResolvedPlan = FrontPlan & Required<Pick<FrontPlan, keyof typeof terminatorDefaults>>

/** Creates a generation. Throws a TypeError for a plan that cannot work, and what OpenSSL says of keys that do not fit. */
export function createGeneration(given: FrontPlan, surroundings: Surroundings): Generation {
  const plan: ResolvedPlan = { ...terminatorDefaults, ...withoutUndefined(given) }
  const { keeper, clock, load, counts, announce, voidTickets } = surroundings
  const table = createSiteTable(plan.sites, plan.backend)
  const certificates = table.sites.flatMap((site) => site.certificates).filter(({ isStapled }) => isStapled)
  const { peers } = surroundings
  if (peers === undefined && plan.sites.some(({ clientAuth }) => clientAuth?.ocspPeer)) {
    throw new TypeError('clientAuth.ocspPeer needs judgePeer: there is nobody to judge clients')
  }

  const arrivals = createArrivals()
  const proxies = plan.acceptProxyProtocol?.length ? createNetworks(plan.acceptProxyProtocol) : undefined
  const isNats = plan.protocol === 'nats'
  const pools = new Map<Site, BackendPool>(table.sites.map((site) => [site, createPool(site)]))
  const letIn = createRateLimit(plan.connectionRateLimit ?? Number.POSITIVE_INFINITY, clock)

  const relay = createRelay({
    idleTimeoutMs: plan.idleTimeoutMs,
    halfCloseTimeoutMs: plan.halfCloseTimeoutMs,
    connectTimeoutMs: plan.connectTimeoutMs,
    clock,
    backendFailed: (client, { url }, error) => tellBackendFailed(client, url, error),
    transformFailed: (client, error) => tellBackendFailed(client, 'nats', error as StapleError),
  })
  const bridge = isNats
    ? createNatsBridge({ plan, clock, relay, arrivals, header: headerFor, failed: tellBackendFailed })
    : undefined
  const entrance =
    isNats || proxies !== undefined
      ? createEntrance({
          clock,
          arrivals,
          timeoutMs: plan.handshakeTimeoutMs,
          proxies,
          nats: bridge?.entrance(table.default, poolOf(table.default)),
          enter: (raw) => front.accept(raw),
          refused: refuse,
          backendFailed: (raw, error) => tellBackendFailed(raw, table.default.label, error),
        })
      : undefined
  const contexts = surroundings.contexts.begin()
  const front = createFront({
    table,
    keeper,
    clock,
    alpn: plan.alpn ?? [],
    handshakeTimeoutMs: plan.handshakeTimeoutMs,
    unknownSni: plan.unknownSni,
    ticketKeys: surroundings.ticketKeys(),
    contexts,
    tally: counts,
    secured(client, site) {
      const { clientAuth } = site.options
      if (clientAuth?.ocspPeer === undefined) secured(client, site)
      else peers?.admit(client, { site, policy: clientAuth.ocspPeer, addressOf }, () => secured(client, site))
    },
    failed(error, socket) {
      counts.failedHandshakes++
      const { code = 'ERR_TLS', message } = error
      announce({ type: 'handshake-failed', at: clock.now(), code, message, remoteAddress: addressOf(socket) })
    },
    refused(reason, client, { serverName, cause }) {
      counts.refusedHandshakes++
      announce({
        type: 'handshake-refused',
        at: clock.now(),
        reason,
        serverName,
        remoteAddress: addressOf(client),
        ...(cause !== undefined && { cause }),
      })
    },
    refusalDue: (certificate) => judgeCertificate(certificate, true),
  })
  // What is refused already is refused from the first connection on; it is told when this generation serves.
  for (const certificate of certificates) front.refuse(certificate, refusalOf(certificate))

  function accept(raw: Socket): void {
    const reason = load.refusal(plan) ?? (letIn() ? undefined : 'too-fast')
    if (reason !== undefined) return refuse(raw, reason)
    counts.accepted++
    load.connections.add(raw)
    raw.on('close', forget)
    if (entrance === undefined) front.accept(raw)
    else entrance.accept(raw)
  }

  function forget(this: Socket): void {
    load.connections.delete(this)
  }

  function refuse(raw: Socket, reason: ConnectionRefused['reason'], found?: string): void {
    counts.refusedConnections++
    const remoteAddress = addressOf(raw)
    raw.destroy()
    announce({
      type: 'connection-refused',
      at: clock.now(),
      reason,
      remoteAddress,
      ...(found !== undefined && { found }),
    })
  }

  function secured(client: TLSSocket, site: Site): void {
    load.secured++
    client.on('close', forgetSecured)
    const pool = poolOf(site)
    if (bridge) bridge.join(client, site, pool)
    else if (plan.sendProxyProtocol) relay(client, pool, { header: headerFor(client) })
    else relay(client, pool.direct ?? pool)
  }

  function createPool(site: Site): BackendPool {
    return createBackendPool(site.backend, {
      clock,
      connectTimeoutMs: plan.connectTimeoutMs,
      isTlsLater: isNats,
      changed({ url }, error) {
        const common = { at: clock.now(), backend: url }
        announce(error ? { type: 'backend-left-out', error, ...common } : { type: 'backend-returned', ...common })
      },
    })
  }

  function poolOf(site: Site): BackendPool {
    return pools.get(site) as BackendPool
  }

  /** What the backend is told of a client, if it is to be told. */
  function headerFor(client: Socket): Buffer | undefined {
    if (plan.sendProxyProtocol === undefined) return undefined
    const { source, destination } = arrivals.of(client) ?? {}
    return encodeProxyHeader(
      plan.sendProxyProtocol,
      source ?? endpoint(client.remoteAddress, client.remotePort),
      destination ?? endpoint(client.localAddress, client.localPort),
    )
  }

  /** Who is there, as a PROXY header says, else as TCP says. */
  function addressOf(socket: Socket): string | undefined {
    return arrivals.of(socket)?.source?.address ?? socket.remoteAddress
  }

  /** `where` stands for the backend when the error names none. */
  function tellBackendFailed(client: Socket, where: string, error: StapleError): void {
    counts.failedBackends++
    const { backend = where } = error.detail as { readonly backend?: string }
    announce({ type: 'backend-failed', at: clock.now(), backend, error, remoteAddress: addressOf(client) })
  }

  function forgetSecured(): void {
    load.secured--
  }

  /** Lets the front refuse or show a certificate as policy has it now, and asks for the end when policy says so. */
  function judgeCertificate(certificate: SiteCertificate, isOpen: boolean): void {
    const { certificateKey, site } = certificate
    const common = { at: clock.now(), certificateKey, site: site.label }
    const refusal = refusalOf(certificate)
    if (refusal !== certificate.refusal) {
      front.refuse(certificate, refusal)
      if (refusal) tellRefused(certificate, refusal)
      else announce({ type: 'certificate-restored', ...common })
    }
    const reason = judgeStop(keeper.servable(certificateKey), site.policies)
    if (reason === certificate.stopTold || !isOpen) return
    certificate.stopTold = reason
    if (reason === undefined) return
    // Revoked under `stop`: what was shaken hands on before must not be resumed in what time is left.
    voidTickets()
    announce({ type: 'stop', reason, ...common })
  }

  function refusalOf({ certificateKey, site }: SiteCertificate): RefusalReason | undefined {
    const verdict = judgeHandshake(keeper.servable(certificateKey), site.policies)
    return verdict.kind === 'refuse' ? verdict.reason : undefined
  }

  function tellRefused({ certificateKey, site }: SiteCertificate, reason: RefusalReason): void {
    voidTickets()
    announce({ type: 'certificate-refused', at: clock.now(), certificateKey, site: site.label, reason })
  }

  return {
    plan,
    accept,
    begin(before) {
      contexts.use()
      const known = new Set(before?.certificates().flatMap((one) => (one.refusal ? [one.certificateKey] : [])))
      for (const certificate of certificates) {
        if (certificate.refusal && !known.has(certificate.certificateKey)) tellRefused(certificate, certificate.refusal)
        judgeCertificate(certificate, true)
      }
    },
    judge(certificateKey, isOpen) {
      for (const certificate of certificates) {
        if (certificateKey === undefined || certificateKey === certificate.certificateKey)
          judgeCertificate(certificate, isOpen)
      }
    },
    setTicketKeys: front.setTicketKeys,
    certificates: () =>
      certificates.map(({ certificateKey, site, refusal }) => ({
        certificateKey,
        site: site.label,
        ...(refusal && { refusal }),
      })),
    close() {
      entrance?.close()
      front.close()
    },
  }
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  return address === undefined || port === undefined ? undefined : { address, port }
}

/** Leaves the defaults standing where an option was passed as undefined. */
function withoutUndefined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}
