/**
 * Every rule's verdict on a response, for people: the list that verification walks, without stopping.
 */

import { StapleError } from '../../errors.ts'
import { viewBytes } from '../der/bytes.ts'
import type { Judgement, VerifyWarning } from './judgement.ts'
import { resolvePolicies, type VerifyOptions } from './options.ts'
import { rules } from './rules.ts'
import { concludeFrom, type VerifiedOcspResponse } from './verify.ts'

/** What one rule says. */
export interface RuleVerdict {
  readonly rule: string
  readonly clause: string
  /** `skipped` where a rule before left nothing to judge. */
  readonly outcome: 'passed' | 'refused' | 'skipped'
  /** Why it was refused. */
  readonly error?: StapleError
}

export interface Diagnosis {
  /** One per rule, in order. */
  readonly verdicts: readonly RuleVerdict[]
  readonly warnings: readonly VerifyWarning[]
  /** Where no rule refused: what `verifyOcspResponse` gives. */
  readonly verified?: VerifiedOcspResponse
}

/**
 * Judges a response by every rule and reports them all.
 *
 * Accepts exactly what `verifyOcspResponse` accepts; its first refusal is the error that throws there.
 */
export function diagnose(der: Uint8Array, options: VerifyOptions): Diagnosis {
  const judgement: Judgement = { der: viewBytes(der, 'der'), policies: resolvePolicies(options), warnings: [] }
  const verdicts: RuleVerdict[] = []
  for (const { name, clause, needs, check } of rules) {
    if (needs.some((evidence) => judgement[evidence] === undefined)) {
      verdicts.push({ rule: name, clause, outcome: 'skipped' })
      continue
    }
    try {
      check(judgement)
      verdicts.push({ rule: name, clause, outcome: 'passed' })
    } catch (error) {
      if (!(error instanceof StapleError)) throw error
      verdicts.push({ rule: name, clause, outcome: 'refused', error })
      // What is over the limit is not read any further.
      if (name === 'size') return { verdicts: [...verdicts, ...skipAfter(name)], warnings: [] }
    }
  }
  const { warnings } = judgement
  if (verdicts.some(({ outcome }) => outcome !== 'passed')) return { verdicts, warnings }
  return { verdicts, warnings, verified: concludeFrom(judgement) }
}

function skipAfter(last: string): RuleVerdict[] {
  const index = rules.findIndex(({ name }) => name === last)
  return rules.slice(index + 1).map(({ name, clause }) => ({ rule: name, clause, outcome: 'skipped' }))
}
