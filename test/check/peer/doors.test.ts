/** Every way in: https.Agent, undici and fetch, HTTP/2, the official NATS client. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createSecureServer, type Http2SecureServer } from 'node:http2'
import { createServer, Agent as HttpsAgent, type RequestOptions, request, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { NatsConnectionImpl, setTransportFactory } from '@nats-io/transport-node'
import { NodeTransport, nodeResolveHost } from '@nats-io/transport-node/lib/node_transport.js'
import { Agent, Client } from 'undici'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createPeerAgent, type PeerVerdict } from '../../../src/check/peer/index.ts'
import { systemClock } from '../../../src/keep/clock.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { startNatsServer } from '../../kit/nats-server.ts'
import { makeStaple } from '../../kit/staple.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'
import { startPeerServer } from './peer-server.ts'
import { createClient, type Stage, setStage, until } from './stage.ts'

let stage: Stage
let ca: Buffer
let good: Uint8Array

beforeAll(async () => {
  stage = await setStage()
  ca = readFileSync(stage.plain.rootFile)
  good = await makeStaple(stage.authority, stage.plain)
})

beforeEach(async () => {
  await stage.responder.behave('good')
  stage.responder.forget()
})

interface Web {
  readonly port: number
  readonly url: string
  staple: Uint8Array | null
  /** The paths of the requests that came. */
  readonly paths: string[]
  readonly connections: number
}

