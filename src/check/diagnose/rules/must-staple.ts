/** Must-Staple and never a staple: clients that keep to RFC 7633 end the connection. */

import { isMustStaple } from '../../../pki/x509/certificate.ts'
import type { FindingRule } from '../finding.ts'
import { carryIn, remediesFor } from '../remedies.ts'
import { isStapleable, shownOn } from '../staples.ts'
import { certificateLine, certificateRule, shareOf } from '../words.ts'

export const mustStaple: FindingRule = certificateRule(
  { 'must-staple-without-staple': 'the certificate demands a staple (RFC 7633) and no handshake carried one' },
  (seen, evidence) => {
    const shown = shownOn(seen)
    if (!isMustStaple(seen.certificate) || !isStapleable(seen)) return []
    if (shown.length === 0 || seen.staples.length > 0) return []
    return [
      {
        code: 'must-staple-without-staple',
        severity: 'critical',
        title: `the certificate demands a staple (Must-Staple) and none is sent (${shareOf(0, shown.length)} stapled)`,
        meaning:
          'Firefox and other clients that keep to RFC 7633 refuse every connection, and offer no way round. Others do not notice, so it may have gone unseen.',
        evidence: [
          certificateLine(seen),
          'TLS feature extension: status_request (5), RFC 7633',
          `responder: ${seen.certificate.extensions.responderURLs.join(', ')}`,
          `${shareOf(0, shown.length)} carried a staple`,
        ],
        remedies: [
          ...remediesFor('switchOn', evidence, seen),
          carryIn(evidence, seen),
          {
            text: 'If stapling cannot be had soon: replace the certificate by one without Must-Staple.',
          },
        ],
      },
    ]
  },
)
