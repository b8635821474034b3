import { expect, it } from 'vitest'
import { createRateLimit } from '../../../src/serve/terminator/rate.ts'
import { manualClock } from '../../kit/clock.ts'

const letIn = (allows: () => boolean, count: number) => Array.from({ length: count }, allows).filter(Boolean).length

it('lets a second of connections in at once, then as many as time brings', async () => {
  const clock = manualClock()
  const allows = createRateLimit(10, clock)
  expect(letIn(allows, 100)).toBe(10)
  await clock.advance(99)
  expect(letIn(allows, 1)).toBe(0)
  await clock.advance(1)
  expect(letIn(allows, 5)).toBe(1)
  await clock.advance(500)
  expect(letIn(allows, 50)).toBe(5)
})

it('saves up no more than one second of them', async () => {
  const clock = manualClock()
  const allows = createRateLimit(3, clock)
  await clock.advance(3_600_000)
  expect(letIn(allows, 10)).toBe(3)
})

it('holds over time, however they come', async () => {
  const clock = manualClock()
  const allows = createRateLimit(7, clock)
  let count = 0
  for (let step = 0; step < 1_000; step++) {
    await clock.advance(10)
    count += letIn(allows, 3)
  }
  expect(count).toBeGreaterThanOrEqual(70)
  expect(count).toBeLessThanOrEqual(77)
})

it('is no limit when it is infinite', () => {
  expect(letIn(createRateLimit(Number.POSITIVE_INFINITY, manualClock()), 10_000)).toBe(10_000)
})
