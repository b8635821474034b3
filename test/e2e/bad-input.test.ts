/** What a person gets for each thing that can be wrong with a configuration: place, found, expected, hint, exit code; nothing started. */
import { existsSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Authority, createAuthority, type Leaf } from '../kit/authority.ts'
import { programFile } from '../kit/daemon.ts'
import { freePort } from '../kit/free-port.ts'
import { runProgram } from '../kit/program.ts'
import { temporaryDirectory } from '../kit/temporary.ts'

let authority: Authority
let leaf: Leaf
let locked: Leaf
let passphraseFile: string
let directory: string

beforeAll(async () => {
  authority = await createAuthority()
  leaf = await authority.issueLeaf({ mustStaple: true, responderURL: 'http://127.0.0.1:1/' })
  locked = await authority.issueLeaf({ passphrase: 'open sesame' })
  directory = temporaryDirectory('bad-input')
  passphraseFile = await unusual('passphrase.txt', 'open barley\n')
})

interface Parts {
  readonly listen?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly caFile?: string
  readonly more?: string
}

/** A good configuration but for the parts given. Line 1 listens, line 3 is `tls {`. */
function config({ listen = '127.0.0.1:0', certFile, keyFile, caFile, more = '' }: Parts): string {
  return `listen: "${listen}"
backend: "tcp://127.0.0.1:9"
tls {
  cert_file: "${certFile ?? leaf.certificateFile}"
  key_file: "${keyFile ?? leaf.keyFile}"
  ca_file: "${caFile ?? leaf.caFile}"
}
${more}
store_dir: "${join(directory, 'never-made')}"
`
}

async function serve(text: string, args: readonly string[] = []) {
  const file = join(directory, `staplewright-${Math.random()}.conf`)
  await writeFile(file, text)
  const { code, stderr, stdout } = await runProgram(process.execPath, [programFile, 'serve', '-c', file, ...args])
  return { code, stderr: stderr.replaceAll(file, 'FILE'), stdout }
}

async function unusual(name: string, content: string, mode = 0o600): Promise<string> {
  const file = join(directory, name)
  await writeFile(file, content)
  await chmod(file, mode)
  return file
}

