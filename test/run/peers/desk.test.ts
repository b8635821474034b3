/** The desk at which clients are judged, before a real responder: what is asked, what is kept, what outlives a restart. */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { PeerCacheSettings } from '../../../src/run/config/settings.ts'
import type { Line } from '../../../src/run/journal/journal.ts'
import { readCacheFile, writeCacheFile } from '../../../src/run/peers/cache-file.ts'
import { createPeerDesk, type PeerDeskSettings } from '../../../src/run/peers/desk.ts'
import type { PeerPolicy } from '../../../src/serve/terminator/index.ts'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { type ManualClock, manualClock } from '../../kit/clock.ts'
import { createCrlServer, issueCrl } from '../../kit/crl.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { peerPolicy } from '../../kit/peer-policy.ts'
import { createScriptedResponder, type ScriptedResponder } from '../../kit/responder.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

vi.setConfig({ testTimeout: 20_000 })

const hour = 3_600_000

let authority: Authority
let clock: ManualClock
let responder: ScriptedResponder
let leaf: Leaf
let directory: string
beforeEach(async () => {
  authority = await createAuthority()
  clock = manualClock(new Date())
  responder = await createScriptedResponder({ authority, clock })
  leaf = await authority.issueLeaf({ name: 'client', responderURL: responder.url })
  directory = temporaryDirectory('peers')
})

const policy: PeerPolicy = peerPolicy

function local(more: object = {}): PeerCacheSettings {
  return { type: 'local', directory, isRevokedPreserved: false, saveIntervalMs: 300_000, ...more }
}

function settingsOf(peerCache: PeerCacheSettings | undefined): PeerDeskSettings {
  return {
    fetch: { privateAddresses: 'allow', proxy: 'none' },
    verify: {
      allowedClockSkewMs: 300_000,
      maxAgeWithoutNextUpdateMs: hour,
      maxValidityMs: 864_000_000,
      delegateWithoutNocheck: 'accept',
      danger: { allowSha1Signatures: false },
    },
    ...(peerCache && { peerCache }),
  }
}

function openDesk(peerCache: PeerCacheSettings = local()) {
  const lines: Line[] = []
  const desk = createPeerDesk({ clock, say: (line) => lines.push(line) }, settingsOf(peerCache))
  endsWithTest(() => desk.close())
  const judge = (choices: Partial<PeerPolicy> = {}, whose = leaf, maxAgeMs?: number) =>
    desk.judge(
      {
        chain: [whose.der, authority.intermediate.der, authority.root.der],
        isProven: true,
        policy: { ...policy, ...choices },
        ...(maxAgeMs !== undefined && { maxAgeMs }),
      },
      new AbortController().signal,
    )
  return { desk, judge, lines }
}

/** What an earlier run left behind, of an hour ago or more. */
async function runBefore(behaviour: 'good' | 'revoked' | 'unknown', agoMs = 2 * hour, whose = leaf) {
  const now = clock
  clock = manualClock(new Date(now.now().getTime() - agoMs))
  await responder.close()
  const then = await createScriptedResponder({ authority, clock, behaviour, port: responder.port })
  const { desk, judge } = openDesk()
  await judge({}, whose)
  await desk.close()
  await then.close()
  clock = now
}

