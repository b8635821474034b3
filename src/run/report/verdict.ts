/** What it comes to, in one word: of a target, of all of them, and as the exit code that monitoring plugins have. */
import type { FindingReport, TargetReport, Verdict } from './shape.ts'

/** From the mildest to the worst. */
const order: Readonly<Record<FindingReport['severity'], number>> = {
  ok: 0,
  info: 1,
  warning: 2,
  unknown: 3,
  critical: 4,
}

/** Compares by how bad something is, the worst first. */
export function compareSeverity(one: FindingReport['severity'], other: FindingReport['severity']): number {
  return order[other] - order[one]
}

/** The worst of several; of none it is unknown how they are. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  return verdicts.toSorted(compareSeverity)[0] ?? 'unknown'
}

/** A line for each target that is not ok, the worst first. */
export function reasonsOf(targets: readonly TargetReport[]): string[] {
  return targets
    .filter(({ verdict }) => verdict !== 'ok')
    .toSorted((one, other) => compareSeverity(one.verdict, other.verdict))
    .map(({ target, because }) => `${target}: ${because}`)
}

/** How many of each, as `1 critical, 3 ok`. */
export function countVerdicts(targets: readonly TargetReport[]): string {
  const words = (['critical', 'unknown', 'warning', 'ok'] as const).map((word) => {
    const count = targets.filter(({ verdict }) => verdict === word).length
    return count === 0 ? [] : [`${count} ${word}`]
  })
  return words.flat().join(', ')
}
