import { beforeAll, describe, expect, it } from 'vitest'
import { readBundle } from '../../../src/serve/attach/bundle.ts'
import type { AttachEvent } from '../../../src/serve/attach/events.ts'
import { resolvePolicies } from '../../../src/serve/attach/options.ts'
import { createShowcase } from '../../../src/serve/attach/shown.ts'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { manualClock } from '../../kit/clock.ts'
import { fakeKeeper } from '../fake-keeper.ts'
import { keyOf } from '../terminator/stage.ts'

let leaves: Leaf[]

beforeAll(async () => {
  const authority = await createAuthority()
  leaves = await Promise.all([1, 30, 60].map((days) => authority.issueLeaf({ name: `days-${days}.test`, days })))
})

function stage(mostLearned?: number) {
  const keeper = fakeKeeper()
  const clock = manualClock(new Date())
  const events: AttachEvent[] = []
  const showcase = createShowcase({
    keeper,
    clock,
    resolved: resolvePolicies({ mode: 'always' }),
    asking: {},
    issuers: [],
    announce: (event) => events.push(event),
    ...(mostLearned !== undefined && { mostLearned }),
  })
  const learn = (leaf: Leaf | undefined) => showcase.learn(Buffer.from((leaf as Leaf).der), null)
  const keys = () =>
    showcase.all().map(({ certificateKey }) => leaves.findIndex((leaf) => keyOf(leaf) === certificateKey))
  return { keeper, clock, events, showcase, learn, keys }
}

describe('what was learned', () => {
  it('is found again by its bytes', () => {
    const { showcase, learn } = stage()
    const shown = learn(leaves[0])
    expect(showcase.find(Buffer.from((leaves[0] as Leaf).der))).toBe(shown)
    expect(showcase.find(Buffer.from((leaves[1] as Leaf).der))).toBe(undefined)
  })

  it('goes when it has expired, as the next one is learned', async () => {
    const { clock, learn, keys, keeper } = stage()
    learn(leaves[0])
    learn(leaves[1])
    clock.jump(2 * 86_400_000)
    learn(leaves[2])
    expect(keys()).toEqual([1, 2])
    expect(keeper.added).toHaveLength(2)
  })

  it('is bounded: the oldest makes room', () => {
    const { learn, keys } = stage(2)
    for (const leaf of leaves) learn(leaf)
    expect(keys()).toEqual([1, 2])
  })

  it('does not push out what was given', () => {
    const { showcase, learn, keys } = stage(1)
    showcase.add(readBundle('cert', (leaves[0] as Leaf).chainPem), 'given')
    learn(leaves[1])
    learn(leaves[2])
    expect(keys()).toEqual([0, 2])
  })

  it('is told once when it is no certificate', () => {
    const { showcase, events } = stage()
    const bytes = Buffer.from('some forty bytes that are no certificate')
    expect([showcase.learn(bytes, null), showcase.learn(bytes, null)]).toEqual([undefined, undefined])
    expect(events).toMatchObject([{ type: 'failed', error: { code: expect.stringMatching(/^ERR_(DER|X509)_/) } }])
  })
})

describe('what is added', () => {
  it('twice is let go when it was removed twice', () => {
    const { showcase, keeper } = stage()
    const bundle = readBundle('cert', (leaves[0] as Leaf).chainPem)
    const shown = showcase.add(bundle, 'given')
    expect(showcase.add(bundle, 'context')).toBe(shown)
    showcase.remove(shown)
    expect(keeper.added).toHaveLength(1)
    showcase.remove(shown)
    expect([keeper.added, showcase.all()]).toEqual([[], []])
  })

  it('after it was learned is not learned any more', () => {
    const { showcase, learn } = stage()
    learn(leaves[0])
    expect(showcase.add(readBundle('cert', (leaves[0] as Leaf).chainPem), 'context').origin).toBe('learned')
  })
})
