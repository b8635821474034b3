/** The staple is past its nextUpdate, and nothing else is wrong with it. */

import { isMustStaple } from '../../../pki/x509/certificate.ts'
import type { FindingRule } from '../finding.ts'
import { remediesFor } from '../remedies.ts'
import { refusalOf } from '../staples.ts'
import { certificateLine, certificateRule, refusalLines, seenLine } from '../words.ts'

export const stapleStale: FindingRule = certificateRule(
  { 'staple-stale': 'the staple is past its nextUpdate, or has none and is over an hour old' },
  (seen, evidence) =>
    seen.staples
      .filter((staple) => refusalOf(staple) === 'stale')
      .map((staple) => ({
        code: 'staple-stale' as const,
        severity: 'critical' as const,
        title: 'the staple is stale: its nextUpdate has passed',
        meaning: `It counts as no staple, and some clients end the connection over it${isMustStaple(seen.certificate) ? '; with Must-Staple in the certificate, all strict ones do' : ''}. What should have replaced it has failed, or nothing does.`,
        evidence: [certificateLine(seen), ...refusalLines(staple), seenLine(staple)],
        remedies: [
          ...remediesFor('renew', evidence, seen),
          { text: 'If the staple should be fresh: compare the clock of this machine with another.' },
        ],
      })),
)
