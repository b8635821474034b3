/** What the CA says at this moment: by its responder, by its CRL where that cannot say, or why nobody was asked. */
import { isStapleError, StapleError } from '../../errors.ts'
import type { Origin } from '../../keep/fetch/index.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import type { RevocationPolicy, StatusAnswer, StatusAsker } from '../revocation/contract.ts'
import type { CertificateEvidence, LiveEvidence } from './evidence.ts'

export interface LiveQuestion {
  readonly certificate: Certificate
  readonly issuer: Certificate | undefined
  readonly origin: Origin
  /** The addresses in the certificate may be used. */
  readonly isOpen: boolean
  readonly at: Date
}

export interface LiveOptions {
  readonly asker?: StatusAsker
  readonly revocation?: RevocationPolicy
  readonly signal?: AbortSignal
}

export async function askLive(
  { certificate, issuer, origin, isOpen, at }: LiveQuestion,
  { asker, revocation = 'ocsp-then-crl', signal }: LiveOptions,
): Promise<Pick<CertificateEvidence, 'live' | 'unasked'>> {
  const { responderURLs, crlDistributionPoints } = certificate.extensions
  const hasResponder = responderURLs.length > 0 && revocation !== 'crl'
  const hasCrl = revocation !== 'ocsp' && crlDistributionPoints.some(({ urls }) => urls.length > 0)
  if (asker === undefined) return { unasked: 'asked-not-to' }
  if (!hasResponder && !hasCrl) return { unasked: 'no-address' }
  if (at > certificate.notAfter) return { unasked: 'expired' }
  if (!isOpen) return { unasked: 'chain-unverified' }
  if (issuer === undefined) return { unasked: 'no-issuer' }

  const ask = async (policy: 'ocsp' | 'crl'): Promise<StatusAnswer | StapleError> => {
    try {
      return await asker.ask({ certificate, issuer, origin, policy }, signal)
    } catch (error) {
      if (isStapleError(error)) return error
      throw error
    }
  }
  const ocsp = hasResponder ? await ask('ocsp') : undefined
  const isKnown = ocsp !== undefined && !(ocsp instanceof StapleError) && ocsp.certStatus !== 'unknown'
  const crl = hasCrl && !isKnown ? await ask('crl') : undefined
  const live: LiveEvidence = { ...(ocsp !== undefined && { ocsp }), ...(crl !== undefined && { crl }) }
  return { live }
}
