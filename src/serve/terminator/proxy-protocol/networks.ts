/** Whose PROXY headers are believed: an address looked up in a list of networks. */
import { BlockList, isIP } from 'node:net'
import { plainAddress } from './address.ts'

export interface Networks {
  has(address: string | undefined): boolean
}

/**
 * Creates the list out of `192.0.2.0/24` and `2001:db8::/32`; an address alone is a network of one. An IPv4 address in
 * its IPv6 form, as a listener on `::` sees them, is the IPv4 address.
 *
 * @throws TypeError for what is no network
 */
export function createNetworks(cidrs: readonly string[]): Networks {
  const list = new BlockList()
  for (const cidr of cidrs) {
    const [written = '', bits, ...rest] = cidr.split('/')
    const address = plainAddress(written)
    // `::ffff:192.0.2.0/120` is 192.0.2.0/24.
    const saved = address === written || isIP(address) !== 4 ? 0 : 96
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    const longest = family === 'ipv4' ? 32 : 128
    const length = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) - saved : -1
    if (isIP(address) === 0 || rest.length > 0 || length < 0 || length > longest || written.includes('%'))
      throw new TypeError(`networks: expected an address like 192.0.2.0/24, found ${JSON.stringify(cidr)}`)
    list.addSubnet(address, length, family)
  }
  return {
    has(address) {
      if (address === undefined) return false
      const plain = plainAddress(address)
      const version = isIP(plain)
      return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6')
    },
  }
}
