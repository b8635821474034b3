/** What was stapled, judged by the one list of rules: good, revoked, unknown, refused, or nothing at all. */
import { isStapleError, StapleError } from '../../errors.ts'
import type { VerifyOptions } from '../../pki/ocsp/options.ts'
import { type VerifiedOcspResponse, verifyOcspResponse } from '../../pki/ocsp/verify.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import type { StatusAnswer } from '../revocation/index.ts'

export type StapleFinding =
  | { readonly kind: 'none' }
  | { readonly kind: 'good' | 'revoked' | 'unknown'; readonly response: VerifiedOcspResponse }
  | {
      readonly kind: 'refused'
      readonly error: StapleError
      /** Authentic, no longer fresh, and it says revoked: that is not forgotten by waiting. */
      readonly staleRevocation?: VerifiedOcspResponse
    }

/** Options of `verifyOcspResponse` that come from the user. */
export type StaplePolicies = Pick<
  VerifyOptions,
  'allowedClockSkewMs' | 'nextUpdateToleranceMs' | 'maxAgeWithoutNextUpdateMs' | 'delegateWithoutNocheck' | 'danger'
>

export interface StapleQuestion extends StaplePolicies {
  readonly certificate: Certificate
  readonly issuer: Certificate
  readonly at: Date
  /** Learns the status of a delegated responder by its CRL, where policy wants it. */
  readonly askAboutDelegate: (delegate: Certificate) => Promise<StatusAnswer>
}

/** Judges it. Does not throw for what was stapled. */
export async function judgeStaple(der: Uint8Array | undefined, question: StapleQuestion): Promise<StapleFinding> {
  if (der === undefined) return { kind: 'none' }
  try {
    const response = verifyOcspResponse(der, question)
    const delegate = response.needsDelegateCheck ? response.signer.certificate : undefined
    if (delegate !== undefined) refuseDelegate(response, await question.askAboutDelegate(delegate))
    return { kind: response.certStatus, response }
  } catch (error) {
    if (!isStapleError(error)) throw error
    const late = isStapleError(error, 'ERR_OCSP_STALE') || isStapleError(error, 'ERR_OCSP_TOO_OLD')
    const staleRevocation = late ? readLateRevocation(der, question) : undefined
    return { kind: 'refused', error, ...(staleRevocation !== undefined && { staleRevocation }) }
  }
}

function readLateRevocation(der: Uint8Array, question: StapleQuestion): VerifiedOcspResponse | undefined {
  try {
    const response = verifyOcspResponse(der, { ...question, nextUpdateToleranceMs: centuryMs })
    return response.certStatus === 'revoked' ? response : undefined
  } catch (error) {
    if (isStapleError(error)) return undefined
    throw error
  }
}

const centuryMs = 100 * 365 * 86_400_000

function refuseDelegate({ signer }: VerifiedOcspResponse, { certStatus }: StatusAnswer): void {
  if (certStatus === 'good') return
  const message = `the delegated responder that signed the staple is ${certStatus}: ${signer.name}`
  throw new StapleError('ERR_OCSP_RESPONDER_NOT_AUTHORIZED', message, {
    field: 'basicResponse.certs',
    expected: 'a delegated responder that is good',
    found: certStatus,
    clause: 'RFC 6960 §4.2.2.2.1',
  })
}
