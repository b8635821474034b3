import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createStatusAsker, type StatusAskerOptions, type StatusQuestion } from '../../../src/check/revocation/index.ts'
import { answer, day, hour, minute, networkError, noon, second, statusError } from '../../keep/keeper/crafted.ts'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { type ManualClock, manualClock } from '../../kit/clock.ts'
import { type FakeCa, fakeCa } from './fake-ca.ts'

let leaf: Leaf
let other: Leaf
let clock: ManualClock
let ca: FakeCa

const good = { thisUpdate: noon, nextUpdate: noon + 4 * day }
const revoked = { ...good, certStatus: 'revoked' as const }
const unknown = { ...good, certStatus: 'unknown' as const }

beforeAll(async () => {
  const authority = await createAuthority()
  leaf = await authority.issueLeaf({ responderURL: 'http://ocsp.test/' })
  other = await authority.issueLeaf({ responderURL: 'http://ocsp.test/' })
})

beforeEach(() => {
  clock = manualClock(new Date(noon))
  ca = fakeCa(clock)
})

function question(asked: Partial<StatusQuestion> = {}): StatusQuestion {
  return { certificate: leaf.certificate, issuer: leaf.issuer, ...asked }
}

function asker(options: Partial<StatusAskerOptions> = {}) {
  return createStatusAsker({ clock, fetcher: ca, ...options })
}

describe('asking', () => {
  it('gives the word of the responder, and asks as a stranger, with SHA-256 first', async () => {
    ca.ocsp = good
    expect(await asker().ask(question())).toMatchObject({
      source: 'ocsp',
      certStatus: 'good',
      thisUpdate: new Date(noon),
      usableUntil: new Date(noon + 4 * day),
      url: 'http://ocsp.test/',
      isCached: false,
    })
    expect(ca.ocspQuestions).toMatchObject([
      { origin: 'stranger', hashAlgorithm: 'prefer-sha256', responderURLs: ['http://ocsp.test/'] },
    ])
    expect(ca.crlQuestions).toEqual([])
  })

  it('asks where it is told to', async () => {
    ca.ocsp = statusError('tryLater')
    ca.crl = { ...good, certStatus: 'good' }
    const where = { responderURLs: ['http://mine/'], crlURLs: ['http://mine/crl'], origin: 'operator' as const }
    await asker().ask(question(where))
    expect(ca.ocspQuestions).toMatchObject([{ responderURLs: ['http://mine/'], origin: 'operator' }])
    expect(ca.crlQuestions).toMatchObject([{ crlURLs: ['http://mine/crl'], origin: 'operator' }])
  })

  it('falls back to the CRL when no responder answers, and says what failed before', async () => {
    ca.crl = { ...good, certStatus: 'revoked' }
    expect(await asker().ask(question())).toMatchObject({
      source: 'crl',
      certStatus: 'revoked',
      revocationReason: 'keyCompromise',
      url: 'http://crl.test/',
      failures: [{ code: 'ERR_FETCH_NETWORK' }],
    })
  })

  it('by the policy ocsp never asks for a CRL', async () => {
    ca.crl = { ...good, certStatus: 'good' }
    await expect(asker().ask(question({ policy: 'ocsp' }))).rejects.toMatchObject({
      code: 'ERR_PEER_STATUS_UNAVAILABLE',
    })
    expect(ca.crlQuestions).toEqual([])
  })

  it('by the policy crl never asks a responder', async () => {
    ca.ocsp = good
    ca.crl = { ...good, certStatus: 'good' }
    expect(await asker({ policy: 'crl' }).ask(question())).toMatchObject({ source: 'crl', certStatus: 'good' })
    expect(ca.ocspQuestions).toEqual([])
  })

  it('takes a revocation in the CRL over the shrug of a responder', async () => {
    ca.ocsp = unknown
    ca.crl = { ...good, certStatus: 'revoked' }
    expect(await asker().ask(question())).toMatchObject({ source: 'crl', certStatus: 'revoked' })
  })

  it('lets no CRL turn unknown into good: what was never issued is in no list', async () => {
    ca.ocsp = unknown
    ca.crl = { ...good, certStatus: 'good' }
    expect(await asker().ask(question())).toMatchObject({ source: 'ocsp', certStatus: 'unknown' })
    expect(ca.crlQuestions).toHaveLength(1)
  })

  it('fails with the cause of every way it tried', async () => {
    ca.ocsp = statusError('unauthorized')
    await expect(asker().ask(question())).rejects.toMatchObject({
      code: 'ERR_PEER_STATUS_UNAVAILABLE',
      detail: { causes: [{ code: 'ERR_OCSP_RESPONSE_STATUS' }, { code: 'ERR_FETCH_NETWORK' }] },
    })
  })
})

