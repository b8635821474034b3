/** What is known of the daemon as samples: pure, so that what a scrape says is told apart from how it is written. */
import type { Measured, MeasuredStaple } from './measured.ts'
import type { MetricName, Sample } from './table.ts'
import type { Tally } from './tally.ts'

/** What the process says of itself. */
export interface ProcessUsage {
  readonly cpuUserSeconds: number
  readonly cpuSystemSeconds: number
  readonly residentBytes: number
  readonly heapTotalBytes: number
  readonly heapUsedBytes: number
  readonly externalBytes: number
  readonly openFiles: number | undefined
  readonly nodeVersion: string
}

/** More certificates than this have no series of their own: each is some twenty, and a scrape is made while the front serves. */
export const mostListed = 1_000

const states = ['missing', 'fresh', 'due', 'stale', 'revoked', 'unknown', 'unsupported'] as const
const phases = ['closed', 'open', 'draining'] as const
const workerStates = ['serving', 'starting', 'gone'] as const

/** Takes every sample of one scrape. */
export function takeSamples(measured: Measured, tally: Tally, usage: ProcessUsage): Sample[] {
  return [
    ...sampleDaemon(measured, tally),
    ...sampleStaples(measured.staples, tally),
    ...sampleKeeping(tally),
    ...sampleFront(measured.front, tally),
    ...samplePeerCache(measured),
    ...sampleProcess(measured, usage),
  ]
}

function sampleDaemon({ version, phase, causes, workers, lastReload }: Measured, tally: Tally): Sample[] {
  return [
    sample('staplewright_info', 1, { version }),
    sample('staplewright_ready', flag(phase === 'open' && causes.length === 0)),
    ...phases.map((each) => sample('staplewright_phase', flag(each === phase), { phase: each })),
    ...workerStates.map((state) =>
      sample('staplewright_workers', workers.filter((each) => each.state === state).length, { state }),
    ),
    ...counted('staplewright_reloads_total', 'outcome', tally.reloads),
    ...(lastReload === undefined
      ? []
      : [
          sample('staplewright_last_reload_successful', flag(lastReload.isDone)),
          sample('staplewright_last_reload_timestamp_seconds', seconds(lastReload.at)),
        ]),
  ]
}

function sampleStaples(staples: readonly MeasuredStaple[], tally: Tally): Sample[] {
  // A certificate behind the gate has the label of the one it follows: only the one that is shown has series of its own.
  const shown = staples.filter((staple) => staple.waiting === undefined)
  const waiting = new Set(staples.filter((staple) => staple.waiting !== undefined).map(({ label }) => label))
  const listed = shown.slice(0, mostListed)
  const counts = new Map<string, number>()
  for (const { stapleState } of shown) counts.set(stapleState, (counts.get(stapleState) ?? 0) + 1)
  return [
    ...states.map((state) => sample('staplewright_certificates', counts.get(state) ?? 0, { state })),
    sample('staplewright_certificates_unlisted', shown.length - listed.length),
    ...listed.flatMap((staple) => sampleStaple(staple, waiting.has(staple.label), tally)),
  ]
}

function sampleStaple(staple: MeasuredStaple, isWaiting: boolean, tally: Tally): Sample[] {
  const labels = { certificate: staple.label, sites: staple.sites.join(',') }
  const moment = (name: MetricName, at: Date | undefined) =>
    at === undefined ? [] : [sample(name, seconds(at), labels)]
  return [
    sample('staplewright_certificate_required', flag(staple.isRequired), labels),
    sample('staplewright_certificate_waiting', flag(isWaiting), labels),
    sample('staplewright_certificate_not_after_timestamp_seconds', seconds(staple.notAfter), labels),
    ...states.map((state) =>
      sample('staplewright_staple_state', flag(staple.stapleState === state), { ...labels, state }),
    ),
    ...moment('staplewright_staple_this_update_timestamp_seconds', staple.thisUpdate),
    ...moment('staplewright_staple_next_update_timestamp_seconds', staple.effectiveNextUpdate),
    ...moment('staplewright_staple_withdraw_timestamp_seconds', staple.withdrawAt),
    ...moment('staplewright_staple_refresh_timestamp_seconds', staple.refreshAt),
    ...moment('staplewright_staple_last_success_timestamp_seconds', staple.lastFetch),
    sample('staplewright_staple_failures', staple.failures, labels),
    sample('staplewright_staple_unsaved', flag(staple.isUnsaved), labels),
    sample('staplewright_refreshes_total', tally.refreshes.get(staple.certificateKey) ?? 0, labels),
    sample('staplewright_refresh_failures_total', tally.refreshFailures.get(staple.certificateKey) ?? 0, labels),
  ]
}

