/** Real clients at a running `staplewright serve`: the first handshake already has the staple, and they accept it. */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { type Authority, type AuthorityKeyType, createAuthority, type Leaf } from '../kit/authority.ts'
import { type Backend, pageColour, pageText, startBackend } from '../kit/backend.ts'
import { connectWithCurl } from '../kit/clients/curl.ts'
import { type Firefox, startFirefox } from '../kit/clients/firefox.ts'
import { connectWithGnutls } from '../kit/clients/gnutls.ts'
import { judgeStrictly } from '../kit/clients/judge.ts'
import { connectWithNode } from '../kit/clients/node.ts'
import { connectWithOpenssl } from '../kit/clients/openssl.ts'
import type { ClientOutcome, ClientTarget } from '../kit/clients/outcome.ts'
import { formatConfig, type RunningDaemon, startDaemon } from '../kit/daemon.ts'
import { createScriptedResponder, type ScriptedResponder } from '../kit/responder.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

let authority: Authority
let responder: ScriptedResponder
let backend: Backend
let firefox: Firefox

beforeAll(async () => {
  authority = await createAuthority()
  responder = await createScriptedResponder({ authority })
  backend = await startBackend()
  firefox = await startFirefox(authority.root.certificateFile)
}, 90_000)

const clients: readonly (readonly [string, (target: ClientTarget) => Promise<ClientOutcome>])[] = [
  ['openssl s_client -status over TLS 1.2', (target) => connectWithOpenssl({ ...target, version: '1.2' })],
  ['openssl s_client -status over TLS 1.3', (target) => connectWithOpenssl({ ...target, version: '1.3' })],
  ['curl --cert-status', connectWithCurl],
  ['gnutls-cli', connectWithGnutls],
  ['Firefox', (target) => firefox.visit(target)],
  ["Node's tls client", connectWithNode],
]

describe('the first handshake on a Must-Staple certificate, mode must', () => {
  test.each(clients)('satisfies %s', async (_, connect) => {
    const { target } = await start({ ocsp: '{ mode: must }' })
    const { connected, staple } = await connect(target)
    // Firefox does not tell of the staple; it accepts the certificate only with a good one.
    expect([connected, staple?.present ?? true]).toEqual([true, true])
  })

  test('is one that Firefox draws the page over', async () => {
    const { target } = await start({ ocsp: '{ mode: must }' })
    const before = backend.requests.length
    const outcome = await firefox.visit(target)
    expect(backend.requests.slice(before)).toContain('GET /')
    expect(outcome).toMatchObject({ colour: pageColour, text: pageText })
  })

  test('carries what a strict client calls good, among twenty that come at once', async () => {
    const { target, leaf } = await start({ ocsp: '{ mode: must }' })
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => connectWithNode(target)))
    for (const { connected, stapleBytes } of outcomes)
      expect([connected, stapleBytes?.length]).toEqual([true, expect.any(Number)])
    expect(new Set(outcomes.map(({ stapleBytes }) => Buffer.from(stapleBytes ?? []).toString('hex'))).size).toBe(1)
    const verdict = await judgeStrictly(
      outcomes[0]?.stapleBytes as Uint8Array,
      leaf,
      authority.intermediate.certificateFile,
    )
    expect(verdict).toMatchObject({ verdict: 'good', hashAlgorithm: 'sha1' })
  })
})

