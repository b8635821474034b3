/** A staple that a strict client refuses, by whichever rule; error statuses, weak signatures and age have rules of their own. */

import { errorTable } from '../../../errors.ts'
import type { CertificateEvidence, Evidence, StapleEvidence } from '../evidence.ts'
import type { FindingRule } from '../finding.ts'
import { remediesFor } from '../remedies.ts'
import { refusalOf, refusalsOf, singleResponsesOf } from '../staples.ts'
import { certificateLine, certificateRule, refusalLines, seenLine, sentence } from '../words.ts'

export const stapleRefused: FindingRule = certificateRule(
  {
    'staple-refused':
      'the staple breaks a rule that every careful client keeps; the evidence names the rule, its clause, the field, what was expected and what was found',
  },
  (seen, evidence) =>
    seen.staples
      .filter((staple) => refusalOf(staple) === 'other')
      .map((staple) => {
        const [first] = refusalsOf(staple)
        const { code = 'ERR_OCSP_MALFORMED' } = first?.error ?? {}
        const { summary, remedy } = errorTable[code]
        const owner = ownerOf(staple, seen, evidence)
        return {
          code: 'staple-refused' as const,
          severity: 'critical' as const,
          title: `the staple is refused by rule ${first?.rule} (${first?.clause}): ${summary}`,
          meaning:
            'Strict clients end the connection, which a missing staple would not have done to most of them; the others learn nothing from it. The server passes on what it did not verify.',
          evidence: [
            certificateLine(seen),
            ...refusalLines(staple),
            ...(owner === undefined ? [] : [`it is about the other ${certificateLine(owner)}`]),
            seenLine(staple),
          ],
          remedies: [{ text: owner === undefined ? sentence(remedy) : apart }, ...remediesFor('renew', evidence, seen)],
        }
      }),
)

const apart =
  'Each certificate needs a staple of its own. nginx staples the one ssl_stapling_file of a server block with all its certificates: give the RSA and the ECDSA certificate a server block each.'

/** The certificate that the staple would be good for, among those that the same target shows. */
function ownerOf(
  staple: StapleEvidence,
  seen: CertificateEvidence,
  { certificates }: Evidence,
): CertificateEvidence | undefined {
  const serials = new Set(singleResponsesOf(staple).map(({ certID }) => certID.serialNumber))
  return certificates.find((other) => other !== seen && serials.has(other.certificate.serialNumber))
}
