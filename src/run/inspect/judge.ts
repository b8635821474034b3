/**
 * The verdict of every rule on a response or a CRL: for which certificate, with which issuer, and what follows.
 *
 * Nothing is asked of anybody: what is not at hand is named, with the option that would give it.
 */
import { errorTable } from '../../errors.ts'
import { diagnoseCrl } from '../../pki/crl/verify.ts'
import { diagnose, type RuleVerdict } from '../../pki/ocsp/diagnose.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import { formatName, isSameName } from '../../pki/x509/name.ts'
import { formatMoment } from '../journal/span.ts'
import { type Document, nameOf } from './documents.ts'
import { type Field, moment, plain } from './field.ts'
import type { Known, Pool } from './pool.ts'

/** What the rules say, for one certificate. */
export interface Judged {
  readonly about: Known
  readonly issuer: Certificate
  readonly isAccepted: boolean
  readonly verdicts: readonly RuleVerdict[]
  readonly warnings: readonly { readonly code: string; readonly message: string }[]
  /** What was proven; or why it was refused, and what to do. */
  readonly conclusion: readonly Field[]
}

/** Why the rules could not be asked, and what would help. */
export interface Unjudged {
  readonly reason: string
  readonly hint: string
}

/** Judges what can be judged; undefined for what has no rules: certificates and requests. */
export function judge(
  document: Document,
  pool: Pool,
  given: Known | undefined,
  at: Date,
): readonly Judged[] | Unjudged | undefined {
  const { kind } = document.content
  if (kind !== 'ocsp-response' && kind !== 'crl') return undefined
  const subjects = given === undefined ? findSubjects(document, pool) : [given]
  if (subjects.length === 0) {
    return { reason: `${nameOf(kind)} is judged for a certificate, and there is none`, hint: 'name it: --cert FILE' }
  }
  const judged: Judged[] = []
  for (const about of subjects) {
    const issuer = pool.issuerOf(about.certificate)
    if (issuer === undefined) {
      const wanted = formatName(about.certificate.issuer)
      const reason = `the issuer of ${formatName(about.certificate.subject)} is not among the files: ${wanted}`
      return { reason, hint: 'name it: --issuer FILE' }
    }
    judged.push(judgeFor(document, about, issuer, at))
  }
  return judged
}

/** The certificates at hand that it is about; where it is about none of them, the first that it could have been meant for. */
function findSubjects({ content }: Document, { known, ownerOf }: Pool): Known[] {
  const leaves = known.filter(({ certificate, origin }) => {
    return certificate.extensions.basicConstraints?.ca !== true && !origin.startsWith('inside ')
  })
  const found = new Set<Known>()
  if (content.kind === 'ocsp-response') {
    for (const { certID } of content.response.basicResponse?.responses ?? []) {
      const owner = ownerOf(certID)
      if (owner !== undefined) found.add(owner)
    }
  } else if (content.kind === 'crl') {
    const { issuer } = content.crl
    for (const leaf of leaves) if (isSameName(leaf.certificate.issuer, issuer)) found.add(leaf)
  }
  return found.size > 0 ? [...found] : leaves.slice(0, 1)
}

function judgeFor({ content, der }: Document, about: Known, issuer: Certificate, at: Date): Judged {
  const options = { certificate: about.certificate, issuer, at }
  const { verdicts, warnings, verified } =
    content.kind === 'crl' ? diagnoseCrl(content.crl, options) : diagnose(der, options)
  const isAccepted = verified !== undefined
  return {
    about,
    issuer,
    isAccepted,
    verdicts,
    warnings: verified?.warnings ?? warnings,
    conclusion: verified === undefined ? concludeRefusal(verdicts) : conclude(verified, at),
  }
}

interface Proven {
  readonly certStatus: 'good' | 'revoked' | 'unknown'
  readonly revocationTime?: Date
  readonly revocationReason?: string
  readonly nextUpdate?: Date
  readonly usableUntil?: Date
  readonly signer?: { readonly kind: string; readonly name: string }
}

function conclude(proven: Proven, at: Date): Field[] {
  const { certStatus, revocationTime, revocationReason, signer } = proven
  const tone = certStatus === 'good' ? 'good' : 'bad'
  return [
    plain('outcome', 'accepted', 'accepted', 'good'),
    plain('certStatus', certStatus, certStatus, tone),
    ...moment('revocationTime', revocationTime, at),
    ...(revocationReason === undefined ? [] : [plain('revocationReason', revocationReason)]),
    ...moment('usableUntil', proven.usableUntil ?? proven.nextUpdate, at),
    ...(signer === undefined
      ? []
      : [plain('signer', `${signer.name} (${signer.kind})`, { kind: signer.kind, name: signer.name })]),
  ]
}

/** The first refusal is the one that `verifyOcspResponse` throws. */
function concludeRefusal(verdicts: readonly RuleVerdict[]): Field[] {
  const first = verdicts.find(({ outcome }) => outcome === 'refused')
  if (first?.error === undefined) return [plain('outcome', 'refused', 'refused', 'bad')]
  const { code } = first.error
  const { summary, remedy } = errorTable[code]
  return [
    plain('outcome', `refused by ${first.rule}: ${summary}`, 'refused', 'bad'),
    plain('code', code),
    plain('hint', remedy),
  ]
}

/** For which certificate, under which issuer, as of when. */
export function showSubject({ about, issuer }: Judged, at: Date): Field[] {
  return [
    plain('certificate', `${formatName(about.certificate.subject)}, ${about.origin}`),
    plain('issuer', formatName(issuer.subject)),
    plain('as of', formatMoment(at)),
  ]
}
