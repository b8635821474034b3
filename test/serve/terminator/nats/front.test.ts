/** NATS through a whole terminator, before backends that the test plays: good ones, bad ones, and ones that turn bad. */
import { createHash } from 'node:crypto'
import { connect, createServer, type Socket } from 'node:net'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import { beforeAll, describe, expect, it } from 'vitest'
import type { TerminatorOptions } from '../../../../src/serve/terminator/index.ts'
import type { NatsOptions } from '../../../../src/serve/terminator/options.ts'
import { createAuthority, type Leaf } from '../../../kit/authority.ts'
import { endsWithTest } from '../../../kit/lifetime.ts'
import { fakeKeeper, stale } from '../../fake-keeper.ts'
import { keyOf, site, startTerminator } from '../stage.ts'
import { readText } from './stage.ts'

let leaf: Leaf
let ca: string
beforeAll(async () => {
  const authority = await createAuthority()
  ca = authority.root.pem
  leaf = await authority.issueLeaf()
})

/** A backend that does this with each connection. */
async function play(begin: (socket: Socket) => void) {
  const connections: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.push(socket)
    endsWithTest(() => socket.destroy())
    socket.on('error', () => {})
    begin(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endsWithTest(() => server.close())
  const { port } = server.address() as { port: number }
  return { url: `tcp://127.0.0.1:${port}`, connections }
}

/** Says its INFO, then PONG to whatever it hears. */
const speakNats = (name: string) => (socket: Socket) => {
  socket.write(`INFO {"server_name":"${name}","connect_urls":["10.0.0.1:4222"]} \r\n`)
  socket.on('data', () => socket.write('PONG\r\n'))
}

const start = (backend: string | readonly string[], options: Partial<Omit<TerminatorOptions, 'keeper'>> = {}) =>
  startTerminator([site(leaf)], {
    protocol: 'nats',
    backend: typeof backend === 'string' ? backend : { urls: backend },
    ...options,
  })

function dial(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1' })
  endsWithTest(() => socket.destroy())
  return socket.on('error', () => {})
}

function secure(socket: Socket): TLSSocket {
  const secured = tlsConnect({ socket, ca, servername: 'localhost' })
  return secured.on('error', () => {})
}

/** The other side has ended or cut it. */
const over = (socket: Socket) =>
  new Promise<void>((resolve) => {
    if (socket.destroyed || socket.readableEnded) resolve()
    socket.once('end', () => resolve())
    socket.once('close', () => resolve())
    socket.resume()
  })

describe('a NATS client', () => {
  it('hears the INFO of the backend before TLS and its words after it', async () => {
    const { url } = await play(speakNats('a'))
    const { port } = await start(url)
    const socket = dial(port)
    expect(await readText(socket, '\n')).toBe('INFO {"server_name":"a","tls_required":true}\r\n')
    const secured = secure(socket)
    secured.write('PING\r\n')
    expect(await readText(secured, '\n')).toBe('PONG\r\n')
  })

  it('that goes before TLS leaves no connection to the backend behind', async () => {
    const { url, connections } = await play(speakNats('a'))
    const { port, terminator } = await start(url, { handshakeTimeoutMs: 300 })
    const socket = dial(port)
    await readText(socket, '\n')
    const [backend] = connections as [Socket]
    socket.destroy()
    await over(backend)
    expect(terminator.status()).toMatchObject({ connections: 0, handshakes: 0 })
  })

  it('that does not begin TLS after INFO is closed in time, and its backend with it', async () => {
    const { url, connections } = await play(speakNats('a'))
    const { port, next } = await start(url, { handshakeTimeoutMs: 300 })
    const failed = next('handshake-failed')
    const socket = dial(port)
    await readText(socket, '\n')
    socket.resume()
    expect((await failed).code).toBe('ERR_TLS_HANDSHAKE_TIMEOUT')
    await Promise.all([over(socket), over(connections[0] as Socket)])
  })

  it('that speaks in clear after INFO is closed', async () => {
    const { url, connections } = await play(speakNats('a'))
    const { port, next } = await start(url)
    const failed = next('handshake-failed')
    const socket = dial(port)
    await readText(socket, '\n')
    socket.write('CONNECT {}\r\nPING\r\n')
    socket.resume()
    await failed
    await Promise.all([over(socket), over(connections[0] as Socket)])
  })

  it('whose backend ends before TLS hears its last words inside TLS', async () => {
    const { url } = await play((socket) => socket.end("INFO {}\r\n-ERR 'maximum connections exceeded'\r\n"))
    const { port } = await start(url)
    const socket = dial(port)
    await readText(socket, 'INFO {"tls_required":true}\r\n')
    expect(await readText(secure(socket), '\n')).toBe("-ERR 'maximum connections exceeded'\r\n")
  })
})

describe('a backend that is none', () => {
  it.each([
    ['another protocol', 'ERR_NATS_PROTOCOL', (socket: Socket) => socket.write('220 mail.example ESMTP\r\n')],
    ['an end', 'ERR_NATS_NO_INFO', (socket: Socket) => socket.end()],
    ['a reset', /^ERR_/, (socket: Socket) => socket.resetAndDestroy()],
    ['silence', 'ERR_NATS_NO_INFO', () => {}],
  ] as const)('closes that one client with a word why: %s', async (_, code, misbehave) => {
    let isBad = false
    const { url } = await play((socket) => (isBad ? misbehave(socket) : speakNats('a')(socket)))
    for (const handshake of ['after-info', 'first'] as const) {
      isBad = false
      const { port, next, told } = await start(url, {
        nats: { handshake, advertise: [] },
        connectTimeoutMs: 300,
      })
      const good = dial(port)
      if (handshake === 'after-info') await readText(good, '\n')
      const other = secure(good)
      other.write('PING\r\n')
      await readText(other, 'PONG\r\n')
      isBad = true
      const failed = next('backend-failed')
      const client = dial(port)
      if (handshake === 'first') secure(client)
      else client.resume()
      // A reset may come before it is known that there was a connection.
      expect((await failed).error.code).toMatch(code)
      await over(client)
      other.write('PING\r\n')
      await readText(other, 'PONG\r\n')
      expect(told('backend-failed')).toHaveLength(1)
    }
  })

  it('that leaves the protocol later is cut, and so is its client, before a byte of it arrives', async () => {
    const { url, connections } = await play(speakNats('a'))
    const { port, next } = await start(url)
    const socket = dial(port)
    await readText(socket, '\n')
    const secured = secure(socket)
    secured.write('PING\r\n')
    await readText(secured, 'PONG\r\n')
    const failed = next('backend-failed')
    let heard = ''
    secured.on('data', (chunk) => {
      heard += chunk
    })
    secured.resume()
    const [backend] = connections as [Socket]
    backend.write('HTTP/1.1 200 OK\r\n')
    expect((await failed).error).toMatchObject({ code: 'ERR_NATS_PROTOCOL', detail: { backend: url } })
    await Promise.all([over(secured), over(backend)])
    expect(heard).toBe('')
  })
})

describe('of several backends', () => {
  it('one that says no INFO is left out, and its clients go to the next', async () => {
    const bad = await play((socket) => socket.write('SSH-2.0-OpenSSH\r\n'))
    const good = await play(speakNats('good'))
    const { port, told } = await start([bad.url, good.url])
    for (let count = 0; count < 4; count++) expect(await readText(dial(port), '\n')).toContain('"good"')
    expect(told('backend-failed')).toEqual([])
    expect(told('backend-left-out')).toMatchObject([{ backend: bad.url, error: { code: 'ERR_NATS_PROTOCOL' } }])
    expect(bad.connections).toHaveLength(1)
  })

  it('none that is one: every reason is told', async () => {
    const [a, b] = [await play((socket) => socket.end()), await play((socket) => socket.write('+PONG\r\n'))]
    const { port, next } = await start([a.url, b.url])
    const failed = next('backend-failed')
    const client = dial(port)
    client.resume()
    const { error } = await failed
    expect(error.message).toContain(a.url)
    expect(error.message).toContain(b.url)
    await over(client)
  })

  it('a silent one takes no more than its share of the time', async () => {
    const [silent, good] = [await play(() => {}), await play(speakNats('good'))]
    const { port } = await start([silent.url, good.url], { connectTimeoutMs: 3_200 })
    expect(await readText(dial(port), '\n')).toContain('"good"')
  })

  it('a client that goes while one is asked is not taken to another', async () => {
    const [silent, good] = [await play(() => {}), await play(speakNats('good'))]
    const { port, told, terminator } = await start([silent.url, good.url], {
      nats: { handshake: 'first', advertise: [] },
    })
    const client = dial(port)
    secure(client)
    while (silent.connections.length === 0) await new Promise((resolve) => setImmediate(resolve))
    client.destroy()
    await over(silent.connections[0] as Socket)
    expect({
      good: good.connections.length,
      told: told('backend-failed'),
      open: terminator.status().connections,
    }).toEqual({
      good: 0,
      told: [],
      open: 0,
    })
  })
})

describe('sites with backends of their own', () => {
  async function twoSites(handshake: NatsOptions['handshake']) {
    const [one, two] = [await play(speakNats('one')), await play(speakNats('two'))]
    const other = await (await createAuthority()).issueLeaf({ name: 'two.example', san: ['two.example'] })
    const { port } = await startTerminator(
      [
        site(leaf, { names: ['localhost'], backend: one.url }),
        site(other, { names: ['two.example'], backend: two.url }),
      ],
      { protocol: 'nats', nats: { handshake, advertise: [] } },
    )
    return { port, two }
  }

  it('serve each client from its own when TLS comes first', async () => {
    const { port } = await twoSites({ waitMs: 5_000 })
    const secured = tlsConnect({ socket: dial(port), ca, servername: 'two.example' })
    expect(await readText(secured, '\n')).toContain('"two"')
  })

  it('serve every client from the default one when INFO comes first, as its INFO says', async () => {
    const { port, two } = await twoSites('after-info')
    const socket = dial(port)
    expect(await readText(socket, '\n')).toContain('"one"')
    const secured = tlsConnect({ socket, ca, servername: 'two.example' })
    secured.write('PING\r\n')
    expect(await readText(secured, '\n')).toBe('PONG\r\n')
    expect(two.connections).toEqual([])
  })
})

describe('a stream from the backend', () => {
  it('arrives whole, with its INFO lines rewritten, at a client that is slow to read', async () => {
    const payload = 'INFO {"connect_urls":["10.0.0.1:1"]}\r\n'.repeat(2_000)
    const one = `MSG a 1 ${payload.length}\r\n${payload}\r\n`
    const count = 200
    const { url } = await play((socket) => {
      socket.write('INFO {}\r\n')
      socket.once('data', () => {
        for (let index = 0; index < count; index++)
          socket.write(`${one}INFO {"client_id":${index},"connect_urls":[]}\r\n`)
        socket.end('PING\r\n')
      })
    })
    const { port } = await start(url)
    const socket = dial(port)
    await readText(socket, '\n')
    const secured = secure(socket)
    secured.write('CONNECT {}\r\n')
    const expected = createHash('sha256')
    for (let index = 0; index < count; index++)
      expected.update(`${one}INFO {"client_id":${index},"tls_required":true}\r\n`)
    expected.update('PING\r\n')
    const seen = createHash('sha256')
    let chunks = 0
    for await (const chunk of secured) {
      seen.update(chunk)
      if (++chunks % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(seen.digest('hex')).toBe(expected.digest('hex'))
  })
})

describe('what the front looks at before TLS, after INFO,', () => {
  it.each([
    ['RSA', 'ECDHE-RSA-AES128-GCM-SHA256', 'rsa.example'],
    ['ECDSA', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'localhost'],
  ])('chooses the certificate that a client of %s can use', async (_, ciphers, name) => {
    const rsa = await (await createAuthority()).issueLeaf({ name: 'rsa.example', keyType: 'rsa2048' })
    const { url } = await play(speakNats('a'))
    const { port } = await startTerminator([site([leaf, rsa])], { protocol: 'nats', backend: url })
    const socket = dial(port)
    await readText(socket, '\n')
    const secured = tlsConnect({ socket, ca, servername: 'localhost', maxVersion: 'TLSv1.2', ciphers })
    secured.write('PING\r\n')
    expect(await readText(secured, '\n')).toBe('PONG\r\n')
    expect(secured.getPeerCertificate().subject.CN).toBe(name)
  })

  it('refuses a certificate without a staple by an alert, and ends the backend', async () => {
    const { url, connections } = await play(speakNats('a'))
    const { port, next } = await startTerminator([site(leaf, { policies: { onStale: 'refuse' } })], {
      protocol: 'nats',
      backend: url,
      keeper: fakeKeeper({ [keyOf(leaf)]: stale }),
    })
    const refused = next('handshake-refused')
    const socket = dial(port)
    await readText(socket, '\n')
    const failure = new Promise<NodeJS.ErrnoException>((resolve) => secure(socket).once('error', resolve))
    expect((await refused).reason).toBe('no-staple')
    expect((await failure).code).toMatch(/HANDSHAKE_FAILURE/)
    await over(connections[0] as Socket)
  })

  it('refuses a name that no site has, and ends the backend', async () => {
    const { url, connections } = await play(speakNats('a'))
    const { port, next } = await startTerminator([site(leaf, { names: ['localhost'] })], {
      protocol: 'nats',
      backend: url,
      unknownSni: 'refuse',
    })
    const refused = next('handshake-refused')
    const socket = dial(port)
    await readText(socket, '\n')
    tlsConnect({ socket, ca, servername: 'other.example' }).on('error', () => {})
    expect(await refused).toMatchObject({ reason: 'unknown-sni', serverName: 'other.example' })
    await over(connections[0] as Socket)
  })
})

it('a drain ends the clients that stay, before TLS and after it, and their backends', async () => {
  const { url, connections } = await play(speakNats('a'))
  const { port, terminator } = await start(url, { drainTimeoutMs: 300 })
  const [waiting, talking] = [dial(port), dial(port)]
  await Promise.all([readText(waiting, '\n'), readText(talking, '\n')])
  const secured = secure(talking)
  const drained = terminator.drain()
  secured.write('PING\r\n')
  expect(await readText(secured, '\n')).toBe('PONG\r\n')
  await Promise.all([drained, over(waiting), over(secured), ...connections.map(over)])
  expect({ connections: terminator.status().connections, dialled: connections.length }).toEqual({
    connections: 0,
    dialled: 2,
  })
})

describe('a stranger, where PROXY headers are taken from others', () => {
  const acceptProxyProtocol = ['192.0.2.0/24']

  it('is refused with a header after INFO, by a line of its own, and the backend is let go', async () => {
    const { url, connections } = await play(speakNats('a'))
    const { port, told } = await start(url, { acceptProxyProtocol })
    const socket = dial(port)
    await readText(socket, '\n')
    socket.write('PROXY TCP4 192.0.2.9 192.0.2.1 4711 4222\r\n')
    await over(socket)
    await over(connections[0] as Socket)
    expect(told('connection-refused')).toMatchObject([
      { reason: 'unexpected-proxy-header', remoteAddress: '127.0.0.1' },
    ])
  })

  it('comes in without one', async () => {
    const { url } = await play(speakNats('a'))
    const { port } = await start(url, { acceptProxyProtocol })
    const socket = dial(port)
    await readText(socket, '\n')
    const secured = secure(socket)
    secured.write('PING\r\n')
    expect(await readText(secured, '\n')).toBe('PONG\r\n')
  })
})
