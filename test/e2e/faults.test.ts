/**
 * Every fault of a responder against the whole engine: real sockets on both sides, a manual clock for the hours between.
 *
 * In each: nothing that a strict client (openssl, test/kit/clients/judge.ts) refuses is ever stapled, what is held and in
 * its window is served on, no handshake waits, and a staple is back within 10 s of the responder's return.
 */
import { writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { createFetcher } from '../../src/keep/fetch/index.ts'
import { createKeeper, type Keeper } from '../../src/keep/keeper/index.ts'
import { fileStore, memoryStore, type Store } from '../../src/keep/store/index.ts'
import { defaultPolicies } from '../../src/serve/attach/policy.ts'
import { createTerminator } from '../../src/serve/terminator/index.ts'
import { type Authority, createAuthority, type Leaf } from '../kit/authority.ts'
import { type Backend, startBackend } from '../kit/backend.ts'
import { judgeStrictly } from '../kit/clients/judge.ts'
import { connectWithNode } from '../kit/clients/node.ts'
import { type ManualClock, manualClock } from '../kit/clock.ts'
import { endWithFile } from '../kit/lifetime.ts'
import { type Behaviour, createScriptedResponder, type ScriptedResponder } from '../kit/responder.ts'
import { temporaryDirectory } from '../kit/temporary.ts'

const faults: readonly (readonly [name: string, behaviour: Behaviour])[] = [
  ['refuses connections', 'refuse'],
  ['hangs', 'hang'],
  ['drips a byte at a time', 'drip'],
  ['resets', 'reset'],
  ['stops in the middle', 'cut'],
  ['answers 500', 'httpError'],
  ['answers 503 with Retry-After: 3600', { kind: 'unavailable', retryAfter: 3600 }],
  ['answers HTML', 'html'],
  ['answers garbage', 'garbage'],
  ['answers nothing', 'empty'],
  ['answers 100 MB', 'huge'],
  ['redirects to itself', 'redirect'],
  ['speaks no HTTP', 'notHttp'],
  ['answers tryLater', 'tryLater'],
  ['answers unauthorized', 'unauthorized'],
  ['answers for another serial', 'wrongSerial'],
  ['answers with other issuer hashes', 'wrongIssuer'],
  ['breaks the signature', 'badSignature'],
  ['signs without OCSPSigning', 'noOcspSigning'],
  ["signs as another CA's", 'otherAuthority'],
  ['signs with an expired certificate', 'expiredSigner'],
  ['answers an expired response', 'expired'],
  ['answers from the future', 'future'],
]

let authority: Authority
let backend: Backend
let issuerFile: string

beforeAll(async () => {
  authority = await createAuthority()
  backend = await startBackend()
  issuerFile = join(temporaryDirectory('issuer'), 'issuer.pem')
  await writeFile(issuerFile, authority.intermediate.pem)
})

// Real sockets under a load of sixteen at once: the limit is generous, the virtual hours are what is asserted.
vi.setConfig({ testTimeout: 90_000 })
endWithFile()

describe.concurrent.each(faults)('a responder that %s', (_name, fault) => {
  test('at a cold start: nothing wrong is stapled, and the staple is in within 10 s of its return', async () => {
    const stage = await setStage(fault)
    await stage.drive(5_000)
    await expectNothingWrong(stage, 'none')
    await stage.drive(300_000)
    await expectNothingWrong(stage, 'none')
    await stage.responder.behave('good')
    expect(await stage.driveUntilStapled()).toBeLessThanOrEqual(10_000)
    await expectNothingWrong(stage, 'good')
  })

  test('while running: the staple in hand is served to its end, never beyond, and is back within 10 s', async () => {
    const stage = await setStage('good')
    await stage.driveUntilStapled()
    await stage.responder.behave(fault)
    const asked = stage.responder.count
    await stage.drive(480_000)
    expect(stage.keeper.entries()[0]?.failures).toBeGreaterThan(0)
    if (fault !== 'refuse') expect(stage.responder.count).toBeGreaterThan(asked)
    await expectNothingWrong(stage, 'good')
    await stage.drive(180_000)
    await expectNothingWrong(stage, 'none')
    await stage.responder.behave('good')
    expect(await stage.driveUntilStapled()).toBeLessThanOrEqual(10_000)
    await expectNothingWrong(stage, 'good')
  })

  test('on a restart: the first handshake carries the stored staple', async () => {
    const store = fileStore({ directory: temporaryDirectory('store') })
    const before = await setStage('good', { store })
    await before.driveUntilStapled()
    await before.close()
    await before.responder.behave(fault)
    const stage = await setStage(fault, { store, leaf: before.leaf, responder: before.responder, clock: before.clock })
    await stage.keeper.settled(stage.certificateKey)
    await expectNothingWrong(stage, 'good')
    await stage.drive(60_000)
    await expectNothingWrong(stage, 'good')
  })
})

describe.concurrent('an answer that is no fault', () => {
  test('revoked, at a cold start and lifted: the truth is stapled both times', async () => {
    const stage = await setStage('revoked')
    await stage.driveUntilStapled()
    await expectNothingWrong(stage, 'revoked')
    await stage.responder.behave('good')
    await stage.driveUntil(() => stage.keeper.servable(stage.certificateKey).certStatus === 'good', 400_000)
    await expectNothingWrong(stage, 'good')
  })

  test('revoked, while running: replaces the good staple at the next request', async () => {
    const stage = await setStage('good')
    await stage.driveUntilStapled()
    await stage.responder.behave('revoked')
    await stage.driveUntil(() => stage.keeper.servable(stage.certificateKey).isRevoked, 400_000)
    await expectNothingWrong(stage, 'revoked')
  })

  test('revoked, on a restart: stapled from the store, the responder being down', async () => {
    const store = fileStore({ directory: temporaryDirectory('store') })
    const before = await setStage('revoked', { store })
    await before.driveUntilStapled()
    await before.close()
    await before.responder.behave('refuse')
    const stage = await setStage('refuse', { ...before, store })
    await stage.drive(2_000)
    await expectNothingWrong(stage, 'revoked')
  })

  test('unknown, at a cold start: nothing is stapled', async () => {
    const stage = await setStage('unknown')
    await stage.drive(5_000)
    await expectNothingWrong(stage, 'none')
    await stage.responder.behave('good')
    expect(await stage.driveUntilStapled()).toBeLessThanOrEqual(10_000)
  })

  test('unknown, while running: the good staple is kept to its end', async () => {
    const stage = await setStage('good')
    await stage.driveUntilStapled()
    await stage.responder.behave('unknown')
    await stage.drive(480_000)
    expect(stage.keeper.entries()[0]?.unknownUntil).toBeDefined()
    await expectNothingWrong(stage, 'good')
    await stage.drive(180_000)
    await expectNothingWrong(stage, 'none')
  })
})

interface Stage {
  readonly leaf: Leaf
  readonly responder: ScriptedResponder
  readonly clock: ManualClock
  readonly keeper: Keeper
  readonly certificateKey: string
  readonly port: number
  /** Lets the time pass, with room for the sockets in between. */
  drive(ms: number): Promise<void>
  /** The same until something holds; resolves with how long it took, rejects after `limitMs`. */
  driveUntil(holds: () => boolean, limitMs: number): Promise<number>
  driveUntilStapled(): Promise<number>
  close(): Promise<void>
}

/** A front of one Must-Staple certificate, its keeper and its responder, whose answers live 10 min. */
async function setStage(
  behaviour: Behaviour,
  given: { store?: Store; leaf?: Leaf; responder?: ScriptedResponder; clock?: ManualClock } = {},
): Promise<Stage> {
  const clock = given.clock ?? manualClock(new Date(Math.floor(Date.now() / 1000) * 1000))
  const responder =
    given.responder ?? (await createScriptedResponder({ authority, behaviour, clock, validityMs: 600_000 }))
  const leaf = given.leaf ?? (await authority.issueLeaf({ mustStaple: true, responderURL: responder.url }))
  const fetcher = createFetcher({ clock, proxy: 'none' })
  const keeper = createKeeper({ store: given.store ?? memoryStore(), fetcher, clock })
  const { certificateKey } = keeper.add({ certificate: leaf.der, issuerCandidates: [leaf.issuer], isRequired: true })
  const terminator = createTerminator({
    listeners: [{ host: '127.0.0.1', port: 0 }],
    sites: [
      {
        names: ['localhost'],
        certificates: [{ chain: leaf.chainPem, key: leaf.key, certificateKey }],
        mode: 'auto',
        policies: defaultPolicies('auto'),
      },
    ],
    backend: backend.url,
    keeper,
    handshakeTimeoutMs: 20_000, // of real time, in a process that does much else
  })
  const [address] = await terminator.listen()
  /** Sockets live in real time: while an attempt is under way, the manual clock waits a while for its bytes. */
  const letBytesFlow = async (patienceMs: number): Promise<void> => {
    const deadline = performance.now() + patienceMs
    do await new Promise((resolve) => setTimeout(resolve, 2))
    while (keeper.entry(certificateKey)?.refreshAt === undefined && performance.now() < deadline)
  }
  const driveUntil = async (holds: () => boolean, limitMs: number, stepMs = 500): Promise<number> => {
    const started = clock.monotonicMs()
    for (;;) {
      if (holds()) return clock.monotonicMs() - started
      if (clock.monotonicMs() - started >= limitMs) {
        throw new Error(
          `not within ${limitMs} ms: ${JSON.stringify({ now: clock.now(), ...keeper.entry(certificateKey) })}`,
        )
      }
      await clock.advance(stepMs)
      await letBytesFlow(stepMs < 1_000 ? 100 : 5)
    }
  }
  return {
    leaf,
    responder,
    clock,
    keeper,
    certificateKey,
    port: (address as AddressInfo).port,
    driveUntil,
    async drive(ms) {
      const end = clock.monotonicMs() + ms
      await driveUntil(() => clock.monotonicMs() >= end, ms + 1, 1_000)
    },
    driveUntilStapled: () => driveUntil(() => keeper.servable(certificateKey).staple !== undefined, 60_000),
    async close() {
      await keeper.close()
      await fetcher.close()
      await terminator.drain()
    },
  }
}

/** Shakes hands, with TLS 1.2 and 1.3, and has openssl judge what came. */
async function expectNothingWrong(stage: Stage, wanted: 'good' | 'revoked' | 'none'): Promise<void> {
  for (const version of ['1.2', '1.3'] as const) {
    const seen = await connectWithNode({ port: stage.port, rootFile: stage.leaf.rootFile, version })
    expect(seen.connected, seen.refusedBecause).toBe(true)
    expect(seen.elapsedMs).toBeLessThan(2_000)
    if (seen.stapleBytes === undefined) {
      expect('none').toBe(wanted)
      continue
    }
    const { verdict, refusedBecause, output } = await judgeStrictly(
      seen.stapleBytes,
      stage.leaf,
      issuerFile,
      stage.clock.now(),
    )
    expect({ verdict, refusedBecause }, output).toEqual({ verdict: wanted, refusedBecause: undefined })
  }
}
