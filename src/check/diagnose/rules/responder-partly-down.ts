/** One of several responders does not answer: most servers ask the first that the certificate names, and no other. */
import type { FetchDetail } from '../../../errors.ts'
import type { FindingRule } from '../finding.ts'
import { liveAnswers } from '../live.ts'
import { stageOf, stageText } from '../reach.ts'
import { isWellStapled } from '../staples.ts'
import { certificateLine, certificateRule } from '../words.ts'

export const responderPartlyDown: FindingRule = certificateRule(
  {
    'responder-partly-down':
      'one of the responders that the certificate names does not answer, and nginx, Apache, HAProxy and Caddy ask only the first',
  },
  (seen) => {
    const answer = liveAnswers(seen).find(({ source }) => source === 'ocsp')
    const failures = (answer?.failures ?? []).filter(
      (failure) => stageOf(failure) !== 'answer' && (failure.detail as Partial<FetchDetail>).url !== answer?.url,
    )
    if (answer === undefined || failures.length === 0) return []
    const { responderURLs } = seen.certificate.extensions
    const stages = new Set(failures.map((failure) => stageText(stageOf(failure), failure)))
    return [
      {
        code: 'responder-partly-down',
        severity: isWellStapled(seen) ? 'info' : 'warning',
        title: `one of ${responderURLs.length} responders cannot be reached from here: ${[...stages].join(', ')} failed`,
        meaning:
          'nginx, Apache, HAProxy and Caddy ask only the first that the certificate names: if it is that one, they get no staple, although the CA answers.',
        evidence: [
          certificateLine(seen),
          ...responderURLs.map((url, index) => `responder ${index + 1}: ${url}`),
          ...failures.map(({ code, message }) => `${code}: ${message}`),
          `answered: ${answer.url}`,
        ],
        remedies: [
          {
            server: 'nginx',
            kind: 'configuration',
            text: 'Ask the one that answers.',
            lines: [`ssl_stapling_responder ${pasteable(answer.url)};`],
          },
          {
            server: 'apache',
            kind: 'configuration',
            text: 'Ask the one that answers.',
            lines: [`SSLStaplingForceURL ${pasteable(answer.url)}`],
          },
        ],
      },
    ]
  },
)

/** An address out of a certificate may not end a directive and begin another. */
function pasteable(url: string): string {
  return url.replace(/[^\w.:/?&=%~+-]/g, '')
}
