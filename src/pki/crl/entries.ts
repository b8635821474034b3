/**
 * The entries of a CRL where they stand: a million of them are walked over as bytes, and none becomes an object.
 *
 * The first walk proves the form of every entry. One written as nearly all are (a serial, a UTCTime, at most a
 * reasonCode) is compared octet by octet; any other is read by readEntry, which also says what is wrong. Later walks
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

/** Walks over all entries and proves their form. @throws {@link StapleError} `ERR_DER_…`, `ERR_CRL_MALFORMED` */
export function surveyEntries(content: Uint8Array, version: 1 | 2): Entries {
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
  const afterTime = time + utcTimeSize
  if (afterTime > end || !isUtcTime(content, time)) return -1
  if (afterTime === end) return end
  return version === 2 && afterTime + reasonSize === end && isReason(content, afterTime) ? end : -1
}

/** An INTEGER that begins like this could be shorter. @see X.690 §8.3.2 */
function isPadded(first: number, second: number): boolean {
  return (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)
}

const utcTimeSize = 15

/** Whether a UTCTime stands there whose day every month has. */
function isUtcTime(content: Uint8Array, at: number): boolean {
  if (content[at] !== tags.utcTime || content[at + 1] !== 13 || content[at + 14] !== 0x5a) return false
  const year = twoDigits(content, at + 2)
  const month = twoDigits(content, at + 4)
  const day = twoDigits(content, at + 6)
  const hour = twoDigits(content, at + 8)
  const minute = twoDigits(content, at + 10)
  const second = twoDigits(content, at + 12)
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > 28) return false
  return hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60
}

function twoDigits(content: Uint8Array, at: number): number {
  const tens = (content[at] as number) - 0x30
  const ones = (content[at + 1] as number) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1
}

/** crlEntryExtensions of a reasonCode that is not critical and nothing else, up to its number. */
const reasonHeader = [0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01] as const
const reasonSize = reasonHeader.length + 1

function isReason(content: Uint8Array, at: number): boolean {
  for (let index = 0; index < reasonHeader.length; index++) {
    if (content[at + index] !== reasonHeader[index]) return false
  }
  // 8 is removeFromCRL, of which the survey has to tell; from 128 on it is negative.
  const reason = content[at + reasonHeader.length] as number
  return reason <= 10 && reason !== 8
}
