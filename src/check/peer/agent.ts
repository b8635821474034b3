/** The door for https.request and everything built on it: an Agent whose sockets are judged before a request is written. */
import { Agent, type AgentOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions, TLSSocket } from 'node:tls'

export interface AgentDoor {
  readonly open: (options: ConnectionOptions) => Promise<TLSSocket>
  /** Whether what was proven of a socket still serves, so that it may carry another request. */
  readonly isHolding: (socket: object) => boolean
}

/** Creates the Agent. */
export function createAgent(door: AgentDoor, options: AgentOptions): Agent {
  if ((options as { proxyEnv?: unknown }).proxyEnv !== undefined) {
    throw new TypeError('proxyEnv is not supported: the Agent would pass the proxy by')
  }
  // Its own cache of sessions knows nothing of proofs.
  const agent = new Agent({ keepAlive: true, ALPNProtocols: ['http/1.1'], ...options, maxCachedSessions: 0 })
  const { addRequest } = agent as unknown as { addRequest: (...request: unknown[]) => void }
  return Object.assign(agent, {
    createConnection(given: ConnectionOptions, callback: (error: Error | null, stream?: Duplex) => void): undefined {
      door.open(withoutEmptyName(given)).then(
        (socket) => callback(null, socket),
        (error) => callback(error as Error),
      )
    },
    /** Before Node looks for a connection that waits, those go whose proof no longer serves. */
    addRequest(...request: unknown[]): void {
      for (const socket of Object.values(agent.freeSockets).flatMap((waiting) => waiting ?? [])) {
        if (!door.isHolding(socket)) socket.destroy()
      }
      addRequest.apply(agent, request)
    },
  })
}

/** The Agent writes '' where the host is an address. */
function withoutEmptyName({ servername, ...options }: ConnectionOptions): ConnectionOptions {
  return servername === '' || servername === undefined ? options : { ...options, servername }
}