describe('each of these ends with exit code 2, its place, what was found and expected, and a hint', () => {
  const cases: readonly (readonly [what: string, text: () => Promise<string> | string, said: readonly RegExp[]])[] = [
    [
      'a missing certificate file',
      () => config({ certFile: '/nowhere/server.pem' }),
      [/FILE:4:14: tls\.cert_file: .*no such file/, /found: \/nowhere\/server\.pem/, /hint: /],
    ],
    [
      'a missing key file',
      () => config({ keyFile: '/nowhere/key.pem' }),
      [/FILE:5:13: tls\.key_file: .*no such file/, /found: \/nowhere\/key\.pem/, /hint: /],
    ],
    [
      'a missing CA file',
      () => config({ caFile: '/nowhere/ca.pem' }),
      [/FILE:6:12: tls\.ca_file: .*no such file/, /found: \/nowhere\/ca\.pem/, /hint: /],
    ],
    [
      'a file that is no PEM',
      async () => config({ certFile: await unusual('text.pem', 'hello\n') }),
      [/FILE:4:14: tls\.cert_file: /, /hint: /],
    ],
    [
      'a directory for a file',
      () => config({ certFile: directory }),
      [/FILE:4:14: tls\.cert_file: .*directory/, /hint: /],
    ],
    [
      'a key that does not match its certificate',
      async () => config({ keyFile: (await authority.issueLeaf()).keyFile }),
      [/FILE:5:13: tls\.key_file: .*certificate/, /expected: the EC key of CN=localhost/, /hint: /],
    ],
    [
      'a chain without its issuer',
      async () => {
        const other = await createAuthority({ name: 'Other' })
        return config({ certFile: leaf.leafOnlyFile, caFile: other.caFile })
      },
      [
        /FILE:4:14: tls\.cert_file: .*issuer/i,
        /expected: the certificate of CN=Staplewright Test Intermediate/,
        /hint: .*ca_file/,
      ],
    ],
    [
      'an expired certificate',
      async () => {
        const expired = await authority.issueLeaf({
          notBefore: new Date('2020-01-01'),
          notAfter: new Date('2020-02-01'),
        })
        return config({ certFile: expired.certificateFile, keyFile: expired.keyFile })
      },
      [/FILE:4:14: tls\.cert_file: the certificate has expired/, /found: notAfter 2020-02-01/, /hint: .*renew/i],
    ],
    [
      'a bad mode',
      () => config({ more: 'ocsp { mode: sometimes }' }),
      [/FILE:8:14: ocsp\.mode: /, /found: .*"sometimes"/, /expected: auto, must, always or never/],
    ],
    [
      'a bad duration',
      () => config({ more: 'start_timeout: "soon"' }),
      [/FILE:8:16: start_timeout: /, /found: .*"soon"/, /hint: /],
    ],
    ['an unknown key', () => config({ more: 'ocspp: true' }), [/FILE:8:1: ocspp: /, /hint: did you mean ocsp\?/]],
    ['an address that is none', () => config({ listen: 'here' }), [/FILE:1:9: listen: /, /found: .*"here"/]],
    ['a syntax error', () => config({ more: 'ocsp {' }), [/FILE:\d+:\d+: /, /hint: /]],
    [
      'a key that would open the service',
      () => config({ more: 'tls { verify_and_map: true }' }),
      [/verify_and_map/, /hint: .*danger/],
    ],
  ]

  test.each(cases)('%s', async (_what, text, said) => {
    const { code, stderr, stdout } = await serve(await text())
    for (const pattern of said) expect(stderr).toMatch(pattern)
    expect(stderr).toMatch(/^error: /)
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  const tlsText = (more: string, { certificateFile, keyFile }: Leaf = leaf) => `listen: "127.0.0.1:0"
backend: "tcp://127.0.0.1:9"
tls {
  cert_file: "${certificateFile}"
  key_file: "${keyFile}"
  ${more}
}
`
  const backendText = (backend: string, more = '') => config({ more }).replace(/^backend: .*$/m, backend)

  const keys: readonly (readonly [written: string, text: () => string, said: readonly RegExp[]])[] = [
    [
      'backend: http://',
      () => backendText('backend: "http://a:1"'),
      [
        /FILE:2:10: backend: the scheme http is not known/,
        /found: .*"http:\/\/a:1"/,
        /expected: tcp:\/\/host:port, tls:/,
      ],
    ],
    [
      'backend: [tcp, tls]',
      () => backendText('backend: ["tcp://a:1", "tls://b:1"]'),
      [/FILE:2:24: backend: some of these backends are over TLS/, /found: tls:\/\/b:1 beside tcp:\/\/a:1/],
    ],
    [
      'backend { ca_file }',
      () => backendText('backend { url: "tls://a:1", ca_file: "/nowhere/ca.pem" }'),
      [/FILE:2:38: backend\.ca_file: .*no such file/, /found: \/nowhere\/ca\.pem/],
    ],
    [
      'backend { server_name }',
      () => backendText('backend { url: "tls://a:1", server_name: "*.b" }'),
      [/FILE:2:42: backend\.server_name: .*not a DNS name/, /found: .*"\*\.b"/],
    ],
    [
      'danger { unverified_backends }',
      () => config({ more: 'danger { unverified_backends: "yes" }' }),
      [/FILE:8:31: danger\.unverified_backends: /, /expected: true or false/],
    ],
    [
      'protocol',
      () => config({ more: 'protocol: natz' }),
      [/FILE:8:11: protocol: /, /found: the text "natz"/, /expected: tcp or nats/, /did you mean nats\?/],
    ],
    [
      'protocol: tcp beside nats://',
      () => backendText('backend: "nats://a:1"', 'protocol: tcp'),
      [/FILE:8:11: protocol: a nats:\/\/ backend/, /found: protocol: tcp/, /expected: protocol: nats/],
    ],
    [
      'advertise',
      () => backendText('backend: "nats://a:1"', 'advertise: ["nats.example.net"]'),
      [/FILE:8:13: advertise\[0\]: .*has no port/, /expected: host:port/],
    ],
    [
      'advertise without NATS',
      () => config({ more: 'advertise: ["a:1"]' }),
      [/FILE:8:12: advertise: is for NATS/, /expected: `protocol: nats`/],
    ],
    [
      'handshake_first',
      () => tlsText('handshake_first: soon'),
      [/FILE:6:20: tls\.handshake_first: /, /found: the text "soon"/, /expected: true, false, auto, or a duration/],
    ],
    [
      'accept_proxy_protocol',
      () => config({ more: 'accept_proxy_protocol: ["10.0.0.1/8"]' }),
      [/FILE:8:25: accept_proxy_protocol\[0\]: /, /found: .*"10\.0\.0\.1\/8"/, /hint: write 10\.0\.0\.0\/8/],
    ],
    [
      'proxy_protocol',
      () => config({ more: 'proxy_protocol: true' }),
      [/FILE:8:1: proxy_protocol: /, /found: the boolean true/, /hint: .*accept_proxy_protocol/],
    ],
    [
      'send_proxy_protocol',
      () => config({ more: 'send_proxy_protocol: v3' }),
      [/FILE:8:22: send_proxy_protocol: /, /found: the text "v3"/, /expected: v1, v2, true or false/],
    ],
    [
      'workers',
      () => config({ more: 'workers: 65' }),
      [/FILE:8:10: workers: too large/, /found: the number 65/, /expected: a whole number from 1 to 64, or auto/],
    ],
    [
      'key_passphrase_file',
      () => tlsText('key_passphrase_file: "/nowhere/passphrase"', locked),
      [/FILE:6:24: tls\.key_passphrase_file: .*no such file/, /found: \/nowhere\/passphrase/],
    ],
    [
      'an encrypted key alone',
      () => tlsText('', locked),
      [/FILE:5:13: tls\.key_file: the private key is encrypted/, /hint: .*key_passphrase_file/],
    ],
    [
      'a wrong passphrase',
      () => tlsText(`key_passphrase_file: "${passphraseFile}"`, locked),
      [/FILE:6:24: tls\.key_passphrase_file: the passphrase does not open/, /expected: the passphrase of .*key/],
    ],
    [
      'cert_dir',
      () => tlsText('').replace(/ {2}cert_file[^]*?key_file.*$/m, '  cert_dir: "/nowhere/certs"'),
      [/FILE:4:13: tls\.cert_dir: .*no such file/, /found: \/nowhere\/certs/, /expected: a directory with NAME\.pem/],
    ],
    [
      'verify without ca_file',
      () => tlsText('verify: true'),
      [/FILE:6:11: tls\.verify: /, /found: verify without ca_file/, /hint: add `ca_file/],
    ],
    ['verify', () => tlsText('verify: maybe'), [/FILE:6:11: tls\.verify: /, /expected: true or false/]],
    [
      'pinned_certs',
      () => tlsText(`verify: true, ca_file: "${leaf.caFile}"\n  pinned_certs: ["abc"]`),
      [/FILE:7:18: tls\.pinned_certs\[0\]: /, /found: the text "abc"/, /expected: 64 hex digits/],
    ],
    [
      'pinned_certs without verify',
      () => tlsText(`pinned_certs: ["${'0'.repeat(64)}"]`),
      [/FILE:6:17: tls\.pinned_certs: /, /expected: `verify: true`/],
    ],
    [
      'connection_rate_limit',
      () => tlsText('connection_rate_limit: -1'),
      [/FILE:6:26: tls\.connection_rate_limit: too small/, /found: the number -1/],
    ],
    [
      'min_version',
      () => tlsText('min_version: "1.1"'),
      [/FILE:6:16: tls\.min_version: /, /expected: "1\.2" or "1\.3"/],
    ],
    [
      'cipher_suites',
      () => tlsText('cipher_suites: [RC4]'),
      [/FILE:6:19: tls\.cipher_suites\[0\]: /, /expected: a cipher suite, by Go's name/],
    ],
    [
      'curve_preferences',
      () => tlsText('curve_preferences: [P265]'),
      [/FILE:6:23: tls\.curve_preferences\[0\]: /, /expected: a curve, by Go's name/],
    ],
    [
      'unknown_sni',
      () => config({ more: 'unknown_sni: refused' }),
      [/FILE:8:14: unknown_sni: /, /expected: default or refuse/, /did you mean refuse\?/],
    ],
    [
      'http',
      () => config({ more: 'http: "localhost"' }),
      [/FILE:8:7: http: .*has no port/, /expected: host:port, or a port/],
    ],
    [
      'http_port',
      () => config({ more: 'http_port: 70000' }),
      [/FILE:8:12: http_port: /, /expected: a port: 1 to 65535/],
    ],
    [
      'control_socket',
      () => config({ more: `control_socket: "/tmp/${'x'.repeat(103)}"` }),
      [/FILE:8:17: control_socket: is too long/, /found: .*: 108 bytes/, /expected: .*at most 107 bytes/],
    ],
    ['gate_margin', () => config({ more: 'gate_margin: 10' }), [/FILE:8:14: gate_margin: /, /hint: write "10s"/]],
  ]

  test.each(keys)('the key %s', async (_written, text, said) => {
    const { code, stderr, stdout } = await serve(text())
    for (const pattern of [...said, /^ {2}found: ./m, /^ {2}expected: ./m, /^ {2}hint: ./m])
      expect(stderr).toMatch(pattern)
    expect(stderr.match(/^error: FILE:/gm)).toHaveLength(1)
    expect(stderr).not.toMatch(/^\s+at |sesame|barley/m)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  test.each([
    ['127.0.0.1:9', /--backend: a URL without a scheme/],
    ['tcp://127.0.0.1:9,tls://127.0.0.1:8', /--backend: some of these backends are over TLS/],
  ])('--backend %s', async (backend, said) => {
    const { code, stderr } = await serve(config({}), ['--backend', backend])
    expect(stderr).toMatch(said)
    expect(stderr).toMatch(/^ {2}hint: ./m)
    expect(code).toBe(2)
  })

  test('a file that may not be read, by one who is not root', async () => {
    const file = await unusual('secret.pem', 'x', 0o000)
    const text = config({ keyFile: file })
    const conf = join(directory, 'unprivileged.conf')
    await writeFile(conf, text)
    await chmod(conf, 0o644)
    await chmod(directory, 0o755)
    const { code, stderr } = await runProgram('setpriv', [
      ...['--reuid=65534', '--regid=65534', '--clear-groups'],
      ...[process.execPath, programFile, 'serve', '-c', conf],
    ])
    expect(stderr).toMatch(/unprivileged\.conf:5:13: tls\.key_file: .*permission denied[^]*found: .*secret\.pem/)
    expect(code).toBe(2)
  })
})

describe('several problems', () => {
  test('are all said at once, in their order, and nothing is written', async () => {
    const { code, stderr } = await serve(
      config({
        certFile: '/nowhere/a.pem',
        keyFile: '/nowhere/b.pem',
        more: 'ocsp { mode: sometimes }\nidle_timeout: "x"',
      }),
    )
    const places = [...stderr.matchAll(/^error: FILE:(\d+):/gm)].map((match) => Number(match[1]))
    expect(places).toEqual([4, 5, 8, 9])
    expect(stderr).toContain('4 problems; nothing was started')
    expect(code).toBe(2)
    expect(existsSync(join(directory, 'never-made'))).toBe(false)
  })
})

describe('a port in use', () => {
  test('is exit code 1, and says which', async () => {
    const port = await freePort()
    const holder = createServer().listen(port, '127.0.0.1')
    try {
      const { code, stderr } = await serve(config({ listen: `127.0.0.1:${port}` }))
      expect(stderr).toMatch(
        new RegExp(`^error: cannot listen on 127\\.0\\.0\\.1:${port}: another program listens there\\n {2}hint: `),
      )
      expect(code).toBe(1)
      expect(existsSync(join(directory, 'never-made'))).toBe(false)
    } finally {
      holder.close()
    }
  })
})

describe('the command line', () => {
  test.each([
    [['serve'], /--config/],
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['serve', '-c', '/nowhere/staplewright.conf'], /\/nowhere\/staplewright\.conf cannot be read: no such file/],
    [['demo', '--port', '99999'], /99999.*0 to 65535/],
  ])('%j is exit code 2', async (words, said) => {
    const { code, stderr } = await runProgram(process.execPath, [programFile, ...words])
    expect(stderr).toMatch(said)
    expect(code).toBe(2)
  })
})
