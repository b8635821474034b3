/**
 * Certificates and OCSP responses made by hand, so that every field can be wrong: what no real CA would issue.
 *
 * All dates are fixed around {@link forgedAt}; only keys and ECDSA signatures differ from run to run. A response is a
 * draft of encoded parts: a test replaces the part that it breaks, and all around it stays right.
 */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { joinBytes } from '../../src/pki/der/bytes.ts'
import {
  encodeBitString,
  encodeBoolean,
  encodeEnumerated,
  encodeExplicit,
  encodeGeneralizedTime,
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeValue,
} from '../../src/pki/der/writer.ts'
import { type Certificate, decodeCertificate } from '../../src/pki/x509/certificate.ts'

/** The moment at which every forged response is to be judged. */
export const forgedAt: Date = new Date('2026-06-15T12:00:00Z')

/** So many hours after (or, negative, before) {@link forgedAt}. */
export function hours(count: number): Date {
  return new Date(forgedAt.getTime() + count * 3_600_000)
}

export interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

export type ForgedKeyType = 'p256' | 'p384' | 'p521' | 'rsa' | 'rsa-pss' | 'ed25519' | 'ed448' | 'secp256k1'

const makers: Readonly<Record<ForgedKeyType, () => KeyPair>> = {
  p256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  secp256k1: () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'rsa-pss': () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
  ed25519: () => generateKeyPairSync('ed25519'),
  ed448: () => generateKeyPairSync('ed448'),
}

const keys = new Map<string, KeyPair>()

/** A key pair by name; the same name is the same key for the whole test file. */
export function key(name: string, type: ForgedKeyType = 'p256'): KeyPair {
  const place = `${type} ${name}`
  let pair = keys.get(place)
  if (pair === undefined) {
    pair = makers[type]()
    keys.set(place, pair)
  }
  return pair
}

/** `CN=…` as a Name. */
export function name(commonName: string, stringTag = 0x0c): Uint8Array {
  const value = encodeValue(stringTag, new TextEncoder().encode(commonName))
  return encodeSequence(encodeValue(0x31, encodeSequence(encodeOid('2.5.4.3'), value)))
}

export function extension(oid: string, value: Uint8Array, isCritical = false): Uint8Array {
  return encodeSequence(encodeOid(oid), isCritical ? encodeBoolean(true) : undefined, encodeOctetString(value))
}

export function algorithm(oid: string, parameters?: Uint8Array): Uint8Array {
  return encodeSequence(encodeOid(oid), parameters)
}

/** How a signature is made and named; `digest` and `options` are node:crypto's. */
export interface Scheme {
  readonly identifier: Uint8Array
  readonly digest: string | null
  readonly options?: { readonly padding?: number; readonly saltLength?: number; readonly mgf1Hash?: string }
}

export const schemes = {
  ecdsaSha1: { identifier: algorithm('1.2.840.10045.4.1'), digest: 'sha1' },
  ecdsaSha256: { identifier: algorithm('1.2.840.10045.4.3.2'), digest: 'sha256' },
  ecdsaSha384: { identifier: algorithm('1.2.840.10045.4.3.3'), digest: 'sha384' },
  ecdsaSha512: { identifier: algorithm('1.2.840.10045.4.3.4'), digest: 'sha512' },
  rsaMd5: { identifier: algorithm('1.2.840.113549.1.1.4', encodeNull()), digest: 'md5' },
  rsaSha1: { identifier: algorithm('1.2.840.113549.1.1.5', encodeNull()), digest: 'sha1' },
  rsaSha256: { identifier: algorithm('1.2.840.113549.1.1.11', encodeNull()), digest: 'sha256' },
  rsaSha384: { identifier: algorithm('1.2.840.113549.1.1.12', encodeNull()), digest: 'sha384' },
  rsaSha512: { identifier: algorithm('1.2.840.113549.1.1.13', encodeNull()), digest: 'sha512' },
  ed25519: { identifier: algorithm('1.3.101.112'), digest: null },
  ed448: { identifier: algorithm('1.3.101.113'), digest: null },
} as const satisfies Record<string, Scheme>

