/**
 * The types of addresses: where to listen, where to pass connections on, which responder to ask, which names to serve.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import type { ListenerSettings } from './settings.ts'
import { createType, Mistake, type Type } from './type.ts'
import { quote, type Value } from './value.ts'

/** `host:port`, or a port alone; port 0 or -1 lets the system choose. */
export const listenAddress: Type<ListenerSettings> = listenOn('0.0.0.0')

/** The same for what only this machine may ask, unless an address is given. */
export const loopbackAddress: Type<ListenerSettings> = listenOn('127.0.0.1')

/** A port alone. */
export const portNumber: Type<number> = createType('port', 'a port: 1 to 65535, or -1 for any that is free', (value) =>
  value.kind === 'integer'
    ? readPort(value.value.toString())
    : new Mistake('not a port', 'write a number, without quotes'),
)

/** A host to listen on. */
export const hostName: Type<string> = createType('host', 'a host name or an IP address', (value) => {
  if (value.kind !== 'string') return new Mistake('not a host', `put quotes around it: ${quote(value.source)}`)
  const bare = value.value.replace(/^\[(.*)\]$/, '$1')
  if (isHost(bare)) return bare
  return new Mistake(
    `${quote(value.value)} is not a host`,
    'write a name or an address without a port; `listen` takes both',
  )
})

/** One backend's address, and how it is spoken to. */
export interface BackendURL {
  /** `nats` is `tcp` to a NATS server. */
  readonly scheme: 'tcp' | 'tls' | 'nats'
  /** `tcp://host:port` or `tls://host:port`. */
  readonly url: string
}

