/**
 * Every rule's verdict on a response, for people: the list that verification walks, without stopping.
 */

import { viewBytes } from '../der/bytes.ts'
import { judgeByAll, type RuleVerdict } from '../x509/rule-list.ts'
import type { Judgement, VerifyWarning } from './judgement.ts'
import { resolvePolicies, type VerifyOptions } from './options.ts'
import { rules } from './rules.ts'
import { concludeFrom, type VerifiedOcspResponse } from './verify.ts'

export type { RuleVerdict } from '../x509/rule-list.ts'

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
  const verdicts = judgeByAll(rules, judgement)
  if (verdicts[0]?.outcome === 'refused') return { verdicts, warnings: [] }
  const { warnings } = judgement
  if (verdicts.some(({ outcome }) => outcome !== 'passed')) return { verdicts, warnings }
  return { verdicts, warnings, verified: concludeFrom(judgement) }
}
