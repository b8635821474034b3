/**
 * The modes of nats-server and the policies for what they leave out, as pure functions: no server, no clock.
 *
 * `attach`, the terminator and the daemon all decide here, so they cannot disagree. What a decision does to a
 * connection is in status-listener.ts and the terminator's front.ts; when the daemon opens its doors (`onStart`) is in
 * run/daemon.
 */
import type { Servable } from '../../keep/keeper/index.ts'
import { type Certificate, isMustStaple } from '../../pki/x509/certificate.ts'

/** Which certificates are stapled, and how strictly: nats-server's four modes. */
export type Mode = 'auto' | 'must' | 'always' | 'never'

/** What the modes leave out; {@link defaultPolicies} gives each its default. */
export interface Policies {
  /** Before every staple is in: open anyway after a time, stay closed, or end. */
  readonly onStart: 'prefer' | 'require' | 'exit'
  /** A signed revocation is held: staple it, serve nothing, stop everything, or stop showing that certificate. */
  readonly onRevoked: 'staple' | 'withhold' | 'stop' | 'stop-site'
  /** The responder says `unknown`: go on with the last good staple, staple the `unknown`, or stop everything. */
  readonly onUnknown: 'keep' | 'staple' | 'stop'
  /** No staple may be served: shake hands without one, or refuse. */
  readonly onStale: 'unstapled' | 'refuse'
}

/** Why a handshake is refused, or everything is to stop. */
export type StopReason = 'revoked' | 'unknown'
export type RefusalReason = 'revoked' | 'no-staple'

/** What a handshake gets. */
export type Verdict =
  | { readonly kind: 'staple'; readonly staple: Uint8Array }
  | { readonly kind: 'none' }
  | { readonly kind: 'refuse'; readonly reason: RefusalReason }

/** The policies of a mode where nobody said otherwise. */
export function defaultPolicies(mode: Mode): Policies {
  return {
    onStart: mode === 'must' ? 'require' : 'prefer',
    onRevoked: mode === 'must' || mode === 'always' ? 'stop' : 'staple',
    onUnknown: 'keep',
    onStale: 'unstapled',
  }
}

/**
 * Tells whether a mode staples a certificate at all.
 *
 * @see RFC 7633 (Must-Staple: the TLS feature extension with status_request)
 */
export function isStapled(mode: Mode, certificate: Certificate): boolean {
  return mode === 'always' || (mode !== 'never' && isMustStaple(certificate))
}

/**
 * Decides what one handshake on a stapled certificate gets, from what the keeper holds at this moment.
 *
 * A `good` staple is never served beside a verified revocation, and `stop` staples the truth until the doors are
 * closed: a client that comes in between should know.
 */
export function judgeHandshake(servable: Servable, policies: Policies): Verdict {
  if (servable.isRevoked) {
    if (policies.onRevoked === 'stop-site') return refuseRevoked
    if (policies.onRevoked === 'withhold') return none
    if (servable.staple !== undefined && servable.certStatus === 'revoked') return stapled(servable.staple)
    return policies.onStale === 'refuse' ? refuseUnstapled : none
  }
  if (servable.unknown !== undefined && policies.onUnknown === 'staple') return stapled(servable.unknown)
  if (servable.staple !== undefined) return stapled(servable.staple)
  // A certificate that can have no staple is a normal, quiet state: there is nothing to wait for.
  if (servable.stapleState === 'unsupported') return none
  return policies.onStale === 'refuse' ? refuseUnstapled : none
}

/** Why everything is to stop, by the policies; undefined while nothing says so. */
export function judgeStop(servable: Servable, policies: Policies): StopReason | undefined {
  if (servable.isRevoked) return policies.onRevoked === 'stop' ? 'revoked' : undefined
  return servable.stapleState === 'unknown' && policies.onUnknown === 'stop' ? 'unknown' : undefined
}

/** Tells whether some state of the keeper makes these policies refuse a handshake. */
export function isRefusing(policies: Policies): boolean {
  return policies.onStale === 'refuse' || policies.onRevoked === 'stop-site'
}

/**
 * The most that is ever stapled. Above it a TLS 1.2 client ends the handshake, because the message is too long.
 *
 * Node reports it as `ERR_SSL_EXCESSIVE_MESSAGE_SIZE`.
 */
export const largestStapleBytes = 16_384

const none: Verdict = { kind: 'none' }
const refuseRevoked: Verdict = { kind: 'refuse', reason: 'revoked' }
const refuseUnstapled: Verdict = { kind: 'refuse', reason: 'no-staple' }

function stapled(staple: Uint8Array): Verdict {
  return staple.length > largestStapleBytes ? none : { kind: 'staple', staple }
}
