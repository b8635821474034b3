/** Two entries in one response, as RFC 9919 allows, and four servers do not read. */

import type { FindingRule } from '../finding.ts'
import { liveAnswers } from '../live.ts'
import { singleResponsesOf } from '../staples.ts'
import { certificateLine, certificateRule, seenLine } from '../words.ts'

export const severalSingleResponses: FindingRule = certificateRule(
  {
    'several-single-responses': 'the response has several entries, which HAProxy, Envoy, Caddy and nats-server reject',
  },
  (seen) => {
    // Where a server rejects it, only what the responder gives shows why nothing is stapled.
    const given = liveAnswers(seen).flatMap(({ response }) => (response === undefined ? [] : [response.der]))
    const responses = [
      ...seen.staples.map((staple) => ({ der: staple.der, what: 'the staple', where: seenLine(staple) })),
      ...given.map((der) => ({ der, what: "the responder's answer", where: 'given by the responder now' })),
    ]
    const first = responses.find(({ der }) => certIDsOf(der).length > 1)
    if (first === undefined) return []
    const certIDs = certIDsOf(first.der)
    return [
      {
        code: 'several-single-responses',
        severity: 'warning',
        title: `${first.what} holds ${certIDs.length} singleResponses`,
        meaning:
          'HAProxy, Envoy, Caddy and nats-server reject such a response and staple nothing; some clients look at the first entry only. Other servers pass it on.',
        evidence: [certificateLine(seen), `certIDs: ${certIDs.join(', ')}`, first.where],
        remedies: [
          {
            text: 'Ask the responder about the SHA-1 certID alone: it may then answer with that one. Staplewright does so for what it staples.',
            kind: 'configuration',
            lines: ['responders { "http://ocsp.example.net": { hash: sha1 } }'],
          },
        ],
      },
    ]
  },
)

function certIDsOf(der: Uint8Array): string[] {
  return singleResponsesOf({ der }).map(
    ({ certID }) => `${certID.hashAlgorithm} of ${certID.serialNumber.toString(16)}`,
  )
}
