/** What becomes of a client by what its CAs say: nats-server's table, cell by cell, with an asker that is told. */
import { beforeAll, describe, expect, test } from 'vitest'
import { type VerifyPeerOptions, verifyPeer } from '../../../src/check/peer/verify-peer.ts'
import type { StatusAnswer, StatusQuestion } from '../../../src/check/revocation/index.ts'
import { type ErrorCode, StapleError } from '../../../src/errors.ts'
import { formatName } from '../../../src/pki/x509/name.ts'
import { type Authority, createAuthority, type Leaf, type LeafOptions } from '../../kit/authority.ts'

let authority: Authority
let leaf: Leaf
let withoutResponder: Leaf
beforeAll(async () => {
  authority = await createAuthority()
  leaf = await authority.issueLeaf({ name: 'client', responderURL: ['http://one.test/', 'http://two.test/'] })
  withoutResponder = await authority.issueLeaf({ name: 'plain', responderURL: null })
})

const soon = new Date('2026-01-02T00:00:00Z')
const later = new Date('2026-01-03T00:00:00Z')

function answer(certStatus: StatusAnswer['certStatus'], usableUntil = soon): StatusAnswer {
  const thisUpdate = new Date('2026-01-01T00:00:00Z')
  return { source: 'ocsp', certStatus, thisUpdate, usableUntil, url: '', isCached: false, failures: [], elapsedMs: 1 }
}

function unavailable(...codes: ErrorCode[]): StapleError {
  const causes = codes.map((code) => new StapleError(code, code, {} as never))
  return new StapleError('ERR_PEER_STATUS_UNAVAILABLE', 'the CA did not say', { causes })
}

const revokedBefore = new StapleError('ERR_PEER_REVOKED', 'it was revoked', {})

type Said = StatusAnswer | Error

/** Answers by the common name of who is asked about; good unless told. */
function scriptedAsker(said: Readonly<Record<string, Said>> = {}) {
  const asked: StatusQuestion[] = []
  return {
    asked,
    async ask(question: StatusQuestion) {
      asked.push(question)
      const name = /CN=([^,]+)/.exec(formatName(question.certificate.subject))?.[1] ?? ''
      const given = said[name] ?? answer('good')
      if (given instanceof Error) throw given
      return given
    },
  }
}

async function judge(said: Readonly<Record<string, Said>>, options: Partial<VerifyPeerOptions> = {}, whose = leaf) {
  const asker = scriptedAsker(said)
  const chain = [whose.der, authority.intermediate.der, authority.root.der]
  const verdict = await verifyPeer(chain, { asker, authorities: [authority.root.certificate], ...options })
  return { ...verdict, asked: asker.asked }
}

describe("nats-server's table", () => {
  const events = {
    'no response fetched': unavailable('ERR_FETCH_NETWORK', 'ERR_FETCH_TIMEOUT', 'ERR_FETCH_HTTP_STATUS'),
    'no response fetched, and the last one said revoked': revokedBefore,
    'a response that does not parse': unavailable('ERR_FETCH_TIMEOUT', 'ERR_OCSP_MALFORMED'),
    'a signature that is wrong': unavailable('ERR_OCSP_SIGNATURE'),
    'a delegate that is not authorised': unavailable('ERR_OCSP_RESPONDER_NOT_AUTHORIZED'),
    'a response out of its window': unavailable('ERR_OCSP_STALE'),
    revoked: answer('revoked'),
    unknown: answer('unknown'),
    good: answer('good'),
  } as const
  const table: readonly (readonly [keyof typeof events, string, ...string[]])[] = [
    // event, reason, default, warn_only, allow_when_ca_unreachable, unknown_is_good
    ['no response fetched', 'unavailable', 'reject', 'pass', 'pass', 'reject'],
    ['no response fetched, and the last one said revoked', 'was-revoked', 'reject', 'pass', 'reject', 'reject'],
    ['a response that does not parse', 'answer-refused', 'reject', 'pass', 'reject', 'reject'],
    ['a signature that is wrong', 'answer-refused', 'reject', 'pass', 'reject', 'reject'],
    ['a delegate that is not authorised', 'answer-refused', 'reject', 'pass', 'reject', 'reject'],
    ['a response out of its window', 'answer-refused', 'reject', 'pass', 'reject', 'reject'],
    ['revoked', 'revoked', 'reject', 'pass', 'reject', 'reject'],
    ['unknown', 'unknown', 'reject', 'pass', 'reject', 'pass'],
    ['good', 'good', 'pass', 'pass', 'pass', 'pass'],
  ]
  const switches = [
    ['by default', {}],
    ['with warn_only', { isWarnOnly: true }],
    ['with allow_when_ca_unreachable', { isUnreachableAllowed: true }],
    ['with unknown_is_good', { isUnknownGood: true }],
  ] as const
  const cells = table.flatMap(([event, reason, ...outcomes]) =>
    switches.map(([name, options], index) => [event, name, outcomes[index] as string, reason, options] as const),
  )

  test.each(cells)('%s, %s: %s', async (event, _, outcome, reason, options) => {
    for (const name of ['client', 'Staplewright Test Intermediate']) {
      const issued = await authority.issueLeaf({ name: 'client', responderURL: 'http://one.test/' })
      // The intermediate of this authority names no responder: it is asked where the caller says.
      const asked = { responder: () => ({ responderURLs: ['http://elsewhere.test/'] }) }
      const verdict = await judge({ [name]: events[event] }, { ...options, ...asked }, issued)
      expect(verdict).toMatchObject({ isAccepted: outcome === 'pass', reason })
      expect(verdict.isExcused).toBe(outcome === 'pass' && reason !== 'good')
    }
  })

  test('warn_only wins over the other switches, and says what it let pass', async () => {
    const verdict = await judge({ client: answer('revoked') }, { isWarnOnly: true, isUnknownGood: true })
    expect(verdict.links[0]).toMatchObject({ reason: 'revoked', isAccepted: true, excuse: 'isWarnOnly' })
  })
})

