/** Addresses as text, in the one way that they can be compared and written. */
import { isIPv6, SocketAddress } from 'node:net'

/**
 * Writes an address in its canonical form, and an IPv4 address in its IPv6 form (`::ffff:192.0.2.1`), as a listener on
 * `::` sees them, as IPv4. What is no IPv6 address comes back as it is.
 */
export function plainAddress(address: string): string {
  if (!address.includes(':') || !isIPv6(address)) return address
  const zone = address.indexOf('%')
  // A zone means something on one machine only.
  const canonical = new SocketAddress({ address: zone < 0 ? address : address.slice(0, zone), family: 'ipv6' }).address
  return canonical.startsWith('::ffff:') && canonical.includes('.') ? canonical.slice('::ffff:'.length) : canonical
}

/** The sixteen bytes of an IPv6 address. */
export function ipv6Bytes(address: string): Buffer {
  const text = plainAddress(address).replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...octets: string[]) => {
    const [a, b, c, d] = octets.map(Number) as [number, number, number, number]
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [head = '', tail = ''] = text.split('::')
  const left = head.split(':').filter(isFilled)
  const right = tail.split(':').filter(isFilled)
  const bytes = Buffer.alloc(16)
  for (const [index, group] of left.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2)
  for (const [index, group] of right.entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), 16 - (right.length - index) * 2)
  return bytes
}

/** Writes sixteen bytes as an address: groups of hexadecimal digits, the longest run of zeroes as `::`. @see RFC 5952 §4 */
export function formatIPv6(bytes: Buffer): string {
  const groups: string[] = []
  for (let index = 0; index < 16; index += 2) groups.push(bytes.readUInt16BE(index).toString(16))
  return plainAddress(groups.join(':'))
}

function isFilled(group: string): boolean {
  return group !== ''
}
