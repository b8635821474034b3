/**
 * How `staplewright fetch` ends, as h2o's `ocsp-update-cmd` and the sysexits of mail have it: 75 is worth another try soon,
 * anything else but 0 is not.
 */
import { type ErrorCode, errorTable, type StapleError } from '../../../errors.ts'
import { formatSpan } from '../../journal/span.ts'

export const FetchCode = {
  ok: 0,
  /** No responder, revoked, unknown: another try would end the same. */
  never: 1,
  usage: 2,
  /** EX_TEMPFAIL of sysexits.h. */
  later: 75,
} as const

export type FetchCode = (typeof FetchCode)[keyof typeof FetchCode]

/** What a failed attempt means, and the sentence that goes with it where there is more to say than its message. */
export interface FailureVerdict {
  readonly code: typeof FetchCode.never | typeof FetchCode.later
  readonly hint: string
}

/**
 * Judges a failure: it is worth another try when any of its causes may pass by itself.
 *
 * `unauthorized` is what a responder says that has not heard of a certificate: of one that was issued today it will, of an
 * older one it will not. The keeper draws the same line.
 *
 * @param certificate - its dates
 */
export function judgeFailure(
  error: StapleError,
  { notBefore, notAfter }: { readonly notBefore: Date; readonly notAfter: Date },
  at: Date,
): FailureVerdict {
  const causes = causesOf(error)
  const ageMs = at.getTime() - notBefore.getTime()
  const isYoung = ageMs < dayMs
  const code = causes.some((cause) => isTemporary(cause, isYoung)) ? FetchCode.later : FetchCode.never
  const clocks = adviceOnClocks(error)
  if (clocks !== undefined) return { code, hint: clocks }
  if (!causes.some((cause) => statusOf(cause) === 'unauthorized')) return { code, hint: adviceOn(causes) }
  if (at > notAfter) {
    return { code, hint: 'the certificate has expired, and responders forget those: renew it' }
  }
  if (isYoung) {
    const hint =
      'the certificate was issued today: its responder may not have heard of it yet. Try again in some minutes'
    return { code, hint }
  }
  return { code, hint: 'the responder does not know this certificate, which is no longer young: ask the CA' }
}

/** The causes, one by one; a failure without any is its own. */
export function causesOf(error: StapleError): readonly StapleError[] {
  const { causes } = error.detail as { readonly causes?: readonly StapleError[] }
  return causes === undefined || causes.length === 0 ? [error] : causes.flatMap(causesOf)
}

function isTemporary(cause: StapleError, isYoung: boolean): boolean {
  switch (statusOf(cause)) {
    case undefined:
      return errorTable[cause.code].retry === 'soon'
    case 'unauthorized':
      return isYoung
    case 'tryLater':
    case 'internalError':
      return true
    default:
      return false
  }
}

/** The responseStatus, where that was what the responder answered with. */
function statusOf({ code, detail }: StapleError): string | undefined {
  return code === 'ERR_OCSP_RESPONSE_STATUS' ? (detail as { readonly found: string }).found : undefined
}

/** With a wrong clock, every answer is refused for its time, and no other advice helps. */
function adviceOnClocks(error: StapleError): string | undefined {
  const { dateSkew } = error.detail as { readonly dateSkew?: { readonly skewMs: number } }
  if (dateSkew === undefined || Math.abs(dateSkew.skewMs) < noticeableSkewMs) return undefined
  const { skewMs } = dateSkew
  return `the responder's clock is ${formatSpan(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead of' : 'behind'} this machine's: compare both`
}

function adviceOn(causes: readonly StapleError[]): string {
  return [...new Set(causes.map(({ code }) => ownAdvice[code] ?? errorTable[code].remedy))].join('; ')
}

/** Where the table speaks of the daemon and its configuration. */
const ownAdvice: Partial<Record<ErrorCode, string>> = {
  ERR_FETCH_TIMEOUT: 'check the responder, or give it longer with --timeout',
  ERR_FETCH_REDIRECT: 'name the final address with --url',
  ERR_FETCH_NO_ISSUER: 'put its issuer behind it in the same file, or name it: --issuer FILE',
}

const dayMs = 86_400_000
/** As much as is tolerated on thisUpdate. */
const noticeableSkewMs = 300_000
