/** Every rule. Their order is that of the reference page and of findings that are equally bad. */
import type { FindingRule } from './finding.ts'
import { caNotAsked } from './rules/ca-not-asked.ts'
import { caUnreachable } from './rules/ca-unreachable.ts'
import { certificateDates } from './rules/certificate-dates.ts'
import { certificateUnreadable } from './rules/certificate-unreadable.ts'
import { chain } from './rules/chain.ts'
import { clockWrong } from './rules/clock-wrong.ts'
import { connect } from './rules/connect.ts'
import { delegate } from './rules/delegate.ts'
import { mustStaple } from './rules/must-staple.ts'
import { mustStapleWithoutResponder } from './rules/must-staple-without-responder.ts'
import { noStaple } from './rules/no-staple.ts'
import { nothingToStaple } from './rules/nothing-to-staple.ts'
import { responderPartlyDown } from './rules/responder-partly-down.ts'
import { revokedNow } from './rules/revoked-now.ts'
import { severalSingleResponses } from './rules/several-single-responses.ts'
import { sha256Only } from './rules/sha256-only.ts'
import { stack } from './rules/stack.ts'
import { stapleEndsSoon } from './rules/staple-ends-soon.ts'
import { stapleMissed } from './rules/staple-missed.ts'
import { stapleNotJudged } from './rules/staple-not-judged.ts'
import { stapleOlder } from './rules/staple-older.ts'
import { stapleRefused } from './rules/staple-refused.ts'
import { stapleRevoked } from './rules/staple-revoked.ts'
import { stapleStale } from './rules/staple-stale.ts'
import { stapleTooLarge } from './rules/staple-too-large.ts'
import { stapleUnknown } from './rules/staple-unknown.ts'
import { stapledError } from './rules/stapled-error.ts'
import { weakSignature } from './rules/weak-signature.ts'
import { responseWindow } from './rules/window.ts'

export const rules: readonly FindingRule[] = [
  connect,
  certificateUnreadable,
  certificateDates,
  chain,
  stapleRevoked,
  revokedNow,
  mustStaple,
  mustStapleWithoutResponder,
  stapleRefused,
  weakSignature,
  stapleStale,
  stapleUnknown,
  stapledError,
  stapleNotJudged,
  noStaple,
  stapleMissed,
  stapleEndsSoon,
  stapleOlder,
  delegate,
  responseWindow,
  sha256Only,
  severalSingleResponses,
  stapleTooLarge,
  clockWrong,
  caUnreachable,
  responderPartlyDown,
  caNotAsked,
  nothingToStaple,
  stack,
]
