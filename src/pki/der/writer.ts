/**
 * Writes ASN.1 DER canonically: the one encoding that the reader accepts.
 *
 * Each function gives one whole value, tag and length included; values are built from the inside out.
 */

import { joinBytes } from './bytes.ts'
import { constructedTag, tags } from './tags.ts'
import { formatGeneralizedTime } from './time.ts'
import { parseOid } from './values.ts'

/** Encodes a value from its tag octet and content. @see X.690 §10.1 for the length */
export function encodeValue(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content
  const octets: number[] = []
  if (length >= 0x80) for (let left = length; left > 0; left = Math.floor(left / 256)) octets.unshift(left % 256)
  const header = octets.length === 0 ? [tag, length] : [tag, 0x80 | octets.length, ...octets]
  const value = new Uint8Array(header.length + length)
  value.set(header)
  value.set(content, header.length)
  return value
}

/** Encodes a SEQUENCE of values that are encoded already; absent ones are left out. */
export function encodeSequence(...values: readonly (Uint8Array | undefined)[]): Uint8Array {
  return encodeValue(tags.sequence, joinBytes(values.filter((value) => value !== undefined)))
}

/** Encodes `[number] EXPLICIT` around one value. */
export function encodeExplicit(number: number, value: Uint8Array): Uint8Array {
  return encodeValue(constructedTag(number), value)
}

export function encodeInteger(value: bigint): Uint8Array {
  return encodeValue(tags.integer, twosComplement(value))
}

export function encodeEnumerated(value: number): Uint8Array {
  return encodeValue(tags.enumerated, twosComplement(BigInt(value)))
}

export function encodeBoolean(value: boolean): Uint8Array {
  return encodeValue(tags.boolean, Uint8Array.of(value ? 0xff : 0x00))
}

export function encodeNull(): Uint8Array {
  return Uint8Array.of(tags.null, 0)
}

export function encodeOid(dotted: string): Uint8Array {
  return encodeValue(tags.oid, parseOid(dotted))
}

export function encodeOctetString(octets: Uint8Array): Uint8Array {
  return encodeValue(tags.octetString, octets)
}

/** Encodes a BIT STRING of whole octets. */
export function encodeBitString(octets: Uint8Array): Uint8Array {
  return encodeValue(tags.bitString, joinBytes([Uint8Array.of(0), octets]))
}

/** Encodes as `YYYYMMDDHHMMSSZ`. @see RFC 5280 §4.1.2.5.2 */
export function encodeGeneralizedTime(time: Date): Uint8Array {
  return encodeValue(tags.generalizedTime, new TextEncoder().encode(formatGeneralizedTime(time)))
}

function twosComplement(value: bigint): Uint8Array {
  let length = 1
  while (BigInt.asIntN(8 * length, value) !== value) length++
  const octets = new Uint8Array(length)
  let left = value
  for (let at = length - 1; at >= 0; at--) {
    octets[at] = Number(left & 0xffn)
    left >>= 8n
  }
  return octets
}
