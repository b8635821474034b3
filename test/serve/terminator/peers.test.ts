/** Clients between their handshake and the backend: what a verdict does to them, over real sockets, with a judge that is told. */
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { decodeCertificate } from '../../../src/pki/x509/certificate.ts'
import { formatName } from '../../../src/pki/x509/name.ts'
import {
  createTerminator,
  type JudgePeer,
  type PeerJudgement,
  type PeerPolicy,
  type PeerQuestion,
  type TerminatorOptions,
} from '../../../src/serve/terminator/index.ts'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { openWithNode } from '../../kit/clients/node.ts'
import { manualClock } from '../../kit/clock.ts'
import { peerPolicy } from '../../kit/peer-policy.ts'
import { fakeKeeper } from '../fake-keeper.ts'
import { echoBackend, site, startTerminator } from './stage.ts'

vi.setConfig({ testTimeout: 30_000 })

let authority: Authority
let server: Leaf
let client: Leaf
beforeEach(async () => {
  authority = await createAuthority()
  server = await authority.issueLeaf()
  client = await authority.issueLeaf({ name: 'client' })
})

const policy: PeerPolicy = { ...peerPolicy, deadlineMs: 2_000, caTimeoutMs: 2_000 }

const good: PeerJudgement = { outcome: 'accepted', reason: 'good', subject: 'CN=client' }
const revoked: PeerJudgement = { outcome: 'refused', reason: 'revoked', subject: 'CN=client' }
const silent: PeerJudgement = { outcome: 'refused', reason: 'unavailable', subject: 'CN=client' }

/** Says what it was told to, and remembers what it was asked. */
function scriptedJudge(first: PeerJudgement = good) {
  const asked: { question: PeerQuestion; signal: AbortSignal }[] = []
  let script: PeerJudgement | Promise<PeerJudgement> | Error = first
  const judgePeer: JudgePeer = async (question, signal) => {
    asked.push({ question, signal })
    if (script instanceof Error) throw script
    return await script
  }
  return {
    judgePeer,
    asked,
    say(judgement: typeof script) {
      script = judgement
    },
  }
}

function guarded(choices: Partial<PeerPolicy> = {}) {
  return site(server, {
    clientAuth: { ca: authority.root.pem + authority.intermediate.pem, ocspPeer: { ...policy, ...choices } },
  })
}

async function start(
  judge: ReturnType<typeof scriptedJudge>,
  choices: Partial<PeerPolicy> = {},
  options: Partial<Omit<TerminatorOptions, 'keeper'>> = {},
) {
  const backend = await echoBackend()
  const front = await startTerminator([guarded(choices)], {
    backend: backend.url,
    judgePeer: judge.judgePeer,
    ...options,
  })
  return { ...front, backend }
}

function come(port: number, version: '1.2' | '1.3', leaf = client, more: object = {}) {
  return openWithNode({
    port,
    rootFile: server.rootFile,
    version,
    options: { cert: leaf.chainPem, key: leaf.key, ...more },
  })
}

async function exchange(port: number, version: '1.2' | '1.3', leaf = client): Promise<string> {
  try {
    return await (await come(port, version, leaf)).ask('hello')
  } catch (error) {
    return `closed: ${(error as Error).message}`
  }
}

