/** Several kinds of keys in one front: each client gets the certificate it can use, with that certificate's staple. */
import { connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net'
import fc from 'fast-check'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { nodeVersions } from '../../../tools/nodes.mjs'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { manualClock } from '../../kit/clock.ts'
import { freePort } from '../../kit/free-port.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { runProgram, startProgram } from '../../kit/program.ts'
import { extension, helloMessage, message, record, records } from '../client-hello-bytes.ts'
import { fakeKeeper, good, stale } from '../fake-keeper.ts'
import { type ClientOptions, isAccepted, openSession, shakeHands, until } from '../tls-client.ts'
import { keyOf, site, startTerminator } from './stage.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

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

  it('shows a P-384 certificate to those alone who know its curve', async () => {
    const p384 = await (await createAuthority()).issueLeaf({ name: 'p384.test', keyType: 'p384' })
    const { port } = await startTerminator([site([p384, rsa])], { keeper: keeperOf(p384, rsa) })
    const both = (schemes: string) => ({ minVersion: 'TLSv1.3', sigalgs: `${schemes}:rsa_pss_rsae_sha256` }) as const
    expect([
      await shown(port, both('ecdsa_secp256r1_sha256')),
      await shown(port, both('ecdsa_secp384r1_sha384')),
      await shown(port, { maxVersion: 'TLSv1.2', ecdhCurve: 'X25519:P-256' }),
    ]).toEqual([
      'rsa.test: staple of /CN=rsa.test',
      'p384.test: staple of /CN=p384.test',
      'rsa.test: staple of /CN=rsa.test',
    ])
  })

  it('goes by the suites that the site takes', async () => {
    const suites = { ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256' }
    const { port } = await startTerminator([site([ec, rsa], suites)], { keeper: keeperOf(ec, rsa) })
    expect(await shown(port, { maxVersion: 'TLSv1.2' })).toBe('rsa.test: staple of /CN=rsa.test')
  })

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

/** What `openssl s_client` can be told to offer. */
const offers: readonly (readonly string[])[] = [
  [],
  ['-tls1_2'],
  ['-tls1_3'],
  ...[
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES128-SHA',
  ].map((suite) => ['-tls1_2', '-cipher', suite]),
  ...['ECDSA+SHA256', 'RSA-PSS+SHA256', 'RSA+SHA256', 'ECDSA+SHA384', 'ECDSA+SHA384:RSA-PSS+SHA384', 'ed25519'].flatMap(
    (schemes) => [
      ['-tls1_2', '-sigalgs', schemes],
      ['-tls1_3', '-sigalgs', schemes],
      ['-sigalgs', schemes],
    ],
  ),
  ...['X25519', 'P-256', 'P-384', 'X448', 'P-521:X25519'].flatMap((groups) => [
    ['-tls1_2', '-groups', groups],
    ['-tls1_3', '-groups', groups],
  ]),
  ['-tls1_2', '-groups', 'X25519', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256'],
  ['-tls1_2', '-sigalgs', 'ECDSA+SHA256:RSA+SHA256', '-cipher', 'AES256-SHA:ECDHE-ECDSA-AES256-SHA'],
  ['-tls1_2', '-client_sigalgs', 'RSA+SHA256', '-sigalgs', 'RSA+SHA512:ECDSA+SHA512'],
  ['-tls1_1'],
]

describe('whoever `openssl s_server` could serve with both certificates', () => {
  it('is served, over all that s_client can be told to offer', async () => {
    const { port } = await startTerminator([site([rsa, ec])], { keeper: keeperOf(ec, rsa) })
    const judge = await freePort()
    const server = startProgram('openssl', [
      ...['s_server', '-accept', `127.0.0.1:${judge}`, '-serverpref', '-quiet', '-min_protocol', 'TLSv1.2'],
      ...['-cert', ec.certificateFile, '-key', ec.keyFile, '-dcert', rsa.certificateFile, '-dkey', rsa.keyFile],
    ])
    await server.waitForPort(judge)
    const seen = { ec: 0, rsa: 0, nothing: 0 }
    for (const offer of offers) {
      const [ours, its] = await Promise.all([subjectSeen(port, offer), subjectSeen(judge, offer)])
      seen[ours ?? 'nothing']++
      if (its !== undefined) expect([offer, ours]).toEqual([offer, its])
    }
    expect(seen).toEqual({ ec: expect.any(Number), rsa: expect.any(Number), nothing: expect.any(Number) })
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(1)
  })

  /** By whom the handshake was done; undefined when it failed. */
  async function subjectSeen(port: number, offer: readonly string[]): Promise<'ec' | 'rsa' | undefined> {
    const { output } = await runProgram('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...offer], {
      input: 'Q\n',
    })
    const isDone = /New, TLSv1\.[23], Cipher is (?!\(NONE\))/.test(output)
    return isDone ? (/subject=CN = (ec|rsa)\.test/.exec(output)?.[1] as 'ec' | 'rsa') : undefined
  }
})

describe('a client with a post-quantum key share', () => {
  it('gets certificate and staple, wherever its ClientHello is cut in segments', async () => {
    const { port } = await startTerminator([site([rsa, ec])], { keeper: keeperOf(ec, rsa) })
    const places = [1, 5, 6, 40, 300, 1200, 1460, 1500]
    const cutter = await startCutter(port, places)
    // Node 20 does not know the group: the newest Node is the client.
    const { program } = nodeVersions().at(-1) as { program: string }
    const { stdout } = await runProgram(program, ['-e', manyHandshakes(cutter.port, places.length)])
    expect(JSON.parse(stdout)).toEqual(places.map(() => ['ec.test', 'staple of /CN=ec.test']))
    expect(Math.min(...cutter.lengths)).toBeGreaterThan(1460)
  })

  /** A relay that cuts what each client sends first: the connections take the places in turn. */
  async function startCutter(port: number, places: readonly number[]) {
    const lengths: number[] = []
    const server = createTcpServer((client) => {
      const place = places[lengths.length] as number
      const onward = connectTcp({ port, host: '127.0.0.1', noDelay: true })
      endsWithTest(() => onward.destroy())
      for (const socket of [client, onward]) socket.on('error', () => {})
      client.once('data', (first) => {
        lengths.push(first.length)
        onward.write(first.subarray(0, place))
        // Written at once they would leave as one.
        setImmediate(() => {
          onward.write(first.subarray(place))
          client.pipe(onward)
        })
      })
      onward.pipe(client)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    endsWithTest(() => server.close())
    return { port: (server.address() as { port: number }).port, lengths }
  }

  /** A program that shakes hands so often and prints what it was shown. */
  function manyHandshakes(port: number, count: number): string {
    return `const { connect } = require('tls')
const once = () => new Promise((resolve, reject) => {
  let staple
  const socket = connect({ host: '127.0.0.1', port: ${port}, rejectUnauthorized: false, requestOCSP: true })
  socket.on('OCSPResponse', (response) => (staple = String(response)))
  socket.on('error', reject)
  socket.on('secureConnect', () => {
    resolve([socket.getPeerCertificate().subject.CN, staple])
    socket.destroy()
  })
})
;(async () => {
  const seen = []
  for (let count = 0; count < ${count}; count++) seen.push(await once())
  console.log(JSON.stringify(seen))
})()`
  }
})

describe('hostile ClientHellos', () => {
  const tls13 = {
    versions: [0x0304, 0x0303],
    cipherSuites: [0x1301, 0xc02b, 0xc02f],
    supportedGroups: [29, 23],
    signatureAlgorithms: [0x0403, 0x0804, 0x0401],
  }
  const whole = helloMessage(tls13)

  it.each<[string, Buffer, RegExp]>([
    ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /HTTP_REQUEST$/],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'), /WRONG_VERSION_NUMBER$/],
    ['a TLS 1.0 hello', records(message(oldHello())), /UNSUPPORTED_PROTOCOL$/],
    ['a message of 16 MB', Buffer.concat([record(Buffer.from([1, 255, 255, 255])), Buffer.alloc(600)]), /./],
    ['a record too long', Buffer.from([22, 3, 1, 0x48, 1, 1, 0, 0x48, 0]), /LENGTH|TOO_LONG/],
    ['lengths that lie', records(message(whole.subarray(4, 90))), /LENGTH_MISMATCH|LENGTH_TOO/],
    [
      'an extension twice',
      records(helloMessage({ ...tls13, further: [extension(13, Buffer.from([0, 2, 8, 4]))] })),
      /BAD_EXT/,
    ],
    [
      'nothing that can be agreed on',
      records(helloMessage({ ...tls13, signatureAlgorithms: [0x0101] })),
      /SIGNATURE_ALG/,
    ],
  ])('%s is one line, and ends that connection alone', async (_what, bytes, code) => {
    const { port, terminator, told } = await startTerminator([site([rsa, ec])], { keeper: keeperOf(ec, rsa) })
    await (await openAndSend(port, bytes)).closed
    await until(() => told('handshake-failed').length > 0)
    expect(told('handshake-failed')).toMatchObject([{ code: expect.stringMatching(code), remoteAddress: '127.0.0.1' }])
    expect([told('handshake-failed').length, terminator.status().connections]).toEqual([1, 0])
    expect(await shown(port, asRsa13)).toBe('rsa.test: staple of /CN=rsa.test')
  })

  it('touch nobody: while many of them come and stay, ordinary clients get their staple', async () => {
    const { port, terminator } = await startTerminator([site([rsa, ec])], {
      keeper: keeperOf(ec, rsa),
      handshakeTimeoutMs: 5000,
    })
    const flights = fc.sample(
      fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.nat(whole.length).map((length) => records(whole).subarray(0, length)),
        fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, value]) => {
          const changed = Buffer.from(whole)
          changed[at] = value
          return records(changed, 1 + (value % 60))
        }),
        fc.uint8Array({ minLength: 4, maxLength: 400 }).map((bytes) => record(Buffer.from(bytes))),
      ),
      200,
    )
    const ends: Promise<void>[] = []
    const ordinary: Promise<string>[] = []
    for (const [index, bytes] of flights.entries()) {
      ends.push((await openAndSend(port, Buffer.from(bytes))).closed)
      if (index % 10 === 0) ordinary.push(shown(port, index % 20 === 0 ? asRsa13 : asEc13))
    }
    const expected = ordinary.map((_, index) => {
      const name = index % 2 === 0 ? 'rsa' : 'ec'
      return `${name}.test: staple of /CN=${name}.test`
    })
    expect(await Promise.all(ordinary)).toEqual(expected)
    // Those that wait for the rest of themselves are ended by the time of a handshake.
    await Promise.all(ends)
    await until(() => terminator.status().connections === 0)
    expect(await isAccepted(port)).toBe(true)
  })

  /** Sends what it is given and nothing more; resolves when the bytes are out. */
  async function openAndSend(port: number, bytes: Buffer): Promise<{ readonly closed: Promise<void> }> {
    const client: Socket = connectTcp(port, '127.0.0.1')
    endsWithTest(() => client.destroy())
    client.on('error', () => {})
    client.resume()
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
    await new Promise<void>((resolve) => client.write(bytes, () => resolve()))
    return { closed }
  }

  function oldHello(): Buffer {
    return Buffer.concat([Buffer.from([3, 1]), Buffer.alloc(32, 7), Buffer.from([0, 0, 4, 0, 0x2f, 0, 0x35, 1, 0])])
  }
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
    const { port, terminator, next } = await startTerminator([site([ec, rsa])], { keeper: keeperOf(ec, rsa) })
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const client = connectTcp(port, '127.0.0.1')
      client.on('error', () => {})
      client.write(Buffer.from([22, 3, 1]))
      await until(() => terminator.status().handshakes === 1)
      const failed = next('handshake-failed')
      client[end]()
      expect(await failed).toMatchObject({ code: 'ECONNRESET' })
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
