import { readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createPeerVerifier, type PeerVerdict, type StapleError } from '../../../src/check/peer/index.ts'
import { systemClock } from '../../../src/keep/clock.ts'
import { createCertID } from '../../../src/pki/ocsp/cert-id-match.ts'
import { signOcspResponse } from '../../../src/pki/ocsp/sign.ts'
import { decodeCertificate } from '../../../src/pki/x509/certificate.ts'
import { day } from '../../keep/keeper/crafted.ts'
import { createAuthority } from '../../kit/authority.ts'
import { manualClock } from '../../kit/clock.ts'
import { createCrlServer, issueCrl } from '../../kit/crl.ts'
import { issue } from '../../kit/issue.ts'
import { makeStaple } from '../../kit/staple.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'
import { fakeCa } from '../revocation/fake-ca.ts'
import { startPeerServer } from './peer-server.ts'
import { connectTo, createClient, type Stage, setStage, until } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
})

beforeEach(async () => {
  await stage.responder.behave('good')
  stage.responder.forget()
})

function serverOf(leaf = stage.plain, staple: Uint8Array | null = null) {
  return startPeerServer({ cert: leaf.chainPem, key: leaf.key, staple })
}

describe('before the verdict', () => {
  it('nothing is sent: a peer whose CA is slow gets its first byte after the answer', async () => {
    const { responder, plain } = stage
    const server = await serverOf()
    await responder.behave({ kind: 'good', delayMs: 300 })
    const connecting = connectTo(createClient(), server.port, plain).then((socket) => socket.write('hello'))
    await responder.waitForRequests(1)
    await until(() => server.handshakes.length === 1)
    expect(server.received).toBe('')
    await connecting
    await until(() => server.received === 'hello')
  })

  it('what the peer sends waits: nothing of it is lost', async () => {
    const { responder, plain } = stage
    const server = await startPeerServer({ cert: plain.chainPem, key: plain.key, greeting: 'INFO {}\r\n' })
    await responder.behave({ kind: 'good', delayMs: 100 })
    const socket = await connectTo(createClient(), server.port, plain)
    let greeted = ''
    socket.on('data', (bytes) => {
      greeted += bytes
    })
    await until(() => greeted === 'INFO {}\r\n')
  })

  it('a refused peer sees the connection end, and not a byte', async () => {
    const server = await serverOf()
    await expect(connectTo(createClient({ policy: 'require' }), server.port, stage.plain)).rejects.toMatchObject({
      code: 'ERR_PEER_NO_STAPLE',
    })
    await until(() => server.connections.accepted === 1 && server.connections.open === 0)
    expect(server.received).toBe('')
  })

  it('a peer that leaves meanwhile ends the asking', async () => {
    const { responder, plain } = stage
    const server = await serverOf()
    await responder.behave('hang')
    const refused = expect(connectTo(createClient(), server.port, plain)).rejects.toThrow()
    await responder.waitForRequests(1)
    for (const socket of server.sockets) socket.destroy()
    await refused
    await until(() => responder.connections === 0)
  })

  it('a caller that leaves meanwhile ends the connection', async () => {
    const { responder, plain } = stage
    const server = await serverOf()
    await responder.behave('hang')
    const over = new AbortController()
    const target = { host: '127.0.0.1', port: server.port, servername: 'localhost', ca: readFileSync(plain.rootFile) }
    const left = expect(createClient().connect(target, over.signal)).rejects.toThrow('enough')
    await responder.waitForRequests(1)
    over.abort(new Error('enough'))
    await left
    await until(() => server.sockets.size === 0)
  })

  it('one signal ends any number of them, and Node sees no leak in that', async () => {
    const warn = vi.spyOn(process, 'emitWarning')
    const { responder, plain } = stage
    const server = await serverOf()
    await responder.behave('hang')
    const over = new AbortController()
    const target = { host: '127.0.0.1', port: server.port, servername: 'localhost', ca: readFileSync(plain.rootFile) }
    const client = createClient()
    const all = Promise.allSettled(Array.from({ length: 12 }, () => client.connect(target, over.signal)))
    await until(() => server.sockets.size === 12)
    over.abort(new Error('enough'))
    expect(await all).toMatchObject(Array(12).fill({ reason: { message: 'enough' } }))
    await until(() => server.sockets.size === 0)
    expect(warn).not.toHaveBeenCalled()
    warn.mockRestore()
  })
})

