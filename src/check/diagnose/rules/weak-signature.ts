/** SHA-1 or MD5 in the signature of the staple, and nothing else wrong with it. */
import type { FindingRule } from '../finding.ts'
import { refusalOf } from '../staples.ts'
import { certificateLine, certificateRule, refusalLines, seenLine } from '../words.ts'

export const weakSignature: FindingRule = certificateRule(
  { 'weak-signature': 'the response, or the certificate of its signer, is signed with SHA-1 or MD5' },
  (seen) =>
    seen.staples
      .filter((staple) => refusalOf(staple) === 'weak')
      .map((staple) => ({
        code: 'weak-signature' as const,
        severity: 'critical' as const,
        title: 'the staple is signed with an algorithm that proves nothing today',
        meaning:
          'It proves nothing: what SHA-1 or MD5 sums up can be replaced. Strict clients refuse it, and public CAs may not sign so since June 2022 (BR §7.1.3.2).',
        evidence: [certificateLine(seen), ...refusalLines(staple), seenLine(staple)],
        remedies: [
          {
            text: 'Let the responder sign with SHA-256: with `openssl ocsp`, -rmd sha256.',
            kind: 'commands',
            lines: [
              'openssl ocsp -index index.txt -CA ca.pem -rsigner responder.pem -rkey responder-key.pem -port 80 -rmd sha256',
            ],
          },
        ],
      })),
)
