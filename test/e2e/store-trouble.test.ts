/** A store that fails under the running program: nothing lost from memory, nothing damaged served, said once in the log. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { verifyOcspResponse } from '../../src/pki/ocsp/index.ts'
import { certificateKey } from '../../src/pki/x509/crypto.ts'
import { type Authority, createAuthority, type Leaf } from '../kit/authority.ts'
import { type Backend, startBackend } from '../kit/backend.ts'
import { connectWithNode } from '../kit/clients/node.ts'
import { formatConfig, startDaemon } from '../kit/daemon.ts'
import { endsWithTest } from '../kit/lifetime.ts'
import { runProgram } from '../kit/program.ts'
import { createScriptedResponder, type ScriptedResponder } from '../kit/responder.ts'
import { temporaryDirectory } from '../kit/temporary.ts'

let authority: Authority
let backend: Backend
let responder: ScriptedResponder
let leaf: Leaf

beforeAll(async () => {
  authority = await createAuthority()
  backend = await startBackend()
  responder = await createScriptedResponder({ authority, validityMs: 60_000 })
  leaf = await authority.issueLeaf({ mustStaple: true, responderURL: responder.url })
})

const start = (storeDir: string, lines: readonly string[] = []) =>
  startDaemon(formatConfig({ backend: backend.url, leaf, storeDir, lines }))

/** thisUpdate counts in seconds: an answer within the same one is the same answer. */
const nextSecond = () => new Promise((resolve) => setTimeout(resolve, 1_100))

/** Shakes hands and proves what was stapled. */
async function expectGoodStaple(port: number): Promise<Uint8Array> {
  const { stapleBytes } = await connectWithNode({ port, rootFile: leaf.rootFile })
  if (!stapleBytes) throw new Error('no staple')
  const at = new Date()
  expect(verifyOcspResponse(stapleBytes, { certificate: leaf.der, issuer: leaf.issuer, at }).certStatus).toBe('good')
  return stapleBytes
}