/** An https server, or an HTTP/2 one that speaks HTTP/1.1 too where it is asked to. */
async function startWeb(kind: 'https' | 'h2' = 'https', staple: Uint8Array | null = good): Promise<Web> {
  const { plain } = stage
  let connections = 0
  const paths: string[] = []
  const answer = (asked: { url?: string | undefined }, reply: { end(text: string): unknown }) => {
    paths.push(asked.url ?? '')
    reply.end(`you asked for ${asked.url}`)
  }
  const server: Server | Http2SecureServer =
    kind === 'https'
      ? createServer({ cert: plain.chainPem, key: plain.key }, answer)
      : createSecureServer({ cert: plain.chainPem, key: plain.key, allowHTTP1: true }, answer)
  const web = {
    port: 0,
    url: '',
    staple,
    paths,
    get connections() {
      return connections
    },
  }
  const sockets = new Set<TLSSocket>()
  server.on('OCSPRequest', (_one: Buffer, _two: Buffer, callback: (error: null, response: Buffer | null) => void) =>
    callback(null, web.staple && Buffer.from(web.staple)),
  )
  server.on('secureConnection', (socket: TLSSocket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => {}) // a client that refuses may reset
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  endsWithTest(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  web.port = (server.address() as AddressInfo).port
  web.url = `https://localhost:${web.port}/`
  return web
}

describe('https.Agent', () => {
  function ask(web: Web, options: RequestOptions, path = '/'): Promise<{ text: string; response: IncomingMessage }> {
    return new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', servername: 'localhost', port: web.port, path, ...options })
      asked.on('error', reject)
      asked.on('response', async (response) => {
        let text = ''
        for await (const part of response) text += part
        resolve({ text, response })
      })
      asked.end()
    })
  }

  it('asks a good peer, and keeps its connection for the next request', async () => {
    const web = await startWeb()
    const verifier = createClient({ policy: 'require' })
    const agent = verifier.agent({ ca })
    endsWithTest(() => agent.destroy())
    let verdict: PeerVerdict | undefined
    const first = request({ host: '127.0.0.1', servername: 'localhost', port: web.port, agent })
    first.on('response', (response) => {
      verdict = verifier.verdictOf(response.socket)
      response.resume()
    })
    await once(first.end(), 'close')
    expect(verdict).toMatchObject({ source: 'staple', certStatus: 'good' })
    expect((await ask(web, { agent }, '/two')).text).toBe('you asked for /two')
    expect(web.connections).toBe(1)
  })

  it('sends nothing to a peer that it refuses', async () => {
    const web = await startWeb('https', await makeStaple(stage.authority, stage.plain, 'revoked'))
    const agent = createPeerAgent({ policy: 'soft', privateAddresses: 'allow' }, { ca })
    endsWithTest(() => agent.destroy())
    await expect(ask(web, { agent })).rejects.toMatchObject({ code: 'ERR_PEER_REVOKED' })
    expect(web.paths).toEqual([])
  })

  it('is an Agent, by address too, where the certificate names it', async () => {
    const web = await startWeb()
    const agent = createClient({ policy: 'require' }).agent({ ca })
    endsWithTest(() => agent.destroy())
    expect(agent).toBeInstanceOf(HttpsAgent)
    const { text } = await ask(web, { agent, servername: '' })
    expect(text).toBe('you asked for /')
  })

  it('uses no waiting connection whose proof is past, nor one whose certificate has been revoked since', async () => {
    let aheadMs = 0
    const clock = { ...systemClock, now: () => new Date(Date.now() + aheadMs) }
    const web = await startWeb()
    const verifier = createClient({ policy: 'require', clock, maxAgeMs: 3_600_000 })
    const agent = verifier.agent({ ca })
    endsWithTest(() => agent.destroy())
    await ask(web, { agent })
    await ask(web, { agent })
    expect(web.connections).toBe(1)
    aheadMs = 3_600_000
    await ask(web, { agent })
    expect(web.connections).toBe(2)
    web.staple = await makeStaple(stage.authority, stage.plain, { kind: 'revoked', thisUpdateAgeMs: 0 })
    await expect(
      verifier.connect({ host: 'localhost', port: web.port, servername: 'localhost', ca }),
    ).rejects.toMatchObject({ code: 'ERR_PEER_REVOKED' })
    await expect(ask(web, { agent })).rejects.toMatchObject({ code: 'ERR_PEER_REVOKED' })
  })

  it('uses no waiting connection of a peer that was accepted unproven, once it is known to be revoked', async () => {
    const web = await startWeb('https', null)
    const sources: string[] = []
    const verifier = createClient({ policy: 'soft', judged: ({ source }) => sources.push(source) })
    const agent = verifier.agent({ ca })
    endsWithTest(() => agent.destroy())
    await stage.responder.behave('garbage')
    await ask(web, { agent })
    await ask(web, { agent })
    expect(sources).toEqual(['none'])
    web.staple = await makeStaple(stage.authority, stage.plain, { kind: 'revoked', thisUpdateAgeMs: 0 })
    const target = { host: 'localhost', port: web.port, servername: 'localhost', ca }
    await expect(verifier.connect(target)).rejects.toMatchObject({ code: 'ERR_PEER_REVOKED' })
    await expect(ask(web, { agent })).rejects.toMatchObject({ code: 'ERR_PEER_REVOKED' })
  })

  it.each([{ maxSockets: 2 }, { maxTotalSockets: 2 }])('keeps to %j while connections are judged', async (limits) => {
    const web = await startWeb('https', null)
    const agent = createClient().agent({ ca, ...limits })
    endsWithTest(() => agent.destroy())
    const asked = await Promise.all(Array.from({ length: 7 }, (_, index) => ask(web, { agent }, `/${index}`)))
    expect(asked.map(({ text }) => text).sort()).toEqual(Array.from({ length: 7 }, (_, n) => `you asked for /${n}`))
    expect(web.connections).toBe(2)
  })

  it('tells every request of a refused peer, however few connections there may be', async () => {
    const web = await startWeb('https', null)
    const agent = createClient({ policy: 'require' }).agent({ ca, maxSockets: 2 })
    endsWithTest(() => agent.destroy())
    const asked = await Promise.allSettled(Array.from({ length: 7 }, () => ask(web, { agent })))
    expect(asked).toMatchObject(Array(7).fill({ reason: { code: 'ERR_PEER_NO_STAPLE' } }))
    expect(web.paths).toEqual([])
  })

  describe('requests that wait in line', () => {
    async function stand(staple: Uint8Array | null = good) {
      let aheadMs = 0
      const clock = { ...systemClock, now: () => new Date(Date.now() + aheadMs) }
      const web = await startWeb('https', staple)
      const verifier = createClient({ policy: 'require', clock, maxAgeMs: 3_600_000, resumption: 'off' })
      const agent = verifier.agent({ ca, maxSockets: 1 })
      endsWithTest(() => agent.destroy())
      const first = request({ host: '127.0.0.1', servername: 'localhost', port: web.port, path: '/1', agent })
      first.on('response', (response) => response.resume())
      first.on('error', () => {})
      return { web, agent, first, letProofEnd: () => (aheadMs = 3_600_000) }
    }

    it('are handed to no connection whose proof has ended meanwhile', async () => {
      const { web, agent, first, letProofEnd } = await stand()
      await once(first, 'socket')
      const rest = [ask(web, { agent }, '/2'), ask(web, { agent }, '/3')]
      letProofEnd()
      first.end()
      await Promise.all(rest)
      expect(web.paths).toEqual(['/1', '/2', '/3'])
      expect(web.connections).toBe(2)
    })

    it('are each told when the peer is refused by then, and none of them is sent', async () => {
      const { web, agent, first, letProofEnd } = await stand()
      await once(first, 'socket')
      const rest = ['/2', '/3', '/4'].map((path) => ask(web, { agent }, path))
      letProofEnd()
      web.staple = null
      first.end()
      const outcomes = await Promise.allSettled(rest)
      expect(outcomes).toMatchObject(Array(3).fill({ reason: { code: 'ERR_PEER_NO_STAPLE' } }))
      expect(web.paths).toEqual(['/1'])
      expect(agent.requests).toEqual({})
    })
  })

  it('resumes sessions as every door does, and not by its own cache', async () => {
    const web = await startWeb()
    const verifier = createClient({ policy: 'require' })
    const agent = verifier.agent({ ca, keepAlive: false })
    const sources: (string | undefined)[] = []
    for (const path of ['/1', '/2']) {
      const asked = request({ host: '127.0.0.1', servername: 'localhost', port: web.port, path, agent })
      asked.on('response', (response) => {
        sources.push(verifier.verdictOf(response.socket)?.source)
        response.resume()
      })
      await once(asked.end(), 'close')
    }
    expect(sources).toEqual(['staple', 'session'])
    expect(agent).toMatchObject({ maxCachedSessions: 0 })
  })

  it('refuses an option that would lead around it', () => {
    expect(() => createPeerAgent({}, { proxyEnv: {} } as never)).toThrow(/proxyEnv/)
  })
})