describe('a question', () => {
  test('is put to the CA once, then answered from what is held', async () => {
    const { desk, judge } = openDesk()
    expect(await judge()).toMatchObject({ outcome: 'accepted', reason: 'good', subject: 'CN=client' })
    expect(await judge()).toMatchObject({ outcome: 'accepted' })
    expect(responder.count).toBe(1)
    expect(desk.status()).toEqual({ type: 'local', hits: 1, misses: 1, good: 1, revoked: 0, unknown: 0 })
  })

  test('by many at once is put once', async () => {
    const { judge } = openDesk()
    await responder.behave({ kind: 'good', delayMs: 50 })
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => judge()))
    expect(verdicts.every(({ outcome }) => outcome === 'accepted')).toBe(true)
    expect(responder.count).toBe(1)
  })

  test('is put each time with ocsp_cache: none', async () => {
    const { desk, judge } = openDesk({ type: 'none' })
    for (let time = 0; time < 3; time++) expect(await judge()).toMatchObject({ outcome: 'accepted' })
    expect(responder.count).toBe(3)
    expect(desk.status()).toEqual({ type: 'none', hits: 0, misses: 3, good: 0, revoked: 0, unknown: 0 })
    await desk.close()
    await expect(stat(join(directory, 'cache.json'))).rejects.toThrow('ENOENT')
  })

  test('goes where `responders` says', async () => {
    const other = await createScriptedResponder({ authority, clock, behaviour: 'revoked' })
    const { judge } = openDesk()
    const rule = {
      key: 'CN=Staplewright Test Intermediate,O=Staplewright Test',
      isURL: false,
      responderURLs: [other.url],
    }
    expect(await judge({ responders: [rule] })).toMatchObject({ outcome: 'refused', reason: 'revoked' })
    expect([other.count, responder.count]).toEqual([1, 0])
  })

  test('takes the signature of a responder that is configured, and asks it as it wants', async () => {
    const stranger = await (await createAuthority({ name: 'Elsewhere' })).delegate()
    const other = await createScriptedResponder({ authority, clock, signer: stranger })
    const client = await authority.issueLeaf({ name: 'client', responderURL: other.url })
    const { judge } = openDesk()
    expect(await judge({}, client)).toMatchObject({ outcome: 'refused', reason: 'answer-refused' })
    await clock.advance(2_000)
    const rule = {
      key: other.url.replace(/\/$/, ''),
      isURL: true,
      method: 'post',
      responderCertificate: stranger.der,
    } as const
    other.forget()
    expect(await judge({ responders: [rule] }, client)).toMatchObject({ outcome: 'accepted', reason: 'good' })
    expect(other.requests.map(({ method }) => method)).toEqual(['POST'])
  })

  test('tries GET and POST, as the responder likes it', async () => {
    const { judge } = openDesk({ type: 'none' })
    for (const kind of ['getOnly', 'postOnly'] as const) {
      await responder.behave(kind)
      expect(await judge()).toMatchObject({ outcome: 'accepted' })
    }
  })

  test.each([
    'wrongSerial',
    'wrongIssuer',
    'badSignature',
    'noOcspSigning',
    'otherAuthority',
    'expiredSigner',
    'expired',
  ] as const)('that is answered with %s is not answered, and no switch for silence helps', async (kind) => {
    await responder.behave(kind)
    const { judge } = openDesk()
    expect(await judge({ isUnreachableAllowed: true })).toMatchObject({ outcome: 'refused', reason: 'answer-refused' })
  })

  test('is answered by the CA itself, or by a delegate whose certificate comes along', async () => {
    const signer = await authority.delegate()
    const delegated = await createScriptedResponder({ authority, clock, signer })
    const client = await authority.issueLeaf({ name: 'delegated', responderURL: delegated.url })
    // The delegate's certificate begins at the machine's hour.
    await clock.advance(5_000)
    const { judge } = openDesk()
    expect(await judge()).toMatchObject({ outcome: 'accepted' })
    expect(await judge({}, client)).toMatchObject({ outcome: 'accepted' })
  })

  test('about a chain that is not proven is not put to anybody, though it ends in some root', async () => {
    const { desk } = openDesk()
    const chain = [leaf.der, authority.intermediate.der, authority.root.der]
    const question = { chain, isProven: false, policy: { ...policy, isUnreachableAllowed: true } }
    const judgement = await desk.judge(question, new AbortController().signal)
    expect(judgement).toMatchObject({ outcome: 'refused', reason: 'unproven', subject: 'CN=client' })
    expect(responder.count).toBe(0)
  })

  test('tells who is revoked, since when', async () => {
    await responder.behave('revoked')
    const { judge } = openDesk()
    expect((await judge()).message).toMatch(/^CN=client is revoked since \d{4}-/)
  })

  test('that nobody answers lets in with allow_when_ca_unreachable, as warned', async () => {
    await responder.behave('refuse')
    const { judge } = openDesk()
    expect(await judge()).toMatchObject({ outcome: 'refused', reason: 'unavailable' })
    expect(await judge({ isUnreachableAllowed: true })).toMatchObject({ outcome: 'warned', reason: 'unavailable' })
  })
})

