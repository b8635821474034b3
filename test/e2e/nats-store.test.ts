/**
 * One store for two programs: what Debian's nats-server wrote, Staplewright staples, and the other way round, each with
 * the responder gone in between.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test, vi } from 'vitest'
import { certificateKey } from '../../src/pki/x509/crypto.ts'
import { type Authority, createAuthority, type Leaf } from '../kit/authority.ts'
import { startBackend } from '../kit/backend.ts'
import { judgeStrictly } from '../kit/clients/judge.ts'
import { connectWithNode } from '../kit/clients/node.ts'
import { formatConfig, type RunningDaemon, startDaemon } from '../kit/daemon.ts'
import { freePort } from '../kit/free-port.ts'
import { type NatsServer, startNatsServer } from '../kit/nats-server.ts'
import { createScriptedResponder, type ScriptedResponder } from '../kit/responder.ts'
import { temporaryDirectory } from '../kit/temporary.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

let authority: Authority
let responder: ScriptedResponder
let leaf: Leaf
let storeDir: string

beforeEach(async () => {
  authority = await createAuthority()
  responder = await createScriptedResponder({ authority })
  leaf = await authority.issueLeaf({ mustStaple: true, responderURL: responder.url })
  storeDir = temporaryDirectory('store')
})

test('Staplewright staples what nats-server stored, with the responder gone', async () => {
  const nats = await startNats()
  const staple = await stapleOf(nats.httpsPort)
  await nats.program.end()
  await responder.behave('refuse')

  const daemon = await startFront('{ mode: must }')
  expect(await stapleOf(await daemon.opened())).toEqual(staple)
  expect(await judgeStrictly(staple, leaf, authority.intermediate.certificateFile)).toMatchObject({ verdict: 'good' })
  expect(responder.count).toBe(1) // nats-server's own
})

test('nats-server staples what Staplewright stored, with the responder gone', async () => {
  const daemon = await startFront('{ mode: must }')
  const staple = await stapleOf(await daemon.opened())
  expect(await daemon.stop()).toBe(0)
  await responder.behave('refuse')

  const nats = await startNats()
  expect(await stapleOf(nats.httpsPort)).toEqual(staple)
})

test('both call the file by the SHA-256 of the leaf, and it holds exactly what is stapled', async () => {
  const nats = await startNats()
  const staple = await stapleOf(nats.httpsPort)
  await nats.program.end()
  const written = await readdir(join(storeDir, 'ocsp'))
  expect(written).toEqual([certificateKey(leaf.der)])
  expect(await readStored()).toEqual(staple)

  await (await startFront('{ mode: must }')).opened()
  expect(await readdir(join(storeDir, 'ocsp'))).toContain(written[0])
  expect(await readStored()).toEqual(staple)
})

test('the store_dir of a jetstream block is the same place', async () => {
  const nats = await startNats()
  const staple = await stapleOf(nats.httpsPort)
  await nats.program.end()
  await responder.behave('refuse')

  const backend = await startBackend()
  const lines = [`jetstream { store_dir: "${storeDir}" }`]
  const daemon = await startDaemon(formatConfig({ backend: backend.url, leaf, ocsp: 'true', lines }))
  expect(await stapleOf(await daemon.opened())).toEqual(staple)
})

test('a staple that nats-server stores while Staplewright runs without one is taken up', async () => {
  const nobody = `http://127.0.0.1:${await freePort()}/`
  const daemon = await startFront(`{ mode: auto, url: "${nobody}" }`, ['start_timeout: "500ms"'])
  const port = await daemon.opened()
  expect(await connectWithNode({ port, rootFile: leaf.rootFile })).toMatchObject({ staple: { present: false } })

  const nats = await startNats()
  const staple = await stapleOf(nats.httpsPort)
  await daemon.waitForLine((line) => line.event === 'loaded' || line.event === 'restored')
  expect(await stapleOf(port)).toEqual(staple)
})

// Debian's 2.9.10 checks nothing but the signature: what it stored about another certificate must not get out.
test('what lies under the right name but is about another certificate is set aside, and a new one is fetched', async () => {
  await responder.behave({ kind: 'wrongSerial' }, leaf.certificate.serialNumber)
  const nats = await startNats()
  const wrong = await stapleOf(nats.httpsPort)
  await nats.program.end()
  expect(await judgeStrictly(wrong, leaf, authority.intermediate.certificateFile)).toMatchObject({ verdict: 'refused' })

  await responder.behave('good')
  const daemon = await startFront('{ mode: must }')
  const staple = await stapleOf(await daemon.opened())
  expect(await judgeStrictly(staple, leaf, authority.intermediate.certificateFile)).toMatchObject({ verdict: 'good' })
  // Memory first, then disk.
  await expect.poll(() => readStored().catch(() => undefined), { timeout: 10_000 }).toEqual(staple)
  expect(await readFile(join(storeDir, 'ocsp', `${certificateKey(leaf.der)}.refused`))).toEqual(Buffer.from(wrong))
})

async function startFront(ocsp: string, lines: readonly string[] = []): Promise<RunningDaemon> {
  const backend = await startBackend()
  return startDaemon(formatConfig({ backend: backend.url, leaf, ocsp, storeDir, lines }))
}

function startNats(): Promise<NatsServer> {
  const { certificateFile, keyFile } = leaf
  return startNatsServer({
    ocsp: '{ mode: auto }',
    storeDir,
    certificateFile,
    keyFile,
    caFile: authority.intermediate.certificateFile,
  })
}

async function stapleOf(port: number): Promise<Uint8Array> {
  const { stapleBytes, refusedBecause } = await connectWithNode({ port, rootFile: leaf.rootFile })
  if (!stapleBytes) throw new Error(`no staple on port ${port}: ${refusedBecause ?? 'the handshake had none'}`)
  return stapleBytes
}

async function readStored(): Promise<Uint8Array> {
  return new Uint8Array(await readFile(join(storeDir, 'ocsp', certificateKey(leaf.der))))
}
