/** Two entries in one response, as RFC 9919 allows, and four servers do not read. */

import type { StapleEvidence } from '../evidence.ts'
import type { FindingRule } from '../finding.ts'
import { singleResponsesOf } from '../staples.ts'
import { certificateLine, certificateRule, seenLine } from '../words.ts'

export const severalSingleResponses: FindingRule = certificateRule(
  {
    'several-single-responses': 'the response has several entries, which HAProxy, Envoy, Caddy and nats-server reject',
  },
  (seen) =>
    seen.staples.flatMap((staple) => {
      const certIDs = certIDsOf(staple)
      if (certIDs.length < 2) return []
      return [
        {
          code: 'several-single-responses',
          severity: 'warning',
          title: `the staple holds ${certIDs.length} singleResponses`,
          meaning:
            'HAProxy, Envoy, Caddy and nats-server reject such a response and staple nothing; some clients look at the first entry only. Other servers pass it on.',
          evidence: [certificateLine(seen), `certIDs: ${certIDs.join(', ')}`, seenLine(staple)],
          remedies: [
            {
              text: 'Ask the responder about the SHA-1 certID alone: it may then answer with that one. Staplewright does so for what it staples.',
              kind: 'configuration',
              lines: ['responders { "http://ocsp.example.net": { hash: sha1 } }'],
            },
          ],
        },
      ]
    }),
)

function certIDsOf(staple: StapleEvidence): string[] {
  return singleResponsesOf(staple).map(({ certID }) => `${certID.hashAlgorithm} of ${certID.serialNumber.toString(16)}`)
}
