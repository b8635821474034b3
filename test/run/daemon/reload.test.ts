/**
 * Reloads, one after the other: with a keeper, a host and a clock that do as they are told. Over real sockets they are
 * in test/e2e/reload.test.ts.
 */
import { describe, expect, test } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import { createKeeper, type Keeper } from '../../../src/keep/keeper/index.ts'
import { memoryStore } from '../../../src/keep/store/index.ts'
import { certificateKey } from '../../../src/pki/x509/crypto.ts'
import type { LoadedConfig } from '../../../src/run/config/index.ts'
import { type House, planHouse } from '../../../src/run/daemon/house.ts'
import { createReloader } from '../../../src/run/daemon/reload.ts'
import { createRoster } from '../../../src/run/daemon/roster.ts'
import { pairSlots } from '../../../src/run/daemon/slots.ts'
import { createStapleSwitch } from '../../../src/run/daemon/staple-switch.ts'
import type { FrontHost } from '../../../src/run/workers/host.ts'
import type { FrontPlan } from '../../../src/serve/terminator/index.ts'
import { fakeFetcher, live, unreachable } from '../../keep/keeper/fake-fetcher.ts'
import { createAuthority, type Leaf, type LeafOptions } from '../../kit/authority.ts'
import { manualClock } from '../../kit/clock.ts'
import { loadText } from '../../kit/configuration.ts'
import { endsWithTest } from '../../kit/lifetime.ts'

const start = Date.UTC(2026, 0, 1)
const second = 1_000
const minute = 60 * second
const day = 86_400 * second

async function issue(options: LeafOptions = {}): Promise<Leaf> {
  const dates = { notBefore: new Date(start - day), notAfter: new Date(start + 90 * day) }
  const authority = await createAuthority()
  return authority.issueLeaf({ mustStaple: true, responderURL: 'http://responder.test/', ...dates, ...options })
}

function configOf(leaf: Leaf, ...lines: readonly string[]): string {
  return `listen: "127.0.0.1:0"
backend: "tcp://127.0.0.1:1"
${lines.join('\n')}
tls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}", ca_file: "${leaf.caFile}", timeout: 1 }
`
}

/** A daemon's inside, serving the first configuration with its staple. */
async function setUp(first: string) {
  const authority = await createAuthority()
  const clock = manualClock(new Date(start))
  const fetcher = fakeFetcher(clock, authority)
  const answer = live(7 * day)
  const down = new Set<bigint>()
  const silent = new Set<bigint>()
  const revoked = new Set<bigint>()
  fetcher.behave = (at, { certificate }) => {
    if (down.has(certificate.serialNumber)) throw unreachable()
    if (silent.has(certificate.serialNumber)) return null
    return revoked.has(certificate.serialNumber) ? live(7 * day, 'revoked')(at) : answer(at)
  }
  const keeper = createKeeper({ store: memoryStore(), fetcher, clock, random: () => 0.5 })
  endsWithTest(() => keeper.close())
  const load = (text: string) => loadText(text, { at: clock.now() })
  const { settings } = await load(first)
  const roster = createRoster(keeper, clock)
  const slots = pairSlots([], settings, clock.now())
  const enrolment = roster.add(settings)
  const keeping = { keeper, close: () => keeper.close() }
  let house: House = { settings, keeping, roster, enrolment, slots }
  await clock.advance(second)

  const host = fakeHost(planHouse(house))
  const staples = createStapleSwitch(keeper)
  const said: string[] = []
  const loads: (ReadonlyMap<string, Uint8Array> | undefined)[] = []
  let next: () => Promise<LoadedConfig> = () => load(first)
  let isOpen = true
  const reloader = createReloader({
    clock,
    staples,
    host: () => (isOpen ? host : undefined),
    async load(texts) {
      loads.push(texts)
      return next()
    },
    house: () => house,
    moveIn(moved) {
      house = moved
    },
    said: (text) => said.push(text),
  })
  endsWithTest(() => reloader.close())
  staples.subscribe(() => reloader.lookAtGates())
  return {
    clock,
    keeper,
    reloader,
    host,
    said,
    loads,
    down,
    silent,
    revoked,
    house: () => house,
    close() {
      isOpen = false
    },
    load(text: string) {
      next = () => load(text)
    },
    loadWhen(made: () => Promise<LoadedConfig>) {
      next = made
    },
    /** Reloads; the clock stands still. */
    async reload(text: string) {
      next = () => load(text)
      return settle(clock, reloader.reload('test'))
    },
  }
}

