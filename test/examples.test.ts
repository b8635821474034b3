/**
 * The examples of README.md and docs/guide, run as they stand: only names of places are replaced (ports, the responder).
 *
 * A fenced block is an example when a comment `<!-- runs: NAME -->` stands above it; every NAME must have a test here.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, it } from 'vitest'
import { encodeOcspRequest } from '../src/pki/ocsp/encode-request.ts'
import { type Authority, createAuthority, type Leaf } from './kit/authority.ts'
import { startBackend } from './kit/backend.ts'
import { connectWithNode, openWithNode } from './kit/clients/node.ts'
import { issueCrl } from './kit/crl.ts'
import { startDaemon } from './kit/daemon.ts'
import { freePort } from './kit/free-port.ts'
import { startOpensslResponder } from './kit/openssl-responder.ts'
import { type Program, runProgram, startProgram } from './kit/program.ts'
import { temporaryDirectory } from './kit/temporary.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const examples = readExamples()

let authority: Authority
let leaf: Leaf
let responderURL: string
/** Where the examples run: with the files that they name. */
let directory: string

beforeAll(async () => {
  const built = await runProgram(process.execPath, ['tools/build.mjs'], { cwd: root })
  expect(built.code, built.output).toBe(0)
  authority = await createAuthority()
  responderURL = await startOpensslResponder(authority)
  leaf = await authority.issueLeaf({ responderURL })
  directory = temporaryDirectory('examples')
  await copyFile(leaf.certificateFile, join(directory, 'server.pem'))
  await copyFile(leaf.keyFile, join(directory, 'server-key.pem'))
  await copyFile(leaf.caFile, join(directory, 'ca.pem'))
  const request = encodeOcspRequest({ certificate: leaf.certificate, issuer: leaf.issuer, hashAlgorithm: 'sha1' })
  await writeFile(join(directory, 'response.der'), await authority.ocspRespond({ request }))
})

it('every example has a test of its name', () => {
  expect([...examples.keys()].sort()).toEqual([
    'crl',
    'guarded',
    'keeper',
    'library',
    'mtls',
    'node-server',
    'ocsp',
    'ocsp-peer',
    'serve',
    'sites',
    'verifying-client',
  ])
})

it('README: the configuration of the front serves a staple from the first handshake on', async () => {
  const backend = await startBackend()
  const config = replace(example('serve'), {
    '127.0.0.1:8443': '127.0.0.1:0',
    'tcp://127.0.0.1:8080': backend.url,
  })
  const dryRun = await startDaemon(config, { cwd: directory, args: ['-t'] })
  expect(await dryRun.exitCode(), dryRun.program.output()).toBe(0)

  const daemon = await startDaemon(config, { cwd: directory })
  const outcome = await connectWithNode({ port: await daemon.opened(), rootFile: leaf.rootFile })
  expect(outcome).toMatchObject({ connected: true, staple: { present: true } })
  expect(await daemon.stop()).toBe(0)
  expect(readdirSync(join(directory, 'staples/ocsp'))).toHaveLength(1)
})

it('docs/guide/front: a guarded front lets in who has a certificate', async () => {
  const config = replace(example('guarded'), {
    '0.0.0.0:8443': '127.0.0.1:0',
    'tcp://127.0.0.1:8080': (await startBackend()).url,
  })
  const daemon = await startDaemon(config, { cwd: directory })
  const port = await daemon.opened()
  const client = await authority.issueLeaf({ name: 'client' })
  const own = { options: { cert: client.chainPem, key: client.key } }
  const inside = await openWithNode({ port, rootFile: leaf.rootFile, ...own })
  expect(await inside.ask('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')).toContain('200 OK')
  await openWithNode({ port, rootFile: leaf.rootFile }).catch(() => {})
  await daemon.waitForLine(/no certificate that convinces/)
})

it('docs/guide/mtls: a client is let in until its CA says that it is revoked', async () => {
  const config = replace(example('ocsp-peer'), {
    '0.0.0.0:8443': '127.0.0.1:0',
    'tcp://127.0.0.1:8080': (await startBackend()).url,
  })
  const [good, bad] = [await issueClient(), await issueClient()]
  await authority.revoke(bad)
  const daemon = await startDaemon(config, { cwd: directory })
  const port = await daemon.opened()
  const inside = await openWithNode({ port, rootFile: leaf.rootFile, options: { cert: good.chainPem, key: good.key } })
  expect(await inside.ask('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')).toContain('200 OK')
  const outside = await openWithNode({ port, rootFile: leaf.rootFile, options: { cert: bad.chainPem, key: bad.key } })
  await outside.closed
  await daemon.waitForLine(/clients are refused \(ocsp_peer\).*is revoked/)
})

it('docs/guide/mtls: a server of your own tells good clients from revoked ones', async () => {
  const port = await freePort()
  const program = await runScript(replace(example('mtls'), { 'listen(8443)': `listen(${port})` }))
  await program.waitForPort(port)
  const [good, bad] = [await issueClient(), await issueClient()]
  await authority.revoke(bad)
  for (const [client, answer] of [
    [good, /200 OK[^]*good\n/],
    [bad, /403 Forbidden[^]*revoked\n/],
  ] as const) {
    const options = { cert: client.chainPem, key: client.key }
    const connection = await openWithNode({ port, rootFile: leaf.rootFile, options })
    expect(await connection.ask('GET / HTTP/1.0\r\n\r\n')).toMatch(answer)
  }
})

