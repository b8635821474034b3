import { describe, expect, test } from 'vitest'
import { createFrontNarrator } from '../../../src/run/daemon/narrate-front.ts'
import type { TerminatorEvent } from '../../../src/serve/terminator/index.ts'

const start = Date.UTC(2026, 10, 21, 3, 50, 4)

function refused(seconds: number, serverName: string | undefined): TerminatorEvent {
  const at = new Date(start + seconds * 1_000)
  return { type: 'handshake-refused', at, reason: 'unknown-sni', serverName, remoteAddress: '192.0.2.1' }
}

describe('what clients can cause by the thousand', () => {
  test('is said once a minute, with its count, whatever names they ask for', () => {
    const narrate = createFrontNarrator()
    const lines = Array.from({ length: 3_000 }, (_, index) => narrate(refused(index / 100, `${index}.test`)))
    expect(lines.filter((line) => line !== undefined).map(({ text }) => text)).toEqual([
      'handshakes are refused, now for "0.test": no site has the name (unknown_sni: refuse)',
    ])
    expect(narrate(refused(61, undefined))?.text).toBe(
      'handshakes are refused: no site has the name (unknown_sni: refuse) (and 2999 more since it was last said)',
    )
  })

  test('is quoted where it comes from them', () => {
    expect(createFrontNarrator()(refused(0, '\u001b[31mred\n99:99:99 ✓ forged'))?.text).toContain(
      'for "\\u001b[31mred\\n99:99:99 ✓ forged":',
    )
  })
})

describe('clients that ocsp_peer does not simply let in', () => {
  const peer = { reason: 'revoked', subject: 'CN=client\n2', remoteAddress: '192.0.2.1' } as const

  test('are said once a minute for each reason, with who it was last and why', () => {
    const narrate = createFrontNarrator()
    const at = (seconds: number) => new Date(start + seconds * 1_000)
    const message = 'revoked since 2026-11-20 00:00:00Z'
    expect(narrate({ type: 'peer-refused', at: at(0), ...peer, message })?.text).toBe(
      'clients are refused (ocsp_peer), now "CN=client\\n2" from 192.0.2.1: revoked since 2026-11-20 00:00:00Z',
    )
    expect(narrate({ type: 'peer-refused', at: at(1), ...peer })).toBeUndefined()
    expect(narrate({ type: 'peer-refused', at: at(1), ...peer, reason: 'unknown' })?.text).toContain(': unknown')
    expect(narrate({ type: 'peer-warned', at: at(1), ...peer })?.text).toContain('let in by a switch of ocsp_peer')
  })

  test('and were connected are each told of', () => {
    const { remoteAddress: _, ...rest } = peer
    const event = { type: 'peers-closed', at: new Date(start), ...rest, connections: 2 } as const
    expect(createFrontNarrator()(event)).toMatchObject({
      level: 'warn',
      text: '"CN=client\\n2": revoked\nits 2 open connections were cut (ocsp_peer { recheck })',
      fields: { event: 'peers-closed', reason: 'revoked', connections: 2 },
    })
  })
})
