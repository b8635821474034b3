import { X509Certificate } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import {
  AuthorityInfoAccessSyntax,
  AuthorityKeyIdentifier,
  BasicConstraints,
  ExtendedKeyUsage,
  KeyUsage,
  KeyUsageFlags,
  Certificate as PeculiarCertificate,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
} from '@peculiar/asn1-x509'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  encodeBoolean,
  encodeExplicit,
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeValue,
} from '../../../src/pki/der/writer.ts'
import { decodeCertificate, isMustStaple, tlsFeatures } from '../../../src/pki/x509/certificate.ts'
import { type AuthorityKeyType, createAuthority } from '../../kit/authority.ts'
import { algorithm, extension, flip, forgeCertificate, hours, name, schemes } from '../forge.ts'

const keyTypes: readonly AuthorityKeyType[] = ['rsa2048', 'rsapss', 'p256', 'p384', 'ed25519']

/** What stands in a certificate, as plain text values; absent is undefined. */
interface Plain {
  readonly [field: string]: unknown
}

const hex = (bytes: Uint8Array | ArrayBuffer) =>
  Buffer.from(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes).toString('hex')

/** One spelling of an address, by the platform's own parser. */
const address = (text: string) => (text.includes(':') ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text)

function readByUs(der: Uint8Array): Plain {
  const certificate = decodeCertificate(der)
  const { extensions } = certificate
  return {
    serialNumber: certificate.serialNumber,
    issuer: hex(certificate.issuer),
    subject: hex(certificate.subject),
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    subjectPublicKeyInfo: hex(certificate.subjectPublicKeyInfo),
    subjectPublicKey: hex(certificate.subjectPublicKey),
    keyAlgorithm: certificate.publicKeyAlgorithm.oid,
    signatureAlgorithm: certificate.signatureAlgorithm.oid,
    signature: hex(certificate.signature),
    ca: extensions.basicConstraints?.ca,
    pathLength: extensions.basicConstraints?.pathLength,
    keyUsage: extensions.keyUsage && [...extensions.keyUsage].sort(),
    extendedKeyUsage: extensions.extendedKeyUsage,
    subjectKeyIdentifier: extensions.subjectKeyIdentifier && hex(extensions.subjectKeyIdentifier),
    authorityKeyIdentifier: extensions.authorityKeyIdentifier && hex(extensions.authorityKeyIdentifier),
    responderURLs: extensions.responderURLs,
    caIssuersURLs: extensions.caIssuersURLs,
    dnsNames: extensions.dnsNames,
    ipAddresses: extensions.ipAddresses,
  }
}

function readByPeculiar(der: Uint8Array): Plain {
  const { tbsCertificate: tbs, ...outer } = AsnConvert.parse(der, PeculiarCertificate)
  const value = <T>(oid: string, type: new () => T): T | undefined => {
    const found = tbs.extensions?.find(({ extnID }) => extnID === oid)
    return found && AsnConvert.parse(found.extnValue.buffer, type)
  }
  const constraints = value('2.5.29.19', BasicConstraints)
  const usage = value('2.5.29.15', KeyUsage)?.toNumber()
  const subjectKey = value('2.5.29.14', SubjectKeyIdentifier)
  const authorityKey = value('2.5.29.35', AuthorityKeyIdentifier)?.keyIdentifier
  const access = [...(value('1.3.6.1.5.5.7.1.1', AuthorityInfoAccessSyntax) ?? [])]
  const urls = (method: string) =>
    access
      .filter(({ accessMethod }) => accessMethod === method)
      .map(({ accessLocation }) => accessLocation.uniformResourceIdentifier)
  const names = [...(value('2.5.29.17', SubjectAlternativeName) ?? [])]
  const { notBefore, notAfter } = tbs.validity
  const purposes = value('2.5.29.37', ExtendedKeyUsage)
  return {
    serialNumber: BigInt(`0x${hex(tbs.serialNumber)}`),
    issuer: hex(AsnConvert.serialize(tbs.issuer)),
    subject: hex(AsnConvert.serialize(tbs.subject)),
    notBefore: notBefore.getTime().toISOString(),
    notAfter: notAfter.getTime().toISOString(),
    subjectPublicKeyInfo: hex(AsnConvert.serialize(tbs.subjectPublicKeyInfo)),
    subjectPublicKey: hex(tbs.subjectPublicKeyInfo.subjectPublicKey),
    keyAlgorithm: tbs.subjectPublicKeyInfo.algorithm.algorithm,
    signatureAlgorithm: outer.signatureAlgorithm.algorithm,
    signature: hex(outer.signatureValue),
    ca: constraints?.cA,
    pathLength: constraints?.pathLenConstraint,
    keyUsage:
      usage === undefined
        ? undefined
        : Object.entries(KeyUsageFlags)
            .filter(([, bit]) => typeof bit === 'number' && (usage & bit) !== 0)
            .map(([usageName]) => usageName)
            .sort(),
    extendedKeyUsage: purposes && [...purposes],
    subjectKeyIdentifier: subjectKey && hex(subjectKey.buffer),
    authorityKeyIdentifier: authorityKey && hex(authorityKey.buffer),
    responderURLs: urls('1.3.6.1.5.5.7.48.1'),
    caIssuersURLs: urls('1.3.6.1.5.5.7.48.2'),
    dnsNames: names.flatMap(({ dNSName }) => dNSName ?? []),
    ipAddresses: names.flatMap(({ iPAddress }) => (iPAddress === undefined ? [] : address(iPAddress))),
  }
}

