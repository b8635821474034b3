/**
 * What a response must pass, as one list of rules in order: the whole acceptance of Staplewright.
 *
 * `verifyOcspResponse` stops at the first that refuses; `diagnose` runs them all. A rule throws to refuse, and leaves
 * what it established in the judgement for those after it. Limits stand where bytes enter: on the whole here, on lists
 * and depth in the decoder.
 *
 * @see RFC 6960 §3.2, §4.2.2; RFC 9919 §3 and §4; RFC 5280
 */

import { StapleError } from '../../errors.ts'
import { formatHexBriefly, isSameBytes } from '../der/bytes.ts'
import { formatTime } from '../der/time.ts'
import { parseSignatureScheme } from '../x509/algorithm.ts'
import { formatName, isSameName } from '../x509/name.ts'
import { type CreateRule, type Established, type Rule, ruleCreator } from '../x509/rule-list.ts'
import { type CertID, isKnownHash } from './cert-id.ts'
import { type CertIDField, certIDFaults, createCertID } from './cert-id-match.ts'
import { knownResponseExtensions, knownSingleExtensions } from './extensions.ts'
import { type Judgement, type Match, refusal } from './judgement.ts'
import { tooLarge } from './malformed.ts'
import { basicResponseOid, decodeOcspResponseOfAnySize } from './response.ts'
import { findAuthorized, findSigners, formatResponderID, isNamedBy, refuseWeakScheme } from './signer.ts'
import type { CertStatus, SingleResponse } from './single-response.ts'

type Has<Key extends keyof Judgement> = Established<Judgement, Key>

const rule: CreateRule<Judgement> = ruleCreator()

/** Every rule, in the order in which they are asked. */
export const rules: readonly Rule<Judgement>[] = [
  rule('size', 'limit', [], refuseTooLarge),
  rule('encoding', 'RFC 6960 §4.2.1', [], refuseUndecodable),
  rule('response-status', 'RFC 6960 §4.2.1', ['response'], refuseErrorStatus),
  rule('response-type', 'RFC 6960 §4.2.1', ['response'], refuseOtherResponseType),
  rule('critical-extensions', 'RFC 5280 §4.2', ['basicResponse'], refuseUnknownCriticalExtensions),
  rule('issuer', 'RFC 5280 §6.1.3', [], refuseOtherIssuer),
  rule('cert-id', 'RFC 6960 §3.2', ['basicResponse'], refuseOtherCertificates),
  rule('signature-algorithm', 'RFC 6960 §4.3', ['basicResponse'], refuseWeakSignature),
  rule('signature', 'RFC 6960 §3.2', ['basicResponse', 'scheme'], refuseBrokenSignature),
  rule('authority', 'RFC 6960 §4.2.2.2', ['signers'], refuseUnauthorizedSigner),
  rule('delegate-nocheck', 'RFC 6960 §4.2.2.2.1', ['signer'], refuseUncheckedDelegate),
  rule('responder-id', 'RFC 6960 §4.2.1', ['basicResponse', 'signer'], refuseOtherResponder),
  rule('update-order', 'RFC 6960 §4.2.2.1', ['decisive'], refuseBackwardUpdates),
  rule('this-update', 'RFC 6960 §3.2', ['decisive'], refuseFuture),
  rule('next-update', 'RFC 6960 §3.2', ['decisive'], refuseStale),
  rule('age', 'RFC 6960 §4.2.2.1', ['decisive'], refuseTooOld),
  rule('critical-single-extensions', 'RFC 5280 §4.2', ['matches'], refuseUnknownCriticalSingleExtensions),
  rule('nonce', 'RFC 9654 §2.1', ['basicResponse'], refuseOtherNonce),
]

/** Until when a response counts: nextUpdate, or where it has none, as long after thisUpdate as policy says. */
export function effectiveNextUpdateOf(single: SingleResponse, { policies }: Judgement): Date {
  return single.nextUpdate ?? new Date(single.thisUpdate.getTime() + policies.maxAgeWithoutNextUpdateMs)
}

function refuseTooLarge({ der, policies }: Judgement): void {
  const { maxBytes } = policies
  if (der.length > maxBytes) throw tooLarge('ocspResponse', `at most ${maxBytes} bytes`, `${der.length} bytes`)
}

function refuseUndecodable(judgement: Judgement): void {
  const response = decodeOcspResponseOfAnySize(judgement.der, judgement.policies.issuer)
  judgement.response = response
  if (response.basicResponse === undefined) return
  judgement.basicResponse = response.basicResponse
  if (!response.basicResponse.isVersionExplicit) return
  const message = 'version v1 is written out though it is the default: not DER, and strict clients may refuse it'
  judgement.warnings.push({ code: 'explicit-version', message })
}