describe('undici', () => {
  it.each(['undici', 'global'] as const)('fetch (%s) asks a good peer', async (whose) => {
    const web = await startWeb()
    const dispatcher = new Agent({ connect: createClient({ policy: 'require' }).connector({ ca }) })
    endsWithTest(() => dispatcher.destroy())
    const fetchIt = (whose === 'global' ? fetch : (await import('undici')).fetch) as typeof fetch
    const response = await fetchIt(`${web.url}a`, { dispatcher } as object)
    expect(await response.text()).toBe('you asked for /a')
  })

  it('fetch sends nothing to a peer that is refused, and says why', async () => {
    const web = await startWeb('https', null)
    const dispatcher = new Agent({ connect: createClient({ policy: 'require' }).connector({ ca }) })
    endsWithTest(() => dispatcher.destroy())
    const refused = fetch(web.url, { dispatcher } as object)
    await expect(refused).rejects.toMatchObject({ cause: { code: 'ERR_PEER_NO_STAPLE' } })
    expect(web.paths).toEqual([])
  })

  it('a Client asks by address', async () => {
    const web = await startWeb()
    const client = new Client(`https://127.0.0.1:${web.port}`, {
      connect: createClient({ policy: 'require' }).connector({ ca }),
    })
    endsWithTest(() => client.destroy())
    const { body } = await client.request({ path: '/b', method: 'GET' })
    expect(await body.text()).toBe('you asked for /b')
  })

  it('speaks HTTP/2 where both sides want it', async () => {
    const web = await startWeb('h2')
    const connect = createClient({ policy: 'require' }).connector({ ca, ALPNProtocols: ['h2', 'http/1.1'] })
    const dispatcher = new Agent({ connect, allowH2: true })
    endsWithTest(() => dispatcher.destroy())
    const response = await fetch(`${web.url}c`, { dispatcher } as object)
    expect(await response.text()).toBe('you asked for /c')
  })

  it('does not follow to plain http, where nothing can be verified', async () => {
    const dispatcher = new Agent({ connect: createClient().connector({ ca }) })
    endsWithTest(() => dispatcher.destroy())
    await expect(fetch('http://localhost:8080/', { dispatcher } as object)).rejects.toMatchObject({
      cause: { code: 'ERR_PEER_PROTOCOL' },
    })
  })
})

