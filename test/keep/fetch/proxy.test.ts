import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { type Place, readPlace } from '../../../src/keep/fetch/place.ts'
import { createProxyChoice } from '../../../src/keep/fetch/proxy.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { createScriptedResponder } from '../../kit/responder.ts'
import { ask, authority, createTestFetcher, failureOf, firstCauseOf } from './setting.ts'

interface TestProxy {
  readonly url: string
  /** `GET http://…` and `CONNECT host:port`, with the credentials that came. */
  readonly seen: string[]
}

/** A real forward proxy; every host name leads to 127.0.0.1. */
async function startProxy(password?: string): Promise<TestProxy> {
  const seen: string[] = []
  const isAllowed = (request: IncomingMessage) => {
    const given = request.headers['proxy-authorization']
    seen.push(`${request.method} ${request.url?.slice(0, 40)}`)
    return password === undefined || given === `Basic ${Buffer.from(`user:${password}`).toString('base64')}`
  }
  const server: Server = createServer((request, response) => {
    if (!isAllowed(request)) return response.writeHead(407).end()
    const target = new URL(request.url ?? '')
    const onward = httpRequest(
      { host: '127.0.0.1', port: target.port, path: target.pathname, method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      },
    )
    onward.on('error', () => response.writeHead(502).end())
    request.pipe(onward)
  })
  server.on('connect', (request, client, head) => {
    client.on('error', () => {})
    if (!isAllowed(request)) return client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    const onward = connect(Number(request.url?.split(':').pop()), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.write(head)
      onward.pipe(client)
      client.pipe(onward)
    })
    onward.on('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endsWithTest(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

const withPassword = (url: string) => url.replace('http://', 'http://user:s%20cret@')

/** A responder on https, under a name that only the proxy resolves. */
async function startSecureResponder() {
  const web = await authority.issueLeaf({ san: ['ocsp.test', '127.0.0.1'] })
  const responder = await createScriptedResponder({ authority, tls: { cert: web.chainPem, key: web.key } })
  return { responder, url: `https://ocsp.test:${responder.port}/`, ca: [authority.root.pem] }
}

describe('an http responder', () => {
  it('is asked through the proxy of the option, which resolves its name', async () => {
    const responder = await createScriptedResponder({ authority })
    const proxy = await startProxy()
    const fetcher = createTestFetcher({ proxy: proxy.url })
    const url = `http://ocsp.test:${responder.port}/`
    expect(await fetcher.fetchStaple(ask(url))).toMatchObject({ method: 'get', responderURL: url })
    await fetcher.fetchStaple(ask(url, { method: 'post' }))
    expect(proxy.seen).toEqual([expect.stringContaining(`GET ${url}`), `POST ${url}`])
    expect(responder.requests[0]?.headers.host).toBe(`ocsp.test:${responder.port}`)
  })

  it('is asked with the proxy’s credentials, which no message shows', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'html' })
    const proxy = await startProxy('s cret')
    const url = `http://ocsp.test:${responder.port}/`
    const error = await failureOf(createTestFetcher({ proxy: withPassword(proxy.url) }).fetchStaple(ask(url)))
    expect(error.detail.causes[0]?.code).toBe('ERR_FETCH_CONTENT_TYPE')
    expect(error.message).toContain(`through ${proxy.url}`)
    expect(error.message).not.toContain('cret')
  })

  it('behind a proxy that wants credentials fails with 407', async () => {
    const proxy = await startProxy('s cret')
    const cause = await firstCauseOf(createTestFetcher({ proxy: proxy.url }).fetchStaple(ask('http://ocsp.test/')))
    expect(cause).toMatchObject({ code: 'ERR_FETCH_HTTP_STATUS', detail: { httpStatus: 407 } })
  })

  it('behind a proxy that is down fails with the proxy’s address', async () => {
    const cause = await firstCauseOf(
      createTestFetcher({ proxy: 'http://127.0.0.1:1' }).fetchStaple(ask('http://ocsp.test/')),
    )
    expect(cause).toMatchObject({ code: 'ERR_FETCH_NETWORK', detail: { networkCode: 'ECONNREFUSED' } })
    expect(cause.message).toContain('127.0.0.1:1')
  })
})

