/** What may be sent in a handshake, judged at its moment; and how a judgement is kept for the handshakes after it. */
import { judgeState, type ServableSnapshot, type StapleState } from './entry.ts'
import { isServable, servableFrom, type Window, withdrawAt } from './window.ts'

/** What may be sent for one certificate at one moment. */
export interface Servable {
  /** The exact bytes, a Buffer underneath; absent where a strict client would refuse them, or soon would. */
  readonly staple?: Uint8Array
  /** Of `staple`. */
  readonly certStatus?: 'good' | 'revoked'
  /** A verified `unknown` still in its window, for those whose policy staples it. */
  readonly unknown?: Uint8Array
  /** A verified revocation is held, whether it can be stapled or not. */
  readonly isRevoked: boolean
  readonly stapleState: StapleState
}

/** A judgement, and from when until when it stays the same. */
export interface View {
  readonly servable: Servable
  readonly from: number
  readonly until: number
}

/** Judges an entry, or its snapshot, at a moment. */
export function viewEntry(entry: ServableSnapshot, now: number): View {
  const { held, unknown } = entry
  const boundaries = [...edges(held), ...edges(unknown), ...(entry.dueAt === undefined ? [] : [entry.dueAt])]
  return {
    servable: {
      ...(held !== undefined &&
        isServable(held, now) && {
          staple: held.der,
          certStatus: held.certStatus === 'revoked' ? ('revoked' as const) : ('good' as const),
        }),
      ...(unknown !== undefined && isServable(unknown, now) && { unknown: unknown.der }),
      isRevoked: entry.revocation !== undefined,
      stapleState: judgeState(entry, now),
    },
    from: Math.max(-Infinity, ...boundaries.filter((edge) => edge <= now)),
    until: Math.min(Number.POSITIVE_INFINITY, ...boundaries.filter((edge) => edge > now)),
  }
}

/** What is told of a certificate that is not kept. */
export const nothingServable: Servable = { isRevoked: false, stapleState: 'missing' }

function edges(window: Window | undefined): number[] {
  return window === undefined ? [] : [servableFrom(window), withdrawAt(window)]
}
