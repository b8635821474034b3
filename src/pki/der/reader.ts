/**
 * Reads ASN.1 DER strictly: one encoding for one value, and nothing left over at any level.
 *
 * A reader is a cursor over the content of one constructed value; nested values are read by a callback that gets its
 * own reader, and what the callback leaves unread is an error. Nothing is copied: what is handed out are slices of the
 * input. Names of fields are given while reading, so that a failure says where it is; they cost nothing otherwise.
 */

import { type RefusalDetail, StapleError } from '../../errors.ts'
import { formatHexBriefly } from './bytes.ts'
import { constructedTag, formatTag, tags } from './tags.ts'
import { parseGeneralizedTime, parseUtcTime } from './time.ts'
import { formatOid, readInteger } from './values.ts'

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
  const reader = new DerReader(bytes, 0, bytes.length, field, clause, 0)
  reader.isRoot = true
  const value = read(reader)
  reader.finish()
  return value
}

/** A cursor over DER. Made by {@link readDer} and by the readers themselves. */
export class DerReader {
  readonly bytes: Uint8Array
  readonly depth: number
  readonly clause: string
  /** Where the next value begins. */
  position: number
  /** Where the values end. */
  readonly end: number
  /** True while this reads the outermost value, whose field name stands for itself. */
  isRoot = false

  readonly #field: string
  readonly #parent: DerReader | undefined
  /** Which element of a SEQUENCE OF comes next; -1 where elements have names. */
  #index = -1
  /** The parent's #index when this reader was made: the parent moves on. */
  readonly #parentIndex: number

  constructor(
    bytes: Uint8Array,
    position: number,
    end: number,
    field: string,
    clause: string,
    depth: number,
    parent?: DerReader,
  ) {
    this.bytes = bytes
    this.position = position
    this.end = end
    this.#field = field
    this.clause = clause
    this.depth = depth
    this.#parent = parent
    this.#parentIndex = parent === undefined ? -1 : parent.#index
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
    return this.#elements(tags.sequence, field, read, limit)
  }

