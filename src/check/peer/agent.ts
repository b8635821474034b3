/** The door for https.request and everything built on it: an Agent whose sockets are judged before a request is written. */
import type { ClientRequest } from 'node:http'
import { Agent, type AgentOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { createSocketsWithin } from './agent-limits.ts'

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
  // Before Node hands a connection that has become free to a request that waits in line.
  agent.prependListener('free', (socket: Duplex) => {
    if (!door.isHolding(socket)) socket.destroy()
  })
  const { addRequest } = agent as unknown as { addRequest: (...request: unknown[]) => void }

  /** Node waits for the end of a connection before it looks at who waits in line; where none came about there is no end. */
  function moveOn(given: ConnectionOptions): void {
    const name = agent.getName(given)
    const line = (agent.requests as Record<string, unknown>)[name] as ClientRequest[] | undefined
    if (line === undefined || agent.sockets[name]?.length) return
    while (line[0]?.closed || line[0]?.destroyed) line.shift()
    const next = line.shift()
    if (line.length === 0) Reflect.deleteProperty(agent.requests, name)
    if (next !== undefined) addRequest.call(agent, next, given)
  }

  return Object.assign(agent, {
    createSocket: createSocketsWithin(agent, (request, given) => addRequest.call(agent, request, given)),
    createConnection(given: ConnectionOptions, callback: (error: Error | null, stream?: Duplex) => void): undefined {
      door.open(withoutEmptyName(given)).then(
        (socket) => callback(null, socket),
        (error) => {
          callback(error as Error)
          // Its own request is told on the next tick.
          process.nextTick(moveOn, given)
        },
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
