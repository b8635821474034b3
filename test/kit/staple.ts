/** Staples for files: responses about a leaf of a test's authority, right and wrong, without a responder. */
import { systemClock } from '../../src/keep/clock.ts'
import { createCertID } from '../../src/pki/ocsp/index.ts'
import { makeAnswer } from './answers.ts'
import type { Authority, Leaf } from './authority.ts'
import { type BehaviourOptions, optionsOf, type SignedKind } from './behaviour.ts'

/** Makes one; unless told otherwise it is an hour old and counts for a week. */
export function makeStaple(
  authority: Authority,
  leaf: Pick<Leaf, 'certificate' | 'issuer'>,
  behaviour: SignedKind | BehaviourOptions = 'good',
): Promise<Uint8Array> {
  const certID = createCertID(leaf.certificate, leaf.issuer, 'sha1')
  return makeAnswer(
    {
      authority,
      clock: systemClock,
      signer: authority.intermediate,
      validityMs: 7 * 86_400_000,
      thisUpdateAgeMs: 3_600_000,
    },
    optionsOf(behaviour),
    certID,
  )
}
