/** Workers as real processes: what each promise is worth when one of them, or the primary, is killed or frozen. */
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { isAccepted, openSession, shakeHands, until } from '../../serve/tls-client.ts'
import { isAlive, setStage, signal, startPrimary } from './stage.ts'

describe('workers', () => {
  it('serve stapled handshakes from the first on, with one request at the responder', async () => {
    const stage = await setStage()
    const leaf = await stage.issue()
    const primary = await startPrimary({ leaves: [leaf], plan: stage.plan([leaf]), count: 3 })
    const port = await primary.open()
    const seen = await Promise.all(Array.from({ length: 30 }, () => shakeHands(port)))
    expect(seen.filter(({ staple }) => !staple).length).toBe(0)
    expect(stage.responder.count).toBe(1)
    const status = await primary.status()
    expect(status.workers.map(({ state }) => state)).toEqual(['serving', 'serving', 'serving'])
    expect(status).toMatchObject({ secured: 30, stapled: 30, connections: 30 })
  })
})
