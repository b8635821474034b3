/** Every file of examples/ runs as it stands; only its port is replaced. The server is a process of its own, as a user's is. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { certificateKey } from '../../../src/pki/x509/crypto.ts'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { freePort } from '../../kit/free-port.ts'
import { type Program, runProgram, startProgram } from '../../kit/program.ts'
import { createScriptedResponder, type ScriptedResponder } from '../../kit/responder.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'
import { type ClientOptions, shakeHands } from '../tls-client.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const bundles = temporaryDirectory('examples')

let authority: Authority
let responder: ScriptedResponder
let leaf: Leaf
let rsa: Leaf

beforeAll(async () => {
  authority = await createAuthority()
  responder = await createScriptedResponder({ authority, validityMs: 3_600_000 })
  const issued = { mustStaple: true, responderURL: responder.url }
  ;[leaf, rsa] = await Promise.all([
    authority.issueLeaf({ ...issued, name: 'ec.test' }),
    authority.issueLeaf({ ...issued, name: 'rsa.test', keyType: 'rsa2048' }),
  ])
  await build({
    entryPoints: readdirSync(join(root, 'examples'))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(root, 'examples', name)),
    outdir: bundles,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    alias: {
      'staplewright/peer': join(root, 'src/check/peer/index.ts'),
      staplewright: join(root, 'src/index.ts'),
    },
  })
})

/** Runs an example in a directory with the files that it reads, on a port of its own. */
async function runExample(name: string): Promise<RunningExample> {
  const example = await startExample(name)
  await example.program.waitForPort(example.port)
  return example
}

async function startExample(name: string): Promise<RunningExample> {
  const directory = temporaryDirectory('example')
  cpSync(leaf.certificateFile, join(directory, 'server.pem'))
  cpSync(leaf.keyFile, join(directory, 'server-key.pem'))
  cpSync(rsa.certificateFile, join(directory, 'server-rsa.pem'))
  cpSync(rsa.keyFile, join(directory, 'server-rsa-key.pem'))
  const port = await freePort()
  const code = readFileSync(join(bundles, `${name}.mjs`), 'utf8')
  expect(code).toContain('server.listen(8443)')
  const file = join(directory, `${name}.mjs`)
  writeFileSync(file, code.replace('server.listen(8443)', `server.listen(${port})`))
  return { port, directory, program: startProgram(process.execPath, [file], { cwd: directory }) }
}

interface RunningExample {
  readonly port: number
  readonly program: Program
  readonly directory: string
}

/** What `openssl s_client` says of the staple, verified against the root. */
async function seenByOpenssl(port: number, ...args: string[]): Promise<string | undefined> {
  const { output } = await runProgram(
    'openssl',
    ['s_client', '-connect', `127.0.0.1:${port}`, '-status', '-CAfile', leaf.rootFile, ...args],
    { input: '' },
  )
  return /Cert Status: (\w+)/.exec(output)?.[1]
}

describe('the example', () => {
  afterEach(() => responder.behave('good'))

  it.each(['-tls1_2', '-tls1_3'])('start staples the first handshake (%s)', async (version) => {
    const { port } = await runExample('start')
    expect(await seenByOpenssl(port, version)).toBe('good')
  })

  it('store needs no responder for its next start', async () => {
    const first = await runExample('store')
    expect(await seenByOpenssl(first.port)).toBe('good')
    // by its own name: before, it is a temporary file that an end leaves behind
    await expect.poll(() => readdirSync(join(first.directory, 'staples/ocsp'))).toContain(certificateKey(leaf.der))
    await first.program.end()
    await responder.behave('refuse')
    const second = startProgram(process.execPath, [join(first.directory, 'store.mjs')], { cwd: first.directory })
    await second.waitForPort(first.port)
    expect(await seenByOpenssl(first.port)).toBe('good')
  })

  it('events tells of the staple, and ends when the certificate is revoked', async () => {
    await responder.behave('revoked', leaf.certificate.serialNumber)
    const { program } = await startExample('events')
    await program.waitFor('CN=ec.test: revoked, stopping')
    expect(await program.ended).toMatchObject({ code: 0 })
    await responder.behave('good', leaf.certificate.serialNumber)
    const { program: running } = await runExample('events')
    await running.waitFor(/CN=ec\.test: good, next at \d{4}-/)
  })

  it('http2 staples what it serves', async () => {
    const { port } = await runExample('http2')
    const { staple, alpn } = await shakeHands(port, { ALPNProtocols: ['h2'] })
    expect([staple?.length, alpn]).toEqual([expect.any(Number), 'h2'])
  })

  it('renewal shows a new certificate with its staple', async () => {
    const { port, program, directory } = await runExample('renewal')
    const renewed = await authority.issueLeaf({ name: 'renewed.test', mustStaple: true, responderURL: responder.url })
    cpSync(renewed.certificateFile, join(directory, 'server.pem'))
    cpSync(renewed.keyFile, join(directory, 'server-key.pem'))
    program.kill('SIGHUP')
    await program.waitFor('renewed')
    const { subject, staple } = await shakeHands(port)
    expect([subject, typeof staple]).toEqual(['renewed.test', 'string'])
  })

  it('two-keys gives each client its certificate, stapled', async () => {
    const { port } = await runExample('two-keys')
    const kinds: ClientOptions[] = [{ sigalgs: 'ecdsa_secp256r1_sha256' }, { sigalgs: 'rsa_pss_rsae_sha256' }]
    const seen = await Promise.all(kinds.map((kind) => shakeHands(port, kind)))
    expect(seen.map(({ subject, staple }) => `${subject} ${typeof staple}`)).toEqual([
      'ec.test string',
      'rsa.test string',
    ])
    expect(await seenByOpenssl(port, '-sigalgs', 'RSA-PSS+SHA256')).toBe('good')
  })
})

it('client asks a server that staples, and tells who says that it is good', async () => {
  const { port, directory } = await runExample('start')
  cpSync(leaf.rootFile, join(directory, 'ca.pem'))
  const file = join(directory, 'client.mjs')
  const code = readFileSync(join(bundles, 'client.mjs'), 'utf8')
  expect(code).toContain('localhost:8443')
  writeFileSync(file, code.replace('localhost:8443', `localhost:${port}`))
  const { output } = await runProgram(process.execPath, [file], { cwd: directory })
  expect(output).toMatch(/^good by its staple until \d{4}-\d\d-\d\dT.*\nhello\n$/)
})

it('the examples compile', async () => {
  const { code, output } = await runProgram(
    process.execPath,
    ['node_modules/typescript/bin/tsc', '-p', 'examples', '--noEmit'],
    {
      cwd: root,
      timeoutMs: 60_000,
    },
  )
  expect(code, output).toBe(0)
})

it('every example is run above, and listed in its README', () => {
  const names = readdirSync(join(root, 'examples'))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.slice(0, -3))
    .sort()
  const listed = [...readFileSync(join(root, 'examples/README.md'), 'utf8').matchAll(/^\| \[([\w-]+)\.ts\]/gm)]
    .map(([, name]) => name)
    .sort()
  expect(names).toEqual(['client', 'events', 'http2', 'renewal', 'start', 'store', 'two-keys'])
  expect(listed).toEqual(names)
})
