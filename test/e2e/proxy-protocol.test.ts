/**
 * The PROXY protocol through the real program: behind HAProxy, before nginx and HAProxy, and before those who lie.
 *
 * Every address of 127.0.0.0/8 is this machine, so that a test has proxies (127.0.0.1), clients (127.0.0.7) and strangers
 * (127.0.0.9).
 */
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { encodeProxyHeader } from '../../src/serve/terminator/proxy-protocol/write.ts'
import { createAuthority } from '../kit/authority.ts'
import { startBackend } from '../kit/backend.ts'
import { formatConfig, type RunningDaemon, startDaemon } from '../kit/daemon.ts'
import { freePort } from '../kit/free-port.ts'
import { startHaproxy } from '../kit/haproxy.ts'
import { endsWithTest } from '../kit/lifetime.ts'
import { nginxPaths, startNginx } from '../kit/nginx.ts'
import { createScriptedResponder } from '../kit/responder.ts'
import { temporaryDirectory } from '../kit/temporary.ts'

const authority = await createAuthority()

interface Stage {
  readonly daemon: RunningDaemon
  readonly port: number
}

async function setStage(backend: string, lines: readonly string[]): Promise<Stage> {
  const responder = await createScriptedResponder({ authority })
  const leaf = await authority.issueLeaf({ mustStaple: true, responderURL: responder.url })
  const daemon = await startDaemon(formatConfig({ backend, leaf, lines }))
  return { daemon, port: await daemon.opened() }
}

const accepting = 'accept_proxy_protocol: ["127.0.0.1"]'
const debug = 'log { level: debug }'
const ends = [
  { address: '203.0.113.9', port: 4711 },
  { address: '198.51.100.2', port: 443 },
] as const

