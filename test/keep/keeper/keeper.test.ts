/** The shell: what it does with the orders of step.ts, over real responses, a clock that moves when told, and stores. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import {
  createKeeper,
  type Keeper,
  type KeeperEvent,
  type KeeperOptions,
  type KeptCertificate,
} from '../../../src/keep/keeper/index.ts'
import { fileStore, memoryStore, type Store } from '../../../src/keep/store/index.ts'
import { certificateKey } from '../../../src/pki/x509/crypto.ts'
import { type Authority, createAuthority, type Leaf, type LeafOptions } from '../../kit/authority.ts'
import { type ManualClock, manualClock } from '../../kit/clock.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'
import { day, hour, minute, second } from './crafted.ts'
import { type FakeFetcher, fakeFetcher, live, unreachable } from './fake-fetcher.ts'

const start = Date.UTC(2026, 0, 1)
let authority: Authority
let leaf: Leaf
let key: string

beforeAll(async () => {
  authority = await createAuthority({ keyType: 'p256' })
  leaf = await issue({ name: 'kept.test' })
  key = certificateKey(leaf.der)
})

function issue(options: LeafOptions = {}): Promise<Leaf> {
  const dates = { notBefore: new Date(start - day), notAfter: new Date(start + 90 * day) }
  return authority.issueLeaf({ responderURL: 'http://responder.test/', ...dates, ...options })
}

interface Setup {
  readonly clock: ManualClock
  readonly fetcher: FakeFetcher
  readonly store: Store
  readonly keeper: Keeper
  readonly events: KeeperEvent[]
  types(): string[]
  add(kept?: Partial<KeptCertificate>): ReturnType<Keeper['add']>
}

const opened: Keeper[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((keeper) => keeper.close()))
})

function setUp(o: { store?: Store; at?: number; options?: Partial<KeeperOptions> } = {}): Setup {
  const clock = manualClock(new Date(o.at ?? start))
  const fetcher = fakeFetcher(clock, authority)
  fetcher.behave = live(7 * day)
  const store = o.store ?? memoryStore()
  const keeper = createKeeper({ store, fetcher, clock, random: () => 0.5, ...o.options })
  opened.push(keeper)
  const events: KeeperEvent[] = []
  keeper.subscribe((event) => events.push(event))
  return {
    clock,
    fetcher,
    store,
    keeper,
    events,
    types: () => events.map(({ type }) => type),
    add: (kept = {}) => keeper.add({ certificate: leaf.certificate, issuerCandidates: [leaf.issuer], ...kept }),
  }
}

/** A store that already has a staple, fetched by another run. */
async function storeWith(behave: FakeFetcher['behave'] = live(7 * day), at = start): Promise<Store> {
  const first = setUp({ at })
  first.fetcher.behave = behave
  await first.add().settled()
  await first.clock.advance(0)
  await first.keeper.close()
  return first.store
}

function down(): never {
  throw unreachable()
}

describe('a first start', () => {
  test('has nothing to serve until the answer came, then the exact bytes of it', async () => {
    const { keeper, store, add, types, clock } = setUp()
    const entry = add()
    expect(keeper.servable(key)).toEqual({ isRevoked: false, stapleState: 'missing' })
    await entry.settled()
    const servable = keeper.servable(key)
    expect(servable).toMatchObject({ certStatus: 'good', isRevoked: false, stapleState: 'fresh' })
    expect(servable.staple).toBeInstanceOf(Buffer)
    await clock.advance(0)
    expect(Buffer.compare((await store.load(key)) as Uint8Array, servable.staple as Uint8Array)).toBe(0)
    expect(types()).toEqual(['refreshed'])
  })

  test('settles when the first attempt failed', async () => {
    const { fetcher, keeper, add } = setUp()
    fetcher.behave = down
    await add().settled()
    expect(keeper.entry(key)).toMatchObject({
      stapleState: 'missing',
      failures: 1,
      lastError: { code: 'ERR_FETCH_FAILED', at: new Date(start) },
    })
  })

  test('asks the question as it was wished: override, hash, method, signer', async () => {
    const { fetcher, add } = setUp()
    const responderURLs = ['http://one.test/', 'http://two.test/']
    const signer = authority.root.certificate
    await add({ responderURLs, hashAlgorithm: 'sha256', method: 'post', responderCertificate: signer }).settled()
    expect(fetcher.requests[0]?.question).toMatchObject({
      responderURLs,
      hashAlgorithm: 'sha256',
      method: 'post',
      deadlineMs: 30_000,
    })
    expect(fetcher.requests[0]?.question.responderCertificate?.der).toEqual(signer.der)
  })

  test('finds the issuer among candidates in any order, as DER or decoded', async () => {
    const { fetcher, add } = setUp()
    await add({
      certificate: leaf.der,
      issuerCandidates: [leaf.der, authority.root.der, authority.intermediate.der],
    }).settled()
    expect(fetcher.requests[0]?.question.issuer.der).toEqual(authority.intermediate.der)
  })
})