function readByNode(der: Uint8Array): Plain {
  const certificate = new X509Certificate(der)
  const names = certificate.subjectAltName?.split(', ') ?? []
  const access = certificate.infoAccess?.split('\n') ?? []
  const after = (prefix: string, lines: readonly string[]) =>
    lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length))
  return {
    serialNumber: BigInt(`0x${certificate.serialNumber}`),
    notBefore: new Date(certificate.validFrom).toISOString(),
    notAfter: new Date(certificate.validTo).toISOString(),
    subjectPublicKeyInfo: hex(certificate.publicKey.export({ format: 'der', type: 'spki' })),
    extendedKeyUsage: certificate.keyUsage,
    responderURLs: after('OCSP - URI:', access),
    caIssuersURLs: after('CA Issuers - URI:', access),
    dnsNames: after('DNS:', names),
    ipAddresses: after('IP Address:', names).map(address),
  }
}

interface Made {
  readonly rich: Uint8Array
  readonly plain: Uint8Array
  readonly root: Uint8Array
  readonly intermediate: Uint8Array
  readonly delegate: Uint8Array
}

const made = new Map<AuthorityKeyType, Made>()

beforeAll(async () => {
  for (const keyType of keyTypes) {
    const authority = await createAuthority({ keyType })
    const rich = await authority.issueLeaf({
      name: 'Rich Leaf',
      mustStaple: true,
      responderURL: ['http://ocsp.example/a', 'http://ocsp.example/b'],
      caIssuersURL: ['http://ca.example/ca.cer', 'ldap://ca.example/cn=ca'],
      san: ['localhost', '*.example.org', '10.0.0.1', '::1', '2001:db8:0:0:1::1', '2001:db8::', '2001:db8:0:1:1:1:1:1'],
      extensions: [
        'noCheck=ignored',
        '2.5.29.56=DER:0500',
        'certificatePolicies=2.23.140.1.2.1',
        'nameConstraints=critical,permitted;DNS:example.org',
        '1.2.3.4.5=critical,DER:0500',
        '1.2.3.4.6=DER:0500',
      ],
    })
    const plain = await authority.issueLeaf({ responderURL: null, notAfter: new Date('2051-02-28T23:59:59Z') })
    const delegate = await authority.delegate()
    const { root, intermediate } = authority
    made.set(keyType, {
      rich: rich.der,
      plain: plain.der,
      root: root.der,
      intermediate: intermediate.der,
      delegate: delegate.der,
    })
  }
})

const kinds = ['rich', 'plain', 'root', 'intermediate', 'delegate'] as const
const certificateOf = (keyType: AuthorityKeyType, kind: keyof Made) => (made.get(keyType) as Made)[kind]

