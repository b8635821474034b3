/**
 * The three configurations of nats-server's page on stapling, before a real nats-server: as they stand there (with the
 * closing braces that the page lost), what they leave out on the command line, and the responder that they name behind a
 * proxy.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import { certificateKey } from '../../src/pki/x509/crypto.ts'
import { type Authority, createAuthority, type Leaf, type LeafOptions } from '../kit/authority.ts'
import { connectWithNats, watchNats } from '../kit/clients/nats.ts'
import { startDaemon } from '../kit/daemon.ts'
import { endsWithTest } from '../kit/lifetime.ts'
import { expectGood } from '../kit/nats-front.ts'
import { type NatsBackend, startNatsBackend } from '../kit/nats-server.ts'
import { createScriptedResponder, type ScriptedResponder } from '../kit/responder.ts'
import { temporaryDirectory } from '../kit/temporary.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

let authority: Authority
let responder: ScriptedResponder
let backend: NatsBackend
beforeEach(async () => {
  authority = await createAuthority()
  responder = await createScriptedResponder({ authority })
  backend = await startNatsBackend()
})

/** Where nobody is: only what the configuration says can lead to a staple. */
const issue = (options: LeafOptions = {}) => authority.issueLeaf({ responderURL: 'http://127.0.0.1:1/', ...options })

/** An HTTP proxy that takes every host for the responder, and remembers the hosts. */
async function startProxy(): Promise<{ url: string; hosts: Set<string> }> {
  const hosts = new Set<string>()
  const proxy = createServer((incoming, outgoing) => {
    const { host, pathname } = new URL(incoming.url ?? '')
    hosts.add(host)
    const { method = 'GET', headers } = incoming
    const onward = request({ port: responder.port, host: '127.0.0.1', path: pathname, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  endsWithTest(() => {
    proxy.close()
    proxy.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(proxy.address() as { port: number }).port}`, hosts }
}

/** `serve` on a configuration that says nothing of NATS. */
async function serve(config: string, leaf: Leaf, { cwd, proxy }: { cwd?: string; proxy?: string } = {}) {
  const daemon = await startDaemon(config, {
    args: ['--listen', '127.0.0.1:0', '--backend', `nats://127.0.0.1:${backend.port}`],
    ...(cwd !== undefined && { cwd }),
    ...(proxy !== undefined && { env: { http_proxy: proxy, no_proxy: undefined, NO_PROXY: undefined } }),
  })
  return { port: await daemon.opened(), rootFile: leaf.rootFile }
}

/** What a client of nats-server expects: INFO, then TLS, with a staple that is good, then NATS. */
async function expectService(target: { port: number; rootFile: string }, leaf: Leaf): Promise<void> {
  const watcher = await watchNats(target)
  expect(watcher.infoInClear).toMatchObject({ tls_required: true, port: backend.port })
  expectGood(watcher.stapleBytes, leaf)
  const connection = await connectWithNats(target)
  const messages = connection.subscribe('a', { max: 1 })
  connection.publish('a', 'hello')
  for await (const message of messages) expect(message.string()).toBe('hello')
}

const tlsOf = (leaf: Leaf) => `
tls {
    cert_file: "${leaf.certificateFile}"
    key_file: "${leaf.keyFile}"
    ca_file: "${leaf.caFile}"
}
`

test('mode must with a url', async () => {
  const leaf = await issue({ mustStaple: true })
  const { url, hosts } = await startProxy()
  const config = `ocsp {
  mode: must
  url: "http://ocsp.example.net"
}
`
  const target = await serve(config + tlsOf(leaf), leaf, { proxy: url })
  await expectService(target, leaf)
  expect([...hosts]).toEqual(['ocsp.example.net'])
})

test('mode always with a url, and a certificate that is not Must-Staple', async () => {
  const leaf = await issue()
  const { url, hosts } = await startProxy()
  const config = `ocsp {
  mode: always
  url: "http://ocsp.example.net"
}
`
  const target = await serve(config + tlsOf(leaf), leaf, { proxy: url })
  await expectService(target, leaf)
  expect([...hosts]).toEqual(['ocsp.example.net'])
})

test('ocsp: true with a store_dir and a tls block, its paths relative to the working directory', async () => {
  const leaf = await issue({ mustStaple: true, responderURL: responder.url })
  const cwd = temporaryDirectory('nats')
  const certificates = join(cwd, 'configs/certs/ocsp')
  await mkdir(certificates, { recursive: true })
  await writeFile(join(certificates, 'server-status-request-url.pem'), leaf.chainPem)
  await writeFile(join(certificates, 'server-status-request-url-key.pem'), leaf.key)
  await writeFile(join(certificates, 'ca-cert.pem'), await readFile(leaf.caFile))
  // The page's own directory is at the root of the file system, where a test must not write.
  const storeDir = join(temporaryDirectory('store'), 'path/to/store/dir')
  const config = `ocsp: true

store_dir: "${storeDir}"

tls {
    cert_file: "configs/certs/ocsp/server-status-request-url.pem"
    key_file: "configs/certs/ocsp/server-status-request-url-key.pem"
    ca_file: "configs/certs/ocsp/ca-cert.pem"
    timeout: 5
}
`
  await expectService(await serve(config, leaf, { cwd }), leaf)
  await expect.poll(() => readdir(join(storeDir, 'ocsp')), { timeout: 10_000 }).toContain(certificateKey(leaf.der))
})
