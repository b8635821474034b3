/** What the rules read and write while one CRL is judged for one certificate: the evidence so far. */

import type { SignatureScheme } from '../x509/algorithm.ts'
import type { CrlEnvelope } from './certificate-list.ts'
import type { Entries } from './entries.ts'
import type { CrlPolicies } from './options.ts'
import type { CrlWarning } from './verified.ts'

/** A rule finds here what the rules before it established, and leaves what it establishes itself. */
export interface CrlJudgement {
  /** As it was given. */
  readonly given: Uint8Array | CrlEnvelope
  readonly policies: CrlPolicies
  list?: CrlEnvelope
  /** Of the list, each looked at. */
  entries?: Entries
  /** Of its signature, once it is known to be one that counts. */
  scheme?: SignatureScheme
  readonly warnings: CrlWarning[]
}
