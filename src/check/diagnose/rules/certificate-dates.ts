/** The certificate's own dates, and the staple's beside them. */
import { formatTime } from '../../../pki/der/time.ts'
import type { CertificateEvidence, Evidence } from '../evidence.ts'
import type { Finding, FindingRule } from '../finding.ts'
import { verifiedStaples } from '../staples.ts'
import { certificateLine, certificateRule, momentText } from '../words.ts'

const dayMs = 86_400_000

export const certificateDates: FindingRule = certificateRule(
  {
    'certificate-expired': 'the certificate is past its notAfter',
    'certificate-too-young': 'the certificate is before its notBefore',
    'certificate-ends-soon': 'the certificate ends within a week, or within the last fifth of a shorter life',
    'certificate-ends-before-staple': 'the staple outlives the certificate, which Caddy refuses',
  },
  (seen, evidence) => [...outside(seen, evidence), ...besideStaple(seen, evidence)],
)

function outside(seen: CertificateEvidence, { at }: Evidence): Finding[] {
  const { notBefore, notAfter } = seen.certificate
  const facts = [
    certificateLine(seen),
    `notBefore ${momentText(notBefore, at)}`,
    `notAfter ${momentText(notAfter, at)}`,
  ]
  const renew = { text: 'Renew the certificate, put it in place, and see why the renewal did not happen by itself.' }
  if (at > notAfter) {
    return [
      {
        code: 'certificate-expired',
        severity: 'critical',
        title: `the certificate expired ${momentText(notAfter, at)}`,
        meaning: 'Every client refuses it, whatever is stapled. Responders need not answer for it any more.',
        evidence: facts,
        remedies: [renew],
      },
    ]
  }
  if (at < notBefore) {
    return [
      {
        code: 'certificate-too-young',
        severity: 'critical',
        title: `the certificate begins only ${momentText(notBefore, at)}`,
        meaning: 'Every client whose clock is right refuses it until then. Or the clock of this machine is wrong.',
        evidence: facts,
        remedies: [
          { text: 'Compare the clock of this machine with another; else put the former certificate back until then.' },
        ],
      },
    ]
  }
  const lifeMs = notAfter.getTime() - notBefore.getTime()
  const leftMs = notAfter.getTime() - at.getTime()
  // A certificate of six days is renewed with two or three left.
  if (leftMs >= Math.min(7 * dayMs, lifeMs / 5)) return []
  return [
    {
      code: 'certificate-ends-soon',
      severity: leftMs < Math.min(dayMs, lifeMs / 20) ? 'critical' : 'warning',
      title: `the certificate expires ${momentText(notAfter, at)}`,
      meaning: 'Automatic renewals come well before that: one has probably failed.',
      evidence: facts,
      remedies: [renew],
    },
  ]
}

function besideStaple(seen: CertificateEvidence, { at }: Evidence): Finding[] {
  const { notAfter } = seen.certificate
  const longest = verifiedStaples(seen).find(({ verified }) => verified.effectiveNextUpdate > notAfter)
  if (longest === undefined || at > notAfter) return []
  return [
    {
      code: 'certificate-ends-before-staple',
      severity: 'info',
      title: 'the certificate ends before its staple does',
      meaning: 'Harmless to clients. Caddy refuses to staple a response that outlives its certificate.',
      evidence: [
        certificateLine(seen),
        `notAfter ${formatTime(notAfter)}`,
        `nextUpdate ${formatTime(longest.verified.effectiveNextUpdate)}`,
      ],
      remedies: [],
    },
  ]
}
