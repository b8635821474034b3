import { expect, it } from 'vitest'
import { createSlots, type Release } from '../../../src/keep/fetch/slots.ts'
import { Stop } from '../../../src/keep/fetch/stop.ts'

const never = new Stop()

/** Asks for slots and tells who has one. */
function asking(slots: ReturnType<typeof createSlots>) {
  const granted: string[] = []
  const releases = new Map<string, Release>()
  return {
    granted,
    ask(name: string, host: string, stop = never) {
      return slots.acquire(host, stop).then((release) => {
        granted.push(name)
        releases.set(name, release)
      })
    },
    async release(name: string) {
      releases.get(name)?.()
      await settle()
    },
  }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

it('lets so many ask one host at once, the others in order of their coming', async () => {
  const { granted, ask, release } = asking(createSlots(2, 10))
  for (const name of ['a', 'b', 'c', 'd']) void ask(name, 'one.test')
  await settle()
  expect(granted).toEqual(['a', 'b'])
  await release('b')
  expect(granted).toEqual(['a', 'b', 'c'])
  await release('a')
  expect(granted).toEqual(['a', 'b', 'c', 'd'])
})

it('lets so many ask at once in all', async () => {
  const { granted, ask, release } = asking(createSlots(2, 3))
  for (const host of ['one', 'two', 'three', 'four']) void ask(host, host)
  await settle()
  expect(granted).toEqual(['one', 'two', 'three'])
  await release('two')
  expect(granted).toEqual(['one', 'two', 'three', 'four'])
})

it('gives hosts turns: a long queue for one host does not hold up another', async () => {
  const { granted, ask, release } = asking(createSlots(1, 2))
  for (const name of ['a1', 'a2', 'a3']) void ask(name, 'a.test')
  void ask('b1', 'b.test')
  void ask('b2', 'b.test')
  await settle()
  expect(granted).toEqual(['a1', 'b1'])
  await release('b1')
  expect(granted).toEqual(['a1', 'b1', 'b2'])
  await release('a1')
  await release('a2')
  expect(granted).toEqual(['a1', 'b1', 'b2', 'a2', 'a3'])
})

it('lets the waiting leave, with the reason that stopped them', async () => {
  const slots = createSlots(1, 1)
  const { granted, ask, release } = asking(slots)
  const stop = new Stop()
  void ask('a', 'one.test')
  const leaving = ask('b', 'one.test', stop)
  void ask('c', 'one.test')
  stop.stop(new Error('b left'))
  await expect(leaving).rejects.toThrow('b left')
  await release('a')
  expect(granted).toEqual(['a', 'c'])
  await expect(slots.acquire('one.test', stop)).rejects.toThrow('b left')
})

it('counts a slot given back twice once', async () => {
  const slots = createSlots(1, 1)
  const release = await slots.acquire('one.test', never)
  release()
  release()
  await slots.acquire('one.test', never)
  expect(slots.active).toBe(1)
})

it('serves 100,000 waiting for one host without looking at each of them each time', async () => {
  const slots = createSlots(8, 64)
  let done = 0
  const started = performance.now()
  await Promise.all(
    Array.from({ length: 100_000 }, async () => {
      const release = await slots.acquire('one.test', never)
      done++
      release()
    }),
  )
  expect(done).toBe(100_000)
  expect(slots.active).toBe(0)
  // a step per waiting one and turn would take minutes
  expect(performance.now() - started).toBeLessThan(5000)
})