/** A TCP connection from an address of this machine. */
async function dial(port: number, from = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from })
  socket.on('error', () => {})
  endsWithTest(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Everything that comes until the connection is closed, in order or not. */
function readToEnd(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
}

interface Page {
  readonly text: string
  readonly isStapled: boolean
}

/** Asks for a page over TLS, on a connection that may have begun with something else. */
async function ask(socket: Socket): Promise<Page> {
  let isStapled = false
  const options = { socket, servername: 'localhost', ca: authority.root.pem, requestOCSP: true }
  const client: TLSSocket = tlsConnect(options as ConnectionOptions)
  client.on('OCSPResponse', (response: Buffer | null) => {
    isStapled = response !== null && response.length > 0
  })
  client.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  return { text: await readToEnd(client), isStapled }
}

/** nginx as the backend, which answers with what a PROXY header says. */
async function nginxBackend(): Promise<string> {
  const port = await freePort()
  await startNginx(
    `http {
${nginxPaths}
  server {
    listen 127.0.0.1:${port} proxy_protocol;
    return 200 "nginx saw $proxy_protocol_addr:$proxy_protocol_port at $proxy_protocol_server_addr:$proxy_protocol_server_port\\n";
  }
}`,
    port,
  )
  return `tcp://127.0.0.1:${port}`
}

describe('from one end to the other', () => {
  test.each([
    ['send-proxy', 'v1'],
    ['send-proxy', 'v2'],
    ['send-proxy-v2', 'v1'],
    ['send-proxy-v2', 'v2'],
  ] as const)('HAProxy with %s, Staplewright with %s and nginx name the same client', async (option, version) => {
    const { port } = await setStage(await nginxBackend(), [accepting, `send_proxy_protocol: ${version}`])
    const front = await freePort()
    await startHaproxy(
      `listen in
  mode tcp
  bind 127.0.0.1:${front}
  server staplewright 127.0.0.1:${port} ${option}`,
      front,
    )
    const socket = await dial(front, '127.0.0.7')
    const from = socket.localPort
    expect(await ask(socket)).toEqual({
      isStapled: true,
      text: expect.stringContaining(`nginx saw 127.0.0.7:${from} at 127.0.0.1:${front}\n`),
    })
  })

  test('several workers name the same clients', async () => {
    const { port } = await setStage(await nginxBackend(), [accepting, 'send_proxy_protocol: v2', 'workers: 2'])
    for (let index = 0; index < 8; index++) {
      const socket = await dial(port)
      socket.write(encodeProxyHeader('v2', { ...ends[0], port: 1000 + index }, ends[1]))
      expect(await ask(socket)).toEqual({
        isStapled: true,
        text: expect.stringContaining(`nginx saw 203.0.113.9:${1000 + index} at 198.51.100.2:443\n`),
      })
    }
  })

  test.each(['v1', 'v2'] as const)('a client without a proxy is named to the backend with %s', async (version) => {
    const { port } = await setStage(await nginxBackend(), [`send_proxy_protocol: ${version}`])
    const socket = await dial(port, '127.0.0.7')
    const from = socket.localPort
    expect((await ask(socket)).text).toContain(`nginx saw 127.0.0.7:${from} at 127.0.0.1:${port}\n`)
  })

  test('a backend over TLS is told before the handshake: HAProxy with `accept-proxy ssl`', async () => {
    const port = await freePort()
    const plain = await freePort()
    const shown = await authority.issueLeaf()
    const file = `${temporaryDirectory('haproxy')}/shown.pem`
    await writeFile(file, `${shown.chainPem}\n${shown.key}`)
    await startHaproxy(
      `frontend in
  mode http
  bind 127.0.0.1:${plain}
  bind 127.0.0.1:${port} accept-proxy ssl crt ${file}
  http-request return content-type text/plain lf-string "HAProxy saw %[src]:%[src_port] over %[ssl_fc_protocol]\\n"`,
      plain,
    )
    const responder = await createScriptedResponder({ authority })
    const leaf = await authority.issueLeaf({ mustStaple: true, responderURL: responder.url })
    const config = formatConfig({ backend: 'x', leaf, lines: ['send_proxy_protocol: v2'] }).replace(
      'backend: "x"',
      `backend { url: "tls://localhost:${port}", ca_file: "${leaf.rootFile}" }`,
    )
    const daemon = await startDaemon(config)
    const socket = await dial(await daemon.opened(), '127.0.0.7')
    const from = socket.localPort
    expect((await ask(socket)).text).toContain(`HAProxy saw 127.0.0.7:${from} over TLSv1.3\n`)
  })
})

describe('a header from a named network', () => {
  test.each(['v1', 'v2'] as const)('of %s, byte by byte, is whom the log speaks of', async (version) => {
    const { daemon, port } = await setStage((await startBackend()).url, [accepting, debug])
    const socket = await dial(port)
    socket.setNoDelay()
    for (const byte of encodeProxyHeader(version, ...ends)) {
      socket.write(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await ask(socket)).toEqual({ isStapled: true, text: expect.stringContaining('200 OK') })

    const bad = await dial(port)
    bad.write(Buffer.concat([encodeProxyHeader(version, ...ends), Buffer.from('this is no TLS\r\n')]))
    await readToEnd(bad)
    await daemon.waitForLine(/^handshake with 203\.0\.113\.9 failed/)
  })

  test('may come in one segment with the ClientHello', async () => {
    const { port } = await setStage((await startBackend()).url, [accepting])
    const socket = await dial(port)
    socket.cork()
    socket.write(encodeProxyHeader('v2', ...ends))
    const page = ask(socket)
    await new Promise((resolve) => setImmediate(resolve))
    socket.uncork()
    expect((await page).text).toContain('200 OK')
  })

  test.each(['v1', 'v2'] as const)('of %s that says no address leaves the connection its own', async (version) => {
    const { port } = await setStage(await nginxBackend(), [accepting, 'send_proxy_protocol: v2'])
    const socket = await dial(port)
    const from = socket.localPort
    socket.write(encodeProxyHeader(version, undefined, undefined))
    expect((await ask(socket)).text).toContain(`nginx saw 127.0.0.1:${from} at 127.0.0.1:${port}\n`)
  })
})

test('on a listener of both families IPv4 clients and proxies are what they are', async () => {
  const backend = await nginxBackend()
  const config = formatConfig({
    backend,
    leaf: await authority.issueLeaf(),
    ocsp: 'false',
    lines: ['accept_proxy_protocol: ["127.0.0.1/32"]', 'send_proxy_protocol: v1'],
  })
  const daemon = await startDaemon(config.replace('127.0.0.1:0', '[::]:0'))
  const port = await daemon.opened()
  const proxied = await dial(port)
  proxied.write(encodeProxyHeader('v1', ...ends))
  expect((await ask(proxied)).text).toContain('nginx saw 203.0.113.9:4711 at 198.51.100.2:443\n')
  const plain = await dial(port, '127.0.0.9')
  const from = plain.localPort
  expect((await ask(plain)).text).toContain(`nginx saw 127.0.0.9:${from} at 127.0.0.1:${port}\n`)
  const six = connect({ port, host: '::1' })
  await once(six, 'connect')
  const fromSix = six.localPort
  expect((await ask(six)).text).toContain(`nginx saw ::1:${fromSix} at ::1:${port}\n`)
})

test('a reload changes whose headers count, and leaves what is open alone', async () => {
  const { daemon, port } = await setStage(await nginxBackend(), [accepting, 'send_proxy_protocol: v2'])
  const open = await dial(port)
  open.write(encodeProxyHeader('v2', ...ends))
  const text = await readFile(daemon.configFile, 'utf8')
  await writeFile(daemon.configFile, text.replace(accepting, 'accept_proxy_protocol: ["127.0.0.7/32"]'))
  daemon.program.kill('SIGHUP')
  await daemon.waitForLine(/reloaded/)
  expect((await ask(open)).text).toContain('nginx saw 203.0.113.9:4711 ')

  const before = await dial(port)
  before.write(encodeProxyHeader('v2', ...ends))
  expect((await ask(before)).text).toBe('')
  const now = await dial(port, '127.0.0.7')
  now.write(encodeProxyHeader('v2', ...ends))
  expect((await ask(now)).text).toContain('nginx saw 203.0.113.9:4711 ')
})

describe('what is refused', () => {
  test('a connection without a header from a named network: at once, with a line that says so, and no other', async () => {
    const { daemon, port } = await setStage((await startBackend()).url, [accepting])
    const open = await dial(port)
    open.write(encodeProxyHeader('v1', ...ends))
    expect((await ask(await dial(port))).text).toBe('')
    const line = await daemon.waitForLine(/accept_proxy_protocol wants a PROXY header first: a TLS handshake$/)
    expect(line).toMatchObject({ level: 'warn' })
    expect(line.message).toContain('127.0.0.1')
    expect((await ask(open)).text).toContain('200 OK')
  })

  test.each(['v1', 'v2'] as const)(
    'a header of %s from a stranger, whose plain connections are served',
    async (version) => {
      const { daemon, port } = await setStage((await startBackend()).url, [accepting])
      const stranger = await dial(port, '127.0.0.9')
      stranger.write(encodeProxyHeader(version, ...ends))
      expect((await ask(stranger)).text).toBe('')
      const line = await daemon.waitForLine(/PROXY header from outside the networks/)
      expect(line).toMatchObject({ level: 'warn' })
      expect(line.message).toContain('127.0.0.9')
      expect(await ask(await dial(port, '127.0.0.9'))).toEqual({
        isStapled: true,
        text: expect.stringContaining('200 OK'),
      })
    },
  )

  test('a header where none is configured: it is no ClientHello', async () => {
    const { daemon, port } = await setStage((await startBackend()).url, [debug])
    const socket = await dial(port)
    socket.write(encodeProxyHeader('v1', ...ends))
    await ask(socket)
    await daemon.waitForLine(/^handshake with 127\.0\.0\.1 failed/)
    expect((await ask(await dial(port))).text).toContain('200 OK')
  })

  test.each([
    ['cut short', Buffer.from('PROXY TCP4 203.0.113.9')],
    ['cut short in binary', encodeProxyHeader('v2', ...ends).subarray(0, 20)],
    ['nothing at all', Buffer.alloc(0)],
  ])('%s, when the time of a handshake is over', async (_, bytes) => {
    const { daemon, port } = await setStage((await startBackend()).url, [accepting])
    const socket = await dial(port)
    const begun = performance.now()
    socket.write(bytes)
    expect(await readToEnd(socket)).toBe('')
    const elapsedMs = performance.now() - begun
    expect(elapsedMs).toBeGreaterThan(1_900)
    expect(elapsedMs).toBeLessThan(5_000)
    await daemon.waitForLine(/wants a PROXY header first: nothing whole within 2000 ms$/)
    const next = await dial(port)
    next.write(encodeProxyHeader('v1', ...ends))
    expect((await ask(next)).text).toContain('200 OK')
  })

  test('hostile headers, each with what was found, and the next client is served', async () => {
    const v2 = encodeProxyHeader('v2', ...ends)
    const changed = (index: number, value: number) => {
      const bytes = Buffer.from(v2)
      bytes[index] = value
      return bytes
    }
    const { daemon, port } = await setStage((await startBackend()).url, [accepting])
    const hostile = [
      Buffer.from('PROXY TCP4 999.0.113.9 198.51.100.2 1 2\r\n'),
      Buffer.from(`PROXY UNKNOWN ${'x'.repeat(200)}`),
      Buffer.from('PROXY TCP4 203.0.113.9 198.51.100.2 1 2\n\n\n\n'.padEnd(120, '\n')),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      changed(12, 0x31),
      changed(12, 0x2f),
      changed(13, 0x77),
      changed(14, 0xff),
      changed(15, 4),
      Buffer.alloc(1_000_000, 'PROXY '),
    ]
    for (const bytes of hostile) {
      const socket = await dial(port)
      socket.write(bytes)
      expect(await readToEnd(socket)).toBe('')
    }
    const first = await daemon.waitForLine(/wants a PROXY header first/)
    expect(first.message).toContain('a PROXY line of TCP4 with the address "999.0.113.9"')
    const next = await dial(port)
    next.write(v2)
    expect((await ask(next)).text).toContain('200 OK')
    expect(daemon.program.hasEnded).toBe(false)
  })
})
