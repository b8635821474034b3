/**
 * Who issued a certificate: found among candidates, and proven by its signature.
 */

import { StapleError } from '../../errors.ts'
import { formatKeyAlgorithm, isSchemeOfKey, parseKeyType, parseSignatureScheme } from './algorithm.ts'
import type { Certificate } from './certificate.ts'
import { isSignedBy } from './crypto.ts'
import { formatName, isSameName } from './name.ts'

/**
 * Finds the certificate that issued `leaf`: named as its issuer, allowed to sign certificates, and whose key verifies
 * its signature. Candidates may stand in any order; dates are not looked at.
 *
 * @see RFC 5280 §6.1.3
 */
export function findIssuer(leaf: Certificate, candidates: readonly Certificate[]): Certificate | undefined {
  return candidates.find((candidate) => issuerFault(leaf, candidate) === undefined)
}

/**
 * Proves that `issuer` issued `leaf`, or says why not.
 *
 * @see RFC 5280 §6.1.3
 * @throws {@link StapleError} `ERR_X509_ISSUER_MISMATCH` by name or missing authority, `ERR_X509_SIGNATURE`,
 * `ERR_X509_UNSUPPORTED_ALGORITHM`
 */
export function proveIssuer(leaf: Certificate, issuer: Certificate): void {
  const fault = issuerFault(leaf, issuer)
  if (fault !== undefined) throw fault
}

function issuerFault(leaf: Certificate, issuer: Certificate): StapleError | undefined {
  if (!isSameName(leaf.issuer, issuer.subject)) {
    return mismatch('certificate.issuer', formatName(issuer.subject), formatName(leaf.issuer), 'RFC 5280 §6.1.3')
  }
  const { basicConstraints, keyUsage } = issuer.extensions
  if (basicConstraints?.ca !== true) {
    const found = basicConstraints === undefined ? 'absent' : 'cA FALSE'
    return mismatch('issuer.extensions.basicConstraints', 'cA TRUE', found, 'RFC 5280 §4.2.1.9')
  }
  if (keyUsage !== undefined && !keyUsage.has('keyCertSign')) {
    const found = [...keyUsage].join(', ')
    return mismatch('issuer.extensions.keyUsage', 'keyCertSign', found, 'RFC 5280 §4.2.1.3')
  }
  try {
    return signatureFault(leaf, issuer)
  } catch (error) {
    if (error instanceof StapleError) return error
    throw error
  }
}

function signatureFault(leaf: Certificate, issuer: Certificate): StapleError | undefined {
  const scheme = parseSignatureScheme(leaf.signatureAlgorithm, 'certificate.signatureAlgorithm')
  const name = formatName(issuer.subject)
  if (!isSchemeOfKey(scheme, parseKeyType(issuer.publicKeyAlgorithm))) {
    const key = formatKeyAlgorithm(issuer.publicKeyAlgorithm)
    const expected = `an algorithm for the ${key} key of ${name}`
    return badSignature('certificate.signatureAlgorithm', expected, scheme.name)
  }
  if (isSignedBy(issuer, scheme, leaf.tbsCertificate, leaf.signature)) return undefined
  return badSignature('certificate.signatureValue', `a signature by the key of ${name}`, 'another')
}

function mismatch(field: string, expected: string, found: string, clause: string): StapleError {
  const detail = { field, expected, found, clause }
  return new StapleError(
    'ERR_X509_ISSUER_MISMATCH',
    `not the issuer: ${field} is ${found}, expected ${expected}`,
    detail,
  )
}

function badSignature(field: string, expected: string, found: string): StapleError {
  const detail = { field, expected, found, clause: 'RFC 5280 §6.1.3' }
  return new StapleError(
    'ERR_X509_SIGNATURE',
    `not signed by that issuer: expected ${expected}, found ${found}`,
    detail,
  )
}
