/** Backends through the real program: over TLS and verified, in turn, dying and coming back; and limits that clients feel. */
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { createAuthority, type Leaf, type LeafOptions } from '../kit/authority.ts'
import { openWithNode } from '../kit/clients/node.ts'
import { formatConfig, type LogLine, programFile, type RunningDaemon, startDaemon } from '../kit/daemon.ts'
import { freePort } from '../kit/free-port.ts'
import { endsWithTest } from '../kit/lifetime.ts'
import { startProgram } from '../kit/program.ts'
import { temporaryDirectory } from '../kit/temporary.ts'

const authority = await createAuthority()
const stranger = await createAuthority({ fresh: true, name: 'Stranger' })
const shown = await authority.issueLeaf()

/** A daemon whose `backend` is this text; nothing is stapled, as that is not what is tested here. */
async function front(backend: string, lines: readonly string[] = []): Promise<RunningDaemon & { port: number }> {
  const config = formatConfig({ backend: 'x', leaf: shown, ocsp: 'false', lines })
  const daemon = await startDaemon(config.replace('backend: "x"', `backend: ${backend}`))
  return { ...daemon, port: await daemon.opened() }
}

/** What a backend says to a client that comes through, or how that went wrong. */
async function hear(port: number): Promise<string> {
  try {
    const { socket } = await openWithNode({ port, rootFile: shown.rootFile })
    return await new Promise((resolve) => {
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk
        socket.end()
      })
      socket.on('close', () => resolve(text === '' ? 'closed' : text))
    })
  } catch (error) {
    return String(error)
  }
}

interface Mortal {
  readonly url: string
  start(): Promise<void>
  kill(): Promise<void>
}

/** A backend that says its name, and can be killed. */
async function mortal(name: string): Promise<Mortal> {
  const port = await freePort()
  const sockets = new Set<Socket>()
  let server: Server | undefined
  const kill = async () => {
    for (const socket of sockets) socket.destroy()
    const closing = server
    server = undefined
    if (closing) await new Promise<void>((resolve) => closing.close(() => resolve()))
  }
  endsWithTest(kill)
  const start = async () => {
    server = createServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket)).on('error', () => {})
      socket.write(name)
    }).listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await start()
  return { url: `tcp://127.0.0.1:${port}`, start, kill }
}

