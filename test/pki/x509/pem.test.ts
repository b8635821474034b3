import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import { parsePemCertificates } from '../../../src/pki/x509/pem.ts'
import { forgeCa, forgeCertificate, forgeDelegate, key } from '../forge.ts'

const leaf = forgeCertificate()
const intermediate = forgeCa('Forged Intermediate', key('intermediate'))
const delegate = forgeDelegate()

function pem(der: Uint8Array, label = 'CERTIFICATE', width = 64): string {
  const rows =
    Buffer.from(der)
      .toString('base64')
      .match(new RegExp(`.{1,${width}}`, 'g')) ?? []
  return `-----BEGIN ${label}-----\n${rows.join('\n')}\n-----END ${label}-----\n`
}

const parsed = (text: string | Uint8Array) => parsePemCertificates(text).map(({ der }) => Buffer.from(der))
const bytes = (...ders: Uint8Array[]) => ders.map((der) => Buffer.from(der))

/** What a refusal says. */
function refusalOf(text: string | Uint8Array): unknown {
  try {
    parsePemCertificates(text)
  } catch (error) {
    if (!(error instanceof StapleError)) throw error
    const { field, expected, found } = error.detail as { field: string; expected: string; found: string }
    return { code: error.code, field, expected, found }
  }
  return 'parsed'
}

const refused = (field: string, expected: string, found: string) => ({ code: 'ERR_X509_PEM', field, expected, found })
const noneFound = (found: string) => refused('pem', '-----BEGIN CERTIFICATE-----', found)

describe('parses', () => {
  it.each([
    ['leaf first', [leaf, intermediate, delegate]],
    ['leaf last', [delegate, intermediate, leaf]],
    ['one twice', [leaf, leaf]],
  ])('a bundle in the order it has: %s', (_, ders) => {
    expect(parsed(ders.map((der) => pem(der)).join(''))).toEqual(bytes(...ders))
  })

  it.each([
    ['CRLF', '\r\n'],
    ['CR alone', '\r'],
  ])('lines that end in %s', (_, ending) => {
    expect(parsed((pem(leaf) + pem(intermediate)).replaceAll('\n', ending))).toEqual(bytes(leaf, intermediate))
  })

  it('text before, between and after the blocks', () => {
    const text = `Bag Attributes\n  friendlyName: x\nsubject=CN = a -----\n${pem(leaf)}\n# the CA:\n${pem(intermediate)}# end`
    expect(parsed(text)).toEqual(bytes(leaf, intermediate))
  })

  it('bytes whose comments are in no encoding', () => {
    expect(parsed(Buffer.concat([Buffer.of(0xff, 0xfe, 0x0a), Buffer.from(pem(leaf))]))).toEqual(bytes(leaf))
  })

  it('what other programs wrote: a byte order mark in front', () => {
    expect(parsed(`\ufeff# comment\n${pem(leaf)}`)).toEqual(bytes(leaf))
    expect(parsed(`\ufeff${pem(leaf)}`)).toEqual(bytes(leaf))
    expect(parsed(Buffer.from(`\ufeff${pem(leaf)}`))).toEqual(bytes(leaf))
  })

  it('past keys, parameters and other blocks', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const others = [
      privateKey.export({ format: 'pem', type: 'pkcs8' }),
      privateKey.export({ format: 'pem', type: 'sec1' }),
      privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'secret' }),
      pem(Uint8Array.of(6, 8, 42, 134, 72, 206, 61, 3, 1, 7), 'EC PARAMETERS'),
      '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n',
      pem(leaf, 'TRUSTED CERTIFICATE'),
    ]
    expect(parsed(others.join('') + pem(leaf) + others.join(''))).toEqual(bytes(leaf))
  })

  it('the old label X509 CERTIFICATE', () => {
    expect(parsed(pem(leaf, 'X509 CERTIFICATE'))).toEqual(bytes(leaf))
  })

  it.each([76, 1, 100_000])('rows of %s characters', (width) => {
    expect(parsed(pem(leaf, 'CERTIFICATE', width))).toEqual(bytes(leaf))
  })

  it('rows with white space around them, and no end of line at the end', () => {
    const text = pem(leaf).trimEnd().split('\n')
    const indented = text.map((row) => (row.startsWith('-') ? `${row} \t` : `  ${row}\t`)).join('\n')
    expect(parsed(indented)).toEqual(bytes(leaf))
  })
})