describe('a verdict', () => {
  it('says who said what, until when, of whom', async () => {
    const { authority, mustStaple } = stage
    const staple = await makeStaple(authority, mustStaple)
    const server = await serverOf(mustStaple, staple)
    const judged = vi.fn<(verdict: PeerVerdict) => void>()
    const verifier = createClient({ judged })
    const verdict = verifier.verdictOf(await connectTo(verifier, server.port, mustStaple))
    expect(verdict).toMatchObject({
      source: 'staple',
      certStatus: 'good',
      policy: 'staple-or-ask',
      isChainVerified: true,
      isMustStaple: true,
      certificate: { serialNumber: mustStaple.certificate.serialNumber },
      intermediates: [],
      failures: [],
    })
    expect(verdict?.staple?.der).toEqual(staple)
    expect(verdict?.usableUntil).toEqual(verdict?.staple?.nextUpdate)
    expect(judged.mock.calls[0]?.[0]).toBe(verdict)
  })

  it('says why what was stapled does not count', async () => {
    const { authority, plain } = stage
    const server = await serverOf(plain, await makeStaple(authority, plain, 'expired'))
    const verifier = createClient()
    expect(verifier.verdictOf(await connectTo(verifier, server.port, plain))).toMatchObject({
      source: 'ocsp',
      stapleRefused: { code: 'ERR_OCSP_STALE' },
      answer: { url: stage.responder.url },
    })
  })

  it('is nobody’s for a socket from elsewhere', () => {
    expect(createClient().verdictOf({})).toBeUndefined()
    expect(createClient().verdictOf(null)).toBeUndefined()
  })

  it('of a refusal names peer, policy, certificate, and both sides', async () => {
    const server = await serverOf()
    const error = await connectTo(createClient({ policy: 'require' }), server.port, stage.plain).catch((e) => e)
    expect(error).toMatchObject({
      code: 'ERR_PEER_NO_STAPLE',
      detail: {
        peer: `localhost:${server.port}`,
        policy: 'require',
        certificate: 'CN=localhost',
        found: 'it stapled nothing',
        expected: 'a staple',
      },
    })
    expect(error.detail.certificateKey).toMatch(/^[0-9a-f]{64}$/)
  })

  it('of an unlearned status holds every cause, and the peer', async () => {
    const { authority, responder, plain } = stage
    await responder.behave('unauthorized')
    const server = await serverOf(plain, await makeStaple(authority, plain, 'badSignature'))
    const error: StapleError<'ERR_PEER_STATUS_UNAVAILABLE'> = await connectTo(
      createClient({ revocation: 'ocsp' }),
      server.port,
      plain,
    ).catch((e) => e)
    expect(error).toMatchObject({ code: 'ERR_PEER_STATUS_UNAVAILABLE', detail: { peer: `localhost:${server.port}` } })
    const codes = error.detail.causes.map((cause) => cause.code)
    expect(codes[0]).toBe('ERR_OCSP_SIGNATURE')
    expect(codes.slice(1)).toContain('ERR_OCSP_RESPONSE_STATUS')
  })
})

