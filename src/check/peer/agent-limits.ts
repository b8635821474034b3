/**
 * maxSockets and maxTotalSockets for an Agent whose connections take their time.
 *
 * Node counts a connection when it is handed over: requests that come at once would each open one while the first are
 * still being judged. So those beyond the limit wait until one has been, and are then what Node makes of them.
 */
import type { ClientRequest } from 'node:http'
import type { Agent, RequestOptions } from 'node:https'

type CreateSocket = (request: ClientRequest, options: RequestOptions, created: Created) => void
type Created = (...outcome: unknown[]) => void

/** Creates `createSocket` for an Agent, instead of its own. */
export function createSocketsWithin(
  agent: Agent,
  again: (request: ClientRequest, options: RequestOptions) => void,
): CreateSocket {
  const node = agent as unknown as { createSocket: CreateSocket; totalSocketCount: number }
  const { createSocket } = node
  const opening = new Map<string, number>()
  let openingInAll = 0
  let waiting: (() => void)[] = []

  function count(name: string, by: 1 | -1): void {
    const now = (opening.get(name) ?? 0) + by
    if (now === 0) opening.delete(name)
    else opening.set(name, now)
    openingInAll += by
  }

  function isFull(name: string): boolean {
    const here = opening.get(name) ?? 0
    if (here > 0 && here + (agent.sockets[name]?.length ?? 0) >= agent.maxSockets) return true
    return openingInAll > 0 && openingInAll + node.totalSocketCount >= agent.maxTotalSockets
  }

  return (request, options, created) => {
    const name = agent.getName(options)
    // One that waits in Node's own line is there in the place of a connection that has ended.
    const isInLine = (agent.requests[name] as readonly unknown[] | undefined)?.includes(request) === true
    if (!isInLine && isFull(name)) {
      waiting.push(() => again(request, options))
      return
    }
    count(name, 1)
    createSocket.call(agent, request, options, (...outcome) => {
      count(name, -1)
      created(...outcome)
      const next = waiting
      waiting = []
      for (const resume of next) resume()
    })
  }
}