describe('a restart', () => {
  test('serves what the store has, without a request', async () => {
    const store = await storeWith()
    const { fetcher, keeper, add, types } = setUp({ store, at: start + day })
    fetcher.behave = down
    await add().settled()
    expect(keeper.servable(key).stapleState).toBe('fresh')
    expect(types()).toEqual(['loaded'])
    expect(fetcher.requests).toEqual([])
    expect(keeper.entry(key)).toMatchObject({ source: 'store', isUnsaved: false })
  })

  test('verifies what the store has: a damaged staple is set aside, never served, never fatal', async () => {
    const store = memoryStore()
    await store.save(key, Buffer.from('no staple'))
    const { keeper, add, events, clock } = setUp({ store })
    await add().settled()
    await clock.advance(0)
    expect(events[0]).toMatchObject({
      type: 'store-refused',
      isSetAside: true,
      error: { code: expect.stringMatching(/^ERR_DER_/) },
    })
    expect(keeper.servable(key).stapleState).toBe('fresh')
    expect((await store.load(key))?.length).toBeGreaterThan(100)
  })

  test('sets aside the staple of another certificate of the same issuer', async () => {
    const other = await issue({ name: 'other.test' })
    const first = setUp()
    await first.keeper.add({ certificate: other.der, issuerCandidates: [other.issuer] }).settled()
    const stolen = first.keeper.servable(certificateKey(other.der)).staple as Uint8Array
    const store = memoryStore()
    await store.save(key, stolen)
    const { fetcher, keeper, add, events } = setUp({ store })
    fetcher.behave = down
    await add().settled()
    expect(events[0]).toMatchObject({ type: 'store-refused', error: { code: 'ERR_OCSP_CERT_ID_MISMATCH' } })
    expect(keeper.servable(key).staple).toBeUndefined()
    expect(await store.load(key)).toBeUndefined()
  })

  test('leaves a stale staple in the store, unserved', async () => {
    const store = await storeWith()
    const { fetcher, keeper, add, types } = setUp({ store, at: start + 8 * day })
    fetcher.behave = down
    await add().settled()
    expect(keeper.servable(key)).toEqual({ isRevoked: false, stapleState: 'missing' })
    expect(types()).toEqual(['refresh-failed'])
    expect(await store.load(key)).toBeDefined()
  })

  test('with a stored revocation asks once more before it says so', async () => {
    const store = await storeWith(live(7 * day, 'revoked'))
    const { fetcher, keeper, add, types, clock } = setUp({ store, at: start + hour })
    fetcher.behave = () => ({ ...live(7 * day, 'revoked')(clock.now()), delayMs: 2_000 })
    let isSettled = false
    const settled = add()
      .settled()
      .then(() => (isSettled = true))
    await clock.advance(1_000)
    expect(keeper.servable(key)).toMatchObject({ isRevoked: true, certStatus: 'revoked', stapleState: 'revoked' })
    expect([types(), isSettled]).toEqual([['loaded'], false])
    await clock.advance(2_000)
    await settled
    expect(types()).toEqual(['loaded', 'refreshed', 'revoked'])
    expect(keeper.entry(key)).toMatchObject({ source: 'network', revocationReason: 'certificateHold' })
  })
})

