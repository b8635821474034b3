import { describe, expect, test } from 'vitest'
import { watchClock, watchResponders } from '../../../src/keep/keeper/clock-watch.ts'
import { hour, minute, second } from './crafted.ts'
import { quickClock } from './quick-clock.ts'

describe('the wall clock beside the monotonic one', () => {
  test.each([
    ['forward by an hour', hour, hour],
    ['back by an hour', -hour, -hour],
    ['forward by 30 s, which clocks do', 30 * second, 0],
    ['back by 31 s', -31 * second, -31 * second],
  ])('stepped %s', (_name, byMs, noticed) => {
    const clock = quickClock(0)
    const stepOfClock = watchClock(clock)
    clock.jump(byMs)
    expect([stepOfClock(), stepOfClock()]).toEqual([noticed, 0])
  })

  test('has not stepped when a machine slept and both went on', () => {
    const clock = quickClock(0)
    const stepOfClock = watchClock(clock)
    clock.sleep(9 * hour)
    expect(stepOfClock()).toBe(0)
  })
})

describe('who is suspect when the clocks differ', () => {
  test('is unclear with one responder', () => {
    expect(watchResponders()('http://a.test/', hour)).toBe('unclear')
  })

  test('is our clock when two responders agree against it', () => {
    const suspectOf = watchResponders()
    suspectOf('http://a.test/', hour)
    expect(suspectOf('http://b.test/', hour + minute)).toBe('our-clock')
  })

  test('is the responder when another one agrees with us', () => {
    const suspectOf = watchResponders()
    expect(suspectOf('http://a.test/', second)).toBeUndefined()
    expect(suspectOf('http://b.test/', -hour)).toBe('responder')
  })

  test('is nobody up to 5 min', () => {
    expect([5 * minute, -5 * minute].map((skew) => watchResponders()('http://a.test/', skew))).toEqual([
      undefined,
      undefined,
    ])
  })
})
