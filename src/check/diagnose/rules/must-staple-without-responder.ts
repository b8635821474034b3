/** Must-Staple from a CA that has stopped OCSP: what clients demand cannot be had. */

import { isMustStaple } from '../../../pki/x509/certificate.ts'
import type { FindingRule } from '../finding.ts'
import { isStapleable } from '../staples.ts'
import { certificateLine, certificateRule } from '../words.ts'

export const mustStapleWithoutResponder: FindingRule = certificateRule(
  { 'must-staple-without-responder': 'the certificate demands a staple and names no responder to have one from' },
  (seen) => {
    if (!isMustStaple(seen.certificate) || isStapleable(seen) || seen.staples.length > 0) return []
    return [
      {
        code: 'must-staple-without-responder',
        severity: 'critical',
        title: 'the certificate demands a staple (Must-Staple), and names no responder to have one from',
        meaning:
          'Firefox and other clients that keep to RFC 7633 refuse every connection, and no setting of the server can mend it. The CA has stopped OCSP, or never had it for this certificate.',
        evidence: [
          certificateLine(seen),
          'TLS feature extension: status_request (5), RFC 7633',
          'authorityInfoAccess: no id-ad-ocsp',
        ],
        remedies: [
          {
            text: 'Have a certificate without Must-Staple issued: take --must-staple (certbot), MDMustStaple (Apache) or must_staple (Caddy) out of the order, and renew.',
          },
          {
            text: 'If it is your own CA, with a responder that the certificate does not name: tell the server where it is.',
            lines: ['ocsp { mode: always, url: "http://ocsp.example.net" }'],
            kind: 'configuration',
          },
        ],
      },
    ]
  },
)