describe('the moment of serving', () => {
  test('is judged by the clock though no timer ran: nothing at the margin, nothing after it', async () => {
    const { clock, keeper, add } = setUp()
    await add().settled()
    clock.jump(7 * day - 5 * minute - 1)
    expect(keeper.servable(key).staple).toBeDefined()
    clock.jump(1)
    expect(keeper.servable(key)).toEqual({ isRevoked: false, stapleState: 'stale' })
    clock.jump(-1)
    expect(keeper.servable(key).staple).toBeDefined()
  })

  test('is judged at the other end too: nothing more than 300 s before thisUpdate', async () => {
    const { clock, keeper, add } = setUp()
    await add().settled()
    clock.jump(-300 * second)
    expect(keeper.servable(key).staple).toBeDefined()
    clock.jump(-1)
    expect(keeper.servable(key).staple).toBeUndefined()
  })

  test('gives the evidence of an `unknown` beside the good staple', async () => {
    const { fetcher, keeper, add, clock } = setUp()
    await add().settled()
    await clock.advance(hour)
    fetcher.behave = live(day, 'unknown')
    await keeper.refresh(key)
    const servable = keeper.servable(key)
    expect(servable).toMatchObject({ certStatus: 'good', isRevoked: false, stapleState: 'unknown' })
    expect(servable.unknown).toBeDefined()
    clock.jump(day)
    expect(keeper.servable(key)).toMatchObject({ certStatus: 'good', stapleState: 'fresh' })
    expect(keeper.servable(key).unknown).toBeUndefined()
  })

  test('is the same object while nothing changes', async () => {
    const { keeper, add } = setUp()
    const entry = add()
    await entry.settled()
    expect(keeper.servable(key)).toBe(entry.servable())
  })

  test('of a certificate that is not kept has nothing', () => {
    const { keeper } = setUp()
    expect(keeper.servable('0'.repeat(64))).toEqual({ isRevoked: false, stapleState: 'missing' })
    expect(keeper.entry('0'.repeat(64))).toBeUndefined()
  })
})

describe('a step of the clock', () => {
  test('a day forward and back: withdrawn, restored, told once each', async () => {
    const { clock, fetcher, keeper, add, types, events } = setUp()
    fetcher.behave = live(20 * hour)
    await add({ isRequired: true }).settled()
    fetcher.behave = down
    await clock.advance(minute)
    clock.jump(day)
    await clock.advance(30 * second)
    expect(types().filter((type) => type !== 'refresh-failed')).toEqual(['refreshed', 'clock-jumped', 'stale'])
    expect(events.find(({ type }) => type === 'clock-jumped')).toMatchObject({ byMs: day })
    clock.jump(-day)
    await clock.advance(30 * second)
    expect(
      types()
        .filter((type) => type !== 'refresh-failed')
        .slice(3),
    ).toEqual(['clock-jumped', 'restored'])
    expect(keeper.servable(key).stapleState).toBe('fresh')
    expect(keeper.entry(key)?.refreshAt?.getTime()).toBeLessThan(clock.now().getTime() + 12 * hour)
  })

  test('up to 30 s is nothing to speak of, but a due request is not missed', async () => {
    const { clock, add, types } = setUp()
    await add().settled()
    for (let index = 0; index < 20; index++) {
      clock.jump(29 * second)
      await clock.advance(30 * second)
    }
    expect(types()).toEqual(['refreshed'])
  })

  test('a boot in 1970: nothing is served, the store is left alone, and the right hour brings it all back', async () => {
    const store = await storeWith()
    const { clock, fetcher, keeper, add, types } = setUp({ store, at: 0 })
    fetcher.behave = () => live(7 * day)(new Date(start + hour))
    await add({ isRequired: true }).settled()
    expect(keeper.servable(key).staple).toBeUndefined()
    await clock.advance(5 * minute)
    expect(new Set(types())).toEqual(new Set(['refresh-failed']))
    expect(keeper.entry(key)?.lastError?.message).toContain('from the future')
    fetcher.behave = down
    clock.jump(start + 2 * hour)
    await clock.advance(30 * second)
    expect(types()).toContain('clock-jumped')
    expect(types()).toContain('loaded')
    expect(keeper.servable(key).stapleState).toBe('fresh')
  })

  test('a laptop that slept, its monotonic clock too: what fell due meanwhile is done within 30 s of waking', async () => {
    const { clock, fetcher, add, types } = setUp()
    fetcher.behave = live(4 * hour)
    await add({ isRequired: true }).settled()
    clock.jump(9 * hour)
    await clock.advance(30 * second)
    expect(types()).toEqual(['refreshed', 'clock-jumped', 'stale', 'refreshed', 'restored'])
    expect(fetcher.requests.length).toBe(2)
  })

  test('no timer is ever set for longer than 30 s, however far the next request is', async () => {
    const delays: number[] = []
    const clock = manualClock(new Date(start))
    const watched = {
      ...clock,
      wake(ms: number, callback: () => void) {
        delays.push(ms)
        return clock.wake(ms, callback)
      },
    }
    const fetcher = fakeFetcher(clock, authority)
    fetcher.behave = live(80 * day)
    const keeper = createKeeper({ store: memoryStore(), fetcher, clock: watched, maxIntervalMs: 60 * day })
    opened.push(keeper)
    const entry = keeper.add({ certificate: leaf.der, issuerCandidates: [leaf.issuer] })
    await entry.settled()
    delays.length = 0
    expect((entry.status().refreshAt?.getTime() ?? 0) - start).toBeGreaterThan(2 ** 31)
    await clock.advance(10 * minute)
    expect(delays.length).toBeGreaterThanOrEqual(20)
    expect(Math.max(...delays)).toBeLessThanOrEqual(30 * second)
  })

  test("a responder's clock that is 10 min off is told once, with who is suspect, until it changes", async () => {
    const { clock, fetcher, keeper, add, events } = setUp()
    let dateSkewMs = 10 * minute
    fetcher.behave = (at) => ({ ...live(7 * day)(at), dateSkewMs })
    await add().settled()
    for (const next of [10 * minute, 11 * minute, 30 * minute, 0, 10 * minute]) {
      dateSkewMs = next
      await clock.advance(minute)
      await keeper.refresh(key)
    }
    const told = events.flatMap((event) =>
      event.type === 'clock-suspect' ? [[event.skewMs / minute, event.suspect]] : [],
    )
    expect(told).toEqual([
      [10, 'unclear'],
      [30, 'unclear'],
      [10, 'unclear'],
    ])
  })
})

