/** Refused peers in words: who, by which policy, what was found. */
import { type ErrorDetail, StapleError } from '../../errors.ts'
import { formatTime } from '../../pki/der/time.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import { certificateKey } from '../../pki/x509/crypto.ts'
import { formatName } from '../../pki/x509/name.ts'
import type { PeerPolicy } from './contract.ts'

/** Who is refused. */
export interface Subject {
  /** As the caller named it: `example.com:443`. */
  readonly peer: string
  readonly policy: PeerPolicy
  readonly certificate: Certificate
}

type RefusalCode =
  | 'ERR_PEER_NO_STAPLE'
  | 'ERR_PEER_MUST_STAPLE'
  | 'ERR_PEER_STAPLE_REFUSED'
  | 'ERR_PEER_REVOKED'
  | 'ERR_PEER_STATUS_UNKNOWN'
  | 'ERR_PEER_UNVERIFIED'

export function peerError(
  code: RefusalCode,
  { peer, policy, certificate }: Subject,
  found: string,
  expected: string,
  cause?: unknown,
): StapleError {
  const detail = {
    peer,
    policy,
    certificate: formatName(certificate.subject),
    certificateKey: certificateKey(certificate.der),
    found,
    expected,
  }
  const message = `${peer}: ${found}, expected ${expected} (policy ${policy})`
  return new StapleError(code, message, detail as ErrorDetail<RefusalCode>, cause === undefined ? {} : { cause })
}

/** What says that it is revoked. */
export interface Revocation {
  readonly revocationTime?: Date
  readonly revocationReason?: string
}

export function revokedError(subject: Subject, who: string, revocation: Revocation): StapleError {
  const { revocationTime, revocationReason } = revocation
  const since = revocationTime === undefined ? '' : ` since ${formatTime(revocationTime)}`
  const why = revocationReason === undefined ? '' : ` (${revocationReason})`
  const name = formatName(subject.certificate.subject)
  return peerError('ERR_PEER_REVOKED', subject, `${name} is revoked${since}${why}, says ${who}`, 'a good certificate')
}