describe('time', () => {
  it('ends a question at its deadline, and leaves the CRL its share of it', async () => {
    ca.ocsp = 'silence'
    ca.crl = 'silence'
    const asked = asker().ask(question({ deadlineMs: 4000 }))
    const outcome = expect(asked).rejects.toMatchObject({ code: 'ERR_PEER_STATUS_UNAVAILABLE' })
    expect(ca.ocspQuestions[0]?.deadlineMs).toBe(2000)
    await clock.advance(4000)
    await outcome
    expect(clock.timers).toBe(0)
  })

  it('ends for a caller whose deadline is shorter, and goes on for the others', async () => {
    ca.ocsp = good
    ca.delayMs = 3000
    const a = asker()
    const patient = a.ask(question())
    const hasty = expect(a.ask(question({ deadlineMs: 1000 }))).rejects.toMatchObject({
      code: 'ERR_PEER_STATUS_UNAVAILABLE',
      detail: { causes: [{ code: 'ERR_FETCH_TIMEOUT' }] },
    })
    await clock.advance(1000)
    await hasty
    await clock.advance(2000)
    expect(await patient).toMatchObject({ certStatus: 'good' })
    expect(clock.timers).toBe(0)
  })
})

describe('one question at a time', () => {
  it('is shared by all who ask it', async () => {
    ca.ocsp = good
    ca.delayMs = 100
    const a = asker()
    const asked = Array.from({ length: 50 }, () => a.ask(question()))
    await clock.advance(100)
    expect(await Promise.all(asked)).toHaveLength(50)
    expect(ca.ocspQuestions).toHaveLength(1)
  })

  it('is not shared with another certificate, nor with another policy', async () => {
    ca.ocsp = good
    ca.delayMs = 100
    const a = asker()
    const asked = [
      a.ask(question()),
      a.ask(question({ certificate: other.certificate })),
      a.ask(question({ policy: 'ocsp' })),
    ]
    await clock.advance(100)
    await Promise.all(asked)
    expect(ca.ocspQuestions).toHaveLength(3)
  })

  it('goes on until the last one has left, and is asked anew after that', async () => {
    ca.ocsp = 'silence'
    const a = asker()
    const [first, second_] = [new AbortController(), new AbortController()]
    const left = [
      a.ask(question({ policy: 'ocsp' }), first.signal),
      a.ask(question({ policy: 'ocsp' }), second_.signal),
    ]
    const outcomes = Promise.allSettled(left)
    await clock.advance(0)
    first.abort(new Error('first'))
    expect(ca.aborted).toBe(0)
    second_.abort(new Error('second'))
    expect(ca.aborted).toBe(1)
    expect(await outcomes).toMatchObject([{ reason: { message: 'first' } }, { reason: { message: 'second' } }])
    ca.ocsp = good
    expect(await a.ask(question({ policy: 'ocsp' }))).toMatchObject({ certStatus: 'good', isCached: false })
  })
})

