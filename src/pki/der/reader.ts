/**
 * Reads ASN.1 DER strictly: one encoding for one value, and nothing left over at any level.
 *
 * A value that holds others is read by a callback, for which the reader is narrowed to it; what the callback leaves
 * unread is an error. Nothing is copied: what is handed out are slices of the input. Names of fields are given while
 * reading, so that a failure says where it is.
 */

import { type RefusalDetail, StapleError } from '../../errors.ts'
import { formatHexBriefly } from './bytes.ts'
import { constructedTag, formatTag, tags } from './tags.ts'
import { parseGeneralizedTime, parseUtcTime } from './time.ts'
import { formatOctets, formatOid, readInteger } from './values.ts'

/** What a reader refuses with. */
export type DerErrorCode =
  | 'ERR_DER_TRUNCATED'
  | 'ERR_DER_TRAILING_DATA'
  | 'ERR_DER_UNEXPECTED_TAG'
  | 'ERR_DER_NOT_CANONICAL'
  | 'ERR_DER_TOO_DEEP'
  | 'ERR_DER_VALUE'

/** Reads the one value that `bytes` hold. `field` names it in errors; `clause` is where its structure is defined. */
export function readDer<T>(bytes: Uint8Array, field: string, clause: string, read: (reader: DerReader) => T): T {
  const reader = new DerReader(bytes, field, clause)
  const value = read(reader)
  reader.finish()
  return value
}

/**
 * A cursor over DER: one for the whole input, narrowed to the value that is being read.
 *
 * Where it stands is kept as a stack of names, so that reading allocates nothing and failing knows its place.
 */
export class DerReader {
  declare readonly bytes: Uint8Array
  /** Where the next value begins. */
  declare position: number
  /** Where the value that is being read ends. */
  declare private end: number
  declare private clause: string
  /** The names of the values that are being read, from the outside in. */
  declare private readonly names: string[]
  /** For each of them, which element of it comes next; -1 where elements have names. */
  declare private readonly indices: number[]
  declare private depth: number

  constructor(bytes: Uint8Array, field: string, clause: string) {
    this.bytes = bytes
    this.position = 0
    this.end = bytes.length
    this.clause = clause
    this.names = [field]
    this.indices = [-1]
    this.depth = 0
  }

  /** Whether every value has been read. */
  get isAtEnd(): boolean {
    return this.position === this.end
  }

  /** The tag of the next value, or -1 when there is none. */
  get nextTag(): number {
    return this.position < this.end ? (this.bytes[this.position] as number) : -1
  }

  /** Reads a SEQUENCE with `read`, which must read all of it. */
  sequence<T>(field: string, read: (reader: DerReader) => T, clause?: string): T {
    return this.constructed(tags.sequence, field, read, clause)
  }

  /** Reads a SEQUENCE OF: `read` is called for each element. */
  sequenceOf<T>(field: string, read: (reader: DerReader) => T, limit?: ElementLimit): T[] {
    return this.elements(tags.sequence, field, read, limit)
  }

  /** Reads a SET OF. Their order is not checked: nothing here depends on it, and names in use break it. */
  setOf<T>(field: string, read: (reader: DerReader) => T): T[] {
    return this.elements(tags.set, field, read)
  }

  /** Reads `[number] EXPLICIT`: `read` reads the one value inside. */
  explicit<T>(number: number, field: string, read: (reader: DerReader) => T): T {
    return this.constructed(constructedTag(number), field, read)
  }

  /** Reads `[number] EXPLICIT … OPTIONAL`. */
  optionalExplicit<T>(number: number, field: string, read: (reader: DerReader) => T): T | undefined {
    return this.nextTag === constructedTag(number) ? this.constructed(constructedTag(number), field, read) : undefined
  }

  /** Reads a constructed value with that tag octet, for IMPLICIT tags too. */
  constructed<T>(tag: number, field: string, read: (reader: DerReader) => T, clause: string = this.clause): T {
    const start = this.enter(tag, field)
    return this.within(start, field, clause, read)
  }

  /** Reads the DER that an OCTET STRING holds. */
  octetStringHolding<T>(field: string, clause: string, read: (reader: DerReader) => T): T {
    const start = this.enter(tags.octetString, field)
    return this.within(start, field, clause, read)
  }

  /** Reads the content octets of a primitive value with that tag octet. */
  primitive(tag: number, field: string): Uint8Array {
    const start = this.enter(tag, field)
    return this.bytes.subarray(start, this.position)
  }

  octetString(field: string): Uint8Array {
    return this.primitive(tags.octetString, field)
  }

