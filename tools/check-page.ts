/** Writes docs/reference/check.md from the tables of fields and metrics; test/run/report/reference.test.ts holds the page equal to them. */

export interface CheckTables {
  readonly fields: {
    readonly [Table in
      | 'reportFields'
      | 'targetFields'
      | 'connectionFields'
      | 'certificateFields'
      | 'stapleFields'
      | 'answerFields'
      | 'findingFields'
      | 'errorFields']: Readonly<Record<string, string>>
  }
  readonly metrics: Readonly<Record<string, { readonly help: string; readonly labels: readonly string[] }>>
}

/** The whole page, as Markdown. */
export function formatCheckPage({ fields, metrics }: CheckTables): string {
  return [
    head,
    `## The report\n\n${formatTable(fields.reportFields)}`,
    `### A target\n\nEach of \`targets\`:\n\n${formatTable(fields.targetFields)}`,
    `### A connection\n\nEach of \`connections\`; never more than were asked for:\n\n${formatTable(fields.connectionFields)}`,
    `### A certificate\n\nEach of \`certificates\`:\n\n${formatTable(fields.certificateFields)}`,
    `### A staple\n\nEach of \`staples\`:\n\n${formatTable(fields.stapleFields)}`,
    `### What the CA says\n\nThe objects \`ocsp\` and \`crl\` of \`live\`:\n\n${formatTable(fields.answerFields)}`,
    `### A finding\n\nEach of \`findings\`; [findings](findings.md) has all codes. Two are of the command itself: \`not-from-here\` (a listener
of a configuration that cannot be reached from this machine) and \`defect\` (of Staplewright).\n\n${formatTable(fields.findingFields)}`,
    `### An error\n\nWherever a field is called \`error\`:\n\n${formatTable(fields.errorFields)}`,
    metricsHead,
    formatMetrics(metrics),
  ].join('\n')
}

function formatTable(fields: Readonly<Record<string, string>>): string {
  const rows = Object.entries(fields).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`)
  return `| field | what it is |\n|---|---|\n${rows.join('\n')}\n`
}

function formatMetrics(metrics: CheckTables['metrics']): string {
  const rows = Object.entries(metrics).map(
    ([name, { help, labels }]) => `| \`${name}\` | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help} |`,
  )
  return `| metric | labels | what it is |\n|---|---|---|\n${rows.join('\n')}\n`
}

const head = `# What check tells

Made from \`src/run/report/fields.ts\` and \`src/run/report/metrics-table.ts\`; do not edit by hand: \`npm run docs\` writes it.

[How to run it](../guide/check.md). \`staplewright check --json\` prints one object, of the same shape for one target and for many.

This shape is stable: fields may be added, and what is here keeps its name and meaning. Moments are text as
\`2026-11-21T03:50:00.000Z\`, bytes are base64. A field for which there is nothing to tell is absent. Texts that servers sent
have a question mark for each character that would steer a terminal.
`

const metricsHead = `## The metrics

\`staplewright check --prometheus\` prints them in Prometheus' text format 0.0.4, for the textfile collector of the node
exporter. \`target\` is the target as it was given, \`certificate\` the first name that the certificate is for (with its serial
number where two are for the same), \`key\` its kind of key. All are gauges. Alert on
\`staplewright_check_staple_next_update_timestamp_seconds - time()\` rather than on the remaining seconds, and on the age of
\`staplewright_check_timestamp_seconds\`: a job that no longer runs leaves old numbers behind.
`
