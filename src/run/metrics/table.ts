/**
 * Every metric, one row each: its name, what it is, what its labels are. The registry is made from these rows and so is
 * docs/reference/metrics.md, so that neither can have what the other lacks.
 *
 * Names are `staplewright_` and the thing, in base units; those of the process are called as Prometheus' own clients do.
 */

const rows = {
  staplewright_info: { type: 'gauge', help: 'always 1; the version that runs', labels: ['version'] },
  staplewright_ready: { type: 'gauge', help: '1 when /readyz says so, else 0', labels: [] },
  staplewright_phase: {
    type: 'gauge',
    help: '1 for the phase it is in: closed (the doors wait for staples), open, draining',
    labels: ['phase'],
  },
  staplewright_workers: { type: 'gauge', help: 'processes that serve: serving, starting, gone', labels: ['state'] },
  staplewright_reloads_total: { type: 'counter', help: 'reloads, done and refused', labels: ['outcome'] },
  staplewright_last_reload_successful: { type: 'gauge', help: '1 when the last reload was done, else 0', labels: [] },
  staplewright_last_reload_timestamp_seconds: { type: 'gauge', help: 'when the last reload ended', labels: [] },

  staplewright_certificates: {
    type: 'gauge',
    help: 'certificates kept stapled, by the state of their staples',
    labels: ['state'],
  },
  staplewright_certificates_unlisted: {
    type: 'gauge',
    help: 'certificates without series of their own, because there are too many',
    labels: [],
  },
  staplewright_certificate_required: {
    type: 'gauge',
    help: '1 when the certificate must not be shown without a staple, else 0',
    labels: ['certificate', 'sites'],
  },
  staplewright_certificate_waiting: {
    type: 'gauge',
    help: '1 while a new certificate waits for its staple and the old one is shown, else 0',
    labels: ['certificate', 'sites'],
  },
  staplewright_certificate_not_after_timestamp_seconds: {
    type: 'gauge',
    help: 'when the certificate itself expires',
    labels: ['certificate', 'sites'],
  },
  staplewright_staple_state: {
    type: 'gauge',
    help: '1 for the state it is in, 0 for the others: missing, fresh, due, stale, revoked, unknown, unsupported',
    labels: ['certificate', 'sites', 'state'],
  },
  staplewright_staple_this_update_timestamp_seconds: {
    type: 'gauge',
    help: 'thisUpdate of the staple held: when the CA knew the certificate to be so',
    labels: ['certificate', 'sites'],
  },
  staplewright_staple_next_update_timestamp_seconds: {
    type: 'gauge',
    help: 'nextUpdate of the staple held, or what stands for it where the responder sends none',
    labels: ['certificate', 'sites'],
  },
  staplewright_staple_withdraw_timestamp_seconds: {
    type: 'gauge',
    help: 'when the staple held is no longer served: nextUpdate less the margin',
    labels: ['certificate', 'sites'],
  },
  staplewright_staple_refresh_timestamp_seconds: {
    type: 'gauge',
    help: 'when the responder is asked next; absent while it is being asked',
    labels: ['certificate', 'sites'],
  },
  staplewright_staple_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'when the responder last gave an answer that passed every rule',
    labels: ['certificate', 'sites'],
  },
  staplewright_staple_failures: {
    type: 'gauge',
    help: 'attempts that failed in a row; 0 after a success',
    labels: ['certificate', 'sites'],
  },
  staplewright_staple_unsaved: {
    type: 'gauge',
    help: '1 while the store has not taken the staple held, else 0',
    labels: ['certificate', 'sites'],
  },
  staplewright_refreshes_total: {
    type: 'counter',
    help: 'answers that became, or confirmed, the staple held',
    labels: ['certificate', 'sites'],
  },
  staplewright_refresh_failures_total: {
    type: 'counter',
    help: 'whole attempts that failed: every responder, every method',
    labels: ['certificate', 'sites'],
  },
  staplewright_refresh_failure_causes_total: {
    type: 'counter',
    help: 'failed attempts by the codes of their causes; one attempt can have several',
    labels: ['code'],
  },
  staplewright_responses_refused_total: {
    type: 'counter',
    help: 'verified answers that were not taken: worse than what is held, too large, or against a policy',
    labels: ['code'],
  },
  staplewright_staples_withdrawn_total: {
    type: 'counter',
    help: 'staples withdrawn because they went stale',
    labels: [],
  },
  staplewright_store_failures_total: {
    type: 'counter',
    help: 'times the store began to fail (save, load), and staples in it that were refused (refused)',
    labels: ['what'],
  },
  staplewright_clock_jumps_total: { type: 'counter', help: 'steps of the wall clock over 30 s', labels: [] },

  staplewright_front_connections: { type: 'gauge', help: 'connections open now', labels: [] },
  staplewright_front_handshakes: { type: 'gauge', help: 'handshakes under way now', labels: [] },
  staplewright_front_connections_total: {
    type: 'counter',
    help: 'connections: accepted, or refused (closed unread, a limit being reached)',
    labels: ['outcome'],
  },
  staplewright_front_handshakes_total: {
    type: 'counter',
    help: 'handshakes ended: secured, failed, refused (by a policy)',
    labels: ['outcome'],
  },
  staplewright_front_handshakes_stapled_total: {
    type: 'counter',
    help: 'clients that asked for a staple and were given one',
    labels: [],
  },
  staplewright_front_handshakes_unstapled_total: {
    type: 'counter',
    help: 'clients that asked for a staple on a certificate that is kept stapled and were given none',
    labels: [],
  },
  staplewright_front_handshake_failures_total: {
    type: 'counter',
    help: "failed handshakes by OpenSSL's or Node's code",
    labels: ['code'],
  },
  staplewright_front_refusals_total: {
    type: 'counter',
    help: 'connections and handshakes refused, by the reason',
    labels: ['reason'],
  },
  staplewright_front_backend_failures_total: {
    type: 'counter',
    help: 'clients that were closed because no backend could be reached',
    labels: [],
  },
  staplewright_front_peers_total: {
    type: 'counter',
    help: 'clients judged by ocsp_peer: accepted, warned (let in by a switch), refused; closed: open connections that were cut',
    labels: ['outcome'],
  },
  staplewright_front_peer_reasons_total: {
    type: 'counter',
    help: 'clients that ocsp_peer did not simply let in (warned, refused, closed), by the reason',
    labels: ['outcome', 'reason'],
  },
  staplewright_peer_cache_questions_total: {
    type: 'counter',
    help: 'questions of ocsp_peer about one certificate: answered from what is held (hit), or put to its CA (miss)',
    labels: ['outcome'],
  },
  staplewright_peer_cache_answers: {
    type: 'gauge',
    help: 'answers of CAs about clients that are held, by what they say: good, revoked, unknown',
    labels: ['status'],
  },

  process_cpu_user_seconds_total: { type: 'counter', help: 'CPU time in user mode', labels: [] },
  process_cpu_system_seconds_total: { type: 'counter', help: 'CPU time in system mode', labels: [] },
  process_resident_memory_bytes: { type: 'gauge', help: 'resident memory', labels: [] },
  process_start_time_seconds: { type: 'gauge', help: 'when the daemon started', labels: [] },
  process_open_fds: { type: 'gauge', help: 'open file descriptors; absent where /proc does not tell', labels: [] },
  nodejs_heap_size_total_bytes: { type: 'gauge', help: 'heap taken from the system', labels: [] },
  nodejs_heap_size_used_bytes: { type: 'gauge', help: 'heap in use', labels: [] },
  nodejs_external_memory_bytes: { type: 'gauge', help: 'memory outside the heap, buffers among it', labels: [] },
  nodejs_version_info: { type: 'gauge', help: 'always 1; the version of Node.js', labels: ['version'] },
} as const

/** What is told of one metric. */
export interface MetricRow {
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly labels: readonly string[]
}

export type MetricName = keyof typeof rows

/** The rows, by name. */
export const metricTable: Readonly<Record<MetricName, MetricRow>> = rows

/** One value at one moment. */
export interface Sample {
  readonly name: MetricName
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}