/** RSASSA-PSS with those parameters written, and made with those options. */
export function pss(parameters: Uint8Array | undefined, digest = 'sha256', saltLength = 32): Scheme {
  return { identifier: algorithm('1.2.840.113549.1.1.10', parameters), digest, options: { padding: 6, saltLength } }
}

/** RSASSA-PSS-params; each part as DER under its tag, or left out. */
export function pssParameters(
  hashOid?: string,
  maskHashOid?: string,
  saltLength?: bigint,
  trailer?: bigint,
): Uint8Array {
  const digest = (oid: string) => algorithm(oid, encodeNull())
  return encodeSequence(
    hashOid === undefined ? undefined : encodeExplicit(0, digest(hashOid)),
    maskHashOid === undefined ? undefined : encodeExplicit(1, algorithm('1.2.840.113549.1.1.8', digest(maskHashOid))),
    saltLength === undefined ? undefined : encodeExplicit(2, encodeInteger(saltLength)),
    trailer === undefined ? undefined : encodeExplicit(3, encodeInteger(trailer)),
  )
}

export function signWith(pair: KeyPair, scheme: Scheme, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign(scheme.digest, message, { key: pair.privateKey, ...scheme.options }))
}

export interface CertificateDraft {
  readonly subject?: Uint8Array
  readonly issuer?: Uint8Array
  readonly key?: KeyPair
  readonly signer?: KeyPair
  readonly scheme?: Scheme
  readonly serialNumber?: bigint
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** Encoded extensions. */
  readonly extensions?: readonly Uint8Array[]
  /** Changes the finished certificate. */
  readonly after?: (der: Uint8Array) => Uint8Array
}

/** Makes a certificate; by default a leaf of the intermediate. */
export function forgeCertificate(draft: CertificateDraft = {}): Uint8Array {
  const scheme = draft.scheme ?? schemes.ecdsaSha256
  const subjectKey = draft.key ?? key('leaf')
  const extensions = draft.extensions ?? []
  const tbs = encodeSequence(
    encodeExplicit(0, encodeInteger(2n)),
    encodeInteger(draft.serialNumber ?? 0x1122_3344_5566_7788_99aa_bbcc_ddeen),
    scheme.identifier,
    draft.issuer ?? name('Forged Intermediate'),
    encodeSequence(
      encodeGeneralizedTime(draft.notBefore ?? hours(-1000)),
      encodeGeneralizedTime(draft.notAfter ?? hours(1000)),
    ),
    draft.subject ?? name('localhost'),
    new Uint8Array(subjectKey.publicKey.export({ format: 'der', type: 'spki' })),
    extensions.length === 0 ? undefined : encodeExplicit(3, encodeSequence(...extensions)),
  )
  const signature = signWith(draft.signer ?? key('intermediate'), scheme, tbs)
  const der = encodeSequence(tbs, scheme.identifier, encodeBitString(signature))
  return draft.after?.(der) ?? der
}

export const extensions = {
  ca: extension('2.5.29.19', encodeSequence(encodeBoolean(true)), true),
  /** keyCertSign and cRLSign. */
  caUsage: extension('2.5.29.15', Uint8Array.of(3, 2, 1, 0x06), true),
  digitalSignature: extension('2.5.29.15', Uint8Array.of(3, 2, 7, 0x80), true),
  keyEncipherment: extension('2.5.29.15', Uint8Array.of(3, 2, 5, 0x20), true),
  ocspSigning: extension('2.5.29.37', encodeSequence(encodeOid('1.3.6.1.5.5.7.3.9'))),
  serverAuth: extension('2.5.29.37', encodeSequence(encodeOid('1.3.6.1.5.5.7.3.1'))),
  nocheck: extension('1.3.6.1.5.5.7.48.1.5', encodeNull()),
} as const

/** A certificate that may sign responses for the intermediate. */
export function forgeDelegate(draft: CertificateDraft = {}): Uint8Array {
  return forgeCertificate({
    subject: name('Forged Responder'),
    key: key('responder'),
    serialNumber: 77n,
    extensions: [extensions.digitalSignature, extensions.ocspSigning, extensions.nocheck],
    ...draft,
  })
}

