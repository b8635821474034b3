import { expect, it } from 'vitest'
import { dateSkewMs, freshForMs, retryAfterMs } from '../../../src/keep/fetch/caching.ts'

const now = new Date('2027-01-01T00:00:00Z')
const later = (ms: number) => new Date(now.getTime() + ms).toUTCString()

it.each([
  [{ 'cache-control': 'max-age=60' }, 60_000],
  [{ 'cache-control': 'public, MAX-AGE="60", no-transform' }, 60_000],
  [{ 'cache-control': 'max-age=60', age: '20' }, 40_000],
  [{ 'cache-control': 'max-age=60', age: '200' }, 0],
  [{ 'cache-control': 'max-age=60', expires: later(999_000) }, 60_000],
  [{ expires: later(90_000) }, 90_000],
  [{ expires: later(90_000), date: later(-30_000) }, 120_000],
  [{ expires: later(90_000), date: later(0), age: '30' }, 60_000],
  [{ expires: later(-1000) }, 0],
  [{ 'cache-control': 'no-cache, max-age=60' }, undefined],
  [{ 'cache-control': 'no-store' }, undefined],
  [{ 'cache-control': 'max-age=soon' }, undefined],
  [{ 'cache-control': 's-maxage=60' }, undefined],
  [{ expires: '0' }, undefined],
  [{ expires: '-1' }, undefined],
  [{}, undefined],
])('headers %j are fresh for %s ms', (headers, expected) => {
  expect(freshForMs(headers, now)).toBe(expected)
})

it.each([
  [{ 'retry-after': '120' }, 120_000],
  [{ 'retry-after': ' 5 ' }, 5000],
  [{ 'retry-after': later(60_000) }, 60_000],
  [{ 'retry-after': later(60_000), date: later(50_000) }, 10_000],
  [{ 'retry-after': later(-60_000) }, 0],
  [{ 'retry-after': 'tomorrow' }, undefined],
  [{ 'retry-after': '-5' }, undefined],
  [{ 'retry-after': '1.5' }, undefined],
  [{}, undefined],
])('headers %j ask for %s ms of patience', (headers, expected) => {
  expect(retryAfterMs(headers, now)).toBe(expected)
})

it.each([
  [{ date: later(0) }, 0],
  [{ date: later(-600_000) }, -600_000],
  [{ date: later(-600_000), age: '600' }, 0],
  [{ date: '5' }, undefined],
  [{}, undefined],
])('headers %j come from a clock %s ms ahead', (headers, expected) => {
  expect(dateSkewMs(headers, now)).toBe(expected)
})
