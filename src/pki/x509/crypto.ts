/**
 * The one door to cryptography: digests, signatures and keys of node:crypto, synchronous.
 *
 * Nothing that only decodes imports this, so decoding bundles for a browser.
 */

import {
  constants,
  createPrivateKey,
  createPublicKey,
  hash as hashAtOnce,
  type KeyObject,
  sign as signWithKey,
  verify as verifyWithKey,
} from 'node:crypto'
import { StapleError } from '../../errors.ts'
import { formatHex, isSameBytes, viewBytes } from '../der/bytes.ts'
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
  // By way of a string: a Buffer of its own for each digest costs more than the digest.
  const text = hashAtOnce(algorithm, bytes, 'latin1' as 'binary')
  const digest = new Uint8Array(text.length)
  for (let at = 0; at < digest.length; at++) digest[at] = text.charCodeAt(at)
  return digest
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

interface ImportedKey {
  readonly subjectPublicKeyInfo: Uint8Array
  readonly key: KeyObject
}

/**
 * Imported keys by a checksum of their subjectPublicKeyInfo: importing one costs more than most signature checks, and
 * the certificates around it are often decoded anew.
 */
const importedKeys = new Map<number, ImportedKey>()
const maxImportedKeys = 1000

function importPublicKey({ subjectPublicKeyInfo }: Certificate): KeyObject | undefined {
  const place = checksum(subjectPublicKeyInfo)
  const imported = importedKeys.get(place)
  if (imported !== undefined && isSameBytes(imported.subjectPublicKeyInfo, subjectPublicKeyInfo)) return imported.key
  // A copy: a slice would keep the whole response that it came with.
  const copy = subjectPublicKeyInfo.slice()
  let key: KeyObject
  try {
    key = createPublicKey({ key: copy as Buffer, format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
  // A Map keeps the order of insertion: the oldest goes.
  if (importedKeys.size >= maxImportedKeys) importedKeys.delete(importedKeys.keys().next().value as number)
  importedKeys.set(place, { subjectPublicKeyInfo: copy, key })
  return key
}

function checksum(bytes: Uint8Array): number {
  let sum = bytes.length
  for (let at = Math.max(0, bytes.length - 48); at < bytes.length; at++) sum = (sum * 31 + (bytes[at] as number)) | 0
  return sum
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
