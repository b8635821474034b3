/** `verify` and `pinned_certs`: who is let in, and that nobody gets in on somebody else's session. */
import { createHash, X509Certificate } from 'node:crypto'
import { connect, type TLSSocket } from 'node:tls'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createAuthority, type Leaf } from '../kit/authority.ts'
import { pageText } from '../kit/backend.ts'
import { openWithNode } from '../kit/clients/node.ts'
import { connectWithOpenssl } from '../kit/clients/openssl.ts'
import { type RunningDaemon, startDaemon } from '../kit/daemon.ts'
import { endsWithTest } from '../kit/lifetime.ts'
import { type Stage, setStage } from './stage.ts'

vi.setConfig({ testTimeout: 60_000 })

let stage: Stage
let server: Leaf
beforeEach(async () => {
  stage = await setStage()
  server = await stage.issue()
})

function start(tls: string, more = ''): Promise<RunningDaemon> {
  return startDaemon(`listen: "127.0.0.1:0"
backend: "${stage.backend.url}"
tls { cert_file: "${server.certificateFile}", key_file: "${server.keyFile}", ca_file: "${server.caFile}", ${tls} }
${more}
`)
}

function ask(port: number, version: '1.2' | '1.3', client?: Leaf, args: readonly string[] = []) {
  const own = client
    ? ['-cert', client.leafOnlyFile, '-cert_chain', client.certificateFile, '-key', client.keyFile]
    : []
  return connectWithOpenssl({ port, rootFile: server.rootFile, version, args: [...own, ...args] })
}

/** Tells what a page request gets; in TLS 1.3 a client hears only afterwards that it was refused. */
async function fetchPage(port: number, client?: Leaf): Promise<string> {
  try {
    const connection = await openWithNode({
      port,
      rootFile: server.rootFile,
      ...(client && { options: { cert: client.chainPem, key: client.key } }),
    })
    return await connection.ask('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
  } catch (error) {
    return `refused: ${(error as Error).message}`
  }
}

describe.each(['1.2', '1.3'] as const)('verify: true, TLS %s', (version) => {
  test('lets clients of its CA in, stapled, and passes them on', async () => {
    const client = await stage.authority.issueLeaf({ name: 'client' })
    const port = await (await start('verify: true')).opened()
    expect(await ask(port, version, client)).toMatchObject({ connected: true, staple: { present: true } })
    expect(await fetchPage(port, client)).toContain(pageText)
  })

  test('lets nobody else in: the backend never hears of them, and the log says why', async () => {
    const stranger = await (await createAuthority({ name: 'Another' })).issueLeaf({ name: 'client' })
    const daemon = await start('verify: true')
    const port = await daemon.opened()
    await ask(port, version)
    await daemon.waitForLine(/handshakes are refused.*no certificate that convinces/)
    await ask(port, version, stranger)
    expect(await fetchPage(port)).not.toContain(pageText)
    expect(await fetchPage(port, stranger)).not.toContain(pageText)
    expect(stage.backend.connections).toBe(0)
  })
})

test('a client without a certificate is told so by an alert', async () => {
  const port = await (await start('verify: true')).opened()
  const { output } = await ask(port, '1.2')
  expect(output).toMatch(/alert handshake failure|alert certificate required/)
})

describe('pinned_certs', () => {
  const pin = ({ certificate }: Leaf) =>
    createHash('sha256').update(certificate.subjectPublicKeyInfo).digest('hex').toUpperCase()

  test('lets the pinned key in, and no other of the same CA', async () => {
    const pinned = await stage.authority.issueLeaf({ name: 'client' })
    const other = await stage.authority.issueLeaf({ name: 'client' })
    const daemon = await start(`verify: true, pinned_certs: ["${pin(pinned)}"]`)
    const port = await daemon.opened()
    expect(await fetchPage(port, pinned)).toContain(pageText)
    expect(await fetchPage(port, other)).not.toContain(pageText)
    await daemon.waitForLine(/not among pinned_certs/)
    expect(stage.backend.connections).toBe(1)
  })

  test('is the SHA-256 that openssl gives of the public key', async () => {
    const client = await stage.authority.issueLeaf({ name: 'client' })
    const spki = new X509Certificate(client.pem).publicKey.export({ type: 'spki', format: 'der' })
    expect(pin(client)).toBe(createHash('sha256').update(spki).digest('hex').toUpperCase())
  })
})

describe('a site that asks for certificates beside one that does not', () => {
  async function startBoth() {
    const guarded = await stage.issue({ name: 'guarded.localhost', san: ['guarded.localhost'] })
    return await start(
      '',
      `sites [ { names: ["guarded.localhost"], tls { cert_file: "${guarded.certificateFile}", key_file: "${guarded.keyFile}", ca_file: "${guarded.caFile}", verify: true } } ]`,
    )
  }

  test('asks the clients of its name alone', async () => {
    const client = await stage.authority.issueLeaf({ name: 'client' })
    const port = await (await startBoth()).opened()
    expect((await ask(port, '1.3')).output).toContain('No client certificate CA names sent')
    const asked = await connectWithOpenssl({
      port,
      rootFile: server.rootFile,
      name: 'guarded.localhost',
      args: ['-cert', client.leafOnlyFile, '-cert_chain', client.certificateFile, '-key', client.keyFile],
    })
    expect(asked).toMatchObject({ connected: true, staple: { present: true } })
    expect(asked.output).toContain('Acceptable client certificate CA names')
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('no session of the open site opens it, %s', async (version) => {
    const port = await (await startBoth()).opened()
    const session = await obtainSession(port, version)
    const outcome = await new Promise<string>((resolve) => {
      const socket = open(port, 'guarded.localhost', version, session)
      socket.on('data', () => resolve(`in${socket.isSessionReused() ? ', resumed' : ''}`))
      socket.on('error', () => resolve('refused'))
      socket.on('close', () => resolve('refused'))
      socket.on('secureConnect', () => socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'))
    })
    expect(outcome).toBe('refused')
    expect(stage.backend.requests).toEqual(['GET /'])
  })

  /** One whole exchange with the open site, for the session that comes with it. */
  async function obtainSession(port: number, version: 'TLSv1.2' | 'TLSv1.3'): Promise<Buffer> {
    const socket = open(port, 'localhost', version)
    const session = new Promise<Buffer>((resolve) => socket.once('session', resolve))
    const page = new Promise((resolve) => socket.once('data', resolve))
    socket.on('secureConnect', () => socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'))
    await page
    const got = await session
    socket.destroy()
    return got
  }

  function open(port: number, servername: string, version: 'TLSv1.2' | 'TLSv1.3', session?: Buffer): TLSSocket {
    const socket = connect({
      ...{ port, servername, minVersion: version, maxVersion: version, rejectUnauthorized: false },
      ...(session && { session }),
    })
    endsWithTest(() => socket.destroy())
    return socket
  }
})
