/** A resumed session carries no staple: it is offered only while what was proven with it holds. */
import type { TLSSocket } from 'node:tls'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PeerVerifierOptions } from '../../../src/check/peer/index.ts'
import { systemClock } from '../../../src/keep/clock.ts'
import { makeStaple } from '../../kit/staple.ts'
import { type PeerServer, startPeerServer } from './peer-server.ts'
import { connectTo, createClient, type Stage, setStage, until } from './stage.ts'

let stage: Stage
let server: PeerServer
/** How far the client's clock is ahead of the machine's. */
let aheadMs: number

const hour = 3_600_000
const clock = { ...systemClock, now: () => new Date(Date.now() + aheadMs) }

beforeAll(async () => {
  stage = await setStage()
})

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
  const limits = { minVersion: version, maxVersion: version }

  beforeEach(async () => {
    const { authority, plain, responder } = stage
    await responder.behave('good')
    responder.forget()
    aheadMs = 0
    server = await startPeerServer({
      cert: plain.chainPem,
      key: plain.key,
      greeting: 'hello',
      staple: await makeStaple(authority, plain, { kind: 'good', validityMs: 3 * hour }),
      ...limits,
    })
  })

  function client(options: PeerVerifierOptions = {}) {
    const verifier = createClient({ policy: 'require', clock, ...options })
    return {
      verifier,
      async connect(more = {}): Promise<{ isReused: boolean; source: string | undefined }> {
        const socket = await connectTo(verifier, server.port, stage.plain, { ...limits, ...more })
        await greeted(socket)
        const outcome = { isReused: socket.isSessionReused(), source: verifier.verdictOf(socket)?.source }
        socket.destroy()
        return outcome
      },
    }
  }

  it('a session is resumed while its proof holds, and says so', async () => {
    const { connect } = client()
    expect(await connect()).toEqual({ isReused: false, source: 'staple' })
    server.staple = null
    expect(await connect()).toEqual({ isReused: true, source: 'session' })
    expect(await connect()).toEqual({ isReused: true, source: 'session' })
    expect(server.handshakes.map(({ isReused }) => isReused)).toEqual([false, true, true])
    expect(server.handshakes.map(({ protocol }) => protocol)).toEqual([version, version, version])
  })

  it('past its proof there is a full handshake, which must prove anew', async () => {
    const { authority, plain } = stage
    const { connect } = client()
    await connect()
    aheadMs = 2 * hour
    // the staple, and with it what it proved, has gone stale
    await expect(connect()).rejects.toMatchObject({ code: 'ERR_PEER_STAPLE_REFUSED' })
    server.staple = null
    await expect(connect()).rejects.toMatchObject({ code: 'ERR_PEER_NO_STAPLE' })
    server.staple = await makeStaple(authority, plain, { kind: 'good', validityMs: 9 * hour })
    expect(await connect()).toEqual({ isReused: false, source: 'staple' })
    expect(server.handshakes.every(({ isReused }) => !isReused)).toBe(true)
  })

  it('a proof is renewed after maxAgeMs although it counts for longer', async () => {
    const { connect } = client({ maxAgeMs: hour })
    await connect()
    aheadMs = hour - 60_000
    expect(await connect()).toMatchObject({ isReused: true })
    aheadMs = hour
    expect(await connect()).toMatchObject({ isReused: false, source: 'staple' })
  })

  it('a session whose resumption the server declines is judged in full', async () => {
    const { connect } = client()
    await connect()
    server.forgetSessions()
    server.staple = null
    await expect(connect()).rejects.toMatchObject({ code: 'ERR_PEER_NO_STAPLE' })
  })

  it('what the CA said holds as well', async () => {
    server.staple = null
    const { connect } = client({ policy: 'staple-or-ask' })
    expect(await connect()).toEqual({ isReused: false, source: 'ocsp' })
    expect(await connect()).toEqual({ isReused: true, source: 'session' })
    expect(stage.responder.count).toBe(1)
  })

  it('what was accepted without proof is not resumed', async () => {
    server.staple = null
    const { connect } = client({ policy: 'mustStaple' })
    expect(await connect()).toEqual({ isReused: false, source: 'none' })
    expect(await connect()).toEqual({ isReused: false, source: 'none' })
  })

  it('a revocation that has become known ends it', async () => {
    const { authority, plain } = stage
    const { connect } = client()
    await connect()
    server.staple = await makeStaple(authority, plain, { kind: 'revoked', thisUpdateAgeMs: 1000 })
    // somebody else's full handshake with the same client, by another name for the same host
    await expect(connect({ host: 'localhost' })).rejects.toMatchObject({ code: 'ERR_PEER_REVOKED' })
    await expect(connect()).rejects.toMatchObject({ code: 'ERR_PEER_REVOKED' })
    expect(server.handshakes.every(({ isReused }) => !isReused)).toBe(true)
  })

  it('is never offered under another name, trust or own certificate', async () => {
    const { plain } = stage
    const { connect } = client()
    await connect()
    for (const more of [
      { servername: '127.0.0.1.localhost', checkServerIdentity: () => undefined },
      { ca: [plain.pem, stage.authority.root.pem] },
      { cert: plain.chainPem, key: plain.key },
      { checkServerIdentity: () => undefined },
      { allowPartialTrustChain: true },
    ]) {
      expect(await connect(more)).toMatchObject({ isReused: false, source: 'staple' })
    }
    expect(await connect()).toMatchObject({ isReused: true })
  })

  it('a session that the caller brings is not taken: nobody knows what it proves', async () => {
    const { verifier } = client()
    const socket = await connectTo(verifier, server.port, stage.plain, limits)
    await greeted(socket)
    const session = socket.getSession()
    socket.destroy()
    const stranger = client({ resumption: 'off' })
    expect(await stranger.connect({ session })).toEqual({ isReused: false, source: 'staple' })
  })

  it('resumption: off makes every handshake a full one', async () => {
    const { connect } = client({ resumption: 'off' })
    await connect()
    expect(await connect()).toEqual({ isReused: false, source: 'staple' })
  })

  it('sessions are bounded: the least recently used goes', async () => {
    const { connect } = client({ maxSessions: 1 })
    await connect()
    await connect({ host: 'localhost' })
    expect(await connect()).toMatchObject({ isReused: false })
  })

  /** Waits for what the server says first: with TLS 1.3 the tickets have come by then. */
  async function greeted(socket: TLSSocket): Promise<void> {
    let came = ''
    socket.on('data', (bytes) => {
      came += bytes
    })
    await until(() => came === 'hello')
  }
})
