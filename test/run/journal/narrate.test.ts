import { describe, expect, test } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import type { EntryStatus, KeeperEvent } from '../../../src/keep/keeper/index.ts'
import { createNarrator } from '../../../src/run/journal/narrate.ts'

const at = new Date('2026-11-21T03:50:00Z')
const inMinutes = (minutes: number) => new Date(at.getTime() + minutes * 60_000)

const held: Partial<EntryStatus> = {
  certStatus: 'good',
  thisUpdate: at,
  effectiveNextUpdate: inMinutes(60),
  withdrawAt: inMinutes(57),
  refreshAt: inMinutes(30),
  signer: 'CN=CA',
  mustStaple: true,
}

function event(
  type: KeeperEvent['type'],
  more: object = {},
  entry: Partial<EntryStatus> = held,
  when = at,
): KeeperEvent {
  return { type, certificateKey: 'k', label: 'server.pem', at: when, entry, ...more } as unknown as KeeperEvent
}

function failed(
  message: string,
  entry: Partial<EntryStatus> = { ...held, refreshAt: inMinutes(0.5) },
  when = at,
): KeeperEvent {
  const cause = new StapleError('ERR_FETCH_NETWORK', message, { url: 'http://ocsp.example/' })
  const error = new StapleError('ERR_FETCH_FAILED', 'all failed', { causes: [cause] })
  return event('refresh-failed', { error, retryAt: entry.refreshAt, failures: 1, isRepeat: false }, entry, when)
}

describe('a refresh', () => {
  test('says status, signer, until when, and when it is asked again', () => {
    expect(createNarrator()(event('refreshed', { isNew: true }))).toMatchObject({
      level: 'notice',
      subject: 'server.pem',
      text: 'stapled: good, signed by CN=CA, until 04:50:00Z (in 1 h); asked again at 04:20:00Z',
    })
  })

  test('that brought the same answer again is a detail', () => {
    const narrate = createNarrator()
    narrate(event('refreshed'))
    expect(narrate(event('refreshed'))?.level).toBe('debug')
  })

  test('after an outage says how long it was', () => {
    const narrate = createNarrator()
    narrate(failed('connection refused'))
    expect(narrate(event('refreshed', {}, held, inMinutes(10)))?.text).toMatch(
      /^the responder answers again after 10 min: good/,
    )
  })
})

describe('a failure', () => {
  test('says the cause, what clients get meanwhile, and when it is asked again', () => {
    const line = createNarrator()(failed('http://ocsp.example/: connection refused'))
    expect(line?.level).toBe('warn')
    expect(line?.text).toBe(
      'http://ocsp.example/: connection refused\nthe staple in hand (good) serves on until 04:47:00Z (in 57 min); asked again in 30 s',
    )
  })

  test('with no staple in hand is an error, and says what a strict client does', () => {
    const line = createNarrator()(failed('connection refused', { mustStaple: true, refreshAt: inMinutes(0.1) }))
    expect(line?.level).toBe('error')
    expect(line?.text).toContain('Must-Staple: strict clients refuse it')
  })

  test('is not said again for the same cause', () => {
    const narrate = createNarrator()
    narrate(failed('connection refused'))
    expect(narrate(failed('connection refused', held, inMinutes(1)))?.level).toBe('debug')
  })

  test('is said again when the cause changes', () => {
    const narrate = createNarrator()
    narrate(failed('connection refused'))
    expect(narrate(failed('HTTP 500', held, inMinutes(1)))?.level).toBe('warn')
  })

  test('is said again when the last staple is gone', () => {
    const narrate = createNarrator()
    narrate(failed('connection refused'))
    expect(narrate(failed('connection refused', held, inMinutes(58)))?.level).toBe('error')
  })

  test('is said again after an hour', () => {
    const narrate = createNarrator()
    narrate(failed('connection refused'))
    const long = { ...held, withdrawAt: inMinutes(600) }
    narrate(failed('connection refused', long, inMinutes(59)))
    expect(narrate(failed('connection refused', long, inMinutes(61)))?.level).toBe('warn')
  })
})

describe('a revocation', () => {
  test('says since when, why, and what to do', () => {
    const line = createNarrator()(event('revoked', { revocationTime: at, revocationReason: 'keyCompromise' }))
    expect(line?.level).toBe('error')
    expect(line?.text).toContain(
      'the CA says REVOKED since 2026-11-21 03:50:00Z (keyCompromise)\nreplace the certificate',
    )
  })
})

describe('the clock', () => {
  test('says how far it moved, about no certificate in particular', () => {
    const line = createNarrator()({ type: 'clock-jumped', at, byMs: -86_400_000 })
    expect(line).toMatchObject({ level: 'warn', text: 'the clock moved by 1 day back; every staple was judged anew' })
    expect(line).not.toHaveProperty('subject')
  })
})
