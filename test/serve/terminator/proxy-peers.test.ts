/** Our PROXY headers before the programs that made the protocol common, and theirs before ours. */
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type ProxyHeader, readProxyHeader } from '../../../src/serve/terminator/proxy-protocol/read.ts'
import { encodeProxyHeader } from '../../../src/serve/terminator/proxy-protocol/write.ts'
import { freePort } from '../../kit/free-port.ts'
import { startHaproxy } from '../../kit/haproxy.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { nginxPaths, startNginx } from '../../kit/nginx.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'
import { readAll, until } from '../tls-client.ts'

/** Reads a header of each connection, and what follows it. */
async function receiver() {
  const headers: ProxyHeader[] = []
  const rest: string[] = []
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    let bytes = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      const reading = readProxyHeader(bytes)
      if (reading.kind === 'invalid') throw new Error(reading.found)
      if (reading.kind === 'incomplete' || bytes.length < reading.length + 2) return
      socket.removeAllListeners('data')
      headers.push(reading)
      rest.push(bytes.toString('latin1', reading.length))
      socket.end('thanks')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  endsWithTest(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { port: (server.address() as { port: number }).port, headers, rest }
}

async function ask(
  port: number,
  bytes: Buffer | string,
  host = '127.0.0.1',
): Promise<{ answer: string; from: number }> {
  const socket = connect(port, host)
  await once(socket, 'connect')
  const from = socket.localPort as number
  socket.write(bytes)
  return { answer: String(await readAll(socket)), from }
}

describe('a header of HAProxy', () => {
  it.each([
    ['send-proxy', {}],
    ['send-proxy-v2', {}],
    ['send-proxy-v2 proxy-v2-options crc32c,unique-id', {}],
  ])('made by %s is read', async (option) => {
    const { port: behind, headers, rest } = await receiver()
    const port = await freePort()
    await startHaproxy(
      `frontend in
  mode tcp
  bind 127.0.0.1:${port}
  unique-id-format %ci:%cp
  default_backend out
backend out
  mode tcp
  server it 127.0.0.1:${behind} ${option}`,
      port,
    )
    headers.length = rest.length = 0
    const { from, answer } = await ask(port, 'hello')
    expect(answer).toBe('thanks')
    expect(rest).toEqual(['hello'])
    expect(headers).toMatchObject([
      { source: { address: '127.0.0.1', port: from }, destination: { address: '127.0.0.1', port } },
    ])
  })

  it.each([['send-proxy'], ['send-proxy-v2']])('made by %s over IPv6 is read', async (option) => {
    const { port: behind, headers } = await receiver()
    const port = await freePort()
    await startHaproxy(
      `listen in
  mode tcp
  bind [::1]:${port}
  bind 127.0.0.1:${port}
  server it 127.0.0.1:${behind} ${option}`,
      port,
    )
    headers.length = 0
    const { from } = await ask(port, 'hello', '::1')
    expect(headers).toMatchObject([{ source: { address: '::1', port: from }, destination: { address: '::1', port } }])
  })

  it('about a client whose address it does not know has none', async () => {
    const { port: behind, headers } = await receiver()
    const port = await freePort()
    const socketPath = join(temporaryDirectory('haproxy'), 'in.sock')
    await startHaproxy(
      `listen in
  mode tcp
  bind 127.0.0.1:${port}
  bind unix@${socketPath}
  server it 127.0.0.1:${behind} send-proxy-v2`,
      port,
    )
    // It comes after the port, whole: it is made under another name.
    await until(() => existsSync(socketPath))
    headers.length = 0
    const socket = connect(socketPath)
    socket.write('hello')
    expect(String(await readAll(socket))).toBe('thanks')
    expect(headers.map(({ source }) => source)).toEqual([undefined])
  })

  it('of a check of health is LOCAL, and has no address', async () => {
    const { port: behind, headers } = await receiver()
    const port = await freePort()
    await startHaproxy(
      `listen in
  mode tcp
  bind 127.0.0.1:${port}
  option tcp-check
  tcp-check send hi
  tcp-check expect string thanks
  server it 127.0.0.1:${behind} send-proxy-v2 check check-send-proxy inter 100ms`,
      port,
    )
    await until(() => headers.some(({ length }) => length === 16))
    expect(headers.find(({ length }) => length === 16)).toEqual({ kind: 'header', length: 16 })
  })
})

describe.each(['v1', 'v2'] as const)('our header of %s', (version) => {
  const ends = [
    { address: '192.0.2.1', port: 56324 },
    { address: '198.51.100.2', port: 443 },
  ] as const
  const ends6 = [
    { address: '2001:db8::1', port: 1 },
    { address: '2001:db8:0:1::2', port: 65535 },
  ] as const
  const mapped = [{ address: '::ffff:192.0.2.1', port: 56324 }, ends[1]] as const
  const mixed = [ends[0], ends6[1]] as const

  it('is understood by HAProxy', async () => {
    const port = await freePort()
    const plain = await freePort()
    await startHaproxy(
      `frontend in
  mode http
  bind 127.0.0.1:${plain}
  bind 127.0.0.1:${port} accept-proxy
  http-request return content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port]\\n"`,
      plain,
    )
    const seen = async (source: (typeof ends)[0], destination: (typeof ends)[1] | (typeof ends6)[1]) =>
      (await ask(port, Buffer.concat([encodeProxyHeader(version, source, destination), request]))).answer
    expect(await seen(...ends)).toContain('\r\n\r\n192.0.2.1 56324 198.51.100.2 443\n')
    expect(await seen(...(ends6 as never as typeof ends))).toContain('\r\n\r\n2001:db8::1 1 2001:db8:0:1::2 65535\n')
    expect(await seen(...(mapped as never as typeof ends))).toContain('\r\n\r\n192.0.2.1 56324 198.51.100.2 443\n')
    expect(await seen(...mixed)).toMatch(/\r\n\r\n127\.0\.0\.1 \d+ 127\.0\.0\.1 \d+\n/)
  })

  it('is understood by nginx', async () => {
    const port = await freePort()
    await startNginx(
      `http {
${nginxPaths}
  server {
    listen 127.0.0.1:${port} proxy_protocol;
    return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port\\n";
  }
}`,
      port,
    )
    const seen = async (source: (typeof ends)[0], destination: (typeof ends)[1] | (typeof ends6)[1]) =>
      (await ask(port, Buffer.concat([encodeProxyHeader(version, source, destination), request]))).answer
    expect(await seen(...ends)).toContain('\r\n\r\n192.0.2.1 56324 198.51.100.2 443\n')
    expect(await seen(...(ends6 as never as typeof ends))).toContain('\r\n\r\n2001:db8::1 1 2001:db8:0:1::2 65535\n')
    expect(await seen(...mixed)).toContain('\r\n\r\n   \n')
  })
})

const request = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
