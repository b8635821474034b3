/**
 * The Unix socket on which `staplewright status`, `reload` and `refresh` speak HTTP with the daemon: for its own user
 * (and root) alone, which is all the authentication there is.
 */
import type { Server } from 'node:http'
import type { Clock } from '../../keep/clock.ts'
import type { Line } from '../journal/journal.ts'
import { createDoor, type Door } from './door.ts'
import { createAdminServer, endServer, type Respond, type ServerOptions } from './server.ts'
import { listenOnFile, type SocketFile } from './socket-file.ts'

export interface SocketDoorOptions {
  /** Absolute. */
  readonly path: string
  readonly respond: Respond
  readonly failed: ServerOptions['failed']
  readonly clock: Clock
  readonly say: (line: Line) => void
}

/** Creates the socket's door; nothing is in its place yet. */
export function createSocketDoor({ path, respond, failed, clock, say }: SocketDoorOptions): Door {
  let server: Server | undefined
  let file: SocketFile | undefined
  return createDoor({
    clock,
    say,
    subject: 'socket',
    withoutIt: '`staplewright status`, `reload` and `refresh` cannot reach this daemon',
    async attempt() {
      if (file !== undefined) {
        if (await file.isThere()) return
        say({
          level: 'warn',
          subject: 'socket',
          text: `${path} was removed or replaced; it is made anew if that is free`,
        })
        // Those that are connected are still answered.
        server?.close()
        file = undefined
      }
      // A reload takes as long as it takes.
      const next = createAdminServer({ respond, failed, idleTimeoutMs: 0 })
      next.on('error', () => {
        // One of `listen` is told by it; any other passes, and the socket listens on.
      })
      file = await listenOnFile(next, path, clock.now())
      server = next
      say({ level: 'info', subject: 'socket', text: `open on ${path}` })
    },
    async shut() {
      // While the server still has the socket, no other file can be taken for it.
      await file?.remove()
      if (server !== undefined) await endServer(server, clock)
    },
  })
}