describe('who is asked about', () => {
  test('is every certificate that names a responder, but the root', async () => {
    const { asked, links } = await judge({})
    expect(asked.map(({ certificate }) => certificate)).toEqual([leaf.certificate])
    expect(links.map(({ reason }) => reason)).toEqual(['good', 'no-responder'])
    const everywhere = await judge({}, { responder: () => ({ responderURLs: ['http://ca.test/'] }) })
    expect(everywhere.asked.map(({ certificate, issuer }) => [certificate, issuer])).toEqual([
      [leaf.certificate, authority.intermediate.certificate],
      [authority.intermediate.certificate, authority.root.certificate],
    ])
  })

  test('by default by OCSP, as the operator, two seconds for each address within five', async () => {
    const { asked } = await judge({})
    expect(asked[0]).toMatchObject({ origin: 'operator', policy: 'ocsp', deadlineMs: 4_000 })
    expect((await judge({}, { caTimeoutMs: 3_000 })).asked[0]?.deadlineMs).toBe(5_000)
    expect((await judge({}, { deadlineMs: 700 })).asked[0]?.deadlineMs).toBe(700)
  })

  test('as the operator says of its responder', async () => {
    const responderCertificate = authority.intermediate.certificate
    const { asked } = await judge(
      {},
      { responder: () => ({ method: 'post', hashAlgorithm: 'sha1', responderCertificate }) },
    )
    expect(asked).toHaveLength(1)
    expect(asked[0]).toMatchObject({ asking: { method: 'post', hashAlgorithm: 'sha1', responderCertificate } })
    expect(asked[0]).not.toHaveProperty('responderURLs')
  })

  test('not at all, where no certificate names a responder: accepted, as in nats-server', async () => {
    const verdict = await judge({}, {}, withoutResponder)
    expect(verdict).toMatchObject({ isAccepted: true, isExcused: false, reason: 'no-responder', asked: [] })
  })

  test('not at all, and refused with when_no_responder: refuse, unless warn_only', async () => {
    const refuse = { whenNoResponder: 'refuse' } as const
    expect(await judge({}, refuse, withoutResponder)).toMatchObject({ isAccepted: false, reason: 'no-responder' })
    expect(await judge({}, { ...refuse, isWarnOnly: true }, withoutResponder)).toMatchObject({ isExcused: true })
  })

  test.each([
    ['ocsp', ['CRL'], undefined],
    ['crl', ['CRL'], 'crl'],
    ['ocsp-then-crl', ['CRL'], 'crl'],
    ['ocsp-then-crl', ['CRL', 'OCSP'], 'ocsp-then-crl'],
    ['ocsp-then-crl', ['OCSP'], 'ocsp'],
    ['crl', ['OCSP'], undefined],
  ] as const)('with revocation: %s, of a certificate with %j: %s', async (revocation, has, policy) => {
    const options: LeafOptions = {
      responderURL: has.some((one) => one === 'OCSP') ? 'http://one.test/' : null,
      extensions: has.some((one) => one === 'CRL') ? ['crlDistributionPoints=URI:http://ca.test/crl'] : [],
    }
    const { asked } = await judge({}, { revocation }, await authority.issueLeaf({ name: 'client', ...options }))
    expect(asked.map((question) => question.policy)).toEqual(policy === undefined ? [] : [policy])
  })

  test('not by an address that is not for HTTP', async () => {
    const ldap = await authority.issueLeaf({ responderURL: 'ldap://ca.test/' })
    expect(await judge({}, {}, ldap)).toMatchObject({ reason: 'no-responder', asked: [] })
  })
})