  /** Reads an INTEGER of any size, negative ones too. @see X.690 §8.3 */
  integer(field: string): bigint {
    return this.wholeNumber(tags.integer, field)
  }

  enumerated(field: string): bigint {
    return this.wholeNumber(tags.enumerated, field)
  }

  /** Reads a BOOLEAN, with another tag octet where it is IMPLICIT. @see X.690 §11.1 */
  boolean(field: string, tag: number = tags.boolean): boolean {
    const start = this.enter(tag, field)
    const length = this.position - start
    if (length !== 1) this.fail('ERR_DER_VALUE', field, '1 octet', formatOctets(length), 'X.690 §8.2.1')
    const octet = this.bytes[start]
    if (octet !== 0 && octet !== 0xff) {
      const found = formatHexBriefly(this.bytes.subarray(start, this.position))
      this.fail('ERR_DER_NOT_CANONICAL', field, 'ff or 00', found, 'X.690 §11.1')
    }
    return octet === 0xff
  }

  /** Reads a BOOLEAN DEFAULT FALSE: in DER it is there only when true. @see X.690 §11.5 */
  booleanOrFalse(field: string, tag: number = tags.boolean): boolean {
    if (this.nextTag !== tag) return false
    if (this.boolean(field, tag)) return true
    return this.fail('ERR_DER_NOT_CANONICAL', field, 'absent, being the default', 'FALSE', 'X.690 §11.5')
  }

  /** Reads a NULL, with another tag octet where it is IMPLICIT. */
  null(field: string, tag: number = tags.null): void {
    const start = this.enter(tag, field)
    const length = this.position - start
    if (length !== 0) this.fail('ERR_DER_VALUE', field, 'no content', formatOctets(length), 'X.690 §8.8.2')
  }

  /** Reads an OBJECT IDENTIFIER in dotted form. @see X.690 §8.19 */
  oid(field: string): string {
    const start = this.enter(tags.oid, field)
    const oid = formatOid(this.bytes, start, this.position)
    return oid.text ?? this.fail(oid.code, field, oid.expected, this.foundSince(start), 'X.690 §8.19')
  }

  /** Reads a BIT STRING of whole octets: keys and signatures. */
  bitStringOctets(field: string): Uint8Array {
    const { octets, unusedBits } = this.bitString(field)
    if (unusedBits !== 0) this.fail('ERR_DER_VALUE', field, 'whole octets', `${unusedBits} unused bits`, 'X.690 §8.6.2')
    return octets
  }

  /** @see X.690 §8.6, §11.2.1 */
  bitString(field: string): { readonly octets: Uint8Array; readonly unusedBits: number } {
    const start = this.enter(tags.bitString, field)
    const length = this.position - start
    const unusedBits = this.bytes[start] as number
    if (length === 0 || unusedBits > 7 || (length === 1 && unusedBits !== 0)) {
      this.fail('ERR_DER_VALUE', field, '0 to 7 unused bits and their octets', this.foundSince(start), 'X.690 §8.6.2')
    }
    if (((this.bytes[this.position - 1] as number) & ((1 << unusedBits) - 1)) !== 0 && length > 1) {
      this.fail('ERR_DER_NOT_CANONICAL', field, 'unused bits of zero', this.foundSince(start), 'X.690 §11.2.1')
    }
    return { octets: this.bytes.subarray(start + 1, this.position), unusedBits }
  }

  /** Reads a GeneralizedTime as `YYYYMMDDHHMMSSZ`, and only so. @see RFC 5280 §4.1.2.5.2 */
  generalizedTime(field: string): Date {
    const start = this.enter(tags.generalizedTime, field)
    const time = parseGeneralizedTime(this.bytes, start, this.position)
    if (time !== undefined) return time
    return this.failTime(field, 'a real date as YYYYMMDDHHMMSSZ', start, 'RFC 5280 §4.1.2.5.2')
  }

  /** Reads the Time of a certificate: UTCTime or GeneralizedTime. @see RFC 5280 §4.1.2.5 */
  time(field: string): Date {
    if (this.nextTag === tags.generalizedTime) return this.generalizedTime(field)
    const start = this.enter(tags.utcTime, field)
    const time = parseUtcTime(this.bytes, start, this.position)
    return time ?? this.failTime(field, 'a real date as YYMMDDHHMMSSZ', start, 'RFC 5280 §4.1.2.5.1')
  }

