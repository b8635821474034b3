/** Where on the way a real exchange failed: real sockets, real failures, as the fetcher words them. */
import { createServer } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { expect, it } from 'vitest'
import { stageOf, stageText } from '../../../src/check/diagnose/reach.ts'
import { isStapleError } from '../../../src/errors.ts'
import { systemClock } from '../../../src/keep/clock.ts'
import { createFetcher, type FetcherOptions } from '../../../src/keep/fetch/index.ts'
import type { Behaviour } from '../../kit/behaviour.ts'
import { freePort } from '../../kit/free-port.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { createScriptedResponder } from '../../kit/responder.ts'
import { authority, leafOf } from './crafted.ts'

/** The first cause, as it is shown. */
async function stageAt(url: string, options: Partial<FetcherOptions> = {}): Promise<string> {
  const fetcher = createFetcher({
    clock: systemClock,
    proxy: 'none',
    requestTimeoutMs: 300,
    connectTimeoutMs: 200,
    ...options,
  })
  endsWithTest(() => fetcher.close())
  const { certificate, issuer } = await leafOf()
  try {
    await fetcher.fetchStaple({ certificate, issuer, responderURLs: [url], deadlineMs: 3000 })
  } catch (error) {
    const [cause] = isStapleError(error, 'ERR_FETCH_FAILED') ? error.detail.causes : []
    if (cause !== undefined) return stageText(stageOf(cause), cause)
  }
  throw new Error('it did not fail')
}

/** An HTTP server that answers everything, CONNECT included, with that status. */
async function answering(status: number): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end())
  server.on('connect', (_, socket) => socket.end(`HTTP/1.1 ${status} No\r\n\r\n`))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endsWithTest(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const noName: LookupFunction = (host, _, callback) =>
  callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND', hostname: host }), '', 0)

it('a name that does not exist: DNS', async () => {
  expect(await stageAt('http://ocsp.example.net/', { lookup: noName })).toBe('DNS')
})

it('a name server that does not answer: DNS', async () => {
  expect(await stageAt('http://ocsp.example.net/', { lookup: () => {} })).toBe('DNS')
})

it('a closed port: TCP, and which', async () => {
  const port = await freePort()
  expect(await stageAt(`http://127.0.0.1:${port}/`)).toBe(`TCP ${port}`)
})

it('a proxy that is not there, cannot be found, or refuses: proxy', async () => {
  expect(await stageAt('http://ocsp.example.net/', { proxy: `http://127.0.0.1:${await freePort()}` })).toBe('proxy')
  expect(await stageAt('http://ocsp.example.net/', { proxy: 'http://proxy.example.net/', lookup: noName })).toBe(
    'proxy',
  )
  expect(await stageAt('http://ocsp.example.net/', { proxy: await answering(407) })).toBe('proxy')
  expect(await stageAt('https://ocsp.example.net/', { proxy: await answering(403) })).toBe('proxy')
})

it.each<Behaviour>(['httpError', 'html', 'hang', 'redirect', 'notHttp'])(
  'a responder that answers with %s: HTTP',
  async (behaviour) => {
    const { url } = await createScriptedResponder({ authority, behaviour })
    expect(await stageAt(url)).toBe('HTTP')
  },
)

it.each<Behaviour>(['tryLater', 'badSignature', 'garbage'])(
  'a responder that answers with %s: the answer',
  async (behaviour) => {
    const { url } = await createScriptedResponder({ authority, behaviour })
    expect(await stageAt(url)).toBe('answer')
  },
)
