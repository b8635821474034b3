import { describe, expect, it } from 'vitest'
import {
  encodeExplicit,
  encodeGeneralizedTime,
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeSequence,
  encodeValue,
} from '../../../src/pki/der/writer.ts'
import type { VerifyOptions } from '../../../src/pki/ocsp/options.ts'
import type { CertStatus } from '../../../src/pki/ocsp/single-response.ts'
import { verifyOcspResponse } from '../../../src/pki/ocsp/verify.ts'
import { decodeCertificate } from '../../../src/pki/x509/certificate.ts'
import {
  algorithm,
  byKey,
  byName,
  certIDDraft,
  delegatedDraft,
  digest,
  directDraft,
  extension,
  extensions,
  type ForgedKeyType,
  forgeCa,
  forgeCertificate,
  forgeDelegate,
  forgedAt,
  forgeResponse,
  good,
  hours,
  key,
  name,
  nextUpdate,
  pss,
  pssParameters,
  type ResponseDraft,
  revoked,
  type Scheme,
  type SingleDraft,
  schemes,
  singleDraft,
  unknown,
  world,
} from '../forge.ts'

const sha256 = '2.16.840.1.101.3.4.2.1'
const sha384 = '2.16.840.1.101.3.4.2.2'
const sha512 = '2.16.840.1.101.3.4.2.3'

function verify(draft: ResponseDraft, options: Partial<VerifyOptions> = {}, of = world()) {
  return verifyOcspResponse(forgeResponse(draft), {
    certificate: of.certificate,
    issuer: of.issuer,
    at: forgedAt,
    ...options,
  })
}

const codes = (verified: { readonly warnings: readonly { readonly code: string }[] }) =>
  verified.warnings.map(({ code }) => code)

/** A response with these entries about the certificate. */
const entries = (...changes: Partial<SingleDraft>[]): ResponseDraft => ({
  ...directDraft(),
  responses: changes.map((change) => singleDraft(world(), change)),
})

describe('gives of a good response', () => {
  const der = forgeResponse(directDraft())
  const verified = verifyOcspResponse(der, { ...world(), at: forgedAt })

  it('the very bytes it was given', () => expect(verified.der).toBe(der))
  it('its status and times', () =>
    expect(verified).toMatchObject({
      certStatus: 'good',
      producedAt: hours(-1),
      thisUpdate: hours(-1),
      nextUpdate: hours(23),
      effectiveNextUpdate: hours(23),
      usableUntil: hours(23),
    }))
  it('who signed', () => expect(verified.signer).toEqual({ kind: 'issuer', name: 'CN=Forged Intermediate' }))
  it('no warning, no doubt', () =>
    expect(verified).toMatchObject({ warnings: [], isContradictory: false, needsDelegateCheck: false }))
})

describe('accepts a signature by', () => {
  it.each<[string, ForgedKeyType, Scheme]>([
    ['P-256 with SHA-256', 'p256', schemes.ecdsaSha256],
    ['P-256 with SHA-384', 'p256', schemes.ecdsaSha384],
    ['P-384 with SHA-384', 'p384', schemes.ecdsaSha384],
    ['P-384 with SHA-256', 'p384', schemes.ecdsaSha256],
    ['P-521 with SHA-512', 'p521', schemes.ecdsaSha512],
    ['RSA PKCS #1 with SHA-256', 'rsa', schemes.rsaSha256],
    ['RSA PKCS #1 with SHA-384', 'rsa', schemes.rsaSha384],
    ['RSA PKCS #1 with SHA-512', 'rsa', schemes.rsaSha512],
    [
      'RSA PKCS #1 with SHA-256 and no parameters',
      'rsa',
      { ...schemes.rsaSha256, identifier: algorithm('1.2.840.113549.1.1.11') },
    ],
    ['an RSA key with RSASSA-PSS', 'rsa', pss(pssParameters(sha256, sha256, 32n))],
    ['an RSA-PSS key with SHA-256', 'rsa-pss', pss(pssParameters(sha256, sha256, 32n))],
    ['an RSA-PSS key with SHA-384', 'rsa-pss', pss(pssParameters(sha384, sha384, 48n), 'sha384', 48)],
    ['an RSA-PSS key with SHA-512', 'rsa-pss', pss(pssParameters(sha512, sha512, 64n), 'sha512', 64)],
    ['an RSA-PSS key with the default salt of 20', 'rsa-pss', pss(pssParameters(sha256, sha256), 'sha256', 20)],
    ['an RSA-PSS key without salt', 'rsa-pss', pss(pssParameters(sha256, sha256, 0n), 'sha256', 0)],
    ['Ed25519', 'ed25519', schemes.ed25519],
    ['Ed448', 'ed448', schemes.ed448],
  ])('%s', (_name, type, scheme) => {
    const of = world(type)
    expect(verify({ ...directDraft(of), scheme }, {}, of).certStatus).toBe('good')
  })
})