test("a responder's clock is told of where every answer failed for its time, too", async () => {
  const { fetcher, keeper, add, events } = setUp()
  fetcher.behave = down
  const error = new StapleError('ERR_FETCH_FAILED', 'from the future', {
    causes: [],
    dateSkew: { responderURL: 'http://responder.test/', skewMs: 56 * 365 * day },
  })
  fetcher.fetchStaple = () => Promise.reject(error)
  await add().settled()
  await keeper.refresh(key)
  const told = events.filter(({ type }) => type === 'clock-suspect')
  expect(told).toMatchObject([{ skewMs: 56 * 365 * day, certificateKey: key }])
})

describe('adding and removing', () => {
  test('is counted: kept until it was removed as often', async () => {
    const { keeper, add, clock } = setUp()
    const first = add()
    const second = add()
    expect(second.certificateKey).toBe(first.certificateKey)
    expect(keeper.entries().length).toBe(1)
    await first.settled()
    keeper.remove(key)
    expect(keeper.servable(key).staple).toBeDefined()
    second.remove()
    second.remove()
    expect(keeper.entry(key)).toBeUndefined()
    expect(keeper.servable(key).staple).toBeUndefined()
    keeper.remove(key)
    expect(clock.timers).toBe(0)
  })

  test('is required while anyone requires it, and asked as the last one wants', async () => {
    const { keeper, add, fetcher, clock } = setUp()
    const first = add({ isRequired: true, label: 'first' })
    await first.settled()
    const second = add({ responderURLs: ['http://new.test/'], label: 'second' })
    await clock.advance(0)
    expect(keeper.entry(key)).toMatchObject({ isRequired: true, label: 'second' })
    await keeper.refresh(key)
    expect(fetcher.requests.at(-1)?.question.responderURLs).toEqual(['http://new.test/'])
    first.remove()
    await clock.advance(0)
    expect(keeper.entry(key)).toMatchObject({ isRequired: false })
    second.remove()
  })

  test('while an answer is awaited gives it up, and what comes late changes nothing', async () => {
    const { clock, fetcher, keeper, add, events } = setUp()
    fetcher.behave = (at) => ({ ...live(day)(at), delayMs: 3_000, dateSkewMs: hour })
    // One that does not listen to being given up.
    const { fetchStaple } = fetcher
    fetcher.fetchStaple = (question, signal) => fetchStaple(question, signal).catch(() => fetchStaple(question))
    const entry = add()
    await clock.advance(1_000)
    const settled = entry.settled()
    keeper.remove(key)
    await settled
    expect(fetcher.aborted).toBe(1)
    await clock.advance(minute)
    expect(events).toEqual([])
    expect(keeper.entries()).toEqual([])
  })

  test('again after removing begins anew, from the store', async () => {
    const { keeper, add, fetcher, clock } = setUp()
    await add().settled()
    await clock.advance(0)
    keeper.remove(key)
    await add().settled()
    expect(keeper.servable(key).stapleState).toBe('fresh')
    expect(fetcher.requests.length).toBe(1)
  })

  test('refuses what is no certificate', () => {
    const { keeper } = setUp()
    expect(() => keeper.add({ certificate: undefined as never })).toThrow(/^certificate: /)
    expect(() => keeper.add({ certificate: Uint8Array.of(1, 2) })).toThrow(
      expect.objectContaining({ name: 'StapleError' }),
    )
  })

  test('of options that are wrong is refused with their names', () => {
    const fetcher = fakeFetcher(manualClock(), authority)
    expect(() => createKeeper({ fetcher } as never)).toThrow(/^store: /)
    expect(() => createKeeper({ store: memoryStore() } as never)).toThrow(/^fetcher: /)
    expect(() => createKeeper({ store: memoryStore(), fetcher, maxIntervalMs: 0 })).toThrow(/^maxIntervalMs: /)
  })
})