function refuseErrorStatus({ response }: Has<'response'>): void {
  const { responseStatus } = response
  if (responseStatus === 'successful') return
  throw new StapleError('ERR_OCSP_RESPONSE_STATUS', `the responder answered ${responseStatus}`, {
    field: 'ocspResponse.responseStatus',
    expected: 'successful',
    found: responseStatus,
    clause: 'RFC 6960 §4.2.1',
  })
}

function refuseOtherResponseType({ response }: Has<'response'>): void {
  const { responseType } = response
  if (responseType === undefined || responseType === basicResponseOid) return
  throw refusal('ERR_OCSP_RESPONSE_TYPE', 'not a basic response', {
    field: 'ocspResponse.responseBytes.responseType',
    expected: `id-pkix-ocsp-basic ${basicResponseOid}`,
    found: responseType,
    clause: 'RFC 6960 §4.2.1',
  })
}

function refuseUnknownCriticalExtensions({ basicResponse }: Has<'basicResponse'>): void {
  for (const [index, { oid, isCritical }] of basicResponse.extensions.entries()) {
    if (!isCritical || knownResponseExtensions.has(oid)) continue
    throw unknownCritical(`basicResponse.tbsResponseData.responseExtensions[${index}]`, oid)
  }
}

/** A caller that pairs a certificate with somebody else's issuer would trust the wrong key. */
function refuseOtherIssuer({ policies }: Judgement): void {
  const { certificate, issuer } = policies
  if (isSameName(certificate.issuer, issuer.subject)) return
  throw refusal('ERR_X509_ISSUER_MISMATCH', 'this issuer did not issue that certificate', {
    field: 'certificate.tbsCertificate.issuer',
    expected: formatName(issuer.subject),
    found: formatName(certificate.issuer),
    clause: 'RFC 5280 §6.1.3',
  })
}

/** All entries are searched: the certificate's may stand anywhere, and more than once. */
function refuseOtherCertificates(judgement: Has<'basicResponse'>): void {
  const { certificate, issuer } = judgement.policies
  const { responses } = judgement.basicResponse
  const matches: Match[] = []
  let nearest: { index: number; faults: readonly CertIDField[] } | undefined
  for (const [index, singleResponse] of responses.entries()) {
    const faults = certIDFaults(singleResponse.certID, certificate, issuer)
    if (faults.length === 0) matches.push({ singleResponse, field: singleField(index) })
    else if (nearest === undefined || faults.length < nearest.faults.length) nearest = { index, faults }
  }
  const [first, ...others] = matches
  if (first === undefined) throw certIDMismatch(judgement, nearest)
  judgement.matches = matches
  judgement.decisive = others.reduce(moreDecisive, first)
  if (others.some(({ singleResponse }) => singleResponse.certStatus !== first.singleResponse.certStatus)) {
    const statuses = matches.map(({ singleResponse }) => singleResponse.certStatus).join(', ')
    const message = `the entries about this certificate contradict each other: ${statuses}`
    judgement.warnings.push({ code: 'contradictory', message })
  }
}

function refuseWeakSignature(judgement: Has<'basicResponse'>): void {
  const { basicResponse, policies, warnings } = judgement
  const field = 'basicResponse.signatureAlgorithm'
  const scheme = parseSignatureScheme(basicResponse.signatureAlgorithm, field)
  refuseWeakScheme(scheme, field, policies.allowSha1Signatures)
  judgement.scheme = scheme
  if (scheme.hashAlgorithm !== 'sha1') return
  warnings.push({ code: 'sha1-signature', message: `accepted by danger.allowSha1Signatures: ${scheme.name}` })
}

function refuseBrokenSignature(judgement: Has<'basicResponse' | 'scheme'>): void {
  judgement.signers = findSigners(judgement.basicResponse, judgement.scheme, judgement.policies)
}

function refuseUnauthorizedSigner(judgement: Has<'signers'>): void {
  const signer = findAuthorized(judgement.signers, judgement.policies)
  judgement.signer = signer
  if (signer.kind !== 'configured') return
  const name = formatName(signer.certificate.subject)
  const message = `signed by ${name}, trusted by configuration: clients without it refuse the response`
  judgement.warnings.push({ code: 'configured-responder', message })
}