describe('what is held', () => {
  it('answers until it goes stale', async () => {
    ca.ocsp = { thisUpdate: noon, nextUpdate: noon + hour }
    const a = asker()
    await a.ask(question())
    await clock.advance(hour - 1)
    expect(await a.ask(question())).toMatchObject({ certStatus: 'good', isCached: true })
    expect(a.recall(leaf.certificate, leaf.issuer)).toMatchObject({ certStatus: 'good', isCached: true })
    await clock.advance(1)
    expect(a.recall(leaf.certificate, leaf.issuer)).toBeUndefined()
    await a.ask(question())
    expect(ca.ocspQuestions).toHaveLength(2)
  })

  it('is judged by the clock of each moment: set back before thisUpdate, it does not count', async () => {
    ca.ocsp = good
    const a = asker()
    await a.ask(question())
    clock.jump(-hour)
    expect(a.recall(leaf.certificate, leaf.issuer)).toBeUndefined()
  })

  it('is asked for anew after maxAgeMs, so that a revocation is noticed', async () => {
    ca.ocsp = good
    const a = asker({ maxAgeMs: hour })
    await a.ask(question())
    ca.ocsp = { ...revoked, thisUpdate: noon + hour }
    await clock.advance(hour)
    expect(await a.ask(question())).toMatchObject({ certStatus: 'revoked', isCached: false })
  })

  it('still answers when asking anew fails, with what failed, and is left alone for five minutes', async () => {
    ca.ocsp = good
    const a = asker({ maxAgeMs: hour, policy: 'ocsp' })
    await a.ask(question())
    ca.ocsp = networkError()
    await clock.advance(hour)
    const failures = [{ code: 'ERR_FETCH_NETWORK' }]
    expect(await a.ask(question())).toMatchObject({ certStatus: 'good', isCached: true, failures })
    await clock.advance(5 * minute - 1)
    expect(await a.ask(question())).toMatchObject({ certStatus: 'good', isCached: true, failures })
    expect(ca.ocspQuestions).toHaveLength(2)
    await clock.advance(1)
    await a.ask(question())
    expect(ca.ocspQuestions).toHaveLength(3)
  })

  it('is passed over by a fresh question, whose failure is told', async () => {
    ca.ocsp = good
    const a = asker()
    await a.ask(question())
    expect(await a.ask(question({ isFresh: true }))).toMatchObject({ isCached: false })
    ca.ocsp = networkError()
    await expect(a.ask(question({ isFresh: true }))).rejects.toMatchObject({ code: 'ERR_PEER_STATUS_UNAVAILABLE' })
    expect(await a.ask(question())).toMatchObject({ isCached: true })
  })

  it('gives way to nothing older, and a revocation to no good of the same time', async () => {
    ca.ocsp = revoked
    const a = asker()
    await a.ask(question())
    ca.ocsp = good
    expect(await a.ask(question({ isFresh: true }))).toMatchObject({ certStatus: 'revoked' })
    ca.ocsp = { ...good, thisUpdate: noon - hour }
    expect(await a.ask(question({ isFresh: true }))).toMatchObject({ certStatus: 'revoked' })
    ca.ocsp = { ...good, thisUpdate: noon + second }
    expect(await a.ask(question({ isFresh: true }))).toMatchObject({ certStatus: 'good' })
    expect(a.recall(leaf.certificate, leaf.issuer)).toMatchObject({ certStatus: 'good' })
  })

  it('gives way to a revocation of the same time', async () => {
    ca.ocsp = good
    const a = asker()
    await a.ask(question())
    ca.ocsp = revoked
    await a.ask(question({ isFresh: true }))
    expect(a.recall(leaf.certificate, leaf.issuer)).toMatchObject({ certStatus: 'revoked' })
  })

  it('tells of a revocation whoever said it, unless something newer is known', async () => {
    ca.ocsp = good
    ca.crl = { ...good, certStatus: 'revoked' }
    const a = asker()
    await a.ask(question({ policy: 'ocsp' }))
    await a.ask(question({ policy: 'crl' }))
    expect(await a.ask(question({ policy: 'ocsp' }))).toMatchObject({ source: 'crl', certStatus: 'revoked' })
    ca.ocsp = { ...good, thisUpdate: noon + second }
    await a.ask(question({ policy: 'ocsp', isFresh: true }))
    expect(await a.ask(question({ policy: 'ocsp' }))).toMatchObject({ source: 'ocsp', certStatus: 'good' })
  })

  it('takes in a staple, which answers the next question', async () => {
    const a = asker()
    a.remember(leaf.certificate, leaf.issuer, answer(good))
    expect(await a.ask(question())).toMatchObject({ source: 'ocsp', certStatus: 'good', isCached: true })
    expect(ca.ocspQuestions).toEqual([])
  })

  it('takes in no staple whose signer is still to be asked about', () => {
    const a = asker()
    a.remember(leaf.certificate, leaf.issuer, answer({ ...good, needsDelegateCheck: true }))
    expect(a.recall(leaf.certificate, leaf.issuer)).toBeUndefined()
  })

  it('is told apart by certID', async () => {
    ca.ocsp = good
    const a = asker()
    await a.ask(question())
    expect(a.recall(other.certificate, other.issuer)).toBeUndefined()
  })

  it('is bounded: the least recently used goes', async () => {
    ca.ocsp = good
    const a = asker({ cacheEntries: 2 })
    const third = await (await createAuthority()).issueLeaf()
    await a.ask(question())
    await a.ask(question({ certificate: other.certificate }))
    a.recall(leaf.certificate, leaf.issuer)
    await a.ask(question({ certificate: third.certificate }))
    expect(a.recall(leaf.certificate, leaf.issuer)).toBeDefined()
    expect(a.recall(other.certificate, other.issuer)).toBeUndefined()
  })
})

