/**
 * Writes the pages about configurations: docs/reference/config.md and nats-keys.md from the keys, nats-deviations.md from
 * the cases that are tried against the real nats-server. test/run/config/pages.test.ts holds the pages equal to these.
 */
import type { BlockDeclaration, IdleKey, Key, Type } from '../src/run/config/type.ts'

export interface Group {
  readonly title: string
  readonly keys: readonly Key<unknown>[]
}

/** What one row of the deviations needs. */
export interface DeviationRow {
  readonly title: string
  readonly why: string
  readonly document: string
  readonly environment?: Readonly<Record<string, string>>
}

/** docs/reference/config.md. */
export function formatConfigPage(groups: readonly Group[], example: string): string {
  return `${configHead}
${indent(example.trimEnd())}

${groups.map(formatGroup).join('\n')}
${configTail}`
}

/** docs/reference/nats-keys.md: every key of nats-server's. */
export function formatNatsKeysPage(top: BlockDeclaration): string {
  const blocks = top.keys.flatMap((key) => {
    const block = key.type.parts?.kind === 'block' ? key.type.parts.block : undefined
    if (key.origin !== 'nats-server' || block === undefined || block.ignoresUnknown) return []
    const inner = block.keys.filter(isNested).flatMap((each) => {
      const within = innerBlock(each.type)?.block
      return within ? [{ name: `${key.name} { ${each.name}`, block: within }] : []
    })
    return [{ name: key.name, block }, ...inner]
  })
  const sections = [{ name: '', block: top }, ...blocks].map(({ name, block }) => {
    const rows = [...block.keys, ...block.idle]
      .filter((key) => key.origin === 'nats-server' || key.aliases?.some((alias) => borrowed.has(alias)))
      .map(natsRow)
      .sort((a, b) => a.order.localeCompare(b.order))
    const title = name === '' ? 'At the top level' : `In \`${name} { … }${name.includes('{') ? ' }' : ''}\``
    return `## ${title}\n\n| key | here | why |\n|---|---|---|\n${rows.map((row) => row.text).join('\n')}\n`
  })
  return `${natsKeysHead}\n${sections.join('\n')}`
}

/** docs/reference/nats-deviations.md. */
export function formatDeviationsPage(grammar: readonly DeviationRow[], meaning: readonly DeviationRow[]): string {
  const section = (title: string, rows: readonly DeviationRow[]) =>
    `## ${title}\n\n| what is different here | why | for example |\n|---|---|---|\n${rows.map(deviationRow).join('\n')}\n`
  return `${deviationsHead}\n${section('The format', grammar)}\n${section('The keys', meaning)}`
}

/** Names under which nats-server has a key that is otherwise ours. */
const borrowed = new Set(['lame_duck_duration'])

function formatGroup({ title, keys }: Group): string {
  return `## ${title}\n\n${keys.map((key) => formatKey(key, key.name, '###')).join('\n')}`
}

function formatKey(key: Key<unknown>, path: string, level: string): string {
  const facts = [
    `type: ${key.type.name}`,
    `default: ${key.default === undefined ? key.defaultNote : `\`${key.default}\``}`,
    ...(key.aliases ? [`also: ${key.aliases.map((alias) => `\`${alias}\``).join(', ')}`] : []),
    key.origin === 'own' ? "Staplewright's own" : 'as in nats-server',
  ]
  const head = `${level} ${path}\n\n${facts.join(' · ')}\n\n${key.meaning}\n\n${indent(key.example)}\n`
  const inner = innerBlock(key.type)
  if (inner === undefined || level.length > 4) return head
  const rows = inner.block.keys.map((each) => keyRow(each))
  const further = inner.block.keys.filter(isNested).map((each) => {
    const keys = innerBlock(each.type)?.block.keys ?? []
    return `\nThe keys of \`${each.name}\`:\n\n${tableHead}${keys.map((key) => keyRow(key)).join('\n')}\n`
  })
  return `${head}\n${inner.what}:\n\n${tableHead}${rows.join('\n')}\n${further.join('')}`
}

const tableHead = '| key | type | default | meaning |\n|---|---|---|---|\n'

/** A map in a map that is told of nowhere else. */
function isNested(key: Key<unknown>): boolean {
  return innerBlock(key.type) !== undefined && !toldElsewhere.has(key.name)
}

const toldElsewhere = new Set(['tls', 'certs'])

