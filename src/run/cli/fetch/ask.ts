/** One attempt: the issuer found, the responders asked, and what came of it judged. */
import { isStapleError, StapleError } from '../../../errors.ts'
import type { Clock } from '../../../keep/clock.ts'
import type { Fetcher } from '../../../keep/fetch/index.ts'
import { FetchCode, judgeFailure } from './exit-code.ts'
import type { Subject } from './question.ts'
import type { Outcome } from './report.ts'

export interface Attempt {
  readonly fetcher: Fetcher
  readonly clock: Clock
  readonly subject: Subject
  readonly responderURLs: readonly string[]
  readonly hashAlgorithm: 'auto' | 'sha1' | 'sha256'
  readonly method: 'auto' | 'get' | 'post'
  /** A revoked or unknown answer is as welcome as a good one. */
  readonly isRevokedAllowed: boolean
  /** Told when the issuer has been fetched. */
  readonly found: (subject: Subject) => void
}

/** Asks. What the world refuses is an outcome; throws only for defects. */
export async function ask(attempt: Attempt): Promise<Outcome> {
  const { fetcher, clock, responderURLs, hashAlgorithm, method } = attempt
  const { certificate } = attempt.subject
  let { subject } = attempt
  if (responderURLs.length === 0) return withoutResponder(subject, clock.now())
  try {
    const issuer = subject.issuer ?? (await fetcher.fetchIssuer(certificate))
    if (subject.issuer === undefined) {
      subject = { certificate, issuer }
      attempt.found(subject)
    }
    const answer = await fetcher.fetchStaple({ certificate, issuer, responderURLs, hashAlgorithm, method })
    const verdict = judgeAnswer(answer.response, attempt.isRevokedAllowed)
    return { subject, responderURLs, at: clock.now(), answer, ...verdict }
  } catch (error) {
    if (!isStapleError(error)) throw error
    const at = clock.now()
    const isNowhere = error.code === 'ERR_FETCH_NO_ISSUER' && certificate.extensions.caIssuersURLs.length === 0
    const { code, hint } = judgeFailure(error, certificate, at)
    // Without an address to fetch the issuer from, only the command line can help.
    return { subject, responderURLs, at, error, exitCode: isNowhere ? FetchCode.usage : code, hint }
  }
}

/** What the exit code is of an answer that was verified, and why it is not written. */
function judgeAnswer(
  { certStatus, isContradictory }: { readonly certStatus: string; readonly isContradictory: boolean },
  isRevokedAllowed: boolean,
): Pick<Outcome, 'exitCode' | 'hint'> {
  if (isContradictory) {
    const hint =
      'not written: its entries about this certificate contradict each other, and clients read different ones'
    return { exitCode: FetchCode.never, hint }
  }
  if (certStatus === 'good' || isRevokedAllowed) return { exitCode: FetchCode.ok }
  const mend = certStatus === 'revoked' ? 'replace the certificate' : 'ask the CA why it does not know its certificate'
  return { exitCode: FetchCode.never, hint: `not written: ${mend}; --allow-revoked writes it all the same` }
}

function withoutResponder(subject: Subject, at: Date): Outcome {
  const { noRevAvail } = subject.certificate.extensions
  const error = new StapleError('ERR_X509_NO_RESPONDER_URL', 'the certificate names no OCSP responder', {
    field: 'certificate.extensions.authorityInfoAccess',
    expected: 'the URL of an OCSP responder',
    found: noRevAvail ? 'noRevAvail' : 'none',
    clause: 'RFC 5280 §4.2.2.1',
  })
  const hint = noRevAvail
    ? 'its CA gives no revocation information for it (noRevAvail): there is nothing to staple, and that is fine'
    : 'there is nothing to staple, unless its CA has a responder all the same: --url'
  return { subject, responderURLs: [], at, exitCode: FetchCode.never, error, hint }
}
