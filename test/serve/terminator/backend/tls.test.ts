import { once } from 'node:events'
import { createServer as createTcpServer } from 'node:net'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { describe, expect, it } from 'vitest'
import type { BackendGroup } from '../../../../src/serve/terminator/options.ts'
import { createAuthority, type Leaf } from '../../../kit/authority.ts'
import { endsWithTest } from '../../../kit/lifetime.ts'
import { until } from '../../tls-client.ts'
import { listenWithoutAccepting } from '../listen-without-accepting.ts'
import { pooled } from './stage.ts'

const authority = await createAuthority()
const stranger = await createAuthority({ fresh: true, name: 'Stranger' })
const leaf = await authority.issueLeaf({
  name: 'localhost',
  san: ['localhost', 'backend.example.net', '127.0.0.1'],
})
const rootPem = authority.root.pem

/** A TLS backend with the SNI names and session reuse of its clients. */
async function tlsBackend(shown: Leaf, options: TlsOptions = {}) {
  const clients: { name: string | false | null; isReused: boolean; socket: TLSSocket }[] = []
  const server = createServer({ cert: shown.chainPem, key: shown.key, ...options }, (socket) => {
    clients.push({ name: socket.servername, isReused: socket.isSessionReused(), socket })
    socket.on('error', () => {})
    socket.write('hello over TLS')
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  endsWithTest(() => {
    server.close()
    for (const { socket } of clients) socket.destroy()
  })
  const { port } = server.address() as { port: number }
  return { clients, port, at: (host: string) => `tls://${host}:${port}` }
}

const reach = (url: string, options: Omit<BackendGroup, 'urls'> = {}) => pooled({ urls: [url], ...options }).dial()

describe('a TLS backend', () => {
  it('that proves its name is spoken to, and told the name', async () => {
    const { at, clients } = await tlsBackend(leaf)
    const { socket, error } = await reach(at('localhost'), { ca: rootPem })
    expect(error).toBeUndefined()
    const [said] = await once(socket as TLSSocket, 'data')
    expect(String(said)).toBe('hello over TLS')
    expect(clients.map(({ name }) => name)).toEqual(['localhost'])
  })

  it('may be reached under one name and prove another', async () => {
    const { at, clients } = await tlsBackend(leaf)
    const { error } = await reach(at('127.0.0.1'), { ca: rootPem, serverName: 'backend.example.net' })
    expect(error).toBeUndefined()
    await until(() => clients.length === 1)
    expect(clients[0]?.name).toBe('backend.example.net')
  })

  it('may be reached under a name and prove an address', async () => {
    const addressed = await authority.issueLeaf({ san: ['127.0.0.1'] })
    const proves = { ca: rootPem, serverName: '127.0.0.1' }
    expect((await reach((await tlsBackend(addressed)).at('localhost'), proves)).error).toBeUndefined()
    const named = await authority.issueLeaf({ san: ['localhost'] })
    const { error } = await reach((await tlsBackend(named)).at('localhost'), proves)
    expect(error?.detail.networkCode).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  })

  it('at an address proves the address, and is told no name', async () => {
    const { at, clients } = await tlsBackend(leaf)
    expect((await reach(at('127.0.0.1'), { ca: rootPem })).error).toBeUndefined()
    await until(() => clients.length === 1)
    expect(clients[0]?.name).toBe(false)
  })

  it('hears the PROXY header before the handshake', async () => {
    const chunks: Buffer[] = []
    const server = createTcpServer((socket) => socket.on('error', () => {}).on('data', (chunk) => chunks.push(chunk)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    endsWithTest(() => server.close())
    const { port } = server.address() as { port: number }
    const { pool } = pooled(`tls://localhost:${port}`)
    const giveUp = pool.dial({ header: Buffer.from('PROXY UNKNOWN\r\n') }, { connected() {}, failed() {} })
    await until(() => Buffer.concat(chunks).length > 20)
    giveUp()
    const heard = Buffer.concat(chunks)
    expect(heard.subarray(0, 15).toString()).toBe('PROXY UNKNOWN\r\n')
    expect([...heard.subarray(15, 17)]).toEqual([22, 3])
  })

  it.each([['TLSv1.2'], ['TLSv1.3']] as const)('resumes its session in %s', async (version) => {
    const { at, clients } = await tlsBackend(leaf, { maxVersion: version })
    const { dial } = pooled({ urls: [at('localhost')], ca: rootPem })
    const { socket } = await dial()
    await once(socket as TLSSocket, 'data')
    await dial()
    await until(() => clients.length === 2)
    expect(clients.map(({ isReused }) => isReused)).toEqual([false, true])
  })
})

describe('a TLS backend is refused', () => {
  it.each([
    ['of a CA that is not known', {}, {}, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'ca_file'],
    ['of another CA than its own', {}, { ca: stranger.root.pem }, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'ca_file'],
    [
      'with another name',
      { san: ['other.example.net'] },
      { ca: rootPem },
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'server_name',
    ],
    [
      'past its end',
      { notBefore: daysFromNow(-20), notAfter: daysFromNow(-1) },
      { ca: rootPem },
      'CERT_HAS_EXPIRED',
      'renew',
    ],
    [
      'before its beginning',
      { notBefore: daysFromNow(1), notAfter: daysFromNow(20) },
      { ca: rootPem },
      'CERT_NOT_YET_VALID',
      'clock',
    ],
  ] as const)('%s', async (_, leafOptions, options, code, hint) => {
    const { at } = await tlsBackend(Object.keys(leafOptions).length > 0 ? await authority.issueLeaf(leafOptions) : leaf)
    const { error, socket } = await reach(at('localhost'), options)
    expect(socket).toBeUndefined()
    expect(error?.detail).toMatchObject({ backend: at('localhost'), networkCode: code })
    expect(error?.detail.hint).toContain(hint)
    expect(error?.message).toMatch(/^backend tls:\/\/localhost:\d+ was refused for its certificate: /)
  })

  it('at an address that its certificate does not have', async () => {
    const named = await authority.issueLeaf({ san: ['localhost'] })
    const { at } = await tlsBackend(named)
    expect((await reach(at('127.0.0.1'), { ca: rootPem })).error?.detail.networkCode).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    )
  })

  it('and not so when it is not to be verified', async () => {
    const { at } = await tlsBackend(await stranger.issueLeaf({ san: ['other.example.net'] }))
    expect((await reach(at('localhost'), { isUnverified: true })).error).toBeUndefined()
  })

  it('when it is no TLS server', async () => {
    const server = createTcpServer((socket) => socket.on('error', () => {}).end('220 mail.example.net\r\n'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    endsWithTest(() => server.close())
    const { error } = await reach(`tls://localhost:${(server.address() as { port: number }).port}`)
    expect(error?.detail.networkCode).toMatch(/^(EPROTO|ERR_SSL_)/)
    expect(error?.detail.hint).toContain('tls://')
    expect(error?.message).toContain('could not be reached: wrong version number (')
  })

  it('when it closes in the middle of the handshake', async () => {
    const server = createTcpServer((socket) => socket.on('error', () => {}).destroy())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    endsWithTest(() => server.close())
    const { error } = await reach(`tls://localhost:${(server.address() as { port: number }).port}`)
    expect(error?.detail.networkCode).toBe('ECONNRESET')
  })

  it('when it does not end the handshake in time, as when it does not answer at all', async () => {
    const silent = createTcpServer((socket) => socket.on('error', () => {}).resume())
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    endsWithTest(() => silent.close())
    const { port } = silent.address() as { port: number }
    for (const [at, said] of [
      [port, 'no end of the TLS handshake within 200 ms'],
      [await listenWithoutAccepting(), 'no answer within 200 ms'],
    ] as const) {
      const { error } = await pooled(`tls://127.0.0.1:${at}`, { connectTimeoutMs: 200 }).dial()
      expect(error?.detail.networkCode).toBe('ETIMEDOUT')
      expect(error?.message).toContain(said)
    }
  })

  it('and another takes its clients', async () => {
    const [bad, good] = [await tlsBackend(await stranger.issueLeaf()), await tlsBackend(leaf)]
    const { dialled, told } = pooled({ urls: [bad.at('localhost'), good.at('localhost')], ca: rootPem })
    expect(await dialled(3)).toEqual([good.at('localhost'), good.at('localhost'), good.at('localhost')])
    expect(told).toEqual([`${bad.at('localhost')} out`])
  })
})

function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * 86_400_000)
}
