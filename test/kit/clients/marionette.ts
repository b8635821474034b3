/** Firefox's remote control, as much of it as a visit needs: JSON arrays behind their length, over a local socket. */
import { connect } from 'node:net'

export interface Marionette {
  /** Sends a command; resolves with its result. @throws {@link MarionetteError} what the browser answers instead */
  send(command: string, parameters?: Record<string, unknown>): Promise<unknown>
  close(): void
}

export class MarionetteError extends Error {}

/** Connects to a browser that was started with `--marionette`; it greets first. */
export async function connectMarionette(port: number): Promise<Marionette> {
  const socket = connect(port, '127.0.0.1')
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let received = Buffer.alloc(0)
  let count = 0
  let greet: () => void
  const greeted = new Promise<void>((resolve, reject) => {
    greet = resolve
    socket.once('error', reject)
    socket.once('close', () => reject(new MarionetteError('the browser closed the connection')))
  })
  socket.on('close', () => {
    for (const { reject } of waiting.values()) reject(new MarionetteError('the browser closed the connection'))
  })
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    for (;;) {
      const colon = received.indexOf(':')
      const end = colon + 1 + Number(received.toString('latin1', 0, Math.max(colon, 0)))
      if (colon < 0 || received.length < end) return
      take(JSON.parse(received.toString('utf8', colon + 1, end)))
      received = received.subarray(end)
    }
  })
  function take(message: unknown): void {
    if (!Array.isArray(message)) return greet()
    const [, id, error, result] = message as [number, number, { error: string; message: string } | null, unknown]
    const { resolve, reject } = waiting.get(id) ?? {}
    waiting.delete(id)
    if (error) reject?.(new MarionetteError(`${error.error}: ${error.message}`))
    else resolve?.(result)
  }
  await greeted
  return {
    send(command, parameters = {}) {
      const text = JSON.stringify([0, ++count, command, parameters])
      return new Promise((resolve, reject) => {
        waiting.set(count, { resolve, reject })
        socket.write(`${Buffer.byteLength(text)}:${text}`)
      })
    },
    close: () => socket.destroy(),
  }
}
