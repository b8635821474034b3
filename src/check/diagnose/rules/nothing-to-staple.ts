/** There is no OCSP for this certificate, and that is fine: Let's Encrypt, short-lived certificates, noRevAvail. */

import { formatSpan } from '../../../pki/der/time.ts'
import { type Certificate, isMustStaple } from '../../../pki/x509/certificate.ts'
import { formatName } from '../../../pki/x509/name.ts'
import type { FindingRule } from '../finding.ts'
import { remediesFor } from '../remedies.ts'
import { certificateLine, certificateRule } from '../words.ts'

const dayMs = 86_400_000

export const nothingToStaple: FindingRule = certificateRule(
  {
    'nothing-to-staple':
      "the certificate names no responder (Let's Encrypt, short-lived) or says noRevAvail: nothing is wrong",
  },
  (seen, evidence) => {
    const { certificate, staples } = seen
    const { responderURLs, noRevAvail } = certificate.extensions
    if (isMustStaple(certificate) || staples.length > 0) return []
    if (responderURLs.length > 0 && !noRevAvail) return []
    return [
      {
        code: 'nothing-to-staple',
        severity: 'info',
        title: `there is nothing to staple: ${reasonOf(certificate)}`,
        meaning: noRevAvail
          ? 'The CA publishes no revocations for it; it ends before one would matter.'
          : 'Clients learn of a revocation by CRLs and the lists that browsers make of them. Nothing is wrong with the server.',
        evidence: [
          certificateLine(seen),
          `responders: ${responderURLs.join(', ') || 'none'}`,
          `life: ${formatSpan(lifeOf(certificate))}${noRevAvail ? '; noRevAvail (RFC 9608)' : ''}`,
          ...(noRevAvail && responderURLs.length > 0
            ? ['it names a responder and says noRevAvail, which RFC 9608 §3 does not allow: tell the CA']
            : []),
        ],
        remedies: [
          { text: 'None is needed. Where stapling is switched on for it, switch it off.' },
          ...remediesFor('switchOff', evidence, seen),
        ],
      },
    ]
  },
)

function reasonOf(certificate: Certificate): string {
  if (certificate.extensions.noRevAvail)
    return 'the certificate says that there is no revocation information (noRevAvail)'
  if (/(^|,)O=Let's Encrypt(,|$)/.test(formatName(certificate.issuer))) {
    return "Let's Encrypt has no OCSP responder since August 2025"
  }
  if (lifeOf(certificate) <= 10 * dayMs) {
    return `the certificate is short-lived (${formatSpan(lifeOf(certificate))}) and names no responder`
  }
  return 'the certificate names no OCSP responder'
}

function lifeOf({ notBefore, notAfter }: Certificate): number {
  return notAfter.getTime() - notBefore.getTime()
}