test('a full disk: every new staple is served all the same, and the log says so once', async () => {
  const disk = temporaryDirectory('disk')
  await runProgram('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk])
  endsWithTest(() => runProgram('umount', ['-l', disk]))
  await mkdir(join(disk, 'ocsp'))
  const { stderr } = await runProgram('dd', ['if=/dev/zero', `of=${join(disk, 'filler')}`, 'bs=1k', 'count=200'])
  expect(stderr).toContain('No space left')

  const daemon = await start(disk)
  const port = await daemon.opened()
  const first = await expectGoodStaple(port)
  await daemon.waitForLine((line) => line.event === 'save-failed')
  await nextSecond()
  daemon.refresh()
  await daemon.waitForLine((line) => line.event === 'refreshed', 20_000, daemon.log().length)
  expect(await expectGoodStaple(port)).not.toEqual(first)
  expect(daemon.log().filter((line) => line.event === 'save-failed')).toHaveLength(1)
  expect(daemon.log().find((line) => line.event === 'save-failed')?.message).toMatch(/no space|ENOSPC/i)
  expect(await daemon.stop()).toBe(0)
  expect(readdirSync(join(disk, 'ocsp')).filter((name) => name.startsWith('tmp'))).toEqual([])
})

test('a damaged file in the store: set aside, never served, and a new staple fetched', async () => {
  const storeDir = temporaryDirectory('store')
  const file = join(storeDir, 'ocsp', certificateKey(leaf.der))
  await mkdir(join(storeDir, 'ocsp'))
  await writeFile(file, 'not a staple at all')
  const daemon = await start(storeDir)
  const staple = await expectGoodStaple(await daemon.opened())
  expect(daemon.log().filter((line) => line.event === 'store-refused')).toHaveLength(1)
  expect(readFileSync(`${file}.refused`, 'latin1')).toBe('not a staple at all')
  expect(await daemon.stop()).toBe(0)
  expect(new Uint8Array(readFileSync(file))).toEqual(new Uint8Array(staple))
})

test('an entry that cannot be read, being a directory: said once, and a new staple fetched', async () => {
  const storeDir = temporaryDirectory('store')
  await mkdir(join(storeDir, 'ocsp', certificateKey(leaf.der)), { recursive: true })
  const daemon = await start(storeDir)
  const port = await daemon.opened()
  await expectGoodStaple(port)
  await nextSecond()
  daemon.refresh()
  await daemon.waitForLine((line) => line.event === 'refreshed', 15_000, daemon.log().length)
  expect(daemon.log().filter((line) => line.event === 'load-failed')).toHaveLength(1)
  await expectGoodStaple(port)
  expect(await daemon.stop()).toBe(0)
})

test('kill -9 while it saves: the next start serves what was stored, or what it fetches, and nothing damaged', async () => {
  const storeDir = temporaryDirectory('store')
  const file = join(storeDir, 'ocsp', certificateKey(leaf.der))
  for (let round = 0; round < 8; round++) {
    const daemon = await start(storeDir)
    const port = await daemon.opened()
    await expectGoodStaple(port)
    for (let ask = 0; ask < 5; ask++) daemon.refresh()
    await new Promise((resolve) => setTimeout(resolve, round * 12)) // the moment of death is what varies
    daemon.program.kill('SIGKILL')
    await daemon.program.ended
    if (!existsSync(file)) continue
    const at = new Date()
    const stored = new Uint8Array(readFileSync(file))
    expect(verifyOcspResponse(stored, { certificate: leaf.der, issuer: leaf.issuer, at }).certStatus).toBe('good')
  }
  await responder.behave('refuse')
  const daemon = await start(storeDir)
  await expectGoodStaple(await daemon.opened())
  await responder.behave('good')
}, 60_000)

test('a disk that turns read-only: served from memory, said once, and saved again when it can be', async () => {
  const disk = temporaryDirectory('disk')
  await runProgram('mount', ['-t', 'tmpfs', 'tmpfs', disk])
  endsWithTest(() => runProgram('umount', ['-l', disk]))
  // A disk with an open socket on it is busy, and cannot be turned.
  const daemon = await start(disk, [`control_socket: "${join(temporaryDirectory('control'), 'control.sock')}"`])
  const port = await daemon.opened()
  const first = await expectGoodStaple(port)
  await runProgram('mount', ['-o', 'remount,ro', disk])
  await nextSecond()
  daemon.refresh()
  await daemon.waitForLine((line) => line.event === 'save-failed')
  const second = await expectGoodStaple(port)
  expect(second).not.toEqual(first)
  expect(daemon.log().filter((line) => line.event === 'save-failed')).toHaveLength(1)
  await runProgram('mount', ['-o', 'remount,rw', disk])
  await nextSecond()
  daemon.refresh()
  await daemon.waitForLine((line) => line.event === 'save-recovered')
  const third = await expectGoodStaple(port)
  expect(new Uint8Array(readFileSync(join(disk, 'ocsp', certificateKey(leaf.der))))).toEqual(new Uint8Array(third))
  expect(await daemon.stop()).toBe(0)
})

test('a store whose directory is removed: made anew, with the staple in it', async () => {
  const storeDir = temporaryDirectory('store')
  const file = join(storeDir, 'ocsp', certificateKey(leaf.der))
  const daemon = await start(storeDir)
  const port = await daemon.opened()
  await expectGoodStaple(port)
  await runProgram('rm', ['-rf', join(storeDir, 'ocsp')])
  await nextSecond()
  daemon.refresh()
  await daemon.waitForLine((line) => line.event === 'refreshed', 15_000, daemon.log().length)
  const staple = await expectGoodStaple(port)
  expect(await daemon.stop()).toBe(0)
  expect(new Uint8Array(readFileSync(file))).toEqual(new Uint8Array(staple))
})