describe.each(['1.2', '1.3'] as const)('a client in TLS %s', (version) => {
  test('that is accepted is passed on, and its whole chain was asked about', async () => {
    const judge = scriptedJudge()
    const { port, terminator, events } = await start(judge)
    expect(await exchange(port, version)).toBe('hello')
    expect(judge.asked[0]?.question.isProven).toBe(true)
    const subjects = judge.asked[0]?.question.chain.map((der) => formatName(decodeCertificate(der).subject))
    expect(subjects?.map((name) => name.split(',')[0])).toEqual([
      'CN=client',
      'CN=Staplewright Test Intermediate',
      'CN=Staplewright Test Root',
    ])
    expect(terminator.status()).toMatchObject({ acceptedPeers: 1, warnedPeers: 0, refusedPeers: 0 })
    expect(events).toEqual([])
  })

  test('that sends its leaf alone is asked about with the chain that ca_file completes', async () => {
    const judge = scriptedJudge()
    const { port } = await start(judge)
    const connection = await come(port, version, client, { cert: client.pem })
    expect(await connection.ask('hello')).toBe('hello')
    expect(judge.asked[0]?.question.chain).toHaveLength(3)
  })

  test('that is refused is closed, and the backend never hears of it', async () => {
    const { port, terminator, told, backend } = await start(
      scriptedJudge({ ...revoked, message: 'revoked since then' }),
    )
    expect(await exchange(port, version)).toMatch(/^closed/)
    await expect.poll(() => told('peer-refused')).toHaveLength(1)
    expect(told('peer-refused')[0]).toMatchObject({
      reason: 'revoked',
      subject: 'CN=client',
      message: 'revoked since then',
      remoteAddress: '127.0.0.1',
    })
    expect(terminator.status()).toMatchObject({ acceptedPeers: 0, refusedPeers: 1, failedBackends: 0 })
    expect(backend.connections).toHaveLength(0)
  })

  test('that only a switch lets in is told of', async () => {
    const { port, terminator, told } = await start(scriptedJudge({ ...silent, outcome: 'warned' }))
    expect(await exchange(port, version)).toBe('hello')
    expect(told('peer-warned')[0]).toMatchObject({ reason: 'unavailable', subject: 'CN=client' })
    expect(terminator.status()).toMatchObject({ acceptedPeers: 1, warnedPeers: 1 })
  })

  test('is not connected with a backend while its verdict is out, and what it sent meanwhile is passed on after it', async () => {
    const judge = scriptedJudge()
    let release: (judgement: PeerJudgement) => void = () => {}
    judge.say(
      new Promise((resolve) => {
        release = resolve
      }),
    )
    const { port, backend, terminator } = await start(judge)
    const connection = await come(port, version)
    const answer = connection.ask('early words')
    await expect.poll(() => judge.asked.length).toBe(1)
    expect(backend.connections).toHaveLength(0)
    expect(terminator.status()).toMatchObject({ connections: 1, handshakes: 1 })
    release(good)
    expect(await answer).toBe('early words')
    expect(terminator.status()).toMatchObject({ connections: 1, handshakes: 0 })
  })

  test('is never resumed: after a revocation a ticket of before opens nothing', async () => {
    const judge = scriptedJudge()
    const { port } = await start(judge)
    const first = await come(port, version)
    expect(await first.ask('hello')).toBe('hello')
    // TLS 1.2 gives its session in the handshake; whatever came by now is tried.
    const session = first.sessions.at(-1) ?? first.socket.getSession()
    const again = await come(port, version, client, session && { session })
    expect(again.isReused).toBe(false)
    expect(await again.ask('hello')).toBe('hello')
    expect(judge.asked).toHaveLength(2)
    judge.say(revoked)
    await expect(come(port, version, client, session && { session }).then(({ ask }) => ask('hello'))).rejects.toThrow()
    expect(judge.asked).toHaveLength(3)
  })
})

test.each(['1.2', '1.3'] as const)(
  'a session of TLS %s made before ocsp_peer was switched on is not resumed after it',
  async (version) => {
    const judge = scriptedJudge(revoked)
    const backend = await echoBackend()
    const open = site(server, { clientAuth: { ca: authority.root.pem + authority.intermediate.pem } })
    const { port, terminator } = await startTerminator([open], { backend: backend.url, judgePeer: judge.judgePeer })
    const before = await come(port, version)
    expect(await before.ask('hello')).toBe('hello')
    const session = before.sessions.at(-1) as Buffer
    const resumed = await come(port, version, client, { session })
    expect(resumed.isReused).toBe(true)
    const plan = { listeners: [{ host: '127.0.0.1', port: 0 }], backend: backend.url, sites: [guarded()] }
    const prepared = await terminator.prepare(plan)
    const [address] = prepared.commit()
    const after = await come(address?.port as number, version, client, { session }).catch(() => undefined)
    expect(after?.isReused ?? false).toBe(false)
    await after?.closed
    expect(judge.asked).toHaveLength(1)
  },
)