  /** Reads an IA5String under any tag octet: URIs, DNS names. @see RFC 5280 §4.2.1.6 */
  ascii(tag: number, field: string): string {
    const start = this.enter(tag, field)
    let text = ''
    for (let at = start; at < this.position; at++) {
      const octet = this.bytes[at] as number
      if (octet > 0x7f) this.fail('ERR_DER_VALUE', field, 'ASCII', this.foundSince(start), 'RFC 5280 §4.2.1.6')
      text += String.fromCharCode(octet)
    }
    return text
  }

  /**
   * Reads any one value without looking into it, beyond that its nested values are well formed.
   *
   * @returns the whole value, tag and length included
   */
  element(field: string): Uint8Array {
    const start = this.position
    this.skip(field)
    return this.bytes.subarray(start, this.position)
  }

  /** The next value as it stands, tag and length included, without moving past it. */
  peek(field: string): Uint8Array {
    const start = this.position
    this.enter(-1, field)
    const value = this.bytes.subarray(start, this.position)
    this.position = start
    return value
  }

  /** The bytes from `start` up to the next value. */
  since(start: number): Uint8Array {
    return this.bytes.subarray(start, this.position)
  }

  /** Refuses what is left. */
  finish(): void {
    if (this.position === this.end) return
    const left = this.end - this.position
    const found = left === 1 ? '1 more byte' : `${left} more bytes`
    throw derError('ERR_DER_TRAILING_DATA', this.base(), 'nothing after the last value', found, this.clause)
  }

  /** The full name of a field that is read, or was to be read, here. */
  path(field: string): string {
    const index = this.indices[this.depth] as number
    const place = index < 0 ? this.base() : `${this.base()}[${index}]`
    return field === '' ? place : `${place}.${field}`
  }

  fail(code: DerErrorCode, field: string, expected: string, found: string, clause: string = this.clause): never {
    throw derError(code, this.path(field), expected, found, clause)
  }

  /** The full name of the value that is being read. */
  private base(): string {
    let text = this.names[0] as string
    for (let depth = 1; depth <= this.depth; depth++) {
      const index = this.indices[depth - 1] as number
      const name = this.names[depth] as string
      if (index >= 0) text += `[${index}]`
      if (name !== '') text += `.${name}`
    }
    return text
  }

  /** Narrows this reader to the value that begins at `start` and ends where it stands; then goes back behind it. */
  private within<T>(start: number, field: string, clause: string, read: (reader: DerReader) => T): T {
    const { end: outerEnd, clause: outerClause, position: after } = this
    this.push(field)
    this.position = start
    this.end = after
    this.clause = clause
    const value = read(this)
    if (this.position !== after) this.finish()
    this.end = outerEnd
    this.clause = outerClause
    this.depth--
    return value
  }

  private push(field: string): void {
    const depth = this.depth + 1
    if (depth > maxDepth) this.fail('ERR_DER_TOO_DEEP', field, `at most ${maxDepth} levels`, 'more')
    this.depth = depth
    this.names[depth] = field
    this.indices[depth] = -1
  }

  private elements<T>(tag: number, field: string, read: (reader: DerReader) => T, limit?: ElementLimit): T[] {
    const start = this.enter(tag, field)
    const { end: outerEnd, position: after } = this
    this.push(field)
    this.position = start
    this.end = after
    const elements: T[] = []
    while (this.position < after) {
      this.indices[this.depth] = elements.length
      if (limit !== undefined && elements.length === limit.most) throw limit.exceeded(this.base())
      elements.push(read(this))
    }
    this.end = outerEnd
    this.depth--
    return elements
  }

  private wholeNumber(tag: number, field: string): bigint {
    const start = this.enter(tag, field)
    const { bytes, position } = this
    if (position === start) this.fail('ERR_DER_VALUE', field, 'at least 1 octet', 'none', 'X.690 §8.3.1')
    const first = bytes[start] as number
    if (
      position - start > 1 &&
      (first === 0 || first === 0xff) &&
      (((bytes[start + 1] as number) ^ first) & 0x80) === 0
    ) {
      this.fail('ERR_DER_NOT_CANONICAL', field, 'the fewest octets', this.foundSince(start), 'X.690 §8.3.2')
    }
    return readInteger(bytes, start, position)
  }

  /** Moves past any one value; its nested values, down to the limit of depth, must be well formed. */
  skip(field: string): void {
    const tag = this.nextTag
    const start = this.enter(-1, field)
    if ((tag & 0x20) === 0) return
    const { end: outerEnd, position: after } = this
    this.push(field)
    this.position = start
    this.end = after
    while (this.position < after) this.skip('')
    this.end = outerEnd
    this.depth--
  }

