/** The tags of ASN.1 as DER writes them, one octet each, and their names for messages. */

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const

/** The tag octet of a context-specific `[number]` that wraps another value (EXPLICIT, or IMPLICIT over a constructed type). */
export function constructedTag(number: number): number {
  return 0xa0 | number
}

/** The tag octet of a context-specific `[number]` over a primitive type. */
export function primitiveTag(number: number): number {
  return 0x80 | number
}

/** Names a tag octet as a person reads ASN.1: `SEQUENCE`, `[0]`, `tag 0x45`. */
export function formatTag(tag: number): string {
  const name = names[tag]
  if (name !== undefined) return name
  if ((tag & 0xc0) === 0x80 && (tag & 0x1f) !== 0x1f) return `[${tag & 0x1f}]${(tag & 0x20) === 0 ? ' primitive' : ''}`
  const primitive = names[tag & ~0x20]
  if ((tag & 0xe0) === 0x20 && primitive !== undefined) return `constructed ${primitive}`
  return `tag 0x${tag.toString(16).padStart(2, '0')}`
}

const names: Readonly<Record<number, string>> = {
  [tags.boolean]: 'BOOLEAN',
  [tags.integer]: 'INTEGER',
  [tags.bitString]: 'BIT STRING',
  [tags.octetString]: 'OCTET STRING',
  [tags.null]: 'NULL',
  [tags.oid]: 'OBJECT IDENTIFIER',
  [tags.enumerated]: 'ENUMERATED',
  [tags.utf8String]: 'UTF8String',
  [tags.printableString]: 'PrintableString',
  [tags.teletexString]: 'TeletexString',
  [tags.ia5String]: 'IA5String',
  [tags.utcTime]: 'UTCTime',
  [tags.generalizedTime]: 'GeneralizedTime',
  [tags.universalString]: 'UniversalString',
  [tags.bmpString]: 'BMPString',
  [tags.sequence]: 'SEQUENCE',
  [tags.set]: 'SET',
}
