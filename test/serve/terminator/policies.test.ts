/** What clients of the terminator see of each policy, whether they ask for a status or not. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Policies } from '../../../src/serve/attach/policy.ts'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { runProgram } from '../../kit/program.ts'
import { type FakeKeeper, fakeKeeper, good, revoked, stale, unknown, unsupported } from '../fake-keeper.ts'
import { isAccepted, openSession, shakeHands, until } from '../tls-client.ts'
import { keyOf, site, startTerminator } from './stage.ts'

let leaf: Leaf
let other: Leaf

beforeAll(async () => {
  const authority = await createAuthority()
  ;[leaf, other] = await Promise.all([
    authority.issueLeaf({ name: 'plain.test', mustStaple: true }),
    authority.issueLeaf({ name: 'other.test', mustStaple: true }),
  ])
})

async function outcome(port: number, servername?: string): Promise<string | null | undefined> {
  try {
    const { staple, socket } = await shakeHands(port, servername === undefined ? {} : { servername })
    socket.destroy()
    return staple
  } catch (error) {
    return (error as NodeJS.ErrnoException).code?.replace('SSL/TLS_ALERT', 'SSLV3_ALERT') // renamed in OpenSSL 3.5
  }
}

const alert = 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE'

describe('each policy', () => {
  const rows: [Partial<Policies>, Parameters<FakeKeeper['hold']>[1], string | null, boolean, string[]][] = [
    [{ onRevoked: 'staple' }, revoked(), 'a revoked staple', true, []],
    [{ onRevoked: 'withhold' }, revoked(), null, true, []],
    [{ onRevoked: 'stop' }, revoked(), 'a revoked staple', true, ['stop']],
    [{ onRevoked: 'stop-site' }, revoked(), alert, false, ['certificate-refused']],
    [{ onUnknown: 'keep' }, unknown('held'), 'held', true, []],
    [{ onUnknown: 'keep' }, unknown(), null, true, []],
    [{ onUnknown: 'keep', onStale: 'refuse' }, unknown(), alert, false, ['certificate-refused']],
    [{ onUnknown: 'staple' }, unknown('held'), 'an unknown staple', true, []],
    [{ onUnknown: 'stop' }, unknown('held'), 'held', true, ['stop']],
    [{ onStale: 'unstapled' }, stale, null, true, []],
    [{ onStale: 'refuse' }, stale, alert, false, ['certificate-refused']],
    [{ onStale: 'refuse' }, unsupported, null, true, []],
  ]
  it.each(rows)('%j', async (policies, servable, expected, isServedUnasked, told) => {
    const { port, keeper, events } = await startTerminator([site(leaf, { mode: 'auto', policies })])
    keeper.hold(keyOf(leaf), servable)
    expect(await outcome(port)).toBe(expected)
    expect(await isAccepted(port, { requestOCSP: false })).toBe(isServedUnasked)
    expect(events.map(({ type }) => type).filter((type) => type === 'stop' || type === 'certificate-refused')).toEqual(
      told,
    )
  })
})

describe('a refused certificate', () => {
  it('is refused from the first connection on when it was so before', async () => {
    const keeper = fakeKeeper({ [keyOf(leaf)]: stale })
    const { port, terminator } = await startTerminator([site(leaf, { policies: { onStale: 'refuse' } })], { keeper })
    expect(await outcome(port)).toBe(alert)
    expect(terminator.status().certificates).toEqual([
      { certificateKey: keyOf(leaf), site: 'default', refusal: 'no-staple' },
    ])
  })

  it('is shown again when it may be', async () => {
    const { port, keeper, told } = await startTerminator([site(leaf, { policies: { onStale: 'refuse' } })])
    keeper.hold(keyOf(leaf), stale)
    expect(await outcome(port)).toBe(alert)
    keeper.hold(keyOf(leaf), good('back'))
    expect(await outcome(port)).toBe('back')
    expect(told('certificate-restored')).toMatchObject([{ certificateKey: keyOf(leaf) }])
  })

  it('leaves the other sites alone', async () => {
    const keeper = fakeKeeper({ [keyOf(leaf)]: good('plain'), [keyOf(other)]: good('other') })
    const policies = { onRevoked: 'stop-site' } as const
    const { port } = await startTerminator(
      [site(leaf, { policies }), site(other, { names: ['other.test'], policies })],
      { keeper },
    )
    keeper.hold(keyOf(other), revoked())
    expect([await outcome(port), await outcome(port, 'other.test'), await outcome(port, 'unheard-of.test')]).toEqual([
      'plain',
      alert,
      'plain',
    ])
  })

  it('leaves the other sites alone when it is the default one', async () => {
    const keeper = fakeKeeper({ [keyOf(leaf)]: revoked(), [keyOf(other)]: good('other') })
    const policies = { onRevoked: 'stop-site' } as const
    const { port } = await startTerminator(
      [site(leaf, { policies }), site(other, { names: ['other.test'], policies })],
      { keeper },
    )
    expect([await outcome(port), await outcome(port, 'other.test')]).toEqual([alert, 'other'])
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('resumes no session of %s', async (version) => {
    const { port, keeper } = await startTerminator([site(leaf, { policies: { onStale: 'refuse' } })])
    const only = { minVersion: version, maxVersion: version }
    const session = await openSession(port, only)
    keeper.hold(keyOf(leaf), stale)
    expect(await isAccepted(port, { ...only, session })).toBe(false)
    keeper.hold(keyOf(leaf), good())
    expect((await shakeHands(port, { ...only, session })).isReused).toBe(false)
  })

  it('under stop resumes no session either', async () => {
    const { port, keeper } = await startTerminator([site(leaf, { policies: { onRevoked: 'stop' } })])
    const session = await openSession(port)
    keeper.hold(keyOf(leaf), revoked())
    expect(await shakeHands(port, { session })).toMatchObject({ isReused: false, staple: 'a revoked staple' })
  })

  it('keeps connections alive that were there before', async () => {
    const { port, keeper } = await startTerminator([site(leaf, { policies: { onStale: 'refuse' } })])
    const { socket } = await shakeHands(port)
    const echo = async (text: string) => {
      socket.write(text)
      return new Promise((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())))
    }
    expect(await echo('here')).toBe('here')
    keeper.hold(keyOf(leaf), stale)
    expect(await outcome(port)).toBe(alert)
    expect(await echo('still here')).toBe('still here')
  })

  it('is refused by judgement in each handshake when nobody told of it, and then by alert', async () => {
    const { port, keeper, told, terminator } = await startTerminator([site(leaf, { policies: { onStale: 'refuse' } })])
    keeper.hold(keyOf(leaf), stale, 'quiet')
    expect(await outcome(port)).toMatch(/ECONNRESET|undefined/)
    expect(await outcome(port)).toBe(alert)
    await until(() => told('handshake-refused').length === 2)
    expect(told('handshake-refused')).toMatchObject([{ reason: 'no-staple' }, { reason: 'no-staple' }])
    expect(terminator.status()).toMatchObject({ refusedHandshakes: 2, failedHandshakes: 0 })
  })

  it('is refused to who asks for no status when nobody told of it, before the backend is dialled', async () => {
    const { port, keeper, told, terminator } = await startTerminator([site(leaf, { policies: { onStale: 'refuse' } })])
    keeper.hold(keyOf(leaf), stale, 'quiet')
    expect(await isAccepted(port, { requestOCSP: false })).toBe(false)
    expect(told('certificate-refused')).toHaveLength(1)
    expect(terminator.status()).toMatchObject({ secured: 0, refusedHandshakes: 1, failedBackends: 0 })
  })

  it('is refused with an alert that openssl understands', async () => {
    const { port, keeper } = await startTerminator([site(leaf, { policies: { onStale: 'refuse' } })])
    keeper.hold(keyOf(leaf), stale)
    const { output } = await runProgram('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-status'], {
      input: '',
    })
    expect(output).toMatch(/alert handshake failure/)
  })

  it('is not refused in mode never', async () => {
    const { port, keeper } = await startTerminator([
      site(leaf, { mode: 'never', policies: { onStale: 'refuse', onRevoked: 'stop-site' } }),
    ])
    keeper.hold(keyOf(leaf), revoked())
    expect(await isAccepted(port)).toBe(true)
  })
})

describe('stop', () => {
  it('is told once, with what and why', async () => {
    const { keeper, told } = await startTerminator([site(leaf, { names: ['plain.test'], mode: 'must' })])
    keeper.hold(keyOf(leaf), revoked(), 'revoked')
    keeper.hold(keyOf(leaf), revoked('newer'))
    expect(told('stop')).toMatchObject([{ reason: 'revoked', certificateKey: keyOf(leaf), site: 'plain.test' }])
  })

  it('is told when the revocation was there before listening', async () => {
    const keeper = fakeKeeper({ [keyOf(leaf)]: revoked() })
    const { told } = await startTerminator([site(leaf, { mode: 'must' })], { keeper })
    expect(told('stop')).toHaveLength(1)
  })
})
