/** What single values mean, and what is said of those that mean nothing. */
import { describe, expect, it } from 'vitest'
import { count, duration, flag, oneOf, path, size, text } from '../../../src/run/config/scalar.ts'
import { readAs } from '../../kit/configuration.ts'

const ms = (milliseconds: number) => ({ value: milliseconds })
const hint = (pattern: RegExp | string) => ({
  problem: { hint: typeof pattern === 'string' ? pattern : expect.stringMatching(pattern) },
})

describe('a duration', () => {
  const any = duration({ least: 0, most: 86_400_000 * 400 })
  it.each([
    ['"5s"', 5_000],
    ['5s', 5_000],
    ['500ms', 500],
    ["'1h30m'", 5_400_000],
    ['1h30m', 5_400_000],
    ['5m', 300_000],
    ['12h', 43_200_000],
    ['"1.5h"', 5_400_000],
    ['10d', 864_000_000],
    ['"1m30.5s"', 90_500],
    ['"500us"', 1],
    ['"0"', 0],
    ['"0s"', 0],
  ])('%s', async (written, expected) => {
    expect(await readAs(any, written)).toEqual(ms(expected))
  })

  it.each([
    ['5', 'write "5s" if seconds were meant'],
    ['"5"', 'write "5s" if seconds were meant'],
    ['1.5', 'write "1.5s" if seconds were meant'],
    ['5k', /number and its unit/],
    ['5M', /number and its unit/],
    ['"5 s"', /number and its unit/],
    ['"5 minutes"', /number and its unit/],
    ['"-5s"', /zero or more/],
    ['-5', 'write "-5s" if seconds were meant'],
    ['true', /number and its unit/],
    ['[5s]', /number and its unit/],
    ['""', /number and its unit/],
  ])('%s is refused', async (written, advice) => {
    expect(await readAs(any, written)).toMatchObject(hint(advice))
  })

  it('is kept within its bounds', async () => {
    const bounded = duration({ least: 1_000, most: 60_000 })
    expect(await readAs(bounded, '999ms')).toMatchObject({
      problem: { summary: 'too short', hint: 'the least is 1s', expected: expect.stringMatching(/from 1s to 1m/) },
    })
    expect(await readAs(bounded, '61s')).toMatchObject({ problem: { summary: 'too long', hint: 'the most is 1m' } })
    expect(await readAs(bounded, '60s')).toEqual(ms(60_000))
  })

  it('may be a number of seconds where nats-server means it', async () => {
    const seconds = duration({ least: 0, most: 60_000, isSecondsAllowed: true })
    expect(await readAs(seconds, '5')).toEqual(ms(5_000))
    expect(await readAs(seconds, '0.5')).toEqual(ms(500))
    expect(await readAs(seconds, '"5s"')).toEqual(ms(5_000))
    expect(await readAs(seconds, '-1')).toMatchObject({ problem: { summary: 'negative' } })
  })
})

describe('a count', () => {
  it.each([
    ['64k', 64_000],
    ['0', 0],
    ['1kib', 1024],
  ])('%s', async (written, value) => {
    expect(await readAs(count(0, 100_000), written)).toEqual({ value })
  })

  it.each([
    ['-1', 'too small', 'the least is 0'],
    ['1m', 'too large', 'the most is 100000'],
    ['9eb', "'9eb' does not fit into 64 bits", /key: value/],
    ['"5"', 'a text, not a number', 'write it without quotes'],
    ['5.5', 'not a whole number', /digits/],
    ['many', 'not a whole number', /digits/],
  ])('%s is refused', async (written, summary, advice) => {
    expect(await readAs(count(0, 100_000), written)).toMatchObject({
      problem: { summary, hint: typeof advice === 'string' ? advice : expect.stringMatching(advice) },
    })
  })
})

it('a size counts bytes', async () => {
  expect(await readAs(size(1, 65_536), '64kb')).toEqual({ value: 65_536 })
})

describe('a text', () => {
  it('is what stands there', async () => {
    expect(await readAs(text, 'x')).toEqual({ value: 'x' })
    expect(await readAs(path, '"/a b/c"')).toEqual({ value: '/a b/c' })
  })

  it.each([
    ['5', 'put quotes around it: "5"'],
    ['true', 'put quotes around it: "true"'],
    ['""', 'write a value, or leave the key out'],
    ['[a]', 'write one text'],
  ])('is not %s', async (written, advice) => {
    expect(await readAs(text, written)).toMatchObject(hint(advice))
  })

  it('that is a path has one line', async () => {
    expect(await readAs(path, '(\n/etc/x\n)')).toMatchObject({ problem: { summary: 'a path on several lines' } })
  })
})

describe('a flag', () => {
  it.each([
    ['true', true],
    ['YES', true],
    ['on', true],
    ['false', false],
    ['No', false],
    ['off', false],
  ])('%s', async (written, value) => {
    expect(await readAs(flag, written)).toEqual({ value })
  })

  it('has no quotes', async () => {
    expect(await readAs(flag, '"true"')).toMatchObject(hint(/without quotes/))
    expect(await readAs(flag, '1')).toMatchObject(hint(/true, yes, on/))
  })
})

describe('one of some words', () => {
  const mode = oneOf('auto', 'must', 'always', 'never')
  it('is taken in upper or lower case', async () => {
    expect(await readAs(mode, 'MUST')).toEqual({ value: 'must' })
  })

  it.each([
    ['mast', 'did you mean must?'],
    ['alway', 'did you mean always?'],
    ['xyzzy', 'write auto, must, always or never'],
    ['off', 'write never'],
    ['5', 'write auto, must, always or never'],
  ])('%s is refused', async (written, advice) => {
    expect(await readAs(mode, written)).toMatchObject(hint(advice))
  })
})