describe('a certificate that cannot be asked about', () => {
  test.each([
    ['it names no responder', { responderURL: null }, /names no OCSP responder/],
    ['it has noRevAvail', { extensions: ['2.5.29.56=DER:0500'] }, /noRevAvail/],
  ])('is unsupported because %s: quiet, once', async (_why, options, reason) => {
    const { fetcher, add, events, clock } = setUp()
    const entry = add({ certificate: (await issue(options)).der })
    await entry.settled()
    await clock.advance(day)
    expect(entry.status()).toMatchObject({
      stapleState: 'unsupported',
      unsupportedReason: expect.stringMatching(reason),
    })
    expect(entry.servable()).toEqual({ isRevoked: false, stapleState: 'unsupported' })
    expect(events.map(({ type }) => type)).toEqual(['unsupported'])
    expect(fetcher.requests).toEqual([])
  })

  test('is asked about where a responder is configured', async () => {
    const { add } = setUp()
    const entry = add({ certificate: (await issue({ responderURL: null })).der, responderURLs: ['http://own.test/'] })
    await entry.settled()
    expect(entry.status().stapleState).toBe('fresh')
  })

  test('is unsupported when it is self-signed', async () => {
    const { add } = setUp()
    const entry = add({
      certificate: authority.root.der,
      issuerCandidates: [authority.root.der],
      responderURLs: ['http://x.test/'],
    })
    await entry.settled()
    expect(entry.status().unsupportedReason).toMatch(/^it is self-signed: .*Root/)
  })

  test('for want of an issuer says so, and is asked about once somebody brings it', async () => {
    const { keeper, add, types } = setUp()
    const entry = add({ issuerCandidates: [authority.root.der] })
    await entry.settled()
    expect(types()).toEqual(['no-issuer'])
    expect(entry.status()).toMatchObject({
      stapleState: 'unsupported',
      unsupportedReason: expect.stringContaining('issuer'),
    })
    await add().settled()
    await keeper.refresh(key)
    expect(entry.status().stapleState).toBe('fresh')
  })
})

describe('an issuer that is not at hand', () => {
  test('is fetched, told, noted, and not needed from the network again', async () => {
    const certificate = (await issue({ caIssuersURL: 'http://ca.test/ca.cer' })).der
    const first = setUp()
    first.fetcher.issuer = authority.intermediate.certificate
    await first.add({ certificate, issuerCandidates: [] }).settled()
    await first.clock.advance(0)
    expect(first.events).toMatchObject([
      { type: 'issuer-fetched', url: 'http://ca.test/ca.cer' },
      { type: 'refreshed' },
    ])
    const again = setUp({ store: first.store, at: start + hour })
    again.fetcher.behave = down
    const entry = again.add({ certificate, issuerCandidates: [] })
    await entry.settled()
    expect(entry.status().stapleState).toBe('fresh')
    expect([again.fetcher.issuerRequests, again.types()]).toEqual([0, ['loaded']])
  })

  test('is tried for again, and told once while it fails', async () => {
    const certificate = (await issue({ caIssuersURL: 'http://ca.test/ca.cer' })).der
    const { clock, fetcher, add, types } = setUp()
    const entry = add({ certificate, issuerCandidates: [], isRequired: true })
    await entry.settled()
    await clock.advance(minute)
    expect(fetcher.issuerRequests).toBeGreaterThan(5)
    expect(types()).toEqual(['no-issuer'])
    fetcher.issuer = authority.intermediate.certificate
    await clock.advance(10 * second)
    expect(entry.status().stapleState).toBe('fresh')
  })
})