describe.each(keyTypes)('reads from certificates of openssl with %s keys', (keyType) => {
  it.each(kinds)('what @peculiar/asn1-x509 reads: %s', (kind) => {
    const der = certificateOf(keyType, kind)
    expect(readByUs(der)).toEqual(readByPeculiar(der))
  })

  it.each(kinds)('what node:crypto reads: %s', (kind) => {
    const der = certificateOf(keyType, kind)
    expect(readByUs(der)).toMatchObject(
      Object.fromEntries(Object.entries(readByNode(der)).filter(([, value]) => value !== undefined)),
    )
  })

  it('the extensions that no other reader knows', () => {
    const { tlsFeatures, ocspNoCheck, noRevAvail } = decodeCertificate(certificateOf(keyType, 'rich')).extensions
    expect({ tlsFeatures, ocspNoCheck, noRevAvail }).toEqual({ tlsFeatures: [5], ocspNoCheck: true, noRevAvail: true })
  })

  it('the absence of those extensions', () => {
    const { tlsFeatures, ocspNoCheck, noRevAvail } = decodeCertificate(certificateOf(keyType, 'plain')).extensions
    expect({ tlsFeatures, ocspNoCheck, noRevAvail }).toEqual({ tlsFeatures: [], ocspNoCheck: false, noRevAvail: false })
  })

  it('only critical extensions that nothing understands as unsupported', () => {
    expect(decodeCertificate(certificateOf(keyType, 'rich')).extensions.unsupportedCritical).toEqual(['1.2.3.4.5'])
  })
})

/** What a refusal says. */
function refusalOf(der: Uint8Array): unknown {
  try {
    decodeCertificate(der)
  } catch (error) {
    const { code, detail } = error as { code: string; detail: { field: string; expected: string; found: string } }
    return { code, field: detail.field, expected: detail.expected, found: detail.found }
  }
  return 'decoded'
}

const withExtension = (oid: string, value: Uint8Array) => forgeCertificate({ extensions: [extension(oid, value)] })
const extensionsOf = (oid: string, value: Uint8Array) => decodeCertificate(withExtension(oid, value)).extensions

