/** Whole configurations: what they become, and everything that is wrong with them at once. */
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { checkConfig, loadConfig } from '../../../src/run/config/index.ts'
import { defaultPolicies } from '../../../src/serve/attach/policy.ts'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { failureOf, loadText, problemsOf } from '../../kit/configuration.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

let leaf: Leaf
let tls: string
beforeAll(async () => {
  leaf = await (await createAuthority()).issueLeaf({ mustStaple: true })
  tls = `tls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}", ca_file: "${leaf.caFile}" }\n`
})
const backend = 'backend: "tcp://127.0.0.1:8080"\n'

describe('a configuration with a certificate and a backend alone', () => {
  it('has every default', async () => {
    const { settings, notices } = await loadText(backend + tls)
    expect(notices).toEqual([])
    expect(settings).toMatchObject({
      listeners: [{ host: '0.0.0.0', port: 4222 }],
      backend: { urls: ['tcp://127.0.0.1:8080'], isUnverified: false },
      protocol: 'tcp',
      nats: { handshake: 'after-info', advertise: [] },
      acceptProxyProtocol: [],
      workers: 1,
      gateMarginMs: 600_000,
      alpn: [],
      unknownSni: 'default',
      mode: 'auto',
      policies: defaultPolicies('auto'),
      startTimeoutMs: 5_000,
      keeper: { maxIntervalMs: 43_200_000, maxStapleBytes: 16_000 },
      verify: {
        allowedClockSkewMs: 300_000,
        maxAgeWithoutNextUpdateMs: 3_600_000,
        maxValidityMs: 864_000_000,
        delegateWithoutNocheck: 'accept',
        danger: { allowSha1Signatures: false },
      },
      fetch: { privateAddresses: 'allow', proxy: 'environment' },
      timeouts: { handshakeTimeoutMs: 2_000, idleTimeoutMs: 3_600_000, drainTimeoutMs: 30_000 },
      limits: { maxConnections: 65_536 },
      log: { level: 'info', format: 'auto' },
    })
    for (const absent of ['storeDir', 'sendProxyProtocol']) expect(settings).not.toHaveProperty(absent)
    expect(settings.admin).not.toHaveProperty('http')
    expect(settings.limits).not.toHaveProperty('connectionRateLimit')
    expect(settings.sites[0]).not.toHaveProperty('clientAuth')
  })

  it('names every file it is made of', async () => {
    const { settings } = await loadText(`include more.conf\n${tls}`, { files: { 'more.conf': backend } })
    expect(settings.file).toMatch(/\/test\.conf$/)
    expect(settings.files).toEqual([
      settings.file,
      join(settings.workingDirectory, 'more.conf'),
      leaf.caFile,
      leaf.certificateFile,
      leaf.keyFile,
    ])
  })
})

it('every key that is given has its effect', async () => {
  const { settings } = await loadText(`
    listen: ["127.0.0.1:1", "[::1]:2"], alpn: [h2, "http/1.1"], unknown_sni: refuse, ocsp: { mode: Always }
    protocol: nats, advertise: ["a.net:1"], workers: 3, gate_margin: 1h, http: 9, control_socket: "/c.sock"
    accept_proxy_protocol: ["10.0.0.0/8", "::1"], send_proxy_protocol: v1
    max_conn: 10k, idle_timeout: 0s, lame_duck_duration: "2m", start_timeout: 10s
    on_start: exit, on_revoked: withhold, on_unknown: stop, on_stale: refuse
    max_interval: 1h, max_staple: 8kb, http_proxy: none, private_addresses: refuse
    allowed_clockskew: 30s, max_age_without_next_update: 24h, max_validity: 365d, delegate_without_nocheck: refuse
    log { level: warn, format: json }, danger { allow_sha1_signatures: yes }
    ${backend}${tls.replace('}', ', timeout: 1.5, min_version: "1.3", verify: on, first: auto, connection_rate_limit: 7 }')}`)
  expect(settings).toMatchObject({
    listeners: [
      { host: '127.0.0.1', port: 1 },
      { host: '::1', port: 2 },
    ],
    alpn: ['h2', 'http/1.1'],
    unknownSni: 'refuse',
    mode: 'always',
    policies: { onStart: 'exit', onRevoked: 'withhold', onUnknown: 'stop', onStale: 'refuse' },
    startTimeoutMs: 10_000,
    keeper: { maxIntervalMs: 3_600_000, maxStapleBytes: 8_192 },
    verify: {
      allowedClockSkewMs: 30_000,
      maxAgeWithoutNextUpdateMs: 86_400_000,
      maxValidityMs: 31_536_000_000,
      delegateWithoutNocheck: 'refuse',
      danger: { allowSha1Signatures: true },
    },
    fetch: { privateAddresses: 'refuse', proxy: 'none' },
    timeouts: { handshakeTimeoutMs: 1_500, idleTimeoutMs: 0, drainTimeoutMs: 120_000 },
    limits: { maxConnections: 10_000, connectionRateLimit: 7 },
    log: { level: 'warn', format: 'json' },
    sites: [{ minVersion: 'TLSv1.3', mode: 'always', clientAuth: { caPem: expect.stringMatching(/^-----BEGIN/) } }],
    protocol: 'nats',
    nats: { handshake: { waitMs: 50 }, advertise: ['a.net:1'] },
    workers: 3,
    gateMarginMs: 3_600_000,
    admin: { http: { host: '127.0.0.1', port: 9 }, socket: '/c.sock' },
    acceptProxyProtocol: ['10.0.0.0/8', '::1/128'],
    sendProxyProtocol: 'v1',
  })
})

