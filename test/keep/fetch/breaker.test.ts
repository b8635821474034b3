import { expect, it } from 'vitest'
import { createBreaker } from '../../../src/keep/fetch/breaker.ts'
import { createScriptedResponder } from '../../kit/responder.ts'
import { ask, authority, causesOf, createTestFetcher, failureOf } from './setting.ts'

it('lets everybody through until so many failed in a row', () => {
  const breaker = createBreaker(3)
  for (const failures of [0, 1, 2]) {
    expect(breaker.failures('a.test')).toBe(failures)
    const passage = breaker.enter('a.test')
    passage?.failed()
    passage?.leave()
  }
  const probe = breaker.enter('a.test')
  expect(probe).toBeDefined()
  expect(breaker.enter('a.test')).toBeUndefined()
  expect(breaker.enter('b.test')).toBeDefined()
  probe?.leave()
  expect(breaker.enter('a.test')).toBeDefined()
})

it('opens again to everybody when one is answered', () => {
  const breaker = createBreaker(1)
  breaker.enter('a.test')?.failed()
  const probe = breaker.enter('a.test')
  probe?.answered()
  probe?.leave()
  expect([breaker.enter('a.test'), breaker.enter('a.test')]).not.toContain(undefined)
})

it('counts in a row only', () => {
  const breaker = createBreaker(2)
  for (let round = 0; round < 5; round++) {
    breaker.enter('a.test')?.failed()
    breaker.enter('a.test')?.answered()
  }
  expect(breaker.failures('a.test')).toBe(0)
})

it('leaves a broken host to one probe at a time, and tells the others without asking', async () => {
  const responder = await createScriptedResponder({ authority, behaviour: 'httpError' })
  const fetcher = createTestFetcher()
  const leaves = await Promise.all(Array.from({ length: 4 }, () => authority.issueLeaf()))
  const askAbout = (index: number) =>
    fetcher.fetchStaple(ask(responder.url, { certificate: leaves[index]?.certificate as never }))
  await failureOf(askAbout(0))
  await failureOf(askAbout(0))
  expect(responder.count).toBe(6)

  await responder.behave({ kind: 'good', delayMs: 50 })
  const probe = askAbout(1)
  const error = await failureOf(askAbout(2))
  expect(error.detail.causes).toMatchObject([
    { code: 'ERR_FETCH_HOST_DOWN', detail: { url: responder.url, found: '6 failures in a row' } },
  ])
  expect((await probe).response.certStatus).toBe('good')
  expect(responder.count).toBe(7)
  await Promise.all([askAbout(2), askAbout(3)])
})

it('goes to the next responder when the host of the first is down', async () => {
  const down = await createScriptedResponder({ authority, behaviour: 'refuse' })
  const good = await createScriptedResponder({ authority })
  const fetcher = createTestFetcher({ breakAfter: 1 })
  const other = await authority.issueLeaf()
  await fetcher.fetchStaple(ask([down.url, good.url]))
  await down.behave('hang')
  const probing = fetcher.fetchStaple(ask([down.url, good.url], { certificate: other.certificate }))
  await down.waitForRequests(1)
  expect(await fetcher.fetchStaple(ask([down.url, good.url]))).toMatchObject({
    responderURL: good.url,
    failures: [{ code: 'ERR_FETCH_HOST_DOWN' }],
  })
  await fetcher.close()
  await expect(probing).rejects.toMatchObject({ code: 'ERR_FETCH_CLOSED' })
})

it.each(['unauthorized', 'tryLater', 'wrongSerial', 'expired'] as const)(
  'does not blame the host for %s, however often',
  async (behaviour) => {
    const responder = await createScriptedResponder({ authority, behaviour })
    const fetcher = createTestFetcher({ breakAfter: 1 })
    const before = await causesOf(fetcher.fetchStaple(ask(responder.url)))
    const [one, two] = await Promise.all([
      causesOf(fetcher.fetchStaple(ask(responder.url))),
      causesOf(fetcher.fetchStaple(ask(responder.url, { certificate: (await authority.issueLeaf()).certificate }))),
    ])
    expect([one, two]).toEqual([before, before])
  },
)

it('asks one host 8 times at once at most', async () => {
  const responder = await createScriptedResponder({ authority, behaviour: { kind: 'good', delayMs: 40 } })
  const leaves = await Promise.all(Array.from({ length: 12 }, () => authority.issueLeaf()))
  const fetcher = createTestFetcher()
  const all = leaves.map(({ certificate }) => fetcher.fetchStaple(ask(responder.url, { certificate })))
  await responder.waitForRequests(8)
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect(responder.count).toBe(8)
  await Promise.all(all)
  expect(responder.count).toBe(12)
  expect(responder.connections).toBeLessThanOrEqual(8)
})
