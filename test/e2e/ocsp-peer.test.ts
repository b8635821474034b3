/**
 * nats-server's tests of `ocsp_peer`, under their own names, by the real program over real sockets, in TLS 1.2 and 1.3.
 * docs/nats-server-tests.md has all 23, those that are no front's among them.
 */
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { connectWithNats } from '../kit/clients/nats.ts'
import { connectWithOpenssl } from '../kit/clients/openssl.ts'
import { createMiniCa, type MiniCa, type UserName } from '../kit/mini-ca.ts'
import { startNatsBackend } from '../kit/nats-server.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { closeAll, type Front, leaveCache, startFront, versions } from './ocsp-peer-stage.ts'

vi.setConfig({ testTimeout: 60_000 })

let ca: MiniCa
beforeAll(async () => {
  ca = await createMiniCa()
})

const serial = (user: UserName) => ca.users[user].serialNumber
const without = ['ocsp_cache: false']

async function visitAll(front: Front, user: UserName): Promise<readonly string[]> {
  const seen: string[] = []
  for (const version of versions) seen.push(await front.visit(user, version))
  return seen
}

const inBoth = ['in', 'in']
const refusedInBoth = ['refused', 'refused']

test('TestOCSPPeerGoodClients: a NATS client connects and is answered, from either intermediate', async () => {
  await ca.startResponders()
  const nats = await startNatsBackend()
  const backend = nats.url.replace('tcp:', 'nats:')
  for (const [user, peer, lines] of [
    ['UserA1', 'ocsp_peer { verify: true, ca_timeout: 5, allowed_clockskew: "30s" }', []],
    ['UserB1', 'ocsp_peer: true', []],
    ['UserA1', 'ocsp_peer: true', ['ocsp_cache: true']],
  ] as const) {
    const { port } = await startFront(ca, { peer, lines, backend })
    const { chainPem: cert, key } = ca.users[user]
    const client = await connectWithNats({ port, rootFile: ca.rootFile, tls: { cert, key } })
    client.subscribe('question', { callback: (_, message) => void message.respond('answer') })
    expect((await client.request('question', 'x', { timeout: 5_000 })).string()).toBe('answer')
    await client.close()
  }
})

test('TestOCSPPeerUnknownClient', async () => {
  const { first } = await ca.startResponders()
  await first.behave('unknown', serial('UserA1'))
  const front = await startFront(ca, { lines: without })
  expect(await visitAll(front, 'UserA1')).toEqual(refusedInBoth)
  expect(await visitAll(front, 'UserA2')).toEqual(inBoth)
  expect(front.backend.connections).toBe(2)
  await front.daemon.waitForLine(/clients are refused \(ocsp_peer\).*UserA1.*certStatus unknown/)
})

test('TestOCSPPeerRevokedClient', async () => {
  const { first } = await ca.startResponders()
  await first.behave('revoked', serial('UserA1'))
  const on = await startFront(ca, { peer: 'ocsp_peer: true' })
  expect(await visitAll(on, 'UserA1')).toEqual(refusedInBoth)
  expect(on.backend.connections).toBe(0)
  await on.daemon.waitForLine(
    /clients are refused \(ocsp_peer\), now "CN=UserA1,O=Testnats" from 127.0.0.1: CN=UserA1,O=Testnats is revoked since/,
  )
  expect(await on.metrics()).toContain('staplewright_front_peer_reasons_total{outcome="refused",reason="revoked"} 2')
  for (const peer of ['ocsp_peer: false', '', 'ocsp_peer { verify: false }']) {
    expect(await visitAll(await startFront(ca, { peer }), 'UserA1')).toEqual(inBoth)
  }
})

test('TestOCSPPeerUnknownAndRevokedIntermediate', async () => {
  const { root } = await ca.startResponders()
  await root.behave('revoked', ca.intermediates.first.serialNumber)
  await root.behave('unknown', ca.intermediates.second.serialNumber)
  const front = await startFront(ca)
  expect(await visitAll(front, 'UserA1')).toEqual(refusedInBoth)
  expect(await visitAll(front, 'UserB1')).toEqual(refusedInBoth)
  await front.daemon.waitForLine(/CN=Intermediate CA 1,O=Testnats is revoked/)
  await front.daemon.waitForLine(/does not know CN=Intermediate CA 2,O=Testnats/)
})

test('TestOCSPPeerGoodClientsNoneCache', async () => {
  const { first } = await ca.startResponders()
  for (const cache of ['ocsp_cache { type: none }', 'ocsp_cache: false']) {
    first.forget()
    const front = await startFront(ca, { lines: [cache] })
    expect(await visitAll(front, 'UserA1')).toEqual(inBoth)
    expect(first.count).toBe(2)
  }
})