describe('decodeCertificate', () => {
  it('gives slices of the bytes it was given, and copies nothing', () => {
    const der = forgeCertificate()
    const { tbsCertificate, issuer, subjectPublicKey, signature } = decodeCertificate(der)
    expect([tbsCertificate, issuer, subjectPublicKey, signature].every(({ buffer }) => buffer === der.buffer)).toBe(
      true,
    )
  })

  it('gives Uint8Arrays of a Buffer', () => {
    const { subject } = decodeCertificate(Buffer.from(forgeCertificate()))
    expect(Object.getPrototypeOf(subject)).toBe(Uint8Array.prototype)
  })

  it('gives empty extensions of a certificate without any', () => {
    expect(decodeCertificate(forgeCertificate()).extensions).toEqual({
      responderURLs: [],
      caIssuersURLs: [],
      crlDistributionPoints: [],
      tlsFeatures: [],
      ocspNoCheck: false,
      noRevAvail: false,
      dnsNames: [],
      ipAddresses: [],
      unsupportedCritical: [],
    })
  })

  it('reads a negative serial number as what it is', () => {
    expect(decodeCertificate(forgeCertificate({ serialNumber: -129n })).serialNumber).toBe(-129n)
  })

  it('reads years before 1950 and after 2049', () => {
    const notBefore = new Date('1949-12-31T23:59:59Z')
    const notAfter = new Date('9999-12-31T23:59:59Z')
    expect(decodeCertificate(forgeCertificate({ notBefore, notAfter }))).toMatchObject({ notBefore, notAfter })
  })

  it('says by TypeError that what it got is no bytes', () => {
    expect(() => decodeCertificate('MII' as unknown as Uint8Array)).toThrow(
      new TypeError('der must be a Uint8Array, not string'),
    )
  })

  it('refuses bytes after the certificate', () => {
    expect(refusalOf(Buffer.concat([forgeCertificate(), Buffer.of(0)]))).toEqual({
      code: 'ERR_DER_TRAILING_DATA',
      field: 'certificate',
      expected: 'nothing after the last value',
      found: '1 more byte',
    })
  })

  it('refuses a certificate that is cut off', () => {
    expect(refusalOf(forgeCertificate().slice(0, -1))).toMatchObject({
      code: 'ERR_DER_TRUNCATED',
      field: 'certificate',
    })
  })

  it('refuses a signatureAlgorithm that is not the one that was signed', () => {
    // Of all the octets only the last identifier's: ecdsa-with-SHA256 becomes SHA384 outside.
    const der = forgeCertificate()
    const inner = Buffer.from(schemes.ecdsaSha256.identifier)
    const outer = flip(der, Buffer.from(der).lastIndexOf(inner) + inner.length - 1)
    expect(refusalOf(outer)).toMatchObject({ code: 'ERR_X509_MALFORMED', field: 'certificate.signatureAlgorithm' })
  })

  it('refuses an extension that occurs twice', () => {
    const twice = [extension('1.2.3', encodeNull()), extension('1.2.3', encodeNull())]
    expect(refusalOf(forgeCertificate({ extensions: twice }))).toEqual({
      code: 'ERR_X509_MALFORMED',
      field: 'certificate.tbsCertificate.extensions[1].extnID',
      expected: 'each extension once',
      found: '1.2.3 again',
    })
  })

  it.each([
    ['version 4', [encodeExplicit(0, encodeInteger(3n))], 'version', '3'],
    ['extensions in version 1', [], 'version', 'v1'],
    ['extensions in version 2', [encodeExplicit(0, encodeInteger(1n))], 'version', 'v2'],
  ])('refuses %s', (_, version, field, found) => {
    const key = decodeCertificate(forgeCertificate()).subjectPublicKeyInfo
    const time = encodeValue(0x17, new TextEncoder().encode('260101000000Z'))
    const tbs = encodeSequence(
      ...version,
      encodeInteger(1n),
      schemes.ed25519.identifier,
      name('Issuer'),
      encodeSequence(time, time),
      name('Subject'),
      key,
      encodeExplicit(3, encodeSequence(extension('1.2.3', encodeNull()))),
    )
    const der = encodeSequence(tbs, schemes.ed25519.identifier, encodeValue(3, new Uint8Array(65)))
    expect(refusalOf(der)).toMatchObject({
      code: 'ERR_X509_MALFORMED',
      field: `certificate.tbsCertificate.${field}`,
      found,
    })
  })

  it('refuses extensions that are empty', () => {
    const none = forgeCertificate({ extensions: [new Uint8Array()] })
    expect(refusalOf(none)).toMatchObject({ code: 'ERR_X509_MALFORMED', expected: 'at least one extension' })
  })

  it('takes critical FALSE written out, as certificates in use have it', () => {
    const written = encodeSequence(encodeOid('1.2.3'), encodeBoolean(false), encodeOctetString(encodeNull()))
    expect(decodeCertificate(forgeCertificate({ extensions: [written] })).extensions.unsupportedCritical).toEqual([])
  })

  it('takes cA FALSE written out, as certificates in use have it', () => {
    expect(extensionsOf('2.5.29.19', encodeSequence(encodeBoolean(false))).basicConstraints).toEqual({ ca: false })
  })

  it('refuses a negative pathLenConstraint', () => {
    const der = withExtension('2.5.29.19', encodeSequence(encodeBoolean(true), encodeInteger(-1n)))
    expect(refusalOf(der)).toMatchObject({ code: 'ERR_DER_VALUE', expected: 'at least 0', found: '-1' })
  })

  it('reads all nine bits of keyUsage', () => {
    const { keyUsage } = extensionsOf('2.5.29.15', Uint8Array.of(3, 3, 7, 0xff, 0x80))
    expect([...(keyUsage ?? [])]).toEqual([
      ...['digitalSignature', 'nonRepudiation', 'keyEncipherment', 'dataEncipherment', 'keyAgreement'],
      ...['keyCertSign', 'cRLSign', 'encipherOnly', 'decipherOnly'],
    ])
  })

  it('refuses an iPAddress of five octets', () => {
    const names = encodeSequence(encodeValue(0x87, new Uint8Array(5)))
    expect(refusalOf(withExtension('2.5.29.17', names))).toMatchObject({
      code: 'ERR_DER_VALUE',
      expected: '4 or 16 octets',
      found: '5 octets',
    })
  })

  it('refuses a responder URL that is not ASCII', () => {
    const url = encodeValue(0x86, new TextEncoder().encode('http://é/'))
    const access = encodeSequence(encodeSequence(encodeOid('1.3.6.1.5.5.7.48.1'), url))
    expect(refusalOf(withExtension('1.3.6.1.5.5.7.1.1', access))).toMatchObject({
      code: 'ERR_DER_VALUE',
      expected: 'ASCII',
    })
  })

  it('reads the key of an authorityKeyIdentifier that names issuer and serial number too', () => {
    const value = encodeSequence(
      encodeValue(0x80, Uint8Array.of(1, 2)),
      encodeValue(0xa1, encodeValue(0xa4, name('Root'))),
      encodeValue(0x82, Uint8Array.of(7)),
    )
    expect(extensionsOf('2.5.29.35', value).authorityKeyIdentifier).toEqual(Uint8Array.of(1, 2))
  })

  it('passes over an access location that is no URL', () => {
    const access = (location: Uint8Array) => encodeSequence(encodeOid('1.3.6.1.5.5.7.48.1'), location)
    const url = encodeValue(0x86, new TextEncoder().encode('http://a/'))
    const value = encodeSequence(access(encodeValue(0xa4, name('Directory'))), access(url))
    expect(extensionsOf('1.3.6.1.5.5.7.1.1', value).responderURLs).toEqual(['http://a/'])
  })

  it('refuses an ocspNoCheck that is not NULL', () => {
    expect(refusalOf(withExtension('1.3.6.1.5.5.7.48.1.5', encodeSequence()))).toMatchObject({
      code: 'ERR_DER_UNEXPECTED_TAG',
      expected: 'NULL',
      found: 'SEQUENCE',
    })
  })

  it('does not look into extensions that it has no use for', () => {
    const der = forgeCertificate({ extensions: [extension('1.2.3', Uint8Array.of(0x30, 0x80, 0xff), true)] })
    expect(decodeCertificate(der).extensions.unsupportedCritical).toEqual(['1.2.3'])
  })

  it('keeps the parameters of an algorithm as they are', () => {
    const parameters = encodeSequence(encodeInteger(1n))
    const identifier = algorithm('1.2.3.4', parameters)
    const der = forgeCertificate({ scheme: { identifier, digest: 'sha256' }, notAfter: hours(1) })
    expect(decodeCertificate(der).signatureAlgorithm).toEqual({ oid: '1.2.3.4', parameters })
  })
})

describe('TLS features', () => {
  const features = (...numbers: bigint[]) => encodeSequence(...numbers.map(encodeInteger))
  const oid = '1.3.6.1.5.5.7.1.24'

  it('of several are read in order', () => {
    expect(tlsFeatures(withExtension(oid, features(17n, 5n, 65_535n)))).toEqual([17, 5, 65_535])
  })

  it('with status_request mean must-staple, whether decoded or not', () => {
    const der = withExtension(oid, features(17n, 5n))
    expect([isMustStaple(der), isMustStaple(decodeCertificate(der))]).toEqual([true, true])
  })

  it.each([
    ['status_request_v2 alone', features(17n)],
    ['none', features()],
  ])('with %s do not', (_, value) => {
    expect(isMustStaple(withExtension(oid, value))).toBe(false)
  })

  it.each([65_536n, -1n])('refuse %s, which is no TLS extension', (number) => {
    expect(refusalOf(withExtension(oid, features(number)))).toMatchObject({
      code: 'ERR_X509_MALFORMED',
      expected: '0 to 65535',
      found: String(number),
    })
  })
})
