/** What a file holds: told by its content, and never by an exception, however damaged it is. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { createCertID } from '../../../src/pki/ocsp/cert-id-match.ts'
import { encodeOcspRequest } from '../../../src/pki/ocsp/encode-request.ts'
import { encodeOcspError, signOcspResponse } from '../../../src/pki/ocsp/sign.ts'
import { readDocuments } from '../../../src/run/inspect/documents.ts'
import { inspectDocument } from '../../../src/run/inspect/inspection.ts'
import { createPool } from '../../../src/run/inspect/pool.ts'
import { shapeOf } from '../../../src/run/inspect/shape.ts'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { openssl } from '../../kit/openssl.ts'

let authority: Authority
let leaf: Leaf
let response: Uint8Array
let request: Uint8Array
const at = new Date()

beforeAll(async () => {
  authority = await createAuthority()
  leaf = await authority.issueLeaf()
  const { certificate, issuer } = leaf
  const certID = createCertID(certificate, issuer, 'sha1')
  request = encodeOcspRequest({ certificate, issuer, hashAlgorithm: 'sha1', nonce: new Uint8Array(32) })
  response = signOcspResponse({
    signer: authority.intermediate,
    responses: [{ certID, certStatus: 'good', thisUpdate: at, nextUpdate: new Date(at.getTime() + 3_600_000) }],
    producedAt: at,
    certificates: [issuer.der],
  })
})

function read(bytes: Uint8Array | string) {
  return readDocuments({ name: 'x', bytes: typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes })
}

test.each([
  ['PKCS#8', ['-outform', 'der'], 'private-key'],
  ['traditional', ['-outform', 'der', '-traditional'], 'private-key'],
  ['public', ['-outform', 'der', '-pubout'], 'public-key'],
])('a key is called one: %s', async (_, args, shape) => {
  expect(shapeOf(new Uint8Array(await openssl(['pkey', '-in', leaf.keyFile, ...args])))).toBe(shape)
})

test('an encrypted key is called one', async () => {
  const args = ['-topk8', '-in', leaf.keyFile, '-outform', 'der', '-passout', 'pass:x']
  expect(shapeOf(new Uint8Array(await openssl(['pkcs8', ...args])))).toBe('private-key')
})

test('a PKCS#12 archive is called one', async () => {
  const args = ['-export', '-in', leaf.certificateFile, '-inkey', leaf.keyFile, '-passout', 'pass:x']
  expect(shapeOf(new Uint8Array(await openssl(['pkcs12', ...args])))).toBe('pkcs12')
})

test('what a response holds inside, without the envelope, is called that', () => {
  // SEQUENCE, responseStatus, [0], SEQUENCE, responseType, OCTET STRING, each with a length of three octets but the second.
  const inner = response.subarray(4 + 3 + 4 + 4 + 11 + 4)
  expect(shapeOf(inner)).toBe('basic-response')
  expect(read(inner).faults).toMatchObject([{ shape: 'basic-response' }])
})

test('PEM is read with another line end, a byte order mark, or as UTF-16', () => {
  const windows = leaf.pem.replaceAll('\n', '\r\n')
  const wide = Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(windows, 'utf16le')])
  for (const bytes of [windows, `\ufeff${leaf.pem}`, new Uint8Array(wide)]) {
    expect(read(bytes).documents).toMatchObject([{ content: { kind: 'certificate' } }])
  }
})

test('several blocks of one file are told apart by their line', () => {
  const lines = leaf.pem.trimEnd().split('\n').length
  expect(read(leaf.chainPem).documents.map(({ origin }) => origin)).toEqual(['x:1', `x:${lines + 1}`])
})

test('octets cut off or changed are a fault, never an exception', () => {
  const whole = () => [leaf.der, request, response, encodeOcspError('tryLater')]
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 3 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.option(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 }))),
      (index, cut, change) => {
        const bytes = (whole()[index] as Uint8Array).slice()
        if (change) bytes[Math.floor(change[0] * (bytes.length - 1))] = change[1]
        const { documents, faults } = read(bytes.subarray(0, Math.ceil(cut * bytes.length)))
        expect(documents.length + faults.length).toBe(1)
        const pool = createPool([...documents, ...read(leaf.chainPem).documents])
        for (const document of documents) {
          expect(inspectDocument(document, pool, undefined, at).fields.length).toBeGreaterThan(0)
        }
        for (const fault of faults) expect(fault.hint).not.toBe('')
      },
    ),
    { numRuns: 1000 },
  )
})

test('any octets are a fault, never an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(read(bytes).documents).toEqual([])
      expect(read(bytes).faults).toHaveLength(1)
    }),
    { numRuns: 1000 },
  )
})
