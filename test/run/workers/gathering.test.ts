import { describe, expect, it } from 'vitest'
import { createGathering } from '../../../src/run/workers/gathering.ts'
import type { TerminatorEvent } from '../../../src/serve/terminator/index.ts'

function setUp() {
  const told: string[] = []
  return { told, gathering: createGathering(({ type }) => told.push(type)) }
}

const at = new Date(0)
const refused: TerminatorEvent = {
  type: 'certificate-refused',
  at,
  certificateKey: 'a',
  site: 's',
  reason: 'no-staple',
}
const restored: TerminatorEvent = { type: 'certificate-restored', at, certificateKey: 'a', site: 's' }
const stop: TerminatorEvent = { type: 'stop', at, certificateKey: 'a', site: 's', reason: 'revoked' }

describe('the events of several workers', () => {
  it('are told once where all find out the same, and new ticket keys are made once', () => {
    const { told, gathering } = setUp()
    expect([refused, refused, restored, restored].map(gathering.take)).toEqual(['new', 'same', 'same', 'same'])
    expect([stop, stop].map(gathering.take)).toEqual(['new', 'same'])
    expect(told).toEqual(['certificate-refused', 'certificate-restored', 'stop'])
  })

  it('are told again when they happen again', () => {
    const { told, gathering } = setUp()
    for (const event of [refused, restored, refused]) gathering.take(event)
    expect(told).toEqual(['certificate-refused', 'certificate-restored', 'certificate-refused'])
  })

  it('are told of another reason, another site and another certificate', () => {
    const { told, gathering } = setUp()
    const others = [
      refused,
      { ...refused, reason: 'revoked' },
      { ...refused, site: 't' },
      { ...refused, certificateKey: 'b' },
    ]
    for (const event of others) gathering.take(event as TerminatorEvent)
    expect(told).toHaveLength(4)
  })

  it('are told each where each is its own, and leave the ticket keys alone', () => {
    const { told, gathering } = setUp()
    const failed: TerminatorEvent = { type: 'handshake-failed', at, code: 'E', message: '', remoteAddress: undefined }
    expect([gathering.take(failed), gathering.take(failed)]).toEqual([undefined, undefined])
    expect(told).toHaveLength(2)
  })

  it('are forgotten of certificates that are no longer served', () => {
    const { told, gathering } = setUp()
    gathering.take(stop)
    gathering.keepOnly(new Set(['b']))
    gathering.take(stop)
    expect(told).toEqual(['stop', 'stop'])
  })
})
