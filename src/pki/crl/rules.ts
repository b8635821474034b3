/**
 * What a CRL must pass before it says anything about a certificate, as one list of rules in order.
 *
 * `verifyCrl` stops at the first that refuses; `diagnoseCrl` runs them all. What kind of CRL it is comes first: a delta
 * or indirect CRL would fail later rules too, for reasons that say less. The entries come after the signature: looking at
 * a million of them is work that only the CA may give us.
 *
 * @see RFC 5280 §5, §6.3.3
 */

import { StapleError } from '../../errors.ts'
import { viewBytes } from '../der/bytes.ts'
import { formatTime } from '../der/time.ts'
import { formatInteger } from '../der/values.ts'
import { formatKeyAlgorithm, isSchemeOfKey, parseKeyType, parseSignatureScheme, weaknessOf } from '../x509/algorithm.ts'
import type { Certificate } from '../x509/certificate.ts'
import { formatName, isSameName } from '../x509/name.ts'
import { type CreateRule, type Established, type Rule, ruleCreator } from '../x509/rule-list.ts'
import { decodeEnvelope } from './certificate-list.ts'
import { entriesField } from './entries.ts'
import type { CrlJudgement } from './judgement.ts'
import { malformed, refusal } from './malformed.ts'
import { entriesOf, isProvenBy } from './proven.ts'
import { refuseOtherKind, refuseOtherPoint } from './scope.ts'

type Has<Key extends keyof CrlJudgement> = Established<CrlJudgement, Key>

const rule: CreateRule<CrlJudgement> = ruleCreator()

/** Every rule, in the order in which they are asked. */
export const rules: readonly Rule<CrlJudgement>[] = [
  rule('size', 'limit', [], refuseTooLarge),
  rule('encoding', 'RFC 5280 §5.1', [], refuseUndecodable),
  rule('delta', 'RFC 5280 §5.2.4', ['list'], refuseDelta),
  rule('indirect', 'RFC 5280 §5.2.5', ['list'], refuseIndirect),
  rule('reasons', 'RFC 5280 §5.2.5', ['list'], refuseSomeReasons),
  rule('critical-extensions', 'RFC 5280 §5.2', ['list'], refuseUnknownCritical),
  rule('issuer', 'RFC 5280 §6.1.3', [], refuseOtherIssuer),
  rule('crl-issuer', 'RFC 5280 §6.3.3', ['list'], refuseOtherCrlIssuer),
  rule('authority', 'RFC 5280 §4.2.1.3', [], refuseUnauthorized),
  rule('signature-algorithm', 'RFC 5280 §5.1.1.2', ['list'], refuseWeakSignature),
  rule('signature', 'RFC 5280 §5.1.1.3', ['list', 'scheme'], refuseBrokenSignature),
  rule('entries', 'RFC 5280 §5.1.2.6', ['list'], refuseUndecodableEntries),
  rule('entry-extensions', 'RFC 5280 §5.3', ['entries'], refuseEntryExtensions),
  rule('update-order', 'RFC 5280 §5.1.2.5', ['list'], refuseBackwardUpdates),
  rule('this-update', 'RFC 5280 §5.1.2.4', ['list'], refuseFuture),
  rule('next-update', 'RFC 5280 §5.1.2.5', ['list'], refuseStale),
  rule('distribution-point', 'RFC 5280 §6.3.3', ['list'], refuseOtherDistributionPoint),
  rule('certificate-kind', 'RFC 5280 §6.3.3', ['list'], refuseOtherCertificateKind),
]

const extensionsField = 'certificateList.tbsCertList.crlExtensions'

/** Extensions of a CRL that may be critical: understood, or with nothing in them to act on. @see RFC 5280 §5.2 */
const knownExtensions: ReadonlySet<string> = new Set([
  // issuerAltName, cRLNumber, deltaCRLIndicator, issuingDistributionPoint, authorityKeyIdentifier, freshestCRL, AIA.
  '2.5.29.18',
  '2.5.29.20',
  '2.5.29.27',
  '2.5.29.28',
  '2.5.29.35',
  '2.5.29.46',
  '1.3.6.1.5.5.7.1.1',
])

function refuseTooLarge({ given, policies }: CrlJudgement): void {
  const { length } = ArrayBuffer.isView(given) ? given : given.der
  const { maxBytes } = policies
  if (length <= maxBytes) return
  const detail = { field: 'certificateList', expected: `at most ${maxBytes} bytes`, found: `${length} bytes` }
  throw refusal('ERR_CRL_TOO_LARGE', 'the CRL is too large', { ...detail, clause: 'limit' })
}

function refuseUndecodable(judgement: CrlJudgement): void {
  const { given, warnings } = judgement
  const list = ArrayBuffer.isView(given) ? decodeEnvelope(viewBytes(given, 'crl')) : given
  judgement.list = list
  if (list.entries?.length === 0) {
    const message = 'an empty revokedCertificates is written out, where RFC 5280 §5.1.2.6 has it absent'
    warnings.push({ code: 'empty-list', message })
  }
  if (list.crlNumber !== undefined) return
  warnings.push({ code: 'no-crl-number', message: 'the CRL has no cRLNumber, which RFC 5280 §5.2.3 asks for' })
}

