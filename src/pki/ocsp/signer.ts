/**
 * Who signed a response, and whether they may: the search for the key, and the authority of the certificate around it.
 *
 * A response names its signer in responderID, but only the signature proves it; so the certificates it names are tried
 * first and the others after, for a failure to say what is really wrong.
 */

import { StapleError } from '../../errors.ts'
import { formatHex, isSameBytes } from '../der/bytes.ts'
import { formatTime } from '../der/time.ts'
import {
  formatKeyAlgorithm,
  isSchemeOfKey,
  parseKeyType,
  parseSignatureScheme,
  type SignatureScheme,
  weaknessOf,
} from '../x509/algorithm.ts'
import { certificateKey, hash, isSignedBy } from '../x509/crypto.ts'
import { ocspSigningOid } from '../x509/extensions.ts'
import { formatName, isSameName } from '../x509/name.ts'
import { hashOfKey } from './cert-id-match.ts'
import { type Candidate, refusal } from './judgement.ts'
import type { Policies } from './options.ts'
import type { BasicResponse, ResponderID } from './response.ts'

/**
 * Finds all candidates whose key made the response's signature.
 *
 * @throws {@link StapleError} `ERR_OCSP_SIGNATURE` when a certificate that the responderID names did not sign it;
 * `ERR_OCSP_RESPONDER_NOT_AUTHORIZED` when it names nobody that is known here
 */
export function findSigners(basicResponse: BasicResponse, scheme: SignatureScheme, policies: Policies): Candidate[] {
  const candidates = listCandidates(basicResponse, policies)
  const { responderID, tbsResponseData, signature } = basicResponse
  const named = candidates.filter((candidate) => isNamedBy(responderID, candidate))
  const signed = ({ certificate }: Candidate) => isSignedBy(certificate, scheme, tbsResponseData, signature)
  const signer = named.find(signed) ?? candidates.filter((candidate) => !named.includes(candidate)).find(signed)
  if (signer === undefined) throw signatureFault(basicResponse, scheme, policies, named[0])
  const key = signer.certificate.subjectPublicKeyInfo
  return candidates.filter(({ certificate }) => isSameBytes(certificate.subjectPublicKeyInfo, key))
}

/**
 * Finds the candidate that may sign for the issuer.
 *
 * Of several that may not, the one that comes closest says why.
 *
 * @see RFC 6960 §4.2.2.2
 */
export function findAuthorized(signers: readonly Candidate[], policies: Policies): Candidate {
  let closest: Fault | undefined
  for (const signer of signers) {
    const fault = authorityFault(signer, policies)
    if (fault === undefined) return signer
    if (closest === undefined || fault.passed > closest.passed) closest = fault
  }
  throw (closest as Fault).error
}

/** Tells whether a responderID is that of a candidate. @see RFC 6960 §4.2.1 */
export function isNamedBy(responderID: ResponderID, { kind, certificate }: Candidate): boolean {
  if (responderID.byKey === undefined) return isSameName(responderID.byName, certificate.subject)
  // Only the issuer outlives the response: what is remembered of others would never be asked again.
  const keyHash = kind === 'issuer' ? hashOfKey(certificate, 'sha1') : hash('sha1', certificate.subjectPublicKey)
  return isSameBytes(responderID.byKey, keyHash)
}

/** Shows a responderID as `byName CN=…` or `byKey 1f2e…`. */
export function formatResponderID(responderID: ResponderID): string {
  if (responderID.byKey !== undefined) return `byKey ${formatHex(responderID.byKey)}`
  return `byName ${formatName(responderID.byName)}`
}

/** A failed check of authority, and how many checks passed before it. */
interface Fault {
  readonly passed: number
  readonly error: StapleError
}

function listCandidates({ certificates }: BasicResponse, { issuer, responderCertificate }: Policies): Candidate[] {
  const candidates: Candidate[] = [{ kind: 'issuer', certificate: issuer, field: 'issuer' }]
  for (const [index, certificate] of certificates.entries()) {
    // An issuer may carry its own certificate: that is the issuer again, under the one that was proven.
    if (isSameBytes(certificate.subjectPublicKeyInfo, issuer.subjectPublicKeyInfo)) continue
    candidates.push({ kind: 'delegated', certificate, field: `basicResponse.certs[${index}]` })
  }
  if (responderCertificate !== undefined) {
    candidates.push({ kind: 'configured', certificate: responderCertificate, field: 'responderCertificate' })
  }
  return candidates
}

function signatureFault(
  basicResponse: BasicResponse,
  scheme: SignatureScheme,
  { issuer }: Policies,
  named: Candidate | undefined,
): StapleError {
  if (named === undefined) {
    return refusal('ERR_OCSP_RESPONDER_NOT_AUTHORIZED', 'the signer is unknown', {
      field: 'basicResponse.tbsResponseData.responderID',
      expected: `the issuer ${formatName(issuer.subject)}, or one of the certificates in certs`,
      found: formatResponderID(basicResponse.responderID),
      clause: 'RFC 6960 §4.2.2.2',
    })
  }
  const { certificate } = named
  const key = `the ${formatKeyAlgorithm(certificate.publicKeyAlgorithm)} key of ${formatName(certificate.subject)}`
  if (!isSchemeOfKey(scheme, parseKeyType(certificate.publicKeyAlgorithm))) {
    return refusal('ERR_OCSP_SIGNATURE', "the signature algorithm does not suit the signer's key", {
      field: 'basicResponse.signatureAlgorithm',
      expected: `an algorithm for ${key}`,
      found: scheme.name,
      clause: 'RFC 6960 §4.2.1',
    })
  }
  return refusal('ERR_OCSP_SIGNATURE', 'the signature does not verify', {
    field: 'basicResponse.signature',
    expected: `a signature over tbsResponseData by ${key}`,
    found: 'one that this key does not verify',
    clause: 'RFC 6960 §3.2',
  })
}

