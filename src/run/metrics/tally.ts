/**
 * Counts events as they come, in plain numbers: what happened between two scrapes and is no state of anything.
 *
 * Certificates' counts go with the certificates; codes and reasons are few, but strangers cause some of them, so there is
 * a most.
 */
import { isStapleError, type StapleError } from '../../errors.ts'
import type { KeeperEvent } from '../../keep/keeper/index.ts'
import type { TerminatorEvent } from '../../serve/terminator/index.ts'

/** What is counted; the last one is the daemon's own. */
export type CountedEvent = KeeperEvent | TerminatorEvent | { readonly type: 'reloaded'; readonly isDone: boolean }

export interface Tally {
  record(event: CountedEvent): void
  /** Forgets the counts of certificates that are not among these. */
  retain(kept: readonly { readonly certificateKey: string }[]): void
  /** By certificateKey. */
  readonly refreshes: Map<string, number>
  /** By certificateKey. */
  readonly refreshFailures: Map<string, number>
  /** By code of {@link StapleError}. */
  readonly failureCauses: Map<string, number>
  readonly refusedResponses: Map<string, number>
  /** By `save`, `load`, `refused`. */
  readonly storeFailures: Map<string, number>
  /** By OpenSSL's or Node's code. */
  readonly handshakeFailures: Map<string, number>
  readonly refusals: Map<string, number>
  /** What became of clients that were not simply let in, by the reason. */
  readonly peerReasons: Readonly<Record<'warned' | 'refused' | 'closed', Map<string, number>>>
  /** By `done` and `refused`. */
  readonly reloads: Map<string, number>
  readonly withdrawn: number
  readonly clockJumps: number
}

/** Creates one with nothing counted; what a chart needs from the first scrape on stands at 0. */
export function createTally(): Tally {
  const refreshes = new Map<string, number>()
  const refreshFailures = new Map<string, number>()
  const failureCauses = new Map<string, number>()
  const refusedResponses = new Map<string, number>()
  const storeFailures = new Map(['save', 'load', 'refused'].map((what) => [what, 0]))
  const handshakeFailures = new Map<string, number>()
  const refusals = new Map<string, number>()
  const peerReasons = { warned: new Map(), refused: new Map(), closed: new Map() }
  const reloads = new Map(['done', 'refused'].map((outcome) => [outcome, 0]))
  let withdrawn = 0
  let clockJumps = 0

  function record(event: CountedEvent): void {
    switch (event.type) {
      case 'refreshed':
        return increase(refreshes, event.certificateKey)
      case 'refresh-failed':
        increase(refreshFailures, event.certificateKey)
        for (const code of causesOf(event.error)) increase(failureCauses, code)
        return
      case 'refused':
        return increase(refusedResponses, event.error.code)
      case 'stale':
        withdrawn += 1
        return
      case 'save-failed':
        return increase(storeFailures, 'save')
      case 'load-failed':
        return increase(storeFailures, 'load')
      case 'store-refused':
        return increase(storeFailures, 'refused')
      case 'clock-jumped':
        clockJumps += 1
        return
      case 'handshake-failed':
        return increaseSome(handshakeFailures, event.code)
      case 'connection-refused':
      case 'handshake-refused':
        return increaseSome(refusals, event.reason)
      case 'peer-warned':
        return increase(peerReasons.warned, event.reason)
      case 'peer-refused':
        return increase(peerReasons.refused, event.reason)
      case 'peers-closed':
        return increase(peerReasons.closed, event.reason, event.connections)
      case 'reloaded':
        return increase(reloads, event.isDone ? 'done' : 'refused')
    }
  }

  return {
    record,
    retain(kept) {
      const keys = new Set(kept.map(({ certificateKey }) => certificateKey))
      for (const counts of [refreshes, refreshFailures]) {
        for (const key of counts.keys()) if (!keys.has(key)) counts.delete(key)
      }
    },
    refreshes,
    refreshFailures,
    failureCauses,
    refusedResponses,
    storeFailures,
    handshakeFailures,
    refusals,
    peerReasons,
    reloads,
    get withdrawn() {
      return withdrawn
    },
    get clockJumps() {
      return clockJumps
    },
  }
}

function increase(counts: Map<string, number>, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by)
}

/** Each of a stranger's codes would be a series that never ends: beyond the most, they are `other`. */
function increaseSome(counts: Map<string, number>, name: string): void {
  increase(counts, counts.has(name) || counts.size < mostNames ? name : 'other')
}

const mostNames = 100

/** A whole attempt's own code says only that all failed: what is behind it does, each once. */
function causesOf(error: StapleError): ReadonlySet<string> {
  const isWhole = isStapleError(error, 'ERR_FETCH_FAILED') || isStapleError(error, 'ERR_FETCH_NO_ISSUER')
  if (!isWhole || error.detail.causes.length === 0) return new Set([error.code])
  return new Set(error.detail.causes.flatMap((cause) => [...causesOf(cause)]))
}
