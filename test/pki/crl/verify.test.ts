/** What a good CRL says: about certificates it lists and does not list, and what is worth a warning. */
import { describe, expect, it } from 'vitest'
import {
  decodeCertificateList,
  diagnoseCrl,
  findRevokedCertificate,
  readRevokedCertificates,
  type VerifiedCrl,
  type VerifyCrlOptions,
  verifyCrl,
} from '../../../src/pki/crl/index.ts'
import { encodeGeneralizedTime, encodeInteger, encodeSequence, encodeValue } from '../../../src/pki/der/writer.ts'
import { decodeCertificate } from '../../../src/pki/x509/certificate.ts'
import {
  extension,
  extensions,
  type ForgedKeyType,
  forgeCertificate,
  forgedAt,
  hours,
  key,
  name,
  world,
} from '../forge.ts'
import {
  type CrlDraft,
  crlDraft,
  crlNumber,
  directoryName,
  distributionPoints,
  entry,
  flag,
  forgeCrl,
  fullName,
  invalidityDate,
  issuingPoint,
  uri,
  utcTime,
} from './forge.ts'

const { certificate, issuer } = world()
const { serialNumber } = certificate

function verify(draft: CrlDraft, options: Partial<VerifyCrlOptions> = {}): VerifiedCrl {
  return verifyCrl(forgeCrl(draft), { certificate, issuer, at: forgedAt, ...options })
}

function withEntries(...entries: readonly Uint8Array[]): CrlDraft {
  return { ...crlDraft(), entries }
}

function codes({ warnings }: VerifiedCrl): string[] {
  return warnings.map(({ code }) => code)
}

describe('verifyCrl', () => {
  it('calls a certificate good that the CRL does not list', () => {
    const der = forgeCrl(crlDraft())
    expect(verifyCrl(der, { certificate, issuer, at: forgedAt })).toEqual({
      certStatus: 'good',
      thisUpdate: hours(-1),
      nextUpdate: hours(23),
      crlNumber: 7n,
      issuer: 'CN=Forged Intermediate',
      signatureAlgorithm: 'ecdsa-with-SHA256',
      entryCount: 3,
      bytes: der.length,
      warnings: [],
    })
  })

  it.each([
    [1, 'keyCompromise'],
    [6, 'certificateHold'],
    [0, 'unspecified'],
    [10, 'aACompromise'],
    [7, 'reason7'],
    [200, 'reason200'],
  ])('calls one revoked that it lists, on hold too, whatever the reason: %i is %s', (reason, revocationReason) => {
    const draft = withEntries(entry(1n), entry(serialNumber, { at: hours(-30), reason }), entry(2n))
    expect(verify(draft)).toMatchObject({ certStatus: 'revoked', revocationTime: hours(-30), revocationReason })
  })

  it('tells since when the key was bad', () => {
    const draft = withEntries(entry(serialNumber, { reason: 1, extensions: [invalidityDate(hours(-99))] }))
    expect(verify(draft)).toMatchObject({ certStatus: 'revoked', invalidityDate: hours(-99) })
  })

  it('calls one revoked whose revocationDate is yet to come', () => {
    expect(verify(withEntries(entry(serialNumber, { at: hours(5) }))).certStatus).toBe('revoked')
  })

  it('is not misled by serial numbers that only begin or end like it', () => {
    const near = [serialNumber + 1n, serialNumber >> 8n, serialNumber << 8n, -serialNumber, serialNumber ^ (1n << 100n)]
    const entries = near.map((number) => entry(number))
    expect(verify(withEntries(...entries)).certStatus).toBe('good')
    for (const place of [0, 2, near.length]) {
      const all = entries.toSpliced(place, 0, entry(serialNumber))
      expect(verify(withEntries(...all)).certStatus).toBe('revoked')
    }
  })

  it.each<ForgedKeyType>(['rsa', 'rsa-pss', 'p384', 'p521', 'ed25519', 'ed448'])(
    'verifies a signature by %s',
    (type) => {
      const of = world(type)
      expect(verify(crlDraft(of), { certificate: of.certificate, issuer: of.issuer }).certStatus).toBe('good')
    },
  )

  it('takes a CRL of version 1, which has neither number nor reasons', () => {
    const draft = { ...withEntries(entry(serialNumber)), version: undefined, extensions: [] }
    const verified = verify(draft)
    expect([verified.certStatus, codes(verified)]).toEqual(['revoked', ['no-crl-number']])
  })

  it('takes an absent list, and with a warning an empty one', () => {
    expect(verify(withEntries())).toMatchObject({ certStatus: 'good', entryCount: 0, warnings: [] })
    expect(codes(verify({ ...crlDraft(), revokedCertificates: encodeSequence() }))).toEqual(['empty-list'])
  })

  it('warns where a CA may have dropped the certificate from its list', () => {
    const expired = decodeCertificate(forgeCertificate({ signer: world().issuerKey, notAfter: hours(-2) }))
    expect(codes(verify(crlDraft(), { certificate: expired }))).toEqual(['expired-certificate'])
    expect(codes(verify(withEntries(entry(serialNumber)), { certificate: expired }))).toEqual([])
  })

  it('counts up to nextUpdate, and beyond it as far as the tolerance', () => {
    expect(() => verify(crlDraft(), { at: hours(23) })).not.toThrow()
    expect(() => verify(crlDraft(), { at: new Date(hours(23).getTime() + 1) })).toThrow()
    expect(() => verify(crlDraft(), { at: hours(24), nextUpdateToleranceMs: 3_600_000 })).not.toThrow()
  })

  it('takes times as GeneralizedTime, in entries too', () => {
    const old = encodeSequence(encodeInteger(serialNumber), encodeGeneralizedTime(hours(-9)))
    const draft = { ...withEntries(entry(1n), old), thisUpdate: encodeGeneralizedTime(hours(-1)) }
    expect(verify(draft)).toMatchObject({ certStatus: 'revoked', revocationTime: hours(-9) })
  })

  it('passes over critical extensions that are understood, and others that are not critical', () => {
    const unknown = extension('1.2.3.4', Uint8Array.of(5, 0))
    const draft = {
      ...withEntries(entry(1n, { extensions: [unknown] }), entry(serialNumber, { extensions: [unknown] })),
      extensions: [crlNumber(1n), unknown, extension('2.5.29.35', encodeSequence(), true)],
    }
    expect(verify(draft).certStatus).toBe('revoked')
  })

  it('looks at no entry before it knows that the issuer signed them', () => {
    const broken = { ...crlDraft(), entries: [entry(1n), encodeInteger(5n)] }
    expect(() => verify(broken)).toThrow(expect.objectContaining({ code: 'ERR_DER_UNEXPECTED_TAG' }))
    const strange = () => verify({ ...broken, signer: key('stranger') })
    expect(strange).toThrow(expect.objectContaining({ code: 'ERR_CRL_SIGNATURE' }))
  })

  it('refuses what no CRL can be about before it looks into it', () => {
    expect(() => verifyCrl('x' as never, { certificate, issuer, at: forgedAt })).toThrow(TypeError)
    expect(() => verify(crlDraft(), { at: new Date(Number.NaN) })).toThrow('at must be a Date that is a real time')
    expect(() => verify(crlDraft(), { maxBytes: -1 })).toThrow('maxBytes must be a number from 0')
  })
})