describe('a CRL', () => {
  async function issueBoth(has: { readonly responder: boolean }) {
    const server = await createCrlServer()
    const client = await authority.issueLeaf({
      name: 'listed',
      responderURL: has.responder ? responder.url : null,
      extensions: [`crlDistributionPoints=URI:${server.url('ca.crl')}`],
    })
    return { server, client }
  }

  test('is not looked at by default', async () => {
    const { server, client } = await issueBoth({ responder: false })
    const { judge } = openDesk()
    expect(await judge({}, client)).toMatchObject({ outcome: 'accepted', reason: 'no-responder' })
    expect(server.asked).toEqual([])
  })

  test.each(['crl', 'ocsp-then-crl'] as const)(
    'says who is revoked where no responder is named, with revocation: %s',
    async (revocation) => {
      const { server, client } = await issueBoth({ responder: false })
      server.give('ca.crl', await issueCrl(authority))
      expect(await openDesk().judge({ revocation }, client)).toMatchObject({ outcome: 'accepted', reason: 'good' })
      await authority.revoke(client, 'keyCompromise')
      server.give('ca.crl', await issueCrl(authority))
      const judgement = await openDesk().judge({ revocation }, client)
      expect(judgement).toMatchObject({ outcome: 'refused', reason: 'revoked' })
      expect(judgement.message).toContain('(keyCompromise)')
    },
  )

  test('says it where the responder cannot, and a newer one is fetched when the answer is too old', async () => {
    const { server, client } = await issueBoth({ responder: true })
    await responder.behave('httpError')
    server.give('ca.crl', await issueCrl(authority))
    const { judge } = openDesk()
    const choices = { revocation: 'ocsp-then-crl' } as const
    expect(await judge(choices, client, 60_000)).toMatchObject({ outcome: 'accepted', reason: 'good' })
    await authority.revoke(client)
    server.give('ca.crl', await issueCrl(authority, { thisUpdate: new Date(Date.now() - 30_000) }))
    expect(await judge(choices, client, 60_000)).toMatchObject({ outcome: 'accepted' })
    await clock.advance(60_000)
    expect(await judge(choices, client, 60_000)).toMatchObject({ outcome: 'refused', reason: 'revoked' })
  })
})

describe('an answer without nextUpdate', () => {
  test.each([
    [4_000, 1],
    [1_000, 2],
  ])(
    'counts for cache_ttl_when_next_update_unset: after 2 s of %i ms, %i requests',
    async (maxAgeWithoutNextUpdateMs, requests) => {
      await responder.behave('noNextUpdate')
      const { desk, judge } = openDesk()
      const choices = { maxAgeWithoutNextUpdateMs, allowedClockSkewMs: 0 }
      // The times in an answer have no fractions.
      clock.jump(1_000 - (clock.now().getTime() % 1_000))
      expect(await judge(choices)).toMatchObject({ outcome: 'accepted' })
      await clock.advance(2_000)
      expect(await judge(choices)).toMatchObject({ outcome: 'accepted' })
      expect(responder.count).toBe(requests)
      expect(desk.status()).toMatchObject({ good: 1 })
    },
  )
})

describe('an answer that is older than wanted', () => {
  test('is replaced, and counts on where no newer one can be had', async () => {
    const { judge } = openDesk()
    await judge({}, leaf, 60_000)
    await clock.advance(59_999)
    await judge({}, leaf, 60_000)
    expect(responder.count).toBe(1)
    await clock.advance(1)
    await judge({}, leaf, 60_000)
    expect(responder.count).toBe(2)
    await responder.behave('httpError')
    await clock.advance(60_000)
    expect(await judge({}, leaf, 60_000)).toMatchObject({ outcome: 'accepted', reason: 'good' })
    expect(responder.count).toBeGreaterThan(2)
  })

  test('is not asked after at each connection while the CA is silent', async () => {
    const { judge } = openDesk()
    await judge({}, leaf, 60_000)
    await responder.behave('httpError')
    await clock.advance(60_000)
    await judge({}, leaf, 60_000)
    const asked = responder.count
    for (let time = 0; time < 5; time++) await judge({}, leaf, 60_000)
    expect(responder.count).toBe(asked)
    await clock.advance(30_000)
    await judge({}, leaf, 60_000)
    expect(responder.count).toBeGreaterThan(asked)
  })

  test('notices a revocation', async () => {
    const { desk, judge } = openDesk()
    await judge({}, leaf, 60_000)
    await responder.behave('revoked')
    await clock.advance(60_000)
    expect(await judge({}, leaf, 60_000)).toMatchObject({ outcome: 'refused', reason: 'revoked' })
    expect(desk.status()).toMatchObject({ good: 0, revoked: 1 })
  })
})

