/**
 * Which of several certificates a client can use, judged from its ClientHello.
 *
 * Needed because Node's 'OCSPRequest' event names the certificate that was loaded last, not the one that OpenSSL
 * negotiated: with two key types in one context half of the clients would get the other certificate's staple. The rule
 * is that of OpenSSL with all of them in one context: where that would find a certificate, so must this.
 */
import { formatKeyAlgorithm, parseSignatureScheme, type SignatureScheme } from '../../pki/x509/algorithm.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import { type KeyType, keyType } from '../../pki/x509/crypto.ts'
import type { ClientHello } from './client-hello.ts'
import { ecdsaSuites, groups, pick, rsaSuites, rsaTransportSuites } from './suites.ts'

/** Keys that take the same cipher suites; one certificate of each may stand side by side. */
export type KeyFamily = 'ec' | 'rsa' | 'ed'

/** What a client must offer to use a certificate, in the numbers of the TLS registries. */
export interface KeyUse {
  readonly family: KeyFamily
  /** SignatureSchemes of its key, by version: in TLS 1.3 one for each curve, and no PKCS #1. */
  readonly schemes: { readonly tls12: ReadonlySet<number>; readonly tls13: ReadonlySet<number> }
  /** What TLS 1.2 negotiates with it: suites with a key exchange of their own, and those that encrypt to the key. */
  readonly suites: ReadonlySet<number>
  readonly transportSuites: ReadonlySet<number>
  /** The groups that the server exchanges keys in. */
  readonly groups: ReadonlySet<number>
  /** Of an EC key: the curves of which a client of TLS 1.2 must name one, as its own is among them. */
  readonly curves?: readonly number[]
  /** The schemes by which a client may know how its issuer signed it; absent when that is not known. */
  readonly issuedWith?: readonly number[]
}

/** How the server is set up, as Node's options of these names say it. */
export interface ServerSide {
  readonly ciphers?: string | undefined
  readonly ecdhCurve?: string | undefined
}

/** The family of a certificate's key. */
export function keyFamily(type: KeyType): KeyFamily {
  if (type === 'ec') return 'ec'
  return type === 'ed25519' || type === 'ed448' ? 'ed' : 'rsa'
}

/** Tells what a client must offer to use a certificate on a server; once for each, as it takes the certificate apart. */
export function keyUse(certificate: Certificate, server: ServerSide = {}): KeyUse {
  const type = keyType(certificate)
  const family = keyFamily(type)
  const curve = type === 'ec' ? curves[formatKeyAlgorithm(certificate.publicKeyAlgorithm)] : undefined
  const issuedWith = issuerSchemes(certificate)
  return {
    family,
    schemes: curve ? { tls12: ecSchemes, tls13: new Set([curve.scheme]) } : schemes[type],
    suites: pick(family === 'rsa' ? rsaSuites : ecdsaSuites, server.ciphers),
    transportSuites: type === 'rsa' ? pick(rsaTransportSuites, server.ciphers) : none,
    groups: pick(groups, server.ecdhCurve),
    ...(curve && { curves: [curve.group] }),
    ...(issuedWith && { issuedWith }),
  }
}

/**
 * Chooses the key that a client can use: EC before Edwards curves before RSA, as signing with them costs in that order.
 *
 * @param available - never empty; a family alone stands for any key of it. RSA or else the last one is chosen when none
 *   fits, and OpenSSL then sends the proper alert
 * @see RFC 8446 §4.2.3 and §4.4.2.2, RFC 5246 §7.4.1.4.1, RFC 8422 §5.1
 */
export function chooseKeyFamily(hello: ClientHello, available: readonly (KeyFamily | KeyUse)[]): KeyFamily {
  const uses = available.map((one) => (typeof one === 'string' ? anyUse[one] : one))
  for (const isFitting of fittings) {
    for (const family of preference) {
      for (const use of uses) if (use.family === family && isFitting(hello, use)) return family
    }
  }
  return uses.find(({ family }) => family === 'rsa')?.family ?? (uses.at(-1) as KeyUse).family
}

/**
 * The best fit first: a certificate whose key and issuer's signature the client knows; whose key it knows; could with a suite that few servers take;
 * could if the server signed with SHA-1.
 */
const fittings: readonly ((hello: ClientHello, use: KeyUse) => boolean)[] = [
  (hello, use) =>
    isUsable(hello, use) && isIssuerKnown(use, hello.signatureAlgorithmsCert ?? hello.signatureAlgorithms),
  isUsable,
  (hello, use) => isUsable(hello, withRareSuites(use)),
  (hello, use) => isUsable(withSha1(hello), withSha1Schemes(withRareSuites(use))),
]

function isUsable(hello: ClientHello, use: KeyUse): boolean {
  const { signatureAlgorithms: offered, supportedGroups, cipherSuites } = hello
  // Without the extension TLS 1.3 has no handshake, and TLS 1.2 means SHA-1, which OpenSSL does not sign with.
  if (offered === undefined) return false
  // OpenSSL insists on signature_algorithms_cert where it is sent, and takes signature_algorithms for a wish.
  if (!isIssuerKnown(use, hello.signatureAlgorithmsCert)) return false
  if (hello.supportedVersions.includes(tls13)) return offered.some((scheme) => use.schemes.tls13.has(scheme))
  if (!offered.some((scheme) => use.schemes.tls12.has(scheme))) return false
  if (!isCurveKnown(hello, use)) return false
  // OpenSSL takes a client that names no groups for one that knows none.
  const isExchanging = supportedGroups?.some((group) => use.groups.has(group)) === true
  return cipherSuites.some((suite) => (isExchanging && use.suites.has(suite)) || use.transportSuites.has(suite))
}

