/**
 * What a worker does: it serves the plan it is sent with the staples it is sent, and tells what happens.
 *
 * No process and no channel here: worker-main.ts has those. It fetches nothing, stores nothing and decides nothing but
 * what every handshake decides.
 */
import type { Clock } from '../../keep/clock.ts'
import type { PreparedPlan, Terminator, TerminatorCertificate } from '../../serve/terminator/index.ts'
import { createIdleTerminator } from './idle-terminator.ts'
import type { Answers, FromWorker, Orphanage, Request, ToWorker } from './messages.ts'
import { createOutbox } from './outbox.ts'
import { unpackPlan } from './parcel.ts'
import { createPeerLine } from './peer-line.ts'
import { flattenError, flattenEvent } from './plain.ts'
import { createReplica } from './replica.ts'

export interface Worker {
  receive(message: ToWorker): void
  /** Accepts nothing more from this moment on; resolves when the last connection is gone. */
  drain(): Promise<void>
  cut(): void
  /** Gives up what was prepared and not committed. */
  abort(): void
  /** The primary is gone: nobody can be asked any more. */
  orphaned(): void
  /** Its doors are open. */
  readonly isServing: boolean
  readonly isDraining: boolean
  /** Undefined until the primary has said. */
  readonly orphanage: Orphanage | undefined
}

export interface WorkerOptions {
  readonly clock: Clock
  /** Tells the primary, where there is one. */
  send(message: FromWorker): void
  /** The primary has no more use for it: it has drained, and its answer is sent. */
  finished(): void
}

/** Creates a worker that waits for its first plan. */
export function createWorker({ clock, send, finished }: WorkerOptions): Worker {
  const replica = createReplica(clock)
  const certificates = new Map<string, TerminatorCertificate>()
  const peers = createPeerLine({ clock, send })
  const outbox = createOutbox({
    clock,
    send(events) {
      const sent = events.map(({ event, times }) => ({ event: flattenEvent(event), times }))
      send({ type: 'events', events: sent })
    },
  })
  let ticketKeys: Buffer | undefined
  let orphanage: Orphanage | undefined
  let terminator: Terminator | undefined
  let prepared: PreparedPlan | undefined
  let destroyed = 0
  let phase: 'waiting' | 'serving' | 'draining' = 'waiting'

  async function answer(request: Request): Promise<Answers[keyof Answers]> {
    switch (request.act) {
      case 'prepare':
        if (phase === 'draining') throw new Error('it is draining')
        abort()
        prepared = await prepare(unpackPlan(request.plan, certificates))
        return
      case 'commit': {
        if (prepared === undefined) throw new Error('nothing is prepared')
        const addresses = prepared.commit()
        prepared = undefined
        if (phase === 'waiting') phase = 'serving'
        return addresses
      }
      case 'abort':
        return abort()
      case 'status':
        if (terminator === undefined) throw new Error('nothing is served')
        return terminator.status()
      case 'drain':
        await drain()
        return { destroyed, status: terminator?.status() }
    }
  }

  function prepare(plan: Parameters<typeof createIdleTerminator>[0]): Promise<PreparedPlan> {
    terminator ??= begin(plan)
    return terminator.prepare(plan)
  }

  function begin(plan: Parameters<typeof createIdleTerminator>[0]): Terminator {
    const begun = createIdleTerminator(plan, {
      keeper: replica,
      clock,
      judgePeer: peers.judge,
      ...(ticketKeys && { ticketKeys }),
    })
    begun.subscribe((event) => {
      if (event.type === 'drained') destroyed = event.destroyed
      outbox.put(event)
    })
    return begun
  }

  function abort(): undefined {
    prepared?.abort()
    prepared = undefined
  }

  async function drain(): Promise<void> {
    phase = 'draining'
    abort()
    await terminator?.drain()
  }

  function forget(names: readonly string[]): void {
    for (const name of names) certificates.delete(name)
  }

  return {
    receive(message) {
      switch (message.type) {
        case 'welcome':
          ticketKeys = message.ticketKeys
          orphanage = message.orphanage
          return
        case 'ticket-keys':
          ticketKeys = message.ticketKeys
          return terminator?.setTicketKeys(message.ticketKeys)
        case 'certificates':
          for (const { name, certificate } of message.certificates) certificates.set(name, certificate)
          return
        case 'staples':
          return replica.put(message.staples)
        case 'forget':
          forget(message.certificates)
          return replica.forget(message.certificateKeys)
        case 'ask': {
          const { id, request } = message
          answer(request)
            .then(
              (given) => send({ type: 'answer', id, answer: given }),
              (thrown) => send({ type: 'refused', id, error: flattenError(thrown) }),
            )
            .then(() => {
              if (request.act === 'drain') finished()
            })
          return
        }
        case 'judged':
          return peers.judged(message.id, message.judgement)
        case 'took':
          return outbox.took()
        case 'cut':
          return terminator?.cut()
      }
    },
    drain,
    cut: () => terminator?.cut(),
    abort,
    orphaned: peers.orphaned,
    get isServing() {
      return phase === 'serving'
    },
    get isDraining() {
      return phase === 'draining'
    },
    get orphanage() {
      return orphanage
    },
  }
}
