import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import {
  encodeBoolean,
  encodeInteger,
  encodeOctetString,
  encodeSequence,
  encodeValue,
} from '../../../src/pki/der/writer.ts'
import { type Certificate, decodeCertificate } from '../../../src/pki/x509/certificate.ts'
import { findIssuer, proveIssuer } from '../../../src/pki/x509/issuer.ts'
import { type AuthorityKeyType, createAuthority } from '../../kit/authority.ts'
import {
  algorithm,
  type CertificateDraft,
  extension,
  extensions,
  type ForgedKeyType,
  flip,
  forgeCa,
  forgeCertificate,
  hours,
  key,
  name,
  pss,
  pssParameters,
  schemes,
  world,
} from '../forge.ts'

const { certificate: leaf, issuer } = world()
const issuerName = 'Forged Intermediate'

const leafOf = (draft: CertificateDraft = {}) => decodeCertificate(forgeCertificate(draft))
const caOf = (commonName: string, keyName = 'intermediate', draft: CertificateDraft = {}) =>
  decodeCertificate(forgeCa(commonName, key(keyName), draft))

/** What proveIssuer says. */
function refusalOf(certificate: Certificate, by: Certificate): unknown {
  try {
    proveIssuer(certificate, by)
  } catch (error) {
    if (!(error instanceof StapleError)) throw error
    const { field, expected, found } = error.detail as { field: string; expected: string; found: string }
    return { code: error.code, field, expected, found }
  }
  return 'proven'
}

const otherKey = caOf(issuerName, 'stranger')
const otherName = caOf('Somebody Else')
const notCa = caOf(issuerName, 'intermediate', { extensions: [] })
const self = leafOf({ subject: name('Self'), issuer: name('Self'), key: key('self'), signer: key('self') })

describe('findIssuer', () => {
  it('finds the issuer among candidates in any order', () => {
    const others = [leaf, otherKey, otherName, notCa, self]
    fc.assert(
      fc.property(fc.shuffledSubarray(others), fc.nat(others.length), (candidates, place) => {
        const all = candidates.toSpliced(Math.min(place, candidates.length), 0, issuer)
        expect(findIssuer(leaf, all)).toBe(issuer)
      }),
      { seed: 1, numRuns: 60 },
    )
  })

  it.each([
    ['there is no candidate', []],
    ['the names fit and the key does not', [otherKey]],
    ['the key fits and the name does not', [otherName]],
    ['the candidate is no CA', [notCa]],
    ['the candidate is the certificate itself', [leaf]],
  ])('finds none when %s', (_, candidates) => {
    expect(findIssuer(leaf, candidates)).toBeUndefined()
  })

  it('finds the first of two certificates of one CA', () => {
    const renewed = caOf(issuerName, 'intermediate', { serialNumber: 99n })
    expect(findIssuer(leaf, [otherKey, renewed, issuer])).toBe(renewed)
  })

  it('finds an issuer that has expired, for dates are not its business', () => {
    const expired = caOf(issuerName, 'intermediate', { notBefore: hours(-20), notAfter: hours(-10) })
    expect(findIssuer(leaf, [expired])).toBe(expired)
  })

  it.each<AuthorityKeyType>(['rsapss', 'p256', 'p384', 'ed25519', 'rsa2048'])(
    'finds the CA of a chain of openssl with %s keys, and of that CA the root',
    async (keyType) => {
      const { intermediate, root, issueLeaf } = await createAuthority({ keyType })
      const { certificate } = await issueLeaf()
      const candidates = [certificate, root.certificate, intermediate.certificate]
      expect(findIssuer(certificate, candidates)).toBe(intermediate.certificate)
      expect(findIssuer(intermediate.certificate, candidates)).toBe(root.certificate)
    },
  )

  it('goes by the signature where the authorityKeyIdentifier names another key', () => {
    const identifier = (octet: number) => new Uint8Array(20).fill(octet)
    const authorityKey = extension('2.5.29.35', encodeSequence(encodeValue(0x80, identifier(1))))
    const subjectKey = (octet: number) => extension('2.5.29.14', encodeOctetString(identifier(octet)))
    const certificate = leafOf({ extensions: [authorityKey] })
    const misnamed = caOf(issuerName, 'stranger', { extensions: [extensions.ca, subjectKey(1)] })
    const right = caOf(issuerName, 'intermediate', { extensions: [extensions.ca, subjectKey(2)] })
    expect(findIssuer(certificate, [misnamed, right])).toBe(right)
  })
})

