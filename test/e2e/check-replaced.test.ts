/** A staple or a chain that is wrong is replaced as the finding tells it for that server, and the finding is gone. */
import { once } from 'node:events'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Examination } from '../../src/check/examine.ts'
import { startApache } from '../kit/apache.ts'
import type { Leaf } from '../kit/authority.ts'
import { startCaddy } from '../kit/caddy.ts'
import { freePort } from '../kit/free-port.ts'
import { startHaproxyWithStaple } from '../kit/haproxy.ts'
import { startLighttpd } from '../kit/lighttpd.ts'
import { linesOf, mendApache, mendNginx, remedyOf, runFetch } from '../kit/mend.ts'
import { startNatsServer } from '../kit/nats-server.ts'
import { nginxPaths, startNginxWithWorkers } from '../kit/nginx.ts'
import { makeStaple } from '../kit/staple.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { codesOf, expectHealthy, setCheckStage } from './check-stage.ts'

const stage = await setCheckStage()
const { authority, responder } = stage

it('nginx: the chain sent whole', async () => {
  const leaf = await stage.issue()
  const port = await freePort()
  const broken = nginxSite({ ...leaf, certificateFile: leaf.leafOnlyFile }, port, '')
  const nginx = await startNginxWithWorkers(broken, port, 1)
  const remedy = remedyOf(await lookFor('chain-incomplete', port), 'chain-incomplete', 'nginx')
  await nginx.reload(mendNginx(broken, linesOf(remedy, sitePlaces(leaf))))
  expect(codesOf(await stage.look(port))).not.toContain('chain-incomplete')
})

it('nginx: another response into its file, and a reload', async () => {
  const leaf = await stage.issue()
  const port = await freePort()
  const file = join(temporaryDirectory('staple'), 'staple.der')
  await writeFile(file, await makeStaple(authority, leaf, 'expired'))
  const config = nginxSite(leaf, port, `ssl_stapling on;\n  ssl_stapling_file ${file};`)
  const nginx = await startNginxWithWorkers(config, port, 1)
  const remedy = remedyOf(await lookFor('staple-stale', port), 'staple-stale', 'nginx')
  await runFetch(remedy, { ...sitePlaces(leaf), '/var/lib/staples/localhost.der': file })
  await nginx.reload(config)
  expectHealthy(await stage.look(port))
})

it('Apache: mod_md instead of mod_ssl, which verifies nothing', async () => {
  const leaf = await stage.issue()
  const port = await freePort()
  await responder.behave('badSignature', leaf.certificate.serialNumber)
  const broken = `SSLUseStapling On
SSLStaplingCache shmcb:stapling_cache(128000)
<VirtualHost 127.0.0.1:${port}>
SSLEngine on
SSLCertificateFile ${leaf.certificateFile}
SSLCertificateKeyFile ${leaf.keyFile}
</VirtualHost>`
  const apache = await startApache(broken, port)
  const remedy = remedyOf(await lookFor('staple-refused', port), 'staple-refused', 'apache')
  expect(remedy.text).toContain('a2enmod md')
  await responder.behave('good', leaf.certificate.serialNumber)
  const loadModule = 'LoadModule md_module /usr/lib/apache2/modules/mod_md.so'
  await apache.restart(mendApache(broken, [loadModule, ...linesOf(remedy, {})]))
  await expect.poll(async () => codesOf(await stage.look(port)), { timeout: 15_000 }).toContain('healthy')
})

it('lighttpd: another response into the file, and a restart', async () => {
  const leaf = await stage.issue()
  const broken = await startLighttpd(leaf, await makeStaple(authority, leaf, 'wrongSerial'))
  const remedy = remedyOf(await lookFor('staple-refused', broken.port), 'staple-refused', 'lighttpd')
  const file = join(temporaryDirectory('staple'), 'staple.der')
  await runFetch(remedy, { ...sitePlaces(leaf), '/var/lib/staples/localhost.der': file })
  await broken.program.end()
  expectHealthy(await stage.look((await startLighttpd(leaf, await readFile(file))).port))
})