/** The responder of the examples knows whom the authority revoked when it is asked. */
function issueClient(): Promise<Leaf> {
  return authority.issueLeaf({ name: 'client', responderURL })
}

it('docs/guide/front: each name has its certificate, its staple and its backend', async () => {
  const [first, second] = [await startBackend(), await startBackend()]
  const leaves: Record<string, Leaf> = {}
  for (const [name, host] of Object.entries({ a: 'a.example.net', b: 'x.b.example.net' })) {
    const issued = await authority.issueLeaf({ name: host, san: [host], responderURL })
    await copyFile(issued.certificateFile, join(directory, `${name}.pem`))
    await copyFile(issued.keyFile, join(directory, `${name}-key.pem`))
    leaves[host] = issued
  }
  const config = replace(example('sites'), {
    '0.0.0.0:8443': '127.0.0.1:0',
    'tcp://127.0.0.1:8080': first.url,
    'tcp://127.0.0.1:8081': second.url,
  })
  const daemon = await startDaemon(config, { cwd: directory })
  const port = await daemon.opened()
  for (const [name, issued] of Object.entries(leaves)) {
    const { ask, ...outcome } = await openWithNode({ port, name, rootFile: issued.rootFile })
    expect(outcome).toMatchObject({
      connected: true,
      staple: { present: true },
      certificate: new Uint8Array(issued.der),
    })
    await ask('GET / HTTP/1.0\r\n\r\n')
  }
  expect([first.requests.length, second.requests.length]).toEqual([1, 1])
})

it.each(['library', 'node-server'])('README, docs/guide/node-server: %s staples its first handshake', async (name) => {
  const port = await freePort()
  const program = await runScript(replace(example(name), { 'listen(8443)': `listen(${port})` }))
  await program.waitForPort(port)
  const outcome = await connectWithNode({ port, rootFile: leaf.rootFile })
  expect(outcome).toMatchObject({ connected: true, staple: { present: true } })
})

it('README: the response is read and verified', async () => {
  const program = await runScript(example('ocsp'))
  expect(await program.ended, program.output()).toMatchObject({ code: 0 })
  expect(program.stdout()).toMatch(/^good \d{4}-\d\d-\d\dT/)
})

it('docs/guide/library: a CRL is asked, and a staple is kept', async () => {
  await writeFile(join(directory, 'ca.crl'), await issueCrl(authority))
  for (const [name, said] of [
    ['crl', /^good \d{4}-\d\d-\d\dT/],
    ['keeper', /^good \d+\n$/],
  ] as const) {
    const program = await runScript(example(name))
    expect(await program.ended, program.output()).toMatchObject({ code: 0 })
    expect(program.stdout()).toMatch(said)
  }
})

it('docs/guide/verifying-client: fetch, https and tls go to a server that staples', async () => {
  const port = await freePort()
  const server = await runScript(replace(example('node-server'), { 'listen(8443)': `listen(${port})` }))
  await server.waitForPort(port)
  const code = replace(example('verifying-client'), {
    'https://example.com/': `https://localhost:${port}/`,
    "host: 'example.com', port: 443, servername: 'example.com'": `host: 'localhost', port: ${port}, servername: 'localhost'`,
  })
  const program = await runScript(code, { NODE_EXTRA_CA_CERTS: leaf.rootFile })
  expect(await program.ended, program.output()).toMatchObject({ code: 0 })
  expect(program.stdout()).toContain('200 hello\n')
  expect(program.stdout()).toMatch(/^200$/m)
  expect(program.stdout()).toMatch(/^(staple|session)$/m)
})

/** Runs a script in the directory of the files; its imports of `staplewright` are this package, by its own exports. */
async function runScript(code: string, env: Readonly<Record<string, string>> = {}): Promise<Program> {
  mkdirSync(join(root, '.cache/examples'), { recursive: true })
  const file = join(root, `.cache/examples/${process.pid}-${++count}.mjs`)
  writeFileSync(file, code)
  return startProgram(process.execPath, [file], { cwd: directory, env })
}

let count = 0

function readExamples(): Map<string, string> {
  const pages = ['README.md', ...readdirSync(join(root, 'docs/guide')).map((name) => `docs/guide/${name}`)]
  const found = new Map<string, string>()
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8')
    for (const [, name = '', code = ''] of text.matchAll(/<!-- runs: (\S+) -->\n```\w*\n([\s\S]*?)```/g)) {
      found.set(name, code)
    }
  }
  return found
}

function example(name: string): string {
  const code = examples.get(name)
  if (code === undefined) throw new Error(`no page has an example <!-- runs: ${name} -->`)
  return code
}

/** Replaces places; each must be in the example, so that a change of it is noticed. */
function replace(text: string, places: Readonly<Record<string, string>>): string {
  return Object.entries(places).reduce((result, [from, to]) => {
    expect(result).toContain(from)
    return result.replaceAll(from, to)
  }, text)
}
