/** The delegated responder that signed the staple: its own end, and whether its own status is to be asked. */
import { formatSpan, formatTime } from '../../../pki/der/time.ts'
import type { Finding, FindingRule } from '../finding.ts'
import { type VerifiedStaple, verifiedStaples } from '../staples.ts'
import { certificateLine, certificateRule, momentText } from '../words.ts'

const dayMs = 86_400_000

export const delegate: FindingRule = certificateRule(
  {
    'delegate-ends-soon': "the delegated responder's certificate ends within a week, or before the staple does",
    'delegate-without-nocheck': "the delegated responder's certificate lacks id-pkix-ocsp-nocheck",
  },
  (seen, { at }) =>
    verifiedStaples(seen).flatMap((one) =>
      [endsSoon(one, at), lacksNocheck(one)].flatMap((finding) =>
        finding === undefined ? [] : { ...finding, evidence: [certificateLine(seen), ...finding.evidence] },
      ),
    ),
)

function endsSoon({ verified }: VerifiedStaple, at: Date): Finding | undefined {
  const { certificate, name } = verified.signer
  if (certificate === undefined) return undefined
  const { notBefore, notAfter } = certificate
  const leftMs = notAfter.getTime() - at.getTime()
  const isCapping = notAfter < verified.effectiveNextUpdate
  // Some CAs give their responders a week or two: then the last fifth is soon.
  const soonMs = Math.min(7 * dayMs, (notAfter.getTime() - notBefore.getTime()) / 5)
  if (!isCapping && leftMs >= soonMs) return undefined
  return {
    code: 'delegate-ends-soon',
    severity: leftMs < dayMs ? 'critical' : 'warning',
    title: `the responder's certificate ends in ${formatSpan(leftMs)}${isCapping ? ', before the staple does' : ''}`,
    meaning:
      'From then on strict clients refuse every response that it signed, also those that are not stale, and the server may not notice.',
    evidence: [
      `signed by ${name}, notAfter ${momentText(notAfter, at)}`,
      `nextUpdate of the staple ${formatTime(verified.effectiveNextUpdate)}`,
    ],
    remedies: [
      {
        text: 'The CA must renew the certificate of its responder. Then have the server fetch a response that the new one signed.',
      },
    ],
  }
}

function lacksNocheck({ verified }: VerifiedStaple): Finding | undefined {
  if (!verified.warnings.some(({ code }) => code === 'delegate-without-nocheck')) return undefined
  return {
    code: 'delegate-without-nocheck',
    severity: 'info',
    title: "the responder's certificate lacks id-pkix-ocsp-nocheck",
    meaning:
      'A client may want to know whether the responder itself was revoked, and ask for that, or refuse (RFC 6960 §4.2.2.2.1). Most do neither.',
    evidence: [`signed by ${verified.signer.name}`],
    remedies: [{ text: 'The CA can issue its responder a short-lived certificate with id-pkix-ocsp-nocheck.' }],
  }
}