/** What reads files takes turns of its own; the clock stands still meanwhile. */
async function settle<T>(clock: ReturnType<typeof manualClock>, task: Promise<T>): Promise<T> {
  let isDone = false
  const watched = task.finally(() => {
    isDone = true
  })
  while (!isDone) await clock.advance(0)
  return watched
}

interface FakeHost extends FrontHost {
  plan: FrontPlan
  prepared: number
  aborted: number
  failure: Error | undefined
}

function fakeHost(plan: FrontPlan): FakeHost {
  const host: Partial<FakeHost> = {
    plan,
    prepared: 0,
    aborted: 0,
    async prepare(plan) {
      if (host.failure) throw host.failure
      host.prepared = (host.prepared ?? 0) + 1
      return {
        async commit() {
          host.plan = plan
          return []
        },
        async abort() {
          host.aborted = (host.aborted ?? 0) + 1
        },
      }
    },
  }
  return host as FakeHost
}

const keysShown = ({ plan }: FakeHost) =>
  plan.sites.flatMap((site) => site.certificates.map((each) => each.certificateKey))
const kept = (keeper: Keeper) => keeper.entries().map((entry) => entry.certificateKey)
const keyOf = (leaf: Leaf) => certificateKey(leaf.der)

describe('the gate in time', () => {
  test('it opens when the staple comes, and the old certificate is forgotten when no handshake can be on it', async () => {
    const [one, two] = [await issue(), await issue()]
    const { clock, keeper, host, down, reload, said } = await setUp(configOf(one))
    down.add(two.certificate.serialNumber)
    expect((await reload(configOf(two))).message).toMatch(/waits behind the old certificate: /)
    expect(keysShown(host)).toEqual([keyOf(one)])
    expect(kept(keeper)).toEqual([keyOf(one), keyOf(two)])
    down.clear()
    await clock.advance(10 * second)
    expect(keysShown(host)).toEqual([keyOf(two)])
    expect(said.at(-1)).toMatch(/the new certificate is shown from now on$/)
    await clock.advance(4 * second)
    expect(kept(keeper)).toEqual([keyOf(two)])
  })

  test('without Must-Staple it opens after start_timeout, counted from the first time', async () => {
    const [one, two] = [await issue({ mustStaple: false }), await issue({ mustStaple: false })]
    const lines = ['ocsp { mode: always }', 'start_timeout: "1m"'] as const
    const { clock, host, down, reload, keeper } = await setUp(configOf(one, ...lines))
    down.add(two.certificate.serialNumber)
    await reload(configOf(two, ...lines))
    await clock.advance(40 * second)
    await reload(configOf(two, ...lines))
    expect(keysShown(host)).toEqual([keyOf(one)])
    await clock.advance(20 * second)
    expect(keysShown(host)).toEqual([keyOf(two)])
    expect(keeper.servable(keyOf(two)).staple).toBeUndefined()
  })

  test('with Must-Staple it opens gate_margin before the end of the old one', async () => {
    const one = await issue({ notAfter: new Date(start + 60 * minute) })
    const two = await issue()
    const lines = ['gate_margin: "20m"', 'start_timeout: "1s"'] as const
    const { clock, host, down, reload } = await setUp(configOf(one, ...lines))
    down.add(two.certificate.serialNumber)
    await reload(configOf(two, ...lines))
    await clock.advance(start + 40 * minute - second - clock.now().getTime())
    expect(keysShown(host)).toEqual([keyOf(one)])
    await clock.advance(second)
    expect(keysShown(host)).toEqual([keyOf(two)])
  })

  test('it opens when the hour jumps past that', async () => {
    const one = await issue({ notAfter: new Date(start + 2 * day) })
    const two = await issue()
    const { clock, host, down, reload } = await setUp(configOf(one))
    down.add(two.certificate.serialNumber)
    await reload(configOf(two))
    clock.jump(2 * day - 5 * minute)
    await clock.advance(minute)
    expect(keysShown(host)).toEqual([keyOf(two)])
  })

  test('a revoked certificate never comes in, not even when the old one has ended', async () => {
    const one = await issue({ notAfter: new Date(start + 30 * minute) })
    const two = await issue()
    const { clock, host, revoked, reload } = await setUp(configOf(one, 'ocsp { mode: must }'))
    revoked.add(two.certificate.serialNumber)
    expect((await reload(configOf(two, 'ocsp { mode: must }'))).message).toContain('it is revoked')
    await clock.advance(60 * minute)
    expect(keysShown(host)).toEqual([keyOf(one)])
  })

  test('a front that cannot be prepared then is tried again, and the old one serves on', async () => {
    const [one, two] = [await issue(), await issue()]
    const { clock, host, down, reload, said } = await setUp(configOf(one))
    down.add(two.certificate.serialNumber)
    await reload(configOf(two))
    host.failure = new Error('no memory')
    down.clear()
    await clock.advance(10 * second)
    expect(said.at(-1)).toBe('the new certificate could not be shown\nno memory')
    expect(keysShown(host)).toEqual([keyOf(one)])
    host.failure = undefined
    await clock.advance(10 * second)
    expect(keysShown(host)).toEqual([keyOf(two)])
  })
})

