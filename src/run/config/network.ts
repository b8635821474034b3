/**
 * The type of networks: addresses with the length of their prefix, as `192.0.2.0/24`.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { createType, Mistake, type Type } from './type.ts'
import { quote } from './value.ts'

/** A network, or one address; written out with its length. */
export const network: Type<string> = createType(
  'network',
  'a network or an address, such as 10.0.0.0/8 or 2001:db8::1',
  (value) => {
    if (value.kind === 'boolean') return new Mistake('not a network', 'name the networks, or leave the key out')
    if (value.kind !== 'string') return new Mistake('not a network', 'put quotes around it: "10.0.0.0/8"')
    const [, address = '', length] = /^([^/]*)(?:\/(.*))?$/.exec(value.value.trim()) ?? []
    const bits = isIPv4(address) ? 32 : isIPv6(address) && !address.includes('%') ? 128 : undefined
    if (bits === undefined) {
      const isName = /^[a-z_][a-z0-9._-]*$/i.test(address)
      return new Mistake(
        `${quote(address)} is not an IP address`,
        isName ? 'names are not looked up: write addresses' : 'write it as "10.0.0.0/8" or "2001:db8::/32"',
      )
    }
    const number = readAddress(address)
    if (bits === 128 && number >> 32n === 0xffffn)
      return new Mistake('an IPv4 address in the form of IPv6', 'write it as an IPv4 address')
    if (length === undefined) return `${formatAddress(number, bits)}/${bits}`
    if (!/^\d{1,3}$/.test(length) || Number(length) > bits)
      return new Mistake(`${quote(length)} is not the length of a prefix`, `it is 0 to ${bits}`)
    const host = BigInt(bits - Number(length))
    const prefix = (number >> host) << host
    if (prefix === number) return `${formatAddress(number, bits)}/${Number(length)}`
    return new Mistake(
      'an address with bits beyond its prefix',
      `write ${formatAddress(prefix, bits)}/${Number(length)} for the network, or ${address} for the one address`,
    )
  },
)

function readAddress(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((sum, part) => (sum << 8n) + BigInt(part), 0n)
  // The URL parser writes every form of an IPv6 address as groups of hex, with one `::` at most.
  const written = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [before = '', after] = written.split('::')
  const head = before === '' ? [] : before.split(':')
  const tail = after === undefined || after === '' ? [] : after.split(':')
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  return [...head, ...zeros, ...tail].reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n)
}

function formatAddress(number: bigint, bits: number): string {
  const size = bits === 32 ? 8n : 16n
  const groups = Array.from({ length: bits / Number(size) }, (_, index) => {
    const shift = BigInt(bits) - size * BigInt(index + 1)
    return ((number >> shift) & ((1n << size) - 1n)).toString(bits === 32 ? 10 : 16)
  })
  return bits === 32 ? groups.join('.') : new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