describe('a store that fails', () => {
  function failing(): Store & { broken: boolean; readonly saved: number } {
    const inner = memoryStore()
    let saved = 0
    const store = {
      ...inner,
      broken: true,
      get saved() {
        return saved
      },
      async save(certificateKey: string, staple: Uint8Array) {
        if (store.broken) {
          const cause = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
          throw new StapleError(
            'ERR_STORE_WRITE',
            `cannot write ${certificateKey}`,
            { path: certificateKey },
            { cause },
          )
        }
        saved++
        await inner.save(certificateKey, staple)
      },
    }
    return store
  }

  test('on saving loses nothing from memory, is told once for all certificates, and catches up', async () => {
    const store = failing()
    const { clock, keeper, add, types } = setUp({ store })
    const leaves = [leaf, await issue(), await issue()]
    for (const each of leaves) await add({ certificate: each.der }).settled()
    await clock.advance(10 * minute)
    expect(keeper.entries().map(({ stapleState, isUnsaved }) => [stapleState, isUnsaved])).toEqual(
      leaves.map(() => ['fresh', true]),
    )
    expect(types().filter((type) => type === 'save-failed').length).toBe(1)
    store.broken = false
    await clock.advance(5 * minute)
    expect(store.saved).toBe(3)
    expect(keeper.entries().map(({ isUnsaved }) => isUnsaved)).toEqual([false, false, false])
    expect(types().filter((type) => type === 'save-recovered').length).toBe(1)
  })

  test('on loading is told once, and everything is fetched', async () => {
    const store: Store = {
      ...memoryStore(),
      load: async () => {
        throw new StapleError('ERR_STORE_READ', 'cannot read', { path: 'x' })
      },
    }
    const { keeper, add, types } = setUp({ store })
    for (const each of [leaf, await issue(), await issue()]) await add({ certificate: each.der }).settled()
    expect(types().filter((type) => type === 'load-failed').length).toBe(1)
    expect(keeper.entries().every(({ stapleState }) => stapleState === 'fresh')).toBe(true)
  })

  test('by never answering holds nothing up for longer than 5 s', async () => {
    const store: Store = { ...memoryStore(), load: () => new Promise(() => {}), loadNotes: () => new Promise(() => {}) }
    const { clock, keeper, add, events } = setUp({ store })
    const settled = add().settled()
    await clock.advance(5 * second)
    await settled
    expect(events[0]).toMatchObject({ type: 'load-failed', error: { code: 'ERR_STORE_READ' } })
    expect(keeper.servable(key).stapleState).toBe('fresh')
  })
})

describe('a store that is watched', () => {
  test('gives a staple dropped by hand into the directory, to a certificate that nobody can be asked about', async () => {
    const airgapped = await issue({ responderURL: null })
    const airgappedKey = certificateKey(airgapped.der)
    const elsewhere = setUp()
    const fetched = elsewhere.add({ certificate: airgapped.der, responderURLs: ['http://responder.test/'] })
    await fetched.settled()
    const directory = temporaryDirectory('dropped')
    const { clock, keeper, add, types } = setUp({ store: fileStore({ directory }), at: start + hour })
    const entry = add({ certificate: airgapped.der })
    await until(clock, () => types().includes('unsupported'))
    await writeFile(join(directory, 'ocsp', airgappedKey), fetched.servable().staple as Uint8Array)
    await until(clock, () => types().includes('loaded'))
    expect(entry.servable()).toMatchObject({ certStatus: 'good', stapleState: 'fresh' })
    expect(keeper.entry(airgappedKey)).toMatchObject({ source: 'store' })
  })

  test('sets damage aside and gets back what is held', async () => {
    const directory = temporaryDirectory('damaged')
    const { clock, keeper, add, types } = setUp({ store: fileStore({ directory }) })
    await add().settled()
    const { staple } = keeper.servable(key)
    const place = join(directory, 'ocsp')
    await until(clock, () => keeper.entry(key)?.isUnsaved === false)
    await writeFile(join(place, key), 'damage')
    await until(clock, () => types().includes('store-refused') && keeper.entry(key)?.isUnsaved === false)
    expect(new Set(await readdir(place))).toEqual(new Set([key, `${key}.refused`]))
    expect(keeper.servable(key).staple).toBe(staple)
  })

  test('is not read for its own saves', async () => {
    const directory = temporaryDirectory('echo')
    await mkdir(join(directory, 'ocsp'))
    const inner = fileStore({ directory })
    let loads = 0
    const load: typeof inner.load = (name) => {
      loads++
      return inner.load(name)
    }
    const { clock, keeper, add } = setUp({ store: { ...inner, load } })
    await add().settled()
    await until(clock, () => keeper.entry(key)?.isUnsaved === false)
    await clock.advance(hour)
    await keeper.refresh(key)
    const before = loads
    for (let turn = 0; turn < 20; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      await clock.advance(second)
    }
    expect(loads).toBe(before)
  })
})