describe('HTTP/2', () => {
  it('asks a good peer over a session that tells its verdict', async () => {
    const web = await startWeb('h2')
    const verifier = createClient({ policy: 'require' })
    const session = await verifier.connectHttp2(web.url, { ca })
    endsWithTest(() => session.destroy())
    const stream = session.request({ ':path': '/d' })
    let text = ''
    for await (const part of stream.setEncoding('utf8')) text += part
    expect(text).toBe('you asked for /d')
    expect(verifier.verdictOf(session)).toMatchObject({ source: 'staple', certStatus: 'good' })
  })

  it('loses nothing of what the peer sends while its CA is slow', async () => {
    const web = await startWeb('h2', null)
    await stage.responder.behave({ kind: 'good', delayMs: 200 })
    const session = await createClient().connectHttp2(web.url, { ca })
    endsWithTest(() => session.destroy())
    await until(() => session.remoteSettings.maxFrameSize !== undefined)
    const stream = session.request({ ':path': '/e' })
    await once(stream, 'response')
    expect(web.paths).toEqual(['/e'])
  })

  it('sends nothing to a peer that it refuses', async () => {
    const server = await startPeerServer({
      cert: stage.plain.chainPem,
      key: stage.plain.key,
      ALPNProtocols: ['h2'],
      greeting: ' ',
    })
    const opened = createClient({ policy: 'require' }).connectHttp2(`https://localhost:${server.port}`, { ca })
    await expect(opened).rejects.toMatchObject({ code: 'ERR_PEER_NO_STAPLE' })
    await until(() => server.connections.open === 0)
    expect(server.received).toBe('')
  })

  it('says so where the peer does not speak it', async () => {
    const server = await startPeerServer({ cert: stage.plain.chainPem, key: stage.plain.key, staple: good })
    const verifier = createClient({ policy: 'require' })
    await expect(verifier.connectHttp2(`https://localhost:${server.port}`, { ca })).rejects.toMatchObject({
      code: 'ERR_PEER_PROTOCOL',
      detail: { expected: 'h2' },
    })
    await expect(verifier.connectHttp2('http://localhost')).rejects.toMatchObject({ code: 'ERR_PEER_PROTOCOL' })
  })
})

describe('the official NATS client', () => {
  it('connects to a nats-server that staples, and sends nothing to one that does not', async () => {
    const { mustStaple, authority } = stage
    const nats = await startNatsServer({
      ocsp: '{ mode: always }',
      storeDir: temporaryDirectory('nats-store'),
      certificateFile: mustStaple.certificateFile,
      keyFile: mustStaple.keyFile,
      caFile: authority.intermediate.certificateFile,
    })
    const verifier = createClient({ policy: 'require' })
    const verdicts: (string | undefined)[] = []

    class JudgedTransport extends NodeTransport {
      override async startTLS(): Promise<TLSSocket> {
        const socket = await verifier.connect({ socket: this.socket, servername: this.tlsName, ca })
        verdicts.push(verifier.verdictOf(socket)?.source)
        return socket
      }
    }
    setTransportFactory({ factory: () => new JudgedTransport(), dnsResolveFn: nodeResolveHost })
    const connection = await NatsConnectionImpl.connect({ servers: `localhost:${nats.port}`, tls: {} })
    endsWithTest(() => connection.close())
    const subscription = connection.subscribe('greet', { max: 1 })
    connection.publish('greet', 'hello')
    for await (const message of subscription) expect(message.string()).toBe('hello')
    expect(verdicts).toEqual(['staple'])

    const bare = await startNatsServer({
      ocsp: '{ mode: never }',
      storeDir: temporaryDirectory('nats-store'),
      certificateFile: stage.plain.certificateFile,
      keyFile: stage.plain.keyFile,
      caFile: authority.intermediate.certificateFile,
    })
    await expect(
      NatsConnectionImpl.connect({ servers: `localhost:${bare.port}`, tls: {}, reconnect: false }),
    ).rejects.toThrow(/it stapled nothing/)
    expect(verdicts).toEqual(['staple'])
  })
})
