/** Dead names must not use up the time of healthy ones: the system's resolver has four threads for all. */
import type { LookupFunction } from 'node:net'
import { expect, it } from 'vitest'
import { resolveAddresses } from '../../../src/check/probe/dial.ts'
import { manualClock } from '../../kit/clock.ts'

/** A resolver that is silent about `dead…` until it is let go. */
function silentResolver() {
  const pending: (() => void)[] = []
  const asked: string[] = []
  const lookup: LookupFunction = (host, _options, callback) => {
    asked.push(host)
    if (host.startsWith('dead')) pending.push(() => callback(new Error('late'), []))
    else callback(null, [{ address: '192.0.2.1', family: 4 }])
  }
  return { lookup, asked, letGo: (count: number) => pending.splice(0, count).forEach((end) => void end()) }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

it('a healthy name waits for its turn behind three dead ones, and its own time begins then', async () => {
  const clock = manualClock(new Date())
  const { lookup, asked, letGo } = silentResolver()
  const limits = { clock, timeoutMs: 1_000 }
  const dead = Promise.allSettled([1, 2, 3].map((n) => resolveAddresses(`dead${n}.test`, limits, lookup)))
  const good = resolveAddresses('good.test', limits, lookup)
  await clock.advance(5_000)
  expect((await dead).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  expect(asked).toEqual(['dead1.test', 'dead2.test', 'dead3.test'])
  letGo(1)
  expect(await good).toEqual(['192.0.2.1'])
  expect(await resolveAddresses('next.test', limits, lookup)).toEqual(['192.0.2.1'])
})

it('it does not wait for ever, and says what for', async () => {
  const clock = manualClock(new Date())
  const { lookup, asked, letGo } = silentResolver()
  const limits = { clock, timeoutMs: 1_000 }
  const all = ['dead1.test', 'dead2.test', 'dead3.test', 'good.test']
  const ended = Promise.allSettled(all.map((host) => resolveAddresses(host, limits, lookup)))
  await clock.advance(6_000)
  const last = (await ended)[3]
  expect(last).toMatchObject({ reason: { code: 'ERR_PROBE_RESOLVE', detail: { host: 'good.test' } } })
  expect(last).toMatchObject({ reason: { message: expect.stringContaining('for the names before it within 6000 ms') } })
  letGo(3)
  await settled()
  expect(asked).not.toContain('good.test')
  expect(await resolveAddresses('good.test', limits, lookup)).toEqual(['192.0.2.1'])
})

it('where the name server has been silent a dozen times in a row, nobody is patient with it', async () => {
  const clock = manualClock(new Date())
  const { lookup, letGo } = silentResolver()
  const limits = { clock, timeoutMs: 1_000 }
  for (let round = 0; round < 4; round++) {
    const ended = Promise.allSettled([1, 2, 3].map((n) => resolveAddresses(`dead${n}.test`, limits, lookup)))
    await clock.advance(1_000)
    await ended
    if (round < 3) letGo(3)
    await settled()
  }
  const waiting = resolveAddresses('good.test', limits, lookup).catch((error) => error)
  await clock.advance(1_000)
  expect((await waiting).message).toContain('for the names before it within 1000 ms')
})
