/** What a connection carries before and during TLS is bounded, whatever stands at its other end. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { createWire, type Wire } from '../../../src/check/probe/wire.ts'
import { endsWithTest } from '../../kit/lifetime.ts'

const limit = 1_048_576

/** A wire to a server that sends for as long as anybody takes it. */
async function wireToFlood(): Promise<Wire> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    const pour = () => {
      while (socket.writable && socket.write(Buffer.alloc(65_536, 'x'))) {}
    }
    socket.on('drain', pour)
    pour()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  endsWithTest(() => void server.close())
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  return createWire(socket)
}

it('a server that sends on and on is cut off in TLS', async () => {
  const wire = await wireToFlood()
  const closed = once(wire.socket, 'close')
  wire.toStream().resume()
  await closed
  expect(wire.received()).toBeGreaterThan(limit)
  expect(wire.received()).toBeLessThan(2 * limit)
})

it('and before TLS, where nobody reads', async () => {
  const wire = await wireToFlood()
  await once(wire.socket, 'close')
  expect(wire.unread().length).toBeLessThan(2 * limit)
})
