/** Writes docs/reference/errors.md from the error table; test/docs.test.ts holds the page equal to it. */
import type { ErrorRow } from '../src/errors.ts'

/** What each area is about and which folder to open; every area of the table must be here. */
const areas: Record<string, string> = {
  DER: 'bytes that are not DER · `src/pki/der`',
  X509: 'certificates · `src/pki/x509`',
  OCSP: 'OCSP requests and responses · `src/pki/ocsp`',
  CRL: 'certificate revocation lists · `src/pki/crl`',
  FETCH: 'asking a responder · `src/keep/fetch`',
  STORE: 'staples at rest · `src/keep/store`',
  KEEPER: 'the keeper · `src/keep/keeper`',
  ATTACH: 'stapling into a Node server · `src/serve/attach`',
  TERMINATOR: 'the TLS front · `src/serve/terminator`',
  NATS: 'NATS behind the TLS front · `src/serve/terminator/nats`',
  WORKER: 'worker processes · `src/run/workers`',
  RESPONDER: 'answering requests ourselves · `src/serve/responder`',
  PEER: 'judging whom we are connected to · `src/check/peer`',
  PROBE: 'connecting to a server to see what it presents · `src/check/probe`',
  CONFIG: 'the configuration · `src/run/config`',
}

/** The whole page, as Markdown. */
export function formatErrorsPage(table: Readonly<Record<string, ErrorRow>>): string {
  const grouped = Object.keys(table).reduce((groups, code) => {
    const area = code.split('_')[1] ?? ''
    return groups.set(area, [...(groups.get(area) ?? []), code])
  }, new Map<string, string[]>())
  return [head, ...[...grouped].map(([area, codes]) => section(area, codes, table))].join('\n')
}

function section(area: string, codes: readonly string[], table: Readonly<Record<string, ErrorRow>>): string {
  const about = areas[area]
  if (about === undefined) throw new Error(`tools/errors-page.ts does not say what the area ${area} is about`)
  const rows = codes.map((code) => {
    const { summary, remedy, retry } = table[code] as ErrorRow
    return `| \`${code}\` | ${summary} | ${remedy} | ${retry} |`
  })
  return `## ${area}\n\n${about}\n\n| code | what happened | what to do | retry |\n|---|---|---|---|\n${rows.join('\n')}\n`
}

const head = `# Errors

Made from \`src/errors.ts\`; do not edit by hand: \`npm run docs\` writes it.

Every failure is a \`StapleError\` with a \`code\`, a \`message\` that shows both sides of the comparison, and a \`detail\`
typed by its code. Compare codes, not messages. Wrong arguments are a plain \`TypeError\` that names the option. A revoked
answer is not an error: it is data, and a policy says what follows.

\`retry\` says when asking again could help: *soon* (it may pass by itself), *later* (unlikely to pass quickly),
*when-changed* (only after somebody changed something). The keeper schedules from it.
`
