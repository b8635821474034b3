import type { LookupFunction } from 'node:net'
import { describe, expect, it } from 'vitest'
import { isPrivateAddress, publicLookup } from '../../../src/keep/fetch/address.ts'
import { createScriptedResponder } from '../../kit/responder.ts'
import { ask, authority, createTestFetcher, firstCauseOf, leaf } from './setting.ts'

it.each([
  ...[
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
  ],
  ...[
    '224.0.0.1',
    '255.255.255.255',
    '198.18.0.1',
    '192.0.2.1',
    '::1',
    '::',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd12::3',
  ],
  ...[
    'ff02::1',
    '2001:db8::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:0a00:0001',
    '::127.0.0.1',
    '[::1]',
  ],
  ...[
    '64:ff9b::10.0.0.1',
    '64:ff9b::a00:1',
    '2002:7f00:1::',
    '2002:c0a8:101::5',
    '2001::1',
    'fec0::1',
    '::ffff:0:127.0.0.1',
  ],
  ...['localhost', ''],
])('%s is no public address', (address) => {
  expect(isPrivateAddress(address)).toBe(true)
})

it.each([
  '8.8.8.8',
  '172.32.0.1',
  '172.15.0.1',
  '100.128.0.1',
  '2606:4700::1',
  '::ffff:8.8.8.8',
  '64:ff9b::8.8.8.8',
  '[2a00:1450::1]',
])('%s is a public address', (address) => {
  expect(isPrivateAddress(address)).toBe(false)
})

/** A resolver that answers out of a list. */
function resolver(...addresses: readonly string[]): LookupFunction & { readonly asked: string[] } {
  const asked: string[] = []
  const lookup: LookupFunction = (host, options, callback) => {
    asked.push(host)
    const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    setImmediate(() => (options.all ? callback(null, all) : callback(null, all[0]?.address ?? '', all[0]?.family ?? 0)))
  }
  return Object.assign(lookup, { asked })
}

describe('a checked lookup', () => {
  const resolve = (lookup: LookupFunction, all: boolean) =>
    new Promise((done) => publicLookup(lookup)('a.test', { all }, (error, found) => done(error ?? found)))

  it('gives the public addresses of a name, and only those', async () => {
    const lookup = resolver('10.0.0.1', '8.8.8.8', '::1', '2606:4700::1')
    expect(await resolve(lookup, true)).toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ])
    expect(await resolve(lookup, false)).toBe('8.8.8.8')
  })

  it('fails with the addresses when none is public', async () => {
    expect(await resolve(resolver('10.0.0.1', '::1'), true)).toMatchObject({ addresses: ['10.0.0.1', '::1'] })
  })
})

describe("a stranger's responder", () => {
  it.each([
    'http://127.0.0.1:1/',
    'http://[::1]:1/',
    'http://[::ffff:127.0.0.1]:1/',
    'http://0x7f.1:1/',
    'http://2130706433:1/',
  ])('at the literal address %s is not asked', async (url) => {
    const cause = await firstCauseOf(createTestFetcher().fetchStaple(ask(url, { origin: 'stranger' })))
    expect(cause).toMatchObject({ code: 'ERR_FETCH_FORBIDDEN_ADDRESS', detail: { expected: 'a public address' } })
  })

  it('whose name resolves to a private address is not asked', async () => {
    const responder = await createScriptedResponder({ authority })
    const fetcher = createTestFetcher({ lookup: resolver('127.0.0.1') })
    const url = `http://ocsp.test:${responder.port}/`
    const cause = await firstCauseOf(fetcher.fetchStaple(ask(url, { origin: 'stranger' })))
    expect(cause).toMatchObject({
      code: 'ERR_FETCH_FORBIDDEN_ADDRESS',
      detail: { found: 'ocsp.test is 127.0.0.1' },
    })
    expect(responder.count).toBe(0)
    // and a connection that the operator's question opened is not lent to a stranger's
    expect((await fetcher.fetchStaple(ask(url))).response.certStatus).toBe('good')
    await expect(fetcher.fetchStaple(ask(url, { origin: 'stranger' }))).rejects.toThrow()
    expect(responder.count).toBe(1)
  })

  it('cannot lead to a private address by a redirect', async () => {
    const inside = await createScriptedResponder({ authority })
    const outside = await createScriptedResponder({ authority, behaviour: { kind: 'redirect', to: inside.url } })
    const fetcher = createTestFetcher({ privateAddresses: { stranger: 'allow' } })
    await fetcher.fetchStaple(ask(outside.url, { origin: 'stranger', method: 'post' }))
    // a proxy makes a responder on this machine look like one outside
    const careful = createTestFetcher({ proxy: `http://127.0.0.1:${outside.port}`, lookup: resolver('8.8.8.8') })
    const cause = await firstCauseOf(careful.fetchStaple(ask('http://public.test/', { origin: 'stranger' })))
    expect(cause).toMatchObject({ code: 'ERR_FETCH_FORBIDDEN_ADDRESS', detail: { found: '127.0.0.1' } })
    expect(inside.count).toBe(1)
  })

  it('is asked where the policy allows it, and an operator’s is not where it refuses', async () => {
    const responder = await createScriptedResponder({ authority })
    const open = createTestFetcher({ privateAddresses: { stranger: 'allow' } })
    expect((await open.fetchStaple(ask(responder.url, { origin: 'stranger' }))).response.certStatus).toBe('good')
    const shut = createTestFetcher({ privateAddresses: 'refuse' })
    expect(await firstCauseOf(shut.fetchStaple(ask(responder.url)))).toMatchObject({
      code: 'ERR_FETCH_FORBIDDEN_ADDRESS',
    })
  })

  it('gives no issuer from a private address either', async () => {
    const withIssuer = await authority.issueLeaf({ caIssuersURL: 'http://127.0.0.1:1/ca.der' })
    const fetching = createTestFetcher().fetchIssuer(withIssuer.certificate, undefined, 'stranger')
    await expect(fetching).rejects.toMatchObject({
      code: 'ERR_FETCH_NO_ISSUER',
      detail: { causes: [{ code: 'ERR_FETCH_FORBIDDEN_ADDRESS' }] },
    })
  })
})

it('the own resolver of the option is the one that is asked', async () => {
  const responder = await createScriptedResponder({ authority })
  const lookup = resolver('127.0.0.1')
  const staple = await createTestFetcher({ lookup }).fetchStaple(ask(`http://ocsp.test:${responder.port}/`))
  expect(staple.response.singleResponse.certID.serialNumber).toBe(leaf.certificate.serialNumber)
  expect(lookup.asked).toEqual(['ocsp.test'])
})