function refuseUncheckedDelegate(judgement: Has<'signer'>): void {
  const { signer, policies, warnings } = judgement
  const { certificate, kind, field } = signer
  if (kind !== 'delegated' || certificate.extensions.ocspNoCheck) return
  switch (policies.delegateWithoutNocheck) {
    case 'refuse':
      throw refusal('ERR_OCSP_RESPONDER_NOT_AUTHORIZED', 'policy refuses delegated responders without nocheck', {
        field: `${field}.tbsCertificate.extensions.ocspNoCheck`,
        expected: 'present',
        found: 'absent',
        clause: 'RFC 6960 §4.2.2.2.1',
      })
    case 'check':
      judgement.needsDelegateCheck = true
      break
    case 'accept':
      break
  }
  const message = `the responder's certificate ${formatName(certificate.subject)} lacks id-pkix-ocsp-nocheck`
  warnings.push({ code: 'delegate-without-nocheck', message })
}

function refuseOtherResponder({ basicResponse, signer }: Has<'basicResponse' | 'signer'>): void {
  const { responderID } = basicResponse
  const { certificate } = signer
  if (isNamedBy(responderID, signer)) return
  const own = responderID.byKey === undefined ? { byName: certificate.subject } : undefined
  const name = formatName(certificate.subject)
  throw refusal('ERR_OCSP_RESPONDER_ID_MISMATCH', 'the responderID does not name the signer', {
    field: 'basicResponse.tbsResponseData.responderID',
    expected: own === undefined ? `byKey of ${name}` : formatResponderID(own),
    found: formatResponderID(responderID),
    clause: 'RFC 6960 §3.2',
  })
}

function refuseBackwardUpdates({ decisive }: Has<'decisive'>): void {
  const { singleResponse, field } = decisive
  const { thisUpdate, nextUpdate } = singleResponse
  if (nextUpdate === undefined || nextUpdate > thisUpdate) return
  throw refusal('ERR_OCSP_MALFORMED', 'the response has no window', {
    field: `${field}.nextUpdate`,
    expected: `after thisUpdate ${formatTime(thisUpdate)}`,
    found: formatTime(nextUpdate),
    clause: 'RFC 6960 §4.2.2.1',
  })
}

function refuseFuture(judgement: Has<'decisive'>): void {
  const { decisive, policies, warnings } = judgement
  const { thisUpdate, nextUpdate } = decisive.singleResponse
  const windowMs = effectiveNextUpdateOf(decisive.singleResponse, judgement).getTime() - thisUpdate.getTime()
  // Else a short-lived response could be used before it begins for longer than it lives.
  const skewMs = Math.min(policies.allowedClockSkewMs, Math.max(0, windowMs) / 2)
  const latest = new Date(policies.at.getTime() + skewMs)
  if (thisUpdate > latest) {
    throw refusal('ERR_OCSP_NOT_YET_VALID', `the response is from the future, checked at ${formatTime(policies.at)}`, {
      field: `${decisive.field}.thisUpdate`,
      expected: `no later than ${formatTime(latest)}`,
      found: formatTime(thisUpdate),
      clause: 'RFC 6960 §3.2',
    })
  }
  if (nextUpdate === undefined || windowMs <= policies.maxValidityMs) return
  const days = (ms: number) => `${Number((ms / 86_400_000).toPrecision(3))} days`
  const message = `the window is ${days(windowMs)}, longer than ${days(policies.maxValidityMs)}`
  warnings.push({ code: 'window-too-long', message })
}

function refuseStale({ decisive, policies }: Has<'decisive'>): void {
  const { nextUpdate } = decisive.singleResponse
  if (nextUpdate === undefined) return
  const { at, nextUpdateToleranceMs } = policies
  if (at.getTime() <= nextUpdate.getTime() + nextUpdateToleranceMs) return
  const message = `response is stale: nextUpdate ${formatTime(nextUpdate)}, checked at ${formatTime(at)}`
  throw new StapleError('ERR_OCSP_STALE', message, {
    field: `${decisive.field}.nextUpdate`,
    expected: `no earlier than ${formatTime(new Date(at.getTime() - nextUpdateToleranceMs))}`,
    found: formatTime(nextUpdate),
    clause: 'RFC 6960 §3.2',
  })
}

