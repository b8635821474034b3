/** What several workers counted, as one front's: sums that never fall, also when a worker is gone or does not answer. */
import type { TerminatorStatus } from '../../serve/terminator/index.ts'

/** What only ever grows. */
const counts = [
  'accepted',
  'refusedConnections',
  'secured',
  'failedHandshakes',
  'refusedHandshakes',
  'stapled',
  'unstapled',
  'failedBackends',
  'acceptedPeers',
  'warnedPeers',
  'refusedPeers',
  'closedPeers',
] as const

export type CountsSoFar = Record<(typeof counts)[number], number>

/** Counts of workers that are no more. */
export function createCountsSoFar(): CountsSoFar {
  return Object.fromEntries(counts.map((name) => [name, 0])) as CountsSoFar
}

/** Adds what a worker had counted when it last said. */
export function addCounts(sum: CountsSoFar, status: TerminatorStatus): void {
  for (const name of counts) sum[name] += status[name]
}

/** The status of all. What they say of certificates and addresses is the same for each, the first speaks. */
export function sumStatuses(statuses: readonly TerminatorStatus[], bygone: CountsSoFar): TerminatorStatus {
  const sum = { ...bygone }
  for (const status of statuses) addCounts(sum, status)
  const total = (name: 'connections' | 'handshakes') => statuses.reduce((so, status) => so + status[name], 0)
  const [first] = statuses
  return {
    ...sum,
    isDraining: statuses.some(({ isDraining }) => isDraining),
    addresses: first?.addresses ?? [],
    connections: total('connections'),
    handshakes: total('handshakes'),
    certificates: first?.certificates ?? [],
  }
}
