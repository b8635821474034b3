/**
 * Which proxy a request goes through: the option's, the environment's as curl and Go read it, or none.
 *
 * http targets are asked for in absolute form, https targets through CONNECT (transport.ts). Pure.
 */

import { BlockList, isIP } from 'node:net'

/** A proxy, with its credentials taken out of its URL. */
export interface Proxy {
  readonly url: URL
  readonly authorization?: string
  /** As it may be shown: without credentials. */
  readonly label: string
}

export type ChooseProxy = (target: URL) => Proxy | undefined

type Environment = Readonly<Record<string, string | undefined>>

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
    proxies.set(`${scheme}:`, parseProxy(text) ?? { url: new URL('http://unusable.invalid'), label: text })
  }
  const isExcluded = createExclusion(read('no_proxy') ?? '')
  return (target) => {
    const proxy = proxies.get(target.protocol)
    return proxy && !isExcluded(target) ? proxy : undefined
  }
}

function parseProxy(text: string): Proxy | undefined {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  if (!URL.canParse(withScheme)) return undefined
  const url = new URL(withScheme)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined
  const { username, password } = url
  url.username = ''
  url.password = ''
  const authorization = basicAuthorization(username, password)
  return { url, label: url.origin, ...(authorization === undefined ? {} : { authorization }) }
}

/** The header's value for credentials as a URL has them, percent-encoded. */
export function basicAuthorization(username: string, password: string): string | undefined {
  if (username === '' && password === '') return undefined
  const credentials = `${decode(username)}:${decode(password)}`
  return `Basic ${Buffer.from(credentials).toString('base64')}`
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** no_proxy: `*`, names with all below them, addresses, networks, each with an optional port; loopback is never proxied. */
function createExclusion(text: string): (target: URL) => boolean {
  const networks = new BlockList()
  networks.addSubnet('127.0.0.0', 8, 'ipv4')
  networks.addAddress('::1', 'ipv6')
  const names: { name: string; port: string | undefined }[] = [{ name: 'localhost', port: undefined }]
  let isAll = false
  for (const part of text.toLowerCase().split(/[\s,]+/)) {
    if (part === '') continue
    if (part === '*') isAll = true
    else if (!addNetwork(networks, part)) {
      const [, name = part, port] = /^(.*?)(?::(\d+))?$/.exec(part) ?? []
      names.push({ name: name.replace(/^\*?\./, ''), port })
    }
  }
  return (target) => {
    if (isAll) return true
    const host = target.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
    const family = isIP(host)
    if (family !== 0 && networks.check(host, family === 4 ? 'ipv4' : 'ipv6')) return true
    const port = target.port || (target.protocol === 'https:' ? '443' : '80')
    return names.some((each) => (host === each.name || host.endsWith(`.${each.name}`)) && (each.port ?? port) === port)
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