describe('ocsp', () => {
  it.each([
    ['', 'auto'],
    ['ocsp: true\n', 'auto'],
    ['ocsp: yes\n', 'auto'],
    ['ocsp: false\n', 'never'],
    ['ocsp {}\n', 'auto'],
    ['ocsp { mode: auto }\n', 'auto'],
    ['ocsp { mode: must }\n', 'must'],
    ['ocsp { mode: "ALWAYS" }\n', 'always'],
    ['OCSP: { MODE: never }\n', 'never'],
  ] as const)('%s', async (text, mode) => {
    const { settings } = await loadText(text + backend + tls)
    expect(settings.mode).toBe(mode)
    expect(settings.policies).toEqual(defaultPolicies(mode))
    expect(settings.sites[0]).toMatchObject({ mode, policies: defaultPolicies(mode) })
  })

  it('may name one responder or several', async () => {
    const urlsOf = async (text: string) =>
      (await loadText(text + backend + tls)).settings.sites[0]?.certificates[0]?.responderURLs
    expect(await urlsOf('')).toBeUndefined()
    expect(await urlsOf('ocsp { url: "http://a" }\n')).toEqual(['http://a'])
    expect(await urlsOf('ocsp { urls: ["http://a", "http://b"] }\n')).toEqual(['http://a', 'http://b'])
  })

  it.each([
    ['ocsp: must', 'ocsp', 'write `ocsp { mode: must }`'],
    ['ocsp: "true"', 'ocsp', 'write it without quotes'],
    ['ocsp: 5', 'ocsp', 'write true, false or a map'],
    ['ocsp { mode: off }', 'ocsp.mode', 'write never'],
    ['ocsp { mode: allways }', 'ocsp.mode', 'did you mean always?'],
    ['ocsp { url: "http://a", urls: ["http://b"] }', 'ocsp.urls', 'put all URLs into `urls`'],
    ['ocsp { urls: [] }', 'ocsp.urls', 'name at least one, or leave the key out'],
    ['ocsp { urls: ["http://a", b] }', 'ocsp.urls[1]', 'write "http://b"'],
  ])('%s is refused', async (text, path, hint) => {
    expect(await problemsOf(`${text}\n${backend}${tls}`)).toMatchObject([{ path, hint }])
  })
})

describe('where to listen', () => {
  it('may be said by host and port', async () => {
    const listenersOf = async (text: string) => (await loadText(text + backend + tls)).settings.listeners
    expect(await listenersOf('host: "127.0.0.1"\n')).toEqual([{ host: '127.0.0.1', port: 4222 }])
    expect(await listenersOf('port: 8443\n')).toEqual([{ host: '0.0.0.0', port: 8443 }])
    expect(await listenersOf('net: "::1", port: -1\n')).toEqual([{ host: '::1', port: 0 }])
    expect(await listenersOf('listen: 8443\n')).toEqual([{ host: '0.0.0.0', port: 8443 }])
  })

  it('is said by --listen before all', async () => {
    const { settings, notices } = await loadText(`listen: "127.0.0.1:1"\nport: 5\n${backend}${tls}`, {
      listen: '[::1]:8443',
    })
    expect(settings.listeners).toEqual([{ host: '::1', port: 8443 }])
    expect(notices).toEqual([])
  })

  it('is told as an option when --listen is wrong', async () => {
    const error = await failureOf(backend + tls, { listen: 'localhost' })
    expect(error.detail).toMatchObject({
      problems: [{ file: '--listen', path: 'listen', found: 'the text "localhost"' }],
    })
    expect(error.message).toMatch(/^--listen: "localhost" has no port\n {2}found: /)
  })

  it('cannot be one address twice', async () => {
    expect(await problemsOf(`listen: [8443, "0.0.0.0:8443"]\n${backend}${tls}`)).toMatchObject([
      { path: 'listen', line: 1, column: 16, found: '0.0.0.0:8443' },
    ])
    expect((await loadText(`listen: [0, 0]\n${backend}${tls}`)).settings.listeners).toHaveLength(2)
  })

  it('that stands beside host and port wins, with a notice', async () => {
    const { notices } = await loadText(`listen: 1\nport: 2\n${backend}${tls}`)
    expect(notices).toMatchObject([{ line: 2, path: 'port', message: 'port: has no effect here: `listen` counts' }])
  })
})

