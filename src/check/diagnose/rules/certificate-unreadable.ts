/** A certificate that TLS took, and that is not as RFC 5280 has it. */
import type { FindingRule } from '../finding.ts'
import { connectionLines } from '../words.ts'

export const certificateUnreadable: FindingRule = {
  codes: { 'certificate-unreadable': 'a certificate was shown that cannot be decoded by RFC 5280' },
  find: ({ unreadable }) =>
    unreadable.map(({ error, connections }) => ({
      code: 'certificate-unreadable',
      severity: 'unknown',
      title: 'the certificate that was shown cannot be read',
      meaning: 'Node let it pass; strict clients may not. Nothing could be learned of its staple.',
      evidence: [`${error.code}: ${error.message}`, ...connectionLines(connections, 'shown on')],
      remedies: [{ text: 'Have the certificate issued again, by a CA that keeps to RFC 5280.' }],
    })),
}