it('refuses a curve that is none of the three', () => {
  const of = world('secp256k1')
  expect(() => verify(directDraft(of), {}, of)).toThrow(
    expect.objectContaining({
      code: 'ERR_OCSP_SIGNATURE',
      detail: expect.objectContaining({
        field: 'basicResponse.signatureAlgorithm',
        expected: 'an algorithm for the EC (unsupported curve) key of CN=Forged Intermediate',
      }),
    }),
  )
})

describe('under danger.allowSha1Signatures', () => {
  const danger = { allowSha1Signatures: true }

  it('accepts SHA-1 and says so', () => {
    const of = world('rsa')
    expect(codes(verify({ ...directDraft(of), scheme: schemes.rsaSha1 }, { danger }, of))).toEqual(['sha1-signature'])
  })
  it('accepts RSASSA-PSS by its defaults', () => {
    const of = world('rsa')
    const scheme = pss(encodeSequence(), 'sha1', 20)
    expect(verify({ ...directDraft(of), scheme }, { danger }, of).certStatus).toBe('good')
  })
  it("accepts SHA-1 in the signer's certificate", () => {
    const draft = delegatedDraft(forgeDelegate({ scheme: schemes.ecdsaSha1 }))
    expect(verify(draft, { danger }).signer.kind).toBe('delegated')
  })
})

describe('finds the entry', () => {
  it.each(['sha1', 'sha256', 'sha384', 'sha512'] as const)('by %s', (hash) => {
    const verified = verify(entries({ certID: certIDDraft(world(), hash) }))
    expect(verified.hashAlgorithms).toEqual([hash])
  })
  it('without NULL parameters', () => {
    const certID = { ...certIDDraft(world()), hashAlgorithm: algorithm('1.3.14.3.2.26') }
    expect(verify(entries({ certID })).singleResponse.certID.isParameterless).toBe(true)
  })
  it('behind entries about other serial numbers, issuers and by unknown hashes', () => {
    const certID = certIDDraft(world())
    const draft = entries(
      { certID: { ...certID, serialNumber: encodeInteger(-5n) }, certStatus: revoked() },
      { certID: { ...certID, issuerKeyHash: encodeOctetString(new Uint8Array(20)) }, certStatus: revoked() },
      { certID: certIDDraft(world(), 'md5'), certStatus: revoked() },
      {},
    )
    const verified = verify(draft)
    expect(verified).toMatchObject({ certStatus: 'good', isContradictory: false })
  })
  it('whose issuerNameHash is over the issuer field as the certificate has it', () => {
    // The issuer calls itself by a PrintableString, the certificate calls it by a UTF8String: the same name.
    const issuer = decodeCertificate(forgeCa('', key('intermediate'), { subject: name('Forged Intermediate', 0x13) }))
    expect(verify(directDraft(), { issuer }).certStatus).toBe('good')
  })
  it('warns when it is only there by SHA-256', () => {
    expect(codes(verify(entries({ certID: certIDDraft(world(), 'sha256') })))).toEqual(['only-sha256'])
  })
})

