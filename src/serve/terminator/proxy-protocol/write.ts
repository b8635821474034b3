/**
 * Writes a PROXY header: the first bytes on a connection to a backend, which tell it whose connection that is.
 *
 * @see the specification of the PROXY protocol, doc/proxy-protocol.txt of HAProxy, sections 2.1 and 2.2
 */
import { isIP } from 'node:net'
import { ipv6Bytes, plainAddress } from './address.ts'
import { type Endpoint, signature } from './read.ts'

/**
 * Encodes a header. IPv4 addresses in their IPv6 form (`::ffff:192.0.2.1`) are written as IPv4; where the two ends are
 * not of one family or not known, the header says no address: `UNKNOWN` in v1, and in v2 `LOCAL`, which every receiver
 * must accept. (A PROXY of no family it need not, and HAProxy 2.6 does not.)
 */
export function encodeProxyHeader(
  version: 'v1' | 'v2',
  source: Partial<Endpoint> | undefined,
  destination: Partial<Endpoint> | undefined,
): Buffer {
  const from = normalize(source)
  const to = normalize(destination)
  const family = from && isIP(from.address)
  if (!from || !to || isIP(to.address) !== family) return unknown[version]
  if (version === 'v1')
    return Buffer.from(`PROXY TCP${family} ${from.address} ${to.address} ${from.port} ${to.port}\r\n`)
  const encode = family === 4 ? ipv4Bytes : ipv6Bytes
  const head = Buffer.from(family === 4 ? [proxy, tcpOverIPv4, 0, 12] : [proxy, tcpOverIPv6, 0, 36])
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(from.port, 0)
  ports.writeUInt16BE(to.port, 2)
  return Buffer.concat([signature, head, encode(from.address), encode(to.address), ports])
}

/** The address as it is written; undefined when it is none. */
function normalize(endpoint: Partial<Endpoint> | undefined): Endpoint | undefined {
  const { address, port } = endpoint ?? {}
  if (address === undefined || port === undefined || port < 0 || port > 65_535) return undefined
  const plain = plainAddress(address)
  return isIP(plain) === 0 ? undefined : { address: plain, port }
}

function ipv4Bytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number))
}

/** Version 2 with a command; then family and protocol in one byte. */
const local = 0x20
const proxy = 0x21
const tcpOverIPv4 = 0x11
const tcpOverIPv6 = 0x21

const unknown = {
  v1: Buffer.from('PROXY UNKNOWN\r\n'),
  v2: Buffer.concat([signature, Buffer.from([local, 0, 0, 0])]),
} as const
