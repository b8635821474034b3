/** Sites: which names lead to which certificates, backend and policies. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { loadText, problemsOf } from '../../kit/configuration.ts'

const leaves: Record<string, Leaf> = {}
beforeAll(async () => {
  const [ec, rsa] = [await createAuthority(), await createAuthority({ keyType: 'rsa2048' })]
  leaves.one = await ec.issueLeaf({ name: 'one', san: ['one.net', 'www.one.net'] })
  leaves.two = await ec.issueLeaf({ name: 'two', san: ['two.net'] })
  leaves.oneRsa = await rsa.issueLeaf({ name: 'one', san: ['one.net'] })
  leaves.twoRsa = await rsa.issueLeaf({ name: 'two', san: ['two.net'] })
  leaves.nameless = await ec.issueLeaf({ name: 'nameless', san: ['127.0.0.1'] })
})
const pair = (name: string) => `cert_file: "${leaves[name]?.certificateFile}", key_file: "${leaves[name]?.keyFile}"`
const tls = (name: string) => `tls { ${pair(name)} }`
const backend = 'backend: "tcp://127.0.0.1:1"\n'

/** Names, labels of certificates and backend of each site. */
async function sitesOf(text: string, options = {}) {
  const { settings } = await loadText(text, options)
  return settings.sites.map((site) => [
    site.names,
    site.certificates.map(({ certFile }) =>
      Object.keys(leaves).find((name) => leaves[name]?.certificateFile === certFile),
    ),
    site.backend.urls[0]?.at(-1),
  ])
}

it('the top-level tls is the default site, named by its certificate', async () => {
  expect(await sitesOf(backend + tls('one'))).toEqual([[['one.net', 'www.one.net'], ['one'], '1']])
  expect(await sitesOf(backend + tls('nameless'))).toEqual([[[], ['nameless'], '1']])
})

it('the first of sites is the default where there is no top-level tls', async () => {
  expect(await sitesOf(`${backend}sites [ { ${tls('two')} }, { ${tls('one')} } ]`)).toEqual([
    [['two.net'], ['two'], '1'],
    [['one.net', 'www.one.net'], ['one'], '1'],
  ])
})

it('what a site does not say is as at the top', async () => {
  const text = `${backend}on_stale: refuse, on_revoked: withhold
    ${tls('one')}
    sites [
      { names: [a.net, "*.b.net"], backend: "tcp://127.0.0.1:2" }
      { names: c.net, ${tls('two')}, on_revoked: stop-site, on_unknown: staple }
    ]`
  expect(await sitesOf(text)).toEqual([
    [['one.net', 'www.one.net'], ['one'], '1'],
    [['a.net', '*.b.net'], ['one'], '2'],
    [['c.net'], ['two'], '1'],
  ])
  const { settings } = await loadText(text)
  expect(settings.sites.map((site) => site.policies)).toEqual([
    { onStart: 'prefer', onRevoked: 'withhold', onUnknown: 'keep', onStale: 'refuse' },
    { onStart: 'prefer', onRevoked: 'withhold', onUnknown: 'keep', onStale: 'refuse' },
    { onStart: 'prefer', onRevoked: 'stop-site', onUnknown: 'staple', onStale: 'refuse' },
  ])
})

it('a name given to a site is not that of a certificate elsewhere', async () => {
  expect(await sitesOf(`${backend}${tls('one')}\nsites { names: [www.one.net], ${tls('two')} }`)).toEqual([
    [['one.net'], ['one'], '1'],
    [['www.one.net'], ['two'], '1'],
  ])
})

