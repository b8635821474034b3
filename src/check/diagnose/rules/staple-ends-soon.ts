/** How long the staple still counts: how long an outage of the CA it survives. */
import { formatSpan } from '../../../pki/der/time.ts'
import type { VerifiedOcspResponse } from '../../../pki/ocsp/verify.ts'
import type { FindingRule, Severity } from '../finding.ts'
import { remediesFor } from '../remedies.ts'
import { verifiedStaples } from '../staples.ts'
import { certificateLine, certificateRule, momentText, seenLine } from '../words.ts'

const hourMs = 3_600_000

export const stapleEndsSoon: FindingRule = certificateRule(
  {
    'staple-ends-soon': 'the staple ends within an hour, a day or a weekend, and more than half of its life is over',
    'survives-outage': 'how long an outage of the CA the staple survives, where that is no reason to worry',
  },
  (seen, evidence) => {
    const good = verifiedStaples(seen).filter(({ verified }) => verified.certStatus === 'good')
    // The one that ends first says when the first client goes without.
    const shortest = good.sort((one, other) => +one.verified.usableUntil - +other.verified.usableUntil)[0]
    if (shortest === undefined) return []
    const { verified, staple } = shortest
    const { at } = evidence
    const leftMs = verified.usableUntil.getTime() - at.getTime()
    const facts = [
      certificateLine(seen),
      `thisUpdate ${momentText(verified.thisUpdate, at)}`,
      `counts until ${momentText(verified.usableUntil, at)}`,
      `${Math.round(shareLeft(verified, at) * 100)} % of its life of ${formatSpan(lifeOf(verified))} is left`,
      seenLine(staple),
    ]
    const severity = severityOf(leftMs, shareLeft(verified, at))
    if (severity === undefined) {
      return [
        {
          code: 'survives-outage',
          severity: 'info',
          title: `the staple survives an outage of ${formatSpan(leftMs)}`,
          meaning: 'For so long, clients get a good staple even if nothing new comes from the CA.',
          evidence: facts,
          remedies: [],
        },
      ]
    }
    return [
      {
        code: 'staple-ends-soon',
        severity,
        title: `the staple ends in ${formatSpan(leftMs)}: it survives no longer outage`,
        meaning:
          severity === 'info'
            ? 'A weekend on which nothing new comes from the CA is longer than that. A server that renews at half of the life has more in hand.'
            : 'A server that renews in time has more than half of the life in hand. Either nothing has come from the CA for some time, or the server waits for the last moment; if nothing comes, clients go without from then on.',
        evidence: facts,
        remedies: remediesFor('renew', evidence, seen),
      },
    ]
  },
)

function lifeOf({ thisUpdate, usableUntil }: VerifiedOcspResponse): number {
  return usableUntil.getTime() - thisUpdate.getTime()
}

function shareLeft(verified: VerifiedOcspResponse, at: Date): number {
  return (verified.usableUntil.getTime() - at.getTime()) / Math.max(1, lifeOf(verified))
}

/** Who renews at half of the life, as is good practice, is never blamed for a short one. */
function severityOf(leftMs: number, share: number): Severity | undefined {
  if (share >= 0.4) return undefined
  if (leftMs < hourMs) return 'critical'
  if (leftMs < 24 * hourMs) return 'warning'
  return leftMs < 72 * hourMs ? 'info' : undefined
}
