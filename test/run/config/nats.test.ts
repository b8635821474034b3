/** The protocol: how it is known, and what `advertise` and `handshake_first` make of it. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { loadText, problemsOf } from '../../kit/configuration.ts'

let leaf: Leaf
beforeAll(async () => {
  leaf = await (await createAuthority()).issueLeaf()
})
const tls = (more = '') => `tls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}", ${more} }\n`
const nats = 'backend: "nats://127.0.0.1:4222"\n'
const tcp = 'backend: "tcp://127.0.0.1:4222"\n'

describe('the protocol', () => {
  it.each([
    [tcp, 'tcp'],
    [`${tcp}protocol: TCP\n`, 'tcp'],
    [`${tcp}protocol: nats\n`, 'nats'],
    [nats, 'nats'],
    [`${nats}protocol: nats\n`, 'nats'],
    ['backend: ["nats://127.0.0.1:4222", "nats://127.0.0.1:5222"]\n', 'nats'],
    ['backend: "tls://127.0.0.1:4222"\nprotocol: nats\n', 'nats'],
  ])('%j: %s', async (text, protocol) => {
    const { settings, notices } = await loadText(text + tls())
    expect(settings.protocol).toBe(protocol)
    expect(settings.backend?.urls[0]).toMatch(/^(tcp|tls):\/\/127\.0\.0\.1:4222$/)
    expect(notices).toEqual([])
  })

  it('may be said by --backend alone, or by a site', async () => {
    expect((await loadText(tcp + tls(), { backend: 'nats://127.0.0.1:1' })).settings.protocol).toBe('nats')
    const site = 'sites { names: a.net, backend: "nats://127.0.0.1:1" }\n'
    expect((await loadText(site + tls() + nats)).settings.protocol).toBe('nats')
  })

  it.each([
    [`${nats}protocol: tcp\n`, 'protocol', 2],
    ['backend: ["nats://127.0.0.1:1", "tcp://127.0.0.1:2"]\n', 'backend', 1],
    [`${nats}sites { names: a.net, backend: "tcp://127.0.0.1:1" }\n`, 'sites[0].backend', 2],
  ])('is one for the whole front: %j is refused', async (text, path, line) => {
    expect(await problemsOf(text + tls())).toMatchObject([
      { path, line, summary: expect.stringMatching(/makes the whole front speak NATS/) },
    ])
  })

  it.each([
    ['protocol: http', 'write tcp or nats'],
    ['protocol: natz', 'did you mean nats?'],
    ['protocol: true', 'write tcp or nats'],
  ])('%s is refused', async (text, hint) => {
    expect(await problemsOf(`${text}\n${tcp}${tls()}`)).toMatchObject([{ path: 'protocol', column: 11, hint }])
  })
})

describe('handshake_first', () => {
  it.each([
    ['', 'after-info'],
    ['handshake_first: false', 'after-info'],
    ['handshake_first: "off"', 'after-info'],
    ['handshake_first: true', 'first'],
    ['handshake_first: "on"', 'first'],
    ['immediate: "true"', 'first'],
    ['handshake_first: auto', { waitMs: 50 }],
    ['handshake_first: "auto_fallback"', { waitMs: 50 }],
    ['first: "300ms"', { waitMs: 300 }],
  ])('%s', async (more, handshake) => {
    const { settings, notices } = await loadText(nats + tls(more))
    expect(settings.nats.handshake).toEqual(handshake)
    expect(notices).toEqual([])
  })

  it.each([
    ['handshake_first: soon', /^write a number and its unit/],
    ['handshake_first: 5', /^write "5s" if seconds/],
    ['handshake_first: "0s"', /^the least is 1ms/],
    ['handshake_first: [true]', /^write a number and its unit/],
  ])('%s is refused', async (more, hint) => {
    expect(await problemsOf(nats + tls(more))).toMatchObject([
      {
        path: 'tls.handshake_first',
        line: 2,
        hint: expect.stringMatching(hint),
        expected: expect.stringMatching(/auto/),
      },
    ])
  })

  it('says so where it has no effect', async () => {
    expect((await loadText(tcp + tls('handshake_first: true'))).notices).toEqual([])
    const { notices } = await loadText(tcp + tls('handshake_first: auto'))
    expect(notices).toMatchObject([{ line: 2, path: 'tls.handshake_first' }])
    const site = `sites { names: a.net, ${tls('handshake_first: true')} }\n`
    expect((await loadText(nats + tls() + site)).notices).toMatchObject([{ path: 'sites[0].tls.handshake_first' }])
  })
})

describe('advertise', () => {
  it('is what clients are told', async () => {
    const { settings } = await loadText(`${nats}advertise: ["nats.example.net:4222", "[::1]:4222"]\n${tls()}`)
    expect(settings.nats.advertise).toEqual(['nats.example.net:4222', '[::1]:4222'])
    expect((await loadText(`${nats}advertise: a:1\n${tls()}`)).settings.nats.advertise).toEqual(['a:1'])
  })

  it('is for NATS alone', async () => {
    expect(await problemsOf(`${tcp}advertise: ["a:1"]\n${tls()}`)).toMatchObject([
      { path: 'advertise', line: 2, column: 12, hint: 'add `protocol: nats`, or leave it out' },
    ])
    expect((await loadText(`${tcp}advertise: []\n${tls()}`)).settings.nats.advertise).toEqual([])
  })

  it.each(['"a"', '4222', '["nats://a:1"]', '["a:0"]'])('%s is refused', async (written) => {
    expect(await problemsOf(`${nats}advertise: ${written}\n${tls()}`)).toMatchObject([
      { path: expect.stringMatching(/^advertise/), line: 2, expected: 'host:port' },
    ])
  })
})