describe('a CA that cannot say', () => {
  it('is asked once in five seconds, not at every connection', async () => {
    const a = asker({ policy: 'ocsp' })
    await expect(a.ask(question())).rejects.toMatchObject({ code: 'ERR_PEER_STATUS_UNAVAILABLE' })
    await clock.advance(4999)
    await expect(a.ask(question())).rejects.toMatchObject({ code: 'ERR_PEER_STATUS_UNAVAILABLE' })
    expect(ca.ocspQuestions).toHaveLength(1)
    await clock.advance(1)
    ca.ocsp = good
    expect(await a.ask(question())).toMatchObject({ certStatus: 'good' })
  })

  it('is asked each time where unavailableMs is 0', async () => {
    const a = asker({ policy: 'ocsp', unavailableMs: 0 })
    await expect(a.ask(question())).rejects.toThrow()
    await expect(a.ask(question())).rejects.toThrow()
    expect(ca.ocspQuestions).toHaveLength(2)
  })

  it('has its unknown repeated for seconds only, and never over what is newer', async () => {
    ca.ocsp = { ...unknown, thisUpdate: noon - hour }
    const a = asker({ policy: 'ocsp' })
    expect(await a.ask(question())).toMatchObject({ certStatus: 'unknown', isCached: false })
    expect(await a.ask(question())).toMatchObject({ certStatus: 'unknown', isCached: true })
    await clock.advance(5000)
    ca.ocsp = good
    expect(await a.ask(question())).toMatchObject({ certStatus: 'good', isCached: false })
    ca.ocsp = { ...unknown, thisUpdate: noon - hour }
    await a.ask(question({ isFresh: true }))
    expect(await a.ask(question())).toMatchObject({ certStatus: 'good', isCached: true })
  })

  it('does not take a revocation back by knowing nothing', async () => {
    ca.ocsp = revoked
    const a = asker({ policy: 'ocsp' })
    await a.ask(question())
    ca.ocsp = { ...unknown, thisUpdate: noon + second }
    await a.ask(question({ isFresh: true }))
    expect(await a.ask(question())).toMatchObject({ certStatus: 'revoked' })
  })
})

describe('closing', () => {
  it('ends what is under way, and answers no more', async () => {
    ca.ocsp = 'silence'
    const a = asker()
    const asked = expect(a.ask(question())).rejects.toMatchObject({ code: 'ERR_FETCH_CLOSED' })
    await a.close()
    await asked
    await expect(a.ask(question())).rejects.toMatchObject({ code: 'ERR_FETCH_CLOSED' })
    expect(clock.timers).toBe(0)
  })
})