describe('refuses', () => {
  it.each([
    ['an empty text', '', 'an empty text'],
    ['white space', ' \n\n', 'an empty text'],
    ['garbage', 'not a certificate', 'no PEM block'],
    ['a path', '/etc/ssl/server.pem', 'what looks like the name of a file; its content is wanted'],
    ['a key alone', pem(leaf, 'PRIVATE KEY'), 'only PRIVATE KEY'],
    ['only other blocks', pem(leaf, 'X509 CRL') + pem(leaf, 'PRIVATE KEY'), 'only X509 CRL, PRIVATE KEY'],
    ['an END alone', '-----END CERTIFICATE-----\n', 'no PEM block'],
  ])('%s, for there is no certificate', (_, text, found) => {
    expect(refusalOf(text)).toEqual(noneFound(found))
  })

  it('DER, and says what it looks like', () => {
    expect(refusalOf(leaf)).toEqual(noneFound('what looks like DER'))
  })

  it('a block without its end, by the line it begins on', () => {
    const text = `# first\n${pem(leaf)}`.replace(/-----END.*\n/, '')
    expect(refusalOf(text)).toEqual(refused('line 2', '-----END CERTIFICATE----- after its block', 'none'))
  })

  it('a block that ends with another label', () => {
    const text = pem(leaf).replace('END CERTIFICATE', 'END PRIVATE KEY')
    expect(refusalOf(text)).toMatchObject({ code: 'ERR_X509_PEM', field: 'line 1', found: 'none' })
  })

  it('a block that another begins within', () => {
    const text = pem(leaf).replace(/-----END.*\n/, '') + pem(intermediate)
    expect(refusalOf(text)).toMatchObject({ code: 'ERR_X509_PEM', field: 'line 1', found: 'none' })
  })

  it('an empty block', () => {
    const text = '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'
    expect(refusalOf(text)).toEqual(refused('line 1', 'base64', 'nothing'))
  })

  it.each([
    ['a foreign character', (text: string) => text.replace('\nMI', '\nM!')],
    ['a character too few', (text: string) => text.replace('\nMI', '\nM')],
    ['padding in the middle', (text: string) => text.replace('\nMIIB', '\nMI==')],
    ['a URL alphabet', (text: string) => text.replace('\nMIIB', '\nM--_')],
  ])('base64 with %s', (_, damage) => {
    expect(refusalOf(damage(pem(leaf)))).toEqual(refused('line 1', 'base64', 'other characters, or some missing'))
  })

  it('a block that holds no certificate, with the reason as its cause', () => {
    const cause = (() => {
      try {
        return parsePemCertificates(pem(leaf) + pem(leaf.slice(0, -3)))
      } catch (error) {
        return (error as StapleError).cause
      }
    })()
    expect(cause).toMatchObject({ code: 'ERR_DER_TRUNCATED' })
  })

  it('the whole bundle for one damaged certificate, by the line that one begins on', () => {
    const rows = pem(leaf).split('\n').length - 1
    expect(refusalOf(pem(leaf) + pem(Uint8Array.of(0x30, 0)) + pem(intermediate))).toMatchObject({
      code: 'ERR_X509_PEM',
      field: `line ${rows + 1}`,
      expected: 'a certificate',
    })
  })

  it('what is neither text nor bytes, by TypeError', () => {
    expect(() => parsePemCertificates(5 as unknown as string)).toThrow(
      new TypeError('pem must be a string or a Uint8Array'),
    )
  })
})
