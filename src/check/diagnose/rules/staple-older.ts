/** The CA has a newer response than the one that is stapled. */

import { formatSpan, formatTime } from '../../../pki/der/time.ts'
import type { FindingRule } from '../finding.ts'
import { liveAnswers } from '../live.ts'
import { remediesFor } from '../remedies.ts'
import { type VerifiedStaple, verifiedStaples } from '../staples.ts'
import { certificateLine, certificateRule, seenLine } from '../words.ts'

export const stapleOlder: FindingRule = certificateRule(
  { 'staple-older-than-ca': 'the CA has a newer response: by how much the staple lags' },
  (seen, evidence) => {
    const live = liveAnswers(seen).find(({ source }) => source === 'ocsp')
    if (live === undefined) return []
    const lagOf = ({ verified }: VerifiedStaple) => live.thisUpdate.getTime() - verified.thisUpdate.getTime()
    const [oldest] = verifiedStaples(seen)
      // Another status has a finding of its own.
      .filter((one) => one.verified.certStatus === live.certStatus && lagOf(one) >= leastLagMs(one))
      .sort((one, other) => lagOf(other) - lagOf(one))
    if (oldest === undefined) return []
    const { thisUpdate, usableUntil } = oldest.verified
    const isLate = lagOf(oldest) > (usableUntil.getTime() - thisUpdate.getTime()) / 2
    return [
      {
        code: 'staple-older-than-ca',
        severity: isLate ? 'warning' : 'info',
        title: `the CA has a response that is ${formatSpan(lagOf(oldest))} newer than the staple`,
        meaning: isLate
          ? 'It lags by more than half of its life: a server that renews in time would have the newer one. A revocation reaches its clients as late.'
          : 'A server renews once in a while, not with every response of the CA. A revocation reaches its clients so much later.',
        evidence: [
          certificateLine(seen),
          `stapled: thisUpdate ${formatTime(thisUpdate)}`,
          `${live.url}: thisUpdate ${formatTime(live.thisUpdate)}`,
          seenLine(oldest.staple),
        ],
        remedies: isLate ? remediesFor('renew', evidence, seen) : [],
      },
    ]
  },
)

/** A responder that signs on demand is always newer: only what is a part of the staple's life is worth a word. */
function leastLagMs({ verified }: VerifiedStaple): number {
  return Math.max(60_000, (verified.usableUntil.getTime() - verified.thisUpdate.getTime()) / 20)
}