function refuseDelta({ list }: Has<'list'>): void {
  if (list.deltaCRLIndicator === undefined) return
  throw refusal('ERR_CRL_UNSUPPORTED', 'a delta CRL lists changes, and says nothing by silence', {
    field: `${extensionsField}.deltaCRLIndicator`,
    expected: 'absent',
    found: `changes since CRL ${formatInteger(list.deltaCRLIndicator)}`,
    clause: 'RFC 5280 §5.2.4',
  })
}

function refuseIndirect({ list }: Has<'list'>): void {
  if (list.issuingDistributionPoint?.indirectCRL !== true) return
  throw refusal('ERR_CRL_UNSUPPORTED', indirectMessage, {
    field: `${extensionsField}.issuingDistributionPoint.indirectCRL`,
    expected: 'FALSE',
    found: 'TRUE',
    clause: 'RFC 5280 §5.2.5',
  })
}

const indirectMessage = 'an indirect CRL lists certificates of other CAs'

function refuseSomeReasons({ list }: Has<'list'>): void {
  if (list.issuingDistributionPoint?.hasOnlySomeReasons !== true) return
  throw refusal('ERR_CRL_UNSUPPORTED', 'the CRL lists revocations for some reasons only', {
    field: `${extensionsField}.issuingDistributionPoint.onlySomeReasons`,
    expected: 'absent',
    found: 'present',
    clause: 'RFC 5280 §5.2.5',
  })
}

function refuseUnknownCritical({ list }: Has<'list'>): void {
  for (const [index, { oid, isCritical }] of list.extensions.entries()) {
    if (isCritical && !knownExtensions.has(oid)) {
      throw unknownCritical(`${extensionsField}[${index}]`, oid, 'RFC 5280 §5.2')
    }
  }
}

function refuseUndecodableEntries(judgement: Has<'list'>): void {
  judgement.entries = entriesOf(judgement.list)
}

/**
 * Of any entry, not only this certificate's: a CRL with a critical extension that is not understood must not be used for
 * any certificate (RFC 5280 §5.3), and one entry as in indirect or delta CRLs says that the whole is one.
 */
function refuseEntryExtensions({ entries }: Has<'entries'>): void {
  const { firstWithIssuer, firstRemoval, unsupportedCritical } = entries
  if (firstWithIssuer !== undefined) {
    throw refusal('ERR_CRL_UNSUPPORTED', indirectMessage, {
      field: `${entriesField}[${firstWithIssuer}].crlEntryExtensions.certificateIssuer`,
      expected: 'absent',
      found: 'present',
      clause: 'RFC 5280 §5.3.3',
    })
  }
  if (firstRemoval !== undefined) {
    const field = `${entriesField}[${firstRemoval}].crlEntryExtensions.reasonCode`
    throw malformed(field, 'a reason for revoking, outside of delta CRLs', 'removeFromCRL', 'RFC 5280 §5.3.1')
  }
  if (unsupportedCritical === undefined) return
  const { index, oid } = unsupportedCritical
  throw unknownCritical(`${entriesField}[${index}].crlEntryExtensions`, oid, 'RFC 5280 §5.3')
}

/** A caller that pairs a certificate with somebody else's issuer would trust the wrong key. */
function refuseOtherIssuer({ policies }: CrlJudgement): void {
  const { certificate, issuer } = policies
  if (isSameName(certificate.issuer, issuer.subject)) return
  throw refusal('ERR_X509_ISSUER_MISMATCH', 'this issuer did not issue that certificate', {
    field: 'certificate.tbsCertificate.issuer',
    expected: formatName(issuer.subject),
    found: formatName(certificate.issuer),
    clause: 'RFC 5280 §6.1.3',
  })
}

function refuseOtherCrlIssuer({ list, policies }: Has<'list'>): void {
  const { issuer } = policies
  if (isSameName(list.issuer, issuer.subject)) return
  throw refusal('ERR_CRL_ISSUER_MISMATCH', 'the CRL is of another CA', {
    field: 'certificateList.tbsCertList.issuer',
    expected: formatName(issuer.subject),
    found: formatName(list.issuer),
    clause: 'RFC 5280 §6.3.3',
  })
}

function refuseUnauthorized({ policies }: CrlJudgement): void {
  const { keyUsage } = policies.issuer.extensions
  if (keyUsage === undefined || keyUsage.has('cRLSign')) return
  throw refusal('ERR_CRL_NOT_AUTHORIZED', 'the issuer may not sign CRLs', {
    field: 'issuer.tbsCertificate.extensions.keyUsage',
    expected: 'cRLSign',
    found: [...keyUsage].join(', ') || 'none',
    clause: 'RFC 5280 §4.2.1.3',
  })
}

