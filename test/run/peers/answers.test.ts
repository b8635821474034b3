/** What is held of what CAs said: bounded, and revocations the longest. */
import { describe, expect, test } from 'vitest'
import { createHeldResponses, type HeldResponse } from '../../../src/run/peers/answers.ts'

const start = Date.UTC(2026, 0, 1)
const day = 86_400_000
const held = (certStatus: HeldResponse['certStatus'] = 'good', usableUntil = new Date(start)): HeldResponse => {
  return { subject: 'CN=x', cachedAt: new Date(start), certStatus, usableUntil, der: new Uint8Array() }
}

test('counts what is held by what it says', () => {
  const responses = createHeldResponses()
  responses.put('a', held())
  responses.put('b', held('revoked'))
  responses.put('a', held('unknown'))
  expect([responses.size, responses.count('good'), responses.count('revoked'), responses.count('unknown')]).toEqual([
    2, 0, 1, 1,
  ])
  responses.drop('b')
  responses.drop('b')
  expect([responses.size, responses.count('revoked')]).toEqual([1, 0])
})

describe('when it is full', () => {
  test('the least recently used goes', () => {
    const responses = createHeldResponses(2)
    responses.put('a', held())
    responses.put('b', held())
    responses.find('a')
    responses.put('c', held())
    expect([...responses.entries()].map(([key]) => key)).toEqual(['a', 'c'])
  })

  test('and revoked ones go last: a flood of new certificates pushes none of them out', () => {
    const responses = createHeldResponses(100)
    responses.put('revoked', held('revoked'))
    for (let index = 0; index < 1_000; index++) responses.put(`flood ${index}`, held())
    expect(responses.find('revoked')).toBeDefined()
    expect(responses.size).toBe(100)
  })

  test('of revoked ones alone the oldest goes', () => {
    const responses = createHeldResponses(2)
    for (const key of ['a', 'b', 'c']) responses.put(key, held('revoked'))
    expect(responses.find('a')).toBeUndefined()
    expect(responses.size).toBe(2)
  })
})

describe('a sweep', () => {
  const filled = () => {
    const responses = createHeldResponses()
    responses.put('old', held('good'))
    responses.put('old revoked', held('revoked'))
    responses.put('new', held('good', new Date(start + 2 * day)))
    return responses
  }
  const keysOf = (responses: ReturnType<typeof filled>) => [...responses.entries()].map(([key]) => key)

  test('leaves what ended within a day', () => {
    const responses = filled()
    const { version } = responses
    responses.sweep(new Date(start + day), false)
    expect(responses.size).toBe(3)
    expect(responses.version).toBe(version)
  })

  test('drops what ended longer ago, and revocations only where they are not preserved', () => {
    const responses = filled()
    responses.sweep(new Date(start + day + 1), true)
    expect(keysOf(responses)).toEqual(['old revoked', 'new'])
    responses.sweep(new Date(start + day + 1), false)
    expect(keysOf(responses)).toEqual(['new'])
  })
})
