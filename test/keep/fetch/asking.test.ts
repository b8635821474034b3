/** Questions whose answer is not stapled: SHA-256 first, any size, every exchange told, refused answers at hand. */
import { describe, expect, it } from 'vitest'
import type { HttpExchange } from '../../../src/keep/fetch/index.ts'
import { refusedAnswerOf } from '../../../src/keep/fetch/index.ts'
import { decodeOcspRequest } from '../../../src/pki/ocsp/request.ts'
import { createScriptedResponder, type ScriptedResponder } from '../../kit/responder.ts'
import { ask, authority, causesOf, createTestFetcher, failureOf, firstCauseOf, leaf } from './setting.ts'

const preferring = { hashAlgorithm: 'prefer-sha256', isToBeStapled: false } as const

function hashesAsked({ requests }: ScriptedResponder): (string | undefined)[] {
  return requests.map(({ certID }) => certID?.hashAlgorithm)
}

describe('prefer-sha256', () => {
  it('asks with SHA-256, and with nothing else where that is understood', async () => {
    const responder = await createScriptedResponder({ authority })
    const found = await createTestFetcher().fetchStaple(ask(responder.url, preferring))
    expect(found.hashAlgorithm).toBe('sha256')
    expect(hashesAsked(responder)).toEqual(['sha256'])
  })

  it('falls back to SHA-1 by the same method, and remembers who needs it', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'sha1Only' })
    const fetcher = createTestFetcher()
    const found = await fetcher.fetchStaple(ask(responder.url, preferring))
    expect(found).toMatchObject({ hashAlgorithm: 'sha1', method: 'get' })
    expect(found.failures.map(({ code }) => code)).toEqual(['ERR_OCSP_RESPONSE_STATUS'])
    await fetcher.fetchStaple(ask(responder.url, preferring))
    expect(hashesAsked(responder)).toEqual(['sha256', 'sha1', 'sha1'])
  })

  it('is forgotten for nobody who asks for a staple', async () => {
    const responder = await createScriptedResponder({ authority })
    const fetcher = createTestFetcher()
    await fetcher.fetchStaple(ask(responder.url, preferring))
    await fetcher.fetchStaple(ask(responder.url))
    await fetcher.fetchStaple(ask(responder.url, preferring))
    expect(hashesAsked(responder)).toEqual(['sha256', 'sha1', 'sha256'])
  })

  it('asks with SHA-1 too where SHA-256 is answered unknown, and takes the word that says more', async () => {
    const responder = await createScriptedResponder({ authority })
    responder.script('unknown', 'revoked')
    const found = await createTestFetcher().fetchStaple(ask(responder.url, preferring))
    expect(found.response.certStatus).toBe('revoked')
    expect(hashesAsked(responder)).toEqual(['sha256', 'sha1'])
  })

  it('gives unknown when both are answered so', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'unknown' })
    const found = await createTestFetcher().fetchStaple(ask(responder.url, preferring))
    expect(found.response.certStatus).toBe('unknown')
  })

  it('reports both when neither is understood', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'unauthorized' })
    const failure = await failureOf(createTestFetcher().fetchStaple(ask(responder.url, preferring)))
    expect(failure.detail.causes.map(({ message }) => /SHA-256/.test(message))).toEqual([true, false])
  })
})

describe('an answer that is not to be stapled', () => {
  it('may be larger than a staple, up to maxBytes', async () => {
    const certificates = Array.from({ length: 6 }, () => authority.intermediate.der)
    const responder = await createScriptedResponder({ authority, certificates })
    const fetcher = createTestFetcher({ maxStapleBytes: 1000 })
    expect(await causesOf(fetcher.fetchStaple(ask(responder.url)))).toEqual(['ERR_OCSP_TOO_LARGE'])
    const found = await fetcher.fetchStaple(ask(responder.url, { isToBeStapled: false }))
    expect(found.response.der.length).toBeGreaterThan(1000)
  })
})

describe('exchanged', () => {
  it('is told what was asked, where redirects led, and what came', async () => {
    const told: HttpExchange[] = []
    const responder = await createScriptedResponder({ authority, path: '/ocsp' })
    const first = await createScriptedResponder({ authority, behaviour: { kind: 'redirect', to: responder.url } })
    const fetcher = createTestFetcher({ exchanged: (exchange) => told.push(exchange) })
    const url = first.url.replace('http://', 'http://user:secret@')
    const found = await fetcher.fetchStaple(ask(url, { method: 'post' }))
    expect(told).toHaveLength(1)
    const [exchange] = told as [HttpExchange]
    expect(exchange).toMatchObject({ method: 'POST', url: first.url, redirects: [responder.url], status: 200 })
    expect(exchange.headers?.['content-type']).toBe('application/ocsp-response')
    expect(exchange.body).toEqual(found.response.der)
    expect(exchange.elapsedMs).toBeGreaterThan(0)
    const { requestList } = decodeOcspRequest(exchange.request as Uint8Array)
    expect(requestList.map(({ certID }) => certID.serialNumber)).toEqual([leaf.certificate.serialNumber])
  })

  it('is told the whole URL of a GET, and the request in it', async () => {
    const told: HttpExchange[] = []
    const responder = await createScriptedResponder({ authority })
    await createTestFetcher({ exchanged: (exchange) => told.push(exchange) }).fetchStaple(ask(responder.url))
    const [exchange] = told as [HttpExchange]
    const base64 = encodeURIComponent(Buffer.from(exchange.request as Uint8Array).toString('base64'))
    expect(exchange.url).toBe(`${responder.url}${base64}`)
  })

  it('is told why nothing came', async () => {
    const told: HttpExchange[] = []
    const responder = await createScriptedResponder({ authority, behaviour: 'refuse' })
    const fetcher = createTestFetcher({ exchanged: (exchange) => told.push(exchange) })
    await firstCauseOf(fetcher.fetchStaple(ask(responder.url)))
    expect(told).toMatchObject([{ method: 'GET', redirects: [], error: { code: 'ERR_FETCH_NETWORK' } }])
    expect(told[0]).not.toHaveProperty('status')
  })
})

describe('a refused answer', () => {
  it.each(['expired', 'badSignature', 'unauthorized'] as const)('can be had beside its cause: %s', async (kind) => {
    const told: HttpExchange[] = []
    const responder = await createScriptedResponder({ authority, behaviour: kind })
    const fetcher = createTestFetcher({ exchanged: (exchange) => told.push(exchange) })
    const cause = await firstCauseOf(fetcher.fetchStaple(ask(responder.url)))
    expect(refusedAnswerOf(cause)).toEqual(told[0]?.body)
    expect(JSON.stringify(cause.detail).length).toBeLessThan(1000)
  })

  it('is not there when none came', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'refuse' })
    const cause = await firstCauseOf(createTestFetcher().fetchStaple(ask(responder.url)))
    expect(refusedAnswerOf(cause)).toBeUndefined()
  })
})
