/** The choice of a certificate, with OpenSSL as the judge: where it finds one among several, so must we. */
import { connect } from 'node:net'
import { createServer, type TlsOptions } from 'node:tls'
import fc from 'fast-check'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { type ClientHello, readClientHello } from '../../../src/serve/attach/client-hello.ts'
import { chooseKeyFamily, type KeyFamily, keyUse } from '../../../src/serve/attach/key-choice.ts'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { type HelloOptions, helloMessage, records } from '../client-hello-bytes.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

type LeafName = 'p256' | 'p384' | 'ed25519' | 'rsa' | 'rsapss'

/** What an EC authority issued, but for the RSA keys: those an RSA authority did. */
let leaves: Record<LeafName, Leaf>

beforeAll(async () => {
  const [ec, rsa] = await Promise.all([createAuthority(), createAuthority({ keyType: 'rsa2048' })])
  const issued = await Promise.all([
    ec.issueLeaf(),
    ec.issueLeaf({ keyType: 'p384' }),
    ec.issueLeaf({ keyType: 'ed25519' }),
    rsa.issueLeaf(),
    rsa.issueLeaf({ keyType: 'rsapss' }),
  ])
  const [p256, p384, ed25519, plain, pss] = issued
  leaves = { p256, p384, ed25519, rsa: plain, rsapss: pss } as Record<LeafName, Leaf>
})

/** Starts a server with these certificates in one context, set up as a terminator's. */
async function serve(names: readonly LeafName[], options: TlsOptions = {}): Promise<number> {
  const server = createServer({
    cert: names.map((name) => leaves[name].chainPem),
    key: names.map((name) => leaves[name].key),
    minVersion: 'TLSv1.2',
    honorCipherOrder: true,
    ...options,
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endsWithTest(() => server.close())
  return (server.address() as { port: number }).port
}

/** Whether a server answers a ClientHello with a ServerHello, and not with an alert. */
function answers(port: number, bytes: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const client = connect(port, '127.0.0.1')
    client.once('data', (first) => {
      client.destroy()
      resolve(first[0] === 22)
    })
    client.on('error', reject)
    client.on('close', () => reject(new Error('closed without an answer')))
    client.write(bytes)
  })
}

function read(bytes: Buffer): ClientHello {
  const reading = readClientHello(bytes)
  if (reading.kind !== 'hello') throw new Error(JSON.stringify(reading))
  return reading.hello
}

/** Some of them, in any combination. */
function some(...values: number[]): fc.Arbitrary<number[]> {
  return fc.subarray(values, { minLength: 1 })
}

const hellos: fc.Arbitrary<HelloOptions> = fc
  .record({
    cipherSuites: some(0xc02b, 0xc009, 0xc0ae, 0xc072, 0xcca9, 0xc02f, 0xc013, 0x009c, 0x002f),
    versions: fc.constantFrom<number[]>([0x0303], [0x0304, 0x0303], [0x0a0a, 0x0304]),
    signatureAlgorithms: some(0x0403, 0x0503, 0x0203, 0x0807, 0x0804, 0x0805, 0x0809, 0x0401, 0x0201),
    signatureAlgorithmsCert: fc.option(some(0x0403, 0x0401, 0x0804, 0x0501), { nil: undefined, freq: 3 }),
    supportedGroups: fc.option(some(0x1a1a, 29, 23, 24, 25), { nil: undefined, freq: 8 }),
  })
  .map((options) => ({
    ...options,
    cipherSuites: options.versions.includes(0x0304) ? [0x1301, ...options.cipherSuites] : options.cipherSuites,
    // A key share is for X25519: without it a second flight would be asked for, and a hello without groups is none of 1.3.
    supportedGroups:
      options.versions.includes(0x0304) && !options.supportedGroups?.includes(29)
        ? [29, ...(options.supportedGroups ?? [])]
        : options.supportedGroups,
  }))

const pairs: readonly (readonly [LeafName, LeafName])[] = [
  ['p256', 'rsa'],
  ['p384', 'rsa'],
  ['ed25519', 'rsa'],
  ['p256', 'rsapss'],
  ['p256', 'ed25519'],
]

