/** The CA was not asked, for a reason that nobody chose. */

import type { Unasked } from '../evidence.ts'
import type { FindingRule } from '../finding.ts'
import { certificateLine, certificateRule } from '../words.ts'

const reasons: Partial<Readonly<Record<Unasked, string>>> = {
  'chain-unverified':
    'the chain does not verify, and the addresses in a certificate that anybody may have made are not used',
  'no-issuer': 'its issuer was not found, and without it no answer could be verified',
}

export const caNotAsked: FindingRule = certificateRule(
  { 'ca-not-asked': 'the CA was not asked, because the chain does not verify or the issuer is not known' },
  (seen) => {
    const reason = seen.unasked === undefined ? undefined : reasons[seen.unasked]
    if (reason === undefined) return []
    return [
      {
        code: 'ca-not-asked',
        severity: 'info',
        title: `the CA was not asked: ${reason}`,
        meaning: 'The staple was judged by itself; what the CA says at this moment is not known.',
        evidence: [certificateLine(seen)],
        remedies: [{ text: 'Give the root of your own CA with --ca-file.' }],
      },
    ]
  },
)