describe('cache.json', () => {
  const sizeOf = async () => (await stat(join(directory, 'cache.json')).catch(() => undefined))?.size ?? 0

  test('is written at each interval in which something was learned, and grows', async () => {
    const { judge } = openDesk(local({ saveIntervalMs: 1_000 }))
    await judge()
    expect(await sizeOf()).toBe(0)
    await clock.advance(1_000)
    await expect.poll(sizeOf).toBeGreaterThan(0)
    const first = await sizeOf()
    const before = await stat(join(directory, 'cache.json'), { bigint: true })
    await clock.advance(5_000)
    expect((await stat(join(directory, 'cache.json'), { bigint: true })).mtimeNs).toBe(before.mtimeNs)
    await judge({}, await authority.issueLeaf({ name: 'second', responderURL: responder.url }))
    await clock.advance(1_000)
    await expect.poll(sizeOf).toBeGreaterThan(first)
  })

  test('is not made while nothing was learned', async () => {
    const { desk } = openDesk(local({ saveIntervalMs: 1_000 }))
    await clock.advance(5_000)
    await desk.close()
    expect(await sizeOf()).toBe(0)
  })

  test('is written where a reload says from then on, with what was learned before', async () => {
    const { desk, judge } = openDesk()
    await judge()
    const elsewhere = join(directory, 'elsewhere')
    await desk.follow(settingsOf(local({ directory: elsewhere })))
    await desk.close()
    expect((await readCacheFile(elsewhere))?.entries).toHaveLength(1)
  })

  test('is written at the end, 0600 in a directory 0700', async () => {
    directory = join(directory, '_rc_')
    const { desk, judge } = openDesk()
    await judge()
    await desk.close()
    expect((await stat(join(directory, 'cache.json'))).mode & 0o777).toBe(0o600)
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    expect((await readCacheFile(directory))?.entries[0]?.[1]).toMatchObject({
      subject: 'CN=client',
      certStatus: 'good',
    })
  })

  test('lets a restart do without the responder', async () => {
    await runBefore('good', 0)
    const { desk, judge } = openDesk()
    expect(await judge()).toMatchObject({ outcome: 'accepted', reason: 'good' })
    expect(desk.status()).toMatchObject({ hits: 1, misses: 0, good: 1 })
  })

  test('is not believed: an answer about another certificate, or out of date, is asked for anew', async () => {
    await runBefore('good', 0)
    const [entry] = (await readCacheFile(directory))?.entries ?? []
    const other = await authority.issueLeaf({ name: 'other', responderURL: responder.url })
    const { createHash } = await import('node:crypto')
    const key = createHash('sha256').update(other.der).digest('hex')
    await writeCacheFile(directory, [[key, { ...(entry as NonNullable<typeof entry>)[1], subject: 'CN=other' }]])
    const { desk, judge } = openDesk()
    expect(await judge({ isUnreachableAllowed: true }, other)).toMatchObject({ reason: 'unavailable' })
    expect(desk.status()).toMatchObject({ good: 0, hits: 0 })
  })

  test.each(['{', '[]', ''])('that is damaged is said, and begun anew: %j', async (text) => {
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'cache.json'), text)
    const { desk, judge, lines } = openDesk()
    expect(await judge()).toMatchObject({ outcome: 'accepted' })
    expect(lines).toMatchObject([{ level: 'warn', text: expect.stringContaining('cannot be read') }])
    await desk.close()
    expect((await readCacheFile(directory))?.entries).toHaveLength(1)
  })

  test('with compressed entries is told of, and the others count', async () => {
    await runBefore('good', 0)
    const path = join(directory, 'cache.json')
    const all = JSON.parse(await readFile(path, 'utf8'))
    const head = Buffer.from('\xff\x06\x00\x00S2sTwO\x00\x06\x00\x00abcdef', 'latin1').toString('base64')
    const [any] = Object.values(all) as object[]
    all[Buffer.alloc(32).toString('base64')] = { ...any, resp: head }
    await writeFile(path, JSON.stringify(all))
    const { judge, lines } = openDesk()
    expect(await judge()).toMatchObject({ outcome: 'accepted' })
    expect(lines).toMatchObject([{ level: 'info', text: expect.stringContaining('1 answers') }])
  })

  test('that cannot be written is said once, and everything goes on', async () => {
    await writeFile(join(directory, 'plain'), '')
    const { judge, lines } = openDesk(local({ directory: join(directory, 'plain'), saveIntervalMs: 1_000 }))
    await judge()
    await clock.advance(3_000)
    await expect.poll(() => lines.length).toBeGreaterThan(0)
    await judge({}, await authority.issueLeaf({ responderURL: responder.url }))
    await clock.advance(3_000)
    expect(lines.filter(({ text }) => text.includes('cannot be saved'))).toHaveLength(1)
    expect(await judge()).toMatchObject({ outcome: 'accepted' })
  })
})

