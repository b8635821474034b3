/** An end in order: what is open may finish, for a bounded time. */
import type { Socket } from 'node:net'
import type { Clock } from '../../keep/clock.ts'

/**
 * Waits until the last connection is gone; cuts what is left after the timeout.
 *
 * @returns how many were cut
 */
export async function drainConnections(
  connections: ReadonlySet<Socket>,
  clock: Clock,
  timeoutMs: number,
): Promise<number> {
  if (connections.size === 0) return 0
  return await new Promise((resolve) => {
    let destroyed = 0
    const cancel = clock.wake(timeoutMs, () => {
      destroyed = connections.size
      for (const connection of connections) connection.destroy()
    })
    const look = () => {
      if (connections.size > 0) return
      cancel()
      resolve(destroyed)
    }
    // The terminator's own 'close' listener was added first, so the connection has left the set when this one runs.
    for (const connection of connections) connection.on('close', look)
  })
}
