/** The drivers tell the truth about real clients: proven here against `openssl s_server`, which staples any file. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { createCertID, signOcspResponse } from '../../../src/pki/ocsp/index.ts'
import { type Authority, type AuthorityCertificate, createAuthority, type Leaf } from '../authority.ts'
import { freePort } from '../free-port.ts'
import { openssl } from '../openssl.ts'
import { startProgram } from '../program.ts'
import { connectWithCurl } from './curl.ts'
import { type Firefox, startFirefox } from './firefox.ts'
import { connectWithGnutls } from './gnutls.ts'
import { judgeStrictly } from './judge.ts'
import { connectWithNode } from './node.ts'
import { connectWithOpenssl } from './openssl.ts'
import type { ClientTarget } from './outcome.ts'

let authority: Authority
let firefox: Firefox
let good: Served
let none: Served
let otherSerial: Served
let revoked: Served

interface Served extends ClientTarget {
  readonly leaf: Leaf
  readonly staple: Uint8Array | undefined
}

// A certificate for each, because Firefox remembers what it learned of one.
beforeAll(async () => {
  authority = await createAuthority({ fresh: true })
  const leaves = [1, 2, 3, 4].map(() => authority.issueLeaf({ mustStaple: true }))
  const [first, second, third, fourth] = (await Promise.all(leaves)) as [Leaf, Leaf, Leaf, Leaf]
  await authority.revoke(fourth)
  good = await serve(first, await respond(first))
  none = await serve(second)
  otherSerial = await serve(third, await respond(first))
  revoked = await serve(fourth, await respond(fourth))
  firefox = await startFirefox(first.rootFile)
}, 90_000)

describe.each(['1.2', '1.3'] as const)('openssl s_client, TLS %s', (version) => {
  test('tells a good staple', async () => {
    expect(await connectWithOpenssl({ ...good, version })).toMatchObject({
      connected: true,
      staple: { present: true, certStatus: 'good' },
    })
  })

  test('tells a revoked staple, and connects all the same', async () => {
    expect(await connectWithOpenssl({ ...revoked, version })).toMatchObject({
      connected: true,
      staple: { present: true, certStatus: 'revoked' },
    })
  })

  test('tells that no staple came', async () => {
    expect(await connectWithOpenssl({ ...none, version })).toMatchObject({
      connected: true,
      staple: { present: false },
    })
  })
})

describe('openssl s_client', () => {
  test('refuses a root it does not know', async () => {
    const stranger = await createAuthority({ fresh: true, name: 'Stranger' })
    const outcome = await connectWithOpenssl({ ...good, rootFile: stranger.root.certificateFile })
    expect(outcome).toMatchObject({ connected: false, refusedBecause: expect.stringContaining('verify error') })
  })

  test('is refused where nobody listens', async () => {
    expect(await connectWithOpenssl({ ...good, port: await freePort() })).toMatchObject({
      connected: false,
      refusedBecause: expect.stringMatching(/refused|errno/),
    })
  })
})

describe('curl --cert-status', () => {
  test('accepts a good staple', async () => {
    expect(await connectWithCurl(good)).toMatchObject({ connected: true, staple: { present: true } })
  })

  test.each([
    ['none', () => none, { present: false }, 'No OCSP response received'],
    ['otherSerial', () => otherSerial, { present: true }, 'Could not find certificate ID'],
    ['revoked', () => revoked, { present: true, certStatus: 'revoked' }, 'revocation reason'],
  ] as const)('refuses the staple %s', async (_, served, staple, because) => {
    expect(await connectWithCurl(served())).toMatchObject({
      connected: false,
      staple,
      refusedBecause: expect.stringContaining(because),
    })
  })
})

describe('gnutls-cli', () => {
  test('accepts a good staple', async () => {
    expect(await connectWithGnutls(good)).toMatchObject({
      connected: true,
      staple: { present: true, certStatus: 'good' },
    })
  })

  test.each([
    ['none', () => none, { present: false }, 'status is missing'],
    ['otherSerial', () => otherSerial, { present: true }, 'OCSP status response is invalid'],
    ['revoked', () => revoked, { present: true, certStatus: 'revoked' }, 'chain is revoked'],
  ] as const)('refuses a Must-Staple certificate with the staple %s', async (_, served, staple, because) => {
    expect(await connectWithGnutls(served())).toMatchObject({
      connected: false,
      staple,
      refusedBecause: expect.stringContaining(because),
    })
  })
})

describe('Firefox', () => {
  test('draws the page with a good staple', async () => {
    expect(await firefox.visit(good)).toMatchObject({ connected: true, text: expect.stringContaining('s_server') })
  })

  test.each([
    ['none', () => none, 'MOZILLA_PKIX_ERROR_REQUIRED_TLS_FEATURE_MISSING'],
    ['otherSerial', () => otherSerial, 'MOZILLA_PKIX_ERROR_OCSP_RESPONSE_FOR_CERT_MISSING'],
    ['revoked', () => revoked, 'SEC_ERROR_REVOKED_CERTIFICATE'],
  ] as const)('refuses a Must-Staple certificate with the staple %s', async (_, served, because) => {
    expect(await firefox.visit(served())).toMatchObject({ connected: false, refusedBecause: because })
  })
})

describe("Node's tls client", () => {
  test.each(['1.2', '1.3'] as const)(
    'hands out the staple and the certificate as they came, TLS %s',
    async (version) => {
      const outcome = await connectWithNode({ ...good, version })
      expect(outcome).toMatchObject({ connected: true, staple: { present: true }, protocol: `TLSv${version}` })
      expect(outcome.stapleBytes).toEqual(good.staple)
      expect(outcome.certificate).toEqual(good.leaf.der)
    },
  )

  test('tells that no staple came', async () => {
    expect(await connectWithNode(none)).toMatchObject({ connected: true, staple: { present: false } })
  })

  test('tells a refused connection', async () => {
    expect(await connectWithNode({ ...good, port: await freePort() })).toMatchObject({
      connected: false,
      refusedBecause: 'ECONNREFUSED',
    })
  })
})

describe('the strict judge', () => {
  const judge = ({ leaf, staple }: Pick<Served, 'leaf' | 'staple'>, at?: Date) =>
    judgeStrictly(staple as Uint8Array, leaf, authority.intermediate.certificateFile, at)

  test('says good, with the times and the hash of the certID', async () => {
    expect(await judge(good)).toMatchObject({
      verdict: 'good',
      hashAlgorithm: 'sha1',
      thisUpdate: expect.any(Date),
      nextUpdate: expect.any(Date),
    })
  })

  test('says revoked', async () => {
    expect(await judge(revoked)).toMatchObject({ verdict: 'revoked' })
  })

  test('refuses a staple about another certificate', async () => {
    expect(await judge(otherSerial)).toMatchObject({
      verdict: 'refused',
      refusedBecause: 'no single response is about this certificate',
    })
  })

  test('refuses a stale staple, with no tolerance', async () => {
    const end = (await judge(good)).nextUpdate?.getTime() ?? 0
    expect(await judge(good, new Date(end))).toMatchObject({
      verdict: 'refused',
      refusedBecause: 'nextUpdate has passed',
    })
    expect(await judge(good, new Date(end - 1000))).toMatchObject({ verdict: 'good' })
  })

  test('refuses a staple from the future, beyond five minutes', async () => {
    const { leaf } = good
    const certID = createCertID(leaf.certificate, leaf.issuer, 'sha1')
    const staple = async (aheadMs: number) => {
      const thisUpdate = new Date(Date.now() + aheadMs)
      const single = { certID, certStatus: 'good', thisUpdate, nextUpdate: new Date(Date.now() + 86_400_000) } as const
      return signOcspResponse({ signer: authority.intermediate, responses: [single], producedAt: new Date() })
    }
    expect(await judge({ leaf, staple: await staple(330_000) })).toMatchObject({
      verdict: 'refused',
      refusedBecause: 'thisUpdate is in the future',
    })
    expect(await judge({ leaf, staple: await staple(270_000) })).toMatchObject({ verdict: 'good' })
  })

  test('refuses a broken signature', async () => {
    const staple = Uint8Array.from(good.staple ?? [])
    const ecdsaWithSha256 = Buffer.from('06082a8648ce3d040302', 'hex')
    const at = Buffer.from(staple).indexOf(ecdsaWithSha256) + 30
    staple[at] = (staple[at] ?? 0) ^ 1
    expect(await judge({ leaf: good.leaf, staple })).toMatchObject({
      verdict: 'refused',
      refusedBecause: expect.stringContaining('signature failure'),
    })
  })

  test('refuses a signer without OCSPSigning, and accepts one with it', async () => {
    const { leaf } = good
    const request = await requestFor(leaf)
    const judgeSigned = async (signer: AuthorityCertificate) =>
      judge({ leaf, staple: await authority.ocspRespond({ request, signer }) })
    expect(await judgeSigned(await authority.delegate({ ocspSigning: false }))).toMatchObject({ verdict: 'refused' })
    expect(await judgeSigned(await authority.delegate())).toMatchObject({ verdict: 'good' })
  })

  test('refuses what is no response', async () => {
    expect(await judge({ leaf: good.leaf, staple: new TextEncoder().encode('<html>') })).toMatchObject({
      verdict: 'refused',
    })
  })
})

async function requestFor(about: Leaf): Promise<Uint8Array> {
  const file = join(authority.directory, `request-${about.serialHex}`)
  const issuerFile = authority.intermediate.certificateFile
  await openssl(['ocsp', '-no_nonce', '-issuer', issuerFile, '-cert', about.leafOnlyFile, '-reqout', file])
  return new Uint8Array(await readFile(file))
}

async function respond(about: Leaf): Promise<Uint8Array> {
  return authority.ocspRespond({ request: await requestFor(about) })
}

async function serve(leaf: Leaf, staple?: Uint8Array): Promise<Served> {
  const port = await freePort()
  const file = join(authority.directory, `staple-${port}`)
  if (staple) await writeFile(file, staple)
  const server = startProgram('openssl', [
    ...['s_server', '-accept', `127.0.0.1:${port}`, '-www', '-key', leaf.keyFile],
    ...['-cert', leaf.certificateFile, '-cert_chain', authority.intermediate.certificateFile],
    ...(staple ? ['-status', '-status_file', file] : []),
  ])
  await server.waitForPort(port)
  return { port, rootFile: leaf.rootFile, leaf, staple }
}
