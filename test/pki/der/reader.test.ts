import { describe, expect, it } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import { type DerReader, readDer } from '../../../src/pki/der/reader.ts'
import {
  encodeBitString,
  encodeBoolean,
  encodeEnumerated,
  encodeExplicit,
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeValue,
} from '../../../src/pki/der/writer.ts'

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const read = <T>(der: Uint8Array, how: (reader: DerReader) => T): T => readDer(der, 'message', 'RFC 0', how)

/** What a refusal says. */
function refusalOf(hex: string | Uint8Array, how: (reader: DerReader) => unknown): unknown {
  try {
    read(typeof hex === 'string' ? bytes(hex) : hex, how)
  } catch (error) {
    if (!(error instanceof StapleError)) throw error
    return { code: error.code, ...error.detail }
  }
  return 'read'
}

const octets = (reader: DerReader) => reader.octetString('value')
const integer = (reader: DerReader) => reader.integer('value')
const boolean = (reader: DerReader) => reader.boolean('value')
const oid = (reader: DerReader) => reader.oid('value')
const bits = (reader: DerReader) => reader.bitStringOctets('value')
const any = (reader: DerReader) => reader.element('value')

describe('lengths', () => {
  it.each([0, 1, 127, 128, 255, 256, 65_535, 65_536, 300_000])('of %s octets are read', (length) => {
    expect(read(encodeOctetString(new Uint8Array(length)), octets)).toHaveLength(length)
  })

  it.each([
    ['the indefinite form', '04 80 01 00 00', 'ERR_DER_NOT_CANONICAL', 'a definite length'],
    ['one octet more than it takes', '04 81 01 aa', 'ERR_DER_NOT_CANONICAL', 'the shortest length'],
    ['127 in the long form', `04 81 7f ${'00'.repeat(127)}`, 'ERR_DER_NOT_CANONICAL', 'the shortest length'],
    ['a leading zero', `04 82 00 80 ${'00'.repeat(128)}`, 'ERR_DER_NOT_CANONICAL', 'the shortest length'],
    ['four leading zeros', '04 84 00 00 00 01 aa', 'ERR_DER_NOT_CANONICAL', 'the shortest length'],
    ['more than there is', '04 02 aa', 'ERR_DER_TRUNCATED', '2 octets of content'],
    ['2^32 - 1', '04 84 ff ff ff ff aa', 'ERR_DER_TRUNCATED', '4294967295 octets of content'],
    ['a count of five octets', '04 85 01 00 00 00 00', 'ERR_DER_TRUNCATED', 'a content counted in 5 octets'],
    ['a count that is cut off', '04 82 01', 'ERR_DER_TRUNCATED', '2 octets of length'],
    ['the reserved octet ff', '04 ff 01', 'ERR_DER_TRUNCATED', '127 octets of length'],
    ['no length at all', '04', 'ERR_DER_TRUNCATED', 'a length'],
  ])('are refused: %s', (_, hex, code, expected) => {
    expect(refusalOf(hex, octets)).toMatchObject({ code, expected, field: 'message.value' })
  })

  it('of an inner value must stay inside the outer one', () => {
    const how = (reader: DerReader) => reader.sequence('outer', (inner) => inner.octetString('inner'))
    expect(refusalOf('30 03 04 02 aa bb', how)).toMatchObject({
      code: 'ERR_DER_TRUNCATED',
      field: 'message.outer.inner',
    })
  })
})

describe('what is left over is refused', () => {
  it.each([
    ['after the value', '04 01 aa 00', octets, 'message', '1 more byte'],
    ['after the value, more of it', '04 01 aa 04 00', octets, 'message', '2 more bytes'],
    ['in a SEQUENCE', '30 05 02 01 01 05 00', sequenceOf(integer), 'message.list', '2 more bytes'],
    ['in an explicit tag', 'a0 05 02 01 01 05 00', explicit, 'message.tagged', '2 more bytes'],
    ['in an OCTET STRING that holds DER', '04 04 02 01 01 00', holding, 'message.held', '1 more byte'],
  ])('%s', (_, hex, how, field, found) => {
    expect(refusalOf(hex, how)).toMatchObject({ code: 'ERR_DER_TRAILING_DATA', field, found })
  })

  function sequenceOf(inner: (reader: DerReader) => unknown) {
    return (reader: DerReader) => reader.sequence('list', inner)
  }
  function explicit(reader: DerReader) {
    return reader.explicit(0, 'tagged', integer)
  }
  function holding(reader: DerReader) {
    return reader.octetStringHolding('held', 'RFC 1', integer)
  }
})