describe('of several entries about the certificate', () => {
  const statuses: Readonly<Record<CertStatus, Uint8Array>> = { good, unknown, revoked: revoked() }

  it.each<[CertStatus[], CertStatus]>([
    [['good', 'revoked'], 'revoked'],
    [['revoked', 'good'], 'revoked'],
    [['good', 'unknown'], 'unknown'],
    [['unknown', 'good'], 'unknown'],
    [['revoked', 'unknown'], 'revoked'],
    [['unknown', 'good', 'revoked'], 'revoked'],
  ])('%s: %s counts, and they contradict each other', (given, expected) => {
    const verified = verify(entries(...given.map((status) => ({ certStatus: statuses[status] }))))
    expect(verified).toMatchObject({ certStatus: expected, isContradictory: true })
    expect(codes(verified)).toEqual(['contradictory'])
  })
  it.each([
    ['first', [-1, -2]],
    ['last', [-2, -1]],
  ])('that agree, the most recent counts, also when it stands %s', (_place, [one = 0, two = 0]) => {
    const verified = verify(
      entries({ thisUpdate: encodeGeneralizedTime(hours(one)) }, { thisUpdate: encodeGeneralizedTime(hours(two)) }),
    )
    expect(verified).toMatchObject({ thisUpdate: hours(-1), isContradictory: false })
  })
  it('an older revocation still counts against a newer good', () => {
    const verified = verify(
      entries({ thisUpdate: encodeGeneralizedTime(hours(-9)), certStatus: revoked(hours(-10), 1) }, {}),
    )
    expect(verified).toMatchObject({
      certStatus: 'revoked',
      revocationReason: 'keyCompromise',
      revocationTime: hours(-10),
    })
  })
  it('that agree by SHA-1 and SHA-256, nothing is wrong', () => {
    const verified = verify(entries({}, { certID: certIDDraft(world(), 'sha256') }))
    expect(verified).toMatchObject({ hashAlgorithms: ['sha1', 'sha256'], isContradictory: false, warnings: [] })
  })
  it('the earliest nextUpdate bounds how long it may be used, for a client may look at any', () => {
    const verified = verify(entries({}, { certID: certIDDraft(world(), 'sha256'), nextUpdate: nextUpdate(hours(2)) }))
    expect(verified).toMatchObject({ nextUpdate: hours(23), usableUntil: hours(2) })
  })
})

describe('reads revocation', () => {
  it.each([
    [undefined, undefined],
    [0, 'unspecified'],
    [6, 'certificateHold'],
    [8, 'removeFromCRL'],
    [10, 'aACompromise'],
    // A number that RFC 5280 does not assign must not hide the revocation.
    [7, 'reason7'],
    [255, 'reason255'],
  ])('with reason %s as %s', (number, reason) => {
    const verified = verify(entries({ certStatus: revoked(hours(-3), number) }))
    expect(verified).toMatchObject({ certStatus: 'revoked', revocationTime: hours(-3) })
    expect(verified.revocationReason).toBe(reason)
  })
})

