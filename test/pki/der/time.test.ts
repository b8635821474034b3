import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatGeneralizedTime, formatTime, parseGeneralizedTime, parseUtcTime } from '../../../src/pki/der/time.ts'

const octets = (text: string) => new TextEncoder().encode(text)
const generalized = (text: string) => parseGeneralizedTime(octets(text), 0, text.length)
const utc = (text: string) => parseUtcTime(octets(text), 0, text.length)

const seconds = fc
  .date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => new Date(Math.floor(date.getTime() / 1000) * 1000))

describe('GeneralizedTime', () => {
  it('reads back every second that it can write', () => {
    fc.assert(
      fc.property(seconds, (date) => {
        expect(generalized(formatGeneralizedTime(date))).toEqual(date)
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  it('accepts of all texts only what it would write itself', () => {
    const digits = fc.stringMatching(/^(19|20)\d\d[01]\d[0-3]\d[0-2]\d[0-5]\d[0-6]\dZ$/)
    fc.assert(
      fc.property(digits, (text) => {
        const date = generalized(text)
        if (date !== undefined) expect(formatGeneralizedTime(date)).toBe(text)
      }),
      { seed: 1, numRuns: 2000 },
    )
  })

  it.each([
    ['20260615120000Z', '2026-06-15T12:00:00.000Z'],
    ['20240229235959Z', '2024-02-29T23:59:59.000Z'],
    ['20000229000000Z', '2000-02-29T00:00:00.000Z'],
    ['00010101000000Z', '0001-01-01T00:00:00.000Z'],
    ['99991231235959Z', '9999-12-31T23:59:59.000Z'],
  ])('reads %s', (text, iso) => {
    expect(generalized(text)?.toISOString()).toBe(iso)
  })

  it.each([
    ['February 31', '20260231000000Z'],
    ['February 29 of no leap year', '20260229000000Z'],
    ['February 29 of a century', '21000229000000Z'],
    ['April 31', '20260431000000Z'],
    ['day 0', '20260600000000Z'],
    ['day 32', '20260132000000Z'],
    ['month 13', '20261301000000Z'],
    ['month 0', '20260001000000Z'],
    ['hour 24', '20260615240000Z'],
    ['minute 60', '20260615126000Z'],
    ['a leap second', '20261231235960Z'],
    ['no seconds', '202606151200Z'],
    ['a fraction', '20260615120000.5Z'],
    ['an offset', '20260615120000+0100'],
    ['an offset of nothing', '20260615120000+0000'],
    ['local time', '20260615120000'],
    ['a small z', '20260615120000z'],
    ['local time of the right length', '202606151200000'],
    ['a space for a digit', '20260615 20000Z'],
    ['a sign for a digit', '-0260615120000Z'],
    ['an octet after digits', '2026061512000:Z'],
    ['UTCTime', '260615120000Z'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(generalized(text)).toBeUndefined()
  })
})

describe('UTCTime', () => {
  it.each([
    ['491231235959Z', '2049-12-31T23:59:59.000Z'],
    ['500101000000Z', '1950-01-01T00:00:00.000Z'],
    ['000229000000Z', '2000-02-29T00:00:00.000Z'],
    ['991231235959Z', '1999-12-31T23:59:59.000Z'],
  ])('reads %s as %s', (text, iso) => {
    expect(utc(text)?.toISOString()).toBe(iso)
  })

  it.each([
    ['February 30', '260230000000Z'],
    ['month 13', '261301000000Z'],
    ['no seconds', '2606151200Z'],
    ['an offset', '260615120000+0100'],
    ['GeneralizedTime', '20260615120000Z'],
    ['letters', 'xx0615120000Z'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(utc(text)).toBeUndefined()
  })
})

describe('a time in a longer message', () => {
  it('is read from its own octets alone', () => {
    const text = '9920260615120000Z99'
    expect(parseGeneralizedTime(octets(text), 2, 17)?.toISOString()).toBe('2026-06-15T12:00:00.000Z')
  })
})

describe('formatGeneralizedTime', () => {
  it('cuts off what is less than a second', () => {
    expect(formatGeneralizedTime(new Date('2026-06-15T12:00:00.999Z'))).toBe('20260615120000Z')
  })
})

describe('formatTime', () => {
  it('shows whole seconds without milliseconds, and others with them', () => {
    expect(formatTime(new Date('2026-01-02T00:00:00Z'))).toBe('2026-01-02T00:00:00Z')
    expect(formatTime(new Date('2026-01-02T00:00:00.250Z'))).toBe('2026-01-02T00:00:00.250Z')
  })
})