describe('refresh', () => {
  test('asks at once and resolves when it ended, either way', async () => {
    const { clock, fetcher, keeper, add } = setUp()
    await add().settled()
    await clock.advance(minute)
    await keeper.refresh(key)
    expect(keeper.entry(key)?.lastFetch).toEqual(new Date(start + minute))
    fetcher.behave = down
    await keeper.refresh(key)
    expect(keeper.entry(key)).toMatchObject({ failures: 1, lastFetch: new Date(start + minute) })
  })

  test('joins the attempt under way', async () => {
    const { clock, fetcher, keeper, add } = setUp()
    fetcher.behave = (at) => ({ ...live(day)(at), delayMs: 2_000 })
    add()
    await clock.advance(1_000)
    const refreshed = Promise.all([keeper.refresh(key), keeper.refresh(key)])
    await clock.advance(2_000)
    await refreshed
    expect(fetcher.requests.length).toBe(1)
  })

  test('right after adding waits for the whole start', async () => {
    const { keeper, add } = setUp()
    add()
    await keeper.refresh()
    expect(keeper.servable(key).stapleState).toBe('fresh')
  })

  test('of a certificate that is not kept is refused', async () => {
    const { keeper } = setUp()
    const unknown = { code: 'ERR_KEEPER_UNKNOWN_CERTIFICATE', detail: { certificateKey: 'x' } }
    await expect(keeper.refresh('x')).rejects.toMatchObject(unknown)
    await expect(keeper.settled('x')).rejects.toMatchObject(unknown)
  })
})

describe('a fetcher that misbehaves', () => {
  test('by never answering is given up 5 s after its deadline', async () => {
    let given: AbortSignal | undefined
    const { clock, keeper, add, fetcher } = setUp({
      options: {
        fetcher: {
          fetchStaple: (_question, signal) => {
            given = signal
            return new Promise(() => {})
          },
          fetchIssuer: () => new Promise(() => {}),
        },
      },
    })
    expect(fetcher.requests).toEqual([])
    const settled = add().settled()
    await clock.advance(35 * second)
    await settled
    expect(keeper.entry(key)).toMatchObject({ failures: 1, lastError: { code: 'ERR_FETCH_FAILED' } })
    expect(given?.aborted).toBe(true)
  })

  test('by throwing what is no StapleError fails like any other', async () => {
    const { fetcher, keeper, add, events } = setUp()
    fetcher.behave = () => {
      throw new RangeError('a bug')
    }
    await add().settled()
    expect(events).toMatchObject([
      { type: 'refresh-failed', error: { code: 'ERR_FETCH_FAILED', message: 'the fetcher failed: a bug' } },
    ])
    expect(keeper.entry(key)?.refreshAt).toBeDefined()
  })

  test.each([1, 4, 9, 17, 31, 44, 123, 599])(
    'by hanging for %i s does not keep a required staple from coming within 10 s of its return',
    async (length) => {
      const { clock, fetcher, keeper, add } = setUp()
      fetcher.behave = () => null
      add({ isRequired: true })
      await clock.advance(length * second)
      fetcher.behave = live(day)
      expect(keeper.servable(key).staple).toBeUndefined()
      await clock.advance(10 * second)
      expect(keeper.servable(key).staple).toBeDefined()
    },
  )
})

