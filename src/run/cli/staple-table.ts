/** A table of staples: one line each, the state first, then what holds it and until when. */
import type { EntryStatus } from '../../keep/keeper/index.ts'
import type { DryRun } from '../daemon/dry-run.ts'
import { formatDistance } from '../journal/span.ts'
import type { Style } from '../journal/style.ts'

/** Formats what a dry run found. */
export function formatStaples({ entries, unstapled, exitCode }: DryRun, at: Date, style: Style): string {
  const width = Math.max(0, ...[...entries.map((entry) => entry.label), ...unstapled].map((label) => label.length))
  const lines = entries.flatMap((entry) => {
    const state = entry.stapleState
    const paint = state === 'fresh' || state === 'due' ? style.good : state === 'unsupported' ? style.dim : style.bad
    return [
      `${paint(state.padEnd(11))}  ${entry.label.padEnd(width)}  ${describe(entry, at)}`,
      ...(entry.lastError === undefined
        ? []
        : entry.lastError.message.split('\n').map((text) => style.dim(`             ${text}`))),
    ]
  })
  for (const label of unstapled)
    lines.push(
      `${style.dim('not stapled')}  ${label.padEnd(width)}  its mode staples only Must-Staple certificates, or none`,
    )
  lines.push(verdicts[exitCode] ?? '')
  return `${lines.join('\n')}\n`
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