/** Whether a client of TLS 1.2 can take an EC key: its curve, and its point as all certificates have it, uncompressed. */
function isCurveKnown({ supportedGroups, pointFormats }: ClientHello, { curves: own }: KeyUse): boolean {
  if (own === undefined) return true
  return own.some((curve) => supportedGroups?.includes(curve)) && pointFormats?.includes(0) !== false
}

/** Whether the issuer signed in a way that a client names; one that names none is not asked. */
function isIssuerKnown({ issuedWith }: KeyUse, named: readonly number[] | undefined): boolean {
  return issuedWith === undefined || named === undefined || issuedWith.some((scheme) => named.includes(scheme))
}

function withRareSuites(use: KeyUse): KeyUse {
  return {
    ...use,
    suites: (use.family === 'rsa' ? rsaSuites : ecdsaSuites).all,
    transportSuites: use.transportSuites.size > 0 ? rsaTransportSuites.all : none,
  }
}

/** @see RFC 5246 §7.4.1.4.1: SHA-1 is also what a client means that does not say */
function withSha1(hello: ClientHello): ClientHello {
  return hello.signatureAlgorithms ? hello : { ...hello, signatureAlgorithms: [0x0203, 0x0201] }
}

function withSha1Schemes(use: KeyUse): KeyUse {
  const { tls12, tls13 } = use.schemes
  return { ...use, schemes: { tls12: new Set([...tls12, ...sha1Schemes[use.family]]), tls13 } }
}

/** The SignatureSchemes by which a client may know the signature on a certificate; undefined for one that has no number. */
function issuerSchemes({ signatureAlgorithm }: Certificate): readonly number[] | undefined {
  let scheme: SignatureScheme
  try {
    scheme = parseSignatureScheme(signatureAlgorithm, 'signatureAlgorithm')
  } catch {
    return undefined
  }
  return signatureNumbers[scheme.hashAlgorithm ? `${scheme.family} ${scheme.hashAlgorithm}` : scheme.family]
}

const preference: readonly KeyFamily[] = ['ec', 'ed', 'rsa']
const tls13 = 0x0304
const none: ReadonlySet<number> = new Set()

const ecSchemes: ReadonlySet<number> = new Set([0x0303, 0x0403, 0x0503, 0x0603])
const pssSchemes: ReadonlySet<number> = new Set([0x0804, 0x0805, 0x0806])

/** SignatureScheme values by the key that makes them, without SHA-1. */
const schemes: Readonly<Record<KeyType, KeyUse['schemes']>> = {
  ec: { tls12: ecSchemes, tls13: new Set([0x0403, 0x0503, 0x0603]) },
  ed25519: always(0x0807),
  ed448: always(0x0808),
  rsa: { tls12: new Set([...pssSchemes, 0x0301, 0x0401, 0x0501, 0x0601]), tls13: pssSchemes },
  'rsa-pss': always(0x0809, 0x080a, 0x080b),
}

const sha1Schemes: Readonly<Record<KeyFamily, readonly number[]>> = { ec: [0x0203], ed: [], rsa: [0x0201] }

/** TLS 1.3 binds a scheme to a curve; TLS 1.2 does not, but wants the curve among the groups. */
const curves: Readonly<Record<string, { readonly scheme: number; readonly group: number }>> = {
  'P-256': { scheme: 0x0403, group: 23 },
  'P-384': { scheme: 0x0503, group: 24 },
  'P-521': { scheme: 0x0603, group: 25 },
}

/** A certificate that is signed with RSASSA-PSS may be named by either of two numbers. */
const signatureNumbers: Readonly<Record<string, readonly number[]>> = {
  'rsa-pkcs1 sha1': [0x0201],
  'rsa-pkcs1 sha256': [0x0401],
  'rsa-pkcs1 sha384': [0x0501],
  'rsa-pkcs1 sha512': [0x0601],
  'rsa-pss sha256': [0x0804, 0x0809],
  'rsa-pss sha384': [0x0805, 0x080a],
  'rsa-pss sha512': [0x0806, 0x080b],
  'ecdsa sha1': [0x0203],
  'ecdsa sha256': [0x0403],
  'ecdsa sha384': [0x0503],
  'ecdsa sha512': [0x0603],
  ed25519: [0x0807],
  ed448: [0x0808],
}

/** What is known of a certificate of which only the family is. */
const anyUse: Readonly<Record<KeyFamily, KeyUse>> = {
  ec: {
    family: 'ec',
    groups: groups.usual,
    transportSuites: none,
    schemes: schemes.ec,
    suites: ecdsaSuites.usual,
    curves: [23, 24, 25],
  },
  ed: {
    family: 'ed',
    groups: groups.usual,
    transportSuites: none,
    schemes: always(0x0807, 0x0808),
    suites: ecdsaSuites.usual,
  },
  rsa: {
    family: 'rsa',
    groups: groups.usual,
    schemes: schemes.rsa,
    suites: rsaSuites.usual,
    transportSuites: rsaTransportSuites.usual,
  },
}

function always(...numbers: number[]): KeyUse['schemes'] {
  return { tls12: new Set(numbers), tls13: new Set(numbers) }
}
