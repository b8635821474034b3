/** Several kinds of keys in one front: each client gets the certificate it can use, with that certificate's staple. */
import { connect as connectTcp } from 'node:net'
import { beforeAll, describe, expect, it } from 'vitest'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { manualClock } from '../../kit/clock.ts'
import { runProgram } from '../../kit/program.ts'
import { fakeKeeper, good, stale } from '../fake-keeper.ts'
import { type ClientOptions, isAccepted, openSession, shakeHands, until } from '../tls-client.ts'
import { keyOf, site, startTerminator } from './stage.ts'

let ec: Leaf
let rsa: Leaf
let ed: Leaf
let otherRsa: Leaf

beforeAll(async () => {
  const authority = await createAuthority()
  ;[ec, rsa, ed, otherRsa] = await Promise.all([
    authority.issueLeaf({ name: 'ec.test' }),
    authority.issueLeaf({ name: 'rsa.test', keyType: 'rsa2048' }),
    authority.issueLeaf({ name: 'ed.test', keyType: 'ed25519' }),
    authority.issueLeaf({ name: 'other.test', keyType: 'rsa2048' }),
  ])
})

const keeperOf = (...leaves: Leaf[]) =>
  fakeKeeper(Object.fromEntries(leaves.map((leaf) => [keyOf(leaf), good(`staple of ${leaf.subject}`)])))

async function shown(port: number, options: ClientOptions): Promise<string> {
  const { subject, staple, socket } = await shakeHands(port, options)
  socket.destroy()
  return `${subject}: ${staple}`
}

const asRsa12 = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' } as const
const asEc12 = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' } as const
const asRsa13 = { minVersion: 'TLSv1.3', sigalgs: 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256' } as const
const asEc13 = { minVersion: 'TLSv1.3', sigalgs: 'ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256' } as const

describe('one site with EC and RSA', () => {
  for (const order of ['EC first', 'RSA first']) {
    it.each([
      ['TLS 1.2, RSA only', asRsa12, 'rsa'],
      ['TLS 1.2, ECDSA only', asEc12, 'ec'],
      ['TLS 1.3, RSA only', asRsa13, 'rsa'],
      ['TLS 1.3, both', asEc13, 'ec'],
    ])(`(${order}) shows a client of %s what it can use, with the right staple`, async (_what, options, expected) => {
      const leaves = order === 'EC first' ? [ec, rsa] : [rsa, ec]
      const { port } = await startTerminator([site(leaves)], { keeper: keeperOf(ec, rsa) })
      expect(await shown(port, options)).toBe(`${expected}.test: staple of /CN=${expected}.test`)
    })
  }

  it('shows openssl the same', async () => {
    const { port } = await startTerminator([site([ec, rsa])], { keeper: keeperOf(ec, rsa) })
    const run = async (...args: string[]) =>
      (await runProgram('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-status', ...args], { input: '' }))
        .output
    expect([
      /CN = (\w+)\.test/.exec(await run('-sigalgs', 'RSA-PSS+SHA256'))?.[1],
      /CN = (\w+)\.test/.exec(await run('-sigalgs', 'ECDSA+SHA256'))?.[1],
    ]).toEqual(['rsa', 'ec'])
  })

  it('resumes sessions of either', async () => {
    const { port } = await startTerminator([site([ec, rsa])], { keeper: keeperOf(ec, rsa) })
    for (const options of [asRsa12, asEc12, asRsa13, asEc13]) {
      const session = await openSession(port, options)
      expect((await shakeHands(port, { ...options, session })).isReused).toBe(true)
    }
  })

  it('shows the other one when policy refuses one', async () => {
    const keeper = keeperOf(ec, rsa)
    const { port } = await startTerminator([site([ec, rsa], { policies: { onStale: 'refuse' } })], { keeper })
    keeper.hold(keyOf(ec), stale)
    expect(await shown(port, {})).toBe('rsa.test: staple of /CN=rsa.test')
    keeper.hold(keyOf(rsa), stale)
    await expect(shown(port, {})).rejects.toMatchObject({
      code: expect.stringMatching(/_ALERT_HANDSHAKE_FAILURE$/), // its middle was renamed in OpenSSL 3.5
    })
  })

  it('takes Ed25519 for those who know it', async () => {
    const { port } = await startTerminator([site([ed, rsa])], { keeper: keeperOf(ed, rsa) })
    expect([await shown(port, {}), await shown(port, asRsa13)]).toEqual([
      'ed.test: staple of /CN=ed.test',
      'rsa.test: staple of /CN=rsa.test',
    ])
  })
})

