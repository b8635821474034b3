/**
 * nats-server's own stapling tests (test/ocsp_test.go), told again of Staplewright: those that are about one listener and
 * no reload. docs/nats-server-tests.md has the whole list.
 *
 * Its certificates: S is no Must-Staple and names no responder, SR is Must-Staple and names none, U1 is Must-Staple and
 * names one.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { certificateKey } from '../../src/pki/x509/crypto.ts'
import { createAuthority, type Leaf } from '../kit/authority.ts'
import { pageText } from '../kit/backend.ts'
import { connectWithNode, openWithNode } from '../kit/clients/node.ts'
import { type RunningDaemon, startDaemon } from '../kit/daemon.ts'
import { freePort } from '../kit/free-port.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { look, lookUntil, type Stage, setStage } from './stage.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

let stage: Stage
beforeEach(async () => {
  stage = await setStage({ thisUpdateAgeMs: 60_000 })
})

const issueS = () => stage.issue({ mustStaple: false, responderURL: null })
const issueSR = () => stage.issue({ responderURL: null })
const issueU1 = () => stage.issue()

test('TestOCSPAlwaysMustStapleAndShutdown: S in mode always with a url is stapled, and revoked it ends the server', async () => {
  const leaf = await issueS()
  const daemon = await stage.start(leaf, `{ mode: always, urls: ["${stage.responder.url}"] }`)
  const port = await daemon.opened()
  expect(await look(port, leaf)).toBe('good')
  await answer(daemon, 'revoked')
  expect(await daemon.exitCode()).toBe(3) // nats-server: 0, after which systemd starts it again
  expect(await look(port, leaf)).toBe('refused')
})

test('TestOCSPMustStapleShutdown: SR in mode must with a url is stapled, and revoked it ends the server', async () => {
  const leaf = await issueSR()
  const daemon = await stage.start(leaf, `{ mode: must, url: "${stage.responder.url}" }`)
  const port = await daemon.opened()
  expect(await look(port, leaf)).toBe('good')
  await answer(daemon, 'revoked')
  expect(await daemon.exitCode()).toBe(3)
  expect(await look(port, leaf)).toBe('refused')
})

test('TestOCSPMustStapleAutoDoesNotShutdown: U1 without an ocsp key is stapled, and stays up stapling revoked', async () => {
  const leaf = await issueU1()
  const daemon = await stage.start(leaf)
  const port = await daemon.opened()
  expect(await look(port, leaf)).toBe('good')
  await answer(daemon, 'revoked')
  await lookUntil(port, leaf, 'revoked')
  expect(daemon.program.hasEnded).toBe(false)
})

test('TestOCSPAutoWithoutMustStapleDoesNotShutdownOnRevoke: S in mode auto with a url is not stapled and stays up', async () => {
  const leaf = await issueS()
  const daemon = await stage.start(leaf, `{ mode: auto, url: "${stage.responder.url}" }`)
  const port = await daemon.opened()
  expect(await look(port, leaf)).toBe('none')
  await answer(daemon, 'revoked')
  await daemon.waitForLine(/asking/)
  expect(await look(port, leaf)).toBe('none')
})

describe('TestOCSPClient: a client connects and is answered', () => {
  test.each([
    ['with ocsp: true, S, whose status nobody knows', issueS, 'true', 'unknown'],
    ['with ocsp: true, S, whose status is good', issueS, 'true', 'good'],
    ['without an ocsp key, U1, good', issueU1, undefined, 'good'],
    ['with ocsp: false, U1, revoked', issueU1, 'false', 'revoked'],
  ] as const)('%s', async (_, issue, ocsp, behaviour) => {
    const leaf = await issue()
    await stage.responder.behave(behaviour)
    const port = await (await stage.start(leaf, ocsp)).opened()
    const connection = await openWithNode({ port, rootFile: leaf.rootFile })
    expect(await connection.ask('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')).toContain(pageText)
  })
})

test('TestOCSPReloadRotateTLSCertDisableMustStaple (its start): the stapled bytes equal the file under store_dir/ocsp', async () => {
  const leaf = await issueU1()
  const storeDir = temporaryDirectory('store')
  const port = await (await stage.start(leaf, undefined, { storeDir })).opened()
  const { stapleBytes } = await connectWithNode({ port, rootFile: leaf.rootFile })
  const file = join(storeDir, 'ocsp', certificateKey(leaf.der))
  await expect.poll(() => readdir(join(storeDir, 'ocsp')), { timeout: 10_000 }).toContain(certificateKey(leaf.der))
  expect(new Uint8Array(await readFile(file))).toEqual(stapleBytes)
})

describe('TestOCSPCustomConfig', () => {
  test.each([
    ['auto and S, revoked: connects, no staple', issueS, '{ mode: auto }', 'revoked', 'none'],
    ['ocsp: false and U1: no staple', issueU1, 'false', 'good', 'none'],
    ['mode never and U1: no staple', issueU1, '{ mode: never }', 'good', 'none'],
    ['mode always, a url and S: a staple', issueS, '{ mode: always, url: "URL" }', 'good', 'good'],
    ['mode must, a url and S: no staple', issueS, '{ mode: must, url: "URL" }', 'good', 'none'],
    ['mode must, a url and U1: a staple', issueU1, '{ mode: must, url: "URL" }', 'good', 'good'],
  ] as const)('%s', async (_, issue, ocsp, behaviour, seen) => {
    const leaf = await issue()
    await stage.responder.behave(behaviour)
    const port = await (await stage.start(leaf, ocsp.replace('URL', stage.responder.url))).opened()
    expect(await look(port, leaf)).toBe(seen)
  })
})

test('TestOCSPTLSConfigNoLeafSet: starts and stops with an ordinary certificate', async () => {
  const leaf = await issueS()
  const daemon = await stage.start(leaf)
  expect(await look(await daemon.opened(), leaf)).toBe('none')
  expect(await daemon.stop()).toBe(0)
})

describe('TestOCSPLocalIssuerDetermination: the issuer', () => {
  const start = async (leaf: Leaf, certificatePem: string, caPem: string): Promise<RunningDaemon> => {
    const directory = temporaryDirectory('pem')
    const files = { ...leaf, certificateFile: join(directory, 'cert.pem'), caFile: join(directory, 'ca.pem') }
    await writeFile(files.certificateFile, certificatePem)
    await writeFile(files.caFile, caPem)
    return stage.start(files, `{ mode: always, url: "${stage.responder.url}" }`)
  }

  test('is found in the bundle', async () => {
    const leaf = await issueS()
    const daemon = await start(leaf, leaf.chainPem, stage.authority.root.pem)
    expect(await look(await daemon.opened(), leaf)).toBe('good')
  })

  test('is missed when the bundle has another in its place, and nothing starts', async () => {
    const stranger = await createAuthority({ fresh: true })
    const leaf = await issueS()
    const daemon = await start(leaf, leaf.pem + stranger.intermediate.pem, stage.authority.root.pem)
    expect(await daemon.exitCode()).toBe(2)
    expect(daemon.program.output()).toMatch(/tls\.cert_file: the issuer/)
  })

  test('is found in ca_file although the bundle has another in its place, where nats-server does not start', async () => {
    const stranger = await createAuthority({ fresh: true })
    const leaf = await issueS()
    const ca = stage.authority.intermediate.pem + stage.authority.root.pem
    const daemon = await start(leaf, leaf.pem + stranger.intermediate.pem, ca)
    await daemon.opened()
    expect(stage.responder.count).toBe(1)
  })

  test.each([
    [1, (stranger: string, root: string, issuer: string) => stranger + root + issuer],
    [2, (stranger: string, root: string, issuer: string) => stranger + issuer + root],
    [3, (stranger: string, root: string, issuer: string) => issuer + stranger + root],
  ])('is found in ca_file, order %i', async (_, order) => {
    const stranger = await createAuthority({ fresh: true })
    const { root, intermediate } = stage.authority
    const leaf = await issueS()
    const daemon = await start(leaf, leaf.pem, order(stranger.intermediate.pem, root.pem, intermediate.pem))
    const port = await daemon.opened()
    // Only the leaf is sent, so the client brings the intermediate.
    const { staple } = await connectWithNode({ port, rootFile: leaf.caFile })
    expect(staple).toEqual({ present: true })
  })
})

describe('TestOCSPResponderHTTPMethods', () => {
  test.each(['getOnly', 'postOnly'] as const)(
    'a responder that is %s, listed after one that does not work, is enough',
    async (kind) => {
      const leaf = await issueS()
      await stage.responder.behave(kind)
      const nobody = `http://127.0.0.1:${await freePort()}/`
      const daemon = await stage.start(leaf, `{ mode: always, urls: ["${nobody}", "${stage.responder.url}"] }`)
      expect(await look(await daemon.opened(), leaf)).toBe('good')
    },
  )

  test('of one that refuses both, the error names each method with its answer', async () => {
    const leaf = await issueS()
    await stage.responder.behave({ kind: 'httpError', status: 400 })
    const daemon = await stage.start(leaf, `{ mode: always, url: "${stage.responder.url}" }`, {
      lines: ['on_start: exit', 'start_timeout: "2s"'],
    })
    expect(await daemon.exitCode()).toBe(4)
    const methods = new Set(stage.responder.requests.map(({ method }) => method))
    expect(methods).toEqual(new Set(['GET', 'POST']))
    const output = daemon.program.output()
    expect(output).toMatch(/GET[^\n]*400|400[^\n]*GET/)
    expect(output).toMatch(/POST[^\n]*400|400[^\n]*POST/)
  })
})

// The page's own configurations, with the closing braces that its text lost; what they leave out is on the command line.
describe("the examples of nats-server's page on stapling", () => {
  const run = async (config: string, cwd?: string): Promise<RunningDaemon> =>
    startDaemon(config, {
      args: ['--listen', '127.0.0.1:0', '--backend', stage.backend.url],
      ...(cwd !== undefined && { cwd }),
    })

  test('ocsp: true with a store_dir and a tls block runs, with paths relative to the working directory', async () => {
    const leaf = await issueU1()
    const cwd = temporaryDirectory('nats')
    await writeFile(join(cwd, 'server.pem'), leaf.chainPem)
    await writeFile(join(cwd, 'server-key.pem'), leaf.key)
    await writeFile(join(cwd, 'ca-cert.pem'), await readFile(leaf.caFile))
    const storeDir = temporaryDirectory('store')
    const daemon = await run(
      `ocsp: true

store_dir: "${storeDir}"

tls {
    cert_file: "server.pem"
    key_file: "server-key.pem"
    ca_file: "ca-cert.pem"
    timeout: 5
}
`,
      cwd,
    )
    expect(await look(await daemon.opened(), leaf)).toBe('good')
    await expect.poll(() => readdir(join(storeDir, 'ocsp')), { timeout: 10_000 }).toContain(certificateKey(leaf.der))
  })

  test.each([
    ['must', true, 'good'],
    ['must', false, 'none'],
    ['always', true, 'good'],
    ['always', false, 'good'],
  ] as const)('ocsp { mode: %s, url } runs; Must-Staple %s: %s', async (mode, mustStaple, seen) => {
    // The certificate names another responder, where nobody is: the url replaces it.
    const leaf = await stage.issue({ mustStaple, responderURL: 'http://127.0.0.1:1/' })
    const daemon = await run(`ocsp {
  mode: ${mode}
  url: "${stage.responder.url.replace(/\/$/, '')}"
}

${tlsOf(leaf)}`)
    expect(await look(await daemon.opened(), leaf)).toBe(seen)
  })

  test('ocsp: false runs, and asks for nothing', async () => {
    const leaf = await issueU1()
    const daemon = await run(`ocsp: false\n\n${tlsOf(leaf)}`)
    expect(await look(await daemon.opened(), leaf)).toBe('none')
    expect(stage.responder.count).toBe(0)
  })

  test("jetstream's store_dir is where staples are cached, and a restart needs no responder", async () => {
    const leaf = await issueU1()
    const config = `jetstream { store_dir: "${temporaryDirectory('jetstream')}" }\n\n${tlsOf(leaf)}`
    const first = await run(config)
    expect(await look(await first.opened(), leaf)).toBe('good')
    expect(await first.stop()).toBe(0)
    await stage.responder.behave('refuse')
    expect(await look(await (await run(config)).opened(), leaf)).toBe('good')
  })
})

function tlsOf(leaf: Leaf): string {
  return `tls {
    cert_file: "${leaf.certificateFile}"
    key_file: "${leaf.keyFile}"
    ca_file: "${leaf.caFile}"
    timeout: 5
}
`
}

/** A newer word from now on; and asked about at once. */
async function answer(daemon: RunningDaemon, kind: 'revoked'): Promise<void> {
  await stage.responder.behave({ kind, thisUpdateAgeMs: 0 })
  daemon.refresh()
}