describe('one that fails', () => {
  test('leaves the keeper as it was', async () => {
    const [one, two] = [await issue(), await issue()]
    const { keeper, host, reload, house } = await setUp(configOf(one))
    const before = house()
    host.failure = new StapleError('ERR_TERMINATOR_LISTEN', 'cannot listen on x', { address: 'x' })
    expect(await reload(configOf(two))).toMatchObject({ isDone: false, problems: ['cannot listen on x'] })
    expect(house()).toBe(before)
    expect(kept(keeper)).toEqual([keyOf(one)])
    host.failure = undefined
    expect((await reload(configOf(two))).isDone).toBe(true)
    expect(keysShown(host)).toEqual([keyOf(two)])
  })

  test('is said by who asked, where files changed', async () => {
    const one = await issue()
    const { clock, reloader, loadWhen, said } = await setUp(configOf(one))
    loadWhen(async () => {
      throw new StapleError('ERR_CONFIG_INVALID', 'x:1:1: wrong', { problems: [] })
    })
    const outcome = await settle(clock, reloader.renew('tls.crt changed'))
    expect(outcome).toMatchObject({ isDone: false, isUnreadable: true, problems: ['x:1:1: wrong'] })
    expect(said).toEqual([])
    await settle(clock, reloader.reload('SIGHUP'))
    expect(said).toEqual(['not reloaded (SIGHUP); what was in force goes on\nx:1:1: wrong'])
  })
})

describe('in turn', () => {
  test('those that wait are one, and it reads what is there when its turn comes', async () => {
    const [one, two] = [await issue(), await issue()]
    const { clock, reloader, load, loads, host } = await setUp(configOf(one))
    const all = ['first', 'second', 'third', 'fourth'].map((because) => reloader.reload(because))
    // The first is under way before anybody else asks.
    await Promise.resolve()
    load(configOf(two))
    const outcomes = await settle(clock, Promise.all([...all, reloader.reload('fifth')]))
    expect(loads.length).toBe(2)
    expect(outcomes.every(({ isDone }) => isDone)).toBe(true)
    expect(keysShown(host)).toEqual([keyOf(two)])
  })

  test('a renewal reads certificates under the configuration in force', async () => {
    const one = await issue()
    const { clock, reloader, loads, house } = await setUp(configOf(one))
    const { file } = house().settings
    await settle(clock, reloader.renew('tls.crt changed'))
    expect([...(loads[0] ?? [])].map(([file, text]) => [file, Buffer.from(text).toString()])).toEqual([
      [file, configOf(one)],
    ])
  })

  test('a task of its own meets no reload', async () => {
    const one = await issue()
    const { clock, reloader } = await setUp(configOf(one))
    const order: string[] = []
    const note = (word: string) => () => order.push(word)
    const tasks = [
      reloader.reload('one').then(note('reload')),
      reloader.inTurn(async () => note('task')()),
      reloader.reload('two').then(note('reload')),
    ]
    await settle(clock, Promise.all(tasks))
    expect(order.filter((word) => word === 'task')).toHaveLength(1)
    expect(order[0]).toBe('reload')
  })
})

