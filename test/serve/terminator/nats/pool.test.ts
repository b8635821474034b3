/** What a pool makes of backends that must do more than accept: `open`, as NATS needs it. */
import type { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { StapleError } from '../../../../src/errors.ts'
import type { BackendError } from '../../../../src/serve/terminator/backend/failure.ts'
import { createBackendPool, type DialRequest } from '../../../../src/serve/terminator/backend/pool.ts'
import { manualClock } from '../../../kit/clock.ts'
import { endsWithTest } from '../../../kit/lifetime.ts'
import { mortal } from '../backend/stage.ts'

const connectTimeoutMs = 4_000

function dial(urls: readonly string[], open: NonNullable<DialRequest['open']>, clock = manualClock()) {
  const told: string[] = []
  const pool = createBackendPool(
    { urls },
    {
      clock,
      connectTimeoutMs,
      changed: ({ url }, error) => told.push(`${url} ${error ? 'out' : 'in'}`),
    },
  )
  const outcomes: (Socket | BackendError)[] = []
  const once = () =>
    new Promise<Socket | BackendError>((resolve) => {
      const settle = (outcome: Socket | BackendError) => {
        if ('destroy' in outcome) endsWithTest(() => outcome.destroy())
        outcomes.push(outcome)
        resolve(outcome)
      }
      giveUp = pool.dial({ open }, { connected: settle, failed: settle })
    })
  let giveUp = () => {}
  return { once, told, outcomes, giveUp: () => giveUp() }
}

const refusal = () => new StapleError('ERR_NATS_NO_INFO', 'no INFO', { backend: 'x' })

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

it('goes on with the socket that open resolves with', async () => {
  const [a, other] = [await mortal('a'), await mortal('other')]
  const { once: dialOther } = dial([other.url], async (socket) => socket)
  const upgraded = (await dialOther()) as Socket
  expect(await dial([a.url], async () => upgraded).once()).toBe(upgraded)
})

it('leaves a connection alone that was taken, when the client goes later', async () => {
  const a = await mortal('a')
  const { once, giveUp } = dial([a.url], async (socket) => socket)
  const socket = (await once()) as Socket
  giveUp()
  expect(socket.destroyed).toBe(false)
})

it('leaves a member out that does not open, longer each time, though it accepts', async () => {
  const clock = manualClock()
  const [a, b] = [await mortal('a'), await mortal('b')]
  let opened = 0
  const { once, told } = dial(
    [a.url, b.url],
    async (socket, { url }) => {
      if (url === a.url) {
        opened++
        socket.destroy()
        throw refusal()
      }
      return socket
    },
    clock,
  )
  await once()
  await once()
  expect({ opened, told }).toEqual({ opened: 1, told: [`${a.url} out`] })
  await clock.advance(1_000)
  await once()
  await once()
  expect(opened).toBe(2)
  await clock.advance(1_000)
  await once()
  await once()
  expect({ opened, told }).toEqual({ opened: 2, told: [`${a.url} out`] })
})

it('gives open the time that connecting has left, shared with those after it', async () => {
  const [a, b] = [await mortal('a'), await mortal('b')]
  const times: number[] = []
  const fail = async (socket: Socket, _: unknown, timeoutMs: number) => {
    times.push(timeoutMs)
    socket.destroy()
    throw refusal()
  }
  await dial([a.url], fail).once()
  await dial([a.url, b.url], fail).once()
  expect(times).toEqual([connectTimeoutMs, connectTimeoutMs / 2, connectTimeoutMs])
})

it('settles nothing once the client has gone, and tries no other', async () => {
  const [a, b] = [await mortal('a'), await mortal('b')]
  let asked: Socket | undefined
  const { once, giveUp, outcomes } = dial(
    [a.url, b.url],
    (socket) =>
      new Promise((_, reject) => {
        asked = socket
        socket.once('close', () => reject(refusal()))
      }),
  )
  void once()
  await until(() => asked !== undefined)
  giveUp()
  await until(() => asked?.closed === true)
  // Who comes to the other one now is the first to do so.
  const fence = (await dial([b.url], async (socket) => socket).once()) as Socket
  await new Promise((resolve) => fence.once('data', resolve))
  expect({ outcomes, seen: b.seen }).toEqual({ outcomes: [], seen: 1 })
})

it('ends a connection that opens after the client has gone', async () => {
  const a = await mortal('a')
  const other = (await dial([(await mortal('b')).url], async (socket) => socket).once()) as Socket
  let finish: ((socket: Socket) => void) | undefined
  const { once, giveUp, outcomes } = dial(
    [a.url],
    () =>
      new Promise((resolve) => {
        finish = resolve
      }),
  )
  void once()
  await until(() => finish !== undefined)
  giveUp()
  finish?.(other)
  await until(() => other.destroyed)
  expect(outcomes).toEqual([])
})
