/**
 * What the rules ask of the evidence again and again: which connections were stapled, which staples count, and why the
 * others do not. Verdicts on a response come from pki/ocsp alone.
 */
import { type ErrorCode, isStapleError } from '../../errors.ts'
import type { RuleVerdict } from '../../pki/ocsp/diagnose.ts'
import { decodeOcspResponse, type OcspResponse } from '../../pki/ocsp/response.ts'
import type { SingleResponse } from '../../pki/ocsp/single-response.ts'
import type { VerifiedOcspResponse } from '../../pki/ocsp/verify.ts'
import { isMustStaple } from '../../pki/x509/certificate.ts'
import type { ConnectionRecord, HandshakeRecord } from '../probe/record.ts'
import type { CertificateEvidence, Evidence, StapleEvidence } from './evidence.ts'

/** A connection that came as far as a certificate. */
export type Shown = ConnectionRecord & { readonly handshake: HandshakeRecord }

/** The connections that showed a certificate, all of them. */
export function shownOn({ connections }: Pick<CertificateEvidence, 'connections'>): Shown[] {
  return connections.filter((connection): connection is Shown => connection.handshake !== undefined)
}

export function isStapled({ handshake }: Shown): boolean {
  return handshake.staple !== null
}

/** Tells whether there is something to staple for it: a responder is named, and RFC 9608 does not say otherwise. */
export function isStapleable({ certificate }: CertificateEvidence): boolean {
  const { responderURLs, noRevAvail } = certificate.extensions
  return responderURLs.length > 0 && !noRevAvail
}

/** Tells whether a staple is expected: named responders, or Must-Staple. */
export function isExpected(seen: CertificateEvidence): boolean {
  return isStapleable(seen) || isMustStaple(seen.certificate)
}

/** The rules that refused it, in their order. */
export function refusalsOf({ diagnosis }: StapleEvidence): readonly RefusedVerdict[] {
  const verdicts = diagnosis?.verdicts ?? []
  return verdicts.filter((verdict): verdict is RefusedVerdict => verdict.error !== undefined)
}

export type RefusedVerdict = RuleVerdict & Required<Pick<RuleVerdict, 'error'>>

/** What it was refused for, each code once. */
export function refusalCodes(staple: StapleEvidence): ReadonlySet<ErrorCode> {
  return new Set(refusalsOf(staple).map(({ error }) => error.code))
}

/** Which rule of this folder speaks about a refused staple: every one has exactly one finding. */
export type Refusal = 'error-status' | 'weak' | 'stale' | 'other'

/** Undefined: it was accepted, or could not be judged. */
export function refusalOf(staple: StapleEvidence): Refusal | undefined {
  const codes = refusalCodes(staple)
  if (codes.size === 0) return undefined
  if (codes.has('ERR_OCSP_RESPONSE_STATUS')) return 'error-status'
  if ([...codes].every((code) => code === 'ERR_OCSP_WEAK_ALGORITHM')) return 'weak'
  if ([...codes].every((code) => code === 'ERR_OCSP_STALE' || code === 'ERR_OCSP_TOO_OLD')) return 'stale'
  return 'other'
}

/** The staples that passed every rule, whatever their certStatus. */
export function verifiedStaples({ staples }: CertificateEvidence): VerifiedStaple[] {
  return staples.flatMap((staple) => {
    const verified = staple.diagnosis?.verified
    return verified === undefined ? [] : [{ staple, verified }]
  })
}

export interface VerifiedStaple {
  readonly staple: StapleEvidence
  readonly verified: VerifiedOcspResponse
}

/** Tells whether every connection that showed it carried a good staple. */
export function isWellStapled(seen: CertificateEvidence): boolean {
  const shown = shownOn(seen)
  return (
    shown.length > 0 &&
    shown.every(isStapled) &&
    seen.staples.every(({ diagnosis }) => diagnosis?.verified?.certStatus === 'good')
  )
}

/** Tells whether anything was stapled for any certificate. */
export function isAnythingStapled({ certificates }: Evidence): boolean {
  return certificates.some(({ staples }) => staples.length > 0)
}

/** What it says, proven or not; undefined: it cannot be decoded. */
export function decodedOf({ der }: Pick<StapleEvidence, 'der'>): OcspResponse | undefined {
  try {
    return decodeOcspResponse(der)
  } catch (error) {
    if (isStapleError(error)) return undefined
    throw error
  }
}

/** Its entries, proven or not. */
export function singleResponsesOf(staple: Pick<StapleEvidence, 'der'>): readonly SingleResponse[] {
  return decodedOf(staple)?.basicResponse?.responses ?? []
}