// The other half of the proof: these clients do refuse what they should.
describe('the same certificate without a staple, mode never', () => {
  test.each([
    ['curl --cert-status', connectWithCurl, 'No OCSP response received'],
    ['gnutls-cli', connectWithGnutls, 'OCSP status is missing'],
  ] as const)('is refused by %s', async (_, connect, because) => {
    const { target } = await start({ ocsp: '{ mode: never }' })
    expect(await connect(target)).toMatchObject({
      connected: false,
      staple: { present: false },
      refusedBecause: expect.stringContaining(because),
    })
  })

  test('is refused by Firefox, which draws nothing of the page', async () => {
    const { target } = await start({ ocsp: '{ mode: never }' })
    const before = backend.requests.length
    const outcome = await firefox.visit(target)
    expect(outcome).toMatchObject({
      connected: false,
      refusedBecause: 'MOZILLA_PKIX_ERROR_REQUIRED_TLS_FEATURE_MISSING',
    })
    expect(outcome.colour).not.toBe(pageColour)
    expect(backend.requests.slice(before)).toEqual([])
  })
})

describe('a staple that says revoked, mode auto', () => {
  test('is shown by openssl, and refused by curl, GnuTLS and Firefox', async () => {
    const { target, leaf, daemon } = await start({ ocsp: 'true' })
    await responder.behave('revoked', leaf.certificate.serialNumber)
    daemon.refresh()
    await daemon.waitForLine((line) => line.event === 'revoked')
    const outcomes = await Promise.all([
      connectWithOpenssl(target),
      connectWithCurl(target),
      connectWithGnutls(target),
      firefox.visit(target),
    ])
    expect(outcomes[0]).toMatchObject({ connected: true, staple: { present: true, certStatus: 'revoked' } })
    expect(outcomes[1]).toMatchObject({ connected: false, staple: { certStatus: 'revoked' } })
    expect(outcomes[2]).toMatchObject({ connected: false, staple: { certStatus: 'revoked' } })
    expect(outcomes[3]).toMatchObject({ connected: false, refusedBecause: 'SEC_ERROR_REVOKED_CERTIFICATE' })
  })
})

describe('a responder that knows SHA-256 certIDs alone', () => {
  test('gives a staple that Firefox and GnuTLS accept and curl refuses, and the log says so', async () => {
    const leaf = await issue()
    await responder.behave('sha256Only', leaf.certificate.serialNumber)
    const { target, daemon } = await start({ ocsp: '{ mode: must }', leaf })
    expect(await connectWithGnutls(target)).toMatchObject({ connected: true, staple: { present: true } })
    expect(await firefox.visit(target)).toMatchObject({ connected: true, text: pageText })
    expect(await connectWithCurl(target)).toMatchObject({
      connected: false,
      refusedBecause: expect.stringContaining('Could not find certificate ID'),
    })
    await daemon.waitForLine((line) => line.level === 'warn' && /curl, Java/.test(line.message))
  })
})

describe.each(['rsa2048', 'p384', 'ed25519'] as const)('an authority and a certificate of key type %s', (keyType) => {
  test('are stapled for openssl and curl', async () => {
    const { target } = await startOf(keyType)
    expect(await connectWithOpenssl(target)).toMatchObject({ connected: true, staple: { certStatus: 'good' } })
    expect(await connectWithCurl(target)).toMatchObject({ connected: true })
  })

  async function startOf(type: AuthorityKeyType) {
    const other = await createAuthority({ keyType: type })
    const signer = await other.delegate()
    const { url } = await createScriptedResponder({ authority: other, signer })
    return start({ ocsp: '{ mode: must }', leaf: await other.issueLeaf({ mustStaple: true, responderURL: url }) })
  }
})

interface Started {
  readonly daemon: RunningDaemon
  readonly target: ClientTarget
  readonly leaf: Leaf
}

/** A daemon of its own for each test, with a certificate of its own: what a client meets is its first handshake. */
async function start(options: { ocsp: string; leaf?: Leaf }): Promise<Started> {
  const leaf = options.leaf ?? (await issue())
  const daemon = await startDaemon(formatConfig({ backend: backend.url, leaf, ocsp: options.ocsp }))
  return { daemon, leaf, target: { port: await daemon.opened(), rootFile: leaf.rootFile } }
}

function issue(): Promise<Leaf> {
  return authority.issueLeaf({ mustStaple: true, responderURL: responder.url })
}
