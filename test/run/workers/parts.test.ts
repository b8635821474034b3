/** The small parts of a front with workers: what is sent and what comes back of it, sums, waits, addresses. */
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import { tryAddresses } from '../../../src/run/workers/addresses.ts'
import { restartDelayMs } from '../../../src/run/workers/back-off.ts'
import { addCounts, createCountsSoFar, sumStatuses } from '../../../src/run/workers/counting.ts'
import { createMember } from '../../../src/run/workers/member.ts'
import type { ToWorker } from '../../../src/run/workers/messages.ts'
import { packPlan, unpackPlan } from '../../../src/run/workers/parcel.ts'
import { flattenError, flattenEvent, reviveError, reviveEvent } from '../../../src/run/workers/plain.ts'
import { createSupply } from '../../../src/run/workers/supply.ts'
import { defaultPolicies } from '../../../src/serve/attach/policy.ts'
import type { FrontPlan, TerminatorEvent, TerminatorStatus } from '../../../src/serve/terminator/index.ts'
import { manualClock } from '../../kit/clock.ts'
import { freePort } from '../../kit/free-port.ts'
import { endsWithTest } from '../../kit/lifetime.ts'

const certificate = (name: string) => ({
  chain: `chain of ${name}`,
  key: Buffer.from(`key of ${name}`),
  certificateKey: name,
})

function plan(names: readonly string[], more: Partial<FrontPlan> = {}): FrontPlan {
  const sites = names.map((name) => ({
    names: [name],
    mode: 'always' as const,
    policies: defaultPolicies('always'),
    certificates: [certificate(name)],
  }))
  return { listeners: [{ host: '127.0.0.1', port: 443 }], backend: 'tcp://127.0.0.1:1', sites, ...more }
}

describe('a parcel', () => {
  it('is the plan again when it is unpacked, but for the limits', () => {
    const given = plan(['a', 'b'], { alpn: ['h2'], drainTimeoutMs: 5 })
    const { plan: sent, certificates } = structuredClone(packPlan(given, 2))
    const buffers = new Map([...certificates].map(([name, one]) => [name, { ...one, key: Buffer.from(one.key) }]))
    expect(unpackPlan(sent, buffers)).toEqual({ ...given, maxConnections: 32_768, maxHandshakes: 1_024 })
  })

  it('names a certificate by all that is in it, so that a changed one is another and a shared one is sent once', () => {
    const one = certificate('a')
    const names = [one, { ...one }, { ...one, chain: 'other' }, { ...one, key: 'other' }, { ...one, passphrase: 'x' }]
    const packed = names.map((each) => {
      const [site] = plan(['a']).sites
      return packPlan(
        { ...plan(['a']), sites: [{ ...(site as never as FrontPlan['sites'][0]), certificates: [each] }] },
        2,
      )
    })
    const sent = packed.map(({ plan: { sites } }) => sites[0]?.certificates[0])
    expect(sent[0]).toBe(sent[1])
    expect(new Set(sent).size).toBe(4)
  })

  it('divides the limits, rounded up', () => {
    const limits = { maxConnections: 10, maxHandshakes: 1, connectionRateLimit: 5 }
    expect(packPlan(plan(['a'], limits), 4).plan).toMatchObject({
      maxConnections: 3,
      maxHandshakes: 1,
      connectionRateLimit: 2,
    })
    expect(packPlan(plan(['a']), 4).plan.connectionRateLimit).toBeUndefined()
  })

  it('that lacks a certificate cannot be unpacked', () => {
    expect(() => unpackPlan(packPlan(plan(['a']), 2).plan, new Map())).toThrow(/was not sent/)
  })
})

