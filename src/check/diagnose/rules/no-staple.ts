/** No handshake at all was stapled, although the certificate has a responder. With Must-Staple: must-staple.ts. */

import { isMustStaple } from '../../../pki/x509/certificate.ts'
import type { FindingRule } from '../finding.ts'
import { carryIn, remediesFor } from '../remedies.ts'
import { isAnythingStapled, isStapleable, shownOn } from '../staples.ts'
import { certificateLine, certificateRule, shareOf } from '../words.ts'

export const noStaple: FindingRule = certificateRule(
  { 'no-staple': 'the certificate names an OCSP responder and no handshake carried a staple' },
  (seen, evidence) => {
    const shown = shownOn(seen)
    if (!isStapleable(seen) || isMustStaple(seen.certificate)) return []
    // Where others are stapled, staple-missed-sometimes says which are not.
    if (shown.length === 0 || isAnythingStapled(evidence)) return []
    return [
      {
        code: 'no-staple',
        severity: 'warning',
        title: `no staple, although the certificate names a responder (${shareOf(0, shown.length)} stapled)`,
        meaning:
          'Clients that want to know whether the certificate was revoked must ask the CA themselves, which costs them time and tells the CA whom they visit, or go on without knowing. Clients that insist on a staple refuse.',
        evidence: [
          certificateLine(seen),
          `responder: ${seen.certificate.extensions.responderURLs.join(', ')}`,
          `${shareOf(0, shown.length)} carried a staple; openssl s_client -status says "no response sent"`,
        ],
        remedies: [
          ...remediesFor('switchOn', evidence, seen),
          {
            text: 'If stapling is on already, the server has no answer: it must reach the responder on TCP 80 (or as its URL says), by name, from its own machine. Its error log says why it failed.',
          },
          carryIn(evidence, seen),
        ],
      },
    ]
  },
)
