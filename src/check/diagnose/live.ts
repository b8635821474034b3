/** What the CA said, for the rules that compare with it: the answers that came, and why others did not. */
import { isStapleError, StapleError } from '../../errors.ts'
import type { StatusAnswer } from '../revocation/contract.ts'
import type { CertificateEvidence } from './evidence.ts'

/** The answers that came, the responder's first. */
export function liveAnswers({ live }: CertificateEvidence): StatusAnswer[] {
  return [live?.ocsp, live?.crl].filter(
    (one): one is StatusAnswer => one !== undefined && !(one instanceof StapleError),
  )
}

/** Every failure behind an answer that did not come, lists opened. */
export function liveFailures(asked: StatusAnswer | StapleError | undefined): StapleError[] {
  return asked instanceof StapleError ? causesOf(asked) : []
}

function causesOf(error: StapleError): StapleError[] {
  const isList =
    isStapleError(error, 'ERR_PEER_STATUS_UNAVAILABLE') ||
    isStapleError(error, 'ERR_FETCH_FAILED') ||
    isStapleError(error, 'ERR_FETCH_NO_ISSUER')
  if (!isList || error.detail.causes.length === 0) return [error]
  return error.detail.causes.flatMap(causesOf)
}

/** The responder's HTTP Date minus our clock, from an answer or from a failure. */
export function responderSkewMs({ live }: CertificateEvidence): number | undefined {
  for (const asked of [live?.ocsp, live?.crl]) {
    if (asked === undefined) continue
    if (!(asked instanceof StapleError)) {
      if (asked.dateSkewMs !== undefined) return asked.dateSkewMs
    } else if (isStapleError(asked, 'ERR_PEER_STATUS_UNAVAILABLE') && asked.detail.dateSkew !== undefined) {
      return asked.detail.dateSkew.skewMs
    }
  }
  return undefined
}