describe('proveIssuer', () => {
  it.each<ForgedKeyType>(['p256', 'p384', 'p521', 'rsa', 'rsa-pss', 'ed25519', 'ed448'])(
    'proves a signature by a key of type %s',
    (type) => {
      const of = world(type)
      expect(refusalOf(of.certificate, of.issuer)).toBe('proven')
    },
  )

  it('proves a self-signed CA', () => {
    const root = decodeCertificate(forgeCa('Forged Root', key('root')))
    expect(refusalOf(root, root)).toBe('proven')
  })

  it('proves an issuer whose name is written in another string type and case', () => {
    const written = caOf('', 'intermediate', { subject: name('FORGED  intermediate', 0x13) })
    expect(refusalOf(leaf, written)).toBe('proven')
  })

  it('proves an issuer without keyUsage', () => {
    expect(refusalOf(leaf, caOf(issuerName, 'intermediate', { extensions: [extensions.ca] }))).toBe('proven')
  })

  it('refuses another name', () => {
    expect(refusalOf(leaf, otherName)).toEqual({
      code: 'ERR_X509_ISSUER_MISMATCH',
      field: 'certificate.issuer',
      expected: 'CN=Somebody Else',
      found: 'CN=Forged Intermediate',
    })
  })

  it('refuses an issuer without basicConstraints', () => {
    expect(refusalOf(leaf, notCa)).toEqual({
      code: 'ERR_X509_ISSUER_MISMATCH',
      field: 'issuer.extensions.basicConstraints',
      expected: 'cA TRUE',
      found: 'absent',
    })
  })

  it.each([
    ['absent', encodeSequence()],
    ['written out', encodeSequence(encodeBoolean(false))],
    ['absent before a pathLenConstraint', encodeSequence(encodeInteger(0n))],
  ])('refuses an issuer whose cA is FALSE, %s', (_, constraints) => {
    const by = caOf(issuerName, 'intermediate', { extensions: [extension('2.5.29.19', constraints)] })
    expect(refusalOf(leaf, by)).toMatchObject({ code: 'ERR_X509_ISSUER_MISMATCH', found: 'cA FALSE' })
  })

  it('refuses an issuer whose keyUsage lacks keyCertSign', () => {
    const by = caOf(issuerName, 'intermediate', { extensions: [extensions.ca, extensions.digitalSignature] })
    expect(refusalOf(leaf, by)).toEqual({
      code: 'ERR_X509_ISSUER_MISMATCH',
      field: 'issuer.extensions.keyUsage',
      expected: 'keyCertSign',
      found: 'digitalSignature',
    })
  })

  it('refuses another key under the same name', () => {
    expect(refusalOf(leaf, otherKey)).toEqual({
      code: 'ERR_X509_SIGNATURE',
      field: 'certificate.signatureValue',
      expected: 'a signature by the key of CN=Forged Intermediate',
      found: 'another',
    })
  })

  it('refuses a signature with one bit turned over', () => {
    const { subjectPublicKey, der } = leaf
    const at = Buffer.from(der).indexOf(Buffer.from(subjectPublicKey)) + 5
    expect(refusalOf(decodeCertificate(flip(der, at)), issuer)).toMatchObject({ code: 'ERR_X509_SIGNATURE' })
    expect(refusalOf(decodeCertificate(flip(der, -1)), issuer)).toMatchObject({ code: 'ERR_X509_SIGNATURE' })
  })

  it('refuses an algorithm that is not for the key', () => {
    const certificate = leafOf({ signer: key('x', 'rsa'), scheme: schemes.rsaSha256 })
    expect(refusalOf(certificate, issuer)).toEqual({
      code: 'ERR_X509_SIGNATURE',
      field: 'certificate.signatureAlgorithm',
      expected: 'an algorithm for the P-256 key of CN=Forged Intermediate',
      found: 'sha256WithRSAEncryption',
    })
  })

  it('refuses a key on a curve that is not supported', () => {
    const by = decodeCertificate(forgeCa(issuerName, key('koblitz', 'secp256k1')))
    const certificate = leafOf({ signer: key('koblitz', 'secp256k1') })
    expect(refusalOf(certificate, by)).toMatchObject({
      code: 'ERR_X509_SIGNATURE',
      expected: 'an algorithm for the EC (unsupported curve) key of CN=Forged Intermediate',
    })
  })

  it('refuses an algorithm that nobody knows', () => {
    const certificate = leafOf({ scheme: { identifier: algorithm('1.2.3.4'), digest: 'sha256' } })
    expect(refusalOf(certificate, issuer)).toMatchObject({
      code: 'ERR_X509_UNSUPPORTED_ALGORITHM',
      field: 'certificate.signatureAlgorithm.algorithm',
      found: '1.2.3.4',
    })
  })

  it('refuses a key that differs from one it has just used only where a quick look does not see it', () => {
    const { certificate, issuer: by } = world('rsa')
    proveIssuer(certificate, by)
    const at = Buffer.from(by.der).indexOf(Buffer.from(by.subjectPublicKey)) + 40
    expect(refusalOf(certificate, decodeCertificate(flip(by.der, at)))).toMatchObject({ code: 'ERR_X509_SIGNATURE' })
  })

  it('refuses parameters where the algorithm has none', () => {
    const identifier = algorithm('1.2.840.10045.4.3.2', Uint8Array.of(5, 0))
    expect(refusalOf(leafOf({ scheme: { identifier, digest: 'sha256' } }), issuer)).toMatchObject({
      code: 'ERR_X509_UNSUPPORTED_ALGORITHM',
      field: 'certificate.signatureAlgorithm.parameters',
      expected: 'absent',
      found: '0500',
    })
  })

  it('refuses RSASSA-PSS with two digests', () => {
    const parameters = pssParameters('2.16.840.1.101.3.4.2.1', '2.16.840.1.101.3.4.2.2', 32n)
    const certificate = leafOf({ signer: key('x', 'rsa'), scheme: pss(parameters) })
    expect(refusalOf(certificate, issuer)).toMatchObject({
      code: 'ERR_X509_UNSUPPORTED_ALGORITHM',
      field: 'certificate.signatureAlgorithm.parameters.maskGenAlgorithm.parameters',
    })
  })

  it('never takes MD5, right as the signature may be', () => {
    const rsa = key('intermediate', 'rsa')
    const certificate = leafOf({ signer: rsa, scheme: schemes.rsaMd5 })
    expect(refusalOf(certificate, decodeCertificate(forgeCa(issuerName, rsa)))).toMatchObject({
      code: 'ERR_X509_SIGNATURE',
    })
  })
})
