/** CRLs by the real openssl, of three key types and several kinds; openssl and @peculiar/x509 as second opinions. */
import 'reflect-metadata'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { X509Crl } from '@peculiar/x509'
import { beforeAll, describe, expect, it } from 'vitest'
import { decodeCertificateList, readRevokedCertificates, verifyCrl } from '../../../src/pki/crl/index.ts'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { issueCrl } from '../../kit/crl.ts'
import type { AuthorityKeyType } from '../../kit/openssl.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

const run = promisify(execFile)

const revocations: readonly (string | undefined)[] = [
  undefined,
  'unspecified',
  'keyCompromise',
  'CACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
]

function verify(crl: Uint8Array, { certificate, issuer }: Leaf) {
  return verifyCrl(crl, { certificate, issuer, at: new Date() })
}

describe.each<AuthorityKeyType>(['rsa2048', 'rsapss', 'p256', 'ed25519'])('of a CA with a key of %s', (keyType) => {
  let authority: Authority
  let good: Leaf
  let revoked: Leaf[]
  let crl: Uint8Array

  beforeAll(async () => {
    authority = await createAuthority({ keyType, fresh: true })
    good = await authority.issueLeaf({ keyType: 'p256' })
    revoked = await Promise.all(revocations.map(() => authority.issueLeaf({ keyType: 'p256' })))
    for (const [index, leaf] of revoked.entries()) {
      await authority.revoke(leaf, revocations[index], new Date(Date.UTC(2026, 5, index + 1)))
    }
    crl = await issueCrl(authority, { crlNumber: 4711 })
  }, 60_000)

  it('an empty CRL lists nobody', async () => {
    const empty = await issueCrl(await createAuthority({ keyType, fresh: true }))
    expect(decodeCertificateList(empty).revokedCertificates.count).toBe(0)
  }, 30_000)

  it('every revocation is read with its time and reason', () => {
    for (const [index, leaf] of revoked.entries()) {
      const verified = verify(crl, leaf)
      expect(verified).toMatchObject({ certStatus: 'revoked', revocationTime: new Date(Date.UTC(2026, 5, index + 1)) })
      const reason = revocations[index]
      expect(verified.revocationReason).toBe(reason === 'CACompromise' ? 'cACompromise' : reason)
    }
    expect(verify(crl, good)).toMatchObject({ certStatus: 'good', crlNumber: 4711n, entryCount: 8, warnings: [] })
  })

  it('@peculiar/x509 reads the same entries', () => {
    const theirs = new X509Crl(Buffer.from(crl)).entries.map((each) => [
      BigInt(`0x${each.serialNumber}`),
      each.revocationDate.getTime(),
    ])
    const ours = [...readRevokedCertificates(decodeCertificateList(crl))].map((each) => [
      each.serialNumber,
      each.revocationTime.getTime(),
    ])
    expect(ours).toEqual(theirs)
  })

  it('openssl verifies what we do, and refuses what we do', async () => {
    const directory = temporaryDirectory('crl-oracle')
    const chain = join(directory, 'ca.pem')
    await writeFile(chain, authority.intermediate.pem)
    const damaged = crl.slice()
    damaged[damaged.length - 1] = (damaged.at(-1) as number) ^ 1
    for (const [der, isGood] of [
      [crl, true],
      [damaged, false],
    ] as const) {
      const file = join(directory, `${isGood}.crl`)
      await writeFile(file, der)
      // It says so on stderr and ends with 0 either way.
      const { stderr } = await run('openssl', ['crl', '-inform', 'DER', '-in', file, '-noout', '-CAfile', chain])
      const theirs = /^verify OK$/m.test(stderr)
      const ours = (() => {
        try {
          return verify(der, good).certStatus === 'good'
        } catch {
          return false
        }
      })()
      expect([theirs, ours]).toEqual([isGood, isGood])
    }
  })
})

describe('by its configuration,', () => {
  let authority: Authority
  let leaf: Leaf
  const url = 'http://crl.test/one.crl'

  beforeAll(async () => {
    authority = await createAuthority({ fresh: true })
    leaf = await authority.issueLeaf({ extensions: [`crlDistributionPoints=URI:${url}`] })
    await authority.revoke(leaf, 'superseded')
  })

  const withPoint = (...fields: readonly string[]) =>
    issueCrl(authority, { extensions: ['issuingDistributionPoint=critical,@point'], sections: ['[point]', ...fields] })

  it('a CRL of version 1 has no reasons', async () => {
    const verified = verify(await issueCrl(authority, { extensions: null }), leaf)
    expect([verified.certStatus, verified.crlNumber]).toEqual(['revoked', undefined])
  })

  it.each([
    ['for the point of the certificate', [`fullname=URI:${url}`], 'revoked'],
    ['for that point and users only', [`fullname=URI:${url}`, 'onlyuser=TRUE'], 'revoked'],
    ['for users only', ['onlyuser=TRUE'], 'revoked'],
    ['for another point', ['fullname=URI:http://crl.test/two.crl'], 'ERR_CRL_SCOPE'],
    ['for CAs only', ['onlyCA=TRUE'], 'ERR_CRL_SCOPE'],
    ['for attribute certificates', ['onlyAA=TRUE'], 'ERR_CRL_SCOPE'],
    ['for some reasons', ['onlysomereasons=keyCompromise,CACompromise'], 'ERR_CRL_UNSUPPORTED'],
    ['that is indirect', [`fullname=URI:${url}`, 'indirectCRL=TRUE'], 'ERR_CRL_UNSUPPORTED'],
  ])('a CRL %s', async (_kind, fields, outcome) => {
    const crl = await withPoint(...fields)
    const verdict = (() => {
      try {
        return verify(crl, leaf).certStatus
      } catch (error) {
        return (error as { code: string }).code
      }
    })()
    expect(verdict).toBe(outcome)
  })

  it.each(['sha1', 'md5'])('a CRL signed with %s is refused', async (digest) => {
    const rsa = await createAuthority({ keyType: 'rsa2048' })
    const crl = await issueCrl(rsa, { digest }).catch(() => undefined)
    expect(crl, 'openssl signs with it').toBeDefined()
    const asked = await rsa.issueLeaf()
    expect(() => verify(crl as Uint8Array, asked)).toThrow(expect.objectContaining({ code: 'ERR_CRL_WEAK_ALGORITHM' }))
  })
})