describe('an answer out of date, and the responder is down', () => {
  test('that said revoked keeps out, also with allow_when_ca_unreachable, and not only the first time', async () => {
    await runBefore('revoked')
    const { desk, judge } = openDesk()
    for (let time = 0; time < 3; time++) {
      expect(await judge({ isUnreachableAllowed: true })).toMatchObject({ outcome: 'refused', reason: 'was-revoked' })
    }
    expect(desk.status()).toMatchObject({ revoked: 1 })
    expect(await judge({ isWarnOnly: true })).toMatchObject({ outcome: 'warned' })
  })

  test.each(['good', 'unknown'] as const)('that said %s counts for nothing', async (status) => {
    await runBefore(status)
    const { judge } = openDesk()
    expect(await judge()).toMatchObject({ outcome: 'refused', reason: 'unavailable' })
    expect(await judge({ isUnreachableAllowed: true })).toMatchObject({ outcome: 'warned', reason: 'unavailable' })
  })

  test('that said revoked is taken back by a newer one, once there is one', async () => {
    await runBefore('revoked')
    const { desk, judge } = openDesk(local({ isRevokedPreserved: true }))
    expect(await judge()).toMatchObject({ outcome: 'refused', reason: 'was-revoked' })
    await clock.advance(2_000)
    await createScriptedResponder({ authority, clock, port: responder.port })
    expect(await judge()).toMatchObject({ outcome: 'accepted', reason: 'good' })
    expect(desk.status()).toMatchObject({ good: 1, revoked: 0 })
  })

  test('that said revoked is not taken back by a good one from before it, which somebody kept', async () => {
    await runBefore('revoked')
    const { judge } = openDesk()
    const thisUpdateAgeMs = 5 * hour
    const replaying = { authority, clock, port: responder.port, thisUpdateAgeMs, validityMs: 10 * hour }
    const attacker = await createScriptedResponder(replaying)
    for (let time = 0; time < 2; time++) {
      expect(await judge(), `time ${time}`).toMatchObject({ outcome: 'refused', reason: 'was-revoked' })
    }
    await attacker.close()
    // What is held of it does not count either where a newer answer is wanted and nobody gives one.
    expect(await judge({ isUnreachableAllowed: true }, undefined, 0)).toMatchObject({ reason: 'was-revoked' })
  })

  test('that said revoked is forgotten a day later, unless it is preserved', async () => {
    await runBefore('revoked', 27 * hour)
    const preserving = openDesk(local({ isRevokedPreserved: true, saveIntervalMs: 1_000 }))
    await clock.advance(1_000)
    expect(await preserving.judge({ isUnreachableAllowed: true })).toMatchObject({ outcome: 'refused' })
    await preserving.desk.close()
    const forgetting = openDesk(local({ saveIntervalMs: 1_000 }))
    await forgetting.desk.follow(settingsOf(local({ saveIntervalMs: 1_000 })))
    await clock.advance(1_000)
    await expect.poll(() => forgetting.desk.status()?.revoked).toBe(0)
    expect(await forgetting.judge({ isUnreachableAllowed: true })).toMatchObject({ outcome: 'warned' })
  })
})

describe('a reload', () => {
  test('from none to local begins to keep answers, and back forgets them', async () => {
    const { desk, judge } = openDesk({ type: 'none' })
    await judge()
    await desk.follow(settingsOf(local()))
    await judge()
    await judge()
    expect(responder.count).toBe(2)
    expect(desk.status()).toMatchObject({ type: 'local', good: 1 })
    await desk.follow(settingsOf({ type: 'none' }))
    expect(desk.status()).toMatchObject({ type: 'none', good: 0 })
    await judge()
    expect(responder.count).toBe(3)
    expect((await readCacheFile(directory))?.entries).toHaveLength(1)
  })

  test('to other rules of asking asks no CA anew for what is held', async () => {
    const { desk, judge } = openDesk()
    await judge()
    const { verify, ...rest } = settingsOf(local())
    await desk.follow({ ...rest, verify: { ...verify, maxValidityMs: 1 } })
    expect(await judge()).toMatchObject({ outcome: 'accepted' })
    expect(await judge({ allowedClockSkewMs: 1_000 })).toMatchObject({ outcome: 'accepted' })
    expect(responder.count).toBe(1)
  })

  test('to a configuration that asks about nobody leaves no status', async () => {
    const { desk } = openDesk()
    await desk.follow(settingsOf(undefined))
    expect(desk.status()).toBeUndefined()
  })
})