describe('the verdict', () => {
  const everywhere = { responder: () => ({ responderURLs: ['http://ca.test/'] }) }

  test('tells of the worst, and holds as long as all that lets in, or as what keeps out', async () => {
    const good = { client: answer('good', later), 'Staplewright Test Intermediate': answer('good', soon) }
    expect(await judge(good, everywhere)).toMatchObject({ reason: 'good', isSigned: true, usableUntil: soon })
    const bad = { client: unavailable('ERR_FETCH_TIMEOUT'), 'Staplewright Test Intermediate': answer('revoked', later) }
    expect(await judge(bad, everywhere)).toMatchObject({ reason: 'revoked', isSigned: true, usableUntil: later })
  })

  test('is not signed where nobody said anything', async () => {
    const verdict = await judge({ client: unavailable('ERR_FETCH_TIMEOUT') })
    expect(verdict).toMatchObject({ isSigned: false, failure: { code: 'ERR_PEER_STATUS_UNAVAILABLE' } })
    expect(verdict).not.toHaveProperty('usableUntil')
  })

  test('an asker that breaks is a CA that was not reached', async () => {
    expect(await judge({ client: new Error('boom') })).toMatchObject({ reason: 'unavailable', isAccepted: false })
  })

  test('is not given to who does not wait for it', async () => {
    const reason = new Error('gone')
    const given = judge({ client: new Error('whatever') }, { signal: AbortSignal.abort(reason) })
    await expect(given).rejects.toBe(reason)
  })
})

describe('a chain', () => {
  test('that does not lead to the authorities by its signatures is refused, and nobody is asked', async () => {
    const other = await createAuthority({ name: 'Other' })
    const verdict = await judge({}, { authorities: [other.root.der], isUnreachableAllowed: true })
    expect(verdict).toMatchObject({
      isAccepted: false,
      reason: 'unproven',
      failure: { code: 'ERR_PEER_UNVERIFIED' },
      asked: [],
    })
  })

  test('may leave out what the authorities hold', async () => {
    const asker = scriptedAsker()
    const authorities = [authority.root.der, authority.intermediate.der]
    const verdict = await verifyPeer([leaf.der], { asker, authorities })
    expect(verdict).toMatchObject({ isAccepted: true, links: [{ reason: 'good' }, { reason: 'no-responder' }] })
  })

  test('is proven up to authorities in PEM, several in one, as tls takes them; what is neither is an error', async () => {
    const asker = scriptedAsker()
    const pem = authority.intermediate.pem + authority.root.pem
    for (const authorities of [[pem], [Buffer.from(pem)]]) {
      expect(await verifyPeer([leaf.der], { asker, authorities })).toMatchObject({ isAccepted: true })
    }
    await expect(verifyPeer([leaf.der], { asker, authorities: ['ca.pem'] })).rejects.toMatchObject({
      code: 'ERR_X509_PEM',
    })
  })

  test('that is empty, or no certificates, is refused', async () => {
    const options = { asker: scriptedAsker(), authorities: [authority.root.der] }
    expect(await verifyPeer([], options)).toMatchObject({ reason: 'unproven' })
    expect(await verifyPeer([new Uint8Array(10)], options)).toMatchObject({ isAccepted: false, reason: 'unproven' })
  })

  test('of a root alone, trusted by itself, has nothing to ask about', async () => {
    const options = { asker: scriptedAsker(), authorities: [authority.root.der], whenNoResponder: 'refuse' } as const
    expect(await verifyPeer([authority.root.der], options)).toMatchObject({
      isAccepted: true,
      reason: 'good',
      links: [],
    })
  })

  test('comes from a socket too, if TLS has verified it', async () => {
    const root: { raw: Uint8Array; issuerCertificate?: object } = { raw: authority.root.der }
    root.issuerCertificate = root
    const shown = { raw: leaf.der, issuerCertificate: { raw: authority.intermediate.der, issuerCertificate: root } }
    const options = { asker: scriptedAsker(), authorities: [authority.root.der] }
    const socket = (authorized: boolean) => ({ authorized, getPeerCertificate: () => shown }) as never
    expect(await verifyPeer(socket(true), options)).toMatchObject({ isAccepted: true, links: [{}, {}] })
    expect(await verifyPeer(socket(false), options)).toMatchObject({ isAccepted: false, reason: 'unproven' })
  })
})
