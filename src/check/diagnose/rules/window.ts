/** The response's window: none at all, or a very long one. */
import { formatSpan, formatTime } from '../../../pki/der/time.ts'
import type { Finding, FindingRule } from '../finding.ts'
import { verifiedStaples } from '../staples.ts'
import { certificateLine, certificateRule, seenLine } from '../words.ts'

export const responseWindow: FindingRule = certificateRule(
  {
    'no-next-update': 'the staple has no nextUpdate, which HAProxy, Envoy and RFC 9919 refuse',
    'window-too-long': 'the staple counts for more than ten days',
  },
  (seen) =>
    verifiedStaples(seen).flatMap(({ staple, verified }): Finding[] => {
      const { thisUpdate, nextUpdate, warnings } = verified
      const facts = [certificateLine(seen), `thisUpdate ${formatTime(thisUpdate)}`, seenLine(staple)]
      if (warnings.some(({ code }) => code === 'no-next-update')) {
        return [
          {
            code: 'no-next-update',
            severity: 'warning',
            title: 'the staple has no nextUpdate',
            meaning:
              'HAProxy and Envoy reject it, clients that keep to RFC 9919 refuse it, and others take it for as long as they like: nothing says when it ends.',
            evidence: facts,
            remedies: [
              {
                text: 'Let the responder state nextUpdate: with `openssl ocsp`, -nmin or -ndays.',
                kind: 'commands',
                lines: [
                  'openssl ocsp -index index.txt -CA ca.pem -rsigner responder.pem -rkey responder-key.pem -port 80 -ndays 4',
                ],
              },
            ],
          },
        ]
      }
      if (nextUpdate === undefined || !warnings.some(({ code }) => code === 'window-too-long')) return []
      return [
        {
          code: 'window-too-long',
          severity: 'info',
          title: `the staple counts for ${formatSpan(nextUpdate.getTime() - thisUpdate.getTime())}, more than ten days`,
          meaning:
            'For so long, somebody with a stolen key can show it after the revocation. Public CAs may not do that; for a private CA it is a choice.',
          evidence: [...facts, `nextUpdate ${formatTime(nextUpdate)}`],
          remedies: [{ text: 'Let the responder give its answers a few days, and serve new ones at half of that.' }],
        },
      ]
    }),
)
