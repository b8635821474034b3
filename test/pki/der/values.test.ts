import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatInteger, formatOctets, formatOid, parseOid, readInteger } from '../../../src/pki/der/values.ts'

const reading = (octets: Uint8Array) => formatOid(octets, 0, octets.length)

describe('readInteger', () => {
  it('reads octets of any count as the complement of two', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 24 }), (octets) => {
        const expected = BigInt.asIntN(8 * octets.length, BigInt(`0x${Buffer.from(octets).toString('hex')}`))
        expect(readInteger(octets, 0, octets.length)).toBe(expected)
      }),
      { seed: 1, numRuns: 1000 },
    )
  })

  it('reads only its own octets of a longer message', () => {
    expect(readInteger(Uint8Array.of(9, 1, 0, 9), 1, 3)).toBe(256n)
  })
})

describe('formatInteger', () => {
  it.each([
    [0n, '0'],
    [-5n, '-5'],
    [2n ** 63n - 1n, '9223372036854775807'],
    [2n ** 200n, 'a number of about 204 bits'],
    [-(2n ** 200n), 'a number of about 204 bits'],
  ])('shows %s as %s', (value, text) => {
    expect(formatInteger(value)).toBe(text)
  })
})

describe('formatOctets', () => {
  it('knows one from many', () => {
    expect([formatOctets(0), formatOctets(1), formatOctets(2)]).toEqual(['0 octets', '1 octet', '2 octets'])
  })
})

describe('object identifiers', () => {
  it('read back what was written, whatever the arcs', () => {
    const arc = fc.bigInt({ min: 0n, max: 2n ** 70n })
    const dotted = fc
      .tuple(fc.nat(2), arc, fc.array(arc, { maxLength: 8 }))
      .map(([root, second, rest]) => [root, root < 2 ? second % 40n : second, ...rest].join('.'))
    fc.assert(
      fc.property(dotted, (text) => {
        expect(reading(parseOid(text)).text).toBe(text)
      }),
      { seed: 1, numRuns: 1000 },
    )
  })

  it('accept of all octets only what they would write themselves', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (octets) => {
        const { text } = reading(octets)
        if (text !== undefined) expect(parseOid(text)).toEqual(octets)
      }),
      { seed: 1, numRuns: 2000 },
    )
  })

  it.each([
    ['0.0', '00'],
    ['0.39', '27'],
    ['1.0', '28'],
    ['1.39', '4f'],
    ['2.0', '50'],
    ['2.999', '8837'],
    ['1.2.840.113549.1.1.11', '2a864886f70d01010b'],
    ['2.5.29.15', '551d0f'],
    // Around the largest arc that a number holds.
    ['2.5.9007199254740991', '558fffffffffffff7f'],
    ['2.5.9007199254740992', '559080808080808000'],
    // A UUID as one arc, as ITU-T X.667 has it.
    ['2.25.329800735698586629295641978511506172918', '6983f09da7ebcfdee0c7a1a7b2c0948cc8f9d776'],
  ])('%s is %s', (text, hex) => {
    const octets = new Uint8Array(Buffer.from(hex, 'hex'))
    expect([reading(octets).text, Buffer.from(parseOid(text)).toString('hex')]).toEqual([text, hex])
  })

  it('read the second time what they read the first, when two share a place of memory', () => {
    const all = Array.from({ length: 600 }, (_, arc) => `1.2.3.${arc}`)
    for (const text of [...all, ...all]) expect(reading(parseOid(text)).text).toBe(text)
  })

  it('are not remembered wrongly when the octets that were read change afterwards', () => {
    // 3 * 31 + 35 = 4 * 31 + 4: both fall on the same place of memory.
    const octets = parseOid('1.2.3.35')
    expect(reading(octets).text).toBe('1.2.3.35')
    octets.set([4, 4], 1)
    expect(reading(octets).text).toBe('1.2.4.4')
  })

  it.each(['', '1', '1.', '3.1', '0.40', '1.40', '1.02', '1.2.', '1.-2', '1.a', ' 1.2'])(
    'are not written from %j, by TypeError',
    (text) => {
      expect(() => parseOid(text)).toThrow(new TypeError(`not a dotted OID: ${text}`))
    },
  )
})
