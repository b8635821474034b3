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
let directory: string

beforeAll(async () => {
  authority = await createAuthority()
  leaf = await authority.issueLeaf({ mustStaple: true, responderURL: 'http://127.0.0.1:1/' })
  directory = temporaryDirectory('bad-input')
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

async function serve(text: string) {
  const file = join(directory, `staplewright-${Math.random()}.conf`)
  await writeFile(file, text)
  const { code, stderr, stdout } = await runProgram(process.execPath, [programFile, 'serve', '-c', file])
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
