/** Backends: groups of addresses, TLS to them, and what is told of those that cannot be meant. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { loadText, problemsOf, type TextOptions } from '../../kit/configuration.ts'

let leaf: Leaf
let tls: string
beforeAll(async () => {
  leaf = await (await createAuthority()).issueLeaf()
  tls = `tls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}" }\n`
})

const load = async (text: string, options: TextOptions = {}) => (await loadText(text + tls, options)).settings

describe('backends', () => {
  it.each([
    ['backend: "tcp://a:1"', ['tcp://a:1']],
    ['backend: ["tcp://a:1", "tcp://b:2"]', ['tcp://a:1', 'tcp://b:2']],
    ['backend { url: "tls://a:1" }', ['tls://a:1']],
    ['backend { urls: ["tls://a:1", "tls://b:2"] }', ['tls://a:1', 'tls://b:2']],
  ])('%s', async (text, urls) => {
    const group = { urls, isUnverified: false }
    expect(await load(`${text}\n`)).toMatchObject({ backend: group, sites: [{ backend: group }], protocol: 'tcp' })
  })

  it('over TLS may come from a CA and under a name of their own', async () => {
    const settings = await load(`backend { url: "tls://a:1", ca_file: "${leaf.caFile}", server_name: "b.net" }\n`)
    expect(settings.backend).toMatchObject({ urls: ['tls://a:1'], serverName: 'b.net', isUnverified: false })
    expect(settings.backend?.caPem).toMatch(/^-----BEGIN CERTIFICATE-----\n/)
    expect(settings.files).toContain(leaf.caFile)
  })

  it('over TLS are verified unless danger says otherwise', async () => {
    const settings = await load('backend: "tls://a:1"\ndanger { unverified_backends: true }\n')
    expect(settings.backend?.isUnverified).toBe(true)
    const { notices } = await loadText(`backend: "tcp://a:1"\ndanger { unverified_backends: true }\n${tls}`)
    expect(notices).toMatchObject([{ line: 2, path: 'danger.unverified_backends' }])
  })

  it("may be a site's own, a list or a map too", async () => {
    const text = `backend: "tcp://a:1"\nsites [ { names: b.net, backend: ["tcp://b:1", "tcp://b:2"] }, { names: c.net, backend { url: "tls://c:1", server_name: "c.net" } } ]\n`
    expect((await load(text)).sites.map((site) => site.backend)).toEqual([
      { urls: ['tcp://a:1'], isUnverified: false },
      { urls: ['tcp://b:1', 'tcp://b:2'], isUnverified: false },
      { urls: ['tls://c:1'], serverName: 'c.net', isUnverified: false },
    ])
  })

  it('may be several as an option, with commas between', async () => {
    const settings = await load('backend: "tcp://z:1"\n', { backend: 'tcp://a:1, tcp://b:2' })
    expect(settings.backend?.urls).toEqual(['tcp://a:1', 'tcp://b:2'])
  })

  it.each([
    ['backend: ["tcp://a:1", "tls://b:1"]', 'backend', 24, /^some of these backends are over TLS/],
    ['backend: ["tcp://a:1", "TCP://a:1/"]', 'backend', 24, /^the same backend twice/],
    ['backend: []', 'backend', 10, /^the list is empty/],
    ['backend: ["tcp://a:1", "b:1"]', 'backend[1]', 24, /^a URL without a scheme/],
    ['backend: ["tcp://a:1", {url: "tcp://b:1"}]', 'backend[1]', 24, /^not a URL/],
    ['backend {}', 'backend.url', 9, /^is missing/],
    ['backend { url: 5 }', 'backend.url', 16, /^not a URL/],
    ['backend { url: "tls://a:1", server_name: "" }', 'backend.server_name', 42, /^"" is not a DNS name/],
    [
      'backend { url: "tls://a:1", server_name: "*.b.net" }',
      'backend.server_name',
      42,
      /^"\*\.b\.net" is not a DNS name/,
    ],
    ['backend { url: "tls://a:1", server_name: "10.0.0.1" }', 'backend.server_name', 42, /^an IP address/],
    ['backend { url: "tls://a:1", servername: x }', 'backend.servername', 29, /^unknown key/],
    ['backend { url: "tls://a:1", ca_file: "nope.pem" }', 'backend.ca_file', 38, /^cannot be read: no such file/],
    ['backend { url: "tcp://a:1", server_name: b }', 'backend.server_name', 42, /^is for tls:\/\/ backends/],
    ['backend: 8080', 'backend', 10, /^not a URL/],
  ])('%s is refused', async (text, path, column, summary) => {
    expect(await problemsOf(`${text}\n${tls}`)).toMatchObject([
      { path, line: 1, column, summary: expect.stringMatching(summary), hint: expect.stringMatching(/./) },
    ])
  })

  it('beside which a CA is named that would not be asked for are refused', async () => {
    expect(await problemsOf(`backend { url: "tcp://a:1", ca_file: "${leaf.caFile}" }\n${tls}`)).toMatchObject([
      { path: 'backend.ca_file', summary: expect.stringMatching(/this one is not encrypted/) },
    ])
  })

  it.each([
    ['tcp://a:1,', /^empty/],
    ['tcp://a:1,b:2', /^a URL without a scheme/],
    ['tcp://a:1,tls://b:2', /^some of these backends are over TLS/],
  ])('--backend %s is refused as an option', async (backend, summary) => {
    expect(await problemsOf(tls, { backend })).toMatchObject([
      { file: '--backend', summary: expect.stringMatching(summary) },
    ])
  })
})