describe('tags', () => {
  it.each([
    ['another', '02 01 00', 'ERR_DER_UNEXPECTED_TAG', 'OCTET STRING', 'INTEGER'],
    ['a context tag', '80 00', 'ERR_DER_UNEXPECTED_TAG', 'OCTET STRING', '[0] primitive'],
    [
      'the constructed form of a string',
      '24 03 04 01 aa',
      'ERR_DER_NOT_CANONICAL',
      'the primitive form',
      'constructed OCTET STRING',
    ],
    [
      'text',
      Buffer.from('<html><body>').toString('hex'),
      'ERR_DER_UNEXPECTED_TAG',
      'OCTET STRING',
      'the text "<html><body>"',
    ],
    ['nothing', '', 'ERR_DER_TRUNCATED', 'OCTET STRING', 'the end'],
  ])('are refused: %s', (_, hex, code, expected, found) => {
    expect(refusalOf(hex, octets)).toMatchObject({ code, expected, found })
  })

  it.each([
    ['of more octets than one', '1f 20 00', 'ERR_DER_UNEXPECTED_TAG'],
    ['of end-of-contents', '00 00', 'ERR_DER_UNEXPECTED_TAG'],
    ['of a primitive SEQUENCE', '10 00', 'ERR_DER_UNEXPECTED_TAG'],
    ['of a primitive SET', '11 00', 'ERR_DER_UNEXPECTED_TAG'],
    ['of a constructed INTEGER', '22 00', 'ERR_DER_NOT_CANONICAL'],
    ['of a constructed UTF8String deep inside', '30 04 31 02 2c 00', 'ERR_DER_NOT_CANONICAL'],
  ])('%s are no value at all', (_, hex, code) => {
    expect(refusalOf(hex, any)).toMatchObject({ code })
  })
})

describe('depth', () => {
  const nested = (levels: number) => {
    let value = encodeSequence()
    for (let level = 1; level < levels; level++) value = encodeSequence(value)
    return value
  }

  it('of 16 levels is read', () => {
    expect(read(nested(16), any)).toEqual(nested(16))
  })

  it('of 17 levels is refused', () => {
    expect(refusalOf(nested(17), any)).toMatchObject({ code: 'ERR_DER_TOO_DEEP', expected: 'at most 16 levels' })
  })

  it('of 20,000 levels is refused without exhausting the stack', () => {
    expect(refusalOf(nested(20_000), any)).toMatchObject({ code: 'ERR_DER_TOO_DEEP' })
  })

  it('of 17 levels that a structure asks for is refused too', () => {
    const descend = (reader: DerReader): unknown =>
      reader.sequence('s', (inner) => (inner.isAtEnd ? 0 : descend(inner)))
    expect([refusalOf(nested(16), descend), refusalOf(nested(17), descend)]).toMatchObject([
      'read',
      { code: 'ERR_DER_TOO_DEEP' },
    ])
  })
})

describe('INTEGER', () => {
  it.each([
    ['02 01 00', 0n],
    ['02 01 7f', 127n],
    ['02 02 00 80', 128n],
    ['02 01 80', -128n],
    ['02 01 ff', -1n],
    ['02 02 ff 7f', -129n],
    ['02 09 00 ff ff ff ff ff ff ff ff', 2n ** 64n - 1n],
  ])('%s is read as %s', (hex, value) => {
    expect(read(bytes(hex), integer)).toBe(value)
  })

  it.each([
    ['a leading 00 too many', '02 02 00 7f', 'ERR_DER_NOT_CANONICAL'],
    ['a leading ff too many', '02 02 ff 80', 'ERR_DER_NOT_CANONICAL'],
    ['zero in two octets', '02 02 00 00', 'ERR_DER_NOT_CANONICAL'],
    ['no octets', '02 00', 'ERR_DER_VALUE'],
  ])('is refused with %s', (_, hex, code) => {
    expect(refusalOf(hex, integer)).toMatchObject({ code, field: 'message.value' })
  })

  it('and ENUMERATED are held to the same rules', () => {
    const enumerated = (reader: DerReader) => reader.enumerated('value')
    expect(read(encodeEnumerated(6), enumerated)).toBe(6n)
    expect(refusalOf('0a 02 00 06', enumerated)).toMatchObject({ code: 'ERR_DER_NOT_CANONICAL' })
    expect(refusalOf('02 01 06', enumerated)).toMatchObject({ code: 'ERR_DER_UNEXPECTED_TAG' })
  })
})