describe('workers', () => {
  const workersOf = async (written: string) =>
    (await loadText(`workers: ${written}\n${backend}${tls}`)).settings.workers

  it('are as many as are named, or as there are cores', async () => {
    expect(await workersOf('1')).toBe(1)
    expect(await workersOf('64')).toBe(64)
    expect(await workersOf('auto')).toBe(Math.min(64, availableParallelism()))
    expect(await workersOf('"AUTO"')).toBe(Math.min(64, availableParallelism()))
  })

  it.each([
    ['0', 'the least is 1: this process serves by itself'],
    ['65', 'the most is 64'],
    ['"2"', 'write digits without quotes, or auto'],
    ['many', 'write digits without quotes, or auto'],
    ['1.5', 'write digits without quotes, or auto'],
  ])('%s is refused', async (written, hint) => {
    expect(await problemsOf(`workers: ${written}\n${backend}${tls}`)).toMatchObject([
      { path: 'workers', line: 1, column: 10, hint, expected: 'a whole number from 1 to 64, or auto' },
    ])
  })
})

describe('PROXY headers', () => {
  it.each([
    ['v1', 'v1'],
    ['V2', 'v2'],
    ['true', 'v2'],
    ['false', undefined],
  ])('to the backend: %s', async (written, version) => {
    const { settings } = await loadText(`send_proxy_protocol: ${written}\n${backend}${tls}`)
    expect(settings.sendProxyProtocol).toBe(version)
  })

  it.each([
    ['send_proxy_protocol: v3', 'send_proxy_protocol', 'write v1 or v2'],
    ['send_proxy_protocol: 2', 'send_proxy_protocol', 'write v2'],
    ['accept_proxy_protocol: true', 'accept_proxy_protocol', 'name the networks, or leave the key out'],
    ['accept_proxy_protocol: ["10.0.0.0/8", "x y"]', 'accept_proxy_protocol[1]', /^write it as "10/],
    ['accept_proxy_protocol: "10.0.0.1/8"', 'accept_proxy_protocol', /^write 10\.0\.0\.0\/8/],
    ['proxy_protocol: true', 'proxy_protocol', /`accept_proxy_protocol: \["10/],
  ])('%s is refused', async (text, path, hint) => {
    expect(await problemsOf(`${text}\n${backend}${tls}`)).toMatchObject([
      { path, line: 1, hint: typeof hint === 'string' ? hint : expect.stringMatching(hint) },
    ])
  })

  it('from everybody are a notice', async () => {
    const { settings, notices } = await loadText(`accept_proxy_protocol: ["::/0"]\n${backend}${tls}`)
    expect(settings.acceptProxyProtocol).toEqual(['::/0'])
    expect(notices).toMatchObject([{ path: 'accept_proxy_protocol', message: expect.stringMatching(/is everybody/) }])
  })
})

it.each([
  ['unknown_sni: refused', 'unknown_sni', 'did you mean refuse?'],
  ['unknown_sni: reject', 'unknown_sni', 'write default or refuse'],
  ['unknown_sni: false', 'unknown_sni', 'write default or refuse'],
  ['gate_margin: 10', 'gate_margin', 'write "10s" if seconds were meant'],
  ['gate_margin: "31d"', 'gate_margin', 'the most is 30d'],
])('%s is refused', async (text, path, hint) => {
  expect(await problemsOf(`${text}\n${backend}${tls}`)).toMatchObject([{ path, line: 1, hint }])
})

it('connection_rate_limit of 0 is none', async () => {
  const limitsOf = async (more: string) => (await loadText(backend + tls.replace('}', `, ${more} }`))).settings.limits
  expect(await limitsOf('connection_rate_limit: 0')).toEqual({ maxConnections: 65_536 })
  expect(await limitsOf('connection_rate_limit: 9')).toEqual({ maxConnections: 65_536, connectionRateLimit: 9 })
  for (const [written, hint] of [
    ['-1', 'the least is 0'],
    ['"9"', 'write it without quotes'],
    ['often', 'write digits, without quotes'],
  ]) {
    const text = backend + tls.replace('}', `, connection_rate_limit: ${written} }`)
    expect(await problemsOf(text)).toMatchObject([{ path: 'tls.connection_rate_limit', hint }])
  }
})

describe('the backend', () => {
  it('is said by --backend before the file', async () => {
    const { settings } = await loadText(backend + tls, { backend: 'tcp://127.0.0.1:9' })
    const group = { urls: ['tcp://127.0.0.1:9'], isUnverified: false }
    expect(settings.backend).toEqual(group)
    expect(settings.sites[0]?.backend).toEqual(group)
  })

  it('must be somewhere', async () => {
    expect(await problemsOf(tls)).toMatchObject([
      {
        path: 'backend',
        line: 1,
        column: 1,
        summary: expect.stringMatching(/^is missing/),
        hint: expect.stringMatching(/`backend: .*` to the file, or pass --backend tcp:/),
      },
    ])
  })

  it('is told as an option when --backend is wrong', async () => {
    expect(await problemsOf(tls, { backend: '127.0.0.1:9' })).toMatchObject([
      { file: '--backend', hint: 'write "tcp://127.0.0.1:9"' },
    ])
  })
})

describe('the store directory', () => {
  it('may be that of jetstream', async () => {
    const storeDirOf = async (text: string) => {
      const { settings } = await loadText(text + backend + tls)
      return settings.storeDir?.replace(settings.workingDirectory, '')
    }
    expect(await storeDirOf('store_dir: data\n')).toBe('/data')
    expect(await storeDirOf('storedir: data\n')).toBe('/data')
    expect(await storeDirOf('jetstream { store_dir: data }\n')).toBe('/data')
    expect(await storeDirOf('jetstream { STORE: data, max_mem: 1g }\n')).toBe('/data')
    expect(await storeDirOf('jetstream: enabled\n')).toBeUndefined()
    expect(await storeDirOf('jetstream: false\n')).toBeUndefined()
  })

  it('cannot be given in both places, as in nats-server', async () => {
    const problems = await problemsOf(`store_dir: a\njetstream { store_dir: b }\n${backend}${tls}`)
    expect(problems).toMatchObject([{ path: 'jetstream.store_dir', line: 2, column: 24, found: 'a and b' }])
  })

  it('is not made by looking at it', async () => {
    const workingDirectory = temporaryDirectory('store')
    const { settings } = await loadText(`store_dir: "a/b/c"\n${backend}${tls}`, { workingDirectory })
    expect(settings.storeDir).toBe(join(workingDirectory, 'a/b/c'))
    expect(await readdir(workingDirectory)).toEqual(['test.conf'])
  })

  it.each([
    ['a file', 'file', /^is not a directory/, 'file'],
    ['below a file', 'file/below', /^cannot be used: a part of its path is not a directory/, 'file/below'],
    ['a circle of links', 'circle', /^cannot be used: its symbolic links/, 'circle'],
    ['a directory whose ocsp is a file', 'taken', /^is not a directory/, 'taken/ocsp'],
  ])('cannot be %s', async (_, name, summary, found) => {
    const workingDirectory = temporaryDirectory('store')
    await writeFile(join(workingDirectory, 'file'), '')
    await symlink('circle', join(workingDirectory, 'circle'))
    await mkdir(join(workingDirectory, 'taken'))
    await writeFile(join(workingDirectory, 'taken/ocsp'), '')
    const problems = await problemsOf(`store_dir: "${name}"\n${backend}${tls}`, { workingDirectory })
    expect(problems).toMatchObject([
      {
        path: 'store_dir',
        line: 1,
        column: 12,
        summary: expect.stringMatching(summary),
        found: join(workingDirectory, found),
      },
    ])
  })

  it('must be one that can be written', async () => {
    const workingDirectory = temporaryDirectory('store')
    await mkdir(join(workingDirectory, 'locked'), { mode: 0o500 })
    const outcome = await loadText(`store_dir: "locked/x"\n${backend}${tls}`, { workingDirectory }).catch(
      (error: unknown) => error,
    )
    const problem = {
      path: 'store_dir',
      summary: 'cannot be made: permission denied',
      found: join(workingDirectory, 'locked'),
    }
    // Root writes everywhere.
    if (process.getuid?.() === 0) expect(outcome).toHaveProperty('settings')
    else expect(outcome).toMatchObject({ detail: { problems: [problem] } })
  })
})

it('tells every problem at once, in the order of the file, ready to print', async () => {
  const error = await failureOf(
    `listen: "nowhere"
bakend: "tcp://127.0.0.1:1"
ocsp { mode: mast, url: "ocsp.example.net" }
max_interval: 5k
on_stale: $undefined
tls {
  cert_file: "nope.pem", verify: "true"
  timeout: "soon"
}
`,
    { backend: 'tcp://127.0.0.1:1' },
  )
  const { problems } = error.detail
  expect(problems.map(({ line, column, path }) => [line, column, path])).toEqual([
    [1, 9, 'listen'],
    [2, 1, 'bakend'],
    [3, 14, 'ocsp.mode'],
    [3, 25, 'ocsp.url'],
    [4, 15, 'max_interval'],
    [5, 11, '$undefined'],
    [6, 5, 'tls.key_file'],
    [7, 14, 'tls.cert_file'],
    [7, 34, 'tls.verify'],
    [8, 12, 'tls.timeout'],
  ])
  const file = problems[0]?.file
  expect(error.message.split('\n').slice(0, 4)).toEqual([
    `${file}:1:9: listen: "nowhere" has no port`,
    '  found: the text "nowhere"',
    '  expected: host:port, or a port',
    '  hint: write "nowhere:4222", with the port you mean',
  ])
  for (const problem of problems) {
    for (const words of [problem.summary, problem.found, problem.expected, problem.hint])
      expect(words).not.toMatch(/^\s*$|undefined,|\n|\.$/)
  }
})

it('tells nothing about missing keys when an included file is missing', async () => {
  expect(await problemsOf('include nowhere.conf\n')).toMatchObject([{ path: 'include' }])
})

it('tells a problem of a value from a variable at the place that uses it', async () => {
  const problems = await problemsOf(`mode: mast\nocsp {\n  mode: $mode\n}\n${backend}${tls}`)
  expect(problems).toMatchObject([{ line: 3, column: 9, path: 'ocsp.mode', found: 'the text "mast" (from $mode)' }])
})

it('takes a bare duration from a variable', async () => {
  const { settings } = await loadText(`idle_timeout: $IDLE\n${backend}${tls}`, { environment: { IDLE: '5m' } })
  expect(settings.timeouts.idleTimeoutMs).toBe(300_000)
})

it('checks without throwing', async () => {
  const workingDirectory = temporaryDirectory('check')
  await writeFile(join(workingDirectory, 'x.conf'), `cluster {}\nport: x\n${tls}`)
  const options = { environment: {}, workingDirectory }
  const { problems, notices } = await checkConfig('x.conf', options)
  expect(problems.map((problem) => problem.path)).toEqual(['backend', 'port'])
  expect(notices.map((notice) => notice.path)).toEqual(['cluster'])
  await expect(loadConfig('nowhere.conf', options)).rejects.toMatchObject({ code: 'ERR_CONFIG_READ' })
})

const newerKeys = `
backend { urls: ["tls://10.0.0.1:443", "tls://[::1]:443"], ca_file: "ca.pem", server_name: "b.net" }
protocol: nats, advertise: ["a.net:4222"], workers: auto, gate_margin: 10m, http: 8222, control_socket: "/c.sock"
accept_proxy_protocol: ["10.0.0.0/8", "2001:db8::/32"], send_proxy_protocol: v2, danger { unverified_backends: true }
tls { cert_file: a.pem, key_file: k.pem, key_passphrase_file: p.txt, verify: true, ca_file: ca.pem,
  pinned_certs: ["7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069"],
  handshake_first: auto, connection_rate_limit: 500 }
`

it('whatever is done to a configuration, it loads or is told what is wrong with it', async () => {
  const example =
    (await readFile(new URL('../../../docs/reference/staplewright.conf', import.meta.url), 'utf8')) + newerKeys
  const workingDirectory = temporaryDirectory('slips')
  const edit = fc.tuple(
    fc.nat(),
    fc.nat(12),
    fc.constantFrom('', '5', 'x', '"', '{', '}', '[', ']', ': ', ' ', '\n', '$x ', '# ', 'true', '-', 'é'),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
      const text = edits.reduce((written, [where, length, put]) => {
        const at = where % (written.length + 1)
        return written.slice(0, at) + put + written.slice(at + length)
      }, example)
      await writeFile(join(workingDirectory, 'x.conf'), text)
      const { problems } = await checkConfig('x.conf', { environment: {}, workingDirectory })
      for (const { file, line, column, summary, found, expected, hint } of problems) {
        expect(file).toBe(join(workingDirectory, 'x.conf'))
        expect([line, column].every((each) => each >= 1)).toBe(true)
        expect([summary, found, expected, hint].every((words) => words.length > 0 && !words.includes('\n'))).toBe(true)
      }
    }),
    { numRuns: 300 },
  )
})

describe("the examples of nats-server's page on stapling", () => {
  const page = [
    ['ocsp: false', 'never', undefined],
    ['ocsp {\n  mode: must\n  url: "http://ocsp.example.net"\n}', 'must', ['http://ocsp.example.net']],
    ['ocsp {\n  mode: always\n  url: "http://ocsp.example.net"\n}', 'always', ['http://ocsp.example.net']],
  ] as const

  it.each(page)('%s', async (text, mode, urls) => {
    const { settings, notices } = await loadText(`${text}\n${tls}`, {
      listen: '127.0.0.1:0',
      backend: 'tcp://127.0.0.1:1',
    })
    expect(notices).toEqual([])
    expect(settings.mode).toBe(mode)
    expect(settings.protocol).toBe('tcp')
    expect(settings.sites[0]?.certificates[0]?.responderURLs).toEqual(urls)
    const options = { listen: '127.0.0.1:0', backend: 'nats://127.0.0.1:4222' }
    expect((await loadText(`${text}\n${tls}`, options)).settings).toMatchObject({
      protocol: 'nats',
      nats: { handshake: 'after-info' },
      backend: { urls: ['tcp://127.0.0.1:4222'] },
    })
  })

  it('loads the one with a store directory as it stands, from its paths', async () => {
    const workingDirectory = temporaryDirectory('seed')
    const folder = join(workingDirectory, 'configs/certs/ocsp')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'server-status-request-url.pem'), await readFile(leaf.certificateFile))
    await writeFile(join(folder, 'server-status-request-url-key.pem'), await readFile(leaf.keyFile))
    await writeFile(join(folder, 'ca-cert.pem'), await readFile(leaf.caFile))
    const text = `ocsp: true

store_dir: "/path/to/store/dir"

tls {
    cert_file: "configs/certs/ocsp/server-status-request-url.pem"
    key_file: "configs/certs/ocsp/server-status-request-url-key.pem"
    ca_file: "configs/certs/ocsp/ca-cert.pem"
    timeout: 5
}
`
    const { settings } = await loadText(text.replace('/path/to/store/dir', join(workingDirectory, 'store')), {
      workingDirectory,
      listen: '127.0.0.1:0',
      backend: 'tcp://127.0.0.1:1',
    })
    expect(settings).toMatchObject({
      mode: 'auto',
      storeDir: join(workingDirectory, 'store'),
      timeouts: { handshakeTimeoutMs: 5_000 },
    })
    expect(settings.sites[0]?.certificates[0]).toMatchObject({
      certFile: join(folder, 'server-status-request-url.pem'),
      label: 'configs/certs/ocsp/server-status-request-url.pem',
    })
  })

  it('is told which brace is missing when its closing braces are lost', async () => {
    const problems = await problemsOf('ocsp {\n  mode: must\n  url: "http://ocsp.example.net"\n')
    expect(problems).toMatchObject([{ summary: 'the file ends inside the map or list that begins in line 1' }])
  })
})

it('a file that may not be read is told as such', async () => {
  const workingDirectory = temporaryDirectory('unreadable')
  await writeFile(join(workingDirectory, 'x.conf'), tls)
  await chmod(join(workingDirectory, 'x.conf'), 0)
  const outcome = await loadConfig('x.conf', { environment: {}, workingDirectory, backend: 'tcp://127.0.0.1:1' }).catch(
    (error: unknown) => error,
  )
  // Root reads everything.
  if (process.getuid?.() === 0) expect(outcome).toHaveProperty('settings')
  else expect(outcome).toMatchObject({ code: 'ERR_CONFIG_READ', detail: { reason: 'permission denied' } })
})
