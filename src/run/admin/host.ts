/**
 * Who may be meant by a Host header on a port of this machine alone.
 *
 * A web page can make a name of its own lead to 127.0.0.1 (DNS rebinding) and then read what a browser on this machine
 * may read. It cannot do so without that name in the Host header, so only addresses and `localhost` are answered.
 */
import { isIP } from 'node:net'

/** Whether an address is reachable from this machine alone. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/i.test(address)
}

/** Whether a Host header names the machine itself. One that is absent (HTTP/1.0) comes from no browser. */
export function isOwnHost(host: string | undefined): boolean {
  if (host === undefined) return true
  const name = host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')
  return isIP(name) !== 0 || name.toLowerCase() === 'localhost'
}