test.each(['1.2', '1.3'] as const)(
  'a session of TLS %s made at a site that asks no CA is not resumed at one that does, under the same CA',
  async (version) => {
    const judge = scriptedJudge()
    const ca = authority.root.pem + authority.intermediate.pem
    const open = site(await authority.issueLeaf({ san: ['open.localhost'] }), {
      names: ['open.localhost'],
      clientAuth: { ca },
    })
    const shut = site(await authority.issueLeaf({ san: ['shut.localhost'] }), {
      names: ['shut.localhost'],
      clientAuth: { ca, ocspPeer: policy },
    })
    const { port } = await startTerminator([open, shut], { judgePeer: judge.judgePeer })
    const before = await come(port, version, client, { servername: 'open.localhost' })
    expect(await before.ask('hello')).toBe('hello')
    const session = before.sessions.at(-1) as Buffer
    expect((await come(port, version, client, { servername: 'open.localhost', session })).isReused).toBe(true)
    expect(judge.asked).toHaveLength(0)
    const after = await come(port, version, client, { servername: 'shut.localhost', session }).catch(() => undefined)
    expect(after?.isReused ?? false).toBe(false)
    const again = await come(port, version, client, { servername: 'shut.localhost' })
    expect(await again.ask('hello')).toBe('hello')
    expect(judge.asked.length).toBeGreaterThan(0)
  },
)

test('a client cannot renegotiate, and so show another certificate that nobody judges', async () => {
  const { port } = await start(scriptedJudge())
  const { socket, ask } = await come(port, '1.2')
  expect(await ask('hello')).toBe('hello')
  const ended = new Promise((resolve) => {
    // The error of the socket comes first, where the callback has none.
    socket.once('error', resolve)
    socket.renegotiate({}, resolve)
  })
  expect(await ended).toMatchObject({ code: expect.stringMatching(/NO_RENEGOTIATION/) })
})

test('clients that wait for their verdict count as handshakes: there are never more of them than may be', async () => {
  const judge = scriptedJudge()
  judge.say(new Promise(() => {}))
  const { port, told } = await start(judge, {}, { maxHandshakes: 2 })
  await Promise.all([come(port, '1.3'), come(port, '1.3')])
  await expect.poll(() => judge.asked.length).toBe(2)
  await expect(come(port, '1.3')).rejects.toThrow()
  expect(told('connection-refused')).toMatchObject([{ reason: 'too-many-handshakes' }])
})

describe('whoever judges', () => {
  test('is told when the client has gone', async () => {
    const judge = scriptedJudge()
    judge.say(new Promise(() => {}))
    const { port, terminator } = await start(judge)
    const connection = await come(port, '1.3')
    await expect.poll(() => judge.asked.length).toBe(1)
    connection.socket.destroy()
    await expect.poll(() => judge.asked[0]?.signal.aborted).toBe(true)
    await expect.poll(() => terminator.status().connections).toBe(0)
  })

  test.each([
    ['refused', {}, 'peer-refused'],
    ['let in with allow_when_ca_unreachable', { isUnreachableAllowed: true }, 'peer-warned'],
    ['let in with warn_only', { isWarnOnly: true }, 'peer-warned'],
  ] as const)('and throws: the client is %s', async (_, choices, type) => {
    const judge = scriptedJudge()
    judge.say(new Error('out of order'))
    const { port, told } = await start(judge, choices)
    await exchange(port, '1.3')
    await expect.poll(() => told(type)[0]).toMatchObject({ reason: 'unavailable', message: 'out of order' })
  })

  test('and says nothing in time: the client hangs no longer than the deadline and a second', async () => {
    const clock = manualClock(new Date())
    const judge = scriptedJudge()
    judge.say(new Promise(() => {}))
    const { port, told } = await start(judge, { deadlineMs: 500 }, { clock })
    await come(port, '1.3')
    await expect.poll(() => judge.asked.length).toBe(1)
    await clock.advance(1_499)
    expect(told('peer-refused')).toEqual([])
    await clock.advance(1)
    expect(told('peer-refused')[0]).toMatchObject({ reason: 'unavailable' })
  })

  test('is needed where a plan asks the CAs', () => {
    const options = { keeper: fakeKeeper(), backend: 'tcp://127.0.0.1:1', listeners: [], sites: [guarded()] }
    expect(() => createTerminator(options)).toThrow(TypeError)
  })
})

