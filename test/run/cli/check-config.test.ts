/** `staplewright check -c`: what a configuration's own listeners show, seen from outside. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { planConfig, rootsOf } from '../../../src/run/cli/check/config-targets.ts'
import { loadConfig } from '../../../src/run/config/index.ts'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { startBadStapler } from '../../kit/bad-stapler.ts'
import { freePort } from '../../kit/free-port.ts'
import { runCommand } from '../../kit/io.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

let authority: Authority
let leaf: Leaf
let other: Leaf
beforeAll(async () => {
  authority = await createAuthority()
  leaf = await authority.issueLeaf({ mustStaple: true })
  other = await authority.issueLeaf({ name: 'www.example.net', san: ['*.example.net'] })
})

async function write(lines: string): Promise<string> {
  const file = join(temporaryDirectory('check'), 'staplewright.conf')
  await writeFile(file, `backend: "tcp://127.0.0.1:1"\n${lines}\n`)
  return file
}

const tls = (of: Leaf, keyFile = of.keyFile) =>
  `tls { cert_file: "${of.certificateFile}", key_file: "${keyFile}", ca_file: "${of.caFile}" }`

async function load(lines: string) {
  const options = { environment: {}, workingDirectory: '/', purpose: 'look' } as const
  return (await loadConfig(await write(lines), options)).settings
}

const plan = async (lines: string) => planConfig(await load(lines))

describe('the targets', () => {
  test('are each site at each listener, under its first name', async () => {
    const sites = `sites: [ { names: ["www.example.net"], ${tls(other)} } ]`
    const planned = await plan(`listen: ["127.0.0.1:8443", "[::1]:9443"]\n${tls(leaf)}\n${sites}`)
    expect(planned.map(({ target: { label, host, port, serverName } }) => [label, host, port, serverName])).toEqual([
      ['localhost on 127.0.0.1:8443', '127.0.0.1', 8443, 'localhost'],
      ['www.example.net on 127.0.0.1:8443', '127.0.0.1', 8443, 'www.example.net'],
      ['localhost on [::1]:9443', '::1', 9443, 'localhost'],
      ['www.example.net on [::1]:9443', '::1', 9443, 'www.example.net'],
    ])
  })

  test('ask for a name under a wildcard', async () => {
    const [first] = await plan(`listen: "127.0.0.1:8443"\n${tls(other)}`)
    expect(first?.target).toMatchObject({ serverName: 'staplewright-check.example.net' })
    expect(first?.target.label).toBe('*.example.net on 127.0.0.1:8443')
  })

  test.each([
    ['0.0.0.0:8443', '127.0.0.1'],
    ['[::]:8443', '::1'],
  ])('of %s are asked at %s, and say so', async (listen, host) => {
    const [first] = await plan(`listen: "${listen}"\n${tls(leaf)}`)
    expect(first?.target).toMatchObject({ host, label: `localhost on ${listen} (asked at ${host})` })
  })

  test('of NATS begin with its INFO, unless the handshake comes first', async () => {
    const nats = 'listen: "127.0.0.1:4222"\nprotocol: nats'
    expect((await plan(`${nats}\n${tls(leaf)}`))[0]?.target.starttls).toBe('nats')
    const first = tls(leaf).replace('}', ', handshake_first: true }')
    expect((await plan(`${nats}\n${first}`))[0]?.target).not.toHaveProperty('starttls')
    expect((await plan(`listen: "127.0.0.1:4222"\n${tls(leaf)}`))[0]?.target).not.toHaveProperty('starttls')
  })

  test.each([
    ['the system chooses the port', 'listen: "127.0.0.1:0"', /the system chooses its port/],
    [
      'this machine would have to send a PROXY header',
      'listen: "0.0.0.0:8443"\naccept_proxy_protocol: ["10.0.0.0/8", "127.0.0.0/8"]',
      /127\.0\.0\.1 is in accept_proxy_protocol/,
    ],
  ])('that cannot be looked at stay in the list, with the reason: %s', async (_, lines, title) => {
    const [first] = await plan(`${lines}\n${tls(leaf)}`)
    expect(first?.obstacle?.title).toMatch(title)
  })

  test('behind a load balancer elsewhere are looked at', async () => {
    const [first] = await plan(`listen: "127.0.0.1:8443"\naccept_proxy_protocol: ["10.0.0.0/8"]\n${tls(leaf)}`)
    expect(first).not.toHaveProperty('obstacle')
  })
})

test('of the CAs that it names, the roots are trusted, and no intermediate that a server may have to send', async () => {
  const roots = rootsOf(await load(`listen: "127.0.0.1:8443"\n${tls(leaf)}`))
  expect(roots).toHaveLength(1)
  const der = Buffer.from(roots[0]?.replace(/-----[^-]+-----|\n/g, '') ?? '', 'base64')
  expect(der.equals(authority.root.certificate.der)).toBe(true)
})

test('neither keys nor the store need be open to who checks, and an expired certificate is looked at', async () => {
  const expired = await authority.issueLeaf({
    notBefore: new Date(Date.now() - 2 * 86_400_000),
    notAfter: new Date(Date.now() - 86_400_000),
  })
  const lines = `listen: "127.0.0.1:8443"\nstore_dir: "/proc/nowhere"\n${tls(expired, '/nonexistent/key.pem')}`
  expect(await plan(lines)).toHaveLength(1)
  const options = { environment: {}, workingDirectory: '/' }
  await expect(loadConfig(await write(lines), options)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
})

test('a front is checked by its configuration alone, its CA being trusted', async () => {
  const key = await readFile(leaf.keyFile, 'utf8')
  const { port } = await startBadStapler({ cert: leaf.chainPem, key })
  const file = await write(`listen: "127.0.0.1:${port}"\n${tls(leaf)}`)
  const { code, stdout, stderr } = await runCommand(['check', '--no-phone-home', '--json', '-c', file])
  expect(stderr).toBe('')
  const [target] = JSON.parse(stdout).targets
  expect(target).toMatchObject({ target: `localhost on 127.0.0.1:${port}`, verdict: 'critical' })
  expect(target.certificates[0].isTrusted).toBe(true)
  expect(code).toBe(2)
})

test('a front that does not answer is looked for as what it is', async () => {
  const file = await write(`listen: "127.0.0.1:${await freePort()}"\n${tls(leaf)}`)
  const { code, stdout } = await runCommand(['check', '--no-phone-home', '-v', '-c', file])
  expect(code).toBe(3)
  expect(stdout).toContain('`staplewright status -c FILE`')
  expect(stdout).not.toMatch(/Apache|nats-server/)
})

test('a front that staples nothing is told how it would, not how nginx does', async () => {
  const { chainPem, keyFile } = leaf
  const unstapled = await startBadStapler({ cert: chainPem, key: await readFile(keyFile, 'utf8') })
  const plain = await authority.issueLeaf({ responderURL: 'http://127.0.0.1:1/' })
  const { port } = await startBadStapler({ cert: plain.chainPem, key: await readFile(plain.keyFile, 'utf8') })
  for (const [of, at, remedy] of [
    [plain, port, 'ocsp { mode: always }'],
    [leaf, unstapled.port, '`staplewright status -c FILE`'],
  ] as const) {
    const file = await write(`listen: "127.0.0.1:${at}"\n${tls(of)}`)
    const { stdout } = await runCommand(['check', '--no-phone-home', '-v', '-c', file])
    expect(stdout.replace(/\s+/g, ' ')).toContain(remedy)
    expect(stdout).not.toMatch(/nginx|Apache|HAProxy/)
  }
})

test('what cannot be looked at is unknown, and says what to do', async () => {
  const file = await write(`listen: "127.0.0.1:0"\n${tls(leaf)}`)
  const { code, stdout } = await runCommand(['check', '-c', file])
  expect(code).toBe(3)
  expect(stdout).toMatch(/^unknown: localhost on 127\.0\.0\.1:0: cannot be looked at/)
  expect(stdout).toContain('staplewright status')
})

test('a configuration with problems is said as serve says it, with the exit code of a monitoring plugin', async () => {
  const { code, stdout, stderr } = await runCommand(['check', '-c', await write('listen: "127.0.0.1:x"\nmodee: 1')])
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' })
  expect(stderr).toMatch(/^error: .*staplewright\.conf:2:\d+: listen: /m)
  expect(stderr).toMatch(/; nothing was connected to\n$/)
  expect(stderr).toMatch(/modee/)
})
