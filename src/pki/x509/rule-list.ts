/**
 * Lists of rules, and how they are walked: `verify…` stops at the first that refuses, `diagnose…` runs them all.
 *
 * What the rules are stands in ocsp/rules.ts and crl/rules.ts; this is their common form.
 */

import { StapleError } from '../../errors.ts'

/** One rule of a list. A judgement holds what the rules before it established, and takes what it establishes itself. */
export interface Rule<Judgement> {
  /** As verdicts and `staplewright inspect` name it. */
  readonly name: string
  /** The clause it comes from. */
  readonly clause: string
  /** Which evidence it needs; without it, it cannot be judged. */
  readonly needs: readonly (keyof Judgement)[]
  /** Throws a {@link StapleError} to refuse. */
  readonly check: (judgement: Judgement) => void
}

/** A judgement in which rules before have established some evidence: `needs` says so, types cannot. */
export type Established<Judgement, Key extends keyof Judgement> = Judgement & {
  readonly [K in Key]-?: NonNullable<Judgement[K]>
}

/** Creates one rule of a list of a kind of judgement. */
export type CreateRule<Judgement> = <Key extends keyof Judgement>(
  name: string,
  clause: string,
  needs: readonly Key[],
  check: (judgement: Established<Judgement, Key>) => void,
) => Rule<Judgement>

/** How rules of one kind of judgement are created. */
export function ruleCreator<Judgement>(): CreateRule<Judgement> {
  return (name, clause, needs, check) => ({ name, clause, needs, check: check as (judgement: Judgement) => void })
}

/** What one rule says. */
export interface RuleVerdict {
  readonly rule: string
  readonly clause: string
  /** `skipped` where a rule before left nothing to judge. */
  readonly outcome: 'passed' | 'refused' | 'skipped'
  /** Why it was refused. */
  readonly error?: StapleError
}

/** Asks every rule, in order. After the rule `size` refused, nothing is read any further. */
export function judgeByAll<Judgement>(rules: readonly Rule<Judgement>[], judgement: Judgement): RuleVerdict[] {
  let isTooLarge = false
  return rules.map(({ name, clause, needs, check }): RuleVerdict => {
    if (isTooLarge || needs.some((evidence) => judgement[evidence] === undefined)) {
      return { rule: name, clause, outcome: 'skipped' }
    }
    try {
      check(judgement)
      return { rule: name, clause, outcome: 'passed' }
    } catch (error) {
      if (!(error instanceof StapleError)) throw error
      isTooLarge = name === 'size'
      return { rule: name, clause, outcome: 'refused', error }
    }
  })
}
