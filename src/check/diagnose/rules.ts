/** Every rule. Their order is that of the reference page and of findings that are equally bad. */
import type { FindingRule } from './finding.ts'
import { connect } from './rules/connect.ts'
import { mustStaple } from './rules/must-staple.ts'
import { noStaple } from './rules/no-staple.ts'
import { stapleEndsSoon } from './rules/staple-ends-soon.ts'
import { stapleMissed } from './rules/staple-missed.ts'
import { stapleRefused } from './rules/staple-refused.ts'
import { stapleRevoked } from './rules/staple-revoked.ts'
import { stapleStale } from './rules/staple-stale.ts'
import { stapleUnknown } from './rules/staple-unknown.ts'
import { stapledError } from './rules/stapled-error.ts'

export const rules: readonly FindingRule[] = [
  connect,
  stapleRevoked,
  mustStaple,
  stapleRefused,
  stapleStale,
  stapleUnknown,
  stapledError,
  noStaple,
  stapleMissed,
  stapleEndsSoon,
]