describe('a CRL for one distribution point', () => {
  const at = (...names: readonly Uint8Array[]) =>
    decodeCertificate(
      forgeCertificate({ signer: world().issuerKey, extensions: [distributionPoints([fullName(...names)])] }),
    )
  const of = (...names: readonly Uint8Array[]) => ({ ...crlDraft(), extensions: [issuingPoint(fullName(...names))] })

  it('covers a certificate that shares one name with it', () => {
    const a = uri('http://crl.test/a.crl')
    const b = uri('ldap://ldap.test/cn=b')
    expect(verify(of(b, a), { certificate: at(uri('http://crl.test/c.crl'), a) }).certStatus).toBe('good')
    expect(verify(of(uri('HTTP://CRL.Test/a.crl')), { certificate: at(a) }).certStatus).toBe('good')
  })

  it('covers a certificate without one when it is named as the issuer', () => {
    expect(verify(of(directoryName(name('forged intermediate', 0x13)))).certStatus).toBe('good')
  })

  it('covers users where it says so, and needs no name', () => {
    expect(verify({ ...crlDraft(), extensions: [issuingPoint(flag(1))] }).certStatus).toBe('good')
    const ca = decodeCertificate(
      forgeCertificate({ signer: world().issuerKey, extensions: [extensions.ca, extensions.caUsage] }),
    )
    expect(verify({ ...crlDraft(), extensions: [issuingPoint(flag(2))] }, { certificate: ca }).certStatus).toBe('good')
  })
})