test('TestOCSPPeerGoodClientsLocalCache', async () => {
  const responders = await ca.startResponders()
  const front = await startFront(ca)
  expect(await front.visit('UserA1')).toBe('in')
  expect((await front.status()).peerCache).toMatchObject({ type: 'local', hits: 0, misses: 2, good: 2 })
  await closeAll(responders)
  expect(await front.visit('UserA1')).toBe('in')
  expect((await front.status()).peerCache).toMatchObject({ hits: 2, misses: 2, good: 2 })
})

test.each([
  ['ocsp_peer: true', 'ocsp_cache: true', 'local'],
  ['ocsp_peer: true', 'ocsp_cache { type: local }', 'local'],
  ['ocsp_peer: true', '', 'local'],
  ['ocsp_peer: true', 'ocsp_cache: false', 'none'],
  ['ocsp_peer: false', '', undefined],
])('TestOCSPPeerMonitor, TestOCSPResponseCacheMonitor: %s, %s: %s', async (peer, cache, type) => {
  const front = await startFront(ca, { peer, lines: [cache] })
  expect((await front.status()).peerCache?.type).toBe(type)
  expect((await front.metrics()).includes('staplewright_peer_cache_answers{')).toBe(type !== undefined)
})

test('TestOCSPResponseCacheChangeAndReload', async () => {
  await ca.startResponders()
  const front = await startFront(ca, { lines: without })
  expect((await front.status()).peerCache?.type).toBe('none')
  await writeFile(front.daemon.configFile, front.config.replace('ocsp_cache: false', 'ocsp_cache: true'))
  front.daemon.program.kill('SIGHUP')
  await front.daemon.waitForLine(/^reloaded/)
  expect((await front.status()).peerCache?.type).toBe('local')
  expect(await front.visit('UserA1')).toBe('in')
  expect((await front.status()).peerCache).toMatchObject({ misses: 2, good: 2 })
})

test('TestOCSPPeerPreserveRevokedCacheItem', async () => {
  const cwd = temporaryDirectory('front')
  await leaveCache(ca, 'UserA1', 'revoked', join(cwd, '_rc_'))
  const front = await startFront(ca, { cwd, lines: ['ocsp_cache { preserve_revoked: true }'] })
  expect((await front.status()).peerCache).toMatchObject({ revoked: 1 })
  expect(await visitAll(front, 'UserA1')).toEqual(refusedInBoth)
  expect((await front.status()).peerCache).toMatchObject({ revoked: 1 })
  await ca.startResponders()
  await expect.poll(() => front.visit('UserA1'), { timeout: 5_000 }).toBe('in')
  expect((await front.status()).peerCache).toMatchObject({ good: 2, revoked: 0 })
})

test('TestOCSPStapleFeatureInterop', async () => {
  const { first } = await ca.startResponders()
  const front = await startFront(ca, { lines: ['ocsp { mode: always }', 'on_revoked: staple'] })
  await first.behave('revoked', serial('UserA2'))
  const { certificateFile, keyFile } = ca.users.UserA1
  const args = ['-cert', certificateFile, '-key', keyFile, '-cert_chain', ca.intermediates.first.certificateFile]
  const seen = await connectWithOpenssl({ port: front.port, rootFile: ca.rootFile, args })
  expect(seen).toMatchObject({ connected: true, staple: { present: true, certStatus: 'good' } })
  expect(await visitAll(front, 'UserA1')).toEqual(inBoth)
  expect(await visitAll(front, 'UserA2')).toEqual(refusedInBoth)
})

test('TestOCSPPeerWarnOnlyOption', async () => {
  const { first } = await ca.startResponders()
  await first.behave('revoked', serial('UserA1'))
  const strict = await startFront(ca, { peer: 'ocsp_peer { verify: true, warn_only: false }' })
  expect(await visitAll(strict, 'UserA1')).toEqual(refusedInBoth)
  const lenient = await startFront(ca, { peer: 'ocsp_peer { verify: true, warn_only: true }' })
  expect(await visitAll(lenient, 'UserA1')).toEqual(inBoth)
  await lenient.daemon.waitForLine(/let in by a switch of ocsp_peer.*UserA1.*is revoked/)
  expect((await lenient.status()).front).toMatchObject({ acceptedPeers: 2, warnedPeers: 2, refusedPeers: 0 })
})

