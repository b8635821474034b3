/**
 * The door for undici, and with it for fetch: a `connect` function for its Agent, Pool or Client.
 *
 * The types are structural: this package does not depend on undici, which some programs bring and others must not load.
 */
import { isIP, type Socket } from 'node:net'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { StapleError } from '../../errors.ts'

/** What undici says of a connection that it wants. */
export interface ConnectorOptions {
  readonly hostname: string
  readonly host?: string
  readonly protocol: string
  readonly port: string
  readonly servername?: string
  readonly localAddress?: string | null
  /** Already connected, by a proxy. */
  readonly httpSocket?: Socket
}

/** What undici takes as `connect`. */
export type Connector = (
  options: ConnectorOptions,
  callback: (...outcome: [error: null, socket: TLSSocket] | [error: Error, socket: null]) => void,
) => void

/** Creates it; `own` are options of tls.connect for every connection. */
export function createConnector(
  open: (options: ConnectionOptions) => Promise<TLSSocket>,
  own: ConnectionOptions,
): Connector {
  return ({ hostname, protocol, port, servername, localAddress, httpSocket }, callback) => {
    if (protocol !== 'https:') {
      callback(notTls(`${protocol}//${hostname}${port ? `:${port}` : ''}`), null)
      return
    }
    const name = servername || own.servername || hostname
    open({
      ALPNProtocols: ['http/1.1'],
      keepAlive: true,
      noDelay: true,
      ...own,
      host: hostname,
      port: Number(port || 443),
      ...(isIP(name) === 0 && { servername: name }),
      ...(localAddress && { localAddress }),
      ...(httpSocket && { socket: httpSocket }),
    } as ConnectionOptions).then(
      (socket) => callback(null, socket),
      (error) => callback(error as Error, null),
    )
  }
}

/** A redirect to http would lead around every check. */
function notTls(url: string): StapleError<'ERR_PEER_PROTOCOL'> {
  return new StapleError('ERR_PEER_PROTOCOL', `${url}: only https can be verified`, {
    peer: url,
    expected: 'https:',
    found: url.slice(0, url.indexOf('//')),
  })
}
