/**
 * The entries of a CRL where they stand: a million of them are walked over as bytes, and none becomes an object.
 *
 * The first walk judges the form of every entry. One written as nearly all are (a serial, a time, reasonCode and
 * invalidityDate) is compared octet by octet; any other is read by readEntry, which also says what is wrong. Later walks
 * compare serial numbers and nothing else.
 */

import { DerReader } from '../der/reader.ts'
import { tags } from '../der/tags.ts'
import { encodeInteger } from '../der/writer.ts'
import { type RevokedCertificate, readEntry } from './entry.ts'

/** The revokedCertificates of a CRL. @see RFC 5280 §5.1.2.6 */
export interface Entries {
  /** The content of the SEQUENCE OF; absent where the field is. */
  readonly content?: Uint8Array
  readonly version: 1 | 2
  readonly count: number
  /** The first entry with a critical extension that nothing here understands, and which. */
  readonly unsupportedCritical?: { readonly index: number; readonly oid: string }
  /** The first entry that names its certificate's issuer. */
  readonly firstWithIssuer?: number
  /** The first entry whose reason is removeFromCRL. */
  readonly firstRemoval?: number
}

export const entriesField = 'certificateList.tbsCertList.revokedCertificates'

/** Walks over all entries and judges their form. @throws {@link StapleError} `ERR_DER_…`, `ERR_CRL_MALFORMED` */
export function surveyEntries(content: Uint8Array | undefined, version: 1 | 2): Entries {
  if (content === undefined) return { version, count: 0 }
  const found: { -readonly [Key in keyof Entries]?: Entries[Key] } = {}
  let count = 0
  for (let at = 0; at < content.length; count++) {
    const end = endOfPlainEntry(content, at, version)
    if (end > 0) {
      at = end
      continue
    }
    const reader = new DerReader(content.subarray(at), `${entriesField}[${count}]`, clause)
    const entry = readEntry(reader, version)
    at += reader.position
    if (entry.hasCertificateIssuer) found.firstWithIssuer ??= count
    if (entry.revocationReason === 'removeFromCRL') found.firstRemoval ??= count
    const [oid] = entry.unsupportedCritical
    if (oid !== undefined) found.unsupportedCritical ??= { index: count, oid }
  }
  return { ...found, content, version, count }
}

/** Looks a serial number up. Its form was proven by {@link surveyEntries}. */
export function findEntry(entries: Entries, serialNumber: bigint): RevokedCertificate | undefined {
  const { content, version } = entries
  if (content === undefined) return undefined
  const place = placeOf(content, encodeInteger(serialNumber))
  return place < 0 ? undefined : readEntry(new DerReader(content.subarray(place), entriesField, clause), version)
}

/** Reads the entries one by one, in order. */
export function* readEntries({ content, version }: Entries): Generator<RevokedCertificate> {
  if (content === undefined) return
  const reader = new DerReader(content, entriesField, clause)
  while (!reader.isAtEnd) yield readEntry(reader, version)
}

const clause = 'RFC 5280 §5.1.2.6'

/** Where the entry begins whose userCertificate is that INTEGER, tag and length included; -1 where there is none. */
function placeOf(content: Uint8Array, serial: Uint8Array): number {
  const { length } = serial
  const last = serial[length - 1]
  const next = content.length
  for (let at = 0; at < next; ) {
    let start = at + 2
    let size = content[at + 1] as number
    if (size >= 0x80) {
      const octets = size & 0x7f
      size = 0
      for (const end = start + octets; start < end; start++) size = size * 256 + (content[start] as number)
    }
    // Serial numbers are random: the last octet tells nearly all of them apart.
    if (content[start + length - 1] === last && content[start + 1] === serial[1]) {
      let index = length - 2
      while (index >= 0 && content[start + index] === serial[index]) index--
      if (index < 0) return at
    }
    at = start + size
  }
  return -1
}

