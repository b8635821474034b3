/**
 * Reads a PROXY header, in which a load balancer says whose connection it passes on: bytes in, value out.
 *
 * Both versions, told apart by their first bytes. Whether a header may be believed is not decided here: see networks.ts.
 *
 * @see the specification of the PROXY protocol, doc/proxy-protocol.txt of HAProxy, sections 2.1 and 2.2
 */
import { isIPv4, isIPv6 } from 'node:net'
import { formatIPv6, plainAddress } from './address.ts'

/** One end of the connection that is passed on. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

export type ProxyHeaderReading =
  | ProxyHeader
  /** More must come; no header is whole before there are `neededBytes` in all. */
  | { readonly kind: 'incomplete'; readonly neededBytes: number }
  /** `found` says what stands there instead. */
  | { readonly kind: 'invalid'; readonly found: string }

/** A header of `length` bytes; what follows it is the client's. Without a source, the connection's own ends count. */
export interface ProxyHeader {
  readonly kind: 'header'
  readonly length: number
  readonly source?: Endpoint
  readonly destination?: Endpoint
}

/** What is accepted of version 2 after its first 16 bytes. The length field could say 65,535; senders stay below an MSS. */
export const longestBlockBytes = 4_096

/** Reads the header at the beginning of `bytes`: all that has arrived so far. */
export function readProxyHeader(bytes: Buffer): ProxyHeaderReading {
  if (bytes.length === 0) return incomplete(1)
  if (startsAlike(bytes, signature)) return readBinary(bytes)
  if (startsAlike(bytes, prefix)) return readLine(bytes)
  return invalid(describeStart(bytes))
}

/** Version 1: one line of text. @see section 2.1 */
function readLine(bytes: Buffer): ProxyHeaderReading {
  const end = bytes.indexOf('\r\n')
  if (end < 0 && bytes.length < longestLineBytes) return incomplete(Math.max(bytes.length + 1, shortestLineBytes))
  if (end < 0 || end + 2 > longestLineBytes)
    return invalid(`a PROXY line without an end in its first ${longestLineBytes} bytes`)
  const length = end + 2
  const line = bytes.toString('latin1', 0, end)
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) return { kind: 'header', length }
  const [, family, source, destination, sourcePort, destinationPort, ...rest] = line.split(' ')
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isStrictIPv6 : undefined
  if (isAddress === undefined) return invalid(`a PROXY line of the family ${quote(family ?? '')}`)
  if (rest.length > 0) return invalid('a PROXY line with more than two addresses and two ports')
  for (const address of [source, destination]) {
    if (!isAddress(address ?? '')) return invalid(`a PROXY line of ${family} with the address ${quote(address ?? '')}`)
  }
  for (const port of [sourcePort, destinationPort]) {
    if (!isPort(port ?? '')) return invalid(`a PROXY line with the port ${quote(port ?? '')}`)
  }
  return {
    kind: 'header',
    length,
    source: { address: plainAddress(source as string), port: Number(sourcePort) },
    destination: { address: plainAddress(destination as string), port: Number(destinationPort) },
  }
}

/** Version 2: 16 bytes, then as many as the last two of them say. @see section 2.2 */
function readBinary(bytes: Buffer): ProxyHeaderReading {
  if (bytes.length > 12) {
    const [version, command] = [(bytes[12] as number) >> 4, (bytes[12] as number) & 15]
    if (version !== 2) return invalid(`a binary PROXY header of version ${version}`)
    if (command > proxyCommand) return invalid(`a PROXY header of version 2 with command ${command}`)
  }
  if (bytes.length < headBytes) return incomplete(headBytes)
  const [family, protocol] = [(bytes[13] as number) >> 4, (bytes[13] as number) & 15]
  const blockBytes = bytes.readUInt16BE(14)
  if (blockBytes > longestBlockBytes)
    return invalid(
      `a PROXY header of version 2 of ${headBytes + blockBytes} bytes, over ${headBytes + longestBlockBytes}`,
    )
  const isLocal = ((bytes[12] as number) & 15) !== proxyCommand
  if (!isLocal) {
    if (family > 3 || protocol > 2)
      return invalid(`a PROXY header of version 2 with family ${hex(bytes[13] as number)}`)
    const neededBytes = protocol === 0 ? 0 : (addressBytes[family] as number)
    if (blockBytes < neededBytes)
      return invalid(`a PROXY header of version 2 with ${blockBytes} bytes of addresses, where ${neededBytes} are due`)
  }
  const length = headBytes + blockBytes
  if (bytes.length < length) return incomplete(length)
  // The family of a LOCAL header is ignored; UDP and Unix addresses are no addresses of a TCP connection.
  if (isLocal || protocol !== stream || (family !== ipv4 && family !== ipv6)) return { kind: 'header', length }
  const size = family === ipv4 ? 4 : 16
  const format = family === ipv4 ? formatIPv4 : formatIPv6
  const ports = headBytes + 2 * size
  return {
    kind: 'header',
    length,
    source: { address: format(bytes.subarray(headBytes, headBytes + size)), port: bytes.readUInt16BE(ports) },
    destination: { address: format(bytes.subarray(headBytes + size, ports)), port: bytes.readUInt16BE(ports + 2) },
  }
}

function startsAlike(bytes: Buffer, expected: Buffer): boolean {
  const length = Math.min(bytes.length, expected.length)
  return bytes.compare(expected, 0, length, 0, length) === 0
}

/** Node takes a zone (`fe80::1%eth0`) for part of an address; it means something on one machine only. */
function isStrictIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%')
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535
}

function formatIPv4(bytes: Buffer): string {
  return bytes.join('.')
}

/** Says what began in place of a header, in the words of who looks for the mistake. */
function describeStart(bytes: Buffer): string {
  if (bytes[0] === 22) return 'a TLS handshake'
  const text = bytes.toString('latin1', 0, 16)
  return /^[\x20-\x7e\r\n\t]+$/.test(text) ? quote(text) : `the bytes ${bytes.toString('hex', 0, 16)}`
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 48))
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`
}

function incomplete(neededBytes: number): ProxyHeaderReading {
  return { kind: 'incomplete', neededBytes }
}

function invalid(found: string): ProxyHeaderReading {
  return { kind: 'invalid', found }
}

const prefix = Buffer.from('PROXY ')
export const signature: Buffer = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const shortestLineBytes = 'PROXY UNKNOWN\r\n'.length
const longestLineBytes = 107
const headBytes = 16
const proxyCommand = 1
const stream = 1
const ipv4 = 1
const ipv6 = 2
/** How many bytes the addresses of a family take: none, IPv4, IPv6, Unix. */
const addressBytes = [0, 12, 36, 216] as const
