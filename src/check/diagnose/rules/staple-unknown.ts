/** The staple says that the responder does not know the certificate. */

import { formatTime } from '../../../pki/der/time.ts'
import type { FindingRule } from '../finding.ts'
import { remediesFor } from '../remedies.ts'
import { verifiedStaples } from '../staples.ts'
import { certificateLine, certificateRule, seenLine } from '../words.ts'

export const stapleUnknown: FindingRule = certificateRule(
  { 'staple-unknown': 'the staple says that the responder does not know the certificate' },
  (seen, evidence) =>
    verifiedStaples(seen)
      .filter(({ verified }) => verified.certStatus === 'unknown')
      .map(({ staple, verified }) => ({
        code: 'staple-unknown' as const,
        severity: 'critical' as const,
        title: 'the staple says unknown: the responder does not know the certificate',
        meaning:
          'Strict clients, Firefox among them, end the connection. Right after issuance it may pass by itself; later the responder is the wrong one, or its database lacks the certificate.',
        evidence: [
          certificateLine(seen),
          `certStatus unknown; signed by ${verified.signer.name}`,
          `thisUpdate ${formatTime(verified.thisUpdate)}`,
          seenLine(staple),
        ],
        remedies: [
          { text: 'Ask the CA, or look into the database of your own responder for this serial number.' },
          ...remediesFor('renew', evidence, seen),
        ],
      })),
)