/**
 * Where the entry that begins at `at` ends, if it is written as nearly all are; else -1, which proves nothing.
 *
 * What it accepts is what readEntry accepts, to the octet.
 */
export function endOfPlainEntry(content: Uint8Array, at: number, version: 1 | 2): number {
  const size = content[at + 1] as number
  const end = at + 2 + size
  if (content[at] !== tags.sequence || size >= 0x80 || end > content.length) return -1
  const serialSize = content[at + 3] as number
  const serial = at + 4
  const time = serial + serialSize
  if (content[at + 2] !== tags.integer || serialSize === 0 || serialSize >= 0x80) return -1
  if (serialSize > 1 && isPadded(content[serial] as number, content[serial + 1] as number)) return -1
  const afterTime = time + timeSize(content, time)
  if (afterTime === time || afterTime > end) return -1
  if (afterTime === end) return end
  return version === 2 && arePlainExtensions(content, afterTime, end) ? end : -1
}

/** An INTEGER that begins like this could be shorter. @see X.690 §8.3.2 */
function isPadded(first: number, second: number): boolean {
  return (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)
}

/** The octets of the Time that stands there, on a day that its month always has, but the 31st; else 0. */
function timeSize(content: Uint8Array, at: number): number {
  const tag = content[at]
  if (tag === tags.utcTime && content[at + 1] === 13) return isTime(content, at + 2) ? 15 : 0
  const isLong = tag === tags.generalizedTime && content[at + 1] === 15 && twoDigits(content, at + 2) >= 0
  return isLong && isTime(content, at + 4) ? 17 : 0
}

/** Whether YYMMDDHHMMSSZ stands there. */
function isTime(content: Uint8Array, at: number): boolean {
  const month = twoDigits(content, at + 2)
  const day = twoDigits(content, at + 4)
  const hour = twoDigits(content, at + 6)
  const minute = twoDigits(content, at + 8)
  const second = twoDigits(content, at + 10)
  if (content[at + 12] !== 0x5a || twoDigits(content, at) < 0) return false
  if (month < 1 || month > 12 || day < 1 || day > (month === 2 ? 28 : 30)) return false
  return hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60
}

function twoDigits(content: Uint8Array, at: number): number {
  const tens = (content[at] as number) - 0x30
  const ones = (content[at + 1] as number) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}

/** Whether crlEntryExtensions up to `end` are reasonCode and invalidityDate, each at most once and not critical. */
function arePlainExtensions(content: Uint8Array, at: number, end: number): boolean {
  if (content[at] !== tags.sequence || at + 2 + (content[at + 1] as number) !== end) return false
  let hasReason = false
  let hasDate = false
  let next = at + 2
  while (next < end) {
    if (!hasReason && isReason(content, next)) {
      hasReason = true
      next += reasonHeader.length + 1
    } else if (!hasDate && isInvalidityDate(content, next)) {
      hasDate = true
      next += dateHeader.length + 17
    } else return false
  }
  return next === end && (hasReason || hasDate)
}

/** Extension { 2.5.29.21, ENUMERATED of one octet }, up to that octet. */
const reasonHeader: readonly number[] = [0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01]

/** Extension { 2.5.29.24, GeneralizedTime }, up to that. */
const dateHeader: readonly number[] = [0x30, 0x18, 0x06, 0x03, 0x55, 0x1d, 0x18, 0x04, 0x11]

function isReason(content: Uint8Array, at: number): boolean {
  if (!isAt(content, at, reasonHeader)) return false
  // 8 is removeFromCRL, of which the survey has to tell; from 128 on it is negative.
  const reason = content[at + reasonHeader.length] as number
  return reason <= 10 && reason !== 8
}

function isInvalidityDate(content: Uint8Array, at: number): boolean {
  return isAt(content, at, dateHeader) && timeSize(content, at + dateHeader.length) === 17
}

function isAt(content: Uint8Array, at: number, octets: readonly number[]): boolean {
  for (let index = 0; index < octets.length; index++) if (content[at + index] !== octets[index]) return false
  return true
}
