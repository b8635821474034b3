/** The CA says now what the staple does not say: the certificate is revoked, or its responder does not know it. */

import { formatTime } from '../../../pki/der/time.ts'
import type { FindingRule } from '../finding.ts'
import { liveAnswers } from '../live.ts'
import { verifiedStaples } from '../staples.ts'
import { certificateLine, certificateRule } from '../words.ts'

export const revokedNow: FindingRule = certificateRule(
  {
    'revoked-now': 'the CA, asked now, says revoked, and what is stapled does not',
    'unknown-to-ca': "the CA's responder, asked now, does not know the certificate",
  },
  (seen) => {
    const statuses = new Set(verifiedStaples(seen).map(({ verified }) => verified.certStatus))
    const stapled = [...statuses].join(', ') || 'nothing that counts'
    const answer = liveAnswers(seen).find(({ certStatus }) => certStatus === 'revoked') ?? liveAnswers(seen)[0]
    if (answer === undefined || statuses.has('revoked')) return []
    const { certStatus, source, url, thisUpdate, revocationTime, revocationReason } = answer
    const facts = [
      certificateLine(seen),
      `${source === 'crl' ? 'CRL' : 'responder'} ${url}: ${certStatus}, thisUpdate ${formatTime(thisUpdate)}`,
      `stapled: ${stapled}`,
    ]
    if (certStatus === 'revoked') {
      const since = revocationTime === undefined ? '' : ` since ${formatTime(revocationTime)}`
      return [
        {
          code: 'revoked-now',
          severity: 'critical',
          title: `the CA says revoked${since} (${revocationReason ?? 'no reason given'})${seen.staples.length > 0 ? ', and what is stapled does not say so' : ''}`,
          meaning: statuses.has('good')
            ? 'Clients that trust the staple still believe in the certificate, until it goes stale; those that ask the CA or know its CRL refuse already.'
            : 'Clients that ask the CA or know its CRL refuse; the others go on with a revoked certificate.',
          evidence: facts,
          remedies: [
            { text: 'Replace the certificate, with a new key if the old one may be known to others.' },
            ...(statuses.has('good') ? [truth] : []),
          ],
        },
      ]
    }
    if (certStatus === 'good' || statuses.has('unknown')) return []
    return [
      {
        code: 'unknown-to-ca',
        severity: 'warning',
        title: "the CA's responder does not know the certificate",
        meaning:
          'No good staple can be had from it. Minutes after issuance that passes by itself; later the responder is the wrong one, or its database lacks the certificate.',
        evidence: facts,
        remedies: [{ text: 'Ask the CA, or look into the database of your own responder for this serial number.' }],
      },
    ]
  },
)

const truth = {
  text: 'Until then let the server fetch a new staple, so that it tells the truth: nginx and Caddy keep the old good one otherwise.',
}
