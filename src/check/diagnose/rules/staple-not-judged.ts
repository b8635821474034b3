/** There is a staple, and no issuer to judge it by. */
import type { FindingRule } from '../finding.ts'
import { shownOn } from '../staples.ts'
import { certificateLine, certificateRule, countOf } from '../words.ts'

export const stapleNotJudged: FindingRule = certificateRule(
  { 'staple-not-judged': 'a staple came, and the issuer that it is to be verified by was not found' },
  (seen) => {
    if (seen.issuer !== undefined || seen.staples.length === 0) return []
    return [
      {
        code: 'staple-not-judged',
        severity: 'unknown',
        title: 'the staple could not be judged: the issuer of the certificate was not found',
        meaning:
          'The server sends no intermediate, so clients that do not have it from elsewhere cannot judge it either.',
        evidence: [
          certificateLine(seen),
          `sent: ${countOf(seen.chain.length, 'certificate')} on ${countOf(shownOn(seen).length, 'connection')}`,
          `caIssuers: ${seen.certificate.extensions.caIssuersURLs.join(', ') || 'none'}`,
          ...(seen.issuerFailure === undefined ? [] : [seen.issuerFailure.message]),
        ],
        remedies: [{ text: 'Let the server send its intermediate, or give it with --ca-file.' }],
      },
    ]
  },
)
