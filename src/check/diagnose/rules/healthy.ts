/** Nothing is wrong: every handshake of every certificate carried a good staple. */
import type { FindingRule } from '../finding.ts'
import { isExpected, isWellStapled, shownOn } from '../staples.ts'
import { certificateLine, countOf } from '../words.ts'

/** Applied only where no other rule found anything wrong. */
export const healthy: FindingRule = {
  codes: { healthy: 'every handshake carried a good staple and nothing else is wrong' },
  find: ({ certificates }) => {
    const expected = certificates.filter(isExpected)
    if (expected.length === 0 || !expected.every(isWellStapled)) return []
    const count = expected.reduce((sum, seen) => sum + shownOn(seen).length, 0)
    return [
      {
        code: 'healthy',
        severity: 'ok',
        title: `stapled and good on all of ${countOf(count, 'connection')}`,
        meaning: 'Every client that asks gets proof that the certificate was not revoked, without asking anybody.',
        evidence: expected.map(certificateLine),
        remedies: [],
      },
    ]
  },
}
