/** An OCSP error status as a staple: unsigned, so it proves nothing. Apache does it by default. */

import { isMustStaple } from '../../../pki/x509/certificate.ts'
import type { StapleEvidence } from '../evidence.ts'
import type { FindingRule } from '../finding.ts'
import { remediesFor, remedyOf } from '../remedies.ts'
import { decodedOf } from '../staples.ts'
import { certificateLine, certificateRule, seenLine } from '../words.ts'

export const stapledError: FindingRule = certificateRule(
  { 'stapled-error': "a responder's error (tryLater and the like) is stapled, as Apache does" },
  (seen, evidence) =>
    seen.staples.flatMap((staple) => {
      const responseStatus = errorStatusOf(staple)
      if (responseStatus === undefined) return []
      const isDemanded = isMustStaple(seen.certificate)
      return [
        {
          code: 'stapled-error',
          severity: isDemanded ? 'critical' : 'warning',
          title: `an error is stapled instead of a response: ${responseStatus}`,
          meaning: `It is unsigned and proves nothing. Some clients end the connection over it, where no staple at all would have been let pass${isDemanded ? '; with Must-Staple in the certificate, all strict ones do' : ''}.`,
          evidence: [
            certificateLine(seen),
            `ERR_OCSP_RESPONSE_STATUS: responseStatus: expected successful, found ${responseStatus} (RFC 6960 §4.2.1)`,
            seenLine(staple),
          ],
          remedies: [
            ...remediesFor('hideErrors', evidence, seen),
            ...remedyOf('apache', 'reachResponder', evidence, seen),
            { text: 'If it is another server, it staples a file or a cache that holds the error: replace that.' },
          ],
        },
      ]
    }),
)

/** Needs no issuer: nothing of it is signed. */
function errorStatusOf(staple: StapleEvidence): string | undefined {
  const responseStatus = decodedOf(staple)?.responseStatus
  return responseStatus === 'successful' ? undefined : responseStatus
}
