import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createWakes, type Sleeper } from '../../../src/keep/keeper/wakes.ts'
import { manualClock } from '../../kit/clock.ts'
import { day, hour, minute, second } from './crafted.ts'
import { quickClock } from './quick-clock.ts'

interface Named extends Sleeper {
  readonly name: number
}

function sleepers(count: number): Named[] {
  return Array.from({ length: count }, (_, name) => ({ name, wakeAt: undefined, heapIndex: -1 }))
}

test('each is woken at its moment, in order, whatever was set, moved and cleared before', async () => {
  const change = fc.record({ who: fc.nat(19), at: fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined }) })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 80 }), async (changes) => {
      const clock = quickClock(0)
      const woken: (readonly [number, number])[] = []
      const wakes = createWakes<Named>({
        clock,
        look: () => {},
        wake: ({ name }) => woken.push([clock.now().getTime(), name]),
      })
      wakes.start()
      const all = sleepers(20)
      const expected = new Map<number, number>()
      for (const { who, at } of changes) {
        wakes.set(all[who] as Named, at)
        if (at === undefined) expected.delete(who)
        else expected.set(who, at)
      }
      await clock.run(
        2_000,
        () => false,
        () => {},
      )
      expect(new Map(woken.map(([at, name]) => [name, at]))).toEqual(expected)
      expect(woken.map(([at]) => at)).toEqual([...expected.values()].sort((a, b) => a - b))
      wakes.stop()
    }),
    { numRuns: 60 },
  )
})

test('the clock is looked at every 30 s, and before anyone is woken', async () => {
  const clock = manualClock()
  const seen: string[] = []
  const wakes = createWakes<Named>({ clock, look: () => seen.push('look'), wake: () => seen.push('wake') })
  wakes.start()
  const [one] = sleepers(1)
  wakes.set(one as Named, clock.now().getTime() + 45 * second)
  await clock.advance(minute)
  expect(seen).toEqual(['look', 'look', 'wake'])
})

test('one timer serves any number, and none is left after stop', () => {
  const clock = manualClock()
  const wakes = createWakes<Named>({ clock, look: () => {}, wake: () => {} })
  wakes.start()
  for (const each of sleepers(1_000)) wakes.set(each, clock.now().getTime() + hour - each.name)
  expect(clock.timers).toBe(1)
  wakes.stop()
  expect(clock.timers).toBe(0)
})

test('a step back of the clock does not keep what is set after it waiting', async () => {
  const clock = manualClock()
  const woken: number[] = []
  const wakes = createWakes<Named>({ clock, look: () => {}, wake: ({ name }) => woken.push(name) })
  wakes.start()
  const [early, late] = sleepers(2) as [Named, Named]
  wakes.set(late, clock.now().getTime() + 20 * second)
  clock.jump(-day)
  wakes.set(early, clock.now().getTime() + 5 * second)
  await clock.advance(5 * second)
  expect(woken).toEqual([early.name])
})

test('a step forward of the clock does not keep what is set after it waiting for the timer before it', async () => {
  const clock = manualClock()
  const woken: number[] = []
  const wakes = createWakes<Named>({ clock, look: () => {}, wake: ({ name }) => woken.push(name) })
  wakes.start()
  clock.jump(day)
  const [one] = sleepers(1)
  wakes.set(one as Named, clock.now().getTime() + 5 * second)
  await clock.advance(5 * second)
  expect(woken).toEqual([0])
})
