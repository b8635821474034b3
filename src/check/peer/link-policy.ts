/**
 * What follows from what was learned of one certificate of a client's chain: nats-server's table for `ocsp_peer`, cell by
 * cell (docs/guide/mtls.md shows it; a test tries each).
 */
import { isStapleError, type StapleError } from '../../errors.ts'

export type LinkReason =
  | 'good'
  /** It does not say where its status can be asked. */
  | 'no-responder'
  /** No answer came: nobody there, an HTTP error, no time left. */
  | 'unavailable'
  /** Something came, and proves nothing: damaged, unsigned, by nobody entitled, out of date. */
  | 'answer-refused'
  | 'unknown'
  /** No answer came, and the last one, out of date by now, said that it is revoked. */
  | 'was-revoked'
  | 'revoked'
  /** No path of signatures leads to a CA that counts. */
  | 'unproven'

/** nats-server's switches, and one of our own. All are off by default, but that a certificate need name no responder. */
export interface LinkSwitches {
  /** Accept everybody; the verdict says who would have been refused. */
  readonly isWarnOnly?: boolean
  /** Accept whom the responder does not know. */
  readonly isUnknownGood?: boolean
  /** Accept about whom nobody can be asked, unless the last that was heard is that it is revoked. */
  readonly isUnreachableAllowed?: boolean
  /** What of a certificate that does not say where its status can be asked; default `allow`. */
  readonly whenNoResponder?: 'allow' | 'refuse'
}

/** The switch that lets a reason pass; warn_only wins over the others, as in nats-server. */
export function excuseFor(reason: LinkReason, switches: LinkSwitches): keyof LinkSwitches | undefined {
  if (switches.isWarnOnly) return 'isWarnOnly'
  if (reason === 'unknown' && switches.isUnknownGood) return 'isUnknownGood'
  if (reason === 'unavailable' && switches.isUnreachableAllowed) return 'isUnreachableAllowed'
  return undefined
}

/** Why no answer counts: whether nobody answered, or what came proves nothing. */
export function reasonOf(failure: StapleError): LinkReason {
  if (isStapleError(failure, 'ERR_PEER_REVOKED')) return 'was-revoked'
  if (!isStapleError(failure, 'ERR_PEER_STATUS_UNAVAILABLE')) return 'unavailable'
  return failure.detail.causes.some(isAboutAnswer) ? 'answer-refused' : 'unavailable'
}

/** The worst decides what is said of a chain. */
export function rankOf(reason: LinkReason): number {
  return order.indexOf(reason)
}

const order: readonly LinkReason[] = [
  'good',
  'no-responder',
  'unavailable',
  'answer-refused',
  'unknown',
  'was-revoked',
  'revoked',
  'unproven',
]

function isAboutAnswer({ code }: StapleError): boolean {
  return /^ERR_(OCSP|CRL|DER|X509)_/.test(code) || code === 'ERR_FETCH_CONTENT_TYPE' || code === 'ERR_FETCH_TOO_LARGE'
}
