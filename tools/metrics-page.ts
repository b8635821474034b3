/** Writes docs/reference/metrics.md from the table of metrics; test/run/metrics/page.test.ts holds the page equal to it. */
import type { MetricRow } from '../src/run/metrics/index.ts'

/** The page's sections, in order; every metric must fit one. */
const sections: readonly (readonly [heading: string, about: string, names: RegExp])[] = [
  [
    'The daemon',
    'A reload counts whether SIGHUP, a changed file or `staplewright reload` asked for it.',
    /^staplewright_(info|ready|phase|workers|reloads|last_reload)/,
  ],
  [
    'Certificates and staples',
    `\`certificate\` is the certificate's file as the configuration writes it, \`sites\` the sites that show it, each by its first
name. Only certificates that their mode staples are here. Moments are seconds since 1970, so that \`time() - …\` is an age; a series
is absent where there is nothing to tell. With more than 1,000 certificates the others have no series of their own and are
counted in \`staplewright_certificates_unlisted\`; \`staplewright_certificates\` counts all of them.`,
    /^staplewright_(certificate|staple_|staples_|refresh|responses|store|clock)/,
  ],
  [
    'The front',
    'Of all workers together, since the daemon started. Codes and reasons beyond a hundred are `other`.',
    /^staplewright_(front|peer)_/,
  ],
  [
    'The process',
    'The one that keeps the staples; with workers, not theirs. Called as other programs call them.',
    /^(process|nodejs)_/,
  ],
]

/** The whole page, as Markdown. */
export function formatMetricsPage(table: Readonly<Record<string, MetricRow>>): string {
  const left = new Set(Object.keys(table))
  const written = sections.map(([heading, about, names]) => {
    const rows = Object.entries(table).filter(([name]) => names.test(name) && left.delete(name))
    return `## ${heading}\n\n${about}\n\n| metric | type | labels | what it is |\n|---|---|---|---|\n${rows.map(formatRow).join('\n')}\n`
  })
  if (left.size > 0) throw new Error(`tools/metrics-page.ts has no section for ${[...left].join(', ')}`)
  return [head, ...written].join('\n')
}

function formatRow([name, { type, labels, help }]: [string, MetricRow]): string {
  return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`
}

const head = `# Metrics

Made from \`src/run/metrics/table.ts\`; do not edit by hand: \`npm run docs\` writes it.

\`/metrics\` on the [admin port](../guide/admin.md) answers in Prometheus' text format 0.0.4. States are read at the moment
of the scrape. Nothing is sampled in between: a front that nobody scrapes pays nothing.

## Alerts

Four that say what matters. What they are about: a client that insists on a staple will be turned away, or soon; a
certificate is revoked; what you configured is not what runs.

\`\`\`yaml
groups:
  - name: staplewright
    rules:
      # Whoever was to be stapled is not: Must-Staple certificates are refused by strict clients now.
      - alert: StapleMissing
        expr: >
          staplewright_staple_state{state=~"missing|stale|unknown"} == 1
          and on (instance, certificate, sites) staplewright_certificate_required == 1
        for: 5m
        labels: { severity: critical }
      # Replace the certificate.
      - alert: CertificateRevoked
        expr: staplewright_staple_state{state="revoked"} == 1
        labels: { severity: critical }
      # The staple is older than it should ever get, and asking for a newer one keeps failing.
      - alert: StapleOld
        expr: >
          (time() - staplewright_staple_this_update_timestamp_seconds)
          / (staplewright_staple_next_update_timestamp_seconds - staplewright_staple_this_update_timestamp_seconds) > 0.75
          and staplewright_staple_failures > 0
        for: 5m
        labels: { severity: warning }
      # The daemon is not ready, or refused the configuration that it was last given.
      - alert: StaplewrightNotReady
        expr: staplewright_ready == 0 or staplewright_last_reload_successful == 0
        for: 5m
        labels: { severity: warning }
\`\`\`
`
