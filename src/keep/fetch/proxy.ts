/**
 * Which proxy a request goes through: the option's, the environment's as curl and Go read it, or none.
 *
 * http targets are asked for in absolute form, https targets through CONNECT (transport.ts). Pure.
 */

import { BlockList, isIP } from 'node:net'
import { type Place, readPlace } from './place.ts'

/** A proxy; its credentials are the place's authorization. */
export interface Proxy {
  readonly place: Place
  /** As it may be shown: without credentials. */
  readonly label: string
}

export type ChooseProxy = (target: Place) => Proxy | undefined

type Environment = Readonly<Record<string, string | undefined>>

/** A host that no resolver knows. */
const unusable = readPlace('http://unusable.invalid') as Place

/**
 * Reads the choice once.
 *
 * @throws TypeError when the option is no http or https URL
 */
export function createProxyChoice(option: string, environment: Environment): ChooseProxy {
  if (option === 'none') return () => undefined
  if (option !== 'environment') {
    const proxy = parseProxy(option)
    if (!proxy)
      throw new TypeError(`proxy: expected 'environment', 'none' or the URL of an http proxy, found ${option}`)
    return () => proxy
  }
  const read = (name: string) => environment[name] || environment[name.toUpperCase()] || undefined
  const all = read('all_proxy')
  const proxies = new Map<string, Proxy | undefined>()
  for (const scheme of ['http', 'https']) {
    const text = read(`${scheme}_proxy`) ?? all
    if (text === undefined) continue
    // one that cannot be used (socks5://…) must not be passed over: going direct could be what the network forbids
    proxies.set(`${scheme}:`, parseProxy(text) ?? { place: unusable, label: text })
  }
  const isExcluded = createExclusion(read('no_proxy') ?? '')
  if (proxies.size === 0) return () => undefined
  return (target) => {
    const proxy = proxies.get(target.url.protocol)
    return proxy && !isExcluded(target) ? proxy : undefined
  }
}

function parseProxy(text: string): Proxy | undefined {
  const place = readPlace(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  return place && { place, label: place.origin }
}

/** no_proxy: `*`, names with all below them, addresses, networks, each with an optional port; loopback is never proxied. */
function createExclusion(text: string): (target: Place) => boolean {
  const networks = new BlockList()
  networks.addSubnet('127.0.0.0', 8, 'ipv4')
  networks.addAddress('::1', 'ipv6')
  const names: { name: string; port: number | undefined }[] = [{ name: 'localhost', port: undefined }]
  let isAll = false
  for (const part of text.toLowerCase().split(/[\s,]+/)) {
    if (part === '') continue
    if (part === '*') isAll = true
    else if (!addNetwork(networks, part)) {
      const [, name = part, port] = /^(.*?)(?::(\d+))?$/.exec(part) ?? []
      names.push({ name: name.replace(/^\*?\./, ''), port: port === undefined ? undefined : Number(port) })
    }
  }
  return (target) => {
    if (isAll) return true
    const host = target.hostname.replace(/\.$/, '')
    if (target.isAddress && networks.check(host, host.includes(':') ? 'ipv6' : 'ipv4')) return true
    return names.some(
      ({ name, port = target.port }) => (host === name || host.endsWith(`.${name}`)) && port === target.port,
    )
  }
}

function addNetwork(networks: BlockList, part: string): boolean {
  const [address = '', prefix, more] = part.replace(/^\[|\]$/g, '').split('/')
  const family = isIP(address)
  if (family === 0 || more !== undefined) return false
  const type = family === 4 ? 'ipv4' : 'ipv6'
  const longest = family === 4 ? 32 : 128
  if (prefix === undefined) networks.addAddress(address, type)
  else if (/^\d+$/.test(prefix) && Number(prefix) <= longest) networks.addSubnet(address, Number(prefix), type)
  return true
}
