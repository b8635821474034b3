/** What we sign, read back by us and by everybody else at hand. */
import { createPrivateKey } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { createCertID } from '../../../src/pki/ocsp/cert-id-match.ts'
import { encodeOcspRequest } from '../../../src/pki/ocsp/encode-request.ts'
import { decodeOcspRequest } from '../../../src/pki/ocsp/request.ts'
import { decodeOcspResponse } from '../../../src/pki/ocsp/response.ts'
import {
  encodeOcspError,
  type SignOcspResponseOptions,
  type SingleStatus,
  signOcspResponse,
} from '../../../src/pki/ocsp/sign.ts'
import { verifyOcspResponse } from '../../../src/pki/ocsp/verify.ts'
import { decodeCertificate } from '../../../src/pki/x509/certificate.ts'
import {
  type Authority,
  type AuthorityCertificate,
  type AuthorityKeyType,
  createAuthority,
  type Leaf,
} from '../../kit/authority.ts'
import { extensions, forgeDelegate, forgedAt, hours, key, world } from '../forge.ts'
import { ask, readByPeculiar, readByUs } from '../oracle.ts'

describe.each<AuthorityKeyType>(['rsa2048', 'rsapss', 'p256', 'p384', 'ed25519'])('with a key of %s', (keyType) => {
  let authority: Authority
  let leaf: Leaf
  let delegate: AuthorityCertificate
  let now: Date

  beforeAll(async () => {
    authority = await createAuthority({ keyType })
    leaf = await authority.issueLeaf()
    delegate = await authority.delegate()
    // No sooner than the certificates begin.
    now = new Date(Math.floor(Date.now() / 1000) * 1000)
  })

  const signed = (signer: AuthorityCertificate, changes: Partial<SingleStatus> = {}) =>
    signOcspResponse({
      signer,
      producedAt: now,
      certificates: [signer.der],
      responses: [
        {
          certID: createCertID(leaf.certificate, leaf.issuer, 'sha1'),
          certStatus: 'good',
          thisUpdate: now,
          nextUpdate: new Date(now.getTime() + 3_600_000),
          ...changes,
        },
      ],
    })

  const signers = [
    ['the issuer', (): AuthorityCertificate => authority.intermediate],
    ['a delegated responder', (): AuthorityCertificate => delegate],
  ] as const

  it.each(signers)('signed by %s, we verify it', (_who, signer) => {
    const { certificate, issuer } = leaf
    expect(verifyOcspResponse(signed(signer()), { certificate, issuer, at: now })).toMatchObject({
      certStatus: 'good',
      producedAt: now,
      thisUpdate: now,
      warnings: [],
    })
  })
  it.each(signers)('signed by %s, openssl verifies it', async (_who, signer) => {
    const file = join(authority.directory, 'ours.response')
    await writeFile(file, signed(signer()))
    const printed = await ask('openssl', [
      ...['ocsp', '-respin', file, '-issuer', authority.intermediate.certificateFile, '-cert', leaf.leafOnlyFile],
      ...[
        '-CAfile',
        authority.root.certificateFile,
        '-verify_other',
        authority.intermediate.certificateFile,
        '-no_nonce',
      ],
    ])
    expect(printed).toContain('Response verify OK')
    expect(printed).toContain(`${leaf.leafOnlyFile}: good`)
  })
  it.each(signers)('signed by %s, GnuTLS reads it', async (_who, signer) => {
    const printed = await ask('ocsptool', ['-j', '--inder'], signed(signer()))
    expect(printed).toContain('Certificate Status: good')
    expect(printed.toUpperCase()).toContain(`SERIAL NUMBER: ${leaf.serialHex}`)
  })
  // Not RSASSA-PSS: there GnuTLS 3.7.9 reports "Signature failure" for openssl's own responses too.
  it.each(keyType === 'rsapss' ? [] : signers)('signed by %s, GnuTLS verifies it', async (_who, signer) => {
    const file = join(authority.directory, 'ours.response')
    await writeFile(file, signed(signer()))
    const args = ['-e', '--load-response', file, '--inder', '--load-signer', signer().certificateFile]
    expect(await ask('ocsptool', args)).toContain('Verifying OCSP Response: Success.')
  })
  it('revoked with a reason, openssl and GnuTLS read it so', async () => {
    const revocationTime = new Date('2026-03-04T05:06:07Z')
    const der = signed(delegate, { certStatus: 'revoked', revocationTime, revocationReason: 'cessationOfOperation' })
    const file = join(authority.directory, 'revoked.response')
    await writeFile(file, der)
    const openssl = await ask('openssl', ['ocsp', '-respin', file, '-resp_text', '-noverify'])
    expect(openssl).toMatch(
      /Cert Status: revoked\s+Revocation Time: Mar {2}4 05:06:07 2026 GMT\s+Revocation Reason: cessationOfOperation/,
    )
    expect(await ask('ocsptool', ['-j', '--inder', '--infile', file])).toMatch(
      /Certificate Status: revoked\s+Revocation time: Wed Mar 04 05:06:07 UTC 2026/,
    )
  })
  it('with a KeyObject in place of PEM, it is the same', () => {
    const { certificate, issuer } = leaf
    const der = signed({ ...delegate, privateKey: createPrivateKey(delegate.key) as never })
    expect(verifyOcspResponse(der, { certificate, issuer, at: now }).signer.kind).toBe('delegated')
  })
})