function refuseWeakSignature(judgement: Has<'list'>): void {
  const { list, policies, warnings } = judgement
  const field = 'certificateList.signatureAlgorithm'
  const scheme = parseSignatureScheme(list.signatureAlgorithm, field)
  const clause = weaknessOf(scheme, policies.allowSha1Signatures)
  if (clause !== undefined) {
    const expected = 'SHA-256, SHA-384, SHA-512, Ed25519 or Ed448'
    const detail = { field, expected, found: scheme.name, clause }
    throw refusal('ERR_CRL_WEAK_ALGORITHM', 'the signature proves nothing today', detail)
  }
  judgement.scheme = scheme
  if (scheme.hashAlgorithm !== 'sha1') return
  warnings.push({ code: 'sha1-signature', message: `accepted by danger.allowSha1Signatures: ${scheme.name}` })
}

function refuseBrokenSignature({ list, scheme, policies }: Has<'list' | 'scheme'>): void {
  const { issuer } = policies
  if (isProvenBy(list, scheme, issuer)) return
  const key = keyOf(issuer)
  if (!isSchemeOfKey(scheme, parseKeyType(issuer.publicKeyAlgorithm))) {
    throw refusal('ERR_CRL_SIGNATURE', "the signature algorithm does not suit the issuer's key", {
      field: 'certificateList.signatureAlgorithm',
      expected: `an algorithm for ${key}`,
      found: scheme.name,
      clause: 'RFC 5280 §5.1.1.2',
    })
  }
  throw refusal('ERR_CRL_SIGNATURE', 'the signature does not verify', {
    field: 'certificateList.signatureValue',
    expected: `a signature over tbsCertList by ${key}`,
    found: 'one that this key does not verify',
    clause: 'RFC 5280 §5.1.1.3',
  })
}

function refuseBackwardUpdates({ list }: Has<'list'>): void {
  const { thisUpdate, nextUpdate } = list
  if (nextUpdate === undefined || nextUpdate > thisUpdate) return
  const expected = `after thisUpdate ${formatTime(thisUpdate)}`
  throw malformed('certificateList.tbsCertList.nextUpdate', expected, formatTime(nextUpdate), 'RFC 5280 §5.1.2.5')
}

function refuseFuture({ list, policies }: Has<'list'>): void {
  const { thisUpdate, nextUpdate = thisUpdate } = list
  // Else a short-lived CRL could be used before it begins for longer than it lives.
  const skewMs = Math.min(policies.allowedClockSkewMs, Math.max(0, nextUpdate.getTime() - thisUpdate.getTime()) / 2)
  const latest = new Date(policies.at.getTime() + skewMs)
  if (thisUpdate <= latest) return
  throw refusal('ERR_CRL_NOT_YET_VALID', `the CRL is from the future, checked at ${formatTime(policies.at)}`, {
    field: 'certificateList.tbsCertList.thisUpdate',
    expected: `no later than ${formatTime(latest)}`,
    found: formatTime(thisUpdate),
    clause: 'RFC 5280 §5.1.2.4',
  })
}

/** nextUpdate is OPTIONAL in the syntax and required by the profile: without it, a CRL could be replayed for ever. */
function refuseStale({ list, policies }: Has<'list'>): void {
  const { nextUpdate } = list
  const { at, nextUpdateToleranceMs } = policies
  const found = nextUpdate === undefined ? 'absent' : formatTime(nextUpdate)
  if (nextUpdate !== undefined && at.getTime() <= nextUpdate.getTime() + nextUpdateToleranceMs) return
  const message = `the CRL is stale: nextUpdate ${found}, checked at ${formatTime(at)}`
  throw new StapleError('ERR_CRL_STALE', message, {
    field: 'certificateList.tbsCertList.nextUpdate',
    expected: `no earlier than ${formatTime(new Date(at.getTime() - nextUpdateToleranceMs))}`,
    found,
    clause: 'RFC 5280 §5.1.2.5',
  })
}

function refuseOtherDistributionPoint({ list, policies }: Has<'list'>): void {
  const { issuingDistributionPoint } = list
  if (issuingDistributionPoint !== undefined) refuseOtherPoint(issuingDistributionPoint, policies.certificate)
}

function refuseOtherCertificateKind({ list, policies }: Has<'list'>): void {
  const { issuingDistributionPoint } = list
  if (issuingDistributionPoint !== undefined) refuseOtherKind(issuingDistributionPoint, policies.certificate)
}

function unknownCritical(field: string, found: string, clause: string): StapleError {
  const expected = 'only critical extensions that are understood'
  const detail = { field, expected, found, clause }
  return refusal('ERR_CRL_UNSUPPORTED_CRITICAL_EXTENSION', 'a critical extension is not understood', detail)
}

function keyOf({ publicKeyAlgorithm, subject }: Certificate): string {
  return `the ${formatKeyAlgorithm(publicKeyAlgorithm)} key of ${formatName(subject)}`
}