describe('accepts as signer', () => {
  it('a delegated responder, and names it', () => {
    const verified = verify(delegatedDraft())
    expect(verified.signer).toMatchObject({ kind: 'delegated', name: 'CN=Forged Responder' })
    expect(verified.signer.certificate?.serialNumber).toBe(77n)
    expect(verified.warnings).toEqual([])
  })
  it.each([0, 1, 2])('a delegated responder whose certificate stands at place %s of three', (place) => {
    const certs = [forgeCertificate(), world().issuer.der]
    certs.splice(place, 0, forgeDelegate())
    expect(verify({ ...delegatedDraft(), certs }).signer.kind).toBe('delegated')
  })
  it('a delegated responder of another key type than the issuer', () => {
    const draft = delegatedDraft(forgeDelegate({ key: key('responder', 'rsa') }), key('responder', 'rsa'))
    expect(verify({ ...draft, scheme: schemes.rsaSha256 }).signer.kind).toBe('delegated')
  })
  it('a delegated responder by name', () => {
    expect(verify({ ...delegatedDraft(), responderID: byName(name('Forged Responder')) }).signer.kind).toBe('delegated')
  })
  it('a delegated responder without keyUsage, and with further purposes', () => {
    const purposes = extension(
      '2.5.29.37',
      encodeSequence(Uint8Array.of(6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1), Uint8Array.of(6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 9)),
    )
    expect(verify(delegatedDraft(forgeDelegate({ extensions: [purposes, extensions.nocheck] }))).signer.kind).toBe(
      'delegated',
    )
  })
  it('of two certificates with the same key the one that is authorised', () => {
    const draft = delegatedDraft()
    const expired = forgeDelegate({ notAfter: hours(-1), serialNumber: 76n })
    const verified = verify({ ...draft, certs: [expired, ...draft.certs] })
    expect(verified.signer.certificate?.serialNumber).toBe(77n)
  })
  it('the issuer by name', () => {
    expect(verify({ ...directDraft(), responderID: byName(world().issuer.subject) }).signer.kind).toBe('issuer')
  })
  it('the issuer by its name in another string type', () => {
    const draft = { ...directDraft(), responderID: byName(name('forged  INTERMEDIATE', 0x13)) }
    expect(verify(draft).signer.kind).toBe('issuer')
  })
  it('the issuer when it carries its own certificate', () => {
    expect(verify({ ...directDraft(), certs: [world().issuer.der] }).signer.kind).toBe('issuer')
  })
  it('the issuer when it carries another certificate for its own key', () => {
    const crossSigned = forgeCa('Forged Intermediate', key('intermediate'), {
      issuer: name('Other Root'),
      signer: key('other'),
    })
    expect(verify({ ...directDraft(), certs: [crossSigned] }).signer.kind).toBe('issuer')
  })
  it('the issuer without digitalSignature in its keyUsage, as issuers are', () => {
    expect(world().issuer.extensions.keyUsage?.has('digitalSignature')).toBe(false)
    expect(verify(directDraft()).signer.kind).toBe('issuer')
  })

  const configured = forgeCertificate({
    subject: name('Configured'),
    signer: key('else'),
    key: key('configured'),
    notAfter: hours(9),
  })
  const byConfigured = {
    ...directDraft(),
    signer: key('configured'),
    responderID: byKey(decodeCertificate(configured)),
  }

  it('a configured responder, with a warning', () => {
    const verified = verify(byConfigured, { responderCertificate: configured })
    expect(verified.signer).toMatchObject({ kind: 'configured', name: 'CN=Configured' })
    expect(codes(verified)).toEqual(['configured-responder'])
    expect(verified.usableUntil).toEqual(hours(9))
  })
  it('a configured responder that is delegated too, as the delegated one it is', () => {
    const verified = verify(delegatedDraft(), { responderCertificate: forgeDelegate() })
    expect(verified).toMatchObject({ signer: { kind: 'delegated' }, warnings: [] })
  })
})

describe('a delegated responder without nocheck', () => {
  const draft = delegatedDraft(forgeDelegate({ extensions: [extensions.ocspSigning] }))

  it('is accepted with a warning by default', () => {
    const verified = verify(draft)
    expect(codes(verified)).toEqual(['delegate-without-nocheck'])
    expect(verified.needsDelegateCheck).toBe(false)
  })
  it('is to be checked where policy says so', () => {
    expect(verify(draft, { delegateWithoutNocheck: 'check' }).needsDelegateCheck).toBe(true)
  })
  it('matters only for delegated signers', () => {
    expect(verify(directDraft(), { delegateWithoutNocheck: 'refuse' }).signer.kind).toBe('issuer')
  })
  it('with nocheck, there is nothing to check', () => {
    expect(verify(delegatedDraft(), { delegateWithoutNocheck: 'check' }).needsDelegateCheck).toBe(false)
  })
})

