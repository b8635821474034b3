/** A staple beyond what servers keep: Apache 10,240 bytes, nginx, HAProxy and Node 16 KiB. */
import type { FindingRule } from '../finding.ts'
import { certificateLine, certificateRule, seenLine } from '../words.ts'

/** The largest that each takes, in bytes. */
const limits: readonly (readonly [number, string])[] = [
  [10_240, 'Apache (10,240 bytes)'],
  [16_000, 'nginx, HAProxy and Node (16 KiB with what is around it)'],
]

export const stapleTooLarge: FindingRule = certificateRule(
  { 'staple-too-large': 'the response is larger than Apache (10,240 bytes), or nginx, HAProxy and Node (16 KiB) take' },
  (seen) => {
    const answer = seen.live?.ocsp
    const live = answer !== undefined && 'response' in answer ? answer.response?.der : undefined
    const largest = [
      ...seen.staples.map((staple) => ({ der: staple.der, where: seenLine(staple) })),
      ...(live === undefined ? [] : [{ der: live, where: 'given by the responder now' }]),
    ].sort((one, other) => other.der.length - one.der.length)[0]
    const broken = limits.filter(([limit]) => (largest?.der.length ?? 0) > limit)
    if (largest === undefined || broken.length === 0) return []
    return [
      {
        code: 'staple-too-large',
        severity: 'warning',
        title: `the response has ${largest.der.length} bytes, more than ${broken.map(([, who]) => who).join(' and ')} take`,
        meaning:
          'Those servers drop it without a word, and staple nothing. It also costs each handshake packets and round trips.',
        evidence: [certificateLine(seen), `${largest.der.length} bytes, ${largest.where}`],
        remedies: [
          {
            text: 'Ask the CA for smaller responses: one entry, the certificate of the delegated responder alone and no chain above it.',
          },
        ],
      },
    ]
  },
)
