import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import {
  encodeOcspRequest,
  isMustStaple,
  parsePemCertificates,
  proveIssuer,
  verifyOcspResponse,
} from '../../src/pki/ocsp/index.ts'
import { type AuthorityKeyType, createAuthority } from './authority.ts'
import { openssl } from './openssl.ts'

const keyTypes: readonly AuthorityKeyType[] = ['p256', 'p384', 'ed25519', 'rsa2048', 'rsapss']

it.each(keyTypes)('makes a %s chain that openssl verifies, and answers for it with openssl ocsp', async (keyType) => {
  const authority = await createAuthority({ keyType })
  const leaf = await authority.issueLeaf({ mustStaple: true, responderURL: ['http://a.test/', 'http://b.test/'] })
  const verdict = await openssl([
    ...['verify', '-CAfile', leaf.rootFile, '-untrusted', authority.intermediate.certificateFile, leaf.leafOnlyFile],
  ])
  expect(verdict.toString()).toContain('OK')
  expect(() => proveIssuer(leaf.certificate, leaf.issuer)).not.toThrow()
  expect(isMustStaple(leaf.certificate)).toBe(true)
  expect(leaf.certificate.extensions.responderURLs).toEqual(['http://a.test/', 'http://b.test/'])
  expect(parsePemCertificates(leaf.chainPem).map(({ der }) => der)).toEqual([leaf.der, authority.intermediate.der])

  const request = encodeOcspRequest({ certificate: leaf.certificate, issuer: leaf.issuer, hashAlgorithm: 'sha1' })
  const question = { certificate: leaf.certificate, issuer: leaf.issuer, at: new Date(Date.now() + 1000) }
  const direct = await authority.ocspRespond({ request, byKey: true })
  expect(verifyOcspResponse(direct, question)).toMatchObject({ certStatus: 'good', signer: { kind: 'issuer' } })
  await authority.revoke(leaf, 'keyCompromise')
  const delegated = await authority.ocspRespond({ request, signer: await authority.delegate() })
  expect(verifyOcspResponse(delegated, question)).toMatchObject({
    certStatus: 'revoked',
    revocationReason: 'keyCompromise',
    signer: { kind: 'delegated' },
  })
  await authority.reinstate(leaf)
  expect(verifyOcspResponse(await authority.ocspRespond({ request }), question).certStatus).toBe('good')
})

it('makes certificates with dates of their own', async () => {
  const authority = await createAuthority()
  const dates = { notBefore: new Date('2020-01-02T03:04:05Z'), notAfter: new Date('2055-06-07T08:09:10Z') }
  const { certificate } = await authority.issueLeaf(dates)
  expect(certificate).toMatchObject(dates)
})

it('locks a key with a passphrase, and gives the same key to a renewed certificate', async () => {
  const authority = await createAuthority()
  const leaf = await authority.issueLeaf({ passphrase: 'open sesame' })
  await expect(openssl(['pkey', '-in', leaf.keyFile, '-passin', 'pass:wrong', '-noout'])).rejects.toThrow()
  await openssl(['pkey', '-in', leaf.keyFile, '-passin', 'pass:open sesame', '-noout'])
  const first = await authority.issueLeaf()
  const renewed = await authority.issueLeaf({ keyFile: first.keyFile })
  expect(renewed.certificate.subjectPublicKeyInfo).toEqual(first.certificate.subjectPublicKeyInfo)
  expect(renewed.certificate.serialNumber).not.toBe(first.certificate.serialNumber)
})

it('is the same one each time in a process, unless a fresh one is asked for', async () => {
  const [one, same, other] = await Promise.all([createAuthority(), createAuthority(), createAuthority({ fresh: true })])
  expect(one).toBe(same)
  expect(other.directory).not.toBe(one.directory)
  expect(existsSync(other.caFile)).toBe(true)
})
