/** The configurations of docs/guide/nats.md, as they stand there, and what the page says one sees. */
import { readFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test, vi } from 'vitest'
import { createAuthority } from '../kit/authority.ts'
import { connectWithNats, watchNats } from '../kit/clients/nats.ts'
import { connectWithOpenssl } from '../kit/clients/openssl.ts'
import { expectGood, setNatsStage } from '../kit/nats-front.ts'
import { startNatsBackend } from '../kit/nats-server.ts'
import { runProgram } from '../kit/program.ts'
import { temporaryDirectory } from '../kit/temporary.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

const page = readFileSync(fileURLToPath(new URL('../../docs/guide/nats.md', import.meta.url)), 'utf8')
const snippets = new Map(
  [...page.matchAll(/<!-- tested: (\S+) -->\n```\n([\s\S]*?)```/g)].map(([, name = '', text = '']) => [name, text]),
)
const unused = new Set(snippets.keys())
afterAll(() => expect([...unused]).toEqual([]))

/** A snippet with its places moved to this machine; each must be in it, so that a change of the page is noticed. */
function snippet(name: string, places: Readonly<Record<string, string>> = {}): string {
  const text = snippets.get(name)
  if (text === undefined) throw new Error(`docs/guide/nats.md has no <!-- tested: ${name} -->`)
  unused.delete(name)
  return Object.entries(places).reduce((result, [from, to]) => {
    expect(result).toContain(from)
    return result.replaceAll(from, to)
  }, text)
}

// On a loaded machine a client may take longer than the 50 ms of `auto` to begin, and is told INFO in clear: rightly.
test('the front, before the server, serves every client, and openssl shows its staple', { retry: 3 }, async () => {
  const stage = await setNatsStage()
  const backend = await startNatsBackend({ lines: [] })
  const cwd = temporaryDirectory('guide')
  await copyFile(stage.leaf.certificateFile, join(cwd, 'server.pem'))
  await copyFile(stage.leaf.keyFile, join(cwd, 'server-key.pem'))
  await copyFile(stage.leaf.caFile, join(cwd, 'ca.pem'))
  const config = snippet('front', {
    '0.0.0.0:4222': '127.0.0.1:0',
    '127.0.0.1:4223': `127.0.0.1:${backend.port}`,
    '/var/lib/staplewright': join(cwd, 'store'),
  })
  const { target, port } = await stage.run(config, { cwd })
  for (const handshakeFirst of [false, true]) {
    const watcher = await watchNats({ ...target, handshakeFirst })
    expectGood(watcher.stapleBytes, stage.leaf)
    const connection = await connectWithNats({ ...target, handshakeFirst })
    expect(connection.info?.connect_urls).toEqual(['nats.example.net:4222'])
  }
  const seen = await connectWithOpenssl({ port, rootFile: stage.leaf.rootFile })
  expect(seen).toMatchObject({ connected: true, staple: { present: true, certStatus: 'good' } })
})

test('the server of the page is one that nats-server takes', async () => {
  const backend = await startNatsBackend()
  const text = snippet('server', { '127.0.0.1:4223': `127.0.0.1:${backend.port}` })
  expect(text.trim()).toBe(`listen: "127.0.0.1:${backend.port}"`)
})

test('two servers behind one front are gone to in turn, and clients are told of the fronts', async () => {
  const stage = await setNatsStage()
  const [first, second] = [
    await startNatsBackend({ lines: ['server_name: first'] }),
    await startNatsBackend({ lines: ['server_name: second'] }),
  ]
  const lines = snippet('cluster', {
    '10.0.0.1:4222': `127.0.0.1:${first.port}`,
    '10.0.0.2:4222': `127.0.0.1:${second.port}`,
  })
  const { target } = await stage.run(stage.config('x').replace('backend: "x"\n', lines))
  const infos = [(await connectWithNats(target)).info, (await connectWithNats(target)).info]
  expect(infos.map((info) => info?.server_name).sort()).toEqual(['first', 'second'])
  expect(infos[0]?.connect_urls).toEqual(['nats-1.example.net:4222', 'nats-2.example.net:4222'])
})

test('a backend with TLS', async () => {
  const stage = await setNatsStage()
  const shown = await (await createAuthority()).issueLeaf({ name: 'nats.internal', san: ['nats.internal'] })
  const backend = await startNatsBackend({
    lines: [`tls { cert_file: "${shown.certificateFile}", key_file: "${shown.keyFile}" }`],
  })
  const lines = snippet('tls', {
    '10.0.0.1:4222': `127.0.0.1:${backend.port}`,
    'backend-ca.pem': shown.rootFile,
  })
  const config = stage.config('x').replace('backend: "x"\n', '').replace('protocol: nats\n', lines)
  const { target } = await stage.run(config)
  await (await connectWithNats(target)).flush()
})

test('openssl knows no way to begin TLS as NATS does', async () => {
  const { output } = await runProgram('openssl', ['s_client', '-help'])
  expect(output).toMatch(/-starttls/)
  const refused = await runProgram('openssl', ['s_client', '-connect', '127.0.0.1:1', '-starttls', 'nats'])
  expect(refused.output).toMatch(/[Ii]nvalid value|[Vv]alue must be one of/)
})
