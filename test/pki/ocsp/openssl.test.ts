/**
 * Responses as the real `openssl ocsp` makes them, verified here; and requests, byte for byte.
 *
 * Each chain is root, intermediate, leaf; the intermediate or a responder that it delegated answers from index.txt.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { encodeOcspRequest } from '../../../src/pki/ocsp/encode-request.ts'
import { decodeOcspRequest } from '../../../src/pki/ocsp/request.ts'
import { decodeOcspResponse } from '../../../src/pki/ocsp/response.ts'
import { verifyOcspResponse } from '../../../src/pki/ocsp/verify.ts'
import { findIssuer } from '../../../src/pki/x509/issuer.ts'
import { parsePemCertificates } from '../../../src/pki/x509/pem.ts'
import {
  type Authority,
  type AuthorityCertificate,
  type AuthorityKeyType,
  createAuthority,
  type Leaf,
} from '../../kit/authority.ts'
import { openssl } from '../../kit/openssl.ts'

const keyTypes: readonly AuthorityKeyType[] = ['rsa2048', 'rsapss', 'p256', 'p384', 'ed25519']

describe.each(keyTypes)('with a chain of %s', (keyType) => {
  let authority: Authority
  let leaf: Leaf
  let delegate: AuthorityCertificate

  beforeAll(async () => {
    authority = await createAuthority({ keyType })
    leaf = await authority.issueLeaf()
    delegate = await authority.delegate()
  })

  const at = () => new Date()
  const request = (hashAlgorithm: 'sha1' | 'sha256' = 'sha1', nonce?: Uint8Array) =>
    encodeOcspRequest({
      certificate: leaf.certificate,
      issuer: leaf.issuer,
      hashAlgorithm,
      ...(nonce === undefined ? {} : { nonce }),
    })
  const verify = (der: Uint8Array, of: Leaf = leaf) =>
    verifyOcspResponse(der, { certificate: of.certificate, issuer: of.issuer, at: at() })

  it('finds the issuer in the file, whatever the order', async () => {
    const pem = await readFile(authority.caFile, 'utf8')
    const candidates = parsePemCertificates(pem)
    const byName = (certificate: { der: Uint8Array } | undefined) => certificate && Buffer.from(certificate.der)
    expect(byName(findIssuer(leaf.certificate, candidates))).toEqual(byName(leaf.issuer))
    expect(byName(findIssuer(leaf.certificate, candidates.reverse()))).toEqual(byName(leaf.issuer))
    expect(findIssuer(leaf.certificate, [authority.root.certificate])).toBeUndefined()
  })

  describe.each([
    ['the issuer', (): AuthorityCertificate | undefined => undefined, 'issuer'],
    ['a delegated responder', (): AuthorityCertificate | undefined => delegate, 'delegated'],
  ] as const)('signed by %s', (_who, signer, kind) => {
    it.each([
      ['byName', false],
      ['byKey', true],
    ])('%s', async (choice, byKey) => {
      const der = await authority.ocspRespond({ request: request(), byKey, ...by(signer()) })
      expect(decodeOcspResponse(der).basicResponse?.responderID).toHaveProperty(choice)
      expect(verify(der)).toMatchObject({ certStatus: 'good', signer: { kind }, warnings: [] })
    })
    it.each(['sha1', 'sha256'] as const)('asked by a certID of %s', async (hashAlgorithm) => {
      const der = await authority.ocspRespond({ request: request(hashAlgorithm), ...by(signer()) })
      expect(verify(der).hashAlgorithms).toEqual([hashAlgorithm])
    })
    it('without nextUpdate', async () => {
      const der = await authority.ocspRespond({ request: request(), nextUpdateMinutes: null, ...by(signer()) })
      expect(verify(der).warnings.map(({ code }) => code)).toEqual(['no-next-update'])
    })
    it('with the nonce that was sent', async () => {
      const nonce = new Uint8Array(32).fill(7)
      const der = await authority.ocspRespond({ request: request('sha1', nonce), ...by(signer()) })
      const { certificate, issuer } = leaf
      const verified = verifyOcspResponse(der, { certificate, issuer, at: at(), nonce, requireNonce: true })
      expect(verified.responseNonce).toEqual(nonce)
    })
    it('without certificates in it', async () => {
      const der = await authority.ocspRespond({ request: request(), noCertificates: true, ...by(signer()) })
      expect(decodeOcspResponse(der).basicResponse?.certificates).toEqual([])
      if (kind === 'issuer') expect(verify(der).signer.kind).toBe('issuer')
      else expect(() => verify(der)).toThrow(expect.objectContaining({ code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED' }))
    })
  })

  it('revoked, with its reason and time', async () => {
    const revoked = await authority.issueLeaf()
    const when = new Date(Math.floor(Date.now() / 1000) * 1000 - 86_400_000)
    await authority.revoke(revoked, 'keyCompromise', when)
    const { certificate, issuer } = revoked
    const der = await authority.ocspRespond({
      request: encodeOcspRequest({ certificate, issuer, hashAlgorithm: 'sha1' }),
    })
    expect(verify(der, revoked)).toMatchObject({
      certStatus: 'revoked',
      revocationReason: 'keyCompromise',
      revocationTime: when,
    })
  })

  it('unknown, where index.txt does not have it', async () => {
    const other = await authority.issueLeaf({ issuer: 'root' })
    const { certificate } = other
    const der = await authority.ocspRespond({
      request: encodeOcspRequest({ certificate, issuer: leaf.issuer, hashAlgorithm: 'sha1' }),
    })
    expect(decodeOcspResponse(der).basicResponse?.responses[0]?.certStatus).toBe('unknown')
  })

  it('several certificates in one response, each found in it', async () => {
    const more = [await authority.issueLeaf(), await authority.issueLeaf(), await authority.issueLeaf()]
    await authority.revoke(more[1] as Leaf, 'superseded')
    const file = join(authority.directory, 'several.request')
    await openssl([
      ...['ocsp', '-issuer', authority.intermediate.certificateFile, '-no_nonce', '-reqout', file],
      ...[leaf, ...more].flatMap((each) => ['-cert', each.leafOnlyFile]),
    ])
    const der = await authority.ocspRespond({ request: await readFile(file) })
    expect([leaf, ...more].map((each) => verify(der, each).certStatus)).toEqual(['good', 'good', 'revoked', 'good'])
  })

  it.each([
    ['sha1', '-sha1'],
    ['sha256', '-sha256'],
    ['sha384', '-sha384'],
    ['sha512', '-sha512'],
  ] as const)('encodes a request by %s as openssl does, byte for byte', async (hashAlgorithm, flag) => {
    const file = join(authority.directory, `${hashAlgorithm}.request`)
    await openssl([
      'ocsp',
      flag,
      '-issuer',
      authority.intermediate.certificateFile,
      '-cert',
      leaf.leafOnlyFile,
      '-no_nonce',
      '-reqout',
      file,
    ])
    const theirs = new Uint8Array(await readFile(file))
    expect(encodeOcspRequest({ certificate: leaf.der, issuer: leaf.issuer.der, hashAlgorithm })).toEqual(theirs)
  })

  it("decodes openssl's request with a nonce", async () => {
    const file = join(authority.directory, 'nonce.request')
    await openssl([
      'ocsp',
      '-issuer',
      authority.intermediate.certificateFile,
      '-cert',
      leaf.leafOnlyFile,
      '-reqout',
      file,
    ])
    const decoded = decodeOcspRequest(await readFile(file))
    expect(decoded.requestList.map(({ certID }) => certID.serialNumber)).toEqual([leaf.certificate.serialNumber])
    expect(decoded.nonce?.length).toBeGreaterThanOrEqual(16)
  })

  it('encodes a request with a nonce that openssl reads', async () => {
    const file = join(authority.directory, 'our-nonce.request')
    await writeFile(file, request('sha256', new Uint8Array(32).fill(0xab)))
    const text = (await openssl(['ocsp', '-reqin', file, '-req_text'])).toString()
    expect(text).toMatch(/Hash Algorithm: sha256/)
    expect(text.toUpperCase().replace(/[\s:]/g, '')).toContain(leaf.serialHex)
    expect(text).toMatch(/OCSP Nonce:\s*\n\s*0420(AB){32}/i)
  })
})

it('verifies RSASSA-PSS by an ordinary RSA key', async () => {
  const authority = await createAuthority({ keyType: 'rsa2048' })
  const leaf = await authority.issueLeaf()
  const { certificate, issuer } = leaf
  const request = encodeOcspRequest({ certificate, issuer, hashAlgorithm: 'sha1' })
  const args = ['-rsigopt', 'rsa_padding_mode:pss', '-rsigopt', 'rsa_pss_saltlen:digest']
  const der = await authority.ocspRespond({ request, args })
  expect(decodeOcspResponse(der).basicResponse?.signatureAlgorithm.oid).toBe('1.2.840.113549.1.1.10')
  expect(verifyOcspResponse(der, { certificate, issuer, at: new Date() }).certStatus).toBe('good')
})

it("refuses a responder that the root authorised for the intermediate's certificates", async () => {
  const authority = await createAuthority()
  const { certificate, issuer } = await authority.issueLeaf()
  const request = encodeOcspRequest({ certificate, issuer, hashAlgorithm: 'sha1' })
  const der = await authority.ocspRespond({ request, signer: await authority.delegate({ issuer: 'root' }) })
  expect(() => verifyOcspResponse(der, { certificate, issuer, at: new Date() })).toThrow(
    expect.objectContaining({ code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED' }),
  )
})

function by(signer: AuthorityCertificate | undefined): { signer?: AuthorityCertificate } {
  return signer === undefined ? {} : { signer }
}