  /** Reads a SET OF. Their order is not checked: nothing here depends on it, and names in use break it. */
  setOf<T>(field: string, read: (reader: DerReader) => T): T[] {
    return this.#elements(tags.set, field, read)
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
  constructed<T>(tag: number, field: string, read: (reader: DerReader) => T, clause?: string): T {
    const start = this.#enter(tag, field)
    const inner = this.#child(start, this.position, field, clause)
    const value = read(inner)
    inner.finish()
    return value
  }

  /** Reads the DER that an OCTET STRING holds. */
  octetStringHolding<T>(field: string, read: (reader: DerReader) => T, clause: string): T {
    const start = this.#enter(tags.octetString, field)
    const inner = this.#child(start, this.position, field, clause)
    const value = read(inner)
    inner.finish()
    return value
  }

  /** Reads the content octets of a primitive value with that tag octet. */
  primitive(tag: number, field: string): Uint8Array {
    const start = this.#enter(tag, field)
    return this.bytes.subarray(start, this.position)
  }

  octetString(field: string): Uint8Array {
    return this.primitive(tags.octetString, field)
  }

  /** Reads an INTEGER of any size, negative ones too. @see X.690 §8.3 */
  integer(field: string): bigint {
    return this.#integer(tags.integer, field)
  }

  enumerated(field: string): bigint {
    return this.#integer(tags.enumerated, field)
  }

  /** @see X.690 §11.1 */
  boolean(field: string): boolean {
    const start = this.#enter(tags.boolean, field)
    const length = this.position - start
    if (length !== 1) this.fail('ERR_DER_VALUE', field, 'one octet', `${length} octets`, 'X.690 §8.2.1')
    const octet = this.bytes[start]
    if (octet !== 0 && octet !== 0xff) {
      const found = formatHexBriefly(this.bytes.subarray(start, this.position))
      this.fail('ERR_DER_NOT_CANONICAL', field, 'ff or 00', found, 'X.690 §11.1')
    }
    return octet === 0xff
  }

  /** Reads a BOOLEAN DEFAULT FALSE: in DER it is there only when true. @see X.690 §11.5 */
  booleanOrFalse(field: string): boolean {
    if (this.nextTag !== tags.boolean) return false
    if (this.boolean(field)) return true
    return this.fail('ERR_DER_NOT_CANONICAL', field, 'absent, being the default', 'FALSE', 'X.690 §11.5')
  }

  /** Reads a NULL, with another tag octet where it is IMPLICIT. */
  null(field: string, tag: number = tags.null): void {
    const start = this.#enter(tag, field)
    const length = this.position - start
    if (length !== 0) this.fail('ERR_DER_VALUE', field, 'no content', `${length} octets`, 'X.690 §8.8.2')
  }

  /** Reads an OBJECT IDENTIFIER in dotted form. @see X.690 §8.19 */
  oid(field: string): string {
    const start = this.#enter(tags.oid, field)
    const oid = formatOid(this.bytes, start, this.position)
    return oid.text ?? this.fail(oid.code, field, oid.expected, this.#foundSince(start), 'X.690 §8.19')
  }

  /** Reads a BIT STRING of whole octets: keys and signatures. */
  bitStringOctets(field: string): Uint8Array {
    const { octets, unusedBits } = this.bitString(field)
    if (unusedBits !== 0) this.fail('ERR_DER_VALUE', field, 'whole octets', `${unusedBits} unused bits`, 'X.690 §8.6.2')
    return octets
  }

  /** @see X.690 §8.6, §11.2.1 */
  bitString(field: string): { readonly octets: Uint8Array; readonly unusedBits: number } {
    const start = this.#enter(tags.bitString, field)
    const length = this.position - start
    const unusedBits = this.bytes[start] as number
    if (length === 0 || unusedBits > 7 || (length === 1 && unusedBits !== 0)) {
      this.fail('ERR_DER_VALUE', field, '0 to 7 unused bits and their octets', this.#foundSince(start), 'X.690 §8.6.2')
    }
    if (((this.bytes[this.position - 1] as number) & ((1 << unusedBits) - 1)) !== 0 && length > 1) {
      this.fail('ERR_DER_NOT_CANONICAL', field, 'unused bits of zero', this.#foundSince(start), 'X.690 §11.2.1')
    }
    return { octets: this.bytes.subarray(start + 1, this.position), unusedBits }
  }

  /** Reads a GeneralizedTime as `YYYYMMDDHHMMSSZ`, and only so. @see RFC 5280 §4.1.2.5.2 */
  generalizedTime(field: string): Date {
    const start = this.#enter(tags.generalizedTime, field)
    const time = parseGeneralizedTime(this.bytes, start, this.position)
    if (time !== undefined) return time
    return this.#failTime(field, 'a real date as YYYYMMDDHHMMSSZ', start, 'RFC 5280 §4.1.2.5.2')
  }

  /** Reads the Time of a certificate: UTCTime or GeneralizedTime. @see RFC 5280 §4.1.2.5 */
  time(field: string): Date {
    if (this.nextTag === tags.generalizedTime) return this.generalizedTime(field)
    const start = this.#enter(tags.utcTime, field)
    const time = parseUtcTime(this.bytes, start, this.position)
    return time ?? this.#failTime(field, 'a real date as YYMMDDHHMMSSZ', start, 'RFC 5280 §4.1.2.5.1')
  }

  /** Reads an IA5String under any tag octet: URIs, DNS names. @see RFC 5280 §4.2.1.6 */
  ascii(tag: number, field: string): string {
    const start = this.#enter(tag, field)
    let text = ''
    for (let at = start; at < this.position; at++) {
      const octet = this.bytes[at] as number
      if (octet > 0x7f) this.fail('ERR_DER_VALUE', field, 'ASCII', this.#foundSince(start), 'RFC 5280 §4.2.1.6')
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
    const tag = this.nextTag
    const content = this.#enter(-1, field)
    if ((tag & 0x20) !== 0) this.#child(content, this.position, field).#walk()
    return this.bytes.subarray(start, this.position)
  }

  /** The bytes from `start` up to the next value. */
  since(start: number): Uint8Array {
    return this.bytes.subarray(start, this.position)
  }

  /** Refuses what is left. */
  finish(): void {
    if (this.position === this.end) return
    const found = `${this.end - this.position} more bytes`
    throw derError('ERR_DER_TRAILING_DATA', this.#path(), 'nothing after the last value', found, this.clause)
  }

  /** The full name of a field that is read, or was to be read, here. */
  path(field: string): string {
    if (this.#index >= 0)
      return field === '' ? `${this.#path()}[${this.#index}]` : `${this.#path()}[${this.#index}].${field}`
    return field === '' || this.isRoot ? this.#path() : `${this.#path()}.${field}`
  }

  fail(code: DerErrorCode, field: string, expected: string, found: string, clause: string = this.clause): never {
    throw derError(code, this.path(field), expected, found, clause)
  }

  #path(): string {
    const parent = this.#parent
    if (parent === undefined) return this.#field
    if (parent.isRoot) return parent.#path()
    if (this.#parentIndex < 0) return this.#field === '' ? parent.#path() : `${parent.#path()}.${this.#field}`
    const element = `${parent.#path()}[${this.#parentIndex}]`
    return this.#field === '' ? element : `${element}.${this.#field}`
  }

  #child(start: number, end: number, field: string, clause: string = this.clause): DerReader {
    const depth = this.depth + 1
    if (depth > maxDepth) this.fail('ERR_DER_TOO_DEEP', field, `at most ${maxDepth} levels`, `${depth} levels`)
    return new DerReader(this.bytes, start, end, field, clause, depth, this)
  }

  #elements<T>(tag: number, field: string, read: (reader: DerReader) => T, limit?: ElementLimit): T[] {
    const start = this.#enter(tag, field)
    const inner = this.#child(start, this.position, field)
    const elements: T[] = []
    inner.#index = 0
    while (inner.position < inner.end) {
      if (limit !== undefined && elements.length === limit.most) throw limit.exceeded(inner.#path())
      elements.push(read(inner))
      inner.#index++
    }
    return elements
  }

  #integer(tag: number, field: string): bigint {
    const start = this.#enter(tag, field)
    const { bytes, position } = this
    if (position === start) this.fail('ERR_DER_VALUE', field, 'at least one octet', 'none', 'X.690 §8.3.1')
    const first = bytes[start] as number
    if (
      position - start > 1 &&
      (first === 0 || first === 0xff) &&
      (((bytes[start + 1] as number) ^ first) & 0x80) === 0
    ) {
      this.fail('ERR_DER_NOT_CANONICAL', field, 'the fewest octets', this.#foundSince(start), 'X.690 §8.3.2')
    }
    return readInteger(bytes, start, position)
  }

  /** Walks over nested values without reading them. */
  #walk(): void {
    while (this.position < this.end) {
      const tag = this.nextTag
      const content = this.#enter(-1, '')
      if ((tag & 0x20) !== 0) this.#child(content, this.position, '').#walk()
    }
  }

  /**
   * Reads tag and length, and moves past the whole value.
   *
   * @param expected - the tag octet wanted; -1 for any
   * @returns where the content begins; it ends at `this.position`
   * @see X.690 §8.1, §10.1
   */
  #enter(expected: number, field: string): number {
    const { bytes, end } = this
    let at = this.position
    if (at >= end) {
      this.fail('ERR_DER_TRUNCATED', field, expected < 0 ? 'a value' : formatTag(expected), 'the end')
    }
    const tag = bytes[at++] as number
    if (tag !== expected) this.#judgeTag(tag, expected, field)
    if (at >= end) this.#failTruncated(field, 'a length', 0)
    let length = bytes[at++] as number
    if (length >= 0x80) {
      const octets = length & 0x7f
      if (octets === 0) {
        this.fail('ERR_DER_NOT_CANONICAL', field, 'a definite length', 'the indefinite form', 'X.690 §10.1')
      }
      if (at + octets > end) this.#failTruncated(field, `${octets} octets of length`, end - at)
      const first = bytes[at] as number
      if (first === 0) this.fail('ERR_DER_NOT_CANONICAL', field, 'the shortest length', 'a longer form', 'X.690 §10.1')
      if (octets > 4) this.#failTruncated(field, `a content counted in ${octets} octets`, end - at)
      length = 0
      for (let index = 0; index < octets; index++) length = length * 256 + (bytes[at++] as number)
      if (length < 0x80) {
        this.fail('ERR_DER_NOT_CANONICAL', field, 'the shortest length', 'a longer form', 'X.690 §10.1')
      }
    }
    if (length > end - at) this.#failTruncated(field, `${length} octets of content`, end - at)
    this.position = at + length
    return at
  }

  #judgeTag(tag: number, expected: number, field: string): void {
    // A string type in the constructed form is BER; X.690 §10.2.
    const isConstructedString = (tag & 0xe0) === 0x20 && tag !== tags.sequence && tag !== tags.set
    if (isConstructedString && (expected < 0 || tag === (expected | 0x20))) {
      this.fail('ERR_DER_NOT_CANONICAL', field, 'the primitive form', formatTag(tag), 'X.690 §10.2')
    }
    if (expected >= 0) this.fail('ERR_DER_UNEXPECTED_TAG', field, formatTag(expected), formatTag(tag))
    if ((tag & 0x1f) === 0x1f) {
      this.fail('ERR_DER_UNEXPECTED_TAG', field, 'a tag of one octet', formatTag(tag), 'X.690 §8.1.2.2')
    }
    if (tag === 0 || tag === 0x10 || tag === 0x11) this.fail('ERR_DER_UNEXPECTED_TAG', field, 'a value', formatTag(tag))
  }

  #failTruncated(field: string, expected: string, left: number): never {
    return this.fail('ERR_DER_TRUNCATED', field, expected, left === 0 ? 'the end' : `${left} octets`, 'X.690 §8.1.3')
  }

  #failTime(field: string, expected: string, start: number, clause: string): never {
    const content = this.bytes.subarray(start, this.position)
    const isText = content.length <= 32 && content.every((octet) => octet >= 0x20 && octet < 0x7f)
    const found = isText ? String.fromCharCode(...content) : formatHexBriefly(content)
    return this.fail('ERR_DER_VALUE', field, expected, found === '' ? '(empty)' : found, clause)
  }

  #foundSince(start: number): string {
    return formatHexBriefly(this.bytes.subarray(start, this.position))
  }
}

/** How many elements a SEQUENCE OF may have, and what to throw when there are more. */
export interface ElementLimit {
  readonly most: number
  readonly exceeded: (field: string) => StapleError
}

/** Nested deeper than this is not OCSP. Certificates and responses need 13. */
export const maxDepth = 16

function derError(code: DerErrorCode, field: string, expected: string, found: string, clause: string): StapleError {
  const detail: RefusalDetail = { field, expected, found, clause }
  return new StapleError(code, `${field}: expected ${expected}, found ${found}`, detail)
}
