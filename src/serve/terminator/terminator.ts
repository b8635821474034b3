/**
 * A TLS front for TCP backends that staples: doors, the generation that serves, and what the keeper knows, put together.
 *
 * Everything it uses is handed in, and what happens is told in events: the daemon logs, counts and decides when the
 * process ends. What one plan says is generation.ts; here is what stays when the plan changes.
 */
import type { AddressInfo } from 'node:net'
import { repeat, systemClock } from '../../keep/clock.ts'
import { createAnnouncer, type ListenerOf } from '../attach/announcer.ts'
import { createContextShelf } from './context-shelf.ts'
import { createTicketKeys } from './contexts.ts'
import { createDoors } from './doors.ts'
import { drainConnections } from './drain.ts'
import type { TerminatorEvent } from './events.ts'
import { type CertificateState, createGeneration, type Generation, type Surroundings } from './generation.ts'
import { type Counts, createCounts, Load } from './load.ts'
import type { FrontPlan, TerminatorOptions } from './options.ts'
import { createPeers } from './peers.ts'

export interface Terminator {
  /**
   * Opens every address, or none.
   *
   * @returns where it listens, in the order of the options
   * @throws {@link StapleError} `ERR_TERMINATOR_LISTEN` when one cannot be had
   */
  listen(): Promise<readonly AddressInfo[]>
  /**
   * Builds what another plan says beside what serves, binds its new addresses, and changes nothing yet.
   *
   * @throws {@link StapleError} `ERR_TERMINATOR_LISTEN` when an address cannot be had; TypeError, or what OpenSSL says,
   * for a plan that cannot work. Nothing is left of it then.
   */
  prepare(plan: FrontPlan): Promise<PreparedPlan>
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

export interface PreparedPlan {
  /**
   * Swaps: connections accepted from now on get the new plan. Those that are open stay as they are, those of listeners
   * that are no more among them. @returns where it listens, in the order of the plan
   */
  commit(): readonly AddressInfo[]
  /** Closes what was bound for it. */
  abort(): void
}

export interface TerminatorStatus extends Readonly<Counts> {
  readonly isDraining: boolean
  readonly addresses: readonly AddressInfo[]
  /** Open now, handshakes among them. */
  readonly connections: number
  readonly handshakes: number
  readonly certificates: readonly CertificateState[]
}

/** Creates a terminator; it listens when told. Throws a TypeError for options that cannot work together. */
export function createTerminator(options: TerminatorOptions): Terminator {
  const { keeper, clock = systemClock } = options
  const { announce, on, off, subscribe } = createAnnouncer<TerminatorEvent>()
  const load = new Load()
  const counts = createCounts()
  let ticketKeys = options.ticketKeys ?? createTicketKeys()
  let isOpen = false
  let draining: Promise<void> | undefined

  const { judgePeer } = options
  const peers = judgePeer && createPeers({ judge: judgePeer, clock, counts, announce })
  const surroundings: Surroundings = {
    keeper,
    clock,
    load,
    counts,
    announce,
    peers,
    contexts: createContextShelf(),
    ticketKeys: () => ticketKeys,
    voidTickets: () => setTicketKeys(createTicketKeys()),
  }
  let current = createGeneration(options, surroundings)
  const doors = createDoors({
    accept: (raw) => current.accept(raw),
    failed({ host, port }, { code = 'UNKNOWN', message }) {
      announce({ type: 'listener-failed', at: clock.now(), address: `${host}:${port}`, code, message })
    },
  })
  const unsubscribe = keeper.subscribe((event) => current.judge(event.certificateKey, isOpen))
  const cancelRotation = options.ticketKeys
    ? undefined
    : repeat(clock, ticketRotationMs, () => setTicketKeys(createTicketKeys()))
  const cancelProbing = repeat(clock, keepAliveMs, keepAlive)

  function setTicketKeys(keys: Buffer): void {
    ticketKeys = keys
    current.setTicketKeys(keys)
  }

  /**
   * Lets TCP find out about peers that vanished without a word. Asked for only on connections that live long enough to
   * need it: it takes four system calls, and Node leaves alone what has been asked before.
   */
  function keepAlive(): void {
    for (const connection of load.connections) connection.setKeepAlive(true, keepAliveMs)
  }

  async function prepareGeneration(make: () => Generation, { listeners }: FrontPlan): Promise<PreparedPlan> {
    const generation = make()
    const prepared = await doors.prepare(listeners)
    return {
      abort: prepared.abort,
      commit() {
        // The old one keeps what it has accepted; handshakes under way end on the certificate they began with.
        const before = generation === current ? undefined : current
        current = generation
        isOpen = true
        // Between the preparation and now sessions may have been voided.
        generation.setTicketKeys(ticketKeys)
        const addresses = prepared.commit()
        generation.begin(before)
        return addresses
      },
    }
  }

  async function end(): Promise<void> {
    doors.stop()
    const destroyed = await drainConnections(load.connections, clock, current.plan.drainTimeoutMs)
    unsubscribe()
    cancelRotation?.()
    cancelProbing()
    current.close()
    peers?.close()
    announce({ type: 'drained', at: clock.now(), destroyed })
  }

  return {
    async listen() {
      const first = current
      return (await prepareGeneration(() => first, options)).commit()
    },
    prepare: (plan) => prepareGeneration(() => createGeneration(plan, surroundings), plan),
    drain() {
      draining ??= end()
      return draining
    },
    cut() {
      for (const connection of load.connections) connection.destroy()
    },
    on,
    off,
    subscribe,
    setTicketKeys,
    status: () => ({
      isDraining: draining !== undefined,
      addresses: doors.addresses(),
      connections: load.connections.size,
      handshakes: load.handshakes,
      ...counts,
      certificates: current.certificates(),
    }),
  }
}

/** Keys that never change would let who steals them read every session ever sealed with them. */
const ticketRotationMs = 12 * 3_600_000

/** Silence after which TCP asks whether the peer is still there. */
const keepAliveMs = 60_000
