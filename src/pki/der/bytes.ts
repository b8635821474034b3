/**
 * The few things done to bytes before and after DER: compare, join, show.
 *
 * Plain `Uint8Array` only, so that everything that decodes runs in a browser too.
 */

/**
 * Views whatever bytes a caller passed as a plain `Uint8Array` over the same memory.
 *
 * A `Buffer` becomes a `Uint8Array`, so that every slice of it that we give back is one.
 */
export function viewBytes(bytes: Uint8Array, option: string): Uint8Array {
  if (Object.getPrototypeOf(bytes ?? 0) === Uint8Array.prototype) return bytes
  if (!ArrayBuffer.isView(bytes) || Object.prototype.toString.call(bytes) !== '[object Uint8Array]') {
    throw new TypeError(`${option} must be a Uint8Array, not ${describe(bytes)}`)
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Tells whether two byte strings are equal. Not constant time: nothing compared here is secret. */
export function isSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one === other) return true
  const { length } = one
  if (length !== other.length) return false
  for (let index = 0; index < length; index++) if (one[index] !== other[index]) return false
  return true
}

/** Joins byte strings into a new one. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const joined = new Uint8Array(length)
  let position = 0
  for (const part of parts) {
    joined.set(part, position)
    position += part.length
  }
  return joined
}

/** Formats bytes as lower-case hex. */
export function formatHex(bytes: Uint8Array): string {
  let text = ''
  for (const octet of bytes) text += hexPairs[octet]
  return text
}

/** Formats bytes as hex for a message: long ones are cut, with their length. */
export function formatHexBriefly(bytes: Uint8Array): string {
  if (bytes.length === 0) return '(empty)'
  return bytes.length <= 32 ? formatHex(bytes) : `${formatHex(bytes.subarray(0, 32))}… (${bytes.length} bytes)`
}

const hexPairs: readonly string[] = /* @__PURE__ */ Array.from({ length: 256 }, (_, octet) =>
  octet.toString(16).padStart(2, '0'),
)

function describe(thing: unknown): string {
  if (thing === null) return 'null'
  return typeof thing === 'object' ? (thing.constructor?.name ?? 'an object') : typeof thing
}