describe('BOOLEAN', () => {
  it('is ff or 00', () => {
    expect([read(encodeBoolean(true), boolean), read(encodeBoolean(false), boolean)]).toEqual([true, false])
  })

  it.each(['01', '80', 'fe'])('is refused as %s', (octet) => {
    expect(refusalOf(`01 01 ${octet}`, boolean)).toMatchObject({
      code: 'ERR_DER_NOT_CANONICAL',
      expected: 'ff or 00',
      found: octet,
    })
  })

  it.each(['01 00', '01 02 ff ff'])('is refused with another length than one: %s', (hex) => {
    expect(refusalOf(hex, boolean)).toMatchObject({ code: 'ERR_DER_VALUE', expected: '1 octet' })
  })

  it('of default FALSE is absent or TRUE, and refused when FALSE is written', () => {
    const or = (reader: DerReader) => reader.booleanOrFalse('value')
    expect([read(new Uint8Array(), or), read(encodeBoolean(true), or)]).toEqual([false, true])
    expect(refusalOf('01 01 00', or)).toMatchObject({ code: 'ERR_DER_NOT_CANONICAL', found: 'FALSE' })
  })

  it('under an implicit tag is the same, and no other tag is taken for it', () => {
    const or = (reader: DerReader) => reader.booleanOrFalse('value', 0x81)
    expect([read(new Uint8Array(), or), refusalOf('81 01 ff', or)]).toEqual([false, 'read'])
    expect(refusalOf('81 01 00', or)).toMatchObject({ code: 'ERR_DER_NOT_CANONICAL', found: 'FALSE' })
    expect(refusalOf('81 01 01', or)).toMatchObject({ code: 'ERR_DER_NOT_CANONICAL', found: '01' })
    expect(refusalOf('82 01 ff', or)).toMatchObject({ code: 'ERR_DER_TRAILING_DATA' })
  })
})

describe('NULL', () => {
  it('has no content', () => {
    const none = (reader: DerReader) => reader.null('value')
    expect(refusalOf(encodeNull(), none)).toBe('read')
    expect(refusalOf('05 01 00', none)).toMatchObject({ code: 'ERR_DER_VALUE', found: '1 octet' })
  })

  it('under an implicit tag has none either', () => {
    const good = (reader: DerReader) => reader.null('good', 0x80)
    expect(refusalOf('80 00', good)).toBe('read')
    expect(refusalOf('80 01 00', good)).toMatchObject({ code: 'ERR_DER_VALUE' })
    expect(refusalOf('a0 00', good)).toMatchObject({ code: 'ERR_DER_UNEXPECTED_TAG', found: '[0]' })
  })
})

describe('BIT STRING', () => {
  it('gives its octets without the count of unused bits', () => {
    expect(read(encodeBitString(Uint8Array.of(1, 2)), bits)).toEqual(Uint8Array.of(1, 2))
  })

  it('may be empty', () => {
    expect(read(bytes('03 01 00'), bits)).toEqual(new Uint8Array())
  })

  it('gives its unused bits where they are allowed', () => {
    const flags = (reader: DerReader) => reader.bitString('value')
    expect(read(bytes('03 02 05 a0'), flags)).toEqual({ octets: Uint8Array.of(0xa0), unusedBits: 5 })
  })

  it.each([
    ['nothing in it', '03 00', 'ERR_DER_VALUE'],
    ['eight unused bits', '03 02 08 00', 'ERR_DER_VALUE'],
    ['unused bits of no octet', '03 01 01', 'ERR_DER_VALUE'],
    ['unused bits that are set', '03 02 05 a1', 'ERR_DER_NOT_CANONICAL'],
    ['unused bits where whole octets are wanted', '03 02 05 a0', 'ERR_DER_VALUE'],
  ])('is refused with %s', (_, hex, code) => {
    expect(refusalOf(hex, bits)).toMatchObject({ code, field: 'message.value' })
  })
})

describe('OBJECT IDENTIFIER', () => {
  it('is read in dotted form', () => {
    expect(read(encodeOid('1.3.6.1.5.5.7.48.1.1'), oid)).toBe('1.3.6.1.5.5.7.48.1.1')
  })

  it.each([
    ['no arcs', '06 00', 'ERR_DER_VALUE', 'arcs that end'],
    ['an arc that does not end', '06 02 2a 86', 'ERR_DER_VALUE', 'arcs that end'],
    ['an arc with a leading zero', '06 03 2a 80 01', 'ERR_DER_NOT_CANONICAL', 'arcs in the fewest octets'],
    ['129 octets', `06 81 81 ${'2a'.repeat(129)}`, 'ERR_DER_VALUE', 'at most 128 octets'],
  ])('is refused with %s', (_, hex, code, expected) => {
    expect(refusalOf(hex, oid)).toMatchObject({ code, expected, clause: 'X.690 §8.19' })
  })
})