describe('a decoded CRL', () => {
  it('answers for one certificate after the other', () => {
    const list = decodeCertificateList(forgeCrl(withEntries(entry(serialNumber))))
    const other = decodeCertificate(forgeCertificate({ signer: world().issuerKey, serialNumber: 5n }))
    const statuses = [certificate, other, certificate].map(
      (each) => verifyCrl(list, { certificate: each, issuer, at: forgedAt }).certStatus,
    )
    expect(statuses).toEqual(['revoked', 'good', 'revoked'])
  })

  it('is not proven for one issuer by having been proven for another', () => {
    const list = decodeCertificateList(forgeCrl(crlDraft()))
    expect(verifyCrl(list, { certificate, issuer, at: forgedAt }).certStatus).toBe('good')
    const rsa = world('rsa')
    const asked = () => verifyCrl(list, { certificate: rsa.certificate, issuer: rsa.issuer, at: forgedAt })
    expect(asked).toThrow(expect.objectContaining({ code: 'ERR_CRL_SIGNATURE' }))
  })

  it('gives its entries one by one, those in an unusual form too', () => {
    const unusual = entry(3n, { extensions: [invalidityDate(hours(-50))] })
    const long = entry(1n << 1100n)
    const leapDay = entry(4n, { at: new Date('2024-02-29T23:59:59Z') })
    const list = decodeCertificateList(forgeCrl(withEntries(entry(2n), unusual, long, leapDay, entry(-5n))))
    expect(list.revokedCertificates.count).toBe(5)
    const numbers = [...readRevokedCertificates(list)].map((each) => each.serialNumber)
    expect(numbers).toEqual([2n, 3n, 1n << 1100n, 4n, -5n])
    for (const number of numbers) expect(findRevokedCertificate(list, number)?.serialNumber).toBe(number)
    expect(findRevokedCertificate(list, 4n)?.revocationTime).toEqual(new Date('2024-02-29T23:59:59Z'))
    expect(findRevokedCertificate(list, 6n)).toBeUndefined()
  })

  it('accepts from a Buffer, and gives slices of it', () => {
    const list = decodeCertificateList(Buffer.from(forgeCrl(crlDraft())))
    expect(Object.getPrototypeOf(list.tbsCertList)).toBe(Uint8Array.prototype)
    expect(list.tbsCertList.buffer).toBe(list.der.buffer)
  })
})

describe('diagnoseCrl', () => {
  it('has a verdict by every rule, and gives what verification gives', () => {
    const der = forgeCrl(crlDraft())
    const { verdicts, verified, warnings } = diagnoseCrl(der, { certificate, issuer, at: forgedAt })
    expect(verdicts.every(({ outcome }) => outcome === 'passed')).toBe(true)
    expect(verdicts.length).toBeGreaterThan(15)
    expect(verified).toEqual(verifyCrl(der, { certificate, issuer, at: forgedAt }))
    expect(warnings).toEqual([])
  })

  it('goes on after a refusal, and skips what it left nothing to judge', () => {
    const draft = { ...crlDraft(), issuer: name('Else'), nextUpdate: utcTime(hours(-0.5)) }
    const { verdicts, verified } = diagnoseCrl(forgeCrl(draft), { certificate, issuer, at: forgedAt })
    expect(verified).toBeUndefined()
    expect(verdicts.filter(({ outcome }) => outcome === 'refused').map(({ rule }) => rule)).toEqual([
      'crl-issuer',
      'next-update',
    ])
    const undecodable = diagnoseCrl(Uint8Array.of(1), { certificate, issuer, at: forgedAt })
    expect(undecodable.verdicts.filter(({ outcome }) => outcome === 'passed').map(({ rule }) => rule)).toEqual([
      'size',
      'issuer',
      'authority',
    ])
  })

  it('reads nothing of what is over the limit', () => {
    const options = { certificate, issuer, at: forgedAt, maxBytes: 10 }
    const { verdicts } = diagnoseCrl(forgeCrl(crlDraft()), options)
    expect(verdicts.map(({ outcome }) => outcome)).toEqual(['refused', ...verdicts.slice(1).map(() => 'skipped')])
  })
})

it('a certificate says where its CRLs are', () => {
  const points = distributionPoints(
    [fullName(uri('http://crl.test/a.crl'), uri('ldap://ldap.test/'))],
    [fullName(uri('http://crl.test/b.crl')), encodeValue(0x81, Uint8Array.of(5, 0x60))],
    [encodeValue(0xa2, directoryName(name('Else')))],
    [fullName(encodeValue(0x86, Uint8Array.of(0xc3, 0xa4)), directoryName(name('A')))],
  )
  const read = decodeCertificate(forgeCertificate({ extensions: [points] })).extensions.crlDistributionPoints
  expect(read.map(({ urls, hasReasons, hasCRLIssuer }) => [urls, hasReasons, hasCRLIssuer])).toEqual([
    [['http://crl.test/a.crl', 'ldap://ldap.test/'], false, false],
    [['http://crl.test/b.crl'], true, false],
    [[], false, true],
    [[], false, false],
  ])
})
