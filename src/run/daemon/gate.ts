/**
 * The gate: a new certificate takes the place of an old one when its staple is there, so that a renewal never costs a
 * client its staple. Pure: what is known of both, in; open or waiting, out.
 */
import type { EntryStatus, Servable } from '../../keep/keeper/index.ts'
import { judgeStop, type Policies, type StopReason } from '../../serve/attach/policy.ts'

export interface GateQuestion {
  readonly now: Date
  /** Since when the new certificate has been waiting. */
  readonly since: Date
  readonly gateMarginMs: number
  readonly startTimeoutMs: number
  readonly policies: Policies
  readonly wanted: {
    /** Whether the mode staples it. */
    readonly isStapled: boolean
    readonly isMustStaple: boolean
    readonly entry: EntryStatus | undefined
    readonly servable: Servable
  }
  readonly old: { readonly notAfter: Date; readonly servable: Servable }
}

export type GateVerdict =
  | { readonly kind: 'open' }
  /** `deadline`: when it opens even without a staple; absent: never. */
  | { readonly kind: 'waiting'; readonly cause: string; readonly deadline?: Date }

/** Decides for one certificate that has another one to replace. */
export function decideGate({ now, since, wanted, old, policies, ...limits }: GateQuestion): GateVerdict {
  const { entry, servable } = wanted
  if (!wanted.isStapled || entry === undefined || entry.stapleState === 'unsupported') return open
  // Never shown, and never a reason to stop: the old one is what clients have.
  const refusal = servable.isRevoked ? 'revoked' : judgeStop(servable, policies)
  if (refusal !== undefined) return { kind: 'waiting', cause: refusals[refusal] }
  if (servable.staple !== undefined) return open
  if (servable.unknown !== undefined && policies.onUnknown === 'staple') return open
  // Nothing is gained by waiting behind a certificate that serves clients no better.
  if (old.servable.isRevoked || old.servable.staple === undefined) return open
  const closesAt = old.notAfter.getTime() - limits.gateMarginMs
  const deadline = wanted.isMustStaple ? closesAt : Math.min(closesAt, since.getTime() + limits.startTimeoutMs)
  if (now.getTime() >= deadline) return open
  const cause = entry.lastError ? entry.lastError.message : 'its staple has not come yet'
  return { kind: 'waiting', cause, deadline: new Date(deadline) }
}

const open: GateVerdict = { kind: 'open' }

const refusals: Readonly<Record<StopReason, string>> = {
  revoked: 'it is revoked',
  unknown: 'the responder does not know it (on_unknown: stop)',
}
