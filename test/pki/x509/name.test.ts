import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { joinBytes } from '../../../src/pki/der/bytes.ts'
import { encodeInteger, encodeOid, encodeSequence, encodeValue } from '../../../src/pki/der/writer.ts'
import { formatName, isSameName } from '../../../src/pki/x509/name.ts'
import { createAuthority } from '../../kit/authority.ts'
import { forgeCertificate } from '../forge.ts'

const utf8 = 0x0c
const printable = 0x13
const teletex = 0x14
const ia5 = 0x16
const bmp = 0x1e

const text = (value: string) => new TextEncoder().encode(value)

function attribute(oid: string, value: string | Uint8Array, tag = utf8): Uint8Array {
  return encodeSequence(encodeOid(oid), encodeValue(tag, typeof value === 'string' ? text(value) : value))
}

const relative = (...attributes: Uint8Array[]) => encodeValue(0x31, joinBytes(attributes))

/** A Name of one attribute each. */
const nameOf = (...attributes: Uint8Array[]) => encodeSequence(...attributes.map((one) => relative(one)))

const commonName = (value: string | Uint8Array, tag?: number) => nameOf(attribute('2.5.4.3', value, tag))

describe('formatName', () => {
  it('shows the most specific part first', () => {
    const name = nameOf(attribute('2.5.4.6', 'DE'), attribute('2.5.4.10', 'Example'), attribute('2.5.4.3', 'localhost'))
    expect(formatName(name)).toBe('CN=localhost,O=Example,C=DE')
  })

  it('shows an empty name as nothing', () => {
    expect(formatName(encodeSequence())).toBe('')
  })

  it('joins the attributes of one part by +', () => {
    expect(formatName(encodeSequence(relative(attribute('2.5.4.3', 'a'), attribute('2.5.4.11', 'b'))))).toBe(
      'CN=a+OU=b',
    )
  })

  it('shows types without a name as their OID', () => {
    expect(formatName(nameOf(attribute('1.2.3.4', 'x')))).toBe('1.2.3.4=x')
  })

  it.each([
    ['a comma and quotes', 'Ex, "Ample"', 'Ex\\, \\"Ample\\"'],
    ['all that separate', '\\+<>;=', '\\\\\\+\\<\\>\\;\\='],
    ['spaces at both ends', ' a ', '\\ a\\ '],
    ['a # in front', '#a#', '\\#a#'],
    ['a line end', 'a\nb', 'a\\0ab'],
    ['an escape sequence of a terminal', '\u001b[2Jx', '\\1b[2Jx'],
    ['a NUL', 'bank\0.example', 'bank\\00.example'],
    ['what reverses text', 'a\u202eb', 'a\\e2\\80\\aeb'],
    ['letters of other alphabets', 'Zürich 東京', 'Zürich 東京'],
    ['nothing', '', ''],
  ])('escapes %s', (_, value, shown) => {
    expect(formatName(commonName(value))).toBe(`CN=${shown}`)
  })

  it.each([
    ['PrintableString', printable, text('Example')],
    ['IA5String', ia5, text('Example')],
    ['TeletexString', teletex, text('Example')],
    ['BMPString', bmp, Uint8Array.from([...'Example'].flatMap((letter) => [0, letter.charCodeAt(0)]))],
  ])('reads a %s', (_, tag, octets) => {
    expect(formatName(commonName(octets, tag))).toBe('CN=Example')
  })

  it('reads a TeletexString as Latin-1, as everybody writes it', () => {
    expect(formatName(commonName(Uint8Array.of(0x5a, 0xfc), teletex))).toBe('CN=Zü')
  })

  it.each([
    ['octets that are no UTF-8', commonName(Uint8Array.of(0xc3, 0x28)), 'CN=#c328'],
    ['half a character of a BMPString', commonName(Uint8Array.of(0, 0x41, 0), bmp), 'CN=#004100'],
    ['a value that is no string', nameOf(encodeSequence(encodeOid('2.5.4.3'), encodeInteger(5n))), 'CN=#020105'],
  ])('shows %s in hex', (_, name, shown) => {
    expect(formatName(name)).toBe(shown)
  })

  it('shows what node:crypto shows of ordinary names', async () => {
    const { intermediate } = await createAuthority()
    const { subject, issuer } = new X509Certificate(intermediate.der)
    const reversed = (lines: string) => lines.split('\n').reverse().join(',')
    expect(formatName(intermediate.certificate.subject)).toBe(reversed(subject))
    expect(formatName(intermediate.certificate.issuer)).toBe(reversed(issuer))
  })

  it.each([
    ['what is no name', Uint8Array.of(2, 1, 0), 'ERR_DER_UNEXPECTED_TAG'],
    ['an attribute without a value', nameOf(encodeSequence(encodeOid('2.5.4.3'))), 'ERR_DER_TRUNCATED'],
    ['bytes after it', joinBytes([encodeSequence(), Uint8Array.of(0)]), 'ERR_DER_TRAILING_DATA'],
  ])('refuses %s', (_, name, code) => {
    expect(() => formatName(name)).toThrow(expect.objectContaining({ code }))
  })
})

describe('isSameName says yes to', () => {
  const name = commonName('Example CA')

  it.each([
    ['the same bytes', commonName('Example CA')],
    ['another string type', commonName('Example CA', printable)],
    ['another case', commonName('EXAMPLE ca')],
    ['other white space', commonName('  Example   CA ')],
    ['another form of the same letters', commonName('Ｅxample CA')],
  ])('%s', (_, other) => {
    expect(isSameName(name, other)).toBe(true)
  })

  it('another order of the attributes of one part', () => {
    const [one, two] = [attribute('2.5.4.3', 'a'), attribute('2.5.4.11', 'b')]
    expect(isSameName(encodeSequence(relative(one, two)), encodeSequence(relative(two, one)))).toBe(true)
  })
})

describe('isSameName says no to', () => {
  const [common, unit] = [attribute('2.5.4.3', 'a'), attribute('2.5.4.11', 'b')]

  it.each([
    ['another text', commonName('a'), commonName('b')],
    ['a text that goes on after a NUL', commonName('a'), commonName('a\0b')],
    ['another type of attribute', commonName('a'), nameOf(attribute('2.5.4.10', 'a'))],
    ['another order of parts', nameOf(common, unit), nameOf(unit, common)],
    ['one part of two attributes and two parts', encodeSequence(relative(common, unit)), nameOf(common, unit)],
    ['a name that only begins so', nameOf(common), nameOf(common, unit)],
    ['an empty name', nameOf(common), encodeSequence()],
    ['two values in no encoding', commonName(Uint8Array.of(0xff)), commonName(Uint8Array.of(0xfe))],
    ['a text that quotes the other structure', commonName('a","2.5.4.3=b'), nameOf(common, attribute('2.5.4.3', 'b'))],
    ['bytes that are no name', nameOf(common), Uint8Array.of(0x30, 5)],
  ])('%s', (_, one, other) => {
    expect([isSameName(one, other), isSameName(other, one)]).toEqual([false, false])
  })

  it('two different things of which neither is a name', () => {
    expect(isSameName(Uint8Array.of(0x30, 5), Uint8Array.of(0x30, 6))).toBe(false)
  })
})

it('the name in a certificate is the one it was made with', () => {
  const subject = commonName('ümlaut')
  const shown = new X509Certificate(forgeCertificate({ subject })).subject
  expect(shown).toBe(formatName(subject))
})