function sampleKeeping(tally: Tally): Sample[] {
  return [
    ...counted('staplewright_refresh_failure_causes_total', 'code', tally.failureCauses),
    ...counted('staplewright_responses_refused_total', 'code', tally.refusedResponses),
    sample('staplewright_staples_withdrawn_total', tally.withdrawn),
    ...counted('staplewright_store_failures_total', 'what', tally.storeFailures),
    sample('staplewright_clock_jumps_total', tally.clockJumps),
  ]
}

function sampleFront(front: Measured['front'], tally: Tally): Sample[] {
  return [
    sample('staplewright_front_connections', front.connections),
    sample('staplewright_front_handshakes', front.handshakes),
    sample('staplewright_front_connections_total', front.accepted, { outcome: 'accepted' }),
    sample('staplewright_front_connections_total', front.refusedConnections, { outcome: 'refused' }),
    sample('staplewright_front_handshakes_total', front.secured, { outcome: 'secured' }),
    sample('staplewright_front_handshakes_total', front.failedHandshakes, { outcome: 'failed' }),
    sample('staplewright_front_handshakes_total', front.refusedHandshakes, { outcome: 'refused' }),
    sample('staplewright_front_handshakes_stapled_total', front.stapled),
    sample('staplewright_front_handshakes_unstapled_total', front.unstapled),
    ...counted('staplewright_front_handshake_failures_total', 'code', tally.handshakeFailures),
    ...counted('staplewright_front_refusals_total', 'reason', tally.refusals),
    sample('staplewright_front_backend_failures_total', front.failedBackends),
    sample('staplewright_front_peers_total', front.acceptedPeers - front.warnedPeers, { outcome: 'accepted' }),
    sample('staplewright_front_peers_total', front.warnedPeers, { outcome: 'warned' }),
    sample('staplewright_front_peers_total', front.refusedPeers, { outcome: 'refused' }),
    sample('staplewright_front_peers_total', front.closedPeers, { outcome: 'closed' }),
    ...(['warned', 'refused', 'closed'] as const).flatMap((outcome) =>
      [...tally.peerReasons[outcome]].map(([reason, count]) =>
        sample('staplewright_front_peer_reasons_total', count, { outcome, reason }),
      ),
    ),
  ]
}

function samplePeerCache({ peerCache }: Measured): Sample[] {
  if (peerCache === undefined) return []
  return [
    sample('staplewright_peer_cache_questions_total', peerCache.hits, { outcome: 'hit' }),
    sample('staplewright_peer_cache_questions_total', peerCache.misses, { outcome: 'miss' }),
    ...(['good', 'revoked', 'unknown'] as const).map((status) =>
      sample('staplewright_peer_cache_answers', peerCache[status], { status }),
    ),
  ]
}

function sampleProcess({ startedAt }: Measured, usage: ProcessUsage): Sample[] {
  return [
    sample('process_cpu_user_seconds_total', usage.cpuUserSeconds),
    sample('process_cpu_system_seconds_total', usage.cpuSystemSeconds),
    sample('process_resident_memory_bytes', usage.residentBytes),
    sample('process_start_time_seconds', seconds(startedAt)),
    ...(usage.openFiles === undefined ? [] : [sample('process_open_fds', usage.openFiles)]),
    sample('nodejs_heap_size_total_bytes', usage.heapTotalBytes),
    sample('nodejs_heap_size_used_bytes', usage.heapUsedBytes),
    sample('nodejs_external_memory_bytes', usage.externalBytes),
    sample('nodejs_version_info', 1, { version: usage.nodeVersion }),
  ]
}

function sample(name: MetricName, value: number, labels: Sample['labels'] = {}): Sample {
  return { name, value, labels }
}

function counted(name: MetricName, label: string, counts: ReadonlyMap<string, number>): Sample[] {
  return [...counts].map(([each, count]) => sample(name, count, { [label]: each }))
}

function flag(is: boolean): number {
  return is ? 1 : 0
}

function seconds(at: Date): number {
  return at.getTime() / 1_000
}