const settings: readonly (readonly [string, TlsOptions])[] = [
  ["Node's own settings", {}],
  ['suites for RSA alone', { ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256' }],
  ['a suite for ECDSA alone', { ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256' }],
  ['P-384 as the only curve', { ecdhCurve: 'P-384:X25519' }],
  ['whatever OpenSSL has', { ciphers: 'ALL:@SECLEVEL=0' }],
]

describe.each(settings)('with %s', (_what, options) => {
  it.each(pairs)('%s beside %s: whoever OpenSSL could serve with both in one context is served', async (...names) => {
    const both = await serve(names, options)
    const single = await Promise.all(names.map((name) => serve([name], options)))
    const uses = names.map((name) => keyUse(leaves[name].certificate, options))
    const counts = { served: 0, ec: 0, ed: 0, rsa: 0 }
    await fc.assert(
      fc.asyncProperty(hellos, async (offered) => {
        const bytes = records(helloMessage(offered))
        if (!(await answers(both, bytes))) return
        const family = chooseKeyFamily(read(bytes), uses)
        counts.served++
        counts[family]++
        const port = single[uses.findIndex((use) => use.family === family)] as number
        expect([family, await answers(port, bytes)]).toEqual([family, true])
      }),
      { numRuns: 300 },
    )
    expect(counts.served).toBeGreaterThan(10)
  })
})

describe('the choice between EC and RSA', () => {
  const tls13 = { versions: [0x0304], cipherSuites: [0x1301], supportedGroups: [29, 23, 24] }
  const tls12 = { versions: [0x0303], cipherSuites: [0xc02b, 0xc02f, 0x9c], supportedGroups: [29, 23, 24] }
  const both = [0x0403, 0x0503, 0x0804, 0x0401]

  it.each<[string, 'p256' | 'p384', HelloOptions, KeyFamily]>([
    ['TLS 1.3 by a scheme of another curve', 'p384', { ...tls13, signatureAlgorithms: [0x0403, 0x0804] }, 'rsa'],
    ['TLS 1.3 by the scheme of its curve', 'p384', { ...tls13, signatureAlgorithms: [0x0503, 0x0804] }, 'ec'],
    ['TLS 1.2 without its curve', 'p384', { ...tls12, supportedGroups: [29, 23], signatureAlgorithms: both }, 'rsa'],
    ['TLS 1.2 by any hash', 'p384', { ...tls12, signatureAlgorithms: [0x0403, 0x0401] }, 'ec'],
    ['ECDSA with SHA-1 alone', 'p256', { ...tls12, signatureAlgorithms: [0x0203, 0x0401] }, 'rsa'],
    ['no groups at all', 'p256', { ...tls12, supportedGroups: undefined, signatureAlgorithms: both }, 'rsa'],
    ["an ECDSA suite that Node's list leaves out", 'p256', { ...tls12, cipherSuites: [0xc072, 0xc02f] }, 'rsa'],
    [
      'certificates signed with RSA alone',
      'p256',
      { ...tls13, signatureAlgorithms: both, signatureAlgorithmsCert: [0x0401] },
      'rsa',
    ],
    [
      'certificates signed with either, RSA first',
      'p256',
      { ...tls13, signatureAlgorithms: both, signatureAlgorithmsCert: [0x0401, 0x0403] },
      'ec',
    ],
  ])('of a client with %s', (_what, ec, offered, family) => {
    const hello = read(records(helloMessage({ signatureAlgorithms: both, ...offered })))
    for (const names of [[ec, 'rsa'] as const, ['rsa', ec] as const])
      expect(
        chooseKeyFamily(
          hello,
          names.map((name) => keyUse(leaves[name].certificate)),
        ),
      ).toBe(family)
  })

  it('is by what the server is set to take', () => {
    const hello = read(records(helloMessage({ ...tls12, signatureAlgorithms: both })))
    const under = (ciphers: string) =>
      chooseKeyFamily(
        hello,
        (['p256', 'rsa'] as const).map((name) => keyUse(leaves[name].certificate, { ciphers })),
      )
    expect([under('ECDHE-RSA-AES128-GCM-SHA256'), under('ECDHE-ECDSA-AES128-GCM-SHA256'), under('HIGH')]).toEqual([
      'rsa',
      'ec',
      'ec',
    ])
  })
})
