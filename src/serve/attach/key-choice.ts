/**
 * Which of several certificates a client can use, judged from its ClientHello by the type of their keys.
 *
 * Needed because Node's 'OCSPRequest' event names the certificate that was loaded last, not the one that OpenSSL
 * negotiated: with two key types in one context half of the clients would get the other certificate's staple.
 */
import type { KeyType } from '../../pki/x509/crypto.ts'
import type { ClientHello } from './client-hello.ts'

/** Keys that take the same signature schemes and cipher suites; one certificate of each may stand side by side. */
export type KeyFamily = 'ec' | 'rsa' | 'ed'

/** The family of a certificate's key. */
export function keyFamily(type: KeyType): KeyFamily {
  if (type === 'ec') return 'ec'
  return type === 'ed25519' || type === 'ed448' ? 'ed' : 'rsa'
}

/**
 * Chooses the key that a client can use: EC before Edwards curves before RSA, as signing with them costs in that order.
 *
 * @param available - never empty; the last one is chosen when none fits, and OpenSSL then sends the proper alert
 * @see RFC 8446 §4.2.3 (signature_algorithms), RFC 8422 §5.1 (supported groups and ECDSA in TLS 1.2)
 */
export function chooseKeyFamily(hello: ClientHello, available: readonly KeyFamily[]): KeyFamily {
  for (const family of preference) if (available.includes(family) && isUsable(hello, family)) return family
  return available.includes('rsa') ? 'rsa' : (available.at(-1) as KeyFamily)
}

function isUsable(hello: ClientHello, family: KeyFamily): boolean {
  const signs = hello.signatureAlgorithms?.some((scheme) => schemes[family].has(scheme))
  if (hello.supportedVersions.includes(tls13)) return signs === true
  // Without the extension TLS 1.2 means SHA-1 with the key of the cipher suite: RFC 5246 §7.4.1.4.1.
  if (signs === false || (signs === undefined && family === 'ed')) return false
  if (family === 'rsa') return true
  return (
    hello.cipherSuites.some((suite) => ecdsaSuites.has(suite)) &&
    (family === 'ed' || hello.supportedGroups === undefined || hello.supportedGroups.some((group) => curves.has(group)))
  )
}

const preference: readonly KeyFamily[] = ['ec', 'ed', 'rsa']
const tls13 = 0x0304

/** SignatureScheme values by the key that makes them; the SHA-1 ones count for TLS 1.2 only, where OpenSSL decides. */
const schemes: Readonly<Record<KeyFamily, ReadonlySet<number>>> = {
  ec: new Set([0x0203, 0x0303, 0x0403, 0x0503, 0x0603]),
  ed: new Set([0x0807, 0x0808]),
  rsa: new Set([0x0201, 0x0301, 0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b]),
}

/** secp256r1, secp384r1, secp521r1. */
const curves: ReadonlySet<number> = new Set([23, 24, 25])

/** TLS_ECDHE_ECDSA_*: AES-CBC, AES-GCM, AES-CCM, ChaCha20, ARIA and Camellia. */
const ecdsaSuites: ReadonlySet<number> = new Set([
  0xc009, 0xc00a, 0xc023, 0xc024, 0xc02b, 0xc02c, 0xc0ac, 0xc0ad, 0xc0ae, 0xc0af, 0xcca9, 0xc048, 0xc049, 0xc05c,
  0xc05d, 0xc072, 0xc073, 0xc086, 0xc087,
])
