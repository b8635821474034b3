import { describe, expect, test } from 'vitest'
import { formatDistance, formatSpan } from '../../../src/run/journal/span.ts'

describe('formatSpan', () => {
  test.each([
    [0, '0 ms'],
    [420, '420 ms'],
    [1_000, '1 s'],
    [59_400, '59 s'],
    [60_000, '1 min'],
    [200_000, '3 min 20 s'],
    [3_600_000, '1 h'],
    [3_605_000, '1 h'],
    [18_600_000, '5 h 10 min'],
    [86_400_000, '1 day'],
    [529_200_000, '6 days 3 h'],
    [-5_000, '-5 s'],
  ])('says %i ms as %s', (ms, text) => {
    expect(formatSpan(ms)).toBe(text)
  })
})

describe('formatDistance', () => {
  const at = new Date('2026-11-21T03:50:04Z')

  test('leaves the date out on the same day', () => {
    expect(formatDistance(new Date('2026-11-21T03:51:00Z'), at)).toBe('03:51:00Z (in 56 s)')
  })

  test('says the date on another day, and how long ago', () => {
    expect(formatDistance(new Date('2026-11-20T03:50:04Z'), at)).toBe('2026-11-20 03:50:04Z (1 day ago)')
  })
})
