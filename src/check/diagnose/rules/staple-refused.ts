/** A staple that a strict client refuses, by whichever rule; error statuses, weak signatures and age have rules of their own. */

import { errorTable } from '../../../errors.ts'
import type { FindingRule } from '../finding.ts'
import { remediesFor } from '../remedies.ts'
import { refusalOf, refusalsOf } from '../staples.ts'
import { certificateLine, certificateRule, refusalLines, seenLine, sentence } from '../words.ts'

export const stapleRefused: FindingRule = certificateRule(
  {
    'staple-refused':
      'the staple breaks a rule that every careful client keeps; the evidence names the rule, its clause, the field, what was expected and what was found',
  },
  (seen, evidence) =>
    seen.staples
      .filter((staple) => refusalOf(staple) === 'other')
      .map((staple) => {
        const [first] = refusalsOf(staple)
        const { code = 'ERR_OCSP_MALFORMED' } = first?.error ?? {}
        const { summary, remedy } = errorTable[code]
        return {
          code: 'staple-refused' as const,
          severity: 'critical' as const,
          title: `the staple is refused by rule ${first?.rule} (${first?.clause}): ${summary}`,
          meaning:
            'Strict clients end the connection, which a missing staple would not have done to most of them; the others learn nothing from it. The server passes on what it did not verify.',
          evidence: [certificateLine(seen), ...refusalLines(staple), seenLine(staple)],
          remedies: [{ text: sentence(remedy) }, ...remediesFor('renew', evidence, seen)],
        }
      }),
)