describe('the supply of a worker', () => {
  function setUp() {
    const sent: ToWorker[] = []
    const channel = {
      pid: 1,
      send(message: ToWorker, done: (error: null) => void) {
        sent.push(message)
        done(null)
      },
      kill() {},
    }
    const snapshots = new Map<string, object>()
    const supply = createSupply({
      subscribe: () => () => {},
      snapshot: (certificateKey) => snapshots.get(certificateKey) as never,
    })
    return { sent, snapshots, supply, member: createMember(channel, manualClock()) }
  }
  const count = (sent: readonly ToWorker[]) => [
    sent.flatMap((message) => (message.type === 'certificates' ? message.certificates : [])).length,
    sent.flatMap((message) => (message.type === 'staples' ? message.staples : [])).length,
  ]
  const held = (text: string) => ({ held: { der: Buffer.from(text), thisUpdate: 1, usableUntil: 2 } })

  it('has ten thousand certificates once, in parts, and of the next plan only what is new', async () => {
    const { sent, supply, member } = setUp()
    const names = Array.from({ length: 10_000 }, (_, index) => `${index}`)
    await supply.load(member, packPlan(plan(names), 2))
    expect(count(sent)).toEqual([10_000, 10_000])
    expect(sent.length).toBeGreaterThan(50)
    sent.length = 0
    await supply.load(member, packPlan(plan([...names, 'new']), 2))
    expect(count(sent)).toEqual([1, 1])
  })

  it('has a staple again when it changed, and when the event is about another one of its facts, not', async () => {
    const { sent, snapshots, supply, member } = setUp()
    snapshots.set('a', held('one'))
    await supply.load(member, packPlan(plan(['a']), 2))
    sent.length = 0
    snapshots.set('a', { ...snapshots.get('a') })
    await supply.renew(member, 'a')
    expect(sent).toEqual([])
    snapshots.set('a', held('two'))
    await supply.renew(member, 'a')
    await supply.renew(member, 'of no plan')
    expect(sent).toEqual([{ type: 'staples', staples: [{ certificateKey: 'a', snapshot: held('two') }] }])
  })

  it('is not overtaken: what changes while a plan is loaded arrives last', async () => {
    const { sent, snapshots, supply, member } = setUp()
    const names = Array.from({ length: 1_000 }, (_, index) => `${index}`)
    for (const name of names) snapshots.set(name, held('before'))
    const loaded = supply.load(member, packPlan(plan(names), 2))
    snapshots.set('999', held('after'))
    await supply.renew(member, '999')
    await loaded
    const about = sent.flatMap((message) => (message.type === 'staples' ? message.staples : []))
    expect(about.findLast(({ certificateKey }) => certificateKey === '999')?.snapshot).toEqual(held('after'))
  })

  it('is taken back when no plan needs it', async () => {
    const { sent, supply, member } = setUp()
    const both = packPlan(plan(['a', 'b']), 2)
    await supply.load(member, both)
    sent.length = 0
    supply.keepOnly([member], [packPlan(plan(['b']), 2)])
    const [gone] = both.plan.sites[0]?.certificates ?? []
    expect(sent).toEqual([{ type: 'forget', certificates: [gone], certificateKeys: ['a'] }])
  })
})

describe('errors and events between processes', () => {
  it('are what they were: StapleErrors with their detail, TypeErrors, errors with a code', () => {
    const cross = (thrown: unknown) => reviveError(structuredClone(flattenError(thrown)))
    const detail = { address: 'x:1', networkCode: 'EADDRINUSE' }
    const listen = cross(new StapleError('ERR_TERMINATOR_LISTEN', 'taken', detail, { cause: new Error('why') }))
    expect(listen).toBeInstanceOf(StapleError)
    expect(listen).toMatchObject({ code: 'ERR_TERMINATOR_LISTEN', message: 'taken', detail, retry: 'when-changed' })
    expect(cross(new TypeError('wrong'))).toBeInstanceOf(TypeError)
    expect(cross(Object.assign(new Error('mismatch'), { code: 'ERR_OSSL_X' }))).toMatchObject({ code: 'ERR_OSSL_X' })
    expect(cross('text')).toMatchObject({ message: 'text' })
  })

  it('keep dates and errors', () => {
    const error = new StapleError('ERR_TERMINATOR_BACKEND', 'refused', { address: 'x' })
    const event: TerminatorEvent = {
      type: 'backend-failed',
      at: new Date(5),
      backend: 'x',
      error,
      remoteAddress: undefined,
    }
    const back = reviveEvent(structuredClone(flattenEvent(event)))
    expect(back).toEqual(event)
    expect('error' in back && back.error).toBeInstanceOf(StapleError)
  })
})

