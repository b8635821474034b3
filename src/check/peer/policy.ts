/**
 * The policies as one table: what follows from what was stapled, before anybody is asked.
 *
 * docs/guide/verifying-client.md shows the same table; every cell has its test.
 */
import type { PeerPolicy } from './contract.ts'
import type { StapleFinding } from './staple.ts'

/** `ask`: the CA's answer decides. */
export type Consequence = 'accept' | 'refuse' | 'ask'

type Cells = Readonly<Record<StapleFinding['kind'], Consequence>>

/** Where the certificate demands a staple (RFC 7633). */
const demanded: Readonly<Record<PeerPolicy, Cells>> = {
  require: { good: 'accept', revoked: 'refuse', unknown: 'refuse', refused: 'refuse', none: 'refuse' },
  mustStaple: { good: 'accept', revoked: 'refuse', unknown: 'refuse', refused: 'refuse', none: 'refuse' },
  'staple-or-ask': { good: 'accept', revoked: 'refuse', unknown: 'ask', refused: 'ask', none: 'ask' },
  soft: { good: 'accept', revoked: 'refuse', unknown: 'ask', refused: 'ask', none: 'ask' },
}

/** Where it does not. RFC 6066 §8 has a client abort when what was stapled is not satisfactory, so only absence is forgiven. */
const free: Readonly<Record<PeerPolicy, Cells>> = {
  ...demanded,
  mustStaple: { ...demanded.mustStaple, none: 'accept' },
}

export function consequenceOf(policy: PeerPolicy, isMustStaple: boolean, kind: StapleFinding['kind']): Consequence {
  return (isMustStaple ? demanded : free)[policy][kind]
}

/** Whether what the CA could not say is refused. */
export function isHard(policy: PeerPolicy): boolean {
  return policy !== 'soft'
}

/** Every policy, for checking what a caller wrote. */
export const peerPolicies: readonly string[] = Object.keys(demanded)
