/** A certID given as SHA-256 only, which curl, Java and others do not find. */
import type { FindingRule } from '../finding.ts'
import { remediesFor } from '../remedies.ts'
import { verifiedStaples } from '../staples.ts'
import { certificateLine, certificateRule, seenLine } from '../words.ts'

export const sha256Only: FindingRule = certificateRule(
  { 'sha256-only': 'the certID is SHA-256 alone, which curl, Java, HAProxy and Envoy do not find' },
  (seen, evidence) =>
    verifiedStaples(seen)
      .filter(({ verified }) => verified.warnings.some(({ code }) => code === 'only-sha256'))
      .map(({ staple, verified }) => ({
        code: 'sha256-only' as const,
        severity: 'warning' as const,
        title: `the staple's certID is ${verified.hashAlgorithms.join(' and ')}, not SHA-1`,
        meaning:
          'RFC 9919 wants it so, and Firefox and GnuTLS take it; curl --cert-status and Java refuse the connection, HAProxy and Envoy do not find their certificate in it.',
        evidence: [certificateLine(seen), `certIDs: ${verified.hashAlgorithms.join(', ')}`, seenLine(staple)],
        remedies: [
          {
            text: 'Ask the responder with SHA-1.',
            kind: 'commands',
            lines: ['staplewright fetch fullchain.pem --hash sha1 --out staple.der'],
          },
          ...remediesFor('renew', evidence, seen),
        ],
      })),
)
