/**
 * Every metric of `check --prometheus`, one row each, as src/run/metrics/table.ts has those of the daemon.
 * docs/reference/check.md is made from these rows, too.
 */
import type { MetricRow } from '../metrics/index.ts'

const rows = {
  staplewright_check_severity: {
    type: 'gauge',
    help: 'the verdict as an exit code: 0 ok, 1 warning, 2 critical, 3 could not be learned',
    labels: ['target'],
  },
  staplewright_check_timestamp_seconds: { type: 'gauge', help: 'when the target was looked at', labels: ['target'] },
  staplewright_check_duration_seconds: { type: 'gauge', help: 'how long it took', labels: ['target'] },
  staplewright_check_connections: {
    type: 'gauge',
    help: 'connections made, by outcome: done (TLS came about) or failed',
    labels: ['target', 'outcome'],
  },
  staplewright_check_findings: {
    type: 'gauge',
    help: 'findings, by their code and severity',
    labels: ['target', 'code', 'severity'],
  },
  staplewright_check_certificate_not_after_timestamp_seconds: {
    type: 'gauge',
    help: 'when the certificate expires',
    labels: ['target', 'certificate', 'key'],
  },
  staplewright_check_certificate_trusted: {
    type: 'gauge',
    help: '1 when its chain and name are trusted, else 0',
    labels: ['target', 'certificate', 'key'],
  },
  staplewright_check_staple_present_ratio: {
    type: 'gauge',
    help: 'the part of the connections with this certificate that brought a staple, from 0 to 1',
    labels: ['target', 'certificate', 'key'],
  },
  staplewright_check_staple_accepted: {
    type: 'gauge',
    help: '1 when every staple that came passes every rule, else 0; absent when none came',
    labels: ['target', 'certificate', 'key'],
  },
  staplewright_check_staple_this_update_timestamp_seconds: {
    type: 'gauge',
    help: 'thisUpdate of the oldest staple that came',
    labels: ['target', 'certificate', 'key'],
  },
  staplewright_check_staple_next_update_timestamp_seconds: {
    type: 'gauge',
    help: 'nextUpdate of the staple that ends first, or what stands for it where there is none',
    labels: ['target', 'certificate', 'key'],
  },
  staplewright_check_staple_remaining_seconds: {
    type: 'gauge',
    help: 'how long that staple still held when it was looked at; negative when it was stale',
    labels: ['target', 'certificate', 'key'],
  },
} as const

export type CheckMetricName = keyof typeof rows

/** The rows, by name. */
export const checkMetrics: Readonly<Record<CheckMetricName, MetricRow>> = rows
