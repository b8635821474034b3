/** Stapled on some handshakes only: by connection, address, key type or TLS version. */

import { isMustStaple } from '../../../pki/x509/certificate.ts'
import type { Evidence } from '../evidence.ts'
import type { FindingRule } from '../finding.ts'
import { remediesFor } from '../remedies.ts'
import { isWarmedUp } from '../server.ts'
import { isAnythingStapled, isStapleable, isStapled, type Shown, shownOn } from '../staples.ts'
import { certificateLine, certificateRule, connectionLines, shareOf } from '../words.ts'

export const stapleMissed: FindingRule = certificateRule(
  {
    'staple-missed-sometimes':
      'some handshakes carry a staple and others do not: by connection, address, key type, TLS version or SNI',
  },
  (seen, evidence) => {
    const shown = shownOn(seen)
    const missed = shown.filter((connection) => !isStapled(connection))
    const hits = shown.length - missed.length
    if (missed.length === 0 || !isStapleable(seen) || !isAnythingStapled(evidence)) return []
    const isDemanded = isMustStaple(seen.certificate)
    // must-staple-without-staple says it.
    if (hits === 0 && isDemanded) return []
    const patterns = patternsOf(evidence)
    const isWarming = isWarmedUp(seen)
    return [
      {
        code: 'staple-missed-sometimes',
        severity: isDemanded ? 'critical' : 'warning',
        title: `not every handshake is stapled: ${shareOf(hits, shown.length)}${summaryOf(patterns, isWarming)}`,
        meaning: isDemanded
          ? 'The certificate demands a staple (Must-Staple): each of those connections fails in Firefox and in every client that keeps to RFC 7633, at random as its user sees it.'
          : 'Those clients ask the CA themselves or go on without knowing; clients that insist on a staple fail at random as their users see it.',
        evidence: [
          certificateLine(seen),
          `hit rate: ${shareOf(hits, shown.length)}`,
          ...(isWarming
            ? ['the first connections went without, the last did not: once per worker, after each start']
            : []),
          ...patterns.map(({ text }) => text),
          ...connectionLines(missed, 'without a staple'),
        ],
        remedies: [
          ...(patterns.some(({ dimension }) => dimension === 'SNI') ? remediesFor('switchOn', evidence, seen) : []),
          ...remediesFor('everyHandshake', evidence, seen),
          ...(patterns.some(({ dimension }) => dimension === 'address')
            ? [
                {
                  text: 'The addresses are served by machines that differ: compare their configuration and their way out.',
                },
              ]
            : []),
        ],
      },
    ]
  },
)

interface Pattern {
  readonly dimension: string
  readonly value: string
  readonly text: string
}

const dimensions: readonly (readonly [string, (connection: Shown) => string])[] = [
  ['address', ({ address }) => address],
  ['TLS version', ({ handshake }) => handshake.version],
  ['key type', ({ handshake }) => handshake.keyFamily],
  ['SNI', ({ offered }) => (offered.serverName === undefined ? 'without SNI' : 'with SNI')],
]

/** The values that miss always, while all others never do. Over all certificates, for a key type is a certificate. */
function patternsOf({ certificates }: Evidence): Pattern[] {
  const shown = certificates.filter(isStapleable).flatMap(shownOn)
  return dimensions.flatMap(([dimension, valueOf]) => {
    const missing = new Set(shown.filter((connection) => !isStapled(connection)).map(valueOf))
    const stapled = new Set(shown.filter(isStapled).map(valueOf))
    if (missing.size === 0 || stapled.size === 0 || [...missing].some((value) => stapled.has(value))) return []
    const value = [...missing].join(', ')
    return [{ dimension, value, text: `by ${dimension}: never ${value}, always ${[...stapled].join(', ')}` }]
  })
}

function summaryOf(patterns: readonly Pattern[], isWarming: boolean): string {
  const [first] = patterns
  if (first !== undefined) return `, never ${first.dimension === 'SNI' ? '' : `with ${first.dimension} `}${first.value}`
  return isWarming ? ', missing on the first ones' : ''
}