export function forgeCa(commonName: string, caKey: KeyPair, draft: CertificateDraft = {}): Uint8Array {
  return forgeCertificate({
    subject: name(commonName),
    issuer: name('Forged Root'),
    signer: key('root'),
    key: caKey,
    extensions: [extensions.ca, extensions.caUsage],
    ...draft,
  })
}

/** Who is asked about, and who answers, unless a draft says otherwise. */
export interface World {
  readonly certificate: Certificate
  readonly issuer: Certificate
  readonly issuerKey: KeyPair
  readonly scheme: Scheme
}

const worlds = new Map<ForgedKeyType, World>()

/** A leaf and its intermediate of that key type. */
export function world(type: ForgedKeyType = 'p256'): World {
  let made = worlds.get(type)
  if (made === undefined) {
    const issuerKey = key('intermediate', type)
    const scheme = defaultSchemes[type]
    made = {
      certificate: decodeCertificate(forgeCertificate({ signer: issuerKey, scheme })),
      issuer: decodeCertificate(forgeCa('Forged Intermediate', issuerKey)),
      issuerKey,
      scheme,
    }
    worlds.set(type, made)
  }
  return made
}

const sha256Oid = '2.16.840.1.101.3.4.2.1'

const defaultSchemes: Readonly<Record<ForgedKeyType, Scheme>> = {
  p256: schemes.ecdsaSha256,
  p384: schemes.ecdsaSha384,
  p521: schemes.ecdsaSha512,
  secp256k1: schemes.ecdsaSha256,
  rsa: schemes.rsaSha256,
  'rsa-pss': pss(pssParameters(sha256Oid, sha256Oid, 32n)),
  ed25519: schemes.ed25519,
  ed448: schemes.ed448,
}

/** The parts of a CertID, encoded. */
export interface CertIDDraft {
  readonly hashAlgorithm: Uint8Array
  readonly issuerNameHash: Uint8Array
  readonly issuerKeyHash: Uint8Array
  readonly serialNumber: Uint8Array
}

export interface SingleDraft {
  readonly certID: CertIDDraft
  readonly certStatus: Uint8Array
  readonly thisUpdate: Uint8Array
  /** Encoded, `[0]` included; undefined leaves it out. */
  readonly nextUpdate: Uint8Array | undefined
  readonly singleExtensions?: Uint8Array
}

/** The parts of a response, each encoded. */
export interface ResponseDraft {
  readonly responseStatus: Uint8Array
  readonly responseType: Uint8Array
  readonly version?: Uint8Array
  readonly responderID: Uint8Array
  readonly producedAt: Uint8Array
  readonly responses: readonly SingleDraft[]
  readonly responseExtensions?: Uint8Array
  readonly signer: KeyPair
  readonly scheme: Scheme
  /** In place of the identifier that the scheme has. */
  readonly signatureAlgorithm?: Uint8Array
  /** Changes the signature's BIT STRING. */
  readonly signature?: (bitString: Uint8Array) => Uint8Array
  /** Changes tbsResponseData after it was signed. */
  readonly signed?: (tbsResponseData: Uint8Array) => Uint8Array
  readonly certs: readonly Uint8Array[]
  /** Changes the content of the OCTET STRING. */
  readonly basic?: (basicResponse: Uint8Array) => Uint8Array
  /** Changes the tag `[0]` and what is in it; undefined leaves it out. */
  readonly responseBytes?: (responseBytes: Uint8Array) => Uint8Array | undefined
  /** Changes the finished response. */
  readonly outer?: (der: Uint8Array) => Uint8Array
}

export const good: Uint8Array = encodeValue(0x80, new Uint8Array())
export const unknown: Uint8Array = encodeValue(0x82, new Uint8Array())

export function revoked(at: Date = hours(-24), reason?: number): Uint8Array {
  const detail = reason === undefined ? new Uint8Array() : encodeExplicit(0, encodeEnumerated(reason))
  return encodeValue(0xa1, joinBytes([encodeGeneralizedTime(at), detail]))
}

/** GeneralizedTime of any text. */
export function timeOf(text: string): Uint8Array {
  return encodeValue(0x18, new TextEncoder().encode(text))
}

