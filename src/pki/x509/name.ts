/**
 * Names of issuers and subjects: shown to people, and compared.
 */

import { formatHex, isSameBytes } from '../der/bytes.ts'
import { type DerReader, readDer } from '../der/reader.ts'
import { tags } from '../der/tags.ts'

/**
 * Formats a Name as text, the most specific part first: `CN=localhost,O=Example`.
 *
 * Reads back as RFC 4514 has it, but is made for eyes: never compare by it.
 *
 * @see RFC 4514 §2
 */
export function formatName(name: Uint8Array): string {
  const parts = readDer(name, 'name', nameClause, (reader) => reader.sequenceOf('', readRelativeName))
  return parts
    .reverse()
    .map((attributes) =>
      attributes.map(({ oid, tag, octets }) => `${attributeNames[oid] ?? oid}=${formatValue(tag, octets)}`).join('+'),
    )
    .join(',')
}

/**
 * Tells whether two names are the same.
 *
 * Equal bytes are; else texts are compared without regard to their string type, case and inner white space.
 *
 * @see RFC 5280 §7.1
 */
export function isSameName(one: Uint8Array, other: Uint8Array): boolean {
  if (isSameBytes(one, other)) return true
  const ours = foldName(one)
  return ours !== undefined && ours === foldName(other)
}

/** Reads a Name without looking into it, beyond that it is one; gives its DER. @see RFC 5280 §4.1.2.4 */
export function readName(reader: DerReader, field: string): Uint8Array {
  const start = reader.position
  reader.sequenceOf(field, passRelativeName)
  return reader.since(start)
}

interface Attribute {
  readonly oid: string
  readonly tag: number
  /** The content of a string; of other types the whole value. */
  readonly octets: Uint8Array
}

const nameClause = 'RFC 5280 §4.1.2.4'

/** @see RFC 4514 §3, and what openssl writes for the others */
const attributeNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.17': 'postalCode',
  '2.5.4.42': 'GN',
  '2.5.4.97': 'organizationIdentifier',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
}

function passRelativeName(reader: DerReader): void {
  reader.setOf('', passAttribute)
}

function passAttribute(reader: DerReader): void {
  reader.sequence('', passAttributeFields)
}

function passAttributeFields(reader: DerReader): void {
  reader.oid('type')
  reader.skip('value')
}

function readRelativeName(reader: DerReader): Attribute[] {
  return reader.setOf('', (element) => element.sequence('', readAttribute))
}

function readAttribute(reader: DerReader): Attribute {
  const oid = reader.oid('type')
  const tag = reader.nextTag
  if (!stringTags.has(tag)) return { oid, tag, octets: reader.element('value') }
  return { oid, tag, octets: reader.primitive(tag, 'value') }
}

const stringTags: ReadonlySet<number> = new Set([
  tags.utf8String,
  tags.printableString,
  tags.ia5String,
  tags.teletexString,
  tags.bmpString,
])

function formatValue(tag: number, octets: Uint8Array): string {
  const plain = tag === tags.bmpString || !stringTags.has(tag) ? undefined : decodePlain(octets)
  if (plain !== undefined) return plain
  const text = decodeText(tag, octets)
  if (text === undefined) return `#${formatHex(octets)}`
  // What would end the value early, and what would move a terminal's cursor or reverse its text.
  return text
    .replace(/[\\",+<>;=]/g, '\\$&')
    .replace(/^[ #]| $/g, '\\$&')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
      return [...new TextEncoder().encode(character)]
        .map((octet) => `\\${octet.toString(16).padStart(2, '0')}`)
        .join('')
    })
}

/** The text where it is letters, digits and the like, which nearly every name is; saves the rest of the work. */
function decodePlain(octets: Uint8Array): string | undefined {
  if (octets.length === 0 || octets[0] === 0x20 || octets[octets.length - 1] === 0x20) return undefined
  let text = ''
  for (const octet of octets) {
    const isLetter = (octet | 0x20) >= 0x61 && (octet | 0x20) <= 0x7a
    const isDigitOrPoint = octet >= 0x2d && octet <= 0x3a
    if (!isLetter && !isDigitOrPoint && octet !== 0x20) return undefined
    text += String.fromCharCode(octet)
  }
  return text
}

/** The text of a string type; undefined for other types and for octets that are no text. */
function decodeText(tag: number, octets: Uint8Array): string | undefined {
  switch (tag) {
    case tags.utf8String:
    case tags.printableString:
    case tags.ia5String:
      return decodeWith('utf-8', octets)
    case tags.teletexString:
      // T.61 in name only: everybody writes Latin-1.
      return decodeWith('latin1', octets)
    case tags.bmpString:
      return octets.length % 2 === 0 ? decodeWith('utf-16be', octets) : undefined
    default:
      return undefined
  }
}

function decodeWith(encoding: string, octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(octets)
  } catch {
    return undefined
  }
}

function foldName(name: Uint8Array): string | undefined {
  let parts: Attribute[][]
  try {
    parts = readDer(name, 'name', nameClause, (reader) => reader.sequenceOf('', readRelativeName))
  } catch {
    return undefined
  }
  return JSON.stringify(parts.map((attributes) => attributes.map(foldAttribute).sort()))
}

function foldAttribute({ oid, tag, octets }: Attribute): string {
  const text = decodeText(tag, octets)
  if (text === undefined) return `${oid}#${tag}#${formatHex(octets)}`
  return `${oid}=${text.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ')}`
}
