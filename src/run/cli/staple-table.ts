/** A table of staples: one line each, the state first, then what holds it and until when. */
import type { EntryStatus } from '../../keep/keeper/index.ts'
import type { StapleStatus } from '../admin/index.ts'
import type { DryRun } from '../daemon/dry-run.ts'
import { formatDistance } from '../journal/span.ts'
import type { Style } from '../journal/style.ts'

/** Formats what a dry run found. */
export function formatStaples({ entries, unstapled, exitCode }: DryRun, at: Date, style: Style): string {
  const width = widthOf([...entries.map(({ label }) => label), ...unstapled])
  const lines = [
    ...formatEntries(entries, at, style, width),
    ...unstapled.map(
      (label) =>
        `${style.dim('not stapled')}  ${label.padEnd(width)}  its mode staples only Must-Staple certificates, or none`,
    ),
    conclude(entries, exitCode),
  ]
  return `${lines.join('\n')}\n`
}

/** A configuration under which nothing is ever stapled is good, and seldom what was meant. */
function conclude(entries: readonly EntryStatus[], exitCode: number): string {
  const isIdle = entries.every(({ stapleState }) => stapleState === 'unsupported')
  return exitCode === 0 && isIdle ? 'configuration is good; it has nothing to staple' : (verdicts[exitCode] ?? '')
}

/** Formats entries as lines: the state, the label and what is held, then what is wrong and where it is shown. */
export function formatEntries(
  entries: readonly (EntryStatus & Partial<StapleStatus>)[],
  at: Date,
  style: Style,
  width: number = widthOf(entries.map(({ label }) => label)),
): string[] {
  return entries.flatMap((entry) => {
    const { stapleState: state, waiting, sites = [], lastError } = entry
    const paint = state === 'fresh' || state === 'due' ? style.good : state === 'unsupported' ? style.dim : style.bad
    const details = [
      ...(sites.length === 0 ? [] : [`for ${sites.join(', ')}`]),
      ...(waiting ? [describeWaiting(waiting, at)] : []),
      ...(lastError?.message.split('\n') ?? []),
    ]
    return [
      `${paint(state.padEnd(11))}  ${entry.label.padEnd(width)}  ${describe(entry, at)}`,
      ...details.map((text) => style.dim(`             ${text}`)),
    ]
  })
}

function widthOf(labels: readonly string[]): number {
  return Math.max(0, ...labels.map(({ length }) => length))
}

function describeWaiting({ cause, deadline }: NonNullable<StapleStatus['waiting']>, at: Date): string {
  return `not shown yet: ${cause}${deadline === undefined ? '' : `; shown anyway ${formatDistance(deadline, at)}`}`
}

function describe(entry: EntryStatus, at: Date): string {
  if (entry.stapleState === 'unsupported') return entry.unsupportedReason ?? 'names no responder'
  if (entry.effectiveNextUpdate === undefined) return 'no staple came'
  const reason = entry.revocationReason ? ` (${entry.revocationReason})` : ''
  return `${entry.certStatus}${reason}, signed by ${entry.signer}, until ${formatDistance(entry.effectiveNextUpdate, at)}`
}

const verdicts: Readonly<Record<number, string>> = {
  0: 'configuration is good; every staple is in',
  3: 'a certificate is revoked: replace it',
  4: 'configuration is good, but a needed staple is missing',
}