describe('sites of different kinds', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'each show their own certificate with %s, which Node 20 alone gets wrong',
    async (version) => {
      const only = { minVersion: version, maxVersion: version }
      const sites = [site(ec), site(otherRsa, { names: ['other.test'] }), site(ed, { names: ['ed.test'] })]
      const { port } = await startTerminator(sites, { keeper: keeperOf(ec, otherRsa, ed) })
      expect([
        await shown(port, only),
        await shown(port, { ...only, servername: 'other.test' }),
        await shown(port, { ...only, servername: 'ed.test' }),
      ]).toEqual([
        'ec.test: staple of /CN=ec.test',
        'other.test: staple of /CN=other.test',
        'ed.test: staple of /CN=ed.test',
      ])
    },
  )
})

describe('a ClientHello before the peek', () => {
  it('may come in many segments', async () => {
    const { port } = await startTerminator([site([ec, rsa])], { keeper: keeperOf(ec, rsa) })
    // A relay that cuts what the client sends into single bytes.
    const { createServer } = await import('node:net')
    const cutter = createServer((client) => {
      const server = connectTcp({ port, host: '127.0.0.1', noDelay: true })
      client.on('data', async (chunk) => {
        for (const byte of chunk) {
          server.write(Buffer.from([byte]))
          await new Promise((resolve) => setImmediate(resolve))
        }
      })
      server.on('data', (chunk) => client.write(chunk))
      server.on('close', () => client.destroy())
      client.on('close', () => server.destroy())
    })
    await new Promise<void>((resolve) => cutter.listen(0, '127.0.0.1', resolve))
    expect(await shown((cutter.address() as { port: number }).port, asRsa13)).toBe('rsa.test: staple of /CN=rsa.test')
    cutter.close()
  })

  it('that never comes is not waited for longer than a handshake, though its bytes drip in', async () => {
    const clock = manualClock()
    const { port, next, terminator } = await startTerminator([site([ec, rsa])], {
      keeper: keeperOf(ec, rsa),
      clock,
      handshakeTimeoutMs: 2000,
    })
    const client = connectTcp(port, '127.0.0.1')
    client.on('error', () => {})
    client.resume()
    const closed = new Promise((resolve) => client.once('close', resolve))
    client.write(Buffer.from([22, 3, 1]))
    await until(() => terminator.status().handshakes === 1)
    await clock.advance(1900)
    client.write(Buffer.from([1]))
    await new Promise((resolve) => setTimeout(resolve, 20))
    const failed = next('handshake-failed')
    await clock.advance(100)
    expect(await failed).toMatchObject({ code: 'ERR_TLS_HANDSHAKE_TIMEOUT' })
    await closed
    expect(await isAccepted(port)).toBe(true)
  })

  it('that is none is answered by OpenSSL, as without a peek', async () => {
    const { port, next } = await startTerminator([site([ec, rsa])], { keeper: keeperOf(ec, rsa) })
    const failed = next('handshake-failed')
    connectTcp(port, '127.0.0.1').end('GET / HTTP/1.1\r\n\r\n')
    expect(await failed).toMatchObject({ code: 'ERR_SSL_HTTP_REQUEST' })
  })

  it('that breaks off gives its place back', async () => {
    const { port, terminator } = await startTerminator([site([ec, rsa])], { keeper: keeperOf(ec, rsa) })
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const client = connectTcp(port, '127.0.0.1')
      client.on('error', () => {})
      client.write(Buffer.from([22, 3, 1]))
      await until(() => terminator.status().handshakes === 1)
      client[end]()
      await until(() => terminator.status().handshakes === 0)
    }
    expect(terminator.status()).toMatchObject({ connections: 0, secured: 0 })
  })

  it('is cut at drain when it has not come', async () => {
    const { port, terminator } = await startTerminator([site([ec, rsa])], {
      keeper: keeperOf(ec, rsa),
      drainTimeoutMs: 10,
    })
    const client = connectTcp(port, '127.0.0.1')
    await until(() => terminator.status().handshakes === 1)
    await terminator.drain()
    expect(terminator.status().connections).toBe(0)
    client.destroy()
  })
})
