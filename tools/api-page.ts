/** Writes docs/reference/api.md from the tables of the JSON's fields; test/run/admin/page.test.ts holds the page equal to them. */

export interface ApiTables {
  readonly status: Readonly<Record<string, string>>
  readonly staple: Readonly<Record<string, string>>
  readonly front: Readonly<Record<string, string>>
}

/** The whole page, as Markdown. */
export function formatApiPage({ status, staple, front }: ApiTables): string {
  return [
    head,
    `## The status\n\nThe answer of \`/api/status\`:\n\n${formatTable(status)}`,
    `### The counts of the front\n\nThe object \`front\` of it: how many, over all workers.\n\n${formatTable(front)}`,
    `## A staple\n\nEach of \`staples\`:\n\n${formatTable(staple)}`,
    tail,
  ].join('\n')
}

function formatTable(fields: Readonly<Record<string, string>>): string {
  const rows = Object.entries(fields).map(([name, meaning]) => `| \`${name}\` | ${meaning} |`)
  return `| field | what it is |\n|---|---|\n${rows.join('\n')}\n`
}

const head = `# What the daemon answers

Made from \`src/run/admin/shape.ts\`; do not edit by hand: \`npm run docs\` writes it.

[How to open the doors](../guide/admin.md). The HTTP port answers to GET and HEAD:

| path | answers | status |
|---|---|---|
| \`/healthz\` | \`ok\` | 200 while the process lives |
| \`/readyz\` | \`ready\`; else \`not ready\` and a line for each cause. With \`Accept: application/json\`: \`isReady\`, \`phase\`, \`causes\` | 200 or 503 |
| \`/metrics\` | [the metrics](metrics.md), Prometheus' text format 0.0.4 | 200 |
| \`/api/status\` | the status, as JSON | 200 |
| \`/api/staples\` | \`at\` and \`staples\`, as JSON | 200 |

Another path is 404, another method 405. On a port of this machine alone, a Host header with a name other than \`localhost\`
is 421: a web page may have sent it. When the daemon cannot answer: 500, and the log says why. The Unix socket answers to the
same, and obeys:

| request | does | answers |
|---|---|---|
| \`POST /reload\` | reads the configuration anew | 200 when it is over: \`isDone\`, \`message\`, and \`problems\` (each a text) when the configuration is to blame |
| \`POST /refresh\` | asks every responder now | 200 when all have answered or failed: \`asked\` (labels) and \`failed\` (\`label\`, \`message\`) |
| \`POST /refresh?certificate=NAME\` | asks about one: its label, file, site name, serial number, certificateKey or 8 digits of it | the same; 404 when nothing is called so |

These shapes are stable: fields may be added, and what is here keeps its name and meaning. Moments are text as
\`2026-11-21T03:50:00.000Z\`. A field for which there is nothing to tell is absent.
`

const tail = `## What the commands print

\`staplewright status --json\` prints the status with \`verdict\` (\`ok\`, \`warning\` or \`critical\`) and \`because\` (a text for
each reason) before it; \`reload --json\` and \`refresh --json\` print the answers above.
`