/** `tcp://host:port`, `tls://host:port` or `nats://host:port`. */
export const backendURL: Type<BackendURL> = createType(
  'URL',
  'tcp://host:port, tls://host:port or nats://host:port',
  (value) => {
    if (value.kind !== 'string') return new Mistake('not a URL', 'write it as "tcp://127.0.0.1:8080"')
    const written = value.value
    if (written.trim() === '') return new Mistake('empty', 'write it as "tcp://127.0.0.1:8080"')
    const [, given, rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(written) ?? []
    if (given === undefined) return new Mistake('a URL without a scheme', `write ${quote(`tcp://${written}`)}`)
    const scheme = given.toLowerCase()
    if (scheme !== 'tcp' && scheme !== 'tls' && scheme !== 'nats')
      return new Mistake(
        `the scheme ${given} is not known`,
        `write ${quote(`tcp://${rest}`)}: bytes are passed on as they are`,
      )
    const pair = splitHostPort(rest.replace(/\/$/, ''), false)
    if (pair instanceof Mistake) return pair
    return { scheme, url: `${scheme === 'tls' ? 'tls' : 'tcp'}://${joinHostPort(pair)}` }
  },
)

/** What clients are told to connect to. */
export const hostPort: Type<string> = createType('address', 'host:port', (value) => {
  if (value.kind !== 'string') return new Mistake('not an address', 'write it as "nats.example.net:4222"')
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(value.value)?.[0]
  if (scheme !== undefined) return new Mistake('a URL, not an address', `write host and port alone, without ${scheme}`)
  const pair = splitHostPort(value.value, false)
  return pair instanceof Mistake ? pair : joinHostPort(pair)
})

/** `http://…` or `https://…`. */
export const httpURL: Type<string> = createType('URL', 'an http:// or https:// URL', (value) => {
  if (value.kind !== 'string') return new Mistake('not a URL', 'write it as "http://ocsp.example.net"')
  return readHttpURL(value.value)
})

/** A proxy's URL, or one of two words. */
export const proxy: Type<string> = createType(
  'URL, `environment` or `none`',
  'an http:// URL, environment or none',
  (value) => {
    if (value.kind !== 'string') return new Mistake('not a URL', 'write it as "http://proxy.example.net:3128"')
    const word = value.value.toLowerCase()
    return word === 'environment' || word === 'none' ? word : readHttpURL(value.value)
  },
)

/** A DNS name; its first label may be `*`. */
export const serverName: Type<string> = createType(
  'name',
  'a DNS name, such as example.net or *.example.net',
  (value: Value) => {
    if (value.kind !== 'string') return new Mistake('not a name', `put quotes around it: ${quote(value.source)}`)
    const isWildcard = value.value.startsWith('*.')
    const written = isWildcard ? value.value.slice(2) : value.value
    const ascii = domainToASCII(written.replace(/\.$/, '')).toLowerCase()
    if (isIPv4(written) || isIPv6(written))
      return new Mistake('an IP address', 'clients name hosts only: leave it out, the default site serves it')
    if (ascii === '' || !isHost(ascii))
      return new Mistake(`${quote(value.value)} is not a DNS name`, 'write it as a client would ask for it')
    return isWildcard ? `*.${ascii}` : ascii
  },
)

/** The one DNS name that a backend must prove. */
export const backendName: Type<string> = createType('name', 'a DNS name, such as backend.example.net', (value) => {
  if (value.kind !== 'string') return new Mistake('not a name', `put quotes around it: ${quote(value.source)}`)
  const written = value.value.replace(/\.$/, '')
  if (isIPv4(written) || isIPv6(written))
    return new Mistake('an IP address', 'leave it out: the host of the URL is what its certificate must name')
  const ascii = domainToASCII(written).toLowerCase()
  if (ascii !== '' && isHost(ascii)) return ascii
  const advice = written.includes('*') ? 'write one name that the certificate covers' : 'write a name without a port'
  return new Mistake(`${quote(value.value)} is not a DNS name`, advice)
})

/** A protocol's name in TLS ALPN. */
export const protocolName: Type<string> = createType(
  'protocol',
  'the name of a protocol, such as h2 or http/1.1',
  (value) => {
    if (value.kind !== 'string') return new Mistake('not a name', `put quotes around it: ${quote(value.source)}`)
    const bytes = new TextEncoder().encode(value.value).length
    return bytes > 0 && bytes < 256 ? value.value : new Mistake(`a name of ${bytes} bytes`, 'ALPN allows 1 to 255')
  },
)

function listenOn(anyHost: string): Type<ListenerSettings> {
  return createType('address', 'host:port, or a port', (value) => {
    if (value.kind === 'integer') {
      const port = readPort(value.value.toString())
      return port instanceof Mistake ? port : { host: anyHost, port }
    }
    if (value.kind !== 'string') return new Mistake('not an address', `write it as "${anyHost}:4222"`)
    const written = value.value
    const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(written)?.[0]
    if (scheme !== undefined)
      return new Mistake('a URL, not an address', `write host and port alone, without ${scheme}`)
    if (/^\d+$/.test(written))
      return new Mistake('a text without a host', `write the port alone without quotes, or "${anyHost}:${written}"`)
    const pair = splitHostPort(written, true)
    return pair instanceof Mistake ? pair : { host: pair.host || anyHost, port: pair.port }
  })
}

function joinHostPort({ host, port }: ListenerSettings): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}

function readHttpURL(written: string): string | Mistake {
  const parsed = URL.canParse(written) ? new URL(written) : undefined
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return written
  if (written.trim() === '') return new Mistake('empty', 'write a URL, or leave the key out')
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(written))
    return new Mistake(`${quote(written)} is not an http:// or https:// URL`, 'OCSP is spoken over HTTP')
  return new Mistake('a URL without a scheme', `write ${quote(`http://${written}`)}`)
}

function splitHostPort(written: string, isAnyHostAllowed: boolean): { host: string; port: number } | Mistake {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(written)
  const plain = /^([^:]*)(?::([^:]*))?$/.exec(written)
  if (bracketed === null && plain === null) {
    return new Mistake(`${quote(written)} is not host:port`, 'put square brackets around an IPv6 address: "[::1]:4222"')
  }
  const [, host = '', port] = (bracketed ?? plain) as RegExpExecArray
  if (port === undefined)
    return new Mistake(`${quote(written)} has no port`, `write ${quote(`${written}:4222`)}, with the port you mean`)
  const isSound = bracketed === null ? isHost(host) || (host === '' && isAnyHostAllowed) : isIPv6(host)
  if (!isSound) return new Mistake(`${quote(host)} is not a host`, 'write a name or an IP address before the colon')
  const number = readPort(port, isAnyHostAllowed)
  return number instanceof Mistake ? number : { host, port: number }
}

/** The system chooses a port for 0, and for nats-server's -1. */
function readPort(written: string, isAnyAllowed = true): number | Mistake {
  if (isAnyAllowed && (written === '-1' || written === '0')) return 0
  const port = /^\d{1,5}$/.test(written) ? Number(written) : Number.NaN
  if (port >= 1 && port <= 65_535) return port
  return new Mistake(`${quote(written)} is not a port`, 'ports are 1 to 65535')
}

function isHost(written: string): boolean {
  if (isIPv6(written)) return true
  if (/^[\d.]+$/.test(written)) return isIPv4(written)
  return (
    written.length <= 253 && /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i.test(written)
  )
}