describe('text', () => {
  const uri = (reader: DerReader) => reader.ascii(0x86, 'value')

  it('is ASCII', () => {
    expect(read(encodeValue(0x86, new TextEncoder().encode('http://a/')), uri)).toBe('http://a/')
    expect(refusalOf('86 01 80', uri)).toMatchObject({ code: 'ERR_DER_VALUE', expected: 'ASCII', found: '80' })
  })
})

describe('times', () => {
  const time = (reader: DerReader) => reader.time('value')
  const generalized = (reader: DerReader) => reader.generalizedTime('value')
  const of = (tag: number, text: string) => encodeValue(tag, new TextEncoder().encode(text))

  it.each([
    [0x17, '491231235959Z', '2049-12-31T23:59:59.000Z'],
    [0x17, '500101000000Z', '1950-01-01T00:00:00.000Z'],
    [0x18, '20500101000000Z', '2050-01-01T00:00:00.000Z'],
  ])('of certificates are read: %s %s', (tag, text, iso) => {
    expect(read(of(tag, text), time).toISOString()).toBe(iso)
  })

  it.each(['20260231000000Z', '20261301000000Z', '20260601000000.5Z', '20260601000000+0100', '202606010000Z'])(
    'are refused as they were found: %s',
    (text) => {
      expect(refusalOf(of(0x18, text), generalized)).toEqual({
        code: 'ERR_DER_VALUE',
        field: 'message.value',
        expected: 'a real date as YYYYMMDDHHMMSSZ',
        found: text,
        clause: 'RFC 5280 §4.1.2.5.2',
      })
    },
  )

  it('of responses are not read as UTCTime', () => {
    expect(refusalOf(of(0x17, '260601000000Z'), generalized)).toMatchObject({ code: 'ERR_DER_UNEXPECTED_TAG' })
  })

  it('that are no text are shown in hex', () => {
    expect(refusalOf(of(0x18, '\0\u0001'), generalized)).toMatchObject({ found: '0001' })
  })

  it('that are empty are shown so', () => {
    expect(refusalOf(of(0x18, ''), generalized)).toMatchObject({ found: '(empty)' })
  })
})

describe('a reader', () => {
  it('names the element that it refuses', () => {
    const list = (reader: DerReader) =>
      reader.sequence('outer', (o) => o.sequenceOf('list', (e) => e.sequence('', integer)))
    const der = encodeSequence(encodeSequence(encodeSequence(encodeInteger(1n)), encodeSequence(encodeNull())))
    expect(refusalOf(der, list)).toMatchObject({ field: 'message.outer.list[1].value' })
  })

  it('refuses more elements than its limit, with the error of the limit', () => {
    const exceeded = (field: string) =>
      new StapleError('ERR_OCSP_TOO_LARGE', 'too many', { field, expected: '2', found: 'more', clause: 'RFC 0' })
    const how = (reader: DerReader) => reader.sequenceOf('list', integer, { most: 2, exceeded })
    const list = (count: number) => encodeSequence(...Array.from({ length: count }, () => encodeInteger(1n)))
    expect(read(list(2), how)).toHaveLength(2)
    expect(refusalOf(list(3), how)).toMatchObject({ code: 'ERR_OCSP_TOO_LARGE', field: 'message.list' })
  })

  it('goes on behind a value that it has read', () => {
    const two = read(encodeSequence(encodeExplicit(1, encodeInteger(5n)), encodeNull()), (reader) =>
      reader.sequence('outer', (inner) => {
        const absent = inner.optionalExplicit(0, 'absent', integer)
        const present = inner.optionalExplicit(1, 'present', integer)
        inner.null('last')
        return [absent, present]
      }),
    )
    expect(two).toEqual([undefined, 5n])
  })

  it('peeks without moving', () => {
    const der = encodeInteger(5n)
    expect(read(der, (reader) => [reader.peek('next'), reader.integer('next')])).toEqual([der, 5n])
  })

  it('hands out slices of its input', () => {
    const der = encodeOctetString(Uint8Array.of(1, 2))
    expect(read(der, octets).buffer).toBe(der.buffer)
  })

  it('keeps what its callback throws', () => {
    const mistake = new RangeError('not ours')
    expect(() =>
      read(encodeNull(), () => {
        throw mistake
      }),
    ).toThrow(mistake)
  })
})
