/** Targets of which nothing was seen, because of ourselves: what there is to tell of them. */
import type { Target } from '../../check/probe/record.ts'
import { printableLines } from '../../pki/der/text.ts'
import { plainError } from './plain.ts'
import type { FindingReport, TargetReport } from './shape.ts'

/** One that cannot be looked at from here. */
export function reportObstacle(
  target: Target,
  { title, meaning, remedy }: { readonly title: string; readonly meaning: string; readonly remedy: string },
  at: Date,
): TargetReport {
  const remedies = [{ text: remedy }]
  return unseen(target, at, { code: 'not-from-here', severity: 'unknown', title, meaning, evidence: [], remedies })
}

/** One whose look ended in a defect of ours: the others are told all the same. */
export function reportBroken(target: Target, thrown: unknown, at: Date): TargetReport {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const frame = error.stack?.split('\n').find((line) => /^\s+at /.test(line))
  return {
    ...unseen(target, at, {
      code: 'defect',
      severity: 'unknown',
      title: `could not be looked at: ${printableLines(error.message)}`,
      meaning: 'This is a defect of Staplewright and says nothing about the server.',
      evidence: frame === undefined ? [] : [frame.trim()],
      remedies: [{ text: 'Please report it with the line above.' }],
    }),
    error: plainError(error),
  }
}

function unseen(target: Target, at: Date, finding: FindingReport): TargetReport {
  const { label, host, port, serverName, starttls } = target
  return {
    target: printableLines(label),
    host,
    port,
    ...(serverName !== undefined && { serverName }),
    ...(starttls && { starttls }),
    verdict: 'unknown',
    because: finding.title,
    at,
    elapsedMs: 0,
    addresses: [],
    connections: [],
    certificates: [],
    findings: [finding],
    notes: [],
  }
}