describe('in time', () => {
  it("ends with the delegated responder's certificate", () => {
    expect(verify(delegatedDraft(forgeDelegate({ notAfter: hours(5) }))).usableUntil).toEqual(hours(5))
  })
  it('begins up to five minutes early', () => {
    expect(verify(entries({ thisUpdate: encodeGeneralizedTime(hours(5 / 60)) })).certStatus).toBe('good')
  })
  it('begins as early as the caller allows', () => {
    const draft = entries({ thisUpdate: encodeGeneralizedTime(hours(1)) })
    expect(verify(draft, { allowedClockSkewMs: 3_600_000 }).certStatus).toBe('good')
    expect(() => verify(draft, { allowedClockSkewMs: 3_599_999 })).toThrow(
      expect.objectContaining({ code: 'ERR_OCSP_NOT_YET_VALID' }),
    )
  })
  it('counts at nextUpdate itself and not a millisecond later', () => {
    const draft = entries({ nextUpdate: nextUpdate(hours(1)) })
    expect(verify(draft, { at: hours(1) }).certStatus).toBe('good')
    const later = new Date(hours(1).getTime() + 1)
    expect(() => verify(draft, { at: later })).toThrow(expect.objectContaining({ code: 'ERR_OCSP_STALE' }))
  })
  it('counts after nextUpdate for as long as the caller tolerates', () => {
    expect(verify(directDraft(), { at: hours(24), nextUpdateToleranceMs: 3_600_000 }).usableUntil).toEqual(hours(23))
  })
  it('without nextUpdate ends an hour after thisUpdate, with a warning', () => {
    const verified = verify(entries({ nextUpdate: undefined, thisUpdate: encodeGeneralizedTime(hours(-0.5)) }))
    expect(verified).not.toHaveProperty('nextUpdate')
    expect(verified).toMatchObject({ effectiveNextUpdate: hours(0.5), usableUntil: hours(0.5) })
    expect(codes(verified)).toEqual(['no-next-update'])
  })
  it('without nextUpdate ends when the caller says', () => {
    const draft = entries({ nextUpdate: undefined })
    const verified = verify(draft, { maxAgeWithoutNextUpdateMs: 7_200_000 })
    expect(verified.effectiveNextUpdate).toEqual(hours(1))
  })
  it('warns of a window longer than ten days', () => {
    const draft = entries({ nextUpdate: nextUpdate(hours(240)) })
    expect(codes(verify(draft))).toEqual(['window-too-long'])
    expect(codes(verify(draft, { maxValidityMs: 11 * 86_400_000 }))).toEqual([])
  })
})

describe('reads though it is odd', () => {
  it('version v1 written out, with a warning', () => {
    expect(codes(verify({ ...directDraft(), version: encodeExplicit(0, encodeInteger(0n)) }))).toEqual([
      'explicit-version',
    ])
  })
  it('extensions that are critical and understood', () => {
    const nonce = extension('1.3.6.1.5.5.7.48.1.2', encodeOctetString(Uint8Array.of(7)), true)
    const extendedRevoke = extension('1.3.6.1.5.5.7.48.1.9', encodeNull(), true)
    const archiveCutoff = extension('1.3.6.1.5.5.7.48.1.6', encodeGeneralizedTime(hours(-99)), true)
    const draft = {
      ...entries({ singleExtensions: encodeExplicit(1, encodeSequence(archiveCutoff)) }),
      responseExtensions: encodeExplicit(1, encodeSequence(nonce, extendedRevoke)),
    }
    expect(verify(draft).responseNonce).toEqual(Uint8Array.of(7))
  })
  it('an unknown critical extension in an entry about another certificate', () => {
    const certID = { ...certIDDraft(world()), serialNumber: encodeInteger(1n) }
    const singleExtensions = encodeExplicit(1, encodeSequence(extension('1.2.3.4', encodeNull(), true)))
    expect(verify(entries({ certID, singleExtensions }, {})).certStatus).toBe('good')
  })
  it("a carried certificate that names its issuer's issuer, as deep as OCSP goes", () => {
    const directoryName = encodeValue(0xa4, name('Forged Root'))
    const authorityKey = extension(
      '2.5.29.35',
      encodeSequence(encodeValue(0xa1, directoryName), Uint8Array.of(0x82, 1, 5)),
    )
    expect(verify({ ...directDraft(), certs: [forgeCertificate({ extensions: [authorityKey] })] }).certStatus).toBe(
      'good',
    )
  })
  it('a nonce that nobody asked for', () => {
    const nonce = extension('1.3.6.1.5.5.7.48.1.2', encodeOctetString(Uint8Array.of(7)))
    const draft = { ...directDraft(), responseExtensions: encodeExplicit(1, encodeSequence(nonce)) }
    expect(verify(draft).certStatus).toBe('good')
  })
  it('no nonce though one was sent, for few responders echo it', () => {
    expect(verify(directDraft(), { nonce: Uint8Array.of(7) })).not.toHaveProperty('responseNonce')
  })
  it('a serial number of one, of 20 and of 100 octets, and a negative one', () => {
    for (const serialNumber of [0n, 2n ** 159n - 1n, 2n ** 799n, -(2n ** 159n)]) {
      const certificate = decodeCertificate(forgeCertificate({ serialNumber }))
      const of = { ...world(), certificate }
      expect(verify(directDraft(of), {}, of).singleResponse.certID.serialNumber).toBe(serialNumber)
    }
  })
})