describe('an https responder', () => {
  it('is asked directly, by its name', async () => {
    const { responder, ca } = await startSecureResponder()
    const staple = await createTestFetcher({ ca }).fetchStaple(ask(responder.url))
    expect(staple.response.certStatus).toBe('good')
  })

  it('whose certificate is not trusted is not asked', async () => {
    const { responder } = await startSecureResponder()
    const cause = await firstCauseOf(createTestFetcher().fetchStaple(ask(responder.url)))
    expect(cause).toMatchObject({
      code: 'ERR_FETCH_NETWORK',
      detail: { networkCode: expect.stringMatching(/SELF_SIGNED|UNABLE_TO/) },
    })
    expect(responder.count).toBe(0)
  })

  it('is asked through CONNECT, and its name is proven over it', async () => {
    const { url, ca } = await startSecureResponder()
    const proxy = await startProxy('s cret')
    const fetcher = createTestFetcher({ proxy: withPassword(proxy.url), ca })
    expect(await fetcher.fetchStaple(ask(url))).toMatchObject({ method: 'get', response: { certStatus: 'good' } })
    expect(await fetcher.fetchStaple(ask(url, { method: 'post' }))).toMatchObject({ method: 'post' })
    expect(proxy.seen).toEqual(Array(2).fill(`CONNECT ${new URL(url).host}`))
    const wrongName = await firstCauseOf(fetcher.fetchStaple(ask(url.replace('ocsp.test', 'other.test'))))
    expect(wrongName).toMatchObject({ detail: { networkCode: 'ERR_TLS_CERT_ALTNAME_INVALID' } })
  })

  it('behind a proxy that refuses CONNECT fails with the proxy’s status', async () => {
    const proxy = await startProxy('s cret')
    const error = await failureOf(createTestFetcher({ proxy: proxy.url }).fetchStaple(ask('https://ocsp.test/')))
    expect(error.detail.causes).toMatchObject([{ code: 'ERR_FETCH_HTTP_STATUS', detail: { httpStatus: 407 } }])
  })

  it('behind a proxy that hangs ends at the connection’s timeout', async () => {
    const sockets: Socket[] = []
    const silent = createTcpServer((socket) => sockets.push(socket))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    endsWithTest(() => {
      for (const socket of sockets) socket.destroy()
      silent.close()
    })
    const proxy = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const fetcher = createTestFetcher({ proxy, connectTimeoutMs: 60 })
    const cause = await firstCauseOf(fetcher.fetchStaple(ask('https://ocsp.test/')))
    expect(cause).toMatchObject({ code: 'ERR_FETCH_TIMEOUT', detail: { expected: 'a connection within 60 ms' } })
    expect(cause.message).toContain(`through ${proxy}`)
  })
})

describe('the environment', () => {
  const choose = (environment: Record<string, string>, url: string) =>
    createProxyChoice('environment', environment)(readPlace(url) as Place)?.label

  it.each([
    [{ http_proxy: 'http://p.test:3128' }, 'http://ocsp.test/', 'http://p.test:3128'],
    [{ http_proxy: 'p.test:3128' }, 'http://ocsp.test/', 'http://p.test:3128'],
    [{ HTTP_PROXY: 'http://p.test:3128' }, 'http://ocsp.test/', 'http://p.test:3128'],
    [{ http_proxy: 'http://p.test:3128' }, 'https://ocsp.test/', undefined],
    [{ HTTPS_PROXY: 'http://p.test:3128' }, 'https://ocsp.test/', 'http://p.test:3128'],
    [{ all_proxy: 'http://p.test:3128' }, 'https://ocsp.test/', 'http://p.test:3128'],
    [{ http_proxy: '' }, 'http://ocsp.test/', undefined],
    [{}, 'http://ocsp.test/', undefined],
    [{ http_proxy: 'http://p.test', no_proxy: '*' }, 'http://ocsp.test/', undefined],
    [{ http_proxy: 'http://p.test', no_proxy: 'a.test, ocsp.test' }, 'http://ocsp.test/', undefined],
    [{ http_proxy: 'http://p.test', no_proxy: '.test' }, 'http://ocsp.test/', undefined],
    [{ http_proxy: 'http://p.test', no_proxy: 'test' }, 'http://ocsp.test/', undefined],
    [{ http_proxy: 'http://p.test', no_proxy: 'est' }, 'http://ocsp.test/', 'http://p.test'],
    [{ http_proxy: 'http://p.test', no_proxy: 'ocsp.test:8080' }, 'http://ocsp.test:8080/', undefined],
    [{ http_proxy: 'http://p.test', no_proxy: 'ocsp.test:8080' }, 'http://ocsp.test/', 'http://p.test'],
    [{ http_proxy: 'http://p.test', no_proxy: 'ocsp.test:80' }, 'http://ocsp.test/', undefined],
    [{ http_proxy: 'http://p.test', NO_PROXY: '10.0.0.0/8' }, 'http://10.1.2.3/', undefined],
    [{ http_proxy: 'http://p.test', no_proxy: '10.0.0.0/8' }, 'http://11.1.2.3/', 'http://p.test'],
    [{ http_proxy: 'http://p.test', no_proxy: '[2001:db8::1]' }, 'http://[2001:db8::1]/', undefined],
    [{ http_proxy: 'http://p.test' }, 'http://localhost/', undefined],
    [{ http_proxy: 'http://p.test' }, 'http://127.0.0.1:8080/', undefined],
    [{ http_proxy: 'http://p.test' }, 'http://[::1]/', undefined],
  ])('%j sends %s through %s', (environment, url, expected) => {
    expect(choose(environment as Record<string, string>, url)).toBe(expected)
  })

  it('with a proxy that is no http proxy fails, instead of going past it', async () => {
    const fetcher = createTestFetcher({ proxy: 'environment', environment: { http_proxy: 'socks5://p.test:1080' } })
    const cause = await firstCauseOf(fetcher.fetchStaple(ask('http://ocsp.test/')))
    expect(cause.code).toBe('ERR_FETCH_NETWORK')
    expect(cause.message).toContain('socks5://p.test:1080')
  })

  it('is the caller’s mistake when the option is no URL of a proxy', () => {
    expect(() => createTestFetcher({ proxy: 'socks5://p.test' })).toThrow(TypeError)
  })
})
