/** The HTTP port: on this machine alone unless the configuration says otherwise, without TLS, and only telling. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../keep/clock.ts'
import { formatAddress } from '../journal/address.ts'
import type { Line } from '../journal/journal.ts'
import { createDoor, type Door } from './door.ts'
import { isLoopback, isOwnHost } from './host.ts'
import { createAdminServer, endServer, plain, type Respond, type ServerOptions } from './server.ts'

export interface HttpDoorOptions {
  readonly host: string
  readonly port: number
  readonly respond: Respond
  readonly failed: ServerOptions['failed']
  readonly clock: Clock
  readonly say: (line: Line) => void
}

/** Creates the port; nothing listens yet. */
export function createHttpDoor({ host, port, respond, failed, clock, say }: HttpDoorOptions): Door {
  const respondToOwn: Respond = async (request) =>
    isLoopback(host) && !isOwnHost(request.headers.host)
      ? plain(421, 'this port answers to addresses and to localhost alone')
      : await respond(request)
  const server = createAdminServer({ respond: respondToOwn, failed, idleTimeoutMs: 30_000 })
  server.on('error', (error: NodeJS.ErrnoException) => {
    // One that comes while it listens (no file descriptors left) passes; one of `listen` has its own listener.
    if (server.listening) say({ level: 'warn', subject, text: `${error.message}; the port listens on` })
  })
  return createDoor({
    clock,
    say,
    subject,
    withoutIt: 'nobody can ask there',
    async attempt() {
      if (server.listening) return
      await listen(server, host, port)
      const address = server.address() as AddressInfo
      say({ level: 'info', subject, text: `open on http://${formatAddress(address)}` })
    },
    shut: () => endServer(server, clock),
  })
}

const subject = 'admin'

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'another program listens there' : error.message
      reject(new Error(`cannot listen on ${formatAddress({ address: host, port })}: ${why}`, { cause: error }))
    }
    server.once('error', failed)
    server.listen({ host, port }, () => {
      server.off('error', failed)
      resolve()
    })
  })
}
