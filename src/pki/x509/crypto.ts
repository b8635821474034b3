/**
 * The one door to cryptography: digests, signatures and keys of node:crypto, synchronous.
 *
 * Nothing that only decodes imports this, so decoding bundles for a browser.
 */

import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signWithKey,
  verify as verifyWithKey,
} from 'node:crypto'
import { StapleError } from '../../errors.ts'
import { formatHex, viewBytes } from '../der/bytes.ts'
import {
  formatKeyAlgorithm,
  type HashAlgorithm,
  isSchemeOfKey,
  type KeyType,
  parseKeyType,
  type SignatureScheme,
} from './algorithm.ts'
import type { Certificate } from './certificate.ts'

export type { HashAlgorithm, KeyType } from './algorithm.ts'

/** A private key: a `KeyObject` of node:crypto, or PEM. */
export type SigningKey = PrivateKeyObject | string

/** What a private `KeyObject` of node:crypto is; structural, so that Node's types stay out of ours. */
export interface PrivateKeyObject {
  readonly type: string
  readonly asymmetricKeyType?: string | undefined
}

/** Computes a digest. */
export function hash(algorithm: HashAlgorithm, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(algorithm).update(bytes).digest())
}

/** The name under which everything about a certificate is kept: lower-case hex SHA-256 of its DER. */
export function certificateKey(der: Uint8Array): string {
  return formatHex(hash('sha256', viewBytes(der, 'der')))
}

/** Tells what kind of key a certificate holds. */
export function keyType(certificate: Certificate): KeyType {
  const type = parseKeyType(certificate.publicKeyAlgorithm)
  if (type !== undefined) return type
  throw unsupportedKey(formatKeyAlgorithm(certificate.publicKeyAlgorithm))
}

/**
 * Tells whether a signature over `message` was made with the key of that certificate.
 *
 * Whether the certificate may sign that is for the caller to judge.
 *
 * @returns false also where the scheme does not suit the key, and where the key cannot be used at all
 */
export function isSignedBy(
  signer: Certificate,
  scheme: SignatureScheme,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const digest = scheme.hashAlgorithm
  if (digest === 'md5' || digest === 'md2') return false
  if (!isSchemeOfKey(scheme, parseKeyType(signer.publicKeyAlgorithm))) return false
  const key = importPublicKey(signer)
  if (key === undefined) return false
  try {
    return verifyWithKey(digest, message, keyOptions(scheme, key), signature)
  } catch {
    // OpenSSL throws for some signatures it cannot even read, and for PSS parameters that the key forbids.
    return false
  }
}

/** Signs `message`; the scheme must suit the key. */
export function sign(key: SigningKey, scheme: SignatureScheme, message: Uint8Array): Uint8Array {
  const privateKey = typeof key === 'string' ? createPrivateKey(key) : (key as KeyObject)
  return new Uint8Array(signWithKey(scheme.hashAlgorithm, message, keyOptions(scheme, privateKey)))
}

/** Keys by certificate, and by the bytes of the key for certificates that are decoded anew each time. */
const keysByCertificate = new WeakMap<Certificate, KeyObject>()
const keysByInfo = new Map<string, KeyObject>()
const maxKeysByInfo = 256

function importPublicKey(certificate: Certificate): KeyObject | undefined {
  const known = keysByCertificate.get(certificate)
  if (known !== undefined) return known
  const spki = certificate.subjectPublicKeyInfo
  const text = Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength).toString('latin1')
  let key = keysByInfo.get(text)
  if (key === undefined) {
    try {
      key = createPublicKey({ key: spki as Buffer, format: 'der', type: 'spki' })
    } catch {
      return undefined
    }
    // The oldest goes; a Map keeps the order of insertion.
    if (keysByInfo.size >= maxKeysByInfo) keysByInfo.delete(keysByInfo.keys().next().value as string)
    keysByInfo.set(text, key)
  }
  keysByCertificate.set(certificate, key)
  return key
}

function keyOptions(scheme: SignatureScheme, key: KeyObject) {
  if (scheme.family !== 'rsa-pss') return key
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.saltLength }
}

function unsupportedKey(found: string): StapleError {
  return new StapleError('ERR_X509_UNSUPPORTED_ALGORITHM', `unsupported public key: ${found}`, {
    field: 'certificate.tbsCertificate.subjectPublicKeyInfo.algorithm',
    expected: 'RSA, P-256, P-384, P-521, Ed25519 or Ed448',
    found,
    clause: 'RFC 5280 §4.1.2.7',
  })
}
