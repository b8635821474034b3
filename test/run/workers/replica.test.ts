import { describe, expect, it } from 'vitest'
import type { ServableSnapshot } from '../../../src/keep/keeper/index.ts'
import { createReplica } from '../../../src/run/workers/replica.ts'
import { manualClock } from '../../kit/clock.ts'

const start = Date.UTC(2026, 0, 1)
const hour = 3_600_000
const minute = 60_000

function snapshot(more: Partial<ServableSnapshot> = {}): ServableSnapshot {
  return {
    held: { der: Uint8Array.of(1, 2, 3), certStatus: 'good', thisUpdate: start, usableUntil: start + hour },
    unknown: undefined,
    revocation: undefined,
    dueAt: start + hour / 2,
    unsupportedReason: undefined,
    ...more,
  }
}

function setUp(given: ServableSnapshot | undefined = snapshot()) {
  const clock = manualClock(new Date(start))
  const replica = createReplica(clock)
  const told: (string | undefined)[] = []
  replica.subscribe(({ certificateKey }) => told.push(certificateKey))
  replica.put([{ certificateKey: 'a', snapshot: given }])
  return { clock, replica, told }
}

describe('a replica', () => {
  it('staples until the margin before the end, and tells of it, though nobody sends anything more', async () => {
    const { clock, replica, told } = setUp()
    expect(replica.servable('a')).toMatchObject({ certStatus: 'good', stapleState: 'fresh' })
    await clock.advance(57 * minute - 1)
    expect(replica.servable('a').staple).toEqual(Buffer.of(1, 2, 3))
    expect(told).toEqual(['a', 'a']) // sent, and due
    await clock.advance(1)
    expect(replica.servable('a')).toEqual({ isRevoked: false, stapleState: 'stale' })
    await clock.advance(20)
    expect(told).toEqual(['a', 'a', 'a'])
  })

  it('judges at the handshake by the hour, also when the clock stepped and no timer has run', () => {
    const { clock, replica } = setUp()
    clock.jump(2 * hour)
    expect(replica.servable('a').staple).toBeUndefined()
    clock.jump(-2 * hour)
    expect(replica.servable('a').staple).toBeDefined()
    clock.jump(-hour)
    expect(replica.servable('a').staple).toBeUndefined()
  })

  it('tells of a step of the clock within half a minute', async () => {
    const { clock, told } = setUp()
    clock.jump(2 * hour)
    await clock.advance(30_000)
    expect(told).toEqual(['a', 'a'])
  })

  it('has a Buffer of its own, which the message does not hold', () => {
    const der = Buffer.from(new Uint8Array(10_000).buffer, 100, 3)
    const { replica } = setUp(
      snapshot({ held: { der, certStatus: 'good', thisUpdate: start, usableUntil: start + hour } }),
    )
    const { staple } = replica.servable('a')
    expect(Buffer.isBuffer(staple)).toBe(true)
    expect(staple?.buffer.byteLength).toBe(3)
  })

  it('takes what is sent in place of what was there: a revocation, an unknown, nothing', () => {
    const { replica, told } = setUp(snapshot({ revocation: {} }))
    expect(replica.servable('a')).toMatchObject({ isRevoked: true, stapleState: 'revoked' })
    const unknown = {
      der: Uint8Array.of(9),
      certStatus: 'unknown',
      thisUpdate: start,
      usableUntil: start + hour,
    } as const
    replica.put([{ certificateKey: 'a', snapshot: snapshot({ unknown }) }])
    expect(replica.servable('a')).toMatchObject({ unknown: Buffer.of(9), stapleState: 'unknown' })
    replica.put([{ certificateKey: 'a', snapshot: undefined }])
    expect(replica.servable('a')).toEqual({ isRevoked: false, stapleState: 'missing' })
    expect(told).toEqual(['a', 'a', 'a'])
  })

  it('forgets, and then sets no timer', async () => {
    const { clock, replica } = setUp()
    replica.forget(['a'])
    expect(replica.servable('a').stapleState).toBe('missing')
    await clock.advance(hour)
    expect(clock.timers).toBe(0)
  })
})
