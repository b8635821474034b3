/** What a worker does about clients when the process that asks CAs answers, is late, or is gone. */
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { FromWorker } from '../../../src/run/workers/messages.ts'
import { createPeerLine } from '../../../src/run/workers/peer-line.ts'
import type { PeerJudgement, PeerPolicy } from '../../../src/serve/terminator/index.ts'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { manualClock } from '../../kit/clock.ts'
import { peerPolicy } from '../../kit/peer-policy.ts'

let authority: Authority
let leaf: Leaf
let other: Leaf
beforeAll(async () => {
  authority = await createAuthority()
  leaf = await authority.issueLeaf({ responderURL: 'http://127.0.0.1:1/' })
  other = await authority.issueLeaf({ responderURL: null })
})

const policy: PeerPolicy = { ...peerPolicy, deadlineMs: 2_000, caTimeoutMs: 2_000 }

function setLine() {
  const clock = manualClock()
  const sent: Extract<FromWorker, { type: 'judge' }>[] = []
  const line = createPeerLine({ clock, send: (message) => void (message.type === 'judge' && sent.push(message)) })
  const judge = (choices: Partial<PeerPolicy> = {}, whose = leaf, signal = new AbortController().signal) =>
    line.judge(
      {
        chain: [whose.der, authority.intermediate.der, authority.root.der],
        isProven: true,
        policy: { ...policy, ...choices },
      },
      signal,
    )
  const answer = (judgement: PeerJudgement) => line.judged(sent.at(-1)?.id ?? 0, judgement)
  const good = (forMs = 60_000): PeerJudgement => {
    return {
      outcome: 'accepted',
      reason: 'good',
      subject: 'CN=x',
      usableUntil: new Date(clock.now().getTime() + forMs),
    }
  }
  return { clock, sent, line, judge, answer, good }
}

test('the primary is asked, and its word counts', async () => {
  const { sent, judge, answer } = setLine()
  const asked = judge()
  expect(sent).toMatchObject([{ type: 'judge', question: { policy } }])
  answer({ outcome: 'refused', reason: 'revoked', subject: 'CN=x' })
  expect(await asked).toEqual({ outcome: 'refused', reason: 'revoked', subject: 'CN=x' })
})

test('answers find their questions, in any order, and those to nobody are nothing', async () => {
  const { sent, line, judge, good } = setLine()
  const [one, two] = [judge(), judge({}, other)]
  line.judged(sent[1]?.id ?? 0, { ...good(), subject: 'CN=two' })
  line.judged(sent[0]?.id ?? 0, { ...good(), subject: 'CN=one' })
  line.judged(99, good())
  expect([(await one).subject, (await two).subject]).toEqual(['CN=one', 'CN=two'])
})

describe('a primary that does not answer in time is as a CA that is out of reach', () => {
  test.each([
    [{}, 'refused'],
    [{ isUnreachableAllowed: true }, 'warned'],
    [{ isWarnOnly: true }, 'warned'],
  ] as const)('%j: %s', async (choices, outcome) => {
    const { clock, judge } = setLine()
    const asked = judge(choices)
    await clock.advance(2_500)
    expect(await asked).toMatchObject({ outcome, reason: 'unavailable' })
  })

  test('unless nobody need be asked', async () => {
    const { clock, judge } = setLine()
    const asked = judge({}, other)
    await clock.advance(2_500)
    expect(await asked).toMatchObject({ outcome: 'accepted', reason: 'no-responder' })
  })
})

describe('without a primary', () => {
  test('who waits is told at once, and nobody is asked any more', async () => {
    const { line, judge, sent } = setLine()
    const asked = judge()
    line.orphaned()
    expect(await asked).toMatchObject({ outcome: 'refused', reason: 'unavailable' })
    expect(await judge()).toMatchObject({ outcome: 'refused' })
    expect(sent).toHaveLength(1)
  })

  test('a verdict is repeated for as long as it holds, for that certificate and that policy', async () => {
    const { clock, line, judge, answer, good } = setLine()
    const asked = judge()
    answer(good(60_000))
    await asked
    line.orphaned()
    await clock.advance(59_999)
    expect(await judge()).toMatchObject({ outcome: 'accepted', reason: 'good' })
    expect(await judge({ whenNoResponder: 'refuse' })).toMatchObject({ reason: 'unavailable' })
    expect(await judge({ whenNoResponder: 'refuse' }, other)).toMatchObject({ reason: 'no-responder' })
    await clock.advance(1)
    expect(await judge()).toMatchObject({ outcome: 'refused', reason: 'unavailable' })
  })

  test('a refusal is repeated too', async () => {
    const { line, judge, answer, good } = setLine()
    const asked = judge({ isUnreachableAllowed: true })
    answer({ ...good(), outcome: 'refused', reason: 'revoked' })
    await asked
    line.orphaned()
    expect(await judge({ isUnreachableAllowed: true })).toMatchObject({ outcome: 'refused', reason: 'revoked' })
  })

  test('a good verdict is not repeated of whom the primary has called revoked since', async () => {
    const { line, judge, answer, good } = setLine()
    for (const word of [good(), { outcome: 'refused', reason: 'was-revoked', subject: 'CN=x' } as const]) {
      const asked = judge()
      answer(word)
      await asked
    }
    line.orphaned()
    expect(await judge()).toMatchObject({ outcome: 'refused', reason: 'unavailable' })
  })
})

test('a flood of clients pushes out the oldest verdicts: what is held is bounded', async () => {
  const { line, sent, good } = setLine()
  const signal = new AbortController().signal
  const ask = (number: number) => line.judge({ chain: [Buffer.from(`leaf ${number}`)], isProven: true, policy }, signal)
  for (let number = 0; number <= 2_000; number++) {
    const asked = ask(number)
    line.judged(sent.at(-1)?.id ?? 0, good())
    await asked
  }
  line.orphaned()
  expect(await ask(1)).toMatchObject({ outcome: 'accepted' })
  expect(await ask(0)).toMatchObject({ outcome: 'refused' })
})

test('any number of questions may end by one signal, and Node sees no leak in that', async () => {
  const warn = vi.spyOn(process, 'emitWarning')
  const { judge } = setLine()
  const ending = new AbortController()
  const asked = Promise.allSettled(Array.from({ length: 12 }, () => judge({}, leaf, ending.signal)))
  ending.abort(new Error('closing'))
  expect(await asked).toMatchObject(Array(12).fill({ reason: { message: 'closing' } }))
  expect(warn).not.toHaveBeenCalled()
  warn.mockRestore()
})

test('who has gone is not waited for', async () => {
  const { clock, judge } = setLine()
  const ending = new AbortController()
  const asked = judge({}, leaf, ending.signal)
  ending.abort(new Error('gone'))
  await expect(asked).rejects.toThrow('gone')
  expect(clock.timers).toBe(0)
})