it('HAProxy: another response into the file beside the certificate, and over its socket without a reload', async () => {
  const leaf = await stage.issue()
  const { port, certificateFile, socket } = await startHaproxyWithStaple(
    leaf,
    await makeStaple(authority, leaf, 'badSignature'),
  )
  const remedy = remedyOf(await lookFor('staple-refused', port), 'staple-refused', 'haproxy')
  const places = { '/etc/haproxy/certs/localhost.pem': certificateFile, '/run/haproxy/admin.sock': socket }
  await runFetch(remedy, places)
  // echo "COMMAND $(base64 -w0 FILE)" | socat - SOCKET
  const [, command, file = '', to] =
    /^echo "(.+) \$\(base64 -w0 (\S+)\)" \| socat - (\S+)$/.exec(linesOf(remedy, places)[1] ?? '') ?? []
  expect(to).toBe(socket)
  expect(await say(socket, `${command} ${(await readFile(file)).toString('base64')}\n`)).toMatch(
    /OCSP Response updated/,
  )
  expectHealthy(await stage.look(port))
})

it('Caddy: its storage emptied, and a restart', async () => {
  const leaf = await stage.issue()
  await responder.behave('wrongSerial', leaf.certificate.serialNumber)
  const broken = await startCaddy(leaf)
  const examination = await lookFor('staple-refused', broken.port)
  await responder.behave('good', leaf.certificate.serialNumber)
  await broken.program.end()
  const again = await startCaddy(leaf, broken.directory)
  await lookFor('staple-refused', again.port) // the restart alone does not help
  await again.program.end()

  const remedy = remedyOf(examination, 'staple-refused', 'caddy')
  const places = { '/var/lib/caddy/.local/share/caddy/ocsp/*': join(broken.directory, 'caddy', 'ocsp') }
  const [, storage = ''] = /^rm -f (\S+)$/.exec(linesOf(remedy, places)[0] ?? '') ?? []
  await rm(storage, { recursive: true })
  expectHealthy(await stage.look((await startCaddy(leaf, broken.directory)).port))
})

it('nats-server: another response into its store, and a restart', async () => {
  const leaf = await stage.issue()
  await responder.behave('wrongSerial', leaf.certificate.serialNumber)
  const storeDir = temporaryDirectory('nats')
  const start = () => startNats(leaf, storeDir, '{ mode: always }')
  const broken = await start()
  const examination = await lookFor('staple-refused', broken.port, 'nats')
  await responder.behave('good', leaf.certificate.serialNumber)
  await broken.program.end()
  await runFetch(remedyOf(examination, 'staple-refused', 'nats-server'), {
    ...sitePlaces(leaf),
    '/var/lib/nats': storeDir,
  })
  expectHealthy(await stage.look((await start()).port, { starttls: 'nats' }))
})

function nginxSite(leaf: Pick<Leaf, 'certificateFile' | 'keyFile'>, port: number, lines: string): string {
  return `http {
${nginxPaths}
server {
  listen 127.0.0.1:${port} ssl;
  ssl_certificate ${leaf.certificateFile};
  ssl_certificate_key ${leaf.keyFile};
  ssl_protocols TLSv1.2 TLSv1.3;
  ${lines}
}
}`
}

async function lookFor(code: string, port: number, starttls?: 'nats'): Promise<Examination> {
  const examination = await stage.look(port, starttls ? { starttls } : {})
  expect(codesOf(examination)).toContain(code)
  return examination
}

function startNats(leaf: Leaf, storeDir: string, ocsp: string) {
  const { certificateFile, keyFile } = leaf
  return startNatsServer({ ocsp, storeDir, certificateFile, keyFile, caFile: authority.intermediate.certificateFile })
}

function sitePlaces(leaf: Leaf) {
  return { '/etc/ssl/localhost/fullchain.pem': leaf.certificateFile }
}

/** What a socket answers to one line. */
async function say(path: string, line: string): Promise<string> {
  const socket = connect(path)
  let answer = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text
  })
  socket.end(line)
  await once(socket, 'close')
  return answer
}