describe('certs', () => {
  it('of two kinds of key for one name are one site', async () => {
    expect(await sitesOf(`${backend}tls { certs [ { ${pair('one')} }, { ${pair('oneRsa')} } ] }`)).toEqual([
      [['one.net', 'www.one.net'], ['one', 'oneRsa'], '1'],
    ])
  })

  it('for several names are chosen by the names in them, as nats-server does', async () => {
    const all = ['one', 'two', 'twoRsa', 'oneRsa'].map((name) => `{ ${pair(name)} }`)
    expect(await sitesOf(`${backend}tls { certificates [ ${all.join(', ')} ] }`)).toEqual([
      [['one.net', 'www.one.net'], ['one', 'oneRsa'], '1'],
      [['two.net'], ['two', 'twoRsa'], '1'],
    ])
  })

  it('share the names that are given to the site, the first taking those that none has', async () => {
    const text = `${backend}sites { names: [two.net, one.net, other.net], tls { certs [ { ${pair('one')} }, { ${pair('two')} } ] } }`
    expect(await sitesOf(text)).toEqual([
      [['one.net', 'other.net'], ['one'], '1'],
      [['two.net'], ['two'], '1'],
    ])
  })

  it('cannot stand beside cert_file', async () => {
    const text = `${backend}tls { ${pair('one')}, certs [ { ${pair('two')} } ] }`
    expect(await problemsOf(text)).toMatchObject([{ path: 'tls.cert_file', line: 2, summary: 'stands beside `certs`' }])
  })

  it('need both files each', async () => {
    const text = `${backend}tls { certs [ { ${pair('one')} }, { key_file: "x" } ] }`
    expect(await problemsOf(text)).toMatchObject([{ path: 'tls.certs[1].cert_file', summary: 'is missing' }])
  })
})

describe('a site', () => {
  it('needs a certificate, its own or that of the top', async () => {
    expect(await problemsOf(`${backend}sites { names: a.net }`)).toMatchObject([
      { path: 'sites[0].tls', line: 2, column: 7, summary: expect.stringMatching(/^is missing/) },
    ])
  })

  it('needs a backend, its own or that of the top', async () => {
    const text = `sites [ { ${tls('one')}, backend: "tcp://127.0.0.1:2" }, { ${tls('two')} } ]`
    expect(await problemsOf(text)).toMatchObject([
      { path: 'sites[1].backend', hint: expect.stringMatching(/here or at the top level, or pass --backend/) },
    ])
    expect(await sitesOf(text, { backend: 'tcp://127.0.0.1:3' })).toMatchObject([
      [expect.anything(), ['one'], '2'],
      [expect.anything(), ['two'], '3'],
    ])
  })

  it('with a backend of its own needs none at the top', async () => {
    const { settings } = await loadText(`sites [ { ${tls('one')}, backend: "tcp://127.0.0.1:2" } ]`)
    expect(settings.backend).toBeUndefined()
  })

  it('cannot have a name of another site', async () => {
    const text = `${backend}sites [ { names: [a.net], ${tls('one')} }\n { names: [b.net, A.net], ${tls('two')} } ]`
    expect(await problemsOf(text)).toMatchObject([
      {
        path: 'sites[1].names',
        line: 3,
        column: 19,
        summary: 'a.net leads to two sites',
        found: 'a.net in sites[0] too',
      },
    ])
  })

  it('cannot have a name twice', async () => {
    expect(await problemsOf(`${backend}sites { names: [a.net, a.net], ${tls('one')} }`)).toMatchObject([
      { found: 'a.net twice in this site' },
    ])
  })

  it('says nothing about what is one for the whole front', async () => {
    const text = `${backend}${tls('one').replace('}', ', timeout: 3 }')}\nsites { names: b.net, ${tls('two').replace('}', ', timeout: 9, curve_preferences: [X25519] }')} }`
    const { settings, notices } = await loadText(text)
    expect(settings.timeouts.handshakeTimeoutMs).toBe(3_000)
    expect(notices.map((notice) => notice.path)).toEqual(['sites[0].tls.timeout', 'sites[0].tls.curve_preferences'])
    expect(notices[0]?.message).toBe(
      'sites[0].tls.timeout: has no effect here: that of the top-level `tls` counts for the whole front',
    )
  })

  it('that is wrong does not hide what is wrong with another', async () => {
    const text = `${backend}sites [ { names: 5, tls { cert_file: "a.pem", key_file: "b.pem" } }, { nams: x, tls { cert_file: "c.pem", key_file: "d.pem" } } ]`
    expect((await problemsOf(text)).map((problem) => problem.path)).toEqual([
      'sites[0].names',
      'sites[0].tls.cert_file',
      'sites[0].tls.key_file',
      'sites[1].nams',
      'sites[1].tls.cert_file',
      'sites[1].tls.key_file',
    ])
  })
})

it('a file that several sites share and that is wrong is told once', async () => {
  const text = `${backend}tls { cert_file: "a.pem", key_file: "b.pem" }\nsites [ { names: a.net }, { names: b.net } ]`
  expect((await problemsOf(text)).map((problem) => problem.path)).toEqual(['tls.cert_file', 'tls.key_file'])
})
