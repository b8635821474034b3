import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  encodeExplicit,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
} from '../../../src/pki/der/writer.ts'
import { encodeOcspRequest } from '../../../src/pki/ocsp/encode-request.ts'
import { decodeOcspResponse } from '../../../src/pki/ocsp/response.ts'
import { type Authority, type AuthorityKeyType, createAuthority, type Leaf } from '../../kit/authority.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'
import {
  certIDDraft,
  delegatedDraft,
  directDraft,
  forgeResponse,
  good,
  hours,
  revoked,
  singleDraft,
  unknown,
  world,
} from '../forge.ts'
import { ask, readByPeculiar, readByUs } from '../oracle.ts'

describe('gives of a response', () => {
  const der = forgeResponse(delegatedDraft())
  const decoded = decodeOcspResponse(der)
  const { basicResponse } = decoded

  it('its bytes, status and type', () => {
    expect(decoded).toMatchObject({ der, responseStatus: 'successful', responseType: '1.3.6.1.5.5.7.48.1.1' })
  })
  it('what is signed, as a slice of what was given', () => {
    expect(basicResponse?.tbsResponseData.buffer).toBe(der.buffer)
    expect(Buffer.from(der).indexOf(basicResponse?.tbsResponseData ?? 'x')).toBeGreaterThan(0)
  })
  it('its entries', () => {
    expect(basicResponse?.responses).toEqual([
      {
        certID: {
          hashAlgorithm: 'sha1',
          issuerNameHash: expect.any(Uint8Array),
          issuerKeyHash: expect.any(Uint8Array),
          serialNumber: world().certificate.serialNumber,
        },
        certStatus: 'good',
        thisUpdate: hours(-1),
        nextUpdate: hours(23),
        extensions: [],
      },
    ])
  })
  it('its certificates, decoded, as slices too', () => {
    const [certificate] = basicResponse?.certificates ?? []
    expect(certificate?.serialNumber).toBe(77n)
    expect(certificate?.der.buffer).toBe(der.buffer)
  })
  it('nothing of what is not there', () => {
    expect(basicResponse).not.toHaveProperty('nonce')
    expect(basicResponse?.extensions).toEqual([])
    expect(basicResponse?.responderID).not.toHaveProperty('byName')
  })
})

it('reads the three statuses', () => {
  const of = world()
  const statuses = [good, unknown, revoked(hours(-5)), revoked(hours(-5), 1)]
  const responses = statuses.map((certStatus) => singleDraft(of, { certStatus, certID: certIDDraft(of, 'sha512') }))
  const decoded = decodeOcspResponse(forgeResponse({ ...directDraft(), responses }))
  expect(decoded.basicResponse?.responses).toMatchObject([
    { certStatus: 'good' },
    { certStatus: 'unknown' },
    { certStatus: 'revoked', revocationTime: hours(-5) },
    { certStatus: 'revoked', revocationTime: hours(-5), revocationReason: 'keyCompromise' },
  ])
})

it('leaves the bytes of another responseType alone', () => {
  const type = encodeOid('1.2.3.4')
  const responseBytes = () => encodeExplicit(0, encodeSequence(type, encodeOctetString(encodeNull())))
  const decoded = decodeOcspResponse(forgeResponse({ ...directDraft(), responseBytes }))
  expect(decoded).toMatchObject({ responseStatus: 'successful', responseType: '1.2.3.4' })
  expect(decoded).not.toHaveProperty('basicResponse')
})

it('takes a Buffer and gives plain Uint8Arrays', () => {
  const { basicResponse } = decodeOcspResponse(Buffer.from(forgeResponse(directDraft())))
  expect(Object.getPrototypeOf(basicResponse?.signature)).toBe(Uint8Array.prototype)
})

it.each([null, undefined, 'MII=', [48, 3], new Uint16Array(4), new ArrayBuffer(5), { length: 5 }])(
  'calls %o a mistake of the caller',
  (wrong) => {
    expect(() => decodeOcspResponse(wrong as Uint8Array)).toThrow(TypeError)
  },
)

describe.each<AuthorityKeyType>(['rsa2048', 'p256', 'ed25519'])('of openssl with %s', (keyType) => {
  let authority: Authority
  let leaf: Leaf
  let answers: Uint8Array[]

  beforeAll(async () => {
    authority = await createAuthority({ keyType })
    leaf = await authority.issueLeaf()
    const revokedLeaf = await authority.issueLeaf()
    await authority.revoke(revokedLeaf, 'superseded')
    const delegate = await authority.delegate()
    const nonce = new Uint8Array(20).fill(9)
    const request = (of: Leaf) =>
      encodeOcspRequest({ certificate: of.certificate, issuer: of.issuer, hashAlgorithm: 'sha1' })
    const withNonce = encodeOcspRequest({
      certificate: leaf.certificate,
      issuer: leaf.issuer,
      hashAlgorithm: 'sha256',
      nonce,
    })
    answers = await Promise.all([
      authority.ocspRespond({ request: request(leaf) }),
      authority.ocspRespond({ request: request(revokedLeaf), signer: delegate, byKey: true }),
      authority.ocspRespond({ request: withNonce, signer: delegate, nextUpdateMinutes: null }),
    ])
  })

  it('@peculiar/asn1-ocsp reads what we read', () => {
    for (const der of answers) expect(readByUs(der)).toEqual(readByPeculiar(der))
  })
  it('openssl prints what we read', async () => {
    // A file: Node gives children a socket for stdin, which cannot be opened again as /dev/stdin.
    const file = join(temporaryDirectory('response'), 'response.der')
    for (const der of answers) {
      const ours = readByUs(der)
      await writeFile(file, der)
      const theirs = await ask('openssl', ['ocsp', '-respin', file, '-resp_text', '-noverify'])
      const [single] = ours.responses
      expect(theirs).toContain(`Cert Status: ${single?.certStatus}`)
      expect(theirs).toContain(`Issuer Key Hash: ${single?.issuerKeyHash.toUpperCase()}`)
      expect(theirs).toContain(`Serial Number: ${single?.serialNumber.toString(16).toUpperCase()}`)
      expect(printedTime(theirs, 'This Update')).toBe(single?.thisUpdate)
      expect(printedTime(theirs, 'Next Update')).toBe(single?.nextUpdate)
      expect(printedTime(theirs, 'Revocation Time')).toBe(single?.revocationTime)
      expect(printedTime(theirs, 'Produced At')).toBe(ours.producedAt)
    }
  })
  it('GnuTLS prints what we read', async () => {
    for (const der of answers) {
      const ours = readByUs(der)
      const theirs = await ask('ocsptool', ['-j', '--inder'], der)
      const [single] = ours.responses
      expect(theirs).toContain(`Certificate Status: ${single?.certStatus}`)
      expect(theirs).toContain(`Issuer Name Hash: ${single?.issuerNameHash}`)
      expect(theirs).toContain(`Serial Number: ${single?.serialNumber.toString(16)}`)
      expect(printedTime(theirs, 'Produced At')).toBe(ours.producedAt)
      if (ours.nonce !== undefined) expect(theirs).toContain(`Nonce: ${ours.nonce}`)
    }
  })
})

/** The time that stands behind a label; openssl and GnuTLS write it in ways that Date understands. */
function printedTime(text: string, label: string): string | undefined {
  const found = new RegExp(`${label}: (.*)`).exec(text)?.[1]
  return found === undefined ? undefined : new Date(found.replace('UTC', 'GMT')).toISOString()
}
