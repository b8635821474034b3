/** A NATS server that the test plays itself, and sockets from both sides, for the tests of this folder. */
import { connect, createServer, type Socket } from 'node:net'
import type { StapleError } from '../../../../src/errors.ts'
import { endsWithTest } from '../../../kit/lifetime.ts'

/** Two connected sockets: `near` as who dialled has it, `far` as who accepted has it. Nobody reads either. */
export async function socketPair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: false })
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const near = connect({ port: (server.address() as { port: number }).port, host: '127.0.0.1', allowHalfOpen: true })
  const far = await accepted
  server.close()
  near.on('error', () => {})
  far.on('error', () => {})
  endsWithTest(() => {
    near.destroy()
    far.destroy()
  })
  return { near, far }
}

/** The StapleError that a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<StapleError> {
  return promise.then(
    () => {
      throw new Error('nothing was thrown')
    },
    (error: StapleError) => error,
  )
}

/** Reads until the text is there; later bytes are left. */
export function readText(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = ''
    const onData = (chunk: Buffer) => {
      seen += chunk.toString('latin1')
      if (!seen.includes(text)) return
      socket.off('data', onData)
      socket.pause()
      resolve(seen)
    }
    socket.on('data', onData)
    socket.resume()
    socket.once('close', () => reject(new Error(`closed after ${JSON.stringify(seen)}`)))
  })
}
