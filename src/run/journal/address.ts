/** How an address is written for people, and in a URL. */
import type { AddressInfo } from 'node:net'

/** `host:port`, an IPv6 address in brackets. */
export function formatAddress({ address, port }: Pick<AddressInfo, 'address' | 'port'>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