test('TestOCSPPeerUnknownIsGoodOption', async () => {
  const { first } = await ca.startResponders()
  await first.behave('unknown', serial('UserA1'))
  expect(await visitAll(await startFront(ca), 'UserA1')).toEqual(refusedInBoth)
  const front = await startFront(ca, { peer: 'ocsp_peer { verify: true, unknown_is_good: true }' })
  expect(await visitAll(front, 'UserA1')).toEqual(inBoth)
})

describe('TestOCSPPeerAllowWhenCAUnreachableOption', () => {
  const peer = 'ocsp_peer { verify: true, ca_timeout: 0.5, allow_when_ca_unreachable: true }'

  test.each([
    ['revoked', refusedInBoth],
    ['good', inBoth],
    ['unknown', inBoth],
    ['nothing', inBoth],
  ] as const)('an answer out of date that said %s', async (said, outcome) => {
    const cwd = temporaryDirectory('front')
    if (said !== 'nothing') await leaveCache(ca, 'UserA1', said, join(cwd, '_rc_'))
    const responders = await ca.startResponders()
    await responders.first.close()
    const front = await startFront(ca, { peer, cwd })
    expect(await visitAll(front, 'UserA1')).toEqual(outcome)
  })

  test('a responder that hangs for longer than the TLS timeout lets in all the same', async () => {
    const { first } = await ca.startResponders()
    await first.behave('hang')
    // nats-server's defaults, with which its handshake is over before its switch can take effect.
    const own = 'ocsp_peer { verify: true, ca_timeout: 1, allow_when_ca_unreachable: true }'
    const front = await startFront(ca, { peer: own, tls: ['timeout: 1'] })
    expect(await front.visit('UserA1')).toBe('in')
    await front.daemon.waitForLine(/let in by a switch/)
  })
})

test('TestOCSPResponseCacheLocalStoreOpt', async () => {
  for (const [directory, lines] of [
    ['_custom_', ['ocsp_cache { local_store: "_custom_", preserve_revoked: true }']],
    ['_rc_', ['ocsp_cache { local_store: "", preserve_revoked: true }']],
  ] as const) {
    const cwd = temporaryDirectory('front')
    await leaveCache(ca, 'UserA1', 'revoked', join(cwd, directory))
    const front = await startFront(ca, {
      cwd,
      lines,
      peer: 'ocsp_peer { verify: true, allow_when_ca_unreachable: true }',
    })
    expect(await visitAll(front, 'UserA1')).toEqual(refusedInBoth)
  }
})

test('TestOCSPPeerIncrementalSaveLocalCache', async () => {
  await ca.startResponders()
  const front = await startFront(ca, { lines: ['ocsp_cache { save_interval: 1 }'] })
  const size = () => statSync(join(front.cwd, '_rc_', 'cache.json'), { throwIfNoEntry: false })?.size ?? 0
  expect(await front.visit('UserA1')).toBe('in')
  await expect.poll(size, { timeout: 5_000 }).toBeGreaterThan(0)
  const before = size()
  expect(await front.visit('UserB1')).toBe('in')
  await expect.poll(size, { timeout: 5_000 }).toBeGreaterThan(before)
})

test('the file is keyed as nats-server keys it, and a restart without responders is good with it', async () => {
  const responders = await ca.startResponders()
  const front = await startFront(ca)
  expect(await front.visit('UserA1')).toBe('in')
  expect(await front.daemon.stop()).toBe(0)
  const file = JSON.parse(readFileSync(join(front.cwd, '_rc_', 'cache.json'), 'utf8'))
  expect(Object.keys(file)).toContain(createHash('sha256').update(ca.users.UserA1.der).digest('base64'))
  await closeAll(responders)
  expect(await visitAll(await startFront(ca, { cwd: front.cwd }), 'UserA1')).toEqual(inBoth)
})

test('TestOCSPPeerUndelegatedCAResponseSigner', async () => {
  await ca.startResponders({ signer: ca.signers.undelegated })
  expect(await visitAll(await startFront(ca), 'UserA1')).toEqual(inBoth)
})

test('TestOCSPPeerDelegatedCAResponseSigner', async () => {
  await ca.startResponders({ signer: ca.signers.delegated })
  expect(await visitAll(await startFront(ca), 'UserA1')).toEqual(inBoth)
})

test('TestOCSPPeerBadDelegatedCAResponseSigner', async () => {
  await ca.startResponders({ signer: ca.signers.badDelegate })
  expect(await visitAll(await startFront(ca), 'UserA1')).toEqual(refusedInBoth)
})