describe('who stays connected', () => {
  async function connectTwice() {
    const clock = manualClock(new Date())
    const judge = scriptedJudge()
    const front = await start(judge, { recheckMs: 300_000 }, { clock })
    const other = await authority.issueLeaf({ name: 'other' })
    const connections = [
      await come(front.port, '1.3'),
      await come(front.port, '1.3'),
      await come(front.port, '1.3', other),
    ]
    for (const connection of connections) expect(await connection.ask('hello')).toBe('hello')
    return { clock, judge, connections, ...front }
  }

  test('is asked about again, once for each certificate, and with answers younger than half of the interval', async () => {
    const { clock, judge } = await connectTwice()
    expect(judge.asked.map(({ question }) => question.maxAgeMs)).toEqual([300_000, 300_000, 300_000])
    await clock.advance(300_000)
    expect(judge.asked.slice(3).map(({ question }) => question.maxAgeMs)).toEqual([150_000, 150_000])
    await clock.advance(300_000)
    expect(judge.asked).toHaveLength(7)
  })

  test('is cut once the CA has said that the certificate is revoked', async () => {
    const { clock, judge, connections, told, terminator } = await connectTwice()
    judge.say(revoked)
    await clock.advance(300_000)
    await Promise.all(connections.map(({ closed }) => closed))
    expect(told('peers-closed')).toMatchObject([
      { reason: 'revoked', subject: 'CN=client', connections: 2 },
      { reason: 'revoked', connections: 1 },
    ])
    expect(terminator.status()).toMatchObject({ closedPeers: 3 })
  })

  test.each([
    ['says nothing', silent],
    ['does not know the certificate', { ...silent, reason: 'unknown' }],
    ['said long ago that it is revoked, and nothing since', { ...silent, reason: 'was-revoked' }],
  ] as const)('stays while the CA %s', async (_, judgement) => {
    const { clock, judge, connections, told } = await connectTwice()
    judge.say(judgement)
    await clock.advance(300_000)
    for (const connection of connections) expect(await connection.ask('still here')).toBe('still here')
    expect(told('peers-closed')).toEqual([])
  })

  test('leaves nothing behind: nobody is asked about who has gone', async () => {
    const { clock, judge, connections, terminator } = await connectTwice()
    for (const { socket } of connections) socket.destroy()
    await expect.poll(() => terminator.status().connections).toBe(0)
    const timers = clock.timers
    await clock.advance(900_000)
    expect(judge.asked).toHaveLength(3)
    expect(clock.timers).toBeLessThanOrEqual(timers)
  })

  test('is asked about after a reload that replaced its plan, too', async () => {
    const { clock, judge, connections, terminator, backend } = await connectTwice()
    const prepared = await terminator.prepare({
      listeners: [{ host: '127.0.0.1', port: 0 }],
      backend: backend.url,
      sites: [guarded()],
    })
    prepared.commit()
    judge.say(revoked)
    await clock.advance(300_000)
    await Promise.all(connections.map(({ closed }) => closed))
  })
})
