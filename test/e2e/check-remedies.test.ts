/** What the findings print for servers that the guide does not speak of helps, too: done as told, and the finding is gone. */
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Examination } from '../../src/check/examine.ts'
import type { Leaf } from '../kit/authority.ts'
import { startCaddy } from '../kit/caddy.ts'
import { startHaproxyWithStaple } from '../kit/haproxy.ts'
import { startLighttpd } from '../kit/lighttpd.ts'
import { linesOf, remedyOf, runFetch } from '../kit/mend.ts'
import { startNatsServer } from '../kit/nats-server.ts'
import { makeStaple } from '../kit/staple.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { codesOf, expectHealthy, setCheckStage } from './check-stage.ts'

const stage = await setCheckStage()
const { authority, responder } = stage

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

it('nats-server: mode always for a certificate without Must-Staple', async () => {
  const leaf = await stage.issue()
  const storeDir = temporaryDirectory('nats')
  const broken = await startNats(leaf, storeDir, '{ mode: auto }')
  const remedy = remedyOf(await lookFor('no-staple', broken.port, 'nats'), 'no-staple', 'nats-server')
  const [, ocsp = ''] = /^ocsp (\{.+\})$/m.exec(linesOf(remedy, sitePlaces(leaf)).join('\n')) ?? []
  await broken.program.end()
  expectHealthy(await stage.look((await startNats(leaf, storeDir, ocsp)).port, { starttls: 'nats' }))
})

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
