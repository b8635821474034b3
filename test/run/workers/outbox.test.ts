import { describe, expect, it } from 'vitest'
import { type Counted, createOutbox } from '../../../src/run/workers/outbox.ts'
import type { TerminatorEvent } from '../../../src/serve/terminator/index.ts'
import { manualClock } from '../../kit/clock.ts'

function setUp() {
  const clock = manualClock()
  const batches: (readonly Counted[])[] = []
  return { clock, batches, outbox: createOutbox({ clock, send: (events) => batches.push(events) }) }
}

const once = (event: TerminatorEvent): Counted => ({ event, times: 1 })
const failed = (message = 'x', code = 'ERR'): TerminatorEvent => ({
  type: 'handshake-failed',
  at: new Date(0),
  code,
  message,
  remoteAddress: undefined,
})
const shown = (type: 'certificate-refused' | 'certificate-restored', certificateKey: string) =>
  ({ type, at: new Date(0), certificateKey, site: 's', reason: 'revoked' }) as TerminatorEvent

describe('an outbox', () => {
  it('sends the first event at once and the next batch only when that one was taken, a moment later', async () => {
    const { clock, batches, outbox } = setUp()
    outbox.put(failed('one'))
    outbox.put(failed('two'))
    outbox.put(failed('three'))
    await clock.advance(60_000)
    expect(batches).toHaveLength(1)
    outbox.took()
    expect(batches).toHaveLength(1)
    await clock.advance(100)
    expect(batches[1]).toEqual([failed('two'), failed('three')].map(once))
  })

  it('is ready again when there was nothing to send after the pause', async () => {
    const { clock, batches, outbox } = setUp()
    outbox.put(failed('one'))
    outbox.took()
    await clock.advance(100)
    outbox.put(failed('two'))
    expect(batches).toHaveLength(2)
  })

  it('counts what comes by the thousand, by its kind, and forgets none', async () => {
    const { clock, batches, outbox } = setUp()
    for (let count = 0; count < 10_001; count++) outbox.put(failed())
    for (let count = 0; count < 500; count++) outbox.put(failed('y', 'OTHER'))
    outbox.took()
    await clock.advance(100)
    expect(batches[1]).toHaveLength(18)
    expect(batches[1]?.slice(16)).toEqual([
      { event: failed(), times: 10_000 - 16 },
      { event: failed('y', 'OTHER'), times: 500 },
    ])
  })

  it('keeps the newest state of each certificate, however many changes there were', async () => {
    const { clock, batches, outbox } = setUp()
    outbox.put(failed())
    for (let count = 0; count < 1_000; count++) {
      for (const key of ['a', 'b']) outbox.put(shown('certificate-refused', key))
      outbox.put(shown('certificate-restored', 'a'))
    }
    for (let count = 0; count < 100; count++) outbox.put(failed())
    outbox.took()
    await clock.advance(100)
    expect(batches[1]?.slice(0, 2)).toEqual(
      [shown('certificate-refused', 'b'), shown('certificate-restored', 'a')].map(once),
    )
    expect(batches[1]).toHaveLength(2 + 16 + 1)
  })
})
