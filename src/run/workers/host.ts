/**
 * Where a front runs: in this process, or in workers of it. The daemon does not know which.
 *
 * A front is prepared beside the one that serves and swapped in at once, everywhere or nowhere; the first one too.
 */
import type { AddressInfo } from 'node:net'
import type { FrontPlan, TerminatorEvent, TerminatorStatus } from '../../serve/terminator/index.ts'

export interface FrontHost {
  /**
   * Builds what the plan says beside what serves, new listeners among it. What serves is not touched.
   *
   * @throws {@link StapleError} `ERR_TERMINATOR_LISTEN` when an address cannot be had; TypeError for a plan that cannot
   * work. Nothing is left of it then.
   */
  prepare(plan: FrontPlan): Promise<PreparedFront>
  /** From now on only sessions sealed with these 48 bytes are resumed. */
  setTicketKeys(keys: Buffer): void
  /** Accepts nothing more, lets connections end for the plan's time, then cuts them. */
  drain(): Promise<void>
  /** Cuts every connection that is open. */
  cut(): void
  status(): Promise<HostStatus>
  subscribe(listener: (event: TerminatorEvent) => void): () => void
}

export interface PreparedFront {
  /** Connections accepted from now on get the new front. @returns where it listens, in the order of the plan */
  commit(): Promise<readonly AddressInfo[]>
  /** Closes what was opened for it. */
  abort(): Promise<void>
}

/** The sum over all processes, and which they are. */
export interface HostStatus extends TerminatorStatus {
  readonly workers: readonly { readonly pid: number; readonly state: 'serving' | 'starting' | 'gone' }[]
}
