/** Staples for files: responses about a leaf of a test's authority, right and wrong, without a responder. */
import { systemClock } from '../../src/keep/clock.ts'
import { createCertID, type HashAlgorithm, type OcspSigner, signOcspResponse } from '../../src/pki/ocsp/index.ts'
import { makeAnswer } from './answers.ts'
import type { Authority, Leaf } from './authority.ts'
import { type BehaviourOptions, optionsOf, type SignedKind } from './behaviour.ts'

export interface StapleOptions {
  /** Default the issuer itself; a delegate's certificate is carried along. */
  readonly signer?: OcspSigner
  /** Of the certID; default sha1. */
  readonly hashAlgorithm?: HashAlgorithm
  /** Carried along in any case. */
  readonly certificates?: readonly Uint8Array[]
}

/** Makes one; unless told otherwise it is an hour old and counts for a week. */
export function makeStaple(
  authority: Authority,
  leaf: Pick<Leaf, 'certificate' | 'issuer'>,
  behaviour: SignedKind | BehaviourOptions = 'good',
  { signer, hashAlgorithm = 'sha1', certificates = signer ? [signer.certificate.der] : [] }: StapleOptions = {},
): Promise<Uint8Array> {
  const maker = {
    authority,
    clock: systemClock,
    signer: signer ?? authority.intermediate,
    certificates,
    validityMs: 7 * 86_400_000,
    thisUpdateAgeMs: 3_600_000,
  }
  return makeAnswer(maker, optionsOf(behaviour), createCertID(leaf.certificate, leaf.issuer, hashAlgorithm))
}

/** A good one with two entries for the leaf, SHA-1 and SHA-256, as RFC 9919 allows. */
export function makeDualStaple(authority: Authority, leaf: Pick<Leaf, 'certificate' | 'issuer'>): Uint8Array {
  const thisUpdate = new Date(Date.now() - 3_600_000)
  const nextUpdate = new Date(Date.now() + 6 * 86_400_000)
  const responses = (['sha1', 'sha256'] as const).map((hashAlgorithm) => ({
    certID: createCertID(leaf.certificate, leaf.issuer, hashAlgorithm),
    certStatus: 'good' as const,
    thisUpdate,
    nextUpdate,
  }))
  return signOcspResponse({ signer: authority.intermediate, responses, producedAt: thisUpdate })
}
