/**
 * Which addresses a stranger's certificate may send us to: public ones.
 *
 * Every address that a name resolves to is checked here, and the connection is made to the address that was checked;
 * an attacker's DNS gets no second answer. Literal addresses never reach a resolver, so they are checked apart.
 */

import { lookup as systemLookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** IANA's special-purpose registries, and multicast: nothing there is a public responder. */
const special4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const
const special6 = [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const

const blocked4 = new BlockList()
const blocked6 = new BlockList()
for (const [net, prefix] of special4) blocked4.addSubnet(net, prefix, 'ipv4')
for (const [net, prefix] of special6) blocked6.addSubnet(net, prefix, 'ipv6')

/** Whether the address is loopback, private, link-local, multicast or otherwise not on the public internet. */
export function isPrivateAddress(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  const family = isIP(bare)
  if (family === 4) return blocked4.check(bare, 'ipv4')
  if (family !== 6) return true // not an address at all: nothing to vouch for
  const embedded = embeddedIpv4(bare)
  if (embedded !== undefined) return blocked4.check(embedded, 'ipv4')
  return blocked6.check(bare, 'ipv6')
}

/** The IPv4 address inside ::ffff:a.b.c.d, ::a.b.c.d, 64:ff9b::a.b.c.d or 2002:abcd::, which is where the packet ends up. */
function embeddedIpv4(address: string): string | undefined {
  const groups = expand(address)
  const dotted = (high: number, low: number) => `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
  const isZero = (from: number, to: number) => groups.slice(from, to).every((group) => group === 0)
  const [first = 0, second = 0, third = 0] = groups
  const high = groups[6] ?? 0
  const low = groups[7] ?? 0
  if (isZero(0, 5) && groups[5] === 0xffff) return dotted(high, low)
  if (isZero(0, 4) && groups[4] === 0xffff && groups[5] === 0) return dotted(high, low)
  if (isZero(0, 6) && (high !== 0 || low > 1)) return dotted(high, low)
  if (first === 0x64 && second === 0xff9b && isZero(2, 6)) return dotted(high, low)
  if (first === 0x2002) return dotted(second, third)
  return undefined
}

/** The eight groups; the URL parser writes every form of an address the same way. */
function expand(address: string): readonly number[] {
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))
  const before = groups(head)
  if (tail === undefined) return before
  const after = groups(tail)
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after]
}

/** Thrown by a checked lookup; the transport turns it into ERR_FETCH_FORBIDDEN_ADDRESS. */
export class ForbiddenAddress extends Error {
  readonly addresses: readonly string[]

  constructor(host: string, addresses: readonly string[]) {
    super(`${host} is ${addresses.join(', ')}`)
    this.addresses = addresses
  }
}

/** A lookup that gives only public addresses, and fails with {@link ForbiddenAddress} where there is none. */
export function publicLookup(lookup: LookupFunction = systemLookup as LookupFunction): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, found, family) => {
      if (error) return callback(error, '', 0)
      const all = typeof found === 'string' ? [{ address: found, family: family ?? isIP(found) }] : found
      const allowed = all.filter(({ address }) => !isPrivateAddress(address))
      const first = allowed[0]
      if (!first) {
        return callback(
          new ForbiddenAddress(
            host,
            all.map(({ address }) => address),
          ),
          '',
          0,
        )
      }
      if (options.all) return callback(null, allowed)
      callback(null, first.address, first.family)
    })
  }
}
