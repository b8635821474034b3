/** The configurations of docs/guide/backends.md, ours and those of other programs, as they stand there. */
import { readFileSync } from 'node:fs'
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createAuthority, type Leaf } from '../kit/authority.ts'
import { startBackend } from '../kit/backend.ts'
import { openWithNode } from '../kit/clients/node.ts'
import { formatConfig, type RunningDaemon, startDaemon } from '../kit/daemon.ts'
import { freePort } from '../kit/free-port.ts'
import { startHaproxy } from '../kit/haproxy.ts'
import { nginxPaths, nginxStream, startNginx } from '../kit/nginx.ts'
import { temporaryDirectory } from '../kit/temporary.ts'

const page = readFileSync(fileURLToPath(new URL('../../docs/guide/backends.md', import.meta.url)), 'utf8')
const snippets = new Map(
  [...page.matchAll(/<!-- tested: (\S+) -->\n```\n([\s\S]*?)```/g)].map(([, name = '', text = '']) => [name, text]),
)
const unused = new Set(snippets.keys())
const authority = await createAuthority()
const leaf = await authority.issueLeaf()
const request = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'

/** A snippet with its places moved to this machine; each must be in it, so that a change of the page is noticed. */
function snippet(name: string, places: Readonly<Record<string, string>> = {}): string {
  const text = snippets.get(name)
  if (text === undefined) throw new Error(`docs/guide/backends.md has no <!-- tested: ${name} -->`)
  unused.delete(name)
  return Object.entries(places).reduce((result, [from, to]) => {
    expect(result).toContain(from)
    return result.replaceAll(from, to)
  }, text)
}

/** A daemon with these lines; `backend` may be among them. */
async function serve(lines: string, backend?: string, cwd?: string): Promise<RunningDaemon & { port: number }> {
  const config = formatConfig({ backend: backend ?? 'x', leaf, ocsp: 'false', lines: [lines] })
  const daemon = await startDaemon(backend ? config : config.replace('backend: "x"\n', ''), cwd ? { cwd } : {})
  return { ...daemon, port: await daemon.opened() }
}

async function ask(port: number, from = '127.0.0.1'): Promise<string> {
  const { ask } = await openWithNode({
    port,
    rootFile: leaf.rootFile,
    options: { localAddress: from } as ConnectionOptions,
  })
  return await ask(request)
}

const portOf = (url: string) => url.slice(url.lastIndexOf(':') + 1)

test('a backend over TLS, with a CA and a name of its own', async () => {
  const shown: Leaf = await authority.issueLeaf({ san: ['app.example.net'] })
  const port = await freePort()
  const directory = temporaryDirectory('guide')
  const file = join(directory, 'shown.pem')
  await writeFile(file, `${shown.chainPem}\n${shown.key}`)
  await copyFile(shown.rootFile, join(directory, 'backend-ca.pem'))
  await startHaproxy(
    `frontend in
  mode http
  bind 127.0.0.1:${port} ssl crt ${file}
  http-request return content-type text/plain lf-string "you asked for %[ssl_fc_sni]"`,
    port,
  )
  const daemon = await serve(snippet('tls', { '10.0.0.7:443': `127.0.0.1:${port}` }), undefined, directory)
  expect(await ask(daemon.port)).toContain('you asked for app.example.net')
})

test('several backends', async () => {
  const backends = [await startBackend(), await startBackend(), await startBackend()] as const
  const places = Object.fromEntries(
    backends.map(({ port }, index) => [`10.0.0.${7 + index}:8080`, `127.0.0.1:${port}`]),
  )
  const daemon = await serve(snippet('several', places))
  for (let index = 0; index < 6; index++) expect(await ask(daemon.port)).toContain('200 OK')
  expect(backends.map(({ connections }) => connections)).toEqual([2, 2, 2])
})

test.each(['haproxy', 'nginx'] as const)('%s in front, nginx behind', async (kind) => {
  const behind = await freePort()
  await startNginx(
    snippet('nginx-backend', { '10.0.0.7:8080': `127.0.0.1:${behind}`, '10.0.0.2': '127.0.0.1' }).replace(
      'http {',
      `http {\n${nginxPaths}`,
    ),
    behind,
  )
  const lines = snippet('accept', { '10.0.0.1': '127.0.0.1' }) + snippet('send')
  const daemon = await serve(lines, `tcp://127.0.0.1:${behind}`)
  const front = await freePort()
  const to = { '10.0.0.2:8443': `127.0.0.1:${daemon.port}` }
  if (kind === 'haproxy') {
    await startHaproxy(snippet('haproxy-front', { ...to, 'bind :443': `bind 127.0.0.1:${front}` }), front)
  } else {
    const stream = snippet('nginx-front', { ...to, 'listen 443': `listen 127.0.0.1:${front}` })
    await startNginx(stream, front, nginxStream)
  }
  expect(await ask(front, '127.0.0.7')).toContain('you are 127.0.0.7\n')
})

test('HAProxy behind', async () => {
  const behind = await freePort()
  const places = { '10.0.0.7:8080': `127.0.0.1:${behind}` }
  await startHaproxy(snippet('haproxy-backend', places), behind)
  const daemon = await serve(snippet('send'), `tcp://127.0.0.1:${behind}`)
  expect(await ask(daemon.port, '127.0.0.7')).toContain('you are 127.0.0.7\n')
})

test('and no other is on the page', () => {
  expect([...unused]).toEqual([])
})

test('what the page quotes from the log is what the log says', async () => {
  const port = portOf((await startBackend()).url)
  const daemon = await serve(snippet('accept', { '10.0.0.1': '127.0.0.1' }), `tcp://127.0.0.1:${port}`)
  await ask(daemon.port).catch(() => {})
  const { message } = await daemon.waitForLine(/connections are closed unread/)
  expect(page).toContain(`    ${message.replaceAll('127.0.0.1', '10.0.0.1')}\n`)
})