  /**
   * Reads tag and length, and moves past the whole value.
   *
   * @param expected - the tag octet wanted; -1 for any
   * @returns where the content begins; it ends at `this.position`
   * @see X.690 §8.1, §10.1
   */
  private enter(expected: number, field: string): number {
    const { bytes, end } = this
    let at = this.position
    if (at >= end) {
      this.fail('ERR_DER_TRUNCATED', field, expected < 0 ? 'a value' : formatTag(expected), 'the end')
    }
    const tag = bytes[at++] as number
    if (tag !== expected) this.judgeTag(tag, expected, field)
    if (at >= end) this.failTruncated(field, 'a length', 0)
    let length = bytes[at++] as number
    if (length >= 0x80) {
      const octets = length & 0x7f
      if (octets === 0) {
        this.fail('ERR_DER_NOT_CANONICAL', field, 'a definite length', 'the indefinite form', 'X.690 §10.1')
      }
      if (at + octets > end) this.failTruncated(field, `${formatOctets(octets)} of length`, end - at)
      const first = bytes[at] as number
      if (first === 0) this.fail('ERR_DER_NOT_CANONICAL', field, 'the shortest length', 'a longer form', 'X.690 §10.1')
      if (octets > 4) this.failTruncated(field, `a content counted in ${formatOctets(octets)}`, end - at)
      length = 0
      for (let index = 0; index < octets; index++) length = length * 256 + (bytes[at++] as number)
      if (length < 0x80) {
        this.fail('ERR_DER_NOT_CANONICAL', field, 'the shortest length', 'a longer form', 'X.690 §10.1')
      }
    }
    if (length > end - at) this.failTruncated(field, `${formatOctets(length)} of content`, end - at)
    this.position = at + length
    return at
  }

  private judgeTag(tag: number, expected: number, field: string): void {
    // A string type in the constructed form is BER; X.690 §10.2.
    const isConstructedString = (tag & 0xe0) === 0x20 && tag !== tags.sequence && tag !== tags.set
    if (isConstructedString && (expected < 0 || tag === (expected | 0x20))) {
      this.fail('ERR_DER_NOT_CANONICAL', field, 'the primitive form', formatTag(tag), 'X.690 §10.2')
    }
    if (expected >= 0) {
      // A page of HTML where a response was to be: say so, instead of which tag its first letter would be.
      const found = this.depth === 0 ? (this.leadingText() ?? formatTag(tag)) : formatTag(tag)
      this.fail('ERR_DER_UNEXPECTED_TAG', field, formatTag(expected), found)
    }
    if ((tag & 0x1f) === 0x1f) {
      this.fail('ERR_DER_UNEXPECTED_TAG', field, 'a tag of one octet', formatTag(tag), 'X.690 §8.1.2.2')
    }
    if (tag === 0 || tag === 0x10 || tag === 0x11) this.fail('ERR_DER_UNEXPECTED_TAG', field, 'a value', formatTag(tag))
  }

  /** The beginning of the input, where it is plain text. */
  private leadingText(): string | undefined {
    const octets = this.bytes.subarray(0, 24)
    if (
      octets.length < 4 ||
      !octets.every((octet) => (octet >= 0x20 && octet < 0x7f) || octet === 0x0a || octet === 0x0d)
    ) {
      return undefined
    }
    return `the text ${JSON.stringify(String.fromCharCode(...octets))}`
  }

  private failTruncated(field: string, expected: string, left: number): never {
    return this.fail('ERR_DER_TRUNCATED', field, expected, left === 0 ? 'the end' : formatOctets(left), 'X.690 §8.1.3')
  }

  private failTime(field: string, expected: string, start: number, clause: string): never {
    const content = this.bytes.subarray(start, this.position)
    const isText = content.length <= 32 && content.every((octet) => octet >= 0x20 && octet < 0x7f)
    const found = isText ? String.fromCharCode(...content) : formatHexBriefly(content)
    return this.fail('ERR_DER_VALUE', field, expected, found === '' ? '(empty)' : found, clause)
  }

  private foundSince(start: number): string {
    return formatHexBriefly(this.bytes.subarray(start, this.position))
  }
}

/** How many elements a SEQUENCE OF may have, and what to throw when there are more. */
export interface ElementLimit {
  readonly most: number
  readonly exceeded: (field: string) => StapleError
}

/** Nested deeper than this is not OCSP: a certificate that names its issuer's issuer, within a response, needs 15. */
const maxDepth = 16

function derError(code: DerErrorCode, field: string, expected: string, found: string, clause: string): StapleError {
  const detail: RefusalDetail = { field, expected, found, clause }
  return new StapleError(code, `${field}: expected ${expected}, found ${found}`, detail)
}
