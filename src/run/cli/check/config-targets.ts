/**
 * The targets that a configuration names: each site at each listener, asked for by its first name. What cannot be asked
 * from this machine stays in the list, with the reason.
 */
import { isIP } from 'node:net'
import type { Target } from '../../../check/probe/record.ts'
import { isSameName } from '../../../pki/x509/name.ts'
import { createNetworks } from '../../../serve/terminator/proxy-protocol/networks.ts'
import type { ListenerSettings, Settings, SiteSettings } from '../../config/index.ts'
import { formatPem } from '../../config/pem-text.ts'

/** A target, or why it cannot be looked at. */
export interface PlannedTarget {
  readonly target: Target
  readonly obstacle?: Obstacle
  /** A listener of the configuration: Staplewright itself. */
  readonly isOwn?: boolean
}

export interface Obstacle {
  readonly title: string
  readonly meaning: string
  readonly remedy: string
}

/** Plans what to look at. */
export function planConfig(settings: Settings): PlannedTarget[] {
  return settings.listeners.flatMap((listener) => settings.sites.map((site) => planSite(settings, listener, site)))
}

/** The roots among the CAs that the configuration names: PEM. */
export function rootsOf({ sites }: Settings): string[] {
  const roots = sites
    .flatMap(({ certificates }) => certificates.flatMap(({ candidates }) => candidates))
    .filter(({ subject, issuer }) => isSameName(subject, issuer))
  return [...new Set(roots.map(({ der }) => formatPem(der)))]
}

function planSite(settings: Settings, listener: ListenerSettings, site: SiteSettings): PlannedTarget {
  const { protocol, nats, acceptProxyProtocol } = settings
  const host = reachable[listener.host] ?? listener.host
  const name = site.names.map((each) => each.replace(/^\*\./, 'staplewright-check.'))[0]
  const target: Target = {
    label: describe(site, listener, host),
    host,
    port: listener.port,
    ...(name !== undefined && { serverName: name }),
    ...(protocol === 'nats' && nats.handshake === 'after-info' && { starttls: 'nats' }),
  }
  if (listener.port === 0) return { target, obstacle: anyPort }
  // Who connects to an address of this machine comes from that address.
  const isProxied = acceptProxyProtocol.length > 0 && isIP(host) !== 0 && createNetworks(acceptProxyProtocol).has(host)
  return isProxied ? { target, obstacle: proxied(host) } : { target, isOwn: true }
}

function describe({ names, certificates }: SiteSettings, { host, port }: ListenerSettings, reached: string): string {
  const site = names[0] ?? certificates[0]?.label ?? 'the default site'
  const place = (each: string) => (each.includes(':') ? `[${each}]:${port}` : `${each}:${port}`)
  return `${site} on ${place(host)}${reached === host ? '' : ` (asked at ${reached})`}`
}

/** All addresses of the machine are asked at the one that never leaves it. */
const reachable: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1', '::0': '::1' }

const anyPort: Obstacle = {
  title: 'cannot be looked at: the system chooses its port',
  meaning: 'The configuration says port 0, so only the running daemon knows where it listens.',
  remedy: '`staplewright status -c FILE` says where; give that to `staplewright check`, with --servername.',
}

function proxied(host: string): Obstacle {
  return {
    title: `cannot be looked at from here: ${host} is in accept_proxy_protocol`,
    meaning:
      'The front takes this machine for a load balancer and waits for a PROXY header, which `check` does not send.',
    remedy: 'Look at it through the load balancer: `staplewright check NAME:PORT`.',
  }
}
