/** Foreign bytes in a message: printable, on one line, short. */

/** The longest quotation, its marks included. */
const longest = 60

/** Quotes the beginning of what came; what is not printable ASCII becomes `\xNN`. */
export function quote(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    const next = quoteByte(byte)
    if (text.length + next.length > longest - 3) return `"${text}…"`
    text += next
  }
  return `"${text}"`
}

function quoteByte(byte: number): string {
  const name = names.get(byte)
  if (name !== undefined) return name
  return byte < 0x20 || byte > 0x7e ? `\\x${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte)
}

const names = new Map([
  [0x0d, '\\r'],
  [0x0a, '\\n'],
  [0x22, '\\"'],
  [0x5c, '\\\\'],
])
