import { describe, expect, it } from 'vitest'
import {
  encodeExplicit,
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeSequence,
} from '../../../src/pki/der/writer.ts'
import { encodeOcspRequest } from '../../../src/pki/ocsp/encode-request.ts'
import { decodeOcspRequest } from '../../../src/pki/ocsp/request.ts'
import { algorithm, certIDDraft, encodeCertIDDraft, extension, name, world } from '../forge.ts'

const nonceOid = '1.3.6.1.5.5.7.48.1.2'
const { certificate, issuer } = world()
const request = encodeSequence(encodeCertIDDraft(certIDDraft(world())))

/** A request around these parts of tbsRequest. */
const around = (...parts: (Uint8Array | undefined)[]) => encodeSequence(encodeSequence(...parts))

it('decodes the request that openssl made for nats-server, and encodes it back', () => {
  // The server-cert.pem of nats-server's tests: serial 3, issuer "localhost ca".
  const vector = Buffer.from(
    '30423040303e303c303a300906052b0e03021a050004142305790af312cd6ee902d1f21751688f22a4d2ae0414eeea429d11b8e23e531dc80a776f07e044970459020103',
    'hex',
  )
  const decoded = decodeOcspRequest(vector)
  expect(decoded).toEqual({
    requestList: [
      {
        certID: {
          hashAlgorithm: 'sha1',
          issuerNameHash: new Uint8Array(Buffer.from('2305790af312cd6ee902d1f21751688f22a4d2ae', 'hex')),
          issuerKeyHash: new Uint8Array(Buffer.from('eeea429d11b8e23e531dc80a776f07e044970459', 'hex')),
          serialNumber: 3n,
        },
        extensions: [],
      },
    ],
    extensions: [],
    isSigned: false,
  })
})

it('encodes one request, without version, name, extensions or signature', () => {
  const der = encodeOcspRequest({ certificate, issuer, hashAlgorithm: 'sha1' })
  expect(der).toEqual(around(encodeSequence(request)))
})

it('encodes a nonce as RFC 9654 has it', () => {
  const nonce = Uint8Array.of(1, 2, 3)
  const der = encodeOcspRequest({ certificate, issuer, hashAlgorithm: 'sha1', nonce })
  const extensions = encodeSequence(extension(nonceOid, encodeOctetString(nonce)))
  expect(der).toEqual(around(encodeSequence(request), encodeExplicit(2, extensions)))
})

it.each([0, 129])('does not encode a nonce of %s octets', (length) => {
  const options = { certificate, issuer, hashAlgorithm: 'sha1', nonce: new Uint8Array(length) } as const
  expect(() => encodeOcspRequest(options)).toThrow(new TypeError(`nonce must have 1 to 128 octets, not ${length}`))
})

it('does not encode an unknown hash', () => {
  const hashAlgorithm = 'md5' as 'sha1'
  expect(() => encodeOcspRequest({ certificate, issuer, hashAlgorithm })).toThrow(
    new TypeError('hashAlgorithm must be sha1, sha256, sha384 or sha512, not md5'),
  )
})

describe('decodes', () => {
  it('several requests with their extensions', () => {
    const single = encodeExplicit(0, encodeSequence(extension('1.2.3', encodeNull(), true)))
    const decoded = decodeOcspRequest(
      around(encodeSequence(request, encodeSequence(encodeCertIDDraft(certIDDraft(world(), 'sha256')), single))),
    )
    expect(decoded.requestList.map(({ certID }) => certID.hashAlgorithm)).toEqual(['sha1', 'sha256'])
    expect(decoded.requestList[1]?.extensions).toEqual([{ oid: '1.2.3', isCritical: true, value: encodeNull() }])
  })
  it('past version, the name of the requestor and a signature', () => {
    const signature = encodeExplicit(0, encodeSequence(algorithm('1.2.3'), Uint8Array.of(3, 1, 0)))
    const tbs = encodeSequence(
      encodeExplicit(0, encodeInteger(0n)),
      encodeExplicit(1, encodeExplicit(4, name('me'))),
      encodeSequence(request),
    )
    expect(decodeOcspRequest(encodeSequence(tbs, signature))).toMatchObject({ isSigned: true, extensions: [] })
  })
  it('a certID by an unknown hash, which no certificate matches', () => {
    const decoded = decodeOcspRequest(
      around(encodeSequence(encodeSequence(encodeCertIDDraft(certIDDraft(world(), 'md5'))))),
    )
    expect(decoded.requestList[0]?.certID.hashAlgorithm).toBe('1.2.840.113549.2.5')
  })
})

describe('refuses a request', () => {
  const many = Array.from({ length: 65 }, () => request)
  it.each<[string, Uint8Array, string, string]>([
    ['of no bytes', new Uint8Array(), 'ERR_DER_TRUNCATED', 'ocspRequest'],
    [
      'with a byte after it',
      new Uint8Array([...around(encodeSequence(request)), 0]),
      'ERR_DER_TRAILING_DATA',
      'ocspRequest',
    ],
    ['for nothing', around(encodeSequence()), 'ERR_OCSP_MALFORMED', 'ocspRequest.tbsRequest.requestList'],
    [
      'of version v2',
      around(encodeExplicit(0, encodeInteger(1n)), encodeSequence(request)),
      'ERR_OCSP_MALFORMED',
      'ocspRequest.tbsRequest.version',
    ],
    [
      'for 65 certificates',
      around(encodeSequence(...many)),
      'ERR_OCSP_TOO_LARGE',
      'ocspRequest.tbsRequest.requestList',
    ],
    ['larger than 64 KiB', new Uint8Array(65_537), 'ERR_OCSP_TOO_LARGE', 'ocspRequest'],
    [
      'with an empty nonce',
      around(
        encodeSequence(request),
        encodeExplicit(2, encodeSequence(extension(nonceOid, encodeOctetString(new Uint8Array())))),
      ),
      'ERR_OCSP_MALFORMED',
      'ocspRequest.tbsRequest.requestExtensions.nonce',
    ],
    [
      'without certID',
      around(encodeSequence(encodeSequence(encodeNull()))),
      'ERR_DER_UNEXPECTED_TAG',
      'ocspRequest.tbsRequest.requestList[0].reqCert',
    ],
  ])('%s', (_what, der, code, field) => {
    expect(() => decodeOcspRequest(der)).toThrow(
      expect.objectContaining({ code, detail: expect.objectContaining({ field }) }),
    )
  })
})
