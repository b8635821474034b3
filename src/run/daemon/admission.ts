/**
 * When the doors may open: the start policies of the `ocsp` modes.
 *
 * `decideAdmission` is pure: what is known of every certificate, in; open, wait or end, out. `awaitAdmission` asks it
 * again at every event of the keeper until it says something other than wait.
 */
import type { Clock } from '../../keep/clock.ts'
import type { EntryStatus, Keeper, Servable } from '../../keep/keeper/index.ts'
import type { Policies } from '../../serve/attach/policy.ts'
import { ExitCode } from './exit-code.ts'

/** One certificate that the mode staples, and the policies of its site. */
export interface Awaited {
  readonly certificateKey: string
  readonly label: string
  readonly policies: Policies
}

/** What is known of it at this moment. */
export interface Known {
  readonly awaited: Awaited
  readonly entry: EntryStatus
  readonly servable: Servable
}

export type Admission =
  | { readonly kind: 'open'; readonly missing: readonly EntryStatus[] }
  | { readonly kind: 'wait'; readonly missing: readonly EntryStatus[] }
  | { readonly kind: 'end'; readonly exitCode: ExitCode; readonly because: string }

/** Decides from what is known now. `isLate`: start_timeout has passed. */
export function decideAdmission(known: readonly Known[], isLate: boolean): Admission {
  const missing: EntryStatus[] = []
  let mustWait = false
  for (const { awaited, entry, servable } of known) {
    const { onStart, onRevoked, onUnknown } = awaited.policies
    if (entry.stapleState === 'revoked' && onRevoked === 'stop') {
      // A stored revocation may have been lifted since: it is asked once more before the run ends for it.
      if (entry.source === 'network' || hasAsked(entry) || isLate) {
        return { kind: 'end', exitCode: ExitCode.revoked, because: `${awaited.label} is revoked` }
      }
      mustWait = true
      continue
    }
    if (entry.stapleState === 'unknown' && onUnknown === 'stop') {
      return { kind: 'end', exitCode: ExitCode.revoked, because: `the responder does not know ${awaited.label}` }
    }
    if (entry.stapleState === 'unsupported') {
      if (onStart !== 'prefer') {
        const because = `${awaited.label} can never be stapled: ${entry.unsupportedReason ?? 'it names no responder'}`
        return { kind: 'end', exitCode: ExitCode.noStaple, because }
      }
      missing.push(entry)
      continue
    }
    if (isIn(servable, onUnknown)) continue
    missing.push(entry)
    if (onStart === 'require' || !isLate) mustWait = true
    if (onStart === 'exit' && isLate) {
      const because = `no staple for ${awaited.label}${entry.lastError ? `: ${entry.lastError.message}` : ''}`
      return { kind: 'end', exitCode: ExitCode.noStaple, because }
    }
  }
  return { kind: mustWait ? 'wait' : 'open', missing }
}

/**
 * Waits until the doors may open or the run must end.
 *
 * @param said - called once, when start_timeout has passed and the doors stay closed
 */
export async function awaitAdmission(
  options: {
    readonly keeper: Keeper
    readonly clock: Clock
    readonly startTimeoutMs: number
    readonly signal: AbortSignal
  },
  awaited: readonly Awaited[],
  said: (missing: readonly EntryStatus[]) => void,
): Promise<Admission> {
  const { keeper, clock, startTimeoutMs, signal } = options
  const decide = (isLate: boolean): Admission =>
    decideAdmission(
      awaited.flatMap((one) => {
        const entry = keeper.entry(one.certificateKey)
        return entry ? [{ awaited: one, entry, servable: keeper.servable(one.certificateKey) }] : []
      }),
      isLate,
    )
  return await new Promise((resolve) => {
    let isLate = false
    let isEnded = false
    const end = (admission: Admission) => {
      if (isEnded) return
      isEnded = true
      cancelDeadline()
      unsubscribe()
      signal.removeEventListener('abort', abort)
      resolve(admission)
    }
    const look = () => {
      const admission = decide(isLate)
      if (admission.kind !== 'wait') end(admission)
    }
    const abort = () => end({ kind: 'end', exitCode: ExitCode.ok, because: 'asked to stop before the doors opened' })
    const unsubscribe = keeper.subscribe(look)
    const cancelDeadline = clock.wake(startTimeoutMs, () => {
      isLate = true
      look()
      if (!isEnded) said(decide(true).kind === 'wait' ? missingOf(decide(true)) : [])
    })
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    else look()
  })
}

/** A staple that may be served now is in; a verified revocation, or an `unknown` that is to be stapled, is an answer too. */
function isIn({ staple, isRevoked, unknown }: Servable, onUnknown: Policies['onUnknown']): boolean {
  return staple !== undefined || isRevoked || (unknown !== undefined && onUnknown === 'staple')
}

function hasAsked(entry: EntryStatus): boolean {
  return entry.lastError !== undefined || entry.lastFetch !== undefined
}

function missingOf(admission: Admission): readonly EntryStatus[] {
  return admission.kind === 'end' ? [] : admission.missing
}