function innerBlock(type: Type<unknown>): { block: BlockDeclaration; what: string } | undefined {
  const { parts } = type
  if (parts?.kind === 'block') return { block: parts.block, what: 'Its keys' }
  if (parts === undefined || parts.item.parts?.kind !== 'block') return undefined
  return { block: parts.item.parts.block, what: 'The keys of each' }
}

function keyRow(key: Key<unknown>): string {
  const shown = key.default === undefined ? (key.defaultNote ?? '') : `\`${key.default}\``
  const where = isNested(key) ? ' Its keys are below.' : key.name === 'tls' ? ' As at the top level.' : ''
  const meaning = `${key.meaning}${where}`
  const names = [key.name, ...(key.aliases ?? [])].map((name) => `\`${name}\``).join(', ')
  return `| ${[names, key.type.name, shown, meaning].map(cell).join(' | ')} |`
}

function natsRow(key: Key<unknown> | IdleKey): { order: string; text: string } {
  const isIdle = 'status' in key
  const own = key.origin === 'own' && !isIdle
  const names = own ? (key.aliases ?? []).filter((alias) => borrowed.has(alias)) : [key.name, ...(key.aliases ?? [])]
  const here = isIdle ? { notice: 'notice', refused: '**refused**', later: 'not yet: an error' }[key.status] : 'works'
  const why = isIdle ? key.reason : own ? `as \`${key.name}\`` : ''
  return {
    order: names[0] ?? '',
    text: `| ${[names.map((name) => `\`${name}\``).join(', '), here, why].map(cell).join(' | ')} |`,
  }
}

function deviationRow({ title, why, document, environment }: DeviationRow): string {
  const shown = JSON.stringify(document.trimEnd()).slice(1, -1).replaceAll('\\"', '"').replaceAll('\uFEFF', '\\uFEFF')
  const written = shown.includes('`') ? `\`\` ${shown} \`\`` : `\`${shown}\``
  const variables = Object.entries(environment ?? {}).map(([name, value]) => ` with \`${name}=${value}\``)
  return `| ${[title, why, `${written}${variables.join(',')}`].map(cell).join(' | ')} |`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`))
    .join('\n')
}

const configHead = `# Configuration

Made from \`src/run/config/keys.ts\`; do not edit by hand: \`npm run docs\` writes it.

The format is nats-server's: comments (\`#\`, \`//\`), \`key: value\`, \`key = value\` or \`key value\`, maps \`{ … }\`, lists
\`[ … ]\`, quotes where text has spaces, sizes (\`64kb\`), variables (\`$NAME\`), \`include "file"\`; JSON is accepted too.
[What differs](nats-deviations.md), and [what becomes of each of nats-server's keys](nats-keys.md).

- Keys may be written in upper or lower case. A key given twice: the last one counts, and a notice says so.
- Durations are \`"500ms"\`, \`"30s"\`, \`"5m"\`, \`"12h"\`, \`"10d"\`, or several of them: \`"1h30m"\`. One with a single unit needs
  no quotes.
- Relative paths are against the directory that \`staplewright\` is started in; includes against the including file.
- \`$NAME\` is a key written above it, else a variable of the environment. A key that is used so may have any name.
- \`staplewright serve -c FILE -t\` checks a file, and asks every responder once.

Every problem is told at once, with file, line and column, what was found, what was expected and what to do; the exit code
is then 2, nothing is started and nothing is written.

A complete example (\`docs/reference/staplewright.conf\`):
`

const configTail = `## What comes with a later version

These keys are known, and an error until then: they are not passed over in silence. The options \`--listen\` and \`--backend\` of
\`staplewright serve\` stand for \`listen\` and \`backend\` and win over the file.
`

const natsKeysHead = `# Keys of nats-server

Made from \`src/run/config/keys.ts\` and \`idle-keys.ts\`; do not edit by hand: \`npm run docs\` writes it.

A configuration of nats-server (2.9 to 2.14) can be used as it is, with \`--listen\` and \`--backend\`. Each of its keys either
*works* as there, or is known to mean nothing here, which a *notice* says, or is **refused**: without it the service would be
more open than the file says. \`danger { ignore: ["key"] }\` makes a notice of a refused key. A key that is *not yet* there is an
error that says so. Any other key is an error with a suggestion.
`

const deviationsHead = `# Where the configuration differs from nats-server's

Made from \`test/run/config/deviations.ts\`, which tries each against the real nats-server; do not edit by hand: \`npm run docs\`
writes it.

Anything else that nats-server 2.9 reads is read here, as the same values: random documents and random slips of the pen are
compared in every run of the tests. (\`System\` in the examples is a key that takes any value in nats-server.)
`
