import { execFile } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DerReader, readDer } from '../../../src/pki/der/reader.ts'
import {
  encodeBitString,
  encodeBoolean,
  encodeEnumerated,
  encodeExplicit,
  encodeGeneralizedTime,
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeValue,
} from '../../../src/pki/der/writer.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const back = <T>(der: Uint8Array, how: (reader: DerReader) => T): T => readDer(der, 'value', 'X.690', how)

describe('writes', () => {
  it.each([
    ['zero', encodeInteger(0n), '020100'],
    ['128 with a leading zero', encodeInteger(128n), '02020080'],
    ['-128 in one octet', encodeInteger(-128n), '020180'],
    ['-129 in two', encodeInteger(-129n), '0202ff7f'],
    ['an ENUMERATED', encodeEnumerated(6), '0a0106'],
    ['TRUE as ff', encodeBoolean(true), '0101ff'],
    ['FALSE', encodeBoolean(false), '010100'],
    ['NULL', encodeNull(), '0500'],
    ['an OID', encodeOid('1.3.6.1.5.5.7.48.1.2'), '06092b0601050507300102'],
    ['a BIT STRING of whole octets', encodeBitString(Uint8Array.of(0xaa)), '030200aa'],
    ['an empty SEQUENCE', encodeSequence(), '3000'],
    ['an explicit tag', encodeExplicit(3, encodeNull()), 'a3020500'],
    ['a time', encodeGeneralizedTime(new Date('2026-06-15T12:00:00Z')), '180f32303236303631353132303030305a'],
  ])('%s', (_, der, expected) => {
    expect(hex(der)).toBe(expected)
  })

  it('a SEQUENCE without what is absent', () => {
    expect(hex(encodeSequence(undefined, encodeNull(), undefined))).toBe('30020500')
  })

  it.each([
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [65_536, '0483010000'],
  ])('the length %s in the fewest octets', (length, header) => {
    expect(hex(encodeOctetString(new Uint8Array(length)).subarray(0, header.length / 2))).toBe(header)
  })
})

describe('what is written reads back', () => {
  const options = { seed: 1, numRuns: 500 }

  it('as the INTEGER it was', () => {
    const integers = fc.oneof(
      fc.bigInt({ min: -(2n ** 170n), max: 2n ** 170n }),
      fc.bigInt({ min: -70_000n, max: 70_000n }),
    )
    fc.assert(
      fc.property(integers, (value) => {
        expect(back(encodeInteger(value), (reader) => reader.integer(''))).toBe(value)
      }),
      options,
    )
  })

  it('as the octets they were', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (octets) => {
        expect(back(encodeOctetString(octets), (reader) => reader.octetString(''))).toEqual(octets)
        expect(back(encodeBitString(octets), (reader) => reader.bitStringOctets(''))).toEqual(octets)
      }),
      options,
    )
  })

  it('as the time it was, to the second', () => {
    const dates = fc.date({
      min: new Date('1950-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(dates, (date) => {
        const time = back(encodeGeneralizedTime(date), (reader) => reader.generalizedTime(''))
        expect(time.getTime()).toBe(Math.floor(date.getTime() / 1000) * 1000)
      }),
      options,
    )
  })

  it('as one value, whatever is nested in it', () => {
    const { value } = fc.letrec<{ value: Uint8Array }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.uint8Array({ maxLength: 200 }).map(encodeOctetString),
        fc.bigInt().map(encodeInteger),
        fc.array(tie('value'), { maxLength: 5 }).map((values) => encodeSequence(...values)),
        tie('value').map((inner) => encodeExplicit(1, inner)),
        fc.uint8Array({ maxLength: 5 }).map((content) => encodeValue(0x82, content)),
      ),
    }))
    fc.assert(
      fc.property(value, (der) => {
        expect(back(der, (reader) => reader.element(''))).toEqual(der)
      }),
      options,
    )
  })
})

it('openssl reads what is written', async () => {
  const der = encodeSequence(
    encodeInteger(-129n),
    encodeOid('1.3.6.1.5.5.7.48.1.1'),
    encodeBoolean(true),
    encodeExplicit(0, encodeGeneralizedTime(new Date('2026-06-15T12:00:00Z'))),
    encodeOctetString(new Uint8Array(300)),
  )
  const printed = await new Promise<string>((resolve, reject) => {
    const child = execFile('openssl', ['asn1parse', '-inform', 'DER'], (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    )
    child.stdin?.end(der)
  })
  const values = printed.split('\n').map((line) =>
    line
      .replace(/^.*(?:prim|cons): /, '')
      .replaceAll(/\s+/g, ' ')
      .trim(),
  )
  expect(values.map((line) => line.replace(/(\[HEX DUMP\]:).*/, '$1'))).toEqual([
    'SEQUENCE',
    'INTEGER :-81',
    'OBJECT :Basic OCSP Response',
    'BOOLEAN :255',
    'cont [ 0 ]',
    'GENERALIZEDTIME :20260615120000Z',
    'OCTET STRING [HEX DUMP]:',
    '',
  ])
})
