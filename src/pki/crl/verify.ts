/**
 * The proof that a CRL is authentic, current, and about this certificate: every rule passed.
 */

import { formatTime } from '../der/time.ts'
import { formatName } from '../x509/name.ts'
import { judgeByAll, type RuleVerdict } from '../x509/rule-list.ts'
import type { CrlEnvelope } from './certificate-list.ts'
import { findEntry } from './entries.ts'
import type { CrlJudgement } from './judgement.ts'
import { resolvePolicies, type VerifyCrlOptions } from './options.ts'
import { rules } from './rules.ts'
import type { CrlWarning, VerifiedCrl } from './verified.ts'

/**
 * Verifies that a CRL covers `certificate`, was signed by `issuer`, and counts at `at`; and looks the certificate up.
 *
 * A CRL decoded by {@link decodeCertificateList} is faster when it is asked about more than one certificate: it is walked
 * and hashed once. Its bytes must not change meanwhile. The chain above the issuer is the caller's.
 *
 * @see RFC 5280 §6.3.3, and rules.ts
 * @throws {@link StapleError} of the first rule that refuses it
 */
export function verifyCrl(crl: Uint8Array | CrlEnvelope, options: VerifyCrlOptions): VerifiedCrl {
  const judgement = beginJudgement(crl, options)
  for (const rule of rules) rule.check(judgement)
  return concludeFrom(judgement)
}

export interface CrlDiagnosis {
  /** One per rule, in order. */
  readonly verdicts: readonly RuleVerdict[]
  readonly warnings: readonly CrlWarning[]
  /** Where no rule refused: what `verifyCrl` gives. */
  readonly verified?: VerifiedCrl
}

/**
 * Judges a CRL by every rule and reports them all.
 *
 * Accepts exactly what `verifyCrl` accepts; its first refusal is the error that throws there.
 */
export function diagnoseCrl(crl: Uint8Array | CrlEnvelope, options: VerifyCrlOptions): CrlDiagnosis {
  const judgement = beginJudgement(crl, options)
  const verdicts = judgeByAll(rules, judgement)
  const { warnings } = judgement
  if (verdicts.some(({ outcome }) => outcome !== 'passed')) return { verdicts, warnings }
  return { verdicts, warnings, verified: concludeFrom(judgement) }
}

function beginJudgement(given: Uint8Array | CrlEnvelope, options: VerifyCrlOptions): CrlJudgement {
  if (!ArrayBuffer.isView(given) && !ArrayBuffer.isView(given?.tbsCertList)) {
    throw new TypeError('crl must be a CRL, decoded or as the bytes of its DER')
  }
  return { given, policies: resolvePolicies(options), warnings: [] }
}

function concludeFrom(judgement: CrlJudgement): VerifiedCrl {
  const { list, entries, scheme, policies, warnings } = judgement as Required<CrlJudgement>
  const { certificate } = policies
  const { thisUpdate, nextUpdate, crlNumber, der } = list
  const entry = findEntry(entries, certificate.serialNumber)
  if (entry === undefined && certificate.notAfter < thisUpdate) {
    const message = `the certificate expired ${formatTime(certificate.notAfter)}, before thisUpdate: its CA may have dropped it from the list`
    warnings.push({ code: 'expired-certificate', message })
  }
  return {
    ...statusOf(entry),
    thisUpdate,
    nextUpdate: nextUpdate as Date,
    ...(crlNumber === undefined ? {} : { crlNumber }),
    issuer: formatName(list.issuer),
    signatureAlgorithm: scheme.name,
    entryCount: entries.count,
    bytes: der.length,
    warnings,
  }
}

type Status = Pick<VerifiedCrl, 'certStatus' | 'revocationTime' | 'revocationReason' | 'invalidityDate'>

function statusOf(entry: ReturnType<typeof findEntry>): Status {
  if (entry === undefined) return { certStatus: 'good' }
  const { revocationTime, revocationReason, invalidityDate } = entry
  return {
    certStatus: 'revoked',
    revocationTime,
    ...(revocationReason === undefined ? {} : { revocationReason }),
    ...(invalidityDate === undefined ? {} : { invalidityDate }),
  }
}