describe('what a worker is asked', () => {
  function setUp() {
    const clock = manualClock()
    const sent: ToWorker[] = []
    return {
      clock,
      sent,
      member: createMember({ pid: 7, send: (message) => void sent.push(message), kill() {} }, clock),
    }
  }

  it('fails when it does not answer in time', async () => {
    const { clock, member } = setUp()
    const asked = member.ask({ act: 'commit' }, 1_000)
    const failed = expect(asked).rejects.toMatchObject({ code: 'ERR_WORKER_LOST', detail: { pid: 7 } })
    await clock.advance(1_000)
    await failed
    member.receive({ type: 'answer', id: 1, answer: undefined })
  })

  it('fails when it ends first, and at once after that', async () => {
    const { member } = setUp()
    const asked = expect(member.ask({ act: 'status' }, 1_000)).rejects.toMatchObject({ code: 'ERR_WORKER_LOST' })
    member.bury()
    await asked
    await expect(member.ask({ act: 'status' }, 1_000)).rejects.toThrow(/has ended/)
  })

  it('resolves and rejects with what it says to that very question', async () => {
    const { member } = setUp()
    const [one, two] = [member.ask({ act: 'commit' }, 1_000), member.ask({ act: 'prepare', plan: {} as never }, 1_000)]
    member.receive({ type: 'refused', id: 2, error: { name: 'TypeError', message: 'no' } })
    member.receive({ type: 'answer', id: 1, answer: [] })
    expect(await one).toEqual([])
    await expect(two).rejects.toThrow(TypeError)
  })
})

describe('the sums', () => {
  const status = (secured: number, connections: number) =>
    ({ ...sumStatuses([], createCountsSoFar()), secured, connections }) satisfies TerminatorStatus

  it('are of all, and of those that are gone', () => {
    const bygone = createCountsSoFar()
    addCounts(bygone, status(5, 3))
    expect(sumStatuses([status(1, 2), status(10, 20)], bygone)).toMatchObject({ secured: 16, connections: 22 })
  })
})

describe('the wait before a worker is replaced', () => {
  it('is none, then grows to half a minute, and is none again after a minute of life', () => {
    const waits: number[] = []
    for (let count = 0; count < 8; count++) waits.push(restartDelayMs(10, waits.at(-1)))
    expect(waits).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
    expect(restartDelayMs(60_000, 30_000)).toBe(0)
  })
})

describe('the addresses of a front', () => {
  const address = (port: number) => ({ host: '127.0.0.1', port })

  it('that the system chooses stay what they are from plan to plan', async () => {
    const first = await tryAddresses([address(0), address(0)], [])
    const ports = first.map(({ bound }) => bound.port)
    expect(new Set(ports).size).toBe(2)
    expect(ports).not.toContain(0)
    expect((await tryAddresses([address(0)], first)).map(({ bound }) => bound.port)).toEqual(ports.slice(0, 1))
  })

  it('that are taken fail, and so does one that is named twice', async () => {
    const port = await freePort()
    await expect(tryAddresses([address(port), address(port)], [])).rejects.toMatchObject({
      code: 'ERR_TERMINATOR_LISTEN',
    })
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    endsWithTest(() => server.close())
    await expect(tryAddresses([address(port)], [])).rejects.toMatchObject({
      code: 'ERR_TERMINATOR_LISTEN',
      detail: { networkCode: 'EADDRINUSE' },
    })
    const mine = { wanted: address(port), bound: address(port) }
    expect(await tryAddresses([address(port)], [mine])).toEqual([mine])
  })
})
