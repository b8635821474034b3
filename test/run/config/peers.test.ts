/** `tls { ocsp_peer }` and `ocsp_cache`: nats-server's keys and defaults, our own beside them, and every bad value in its place. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { loadText, problemsOf } from '../../kit/configuration.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

let leaf: Leaf
beforeAll(async () => {
  leaf = await (await createAuthority()).issueLeaf()
})

const verify = 'verify: true'
const text = (tls: string, more = '') => `backend: "tcp://127.0.0.1:1"
tls {
 cert_file: "${leaf.certificateFile}"
 key_file: "${leaf.keyFile}"
 ca_file: "${leaf.caFile}"
 ${tls}
}
${more}
`
const load = (tls: string, more?: string) => loadText(text(tls, more))
const peerOf = async (tls: string) => (await load(`${verify}, ${tls}`)).settings.sites[0]?.clientAuth?.ocspPeer

const defaults = {
  caTimeoutMs: 2_000,
  allowedClockSkewMs: 30_000,
  maxAgeWithoutNextUpdateMs: 3_600_000,
  isWarnOnly: false,
  isUnknownGood: false,
  isUnreachableAllowed: false,
  whenNoResponder: 'allow',
  revocation: 'ocsp',
  recheckMs: 300_000,
}

describe('ocsp_peer', () => {
  it.each(['ocsp_peer: true', 'ocsp_peer: on', 'ocsp_peer { verify: true }'])(
    'is on with its defaults: %s',
    async (tls) => {
      expect(await peerOf(tls)).toEqual(defaults)
    },
  )

  it.each(['', 'ocsp_peer: false', 'ocsp_peer { verify: false, warn_only: true }'])(
    'is off, without a word: %s',
    async (tls) => {
      const { settings, notices } = await load(`${verify}\n ${tls}`)
      expect(settings.sites[0]?.clientAuth).not.toHaveProperty('ocspPeer')
      expect(settings).not.toHaveProperty('peerCache')
      expect(notices).toEqual([])
    },
  )

  it.each(['ocsp_peer {}', 'ocsp_peer { ca_timeout: 5 }'])(
    'is off as a map without verify, and a notice says so: %s',
    async (tls) => {
      const { settings, notices } = await load(`${verify}\n ${tls}`)
      expect(settings.sites[0]?.clientAuth).not.toHaveProperty('ocspPeer')
      expect(notices).toMatchObject([
        { path: 'tls.ocsp_peer', line: 7, message: expect.stringContaining('`verify: true` in it') },
      ])
    },
  )

  it.each([
    ['ca_timeout: 0.5', { caTimeoutMs: 500 }],
    ['ca_timeout: 5', { caTimeoutMs: 5_000 }],
    ['ca_timeout: "1500ms"', { caTimeoutMs: 1_500 }],
    ['allowed_clockskew: 0', { allowedClockSkewMs: 0 }],
    ['allowed_clockskew: "1m"', { allowedClockSkewMs: 60_000 }],
    ['cache_ttl_when_next_update_unset: 4', { maxAgeWithoutNextUpdateMs: 4_000 }],
    ['cache_ttl_when_next_update_unset: 0', { maxAgeWithoutNextUpdateMs: 0 }],
    ['warn_only: true', { isWarnOnly: true }],
    ['unknown_is_good: yes', { isUnknownGood: true }],
    ['allow_when_ca_unreachable: true', { isUnreachableAllowed: true }],
    ['when_no_responder: refuse', { whenNoResponder: 'refuse' }],
    ['revocation: ocsp-then-crl', { revocation: 'ocsp-then-crl' }],
    ['recheck: "1m"', { recheckMs: 60_000 }],
    ['recheck: 1m', { recheckMs: 60_000 }],
    ['recheck: "0s"', { recheckMs: 0 }],
    ['VERIFY: true, Warn_Only: true', { isWarnOnly: true }],
  ])('takes %s', async (written, part) => {
    expect(await peerOf(`ocsp_peer { verify: true, ${written} }`)).toEqual({ ...defaults, ...part })
  })

  it('may be on for one site and off for another', async () => {
    const site = `sites { names: a.net, tls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}", ca_file: "${leaf.caFile}", verify: true, ocsp_peer: true } }`
    const { settings } = await load(verify, site)
    expect(settings.sites.map(({ clientAuth }) => clientAuth?.ocspPeer !== undefined)).toEqual([false, true])
  })

  it.each([
    ['ocsp_peer: 5', 'tls.ocsp_peer', 'the number 5', 'true, false or a map', 'write true, false or a map'],
    ['ocsp_peer: "true"', 'tls.ocsp_peer', 'the text "true"', 'true, false or a map', 'write it without quotes'],
    [
      'ocsp_peer { verfy: true }',
      'tls.ocsp_peer.verfy',
      '"verfy" in tls.ocsp_peer',
      expect.stringContaining('one of verify, ca_timeout'),
      'did you mean verify?',
    ],
    [
      'ocsp_peer { verify: 1 }',
      'tls.ocsp_peer.verify',
      'the number 1',
      'true or false',
      expect.stringContaining('write true'),
    ],
    [
      'ocsp_peer { verify: true, ca_timeout: -1 }',
      'tls.ocsp_peer.ca_timeout',
      'the number -1',
      expect.stringContaining('from 1ms to 1h'),
      'write a duration of zero or more',
    ],
    [
      'ocsp_peer { verify: true, ca_timeout: 0 }',
      'tls.ocsp_peer.ca_timeout',
      'the number 0',
      expect.stringContaining('or a number of seconds'),
      'the least is 1ms',
    ],
    [
      'ocsp_peer { verify: true, allowed_clockskew: "soon" }',
      'tls.ocsp_peer.allowed_clockskew',
      'the text "soon"',
      expect.stringContaining('a duration'),
      expect.stringContaining('"30s"'),
    ],
    [
      'ocsp_peer { verify: true, cache_ttl_when_next_update_unset: "11d" }',
      'tls.ocsp_peer.cache_ttl_when_next_update_unset',
      'the text "11d"',
      expect.stringContaining('to 10d'),
      'the most is 10d',
    ],
    [
      'ocsp_peer { verify: true, warn_only: "x" }',
      'tls.ocsp_peer.warn_only',
      'the text "x"',
      'true or false',
      expect.stringContaining('write'),
    ],
    [
      'ocsp_peer { verify: true, unknown_is_good: 2 }',
      'tls.ocsp_peer.unknown_is_good',
      'the number 2',
      'true or false',
      expect.stringContaining('write'),
    ],
    [
      'ocsp_peer { verify: true, allow_when_ca_unreachable: [] }',
      'tls.ocsp_peer.allow_when_ca_unreachable',
      'an empty list',
      'true or false',
      expect.stringContaining('write'),
    ],
    [
      'ocsp_peer { verify: true, when_no_responder: deny }',
      'tls.ocsp_peer.when_no_responder',
      'the text "deny"',
      'allow or refuse',
      'write allow or refuse',
    ],
    [
      'ocsp_peer { verify: true, revocation: ocps }',
      'tls.ocsp_peer.revocation',
      'the text "ocps"',
      'ocsp, crl or ocsp-then-crl',
      'did you mean ocsp?',
    ],
    [
      'ocsp_peer { verify: true, recheck: 5 }',
      'tls.ocsp_peer.recheck',
      'the number 5',
      expect.stringContaining('from 0s to 30d'),
      'write "5s" if seconds were meant',
    ],
  ])('%s is refused', async (written, path, found, expected, hint) => {
    expect(await problemsOf(text(`${verify}\n ${written}`))).toMatchObject([{ path, line: 7, found, expected, hint }])
  })

  it.each(['ocsp_peer: true', 'ocsp_peer { verify: true }', 'verify: false, ocsp_peer: true'])(
    'without verify there is nobody to ask about: %s',
    async (tls) => {
      expect(await problemsOf(text(tls))).toMatchObject([
        {
          path: 'tls.ocsp_peer',
          line: 6,
          found: 'ocsp_peer without verify',
          hint: 'add `verify: true` to `tls { … }`, or leave it out',
        },
      ])
    },
  )

  it('without verify but off it is no problem', async () => {
    expect((await load('ocsp_peer: false')).settings.sites[0]?.clientAuth).toBeUndefined()
  })
})

describe('ocsp_cache', () => {
  const cacheOf = async (written: string, workingDirectory = temporaryDirectory('cache')) => {
    const { settings } = await loadText(text(`${verify}, ocsp_peer: true`, written), { workingDirectory })
    const { peerCache } = settings
    return peerCache?.type === 'local'
      ? { ...peerCache, directory: peerCache.directory.replace(workingDirectory, '.') }
      : peerCache
  }
  const standard = { type: 'local', directory: './_rc_', isRevokedPreserved: false, saveIntervalMs: 300_000 }

  it.each([
    ['', standard],
    ['ocsp_cache: true', standard],
    ['ocsp_cache {}', standard],
    ['ocsp_cache { type: LOCAL }', standard],
    ['ocsp_cache { local_store: "" }', standard],
    ['ocsp_cache { local_store: "_custom_" }', { ...standard, directory: './_custom_' }],
    ['ocsp_cache { preserve_revoked: true }', { ...standard, isRevokedPreserved: true }],
    ['ocsp_cache { save_interval: 1 }', { ...standard, saveIntervalMs: 1_000 }],
    ['ocsp_cache { save_interval: "90s" }', { ...standard, saveIntervalMs: 90_000 }],
    ['ocsp_cache: false', { type: 'none' }],
    ['ocsp_cache { type: none }', { type: 'none' }],
  ])('%s', async (written, expected) => {
    expect(await cacheOf(written)).toEqual(expected)
  })

  it('means nothing where no CA is asked about clients, and a notice says so', async () => {
    const { settings, notices } = await load(verify, 'ocsp_cache: true')
    expect(settings).not.toHaveProperty('peerCache')
    expect(notices).toMatchObject([{ path: 'ocsp_cache', line: 8, message: expect.stringContaining('no effect') }])
    expect((await load(verify, 'ocsp_cache: false')).notices).toEqual([])
  })

  it.each([
    ['ocsp_cache: 1', 'ocsp_cache', 'the number 1', 'true, false or a map'],
    ['ocsp_cache { type: redis }', 'ocsp_cache.type', 'the text "redis"', 'local or none'],
    ['ocsp_cache { local_store: [] }', 'ocsp_cache.local_store', 'an empty list', 'a directory'],
    ['ocsp_cache { preserve_revoked: 3 }', 'ocsp_cache.preserve_revoked', 'the number 3', 'true or false'],
    [
      'ocsp_cache { save_interval: 0.5 }',
      'ocsp_cache.save_interval',
      'the number 0.5',
      expect.stringContaining('from 1s to 1d'),
    ],
    ['ocsp_cache { ttl: 5 }', 'ocsp_cache.ttl', '"ttl" in ocsp_cache', expect.stringContaining('type, local_store')],
  ])('%s is refused', async (written, path, found, expected) => {
    expect(await problemsOf(text(`${verify}, ocsp_peer: true`, written))).toMatchObject([
      { path, line: 8, found, expected, hint: expect.any(String) },
    ])
  })

  it('is refused where its directory cannot be written', async () => {
    const workingDirectory = temporaryDirectory('cache')
    const options = { workingDirectory, files: { plain: 'x' } }
    const problems = await problemsOf(
      text(`${verify}, ocsp_peer: true`, 'ocsp_cache { local_store: "plain" }'),
      options,
    )
    expect(problems).toMatchObject([{ path: 'ocsp_cache.local_store', line: 8, summary: 'is not a directory' }])
  })
})

describe('responders', () => {
  const entry = (key: string) => `responders { "${key}": { url: "http://10.0.0.7/" } }`

  it('may be for issuers of clients, which are not known yet: no word about one that fits no certificate here', async () => {
    const { settings, notices } = await load(`${verify}, ocsp_peer: true`, entry('CN=Clients, O=Example'))
    expect(notices).toEqual([])
    expect(settings.responderRules).toEqual([
      { key: 'CN=Clients,O=Example', isURL: false, responderURLs: ['http://10.0.0.7/'] },
    ])
  })

  it('say how to ask too', async () => {
    const written = `responders { "http://old.test/": { method: post, hash: sha1, certificate: "${leaf.caFile}" } }`
    const { settings } = await load(`${verify}, ocsp_peer: true`, written)
    expect(settings.responderRules).toEqual([
      {
        key: 'http://old.test',
        isURL: true,
        method: 'post',
        hashAlgorithm: 'sha1',
        responderCertificate: leaf.issuer.der,
      },
    ])
  })

  it('are told of as before where no CA is asked about clients', async () => {
    expect((await load(verify, entry('CN=Clients,O=Example'))).notices).toHaveLength(1)
  })
})
