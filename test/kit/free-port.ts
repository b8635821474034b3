/** Ports on 127.0.0.1 that nobody listens on. */
import { createServer } from 'node:net'

/** Below the range from which Linux takes outgoing ports, so that no connection takes the port in between. */
const lowest = 12_000
const highest = 32_000
const given = new Set<number>()

/** Finds a port of 127.0.0.1 that was free a moment ago; never the same one twice in a process. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest))
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
  throw new Error(`no free port between ${lowest} and ${highest} in 200 tries`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