describe('takes', () => {
  it('Buffers, and certificates as DER', () => {
    const verified = verifyOcspResponse(Buffer.from(forgeResponse(directDraft())), {
      certificate: Buffer.from(world().certificate.der),
      issuer: world().issuer.der,
      at: forgedAt,
    })
    expect(verified.certStatus).toBe('good')
    expect(Object.getPrototypeOf(verified.singleResponse.certID.issuerKeyHash)).toBe(Uint8Array.prototype)
  })
  it('a limit of bytes of its own', () => {
    const der = forgeResponse(directDraft())
    const options = { ...world(), at: forgedAt }
    expect(verifyOcspResponse(der, { ...options, maxBytes: der.length }).certStatus).toBe('good')
    expect(() => verifyOcspResponse(der, { ...options, maxBytes: der.length - 1 })).toThrow(
      expect.objectContaining({ code: 'ERR_OCSP_TOO_LARGE' }),
    )
  })
  it('more than 64 KiB where the caller allows it', () => {
    const padding = extension('1.2.3', encodeOctetString(new Uint8Array(70_000)))
    const draft = { ...directDraft(), responseExtensions: encodeExplicit(1, encodeSequence(padding)) }
    expect(verify(draft, { maxBytes: 100_000 }).certStatus).toBe('good')
  })
})

describe('calls it a mistake of the caller', () => {
  const der = forgeResponse(directDraft())
  it.each<[string, Partial<Record<keyof VerifyOptions, unknown>>, string]>([
    ['no moment', { at: undefined }, 'at must be a Date that is a real time'],
    ['a moment that is none', { at: new Date(Number.NaN) }, 'at must be a Date that is a real time'],
    [
      'a certificate as PEM',
      { certificate: '-----BEGIN' },
      'certificate must be a certificate, decoded or as the bytes of its DER',
    ],
    ['no issuer', { issuer: undefined }, 'issuer must be a certificate, decoded or as the bytes of its DER'],
    [
      'a negative skew',
      { allowedClockSkewMs: -1 },
      'allowedClockSkewMs must be a number from 0 to 1000000000000000, not -1',
    ],
    [
      'a skew that is not a number',
      { allowedClockSkewMs: Number.NaN },
      'allowedClockSkewMs must be a number from 0 to 1000000000000000, not NaN',
    ],
    [
      'an age without end',
      { maxAgeWithoutNextUpdateMs: Number.POSITIVE_INFINITY },
      'maxAgeWithoutNextUpdateMs must be a number from 0 to 1000000000000000, not Infinity',
    ],
    ['a nonce required that was not sent', { requireNonce: true }, 'requireNonce needs nonce, the one that was sent'],
    [
      'a policy that does not exist',
      { delegateWithoutNocheck: 'maybe' },
      'delegateWithoutNocheck must be accept, refuse or check, not maybe',
    ],
    ['a nonce as text', { nonce: 'abc' }, 'nonce must be a Uint8Array, not string'],
  ])('%s', (_what, wrong, message) => {
    const options = { ...world(), at: forgedAt, ...wrong } as VerifyOptions
    expect(() => verifyOcspResponse(der, options)).toThrow(new TypeError(message))
  })
  it('a response as text', () => {
    const options = { ...world(), at: forgedAt }
    expect(() => verifyOcspResponse('MII=' as unknown as Uint8Array, options)).toThrow(
      new TypeError('der must be a Uint8Array, not string'),
    )
  })
})

it('gives the certID of the entry that counts', () => {
  const { certificate, issuer } = world()
  expect(verify(directDraft()).singleResponse.certID).toEqual({
    hashAlgorithm: 'sha1',
    issuerNameHash: digest('sha1', issuer.subject),
    issuerKeyHash: digest('sha1', issuer.subjectPublicKey),
    serialNumber: certificate.serialNumber,
  })
})