describe('writes', () => {
  const delegate = decodeCertificate(forgeDelegate())
  const base: SignOcspResponseOptions = {
    signer: { certificate: delegate, privateKey: key('responder').privateKey },
    producedAt: forgedAt,
    responses: [
      { certID: createCertID(world().certificate, world().issuer, 'sha1'), certStatus: 'good', thisUpdate: forgedAt },
    ],
  }
  const basic = (changes: Partial<SignOcspResponseOptions>) => {
    const { basicResponse } = decodeOcspResponse(signOcspResponse({ ...base, ...changes }))
    if (basicResponse === undefined) throw new Error('no basicResponse')
    return basicResponse
  }

  it('byKey by default, byName when asked', () => {
    expect(basic({}).responderID).toHaveProperty('byKey')
    expect(basic({ responderID: 'byName' }).responderID).toEqual({ byName: delegate.subject })
  })
  it("the signer's certificate by default where it is a delegated one", () => {
    expect(basic({}).certificates.map(({ der }) => der)).toEqual([delegate.der])
    const issuer = { certificate: world().issuer, privateKey: world().issuerKey.privateKey }
    expect(basic({ signer: issuer }).certificates).toEqual([])
  })
  it('no certificate when told so', () => expect(basic({ certificates: [] }).certificates).toEqual([]))
  it('the nonce', () => expect(basic({ nonce: Uint8Array.of(1, 2) }).nonce).toEqual(Uint8Array.of(1, 2)))
  it('no version, being the default', () => expect(basic({}).isVersionExplicit).toBe(false))
  it('times cut to whole seconds', () => {
    expect(basic({ producedAt: new Date('2026-06-15T12:00:00.999Z') }).producedAt).toEqual(forgedAt)
  })
  it.each([
    [undefined, '1.2.840.10045.4.3.2'],
    ['sha384', '1.2.840.10045.4.3.3'],
    ['sha512', '1.2.840.10045.4.3.4'],
  ] as const)('the signature by hash %s', (hash, oid) => {
    expect(basic(hash === undefined ? {} : { hash }).signatureAlgorithm).toEqual({ oid })
  })
  it.each([
    ['p521', '1.2.840.10045.4.3.4'],
    ['ed448', '1.3.101.113'],
  ] as const)('a signature by %s that verifies', (type, oid) => {
    const of = world(type)
    const certID = createCertID(of.certificate, of.issuer, 'sha256')
    const der = signOcspResponse({
      signer: { certificate: of.issuer, privateKey: of.issuerKey.privateKey },
      producedAt: forgedAt,
      responses: [{ certID, certStatus: 'unknown', thisUpdate: forgedAt, nextUpdate: hours(1) }],
    })
    expect(decodeOcspResponse(der).basicResponse?.signatureAlgorithm.oid).toBe(oid)
    expect(verifyOcspResponse(der, { ...of, at: forgedAt }).certStatus).toBe('unknown')
  })
  it('the certID as it was asked, also by an unknown hash and without NULL', () => {
    const odd = {
      hashAlgorithm: '2.16.840.1.101.3.4.2.8',
      issuerNameHash: Uint8Array.of(1),
      issuerKeyHash: Uint8Array.of(2),
      serialNumber: -7n,
      isParameterless: true,
    } as const
    expect(
      basic({ responses: [{ certID: odd, certStatus: 'unknown', thisUpdate: forgedAt }] }).responses[0]?.certID,
    ).toEqual(odd)
  })
  it.each([
    [
      'revoked without a time',
      { responses: [{ ...base.responses[0], certStatus: 'revoked' }] },
      'revocationTime is needed with certStatus revoked',
    ],
    [
      'a reason without a name',
      {
        responses: [
          { ...base.responses[0], certStatus: 'revoked', revocationTime: forgedAt, revocationReason: 'bad luck' },
        ],
      },
      'revocationReason is no name of RFC 5280 §5.3.1: bad luck',
    ],
    ['an empty nonce', { nonce: new Uint8Array() }, 'nonce must have 1 to 128 octets, not 0'],
    ['SHA-1', { hash: 'sha1' }, 'hash cannot be sha1'],
  ])('not %s', (_what, changes, message) => {
    expect(() => signOcspResponse({ ...base, ...changes } as SignOcspResponseOptions)).toThrow(new TypeError(message))
  })
  it('not with a key that is none of ours', () => {
    const certificate = decodeCertificate(
      forgeDelegate({ key: key('odd', 'secp256k1'), extensions: [extensions.ocspSigning] }),
    )
    expect(() =>
      signOcspResponse({ ...base, signer: { certificate, privateKey: key('odd', 'secp256k1').privateKey } }),
    ).toThrow(expect.objectContaining({ code: 'ERR_X509_UNSUPPORTED_ALGORITHM' }))
  })
})

