/**
 * The remedies for no-staple in servers beyond nginx and plain Apache: the server is started without stapling, what
 * `examine` prints for it is applied, and every handshake is stapled.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { ServerKind } from '../../src/check/diagnose/finding.ts'
import type { Leaf } from '../kit/authority.ts'
import { freePort } from '../kit/free-port.ts'
import { startHaproxy } from '../kit/haproxy.ts'
import { linesOf, type Places, remedyOf, runFetch } from '../kit/mend.ts'
import { startProgram } from '../kit/program.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { codesOf, expectHealthy, setCheckStage } from './check-stage.ts'

const stage = await setCheckStage()

/** A leaf, a port, a directory, and where the paths of the remedies are in this test. */
async function site(kind: ServerKind): Promise<{ leaf: Leaf; port: number; directory: string; places: Places }> {
  const leaf = await stage.issue()
  const directory = temporaryDirectory(kind)
  const places: Places = {
    '/etc/ssl/localhost/fullchain.pem': leaf.certificateFile,
    '/etc/ssl/localhost/issuer.pem': stage.authority.intermediate.certificateFile,
    '/etc/ssl/localhost/key.pem': leaf.keyFile,
    '/var/lib/staples/localhost.der': join(directory, 'localhost.der'),
    '/etc/haproxy/certs/localhost.pem': join(directory, 'localhost.pem'),
    '/var/lib/nats': join(directory, 'store'),
  }
  return { leaf, port: await freePort(), directory, places }
}

/** What is printed for a server that staples nothing. */
async function printed(port: number, kind: ServerKind) {
  const before = await stage.look(port)
  expect(codesOf(before)).toContain('no-staple')
  return remedyOf(before, 'no-staple', kind)
}

it('HAProxy, by a file beside the certificate', async () => {
  const { leaf, port, directory, places } = await site('haproxy')
  const pem = join(directory, 'localhost.pem')
  await writeFile(pem, leaf.chainPem + (await readFile(leaf.keyFile, 'utf8')))
  const frontend = `frontend site
  mode http
  bind 127.0.0.1:${port} ssl crt ${pem}
  http-request return status 200 content-type text/plain string ok
`
  const program = await startHaproxy(frontend, port)
  await runFetch(await printed(port, 'haproxy'), places)
  await program.end()
  await startHaproxy(frontend, port)
  expectHealthy(await stage.look(port))
})

it('lighttpd, by ssl.stapling-file', async () => {
  const { leaf, port, directory, places } = await site('lighttpd')
  const start = async (lines: readonly string[]) => {
    const file = join(directory, 'lighttpd.conf')
    const config = `server.modules = ("mod_openssl")
server.document-root = "${directory}"
server.bind = "127.0.0.1"
server.port = ${port}
ssl.engine = "enable"
ssl.pemfile = "${leaf.certificateFile}"
ssl.privkey = "${leaf.keyFile}"
${lines.join('\n')}
`
    await writeFile(file, config)
    const program = startProgram('lighttpd', ['-D', '-f', file], { cwd: directory, name: 'lighttpd' })
    await program.waitForPort(port)
    return program
  }
  const program = await start([])
  const remedy = await printed(port, 'lighttpd')
  await runFetch(remedy, places)
  await program.end()
  await start(linesOf(remedy, places))
  expectHealthy(await stage.look(port))
})

it('nats-server, by mode always', async () => {
  const { leaf, port: httpsPort, directory, places } = await site('nats-server')
  const start = async (lines: string) => {
    const file = join(directory, 'nats.conf')
    await writeFile(file, `listen: "127.0.0.1:${await freePort()}"\nhttps: "127.0.0.1:${httpsPort}"\n${lines}\n`)
    const env = { http_proxy: undefined, HTTP_PROXY: undefined }
    const program = startProgram('nats-server', ['-c', file], { cwd: directory, env })
    await program.waitFor(/Server is ready/, 30_000)
    await program.waitForPort(httpsPort)
    return program
  }
  const program = await start(`tls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}" }`)
  const remedy = await printed(httpsPort, 'nats-server')
  await program.end()
  await start(linesOf(remedy, places).join('\n'))
  expectHealthy(await stage.look(httpsPort))
})
