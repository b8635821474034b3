/** Delegated responders without id-pkix-ocsp-nocheck, under the policy `check`: their own status is asked first. */
import { describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../../../src/keep/clock.ts'
import type { FetchedStaple, FetcherOptions } from '../../../src/keep/fetch/index.ts'
import { createKeeper } from '../../../src/keep/keeper/index.ts'
import { memoryStore } from '../../../src/keep/store/index.ts'
import { certificateKey } from '../../../src/pki/x509/crypto.ts'
import { createAuthority } from '../../kit/authority.ts'
import { manualClock } from '../../kit/clock.ts'
import { createCrlServer, issueCrl } from '../../kit/crl.ts'
import { freePort } from '../../kit/free-port.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { createScriptedResponder } from '../../kit/responder.ts'
import { ask, authority, causesOf, createTestFetcher, firstCauseOf, leaf } from './setting.ts'

const checking: Partial<FetcherOptions> = { delegateWithoutNocheck: 'check' }

/** A delegate that says where its own status is, and a responder that signs by it. */
async function delegateWith(extensions: readonly string[], clock: Clock = systemClock) {
  const signer = await authority.delegate({ nocheck: false, extensions })
  return { signer, responder: await createScriptedResponder({ authority, signer, clock }) }
}

const asksOcspAt = (url: string) => [`authorityInfoAccess=OCSP;URI:${url}`]
const hasCrlAt = (url: string) => [`crlDistributionPoints=URI:${url}`]

function warningsOf({ response }: FetchedStaple): string[] {
  return response.warnings.map(({ code }) => code)
}

describe("a delegate's own responder", () => {
  it('is asked once for all answers by the delegate', async () => {
    const own = await createScriptedResponder({ authority })
    const { signer, responder } = await delegateWith(asksOcspAt(own.url))
    const fetcher = createTestFetcher(checking)
    const other = await authority.issueLeaf()
    const found = await Promise.all([
      fetcher.fetchStaple(ask(responder.url)),
      fetcher.fetchStaple(ask(responder.url, { certificate: other.certificate })),
    ])
    found.push(await fetcher.fetchStaple(ask(responder.url)))
    expect(found.map(({ response }) => response.needsDelegateCheck)).toEqual([false, false, false])
    expect(found.map(warningsOf)).toEqual([[], [], []])
    expect(own.requests.map(({ certID }) => certID?.serialNumber)).toEqual([signer.certificate.serialNumber])
  })

  it('that says revoked has the answer refused', async () => {
    const own = await createScriptedResponder({ authority, behaviour: 'revoked' })
    const { signer, responder } = await delegateWith(asksOcspAt(own.url))
    const cause = await firstCauseOf(createTestFetcher(checking).fetchStaple(ask(responder.url)))
    expect(cause).toMatchObject({
      code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
      detail: { found: expect.stringContaining('revoked: CN='), clause: 'RFC 6960 §4.2.2.2.1' },
    })
    expect(signer.certificate.extensions.ocspNoCheck).toBe(false)
  })

  it('sends the next responder of the certificate to be asked when it says revoked', async () => {
    const own = await createScriptedResponder({ authority, behaviour: 'revoked' })
    const { responder } = await delegateWith(asksOcspAt(own.url))
    const sound = await createScriptedResponder({ authority })
    const found = await createTestFetcher(checking).fetchStaple(ask([responder.url, sound.url]))
    expect(found.responderURL).toBe(sound.url)
    expect(found.failures.map(({ code }) => code)).toEqual(['ERR_OCSP_RESPONDER_NOT_AUTHORIZED'])
  })

  it('may answer by another delegate that has nocheck, not by itself', async () => {
    const port = await freePort()
    const { signer, responder } = await delegateWith(asksOcspAt(`http://127.0.0.1:${port}/`))
    const own = await createScriptedResponder({ authority, signer: await authority.delegate(), port })
    expect(warningsOf(await createTestFetcher(checking).fetchStaple(ask(responder.url)))).toEqual([])
    expect(own.count).toBe(1)
    await own.close()
    const itself = await createScriptedResponder({ authority, signer, port })
    const found = await createTestFetcher(checking).fetchStaple(ask(responder.url))
    expect(warningsOf(found)).toEqual(['delegate-without-nocheck', 'delegate-unchecked'])
    expect(itself.count).toBeGreaterThan(0)
  })

  it('is asked again when its answer has gone stale', async () => {
    const clock = manualClock(new Date())
    const own = await createScriptedResponder({ authority, validityMs: 3_600_000, clock })
    const { responder } = await delegateWith(asksOcspAt(own.url), clock)
    const fetcher = createTestFetcher({ ...checking, clock: { ...systemClock, now: () => clock.now() } })
    await fetcher.fetchStaple(ask(responder.url))
    expect(own.count).toBe(1)
    await clock.advance(3_601_000)
    await fetcher.fetchStaple(ask(responder.url))
    expect(own.count).toBe(2)
  })
})

describe("a delegate's CRL", () => {
  it('is looked into where it names no responder, or where that cannot say', async () => {
    const fresh = await createAuthority({ fresh: true })
    const server = await createCrlServer()
    server.give('ca.crl', await issueCrl(fresh))
    const certificate = await fresh.issueLeaf()
    for (const access of [[], asksOcspAt(`http://127.0.0.1:${await freePort()}/`)]) {
      const extensions = [...access, ...hasCrlAt(server.url('ca.crl'))]
      const signer = await fresh.delegate({ nocheck: false, extensions })
      const responder = await createScriptedResponder({ authority: fresh, signer })
      const question = { certificate: certificate.certificate, issuer: certificate.issuer }
      const found = await createTestFetcher(checking).fetchStaple(ask(responder.url, question))
      expect(warningsOf(found)).toEqual([])
    }
    expect(server.asked).toEqual(['ca.crl', 'ca.crl'])
  })

  it('that lists it has its answers refused', async () => {
    const fresh = await createAuthority({ fresh: true })
    const server = await createCrlServer()
    const signer = await fresh.delegate({ nocheck: false, extensions: hasCrlAt(server.url('ca.crl')) })
    await fresh.revoke(signer, 'keyCompromise')
    server.give('ca.crl', await issueCrl(fresh))
    const responder = await createScriptedResponder({ authority: fresh, signer })
    const { certificate, issuer } = await fresh.issueLeaf()
    const asked = createTestFetcher(checking).fetchStaple(ask(responder.url, { certificate, issuer }))
    expect(await causesOf(asked)).toEqual(['ERR_OCSP_RESPONDER_NOT_AUTHORIZED'])
  })
})

describe('a delegate of whom nothing can be learned', () => {
  it.each([
    ['it says nowhere where', async () => []],
    ['its responder is down', async () => asksOcspAt(`http://127.0.0.1:${await freePort()}/`)],
    ['its CRL is not there', async () => hasCrlAt((await createCrlServer()).url('gone.crl'))],
    [
      'its responder does not know it',
      async () => asksOcspAt((await createScriptedResponder({ authority, behaviour: 'unknown' })).url),
    ],
  ])('counts, with a warning that says why: %s', async (_why, extensions) => {
    const { responder } = await delegateWith(await extensions())
    const found = await createTestFetcher(checking).fetchStaple(ask(responder.url))
    expect(found.response).toMatchObject({ certStatus: 'good', needsDelegateCheck: false })
    expect(warningsOf(found)).toEqual(['delegate-without-nocheck', 'delegate-unchecked'])
  })

  it('because its responder hangs costs at most a third of the attempt', async () => {
    const own = await createScriptedResponder({ authority, behaviour: 'hang' })
    const { responder } = await delegateWith(asksOcspAt(own.url))
    const found = await createTestFetcher(checking).fetchStaple(ask(responder.url, { deadlineMs: 900 }))
    expect(warningsOf(found)).toContain('delegate-unchecked')
    expect(found.elapsedMs).toBeLessThan(800)
  })
})

it('by another policy nobody is asked about a delegate', async () => {
  const own = await createScriptedResponder({ authority })
  const { responder } = await delegateWith(asksOcspAt(own.url))
  const found = await createTestFetcher().fetchStaple(ask(responder.url))
  expect(warningsOf(found)).toEqual(['delegate-without-nocheck'])
  expect(own.count).toBe(0)
})

it('a keeper holds and stores what was checked, and serves it again with nobody to ask', async () => {
  const own = await createScriptedResponder({ authority })
  const { responder } = await delegateWith(asksOcspAt(own.url))
  const store = memoryStore()
  const { certificate, issuer } = leaf
  const kept = { certificate, issuerCandidates: [issuer], responderURLs: [responder.url] }
  for (const isUp of [true, false]) {
    if (!isUp) await Promise.all([responder.behave('refuse'), own.behave('refuse')])
    const keeper = createKeeper({ store, fetcher: createTestFetcher(checking), delegateWithoutNocheck: 'check' })
    endsWithTest(() => keeper.close())
    const entry = keeper.add(kept)
    await entry.settled()
    expect(entry.servable().staple).toBeDefined()
    await keeper.close()
  }
  expect(await store.load(certificateKey(leaf.der))).toBeDefined()
})