function refuseTooOld(judgement: Has<'decisive'>): void {
  const { decisive, policies, warnings } = judgement
  const { thisUpdate, nextUpdate } = decisive.singleResponse
  if (nextUpdate !== undefined) return
  const { at, maxAgeWithoutNextUpdateMs, nextUpdateToleranceMs } = policies
  const oldest = new Date(at.getTime() - maxAgeWithoutNextUpdateMs - nextUpdateToleranceMs)
  if (thisUpdate < oldest) {
    throw refusal('ERR_OCSP_TOO_OLD', `the response has no nextUpdate and is too old, checked at ${formatTime(at)}`, {
      field: `${decisive.field}.thisUpdate`,
      expected: `no earlier than ${formatTime(oldest)}`,
      found: formatTime(thisUpdate),
      clause: 'RFC 6960 §4.2.2.1',
    })
  }
  const message =
    'the response has no nextUpdate: strict clients may refuse it; max_age_without_next_update bounds it here'
  warnings.push({ code: 'no-next-update', message })
}

/** Of every entry about this certificate, for a client may look at any of them. */
function refuseUnknownCriticalSingleExtensions({ matches }: Has<'matches'>): void {
  for (const { singleResponse, field } of matches) {
    for (const [index, { oid, isCritical }] of singleResponse.extensions.entries()) {
      if (isCritical && !knownSingleExtensions.has(oid))
        throw unknownCritical(`${field}.singleExtensions[${index}]`, oid)
    }
  }
}

function refuseOtherNonce({ basicResponse, policies }: Has<'basicResponse'>): void {
  const { nonce: sent, requireNonce } = policies
  const { nonce: found } = basicResponse
  if (sent === undefined || (found === undefined && !requireNonce)) return
  if (found !== undefined && isSameBytes(sent, found)) return
  throw refusal('ERR_OCSP_NONCE_MISMATCH', 'not an answer to this request', {
    field: 'basicResponse.tbsResponseData.responseExtensions.nonce',
    expected: formatHexBriefly(sent),
    found: found === undefined ? 'absent' : formatHexBriefly(found),
    clause: 'RFC 9654 §2.1',
  })
}

/** Revoked beats unknown beats good, then the later thisUpdate counts. */
function moreDecisive(one: Match, other: Match): Match {
  const weight = weights[other.singleResponse.certStatus] - weights[one.singleResponse.certStatus]
  if (weight !== 0) return weight > 0 ? other : one
  return other.singleResponse.thisUpdate > one.singleResponse.thisUpdate ? other : one
}

const weights: Readonly<Record<CertStatus, number>> = { good: 0, unknown: 1, revoked: 2 }

function certIDMismatch(
  { policies, basicResponse }: Has<'basicResponse'>,
  nearest: { index: number; faults: readonly CertIDField[] } | undefined,
): StapleError {
  const clause = 'RFC 6960 §3.2'
  const message = 'the response is about other certificates'
  if (nearest === undefined) {
    const field = 'basicResponse.tbsResponseData.responses'
    const detail = { field, expected: 'an entry about this certificate', found: 'no entries', clause }
    return refusal('ERR_OCSP_CERT_ID_MISMATCH', message, detail)
  }
  const { certID } = basicResponse.responses[nearest.index] as SingleResponse
  const fault = nearest.faults[0] as CertIDField
  const { hashAlgorithm } = certID
  const wanted = createCertID(
    policies.certificate,
    policies.issuer,
    isKnownHash(hashAlgorithm) ? hashAlgorithm : 'sha1',
  )
  return refusal('ERR_OCSP_CERT_ID_MISMATCH', message, {
    field: `${singleField(nearest.index)}.certID.${fault}`,
    expected: fault === 'hashAlgorithm' ? 'sha1, sha256, sha384 or sha512' : formatCertIDField(wanted, fault),
    found: formatCertIDField(certID, fault),
    clause,
  })
}

function formatCertIDField(certID: CertID, field: CertIDField): string {
  switch (field) {
    case 'hashAlgorithm':
      return certID.hashAlgorithm
    case 'serialNumber':
      return formatSerialNumber(certID.serialNumber)
    case 'issuerNameHash':
    case 'issuerKeyHash':
      return formatHexBriefly(certID[field])
  }
}

function formatSerialNumber(serialNumber: bigint): string {
  const hex = serialNumber.toString(16)
  return hex.length <= 64 ? hex : `${hex.slice(0, 64)}…`
}

function singleField(index: number): string {
  return `basicResponse.tbsResponseData.responses[${index}]`
}

function unknownCritical(field: string, oid: string): StapleError {
  return refusal('ERR_OCSP_UNSUPPORTED_CRITICAL_EXTENSION', 'a critical extension is not understood', {
    field,
    expected: 'only critical extensions that are understood',
    found: oid,
    clause: 'RFC 5280 §4.2',
  })
}