describe('at the end', () => {
  test('what waits for a staple gives up at once, and leaves nothing', async () => {
    const [one, two] = [await issue(), await issue()]
    const { clock, keeper, reloader, load, silent, host } = await setUp(configOf(one, 'start_timeout: "1m"'))
    load(configOf(two, 'start_timeout: "1m"'))
    silent.add(two.certificate.serialNumber)
    const outcome = reloader.reload('test')
    // Until it has been asked about, which is when it waits.
    while (!kept(keeper).includes(keyOf(two))) await clock.advance(0)
    await reloader.close()
    expect(await outcome).toMatchObject({ isDone: false, problems: ['it is ending'] })
    expect(kept(keeper)).toEqual([keyOf(one)])
    expect(host.prepared).toBe(0)
  })

  test('nothing is begun any more', async () => {
    const one = await issue()
    const { reloader, loads } = await setUp(configOf(one))
    await reloader.close()
    expect(await reloader.reload('test')).toMatchObject({ isDone: false, problems: ['it is ending'] })
    expect(loads).toEqual([])
  })
})

test('200 reloads leave one entry, added once, and no timers', async () => {
  const leaves = [await issue(), await issue(), await issue()] as const
  const { clock, keeper, reload, host, house } = await setUp(configOf(leaves[0]))
  const timers = clock.timers
  for (let round = 1; round <= 200; round++) {
    const leaf = leaves[Math.floor(round / 2) % 3] as Leaf
    // Every second one is about the same certificate, which is asked about elsewhere now.
    const ocsp = `ocsp { url: "http://responder${round % 2}.test/" }`
    expect((await reload(configOf(leaf, ocsp))).isDone).toBe(true)
    expect(keysShown(host)).toEqual([keyOf(leaf)])
  }
  await clock.advance(10 * second)
  const last = keyOf(leaves[100 % 3] as Leaf)
  expect(kept(keeper)).toEqual([last])
  expect(clock.timers).toBeLessThanOrEqual(timers + 1)
  expect(house().slots.map(({ old }) => old)).toEqual([undefined])
  keeper.remove(last)
  expect(kept(keeper)).toEqual([])
})

test('what needs another start is said each time it differs from what runs', async () => {
  const one = await issue()
  const { reload, said, close } = await setUp(configOf(one))
  const lines = () => said.splice(0).filter((line) => line.includes('next start'))
  await reload(configOf(one, 'workers: 3', 'log { level: warn }'))
  expect(lines()).toEqual(['workers and log: the change counts from the next start on'])
  await reload(configOf(one, 'workers: 3'))
  expect(lines()).toEqual(['workers: the change counts from the next start on'])
  await reload(configOf(one))
  expect(lines()).toEqual([])
  // Before the doors are open, no worker runs.
  close()
  await reload(configOf(one, 'workers: 3'))
  expect(lines()).toEqual([])
})

test('with closed doors nothing is prepared, and the next house waits for them', async () => {
  const [one, two] = [await issue(), await issue()]
  const { host, close, reload, house, keeper } = await setUp(configOf(one))
  close()
  expect((await reload(configOf(two))).isDone).toBe(true)
  expect(host.prepared).toBe(0)
  expect(house().slots.map(({ wanted }) => wanted.certificateKey)).toEqual([keyOf(two)])
  expect(kept(keeper)).toContain(keyOf(two))
})
