/** The report as metrics, in the text format that Prometheus' textfile collector reads. */
import { writeSamples } from '../metrics/write.ts'
import { titleOf } from './certificate.ts'
import { type CheckMetricName, checkMetrics } from './metrics-table.ts'
import type { CertificateReport, CheckReport, TargetReport, Verdict } from './shape.ts'

interface CheckSample {
  readonly name: CheckMetricName
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Formats the whole report. */
export async function formatMetrics(report: CheckReport): Promise<string> {
  return await writeSamples(report.targets.flatMap(sampleTarget), checkMetrics)
}

function sampleTarget(target: TargetReport): CheckSample[] {
  const labels = { target: target.target }
  const done = target.connections.filter(({ certificateKey }) => certificateKey !== undefined).length
  const counts = new Map<string, { labels: Record<string, string>; value: number }>()
  for (const { code, severity } of target.findings) {
    const count = counts.get(`${code} ${severity}`)
    if (count) count.value += 1
    else counts.set(`${code} ${severity}`, { labels: { ...labels, code, severity }, value: 1 })
  }
  const names = nameCertificates(target.certificates)
  return [
    { name: 'staplewright_check_severity', labels, value: codes[target.verdict] },
    { name: 'staplewright_check_timestamp_seconds', labels, value: seconds(target.at) },
    { name: 'staplewright_check_duration_seconds', labels, value: Math.round(target.elapsedMs * 1_000) / 1e6 },
    { name: 'staplewright_check_connections', labels: { ...labels, outcome: 'done' }, value: done },
    {
      name: 'staplewright_check_connections',
      labels: { ...labels, outcome: 'failed' },
      value: target.connections.length - done,
    },
    ...[...counts.values()].map((each) => ({ name: 'staplewright_check_findings', ...each }) as const),
    ...target.certificates.flatMap((each, index) =>
      sampleCertificate(each, target.at, { ...labels, certificate: names[index] ?? '', key: each.key }),
    ),
  ]
}

function sampleCertificate(
  { notAfter, isTrusted, stapled, connections, staples }: CertificateReport,
  at: Date,
  labels: CheckSample['labels'],
): CheckSample[] {
  const sample = (name: CheckMetricName, value: number): CheckSample => ({ name, labels, value })
  const begins = staples.flatMap(({ thisUpdate }) => thisUpdate ?? []).map(seconds)
  const ends = staples.flatMap((each) => each.nextUpdate ?? each.effectiveNextUpdate ?? []).map(seconds)
  return [
    sample('staplewright_check_certificate_not_after_timestamp_seconds', seconds(notAfter)),
    sample('staplewright_check_certificate_trusted', isTrusted ? 1 : 0),
    sample('staplewright_check_staple_present_ratio', connections === 0 ? 0 : stapled / connections),
    ...(staples.length === 0
      ? []
      : [sample('staplewright_check_staple_accepted', staples.every(({ isAccepted }) => isAccepted) ? 1 : 0)]),
    ...(begins.length === 0
      ? []
      : [sample('staplewright_check_staple_this_update_timestamp_seconds', Math.min(...begins))]),
    ...(ends.length === 0
      ? []
      : [
          sample('staplewright_check_staple_next_update_timestamp_seconds', Math.min(...ends)),
          sample(
            'staplewright_check_staple_remaining_seconds',
            Math.round((Math.min(...ends) - seconds(at)) * 1_000) / 1_000,
          ),
        ]),
  ]
}

/** By what they are for; two of one name and kind of key are told apart by their serial numbers. */
function nameCertificates(certificates: readonly CertificateReport[]): string[] {
  const titles = certificates.map((each) => `${titleOf(each)} ${each.key}`)
  return certificates.map((each, index) => {
    const isShared = titles.filter((title) => title === titles[index]).length > 1
    return isShared ? `${titleOf(each)} ${each.serialNumber}` : titleOf(each)
  })
}

function seconds(at: Date): number {
  return at.getTime() / 1_000
}

const codes: Readonly<Record<Verdict, number>> = { ok: 0, warning: 1, critical: 2, unknown: 3 }