describe('who the peer is comes first', () => {
  it('a peer of another name is refused by Node, and its CA is not asked', async () => {
    const other = await stage.authority.issueLeaf({ san: ['example.net'], responderURL: stage.responder.url })
    const server = await serverOf(other)
    await expect(connectTo(createClient({ policy: 'soft' }), server.port, other)).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
    expect(stage.responder.requests).toEqual([])
  })

  it('a peer of an unknown CA is refused by Node, and nobody it names is asked', async () => {
    const stranger = await createAuthority({ name: 'Stranger' })
    const leaf = await stranger.issueLeaf({ responderURL: stage.responder.url })
    const server = await serverOf(leaf)
    await expect(connectTo(createClient({ policy: 'soft' }), server.port, stage.plain)).rejects.toMatchObject({
      code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    })
    expect(stage.responder.requests).toEqual([])
  })

  it('rejectUnauthorized: false does not help it in', async () => {
    const stranger = await createAuthority({ name: 'Stranger' })
    const leaf = await stranger.issueLeaf({ responderURL: stage.responder.url })
    const server = await serverOf(leaf, await makeStaple(stranger, leaf))
    await expect(
      connectTo(createClient({ policy: 'soft' }), server.port, stage.plain, { rejectUnauthorized: false }),
    ).rejects.toMatchObject({ code: 'ERR_PEER_UNVERIFIED', detail: { policy: 'soft' } })
    expect(stage.responder.requests).toEqual([])
  })

  it('danger.unverifiedChain does, asks nobody, and calls nothing good', async () => {
    const stranger = await createAuthority({ name: 'Stranger' })
    const leaf = await stranger.issueLeaf({ responderURL: stage.responder.url })
    const server = await serverOf(leaf, await makeStaple(stranger, leaf))
    const verifier = createClient({ danger: { unverifiedChain: true } })
    const socket = await connectTo(verifier, server.port, stage.plain, { rejectUnauthorized: false })
    const verdict = verifier.verdictOf(socket)
    expect(verdict).toMatchObject({
      source: 'none',
      isChainVerified: false,
      failures: [{ code: 'ERR_PEER_UNVERIFIED' }],
    })
    expect(verdict?.certStatus).toBeUndefined()
    expect(stage.responder.requests).toEqual([])

    server.staple = await makeStaple(stranger, leaf, 'revoked')
    await expect(connectTo(verifier, server.port, stage.plain, { rejectUnauthorized: false })).rejects.toMatchObject({
      code: 'ERR_PEER_REVOKED',
    })
  })

  it('a certificate that is its own issuer has nobody who could say that it is good', async () => {
    const { root } = stage.authority
    const server = await startPeerServer({ cert: root.pem, key: root.key })
    const options = { checkServerIdentity: () => undefined }
    await expect(connectTo(createClient(), server.port, stage.plain, options)).rejects.toMatchObject({
      code: 'ERR_PEER_UNVERIFIED',
    })
    for (const policy of ['soft', 'mustStaple'] as const) {
      const verifier = createClient({ policy })
      const socket = await connectTo(verifier, server.port, stage.plain, options)
      expect(verifier.verdictOf(socket)).toMatchObject({ source: 'none', isChainVerified: true })
    }
  })

  it('an issuer of the right name, key identifier and the attacker’s key signs in vain', async () => {
    const { authority, plain } = stage
    const { intermediate } = authority
    const { subjectKeyIdentifier = new Uint8Array() } = intermediate.certificate.extensions
    const impostor = await issue({
      directory: temporaryDirectory('impostor'),
      fileName: 'impostor',
      subject: intermediate.subject,
      keyType: 'p256',
      serialHex: '4D',
      // OpenSSL passes an expired one over for the real one behind it; the chain that Node shows begins with it.
      notBefore: new Date(Date.now() - 2 * day),
      notAfter: new Date(Date.now() - day),
      extensions: [
        'basicConstraints=critical,CA:TRUE',
        'keyUsage=critical,keyCertSign,cRLSign,digitalSignature',
        `subjectKeyIdentifier=${Buffer.from(subjectKeyIdentifier).toString('hex')}`,
      ],
    })
    const certificate = decodeCertificate(impostor.der)
    const staple = signOcspResponse({
      signer: { certificate, privateKey: impostor.key },
      responses: [
        {
          certID: createCertID(plain.certificate, certificate, 'sha1'),
          certStatus: 'good',
          thisUpdate: new Date(Date.now() - 60_000),
          nextUpdate: new Date(Date.now() + day),
        },
      ],
      producedAt: new Date(),
    })
    const cert = [plain.pem, impostor.pem, intermediate.pem].join('')
    const server = await startPeerServer({ cert, key: plain.key, staple })
    // so that Node is content
    const { socket, isAuthorized, shownIssuer } = await look(server.port)
    socket.destroy()
    expect(isAuthorized).toBe(true)
    expect(shownIssuer).toEqual(Buffer.from(impostor.der))
    await expect(connectTo(createClient({ policy: 'require' }), server.port, plain)).rejects.toMatchObject({
      code: 'ERR_PEER_STAPLE_REFUSED',
    })
    // the real issuer stands behind it, and its responder is asked about the right certificate
    const verifier = createClient()
    expect(verifier.verdictOf(await connectTo(verifier, server.port, plain))).toMatchObject({
      source: 'ocsp',
      stapleRefused: { code: expect.stringMatching(/^ERR_OCSP_/) },
    })
  })

  /** What Node alone makes of a server. */
  function look(port: number): Promise<{ socket: TLSSocket; isAuthorized: boolean; shownIssuer: Buffer }> {
    const ca = readFileSync(stage.plain.rootFile)
    return new Promise((resolve, reject) => {
      const socket = connectTls({ host: '127.0.0.1', port, servername: 'localhost', ca }, () => {
        const shownIssuer = socket.getPeerCertificate(true).issuerCertificate.raw
        resolve({ socket, isAuthorized: socket.authorized, shownIssuer })
      })
      socket.on('error', reject)
    })
  }

  it('a staple of another certificate of the same CA is refused', async () => {
    const { authority, plain, mustStaple } = stage
    const server = await serverOf(plain, await makeStaple(authority, mustStaple))
    await expect(connectTo(createClient({ policy: 'require' }), server.port, plain)).rejects.toMatchObject({
      code: 'ERR_PEER_STAPLE_REFUSED',
      cause: { code: 'ERR_OCSP_CERT_ID_MISMATCH' },
    })
  })

  it('a staple by a delegated responder is good', async () => {
    const { authority, plain } = stage
    const signer = await authority.delegate()
    const staple = await delegatedStaple(signer)
    const verifier = createClient({ policy: 'require' })
    const socket = await connectTo(verifier, (await serverOf(plain, staple)).port, plain)
    expect(verifier.verdictOf(socket)).toMatchObject({ staple: { signer: { kind: 'delegated' } } })
  })

  it('delegateWithoutNocheck: check asks for the CRL that covers the delegate', async () => {
    const { authority, plain } = stage
    const signer = await authority.delegate({ nocheck: false })
    const staple = await delegatedStaple(signer)
    const ca = fakeCa(manualClock(new Date()))
    const options = { policy: 'require', delegateWithoutNocheck: 'check', fetcher: ca } as const
    const window = { thisUpdate: Date.now() - day, nextUpdate: Date.now() + day }
    const server = await serverOf(plain, staple)
    ca.crl = { ...window, certStatus: 'good' }
    await connectTo(createClient(options), server.port, plain)
    expect(ca.crlQuestions[0]?.certificate.serialNumber).toBe(signer.certificate.serialNumber)
    ca.crl = { ...window, certStatus: 'revoked' }
    await expect(connectTo(createClient(options), server.port, plain)).rejects.toMatchObject({
      code: 'ERR_PEER_STAPLE_REFUSED',
      cause: { code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED' },
    })
  })

  async function delegatedStaple(signer: Awaited<ReturnType<Stage['authority']['delegate']>>) {
    const { plain } = stage
    return signOcspResponse({
      signer,
      certificates: [signer.certificate.der],
      responses: [
        {
          certID: createCertID(plain.certificate, plain.issuer, 'sha1'),
          certStatus: 'good',
          thisUpdate: new Date(Date.now() - 60_000),
          nextUpdate: new Date(Date.now() + day),
        },
      ],
      producedAt: new Date(),
    })
  }
})

describe('asking the CA', () => {
  it('once for many connections, at the same time or one after the other', async () => {
    const { responder, plain } = stage
    const server = await serverOf()
    await responder.behave({ kind: 'good', delayMs: 100 })
    const verifier = createClient({ resumption: 'off' })
    await Promise.all(Array.from({ length: 10 }, () => connectTo(verifier, server.port, plain)))
    const later = await connectTo(verifier, server.port, plain)
    expect(responder.count).toBe(1)
    expect(verifier.verdictOf(later)).toMatchObject({ source: 'ocsp', answer: { isCached: true } })
  })

  it('with SHA-256, and with SHA-1 where the responder knows nothing else', async () => {
    const { responder, plain } = stage
    const server = await serverOf()
    await connectTo(createClient(), server.port, plain)
    expect(responder.requests.map(({ certID }) => certID?.hashAlgorithm)).toEqual(['sha256'])
    await responder.behave('sha1Only')
    await connectTo(createClient(), server.port, plain)
    expect(responder.requests.at(-1)?.certID?.hashAlgorithm).toBe('sha1')
  })

  it('not at all for who staples, and a good staple answers for the next connection without one', async () => {
    const { authority, responder, plain } = stage
    const server = await serverOf(plain, await makeStaple(authority, plain))
    const verifier = createClient({ resumption: 'off' })
    await connectTo(verifier, server.port, plain)
    server.staple = null
    const socket = await connectTo(verifier, server.port, plain)
    expect(verifier.verdictOf(socket)).toMatchObject({ source: 'ocsp', answer: { isCached: true } })
    expect(responder.count).toBe(0)
  })

  it('never lets an older good staple hide a revocation that is known', async () => {
    const { authority, plain } = stage
    const server = await serverOf(plain, await makeStaple(authority, plain, { kind: 'revoked', thisUpdateAgeMs: 1000 }))
    const verifier = createClient({ policy: 'mustStaple' })
    await expect(connectTo(verifier, server.port, plain)).rejects.toMatchObject({ code: 'ERR_PEER_REVOKED' })
    server.staple = await makeStaple(authority, plain, { kind: 'good', thisUpdateAgeMs: 3_600_000 })
    await expect(connectTo(verifier, server.port, plain)).rejects.toMatchObject({ code: 'ERR_PEER_REVOKED' })
    server.staple = null
    await expect(connectTo(verifier, server.port, plain)).rejects.toMatchObject({ code: 'ERR_PEER_REVOKED' })
    server.staple = await makeStaple(authority, plain, { kind: 'good', thisUpdateAgeMs: 0 })
    await connectTo(verifier, server.port, plain)
  })

  it('takes no older good answer over a responder’s shrug that the peer staples', async () => {
    const { authority, plain, responder } = stage
    const server = await serverOf(plain, await makeStaple(authority, plain))
    const verifier = createClient({ resumption: 'off' })
    await connectTo(verifier, server.port, plain)
    server.staple = await makeStaple(authority, plain, { kind: 'unknown', thisUpdateAgeMs: 60_000 })
    await expect(connectTo(verifier, server.port, plain)).rejects.toMatchObject({ code: 'ERR_PEER_STATUS_UNKNOWN' })
    server.staple = await makeStaple(authority, plain, { kind: 'unknown', thisUpdateAgeMs: 7_200_000 })
    await connectTo(verifier, server.port, plain)
    expect(responder.requests).toEqual([])
  })

  it('ends in time, with what the policy makes of that', async () => {
    const { responder, plain } = stage
    const server = await serverOf()
    await responder.behave('hang')
    const startedAt = Date.now()
    const hard = connectTo(createClient({ judgeTimeoutMs: 300 }), server.port, plain)
    await expect(hard).rejects.toMatchObject({ code: 'ERR_PEER_STATUS_UNAVAILABLE' })
    const verifier = createClient({ judgeTimeoutMs: 300, policy: 'soft' })
    expect(verifier.verdictOf(await connectTo(verifier, server.port, plain))).toMatchObject({
      source: 'none',
      failures: [{ code: 'ERR_PEER_STATUS_UNAVAILABLE' }],
    })
    expect(Date.now() - startedAt).toBeLessThan(3000)
  })

  it('not on this machine or the inner network, unless that is allowed', async () => {
    const { responder, plain } = stage
    const server = await serverOf()
    const cautious = createPeerVerifier({ proxy: 'none' })
    const error = await connectTo(cautious, server.port, plain).catch((e) => e)
    expect(error).toMatchObject({ code: 'ERR_PEER_STATUS_UNAVAILABLE' })
    expect(error.detail.causes.map((cause: StapleError) => cause.code)).toContain('ERR_FETCH_FORBIDDEN_ADDRESS')
    expect(responder.requests).toEqual([])
    await cautious.close()
  })

  it('falls back to the CRL, by policy', async () => {
    const { plain } = stage
    const server = await serverOf()
    const ca = fakeCa(manualClock(new Date()))
    ca.crl = { certStatus: 'good', thisUpdate: Date.now() - day, nextUpdate: Date.now() + day }
    const verifier = createClient({ fetcher: ca })
    const socket = await connectTo(verifier, server.port, plain)
    expect(verifier.verdictOf(socket)).toMatchObject({ source: 'crl', certStatus: 'good' })
    await expect(
      connectTo(createClient({ fetcher: ca, revocation: 'ocsp' }), server.port, plain),
    ).rejects.toMatchObject({ code: 'ERR_PEER_STATUS_UNAVAILABLE' })
  })

  it('by its CRL alone where a certificate names no responder, as much of the public web does', async () => {
    const { authority } = stage
    const lists = await createCrlServer()
    const leaf = await authority.issueLeaf({
      responderURL: null,
      extensions: [`crlDistributionPoints=URI:${lists.url('ca.crl')}`],
    })
    lists.give('ca.crl', await issueCrl(authority))
    const server = await serverOf(leaf)
    const verifier = createClient({ resumption: 'off' })
    const socket = await connectTo(verifier, server.port, leaf)
    expect(verifier.verdictOf(socket)).toMatchObject({ source: 'crl', answer: { url: lists.url('ca.crl') } })
    await connectTo(verifier, server.port, leaf)
    expect(lists.asked).toEqual(['ca.crl'])

    await authority.revoke(leaf, 'keyCompromise')
    lists.give('ca.crl', await issueCrl(authority))
    const refused = expect(connectTo(createClient({ policy: 'soft' }), server.port, leaf)).rejects
    await refused.toMatchObject({ code: 'ERR_PEER_REVOKED', message: expect.stringContaining('keyCompromise') })
  })

  it('about the intermediates too where that is wanted, each by its own issuer', async () => {
    const { authority, plain } = stage
    const server = await serverOf(plain, await makeStaple(authority, plain))
    const ca = fakeCa(manualClock(new Date()))
    const window = { thisUpdate: Date.now() - day, nextUpdate: Date.now() + day }
    ca.ocsp = window
    const verifier = createClient({ policy: 'require', intermediates: true, fetcher: ca, resumption: 'off' })
    const verdict = verifier.verdictOf(await connectTo(verifier, server.port, plain))
    expect(verdict).toMatchObject({ source: 'staple', intermediates: [{ certStatus: 'good' }] })
    expect(verdict?.usableUntil?.getTime()).toBe(window.nextUpdate)
    expect(ca.ocspQuestions).toHaveLength(1)
    expect(ca.ocspQuestions[0]?.certificate.serialNumber).toBe(authority.intermediate.certificate.serialNumber)
    expect(ca.ocspQuestions[0]?.issuer.serialNumber).toBe(authority.root.certificate.serialNumber)

    ca.ocsp = { ...window, certStatus: 'revoked' }
    for (const policy of ['require', 'mustStaple', 'staple-or-ask', 'soft'] as const) {
      await expect(
        connectTo(createClient({ policy, intermediates: true, fetcher: ca }), server.port, plain),
      ).rejects.toMatchObject({
        code: 'ERR_PEER_REVOKED',
        detail: { certificate: expect.stringContaining('Intermediate') },
      })
    }
  })

  it('not where the CA says that there is nothing to learn (noRevAvail), but require still wants a staple', async () => {
    const leaf = await stage.authority.issueLeaf({
      responderURL: stage.responder.url,
      extensions: ['2.5.29.56=DER:05:00'],
    })
    const server = await serverOf(leaf)
    const verifier = createClient()
    expect(verifier.verdictOf(await connectTo(verifier, server.port, leaf))).toMatchObject({ source: 'none' })
    expect(stage.responder.requests).toEqual([])
    await expect(connectTo(createClient({ policy: 'require' }), server.port, leaf)).rejects.toMatchObject({
      code: 'ERR_PEER_NO_STAPLE',
    })
  })
})

it('closing ends what is being asked, and with it the connection', async () => {
  const server = await serverOf()
  await stage.responder.behave('hang')
  const verifier = createClient()
  const ended = expect(connectTo(verifier, server.port, stage.plain)).rejects.toMatchObject({
    code: 'ERR_FETCH_CLOSED',
  })
  await stage.responder.waitForRequests(1)
  await verifier.close()
  await ended
  await until(() => server.connections.open === 0)
})

describe('a peer that', () => {
  it('refuses the connection fails as Node has it', async () => {
    await expect(connectTo(createClient(), 1, stage.plain)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('never ends its handshake is given up in time', async () => {
    const { createServer } = await import('node:net')
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await until(() => silent.listening)
    const { port } = silent.address() as { port: number }
    const verifier = createClient({ connectTimeoutMs: 200 })
    await expect(connectTo(verifier, port, stage.plain)).rejects.toMatchObject({
      code: 'ERR_PEER_TIMEOUT',
      detail: { peer: `localhost:${port}` },
    })
    silent.close()
  })

  it('is reached through a socket that is open already is judged too', async () => {
    const server = await serverOf()
    const raw = createConnection(server.port, '127.0.0.1')
    const verifier = createClient({ policy: 'require' })
    await expect(
      verifier.connect({ socket: raw, servername: 'localhost', ca: readFileSync(stage.plain.rootFile) }),
    ).rejects.toMatchObject({ code: 'ERR_PEER_NO_STAPLE' })
  })

  it('is reached with a secureContext is judged too', async () => {
    const server = await serverOf()
    const secureContext = createSecureContext({ ca: readFileSync(stage.plain.rootFile) })
    const verifier = createClient({ clock: systemClock })
    const socket = await connectTo(verifier, server.port, stage.plain, { secureContext })
    expect(verifier.verdictOf(socket)).toMatchObject({ source: 'ocsp' })
  })
})

it('a policy that does not exist is a TypeError that names those that do', () => {
  expect(() => createPeerVerifier({ policy: 'strict' as never })).toThrow(/require, mustStaple, staple-or-ask, soft/)
  expect(() => createPeerVerifier({ revocation: 'none' as never })).toThrow(/ocsp, crl, ocsp-then-crl/)
})