describe('an error status', () => {
  it.each([
    ['malformedRequest', 1],
    ['internalError', 2],
    ['tryLater', 3],
    ['sigRequired', 5],
    ['unauthorized', 6],
  ] as const)('%s is five octets that everybody reads', async (responseStatus, number) => {
    const der = encodeOcspError(responseStatus)
    expect(der).toEqual(Uint8Array.of(0x30, 3, 0x0a, 1, number))
    expect(decodeOcspResponse(der)).toEqual({ der, responseStatus })
  })
  it.each(['successful', 'busy'])('%s is none', (responseStatus) => {
    expect(() => encodeOcspError(responseStatus as 'tryLater')).toThrow(TypeError)
  })
})

const octets = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength })
const seconds = fc
  .date({ min: new Date('0100-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => {
    date.setUTCMilliseconds(0)
    return date
  })
const certID = fc.record({
  hashAlgorithm: fc.constantFrom('sha1', 'sha256', 'sha384', 'sha512', '1.2.840.113549.2.5' as const),
  issuerNameHash: octets(0, 64),
  issuerKeyHash: octets(0, 64),
  serialNumber: fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
})
const singleStatus = fc
  .record({
    certID,
    certStatus: fc.constantFrom('good', 'revoked', 'unknown'),
    revocationTime: seconds,
    revocationReason: fc.option(
      fc.constantFrom('unspecified', 'superseded', 'certificateHold', 'removeFromCRL', 'aACompromise'),
      { nil: undefined },
    ),
    thisUpdate: seconds,
    nextUpdate: fc.option(seconds, { nil: undefined }),
  })
  .map(
    ({ revocationTime, revocationReason, nextUpdate, ...rest }): SingleStatus => ({
      ...rest,
      ...(rest.certStatus === 'revoked'
        ? { revocationTime, ...(revocationReason === undefined ? {} : { revocationReason }) }
        : {}),
      ...(nextUpdate === undefined ? {} : { nextUpdate }),
    }),
  )

it('any response we can sign, @peculiar/asn1-ocsp reads as we do', () => {
  const of = world('ed25519')
  const signer = { certificate: of.issuer, privateKey: of.issuerKey.privateKey }
  fc.assert(
    fc.property(
      fc.array(singleStatus, { minLength: 1, maxLength: 4 }),
      seconds,
      fc.constantFrom('byKey', 'byName'),
      fc.option(octets(1, 128), { nil: undefined }),
      fc.boolean(),
      (responses, producedAt, responderID, nonce, isCarrying) => {
        const der = signOcspResponse({
          signer,
          responses,
          producedAt,
          responderID,
          ...(nonce === undefined ? {} : { nonce }),
          certificates: isCarrying ? [of.issuer.der, of.certificate.der] : [],
        })
        expect(readByUs(der)).toEqual(readByPeculiar(der))
      },
    ),
    { numRuns: 200 },
  )
})

it('any request we can encode, we decode to the same', () => {
  const { certificate, issuer } = world()
  fc.assert(
    fc.property(
      fc.constantFrom('sha1', 'sha256', 'sha384', 'sha512'),
      fc.option(octets(1, 128), { nil: undefined }),
      (hashAlgorithm, nonce) => {
        const der = encodeOcspRequest({ certificate, issuer, hashAlgorithm, ...(nonce === undefined ? {} : { nonce }) })
        const decoded = decodeOcspRequest(der)
        expect(decoded.requestList.map((request) => request.certID)).toEqual([
          createCertID(certificate, issuer, hashAlgorithm),
        ])
        expect(decoded.nonce).toEqual(nonce)
      },
    ),
    { numRuns: 50 },
  )
})
