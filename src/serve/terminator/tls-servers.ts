/**
 * The tls.Servers of a front, none of which listens: one per class of handshake.
 *
 * A class is a family of keys (Node names the wrong certificate where two stand in one context) and who may come in
 * (whether clients are asked for certificates, and from which CAs, is a matter of the whole server in Node; and no
 * session that was made without being asked is to be resumed where one is).
 */
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls'
import type { KeyFamily } from '../attach/key-choice.ts'
import type { ContextSet } from './context-shelf.ts'
import { contextOptions, lowestVersion } from './contexts.ts'
import { certificateOf, type Site, type SiteTable } from './site.ts'

export interface ServerClass {
  readonly family: KeyFamily
  /** {@link Site.authId} of its sites. */
  readonly authId: string
}

export interface TlsServersOptions {
  readonly table: SiteTable
  readonly alpn: readonly string[]
  readonly handshakeTimeoutMs: number
  readonly ticketKeys: Buffer
  readonly contexts: ContextSet
  /** Whether clients choose among several sites. */
  readonly isNaming: boolean
  /** Whether some certificate is stapled: only then is there an 'OCSPRequest' listener. */
  readonly isStapling: boolean
  /** Runs the callback in which Node emits 'OCSPRequest' for a site. */
  naming(site: Site, callback: () => void): void
  answerStatus(der: Buffer | null, issuer: Buffer | null, callback: StatusCallback): void
  admit(serverClass: ServerClass, client: TLSSocket): void
  failed(error: Error & { code?: string }, client: TLSSocket): void
}

export interface TlsServers {
  /** The server, where there is only one. */
  readonly only: Server | undefined
  /** The oldest version that any of them speaks. */
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  of(family: KeyFamily, authId: string): Server | undefined
  setTicketKeys(keys: Buffer): void
}

export type StatusCallback = (error: Error | null, staple: Buffer | null) => void

/** Creates the servers. Throws what OpenSSL says when a key does not fit its certificate. */
export function createTlsServers(options: TlsServersOptions): TlsServers {
  const { table, alpn, isNaming } = options
  const minVersion = lowestVersion(table.sites)
  const servers = new Map<string, Server>()
  for (const site of table.sites) {
    for (const { family } of site.certificates) {
      const key = keyOf(family, site.authId)
      if (!servers.has(key)) servers.set(key, createClassServer({ family, authId: site.authId }))
    }
  }

  function createClassServer(serverClass: ServerClass): Server {
    const { family, authId } = serverClass
    const sites = table.sites.filter((site) => site.authId === authId)
    // A default certificate of another family would stand beside the one of the client's site, and Node 20 shows either.
    const first = table.default.authId === authId ? table.default : (sites[0] as Site)
    const server = createServer({
      ...contextOptions(first, certificateOf(first, family)),
      minVersion,
      ticketKeys: options.ticketKeys,
      handshakeTimeout: options.handshakeTimeoutMs,
      ...(first.options.clientAuth && { requestCert: true, rejectUnauthorized: true }),
      ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }),
      ...(isNaming && { SNICallback: createSniCallback(family, sites) }),
    })
    server.on('secureConnection', (client) => options.admit(serverClass, client))
    server.on('tlsClientError', options.failed)
    if (options.isStapling) server.on('OCSPRequest', options.answerStatus)
    return server
  }

  function createSniCallback(family: KeyFamily, sites: readonly Site[]): SniCallback {
    const contexts = new Map<Site, SecureContext>()
    for (const site of sites) {
      const certificate = certificateOf(site, family)
      if (certificate) contexts.set(site, options.contexts.of(contextOptions(site, certificate)))
    }
    return (name, callback) => {
      const site = table.find(name) ?? table.default
      options.naming(site, () => callback(null, contexts.get(site)))
    }
  }

  const [only] = servers.values()
  return {
    only: servers.size === 1 ? only : undefined,
    minVersion,
    of: (family, authId) => servers.get(keyOf(family, authId)),
    setTicketKeys(keys) {
      for (const server of servers.values()) server.setTicketKeys(keys)
    },
  }
}

function keyOf(family: KeyFamily, authId: string): string {
  return `${family} ${authId}`
}

type SniCallback = (name: string, callback: (error: Error | null, context?: SecureContext) => void) => void