function authorityFault(signer: Candidate, policies: Policies): Fault | undefined {
  switch (signer.kind) {
    case 'issuer':
      return undefined
    case 'configured':
      return datesFault(signer, policies)
    case 'delegated':
      return delegateFault(signer, policies)
  }
}

/** @see RFC 6960 §4.2.2.2 */
function delegateFault(signer: Candidate, policies: Policies): Fault | undefined {
  const { certificate, field } = signer
  const { issuer } = policies
  const { extendedKeyUsage, keyUsage, unsupportedCritical } = certificate.extensions
  if (!isSameName(certificate.issuer, issuer.subject)) {
    const found = formatName(certificate.issuer)
    return { passed: 0, error: notAuthorized(`${field}.tbsCertificate.issuer`, formatName(issuer.subject), found) }
  }
  const signatureError = delegateSignatureFault(signer, policies)
  if (signatureError !== undefined) return { passed: 1, error: signatureError }
  if (extendedKeyUsage?.includes(ocspSigningOid) !== true) {
    const found = extendedKeyUsage === undefined ? 'absent' : extendedKeyUsage.join(', ')
    const expected = `id-kp-OCSPSigning ${ocspSigningOid}`
    return { passed: 2, error: notAuthorized(`${field}.tbsCertificate.extensions.extKeyUsage`, expected, found) }
  }
  if (keyUsage !== undefined && !keyUsage.has('digitalSignature')) {
    const found = [...keyUsage].join(', ') || 'none'
    return {
      passed: 3,
      error: notAuthorized(
        `${field}.tbsCertificate.extensions.keyUsage`,
        'digitalSignature',
        found,
        'RFC 5280 §4.2.1.3',
      ),
    }
  }
  const [unsupported] = unsupportedCritical
  if (unsupported !== undefined) {
    const error = refusal('ERR_X509_UNSUPPORTED_CRITICAL_EXTENSION', "the responder's certificate is not understood", {
      field: `${field}.tbsCertificate.extensions`,
      expected: 'only critical extensions that are understood',
      found: unsupported,
      clause: 'RFC 5280 §4.2',
    })
    return { passed: 4, error }
  }
  return datesFault(signer, policies) ?? revokedFault(signer, policies)
}

function delegateSignatureFault(signer: Candidate, { issuer, allowSha1Signatures }: Policies): StapleError | undefined {
  const { certificate, field } = signer
  try {
    const scheme = parseSignatureScheme(certificate.signatureAlgorithm, `${field}.signatureAlgorithm`)
    refuseWeakScheme(scheme, `${field}.signatureAlgorithm`, allowSha1Signatures)
    if (isSignedBy(issuer, scheme, certificate.tbsCertificate, certificate.signature)) return undefined
  } catch (error) {
    if (error instanceof StapleError) return error
    throw error
  }
  return notAuthorized(`${field}.signatureValue`, `a signature by the key of ${formatName(issuer.subject)}`, 'another')
}

/** Refuses MD2 and MD5, and SHA-1 unless it was allowed. */
export function refuseWeakScheme(scheme: SignatureScheme, field: string, allowSha1Signatures: boolean): void {
  const clause = weaknessOf(scheme, allowSha1Signatures)
  if (clause === undefined) return
  throw refusal('ERR_OCSP_WEAK_ALGORITHM', 'the signature proves nothing today', {
    field,
    expected: 'SHA-256, SHA-384, SHA-512, Ed25519 or Ed448',
    found: scheme.name,
    clause,
  })
}

function datesFault({ certificate, field }: Candidate, { at }: Policies): Fault | undefined {
  const { notBefore, notAfter } = certificate
  if (at >= notBefore && at <= notAfter) return undefined
  const error = refusal('ERR_OCSP_RESPONDER_EXPIRED', "the responder's certificate is outside its dates", {
    field: `${field}.tbsCertificate.validity`,
    expected: `${formatTime(notBefore)} to ${formatTime(notAfter)}`,
    found: formatTime(at),
    clause: 'RFC 5280 §4.1.2.5',
  })
  return { passed: 5, error }
}

function revokedFault({ certificate, field }: Candidate, { revokedDelegates }: Policies): Fault | undefined {
  if (revokedDelegates === undefined || revokedDelegates.size === 0) return undefined
  const key = certificateKey(certificate.der)
  if (!revokedDelegates.has(key)) return undefined
  return {
    passed: 6,
    error: notAuthorized(field, 'a certificate that is not revoked', `revoked ${key}`, 'RFC 6960 §4.2.2.2.1'),
  }
}

function notAuthorized(field: string, expected: string, found: string, clause = 'RFC 6960 §4.2.2.2'): StapleError {
  const detail = { field, expected, found, clause }
  return refusal('ERR_OCSP_RESPONDER_NOT_AUTHORIZED', 'the signer may not sign for this issuer', detail)
}
