/** Content octets that become numbers and names: INTEGER and OBJECT IDENTIFIER. */

/** Reads two's complement octets of any count. @see X.690 §8.3.3 */
export function readInteger(bytes: Uint8Array, start: number, end: number): bigint {
  const length = end - start
  const isNegative = ((bytes[start] as number) & 0x80) !== 0
  if (length <= 6) {
    let value = isNegative ? (bytes[start] as number) - 256 : (bytes[start] as number)
    for (let at = start + 1; at < end; at++) value = value * 256 + (bytes[at] as number)
    return BigInt(value)
  }
  let hex = '0x'
  for (let at = start; at < end; at++) hex += hexPair(bytes[at] as number)
  const value = BigInt(hex)
  return isNegative ? value - (1n << BigInt(8 * length)) : value
}

/** Formats a whole number for a message: decimal, or where that would be long its size. */
export function formatInteger(value: bigint): string {
  if (BigInt.asIntN(64, value) === value) return value.toString()
  const bits = (value < 0n ? -value : value).toString(16).length * 4
  return `a number of about ${bits} bits`
}

/** Formats how many octets there are for a message. */
export function formatOctets(count: number): string {
  return count === 1 ? '1 octet' : `${count} octets`
}

/** An OID in dotted form, or why its octets are none. */
export type OidReading =
  | { readonly text: string }
  | { readonly text?: undefined; readonly code: 'ERR_DER_VALUE' | 'ERR_DER_NOT_CANONICAL'; readonly expected: string }

/**
 * Formats the content octets of an OBJECT IDENTIFIER in dotted form.
 *
 * Longer ones than any in use are refused, for the time that large arcs take.
 */
export function formatOid(bytes: Uint8Array, start: number, end: number): OidReading {
  const length = end - start
  if (length === 0 || ((bytes[end - 1] as number) & 0x80) !== 0) return unfinished
  if (length > maxOidOctets) return tooLong
  let place = length
  for (let at = start; at < end; at++) place = (place * 31 + (bytes[at] as number)) & 0xff_ffff
  place %= recentOids.length
  const recent = recentOids[place]
  if (recent !== undefined && isAt(bytes, start, recent.octets, length)) return recent
  const reading = formatArcs(bytes, start, end)
  if (reading.text !== undefined) recentOids[place] = { octets: bytes.slice(start, end), text: reading.text }
  return reading
}

/** The same few OIDs come again and again: each place remembers the last one that fell on it. */
const recentOids: ({ readonly octets: Uint8Array; readonly text: string } | undefined)[] = /* @__PURE__ */ new Array(
  251,
)

function isAt(bytes: Uint8Array, start: number, octets: Uint8Array, length: number): boolean {
  if (octets.length !== length) return false
  for (let index = 0; index < length; index++) if (bytes[start + index] !== octets[index]) return false
  return true
}

function formatArcs(bytes: Uint8Array, start: number, end: number): OidReading {
  let text = ''
  let arc = 0
  let large: bigint | undefined
  for (let at = start; at < end; at++) {
    const octet = bytes[at] as number
    if (octet === 0x80 && arc === 0 && large === undefined) return padded
    if (large !== undefined) large = (large << 7n) | BigInt(octet & 0x7f)
    else if (arc > largestBeforeShift) large = BigInt(arc) * 128n + BigInt(octet & 0x7f)
    else arc = arc * 128 + (octet & 0x7f)
    if ((octet & 0x80) !== 0) continue
    if (text !== '') text += `.${large ?? arc}`
    else if (large !== undefined) text = `2.${large - 80n}`
    else text = arc < 80 ? `${arc < 40 ? 0 : 1}.${arc % 40}` : `2.${arc - 80}`
    arc = 0
    large = undefined
  }
  return { text }
}

/** The content octets of an OID given in dotted form. */
export function parseOid(text: string): Uint8Array {
  if (!/^[0-2](\.(0|[1-9]\d*))+$/.test(text)) throw new TypeError(`not a dotted OID: ${text}`)
  const [root, second, ...rest] = text.split('.').map(BigInt) as [bigint, bigint, ...bigint[]]
  if (root < 2n && second > 39n) throw new TypeError(`not a dotted OID: ${text}`)
  const octets: number[] = []
  for (const arc of [root * 40n + second, ...rest]) {
    const groups = [Number(arc & 0x7fn)]
    for (let left = arc >> 7n; left > 0n; left >>= 7n) groups.unshift(Number(left & 0x7fn) | 0x80)
    octets.push(...groups)
  }
  return Uint8Array.from(octets)
}

const maxOidOctets = 128
const largestBeforeShift = Number.MAX_SAFE_INTEGER / 128 - 1

const unfinished: OidReading = { code: 'ERR_DER_VALUE', expected: 'arcs that end' }
const tooLong: OidReading = { code: 'ERR_DER_VALUE', expected: `at most ${maxOidOctets} octets` }
const padded: OidReading = { code: 'ERR_DER_NOT_CANONICAL', expected: 'arcs in the fewest octets' }

function hexPair(octet: number): string {
  return octet < 16 ? `0${octet.toString(16)}` : octet.toString(16)
}