export function nextUpdate(at: Date): Uint8Array {
  return encodeExplicit(0, encodeGeneralizedTime(at))
}

export function digest(hash: string, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(hash).update(bytes).digest())
}

const hashOids: Readonly<Record<string, string>> = {
  md5: '1.2.840.113549.2.5',
  sha1: '1.3.14.3.2.26',
  sha256: sha256Oid,
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
}

export function certIDDraft(
  { certificate, issuer }: Pick<World, 'certificate' | 'issuer'>,
  hash = 'sha1',
): CertIDDraft {
  return {
    hashAlgorithm: algorithm(hashOids[hash] as string, encodeNull()),
    issuerNameHash: encodeOctetString(digest(hash, issuer.subject)),
    issuerKeyHash: encodeOctetString(digest(hash, issuer.subjectPublicKey)),
    serialNumber: encodeInteger(certificate.serialNumber),
  }
}

export function singleDraft(of: World, changes: Partial<SingleDraft> = {}): SingleDraft {
  return {
    certID: certIDDraft(of),
    certStatus: good,
    thisUpdate: encodeGeneralizedTime(hours(-1)),
    nextUpdate: nextUpdate(hours(23)),
    ...changes,
  }
}

/** A good response, signed by the issuer itself. */
export function directDraft(of: World = world()): ResponseDraft {
  return {
    responseStatus: encodeEnumerated(0),
    responseType: encodeOid('1.3.6.1.5.5.7.48.1.1'),
    responderID: byKey(of.issuer),
    producedAt: encodeGeneralizedTime(hours(-1)),
    responses: [singleDraft(of)],
    signer: of.issuerKey,
    scheme: of.scheme,
    certs: [],
  }
}

/** A good response, signed by a delegated responder whose certificate it carries. */
export function delegatedDraft(
  certificate: Uint8Array = forgeDelegate(),
  signer: KeyPair = key('responder'),
): ResponseDraft {
  return { ...directDraft(), responderID: byKey(decodeCertificate(certificate)), signer, certs: [certificate] }
}

export function byKey(certificate: Certificate): Uint8Array {
  return encodeExplicit(2, encodeOctetString(digest('sha1', certificate.subjectPublicKey)))
}

export function byName(subject: Uint8Array): Uint8Array {
  return encodeExplicit(1, subject)
}

export function encodeCertIDDraft(draft: CertIDDraft): Uint8Array {
  return encodeSequence(draft.hashAlgorithm, draft.issuerNameHash, draft.issuerKeyHash, draft.serialNumber)
}

/** Encodes and signs a draft. */
export function forgeResponse(draft: ResponseDraft): Uint8Array {
  const singles = draft.responses.map((single) =>
    encodeSequence(
      encodeCertIDDraft(single.certID),
      single.certStatus,
      single.thisUpdate,
      single.nextUpdate,
      single.singleExtensions,
    ),
  )
  const tbs = encodeSequence(
    draft.version,
    draft.responderID,
    draft.producedAt,
    encodeSequence(...singles),
    draft.responseExtensions,
  )
  const bitString = encodeBitString(signWith(draft.signer, draft.scheme, tbs))
  const basic = encodeSequence(
    draft.signed?.(tbs) ?? tbs,
    draft.signatureAlgorithm ?? draft.scheme.identifier,
    draft.signature?.(bitString) ?? bitString,
    draft.certs.length === 0 ? undefined : encodeExplicit(0, encodeSequence(...draft.certs)),
  )
  const response = encodeOctetString(draft.basic?.(basic) ?? basic)
  const responseBytes = encodeExplicit(0, encodeSequence(draft.responseType, response))
  const der = encodeSequence(
    draft.responseStatus,
    draft.responseBytes === undefined ? responseBytes : draft.responseBytes(responseBytes),
  )
  return draft.outer?.(der) ?? der
}

/** A copy with the bits of one octet turned over; a negative index counts from the end. */
export function flip(bytes: Uint8Array, index: number, mask = 0x01): Uint8Array {
  const copy = bytes.slice()
  const at = index < 0 ? copy.length + index : index
  copy[at] = (copy[at] as number) ^ mask
  return copy
}