describe('events', () => {
  test('carry the key, the label, the hour and the entry as it is afterwards', async () => {
    const { add, events } = setUp()
    await add({ label: 'server.pem' }).settled()
    expect(events[0]).toMatchObject({
      type: 'refreshed',
      certificateKey: key,
      label: 'server.pem',
      at: new Date(start),
      isNew: true,
      responderURL: 'http://responder.test/',
      response: { certStatus: 'good' },
      entry: { stapleState: 'fresh', certStatus: 'good', subject: 'CN=kept.test', failures: 0 },
    })
  })

  test('reach on, off and subscribe, each as long as it listens', async () => {
    const { keeper, add } = setUp()
    const heard: string[] = []
    const one = (event: KeeperEvent) => heard.push(`one ${event.type}`)
    const stopTwo = keeper.on('refreshed', (event) => heard.push(`two ${event.isNew}`))
    keeper.on('refreshed', one)
    keeper.on('stale', one)
    await add().settled()
    stopTwo()
    await keeper.refresh(key)
    keeper.off('refreshed', one)
    await keeper.refresh(key)
    expect(heard).toEqual(['two true', 'one refreshed', 'one refreshed'])
  })

  test('reach the others when one listener throws, which stays an uncaught failure of its own', async () => {
    const { keeper, add, types } = setUp()
    const uncaught: unknown[] = []
    const before = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => uncaught.push(error))
    try {
      keeper.on('refreshed', () => {
        throw new Error('a listener broke')
      })
      await add().settled()
      await new Promise((resolve) => setImmediate(resolve))
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const listener of before) process.on('uncaughtException', listener)
    }
    expect(uncaught).toMatchObject([{ message: 'a listener broke' }])
    expect(types()).toEqual(['refreshed'])
    expect(keeper.servable(key).stapleState).toBe('fresh')
  })

  test('tell what failed, how often, and when it is asked again', async () => {
    const { clock, fetcher, keeper, add, events } = setUp()
    await add().settled()
    fetcher.behave = down
    await keeper.refresh(key)
    await clock.advance(5 * second)
    const failures = events.flatMap((event) => (event.type === 'refresh-failed' ? [event] : []))
    expect(failures.map(({ failures: count, isRepeat }) => [count, isRepeat]).slice(0, 2)).toEqual([
      [1, false],
      [2, true],
    ])
    expect(failures[0]?.retryAt).toEqual(failures[0]?.entry.refreshAt)
  })
})

describe('close', () => {
  test('gives up what is asked, waits for what is saved, and sets no timer again', async () => {
    let finishSave = () => {}
    const inner = memoryStore()
    const store: Store = {
      ...inner,
      save: (name, staple) => new Promise((resolve) => (finishSave = () => inner.save(name, staple).then(resolve))),
    }
    const { clock, fetcher, keeper, add } = setUp({ store })
    await add().settled()
    fetcher.behave = () => null
    const refreshing = keeper.refresh(key)
    let isClosed = false
    const closing = keeper.close().then(() => (isClosed = true))
    await refreshing
    await clock.advance(0)
    expect([fetcher.aborted, isClosed]).toEqual([1, false])
    finishSave()
    await closing
    expect(await store.load(key)).toBeDefined()
    await clock.advance(hour)
    expect(clock.timers).toBe(0)
  })

  test('waits no longer than 5 s for a store that hangs', async () => {
    const { clock, keeper, add } = setUp({ store: { ...memoryStore(), save: () => new Promise(() => {}) } })
    await add().settled()
    const closing = keeper.close()
    await clock.advance(5 * second)
    await closing
  })

  test('leaves what is held servable until its time, for those who drain', async () => {
    const { clock, keeper, add } = setUp()
    await add().settled()
    await keeper.close()
    expect(keeper.servable(key).certStatus).toBe('good')
    clock.jump(8 * day)
    expect(keeper.servable(key).staple).toBeUndefined()
  })

  test('ends all else with ERR_KEEPER_CLOSED', async () => {
    const { keeper, add } = setUp()
    await keeper.close()
    const closed = { code: 'ERR_KEEPER_CLOSED' }
    expect(() => add()).toThrow(expect.objectContaining(closed))
    await expect(keeper.refresh()).rejects.toMatchObject(closed)
    await expect(keeper.refresh(key)).rejects.toMatchObject(closed)
    await expect(keeper.settled(key)).rejects.toMatchObject(closed)
    await keeper.close()
  })
})

/** Lets real disks and the clock of the test go on until something is so. */
async function until(clock: ManualClock, isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 400 && !isSo(); turn++) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    await clock.advance(100)
  }
  expect(isSo()).toBe(true)
}
