/** @peculiar/x509 as an oracle: what a whole certificate library makes of the certificates that we decode. */
import 'reflect-metadata'
import {
  AuthorityInfoAccessExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from '@peculiar/x509'
import { describe, expect, test } from 'vitest'
import { type AuthorityKeyType, createAuthority } from '../../kit/authority.ts'

const keyTypes: readonly AuthorityKeyType[] = ['rsa2048', 'rsapss', 'p256', 'p384', 'ed25519']

describe.each(keyTypes)('certificates of an authority on %s', (keyType) => {
  test('say the same to @peculiar/x509 as to us', async () => {
    const authority = await createAuthority({ keyType })
    const leaf = await authority.issueLeaf({ mustStaple: true, responderURL: 'http://ocsp.example/' })
    const delegate = await authority.delegate()
    for (const ours of [authority.root.certificate, leaf.issuer, leaf.certificate, delegate.certificate]) {
      const theirs = new X509Certificate(new Uint8Array(ours.der))
      const { extensions } = ours
      expect(BigInt(`0x${theirs.serialNumber}`)).toBe(ours.serialNumber)
      expect(theirs.notBefore).toEqual(ours.notBefore)
      expect(theirs.notAfter).toEqual(ours.notAfter)
      expect(new Uint8Array(theirs.publicKey.rawData)).toEqual(new Uint8Array(ours.subjectPublicKeyInfo))
      expect(new Uint8Array(theirs.subjectName.toArrayBuffer())).toEqual(new Uint8Array(ours.subject))
      expect(new Uint8Array(theirs.issuerName.toArrayBuffer())).toEqual(new Uint8Array(ours.issuer))
      expect(theirs.getExtension(BasicConstraintsExtension)?.ca ?? false).toBe(extensions.basicConstraints?.ca ?? false)
      expect(theirs.getExtension(ExtendedKeyUsageExtension)?.usages).toEqual(extensions.extendedKeyUsage)
      const names = theirs.getExtension(SubjectAlternativeNameExtension)?.names.items ?? []
      expect(names.filter(({ type }) => type === 'dns').map(({ value }) => value)).toEqual(extensions.dnsNames)
      const access = theirs.getExtension(AuthorityInfoAccessExtension)?.ocsp ?? []
      expect(access.map(({ value }) => value)).toEqual(extensions.responderURLs)
      expect(theirs.extensions.some(({ type }) => type === '1.3.6.1.5.5.7.1.24')).toBe(
        extensions.tlsFeatures.length > 0,
      )
    }
  })
})