async function tlsBackend(leaf: Leaf): Promise<number> {
  const server = createTlsServer({ cert: leaf.chainPem, key: leaf.key }, (socket) => {
    socket.on('error', () => {})
    socket.write(`over TLS as ${socket.servername}`)
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  endsWithTest(() => server.close())
  return (server.address() as { port: number }).port
}

const daysFromNow = (days: number) => new Date(Date.now() + days * 86_400_000)
const from = (daemon: RunningDaemon, line: LogLine) => daemon.log().indexOf(line) + 1

describe('a backend over TLS', () => {
  test('that proves its name to the CAs of ca_file takes connections', async () => {
    const port = await tlsBackend(await authority.issueLeaf())
    const daemon = await front(`{ url: "tls://localhost:${port}", ca_file: "${shown.rootFile}" }`)
    expect(await hear(daemon.port)).toBe('over TLS as localhost')
  })

  test('may be an address that proves the name of server_name', async () => {
    const port = await tlsBackend(await authority.issueLeaf({ san: ['backend.example.net'] }))
    const daemon = await front(
      `{ url: "tls://127.0.0.1:${port}", ca_file: "${shown.rootFile}", server_name: "backend.example.net" }`,
    )
    expect(await hear(daemon.port)).toBe('over TLS as backend.example.net')
  })

  test.each<[string, LeafOptions, RegExp]>([
    ['of another name', { san: ['other.example.net'] }, /altnames.*\(give the name .* server_name/],
    [
      'past its end',
      { notBefore: daysFromNow(-20), notAfter: daysFromNow(-1) },
      /certificate has expired \(renew the backend's certificate\)/,
    ],
  ])('with a certificate %s is refused, with a line that says why', async (_, options, words) => {
    const port = await tlsBackend(await authority.issueLeaf(options))
    const daemon = await front(`{ url: "tls://localhost:${port}", ca_file: "${shown.rootFile}" }`)
    expect(await hear(daemon.port)).toBe('closed')
    const line = await daemon.waitForLine(/was refused for its certificate/)
    expect(line).toMatchObject({ level: 'error', message: expect.stringMatching(words) })
    expect(line.message).toContain(`tls://localhost:${port}`)
  })

  test.each([
    ['of another CA than that of ca_file', () => `, ca_file: "${stranger.caFile}"`],
    ["of none of Node's CAs, when ca_file names no other", () => ''],
  ])('with a certificate %s is refused, with a line that says why', async (_, caFile) => {
    const port = await tlsBackend(await authority.issueLeaf())
    const daemon = await front(`{ url: "tls://localhost:${port}"${caFile()} }`)
    expect(await hear(daemon.port)).toBe('closed')
    const { message } = await daemon.waitForLine(/was refused for its certificate/)
    expect(message).toMatch(/unable to get .* certificate .*\(give the CA .* ca_file/)
  })

  test('that speaks no TLS is refused, with a line that says so', async () => {
    const plain = await mortal('220 hello\r\n')
    const daemon = await front(`"${plain.url.replace('tcp', 'tls')}"`)
    expect(await hear(daemon.port)).toBe('closed')
    await daemon.waitForLine(/could not be reached: .*\(tls:\/\/ is for a backend that begins with a TLS handshake/)
  })

  test('is not verified only under danger', async () => {
    const port = await tlsBackend(await stranger.issueLeaf({ san: ['other.example.net'] }))
    const daemon = await front(`"tls://localhost:${port}"`, ['danger { unverified_backends: true }'])
    expect(await hear(daemon.port)).toBe('over TLS as localhost')
  })
})

describe('several backends', () => {
  test('are taken in turn; one that dies is left out and one that comes back is taken, and no client notices', async () => {
    const [a, b] = [await mortal('a'), await mortal('b')]
    const daemon = await front(`["${a.url}", "${b.url}"]`)
    expect([await hear(daemon.port), await hear(daemon.port), await hear(daemon.port)]).toEqual(['a', 'b', 'a'])

    await b.kill()
    const heard = new Set<string>()
    for (let index = 0; index < 6; index++) heard.add(await hear(daemon.port))
    expect([...heard]).toEqual(['a'])
    const out = await daemon.waitForLine(/is left out for a while/)
    expect(out).toMatchObject({ level: 'warn', message: expect.stringContaining(b.url) })

    await b.start()
    await expect.poll(() => hear(daemon.port), { timeout: 10_000, interval: 50 }).toBe('b')
    await daemon.waitForLine((line) => line.message === `backend ${b.url} is back`, 5_000, from(daemon, out))
    expect([await hear(daemon.port), await hear(daemon.port)].sort()).toEqual(['a', 'b'])
  })

  test('that are all down close their clients, with every cause in one line, and serve again when one is back', async () => {
    const [a, b] = [await mortal('a'), await mortal('b')]
    const daemon = await front(`["${a.url}", "${b.url}"]`)
    await Promise.all([a.kill(), b.kill()])
    expect(await hear(daemon.port)).toBe('closed')
    const line = await daemon.waitForLine(/^no backend took the connection/)
    expect(line.level).toBe('error')
    for (const { url } of [a, b]) expect(line.message).toContain(`backend ${url} could not be reached`)
    await a.start()
    // At once, not when its time to be tried comes: with nobody left, everybody is tried.
    expect(await hear(daemon.port)).toBe('a')
  })

  test('of a site of its own are apart from the others', async () => {
    const [a, b] = [await mortal('a'), await mortal('b')]
    const other = await authority.issueLeaf({ san: ['other.example.net'] })
    const daemon = await front(`"${a.url}"`, [
      `sites [ { names: ["other.example.net"], backend: ["${b.url}"], tls { cert_file: "${other.certificateFile}", key_file: "${other.keyFile}", ca_file: "${other.caFile}" } } ]`,
    ])
    expect(await hear(daemon.port)).toBe('a')
    const { socket } = await openWithNode({ port: daemon.port, rootFile: shown.rootFile, name: 'other.example.net' })
    expect(String((await once(socket, 'data'))[0])).toBe('b')
  })
})

test('a reload that names other backends takes new connections there, and leaves open ones where they are', async () => {
  const [a, b] = [await echo('a'), await echo('b')]
  const daemon = await front(`"${a}"`)
  const open = await openWithNode({ port: daemon.port, rootFile: shown.rootFile })
  expect(await open.ask('1')).toBe('a1')
  const text = await readFile(daemon.configFile, 'utf8')
  await writeFile(daemon.configFile, text.replace(`"${a}"`, `["${b}", "tcp://127.0.0.1:${await freePort()}"]`))
  daemon.program.kill('SIGHUP')
  await daemon.waitForLine(/reloaded/)
  for (let index = 0; index < 3; index++) {
    const next = await openWithNode({ port: daemon.port, rootFile: shown.rootFile })
    expect(await next.ask('2')).toBe('b2')
    next.socket.destroy()
  }
  expect(await open.ask('3')).toBe('a3')
})

/** A backend that repeats what it hears, with its name before it. */
async function echo(name: string): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('data', (chunk) => socket.write(`${name}${chunk}`))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  endsWithTest(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `tcp://127.0.0.1:${(server.address() as { port: number }).port}`
}

test('connection_rate_limit closes what comes above it, says so, and lets in again a second later', async () => {
  const a = await mortal('a')
  const config = formatConfig({ backend: a.url, leaf: shown, ocsp: 'false' })
  const daemon = await startDaemon(config.replace('tls {', 'tls {\n  connection_rate_limit: 5'))
  const port = await daemon.opened()
  const heard = await Promise.all(Array.from({ length: 40 }, () => hear(port)))
  const served = heard.filter((text) => text === 'a').length
  expect(served).toBeGreaterThanOrEqual(5)
  expect(served).toBeLessThan(15)
  expect((await daemon.waitForLine(/connection_rate_limit is reached/)).level).toBe('warn')
  await expect.poll(() => hear(port), { timeout: 5_000, interval: 300 }).toBe('a')
})

test('a process without file descriptors says that it is this one that lacks them, and recovers', async () => {
  const a = await mortal('a')
  const directory = temporaryDirectory('files')
  const file = join(directory, 'staplewright.conf')
  await writeFile(file, formatConfig({ backend: a.url, leaf: shown, ocsp: 'false', lines: ['max_connections: 1000'] }))
  const program = startProgram(
    'sh',
    ['-c', `ulimit -n 160; exec "${process.execPath}" "${programFile}" serve -c "${file}"`],
    {
      cwd: directory,
      graceMs: 500,
    },
  )
  const port = Number((await program.waitFor(/open on 127\.0\.0\.1:(\d+) ->/))[1])
  const opened = await Promise.allSettled(
    Array.from({ length: 150 }, () => openWithNode({ port, rootFile: shown.rootFile, timeoutMs: 4_000 })),
  )
  await program.waitFor(/EMFILE|too many open files|out of file descriptors/)
  expect(program.output()).not.toMatch(/could not be reached/)
  expect(program.hasEnded).toBe(false)
  for (const outcome of opened) if (outcome.status === 'fulfilled') outcome.value.socket.destroy()
  await expect.poll(() => hear(port), { timeout: 10_000, interval: 100 }).toBe('a')
})
