/**
 * The front in several processes: the primary keeps the staples and the bound addresses, the workers accept and serve.
 *
 * Workers accept for themselves (node:cluster without scheduling), so a primary that hangs stops nobody. One plan is in
 * force; a worker that starts later is brought to it before it accepts. Who starts and ends them is crew.ts.
 */
import type { AddressInfo } from 'node:net'
import { isStapleError, StapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import { createTicketKeys, type FrontPlan, type JudgePeer, type TerminatorEvent } from '../../serve/terminator/index.ts'
import { terminatorDefaults } from '../../serve/terminator/options.ts'
import type { Line } from '../journal/journal.ts'
import { type BoundAddress, tryAddresses } from './addresses.ts'
import { addCounts, createCountsSoFar, sumStatuses } from './counting.ts'
import { createCrew } from './crew.ts'
import { createGathering } from './gathering.ts'
import type { FrontHost, PreparedFront } from './host.ts'
import type { Member } from './member.ts'
import type { FromWorker, Orphanage, SentEvents } from './messages.ts'
import { relieveOrphans, relieving } from './orphan.ts'
import { type Parcel, packPlan } from './parcel.ts'
import { reviveEvent } from './plain.ts'
import { createSupply, type SnapshotSource } from './supply.ts'

export interface WorkersHostOptions {
  /** Processes that serve. */
  readonly count: number
  readonly staples: SnapshotSource
  readonly clock: Clock
  /** 48 bytes. */
  readonly ticketKeys: Buffer
  /** Judges clients for all workers; needed where a plan asks CAs about them. */
  readonly judgePeer?: JudgePeer
  /** What becomes of workers, for people. */
  say(line: Line): void
  /** Where and how workers live on without a primary. Default: nowhere to be found, in JSON. */
  readonly orphanage?: Orphanage
  /** Default 10 s: how often each worker is asked how it is. One that is silent for six times as long is replaced. */
  readonly lookMs?: number
}

/** Creates a host; its workers are started by the first `prepare`. */
export function createWorkersHost(options: WorkersHostOptions): FrontHost {
  const { count, staples, clock, say, orphanage = { format: 'json' }, lookMs = 10_000 } = options
  const listeners = new Set<(event: TerminatorEvent) => void>()
  const gathering = createGathering(announce)
  const supply = createSupply(staples)
  const bygone = createCountsSoFar()
  const crew = createCrew({ count, clock, say, lookMs, greet, received, asked, ended })
  const { socket } = orphanage
  let { ticketKeys } = options
  let version = 0
  let current: Plan | undefined
  let pending: Plan | undefined
  /** Handshakes that began with them may not have ended. */
  const fading = new Set<Plan>()
  let draining: Promise<void> | undefined
  const ending = new AbortController()

  const unsubscribe = staples.subscribe((event) => {
    if (event.certificateKey === undefined) return
    for (const member of crew.members()) void supply.renew(member, event.certificateKey)
  })

  function announce(event: TerminatorEvent): void {
    for (const listener of listeners) listener(event)
  }

  function received(member: Member, events: readonly SentEvents[]): void {
    void member.tell({ type: 'took' })
    for (const { event: sent, times } of events) {
      const event = reviveEvent(sent)
      for (let time = 0; time < times; time++) {
        const keys = gathering.take(event)
        if (keys === 'new') setTicketKeys(createTicketKeys())
        else if (keys === 'same') void member.tell({ type: 'ticket-keys', ticketKeys })
      }
    }
  }

  /** Without an answer the worker decides by itself, as if the CA were out of reach. */
  function asked(member: Member, { id, question }: Extract<FromWorker, { type: 'judge' }>): void {
    options
      .judgePeer?.(question, ending.signal)
      .then((judgement) => member.tell({ type: 'judged', id, judgement }))
      .catch(() => {})
  }

  function ended({ lastStatus }: Member): void {
    if (lastStatus) addCounts(bygone, lastStatus)
  }

  /** A new worker: before it accepts it has the plan, and the staples before that. */
  async function greet(member: Member): Promise<void> {
    await member.tell({ type: 'welcome', ticketKeys, orphanage })
    while (current && member.version !== current.version) {
      const { parcel, version: wanted } = current
      await prepareIn(member, parcel)
      await member.ask({ act: 'commit' }, patienceFor(parcel))
      member.version = wanted
    }
  }

  async function prepareIn(member: Member, parcel: Parcel): Promise<void> {
    await load(member, parcel)
    member.isLoading = true
    try {
      await member.ask({ act: 'prepare', plan: parcel.plan }, patienceFor(parcel))
    } finally {
      member.isLoading = false
    }
  }

  /** A worker that reads nothing would keep what is written to it waiting for ever. */
  async function load(member: Member, parcel: Parcel): Promise<void> {
    const withinMs = patienceFor(parcel)
    let cancel: (() => void) | undefined
    const late = new Promise<never>((_, reject) => {
      const message = `worker ${member.pid} took nothing for ${withinMs / 1_000} s`
      const error = new StapleError('ERR_WORKER_LOST', message, { pid: member.pid })
      cancel = clock.wake(withinMs, () => reject(error))
    })
    try {
      await Promise.race([supply.load(member, parcel), late])
    } finally {
      cancel?.()
    }
  }

  /** Half of the workers at a time: who loads ten thousand certificates takes no connections for some seconds. */
  async function prepareAll(parcel: Parcel, members: readonly Member[]): Promise<void> {
    const atOnce = current ? Math.max(1, Math.floor(members.length / 2)) : members.length
    for (let from = 0; from < members.length; from += atOnce) {
      const group = members.slice(from, from + atOnce)
      const outcomes = await Promise.allSettled(group.map((member) => prepareIn(member, parcel)))
      const failures = outcomes.flatMap((outcome, index) => {
        const member = group[index] as Member
        if (outcome.status === 'fulfilled' || member.state === 'leaving') return []
        // Node's cluster keeps a bad handle for a worker that could not bind: it must not be asked for it again.
        if (isStapleError(outcome.reason, 'ERR_TERMINATOR_LISTEN')) crew.replace(member, 'could not listen')
        else if (isStapleError(outcome.reason, 'ERR_WORKER_LOST')) member.kill()
        return [outcome.reason]
      })
      if (failures.length > 0) throw failures[0]
    }
  }

  async function prepare(plan: FrontPlan): Promise<PreparedFront> {
    if (draining) throw new Error('the front is draining')
    if (pending) throw new Error('another plan is being prepared')
    const isFirst = current === undefined
    const mine: Plan = { parcel: packPlan(plan, count), addresses: [], version: version + 1, plan }
    pending = mine
    let members: readonly Member[] = []
    try {
      members = await crew.hire()
      if (members.length === 0) throw new StapleError('ERR_WORKER_LOST', 'no worker runs', {})
      // First of all: orphans that serve the addresses are relieved at the last moment.
      for (const member of members) await load(member, mine.parcel)
      mine.addresses = await relieving({ socket, clock, say }, () =>
        tryAddresses(plan.listeners, current?.addresses ?? []),
      )
      const bound = mine.addresses.map((each) => each.bound)
      mine.parcel = { ...mine.parcel, plan: { ...mine.parcel.plan, listeners: bound } }
      await prepareAll(mine.parcel, members)
    } catch (thrown) {
      await abandon(members, isFirst)
      throw thrown
    }
    return { commit: () => commit(mine, members), abort: () => abandon(members, isFirst) }
  }

  async function abandon(members: readonly Member[], isFirst: boolean): Promise<void> {
    pending = undefined
    if (isFirst) {
      await crew.dismiss(0)
      return
    }
    await Promise.allSettled(members.map((member) => member.ask({ act: 'abort' }, patienceMs)))
    forgetUnneeded()
  }

  /** From here on the plan is in force: who cannot take it is replaced by one who does. */
  async function commit(mine: Plan, members: readonly Member[]): Promise<readonly AddressInfo[]> {
    const before = current
    version = mine.version
    current = mine
    pending = undefined
    gathering.keepOnly(mine.parcel.certificateKeys)
    // Orphans at addresses that are no more serve what is no more.
    if (!before && socket) void relieveOrphans(socket, clock)
    const outcomes = await Promise.allSettled(
      members.map(async (member) => {
        // Since the preparation the daemon may have changed who keeps the staples.
        await load(member, mine.parcel)
        const addresses = await member.ask({ act: 'commit' }, patienceFor(mine.parcel))
        member.version = mine.version
        return addresses
      }),
    )
    outcomes.forEach((outcome, index) => {
      const member = members[index] as Member
      if (outcome.status === 'rejected' && member.state === 'serving') member.kill()
    })
    crew.bringAll((member) => member.version !== mine.version)
    if (before) fade(before)
    forgetUnneeded()
    const [first] = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    return first ?? mine.addresses.map(({ bound }) => ({ address: bound.host, port: bound.port, family: '' }))
  }

  /** Handshakes that began with the certificates of before end with them, however many reloads come meanwhile. */
  function fade(plan: Plan): void {
    fading.add(plan)
    const { handshakeTimeoutMs = terminatorDefaults.handshakeTimeoutMs } = plan.plan
    clock.wake(2 * handshakeTimeoutMs + fadeMoreMs, () => {
      fading.delete(plan)
      forgetUnneeded()
    })
  }

  function forgetUnneeded(): void {
    const plans = [...fading, current, pending]
    supply.keepOnly(
      crew.members(),
      plans.flatMap((plan) => (plan ? [plan.parcel] : [])),
    )
  }

  function setTicketKeys(keys: Buffer): void {
    ticketKeys = keys
    for (const member of crew.members()) void member.tell({ type: 'ticket-keys', ticketKeys })
  }

  async function end(): Promise<void> {
    unsubscribe()
    const destroyed = await crew.dismiss((current?.plan.drainTimeoutMs ?? defaultDrainMs) + patienceMs)
    ending.abort()
    if (current) announce({ type: 'drained', at: clock.now(), destroyed })
  }

  return {
    prepare,
    setTicketKeys,
    drain() {
      draining ??= end()
      return draining
    },
    cut() {
      for (const member of crew.members()) {
        void member.tell({ type: 'cut' })
        if (draining) clock.wake(cutMs, () => member.kill())
      }
    },
    async status() {
      const members = crew.members()
      const answered = await Promise.all(
        members.map((member) => member.state !== 'starting' && crew.look(member, statusMs)),
      )
      const statuses = members.flatMap(({ lastStatus }) => (lastStatus ? [lastStatus] : []))
      const workers = members.map(({ pid, state }, index) => ({
        pid,
        state: state === 'starting' ? state : answered[index] && state === 'serving' ? state : ('gone' as const),
      }))
      return { ...sumStatuses(statuses, bygone), isDraining: draining !== undefined, workers }
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

interface Plan {
  readonly plan: FrontPlan
  readonly version: number
  parcel: Parcel
  addresses: readonly BoundAddress[]
}

/** How long a worker may take to load a plan. */
function patienceFor({ certificates }: Parcel): number {
  return patienceMs + certificates.size * perCertificateMs
}

/** How long a worker may take for what takes a moment. */
const patienceMs = 10_000
const perCertificateMs = 10
const statusMs = 2_000
const cutMs = 1_000
const fadeMoreMs = 1_000
const defaultDrainMs = 30_000
