/** The front in this very process: `workers: 1`. */
import type { Clock } from '../../keep/clock.ts'
import type { JudgePeer, StapleSource, Terminator, TerminatorEvent } from '../../serve/terminator/index.ts'
import { createCountsSoFar, sumStatuses } from './counting.ts'
import type { FrontHost, HostStatus } from './host.ts'
import { createIdleTerminator } from './idle-terminator.ts'
import { type ReliefOptions, relieveOrphans, relieving } from './orphan.ts'

/** Creates a host that serves nothing yet. */
export function createInProcessHost(options: {
  readonly staples: StapleSource
  readonly clock: Clock
  /** 48 bytes. */
  readonly ticketKeys: Buffer
  readonly judgePeer?: JudgePeer
  /** Where workers of an earlier run wait, which may have been one with several. */
  readonly orphans?: ReliefOptions
}): FrontHost {
  const listeners = new Set<(event: TerminatorEvent) => void>()
  const { orphans } = options
  let { ticketKeys } = options
  let terminator: Terminator | undefined

  return {
    async prepare(plan) {
      if (terminator !== undefined) {
        const prepared = await terminator.prepare(plan)
        return { commit: async () => prepared.commit(), abort: async () => prepared.abort() }
      }
      const { staples: keeper, clock, judgePeer } = options
      const first = createIdleTerminator(plan, { keeper, clock, ticketKeys, ...(judgePeer && { judgePeer }) })
      const attempt = () => first.prepare(plan)
      const prepared = await (orphans ? relieving(orphans, attempt) : attempt()).catch(async (thrown) => {
        await first.drain()
        throw thrown
      })
      return {
        async commit() {
          terminator = first
          if (orphans?.socket) void relieveOrphans(orphans.socket, orphans.clock)
          first.subscribe((event) => {
            for (const listener of listeners) listener(event)
          })
          return prepared.commit()
        },
        async abort() {
          prepared.abort()
          await first.drain()
        },
      }
    },
    setTicketKeys(keys) {
      ticketKeys = keys
      terminator?.setTicketKeys(keys)
    },
    drain: async () => terminator?.drain(),
    cut: () => terminator?.cut(),
    status: async (): Promise<HostStatus> => ({
      ...(terminator?.status() ?? sumStatuses([], createCountsSoFar())),
      workers: [{ pid: process.pid, state: terminator ? 'serving' : 'starting' }],
    }),
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
