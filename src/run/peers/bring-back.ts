/** A response that rested on disk, or outlived its window: what it is worth now. Pure. */
import { StapleError } from '../../errors.ts'
import { formatTime } from '../../pki/der/time.ts'
import type { VerifyOptions } from '../../pki/ocsp/options.ts'
import { decodeOcspResponse } from '../../pki/ocsp/response.ts'
import { type VerifiedOcspResponse, verifyOcspResponse } from '../../pki/ocsp/verify.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import { formatName } from '../../pki/x509/name.ts'

export type BroughtBack =
  | { readonly kind: 'counts'; readonly response: VerifiedOcspResponse }
  /** It is genuine and out of date, and the last that was heard. */
  | Revocation
  | { readonly kind: 'nothing' }

export interface Revocation {
  readonly kind: 'was-revoked'
  readonly thisUpdate: Date
  readonly revocationTime?: Date
}

/** Verifies a response again, now and, where its time is over, in its own time. */
export function bringBack(der: Uint8Array, options: VerifyOptions): BroughtBack {
  const now = attempt(der, options)
  if (now) return { kind: 'counts', response: now }
  const at = ownTimeOf(der)
  const then = at && attempt(der, { ...options, at })
  if (then?.certStatus !== 'revoked') return { kind: 'nothing' }
  const { thisUpdate, revocationTime } = then
  return { kind: 'was-revoked', thisUpdate, ...(revocationTime && { revocationTime }) }
}

/** What says that an answer out of date is the last word all the same. */
export function revokedBefore(certificate: Certificate, { thisUpdate }: Revocation, cause?: unknown): StapleError {
  const subject = formatName(certificate.subject)
  const found = `the CA's answer of ${formatTime(thisUpdate)}, out of date by now, said that ${subject} is revoked`
  const message = `${found}, and no newer one could be had`
  const detail = { certificate: subject, found, expected: 'a newer answer' }
  return new StapleError('ERR_PEER_REVOKED', message, detail, cause === undefined ? undefined : { cause })
}

function attempt(der: Uint8Array, options: VerifyOptions): VerifiedOcspResponse | undefined {
  try {
    return verifyOcspResponse(der, options)
  } catch (thrown) {
    if (thrown instanceof StapleError) return undefined
    throw thrown
  }
}

/** The latest thisUpdate in it: a moment at which it counted if it ever did. */
function ownTimeOf(der: Uint8Array): Date | undefined {
  try {
    const times = decodeOcspResponse(der).basicResponse?.responses.map(({ thisUpdate }) => thisUpdate.getTime()) ?? []
    return times.length > 0 ? new Date(Math.max(...times)) : undefined
  } catch {
    return undefined
  }
}
