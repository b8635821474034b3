/** The staple itself says that the certificate is revoked. */

import { formatTime } from '../../../pki/der/time.ts'
import type { FindingRule } from '../finding.ts'
import { verifiedStaples } from '../staples.ts'
import { certificateLine, certificateRule, seenLine } from '../words.ts'

export const stapleRevoked: FindingRule = certificateRule(
  { 'staple-revoked': 'the staple says that the certificate is revoked' },
  (seen) =>
    verifiedStaples(seen)
      .filter(({ verified }) => verified.certStatus === 'revoked')
      .map(({ staple, verified }) => {
        const { revocationTime, revocationReason = 'no reason given' } = verified
        const since = revocationTime === undefined ? '' : ` since ${formatTime(revocationTime)}`
        return {
          code: 'staple-revoked' as const,
          severity: 'critical' as const,
          title: `the certificate is revoked${since} (${revocationReason}), and the staple says so`,
          meaning: 'Every client that looks at the staple ends the connection. The server is right to tell them.',
          evidence: [
            certificateLine(seen),
            `certStatus revoked${since}, ${revocationReason}; signed by ${verified.signer.name}`,
            `thisUpdate ${formatTime(verified.thisUpdate)}`,
            seenLine(staple),
          ],
          remedies: [
            {
              text: 'Have a new certificate issued, with a new key if the old one may be known to others, and put it in place. If nobody asked for the revocation, ask the CA why.',
            },
          ],
        }
      }),
)
