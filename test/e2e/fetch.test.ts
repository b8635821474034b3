/**
 * `staplewright fetch` as the built program, for those who run it: shells, h2o, and hosts without a way out whose
 * staples are carried in.
 */
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { certificateKey } from '../../src/pki/x509/crypto.ts'
import { type Authority, createAuthority, type Leaf } from '../kit/authority.ts'
import { startBackend } from '../kit/backend.ts'
import { judgeStrictly } from '../kit/clients/judge.ts'
import { connectWithNode } from '../kit/clients/node.ts'
import { formatConfig, programFile, startDaemon } from '../kit/daemon.ts'
import { freePort } from '../kit/free-port.ts'
import { startNatsServer } from '../kit/nats-server.ts'
import { runProgram, startProgram } from '../kit/program.ts'
import { createScriptedResponder, type ScriptedResponder } from '../kit/responder.ts'
import { temporaryDirectory } from '../kit/temporary.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

let authority: Authority
let responder: ScriptedResponder
let leaf: Leaf
let directory: string

beforeEach(async () => {
  authority = await createAuthority()
  responder = await createScriptedResponder({ authority })
  leaf = await authority.issueLeaf({ responderURL: responder.url })
  directory = temporaryDirectory('fetch')
})

const env = { http_proxy: undefined, HTTP_PROXY: undefined, NO_COLOR: '1' }

/** Runs a line of shell in which `staplewright` is the built program. */
function shell(line: string) {
  const script = `staplewright() { "${process.execPath}" "${programFile}" "$@"; }\n${line}`
  return runProgram('bash', ['-c', script], { env, cwd: directory, name: line })
}

describe('in a shell', () => {
  test('its output is the response, octet by octet, for the next program', async () => {
    const verify = `openssl ocsp -respin /dev/stdin -issuer "${authority.intermediate.certificateFile}" -cert "${leaf.leafOnlyFile}" -CAfile "${leaf.caFile}"`
    const { code, stdout, output } = await shell(
      `set -o pipefail; staplewright fetch - < "${leaf.certificateFile}" | ${verify}`,
    )
    expect(code, output).toBe(0)
    expect(output).toContain('Response verify OK')
    expect(stdout).toContain(': good')
  })

  test.each([
    ['0 when it is written', 'good', 0],
    ['75 when it may pass', 'tryLater', 75],
    ['1 when it is revoked', 'revoked', 1],
  ] as const)('it ends with %s', async (_, behaviour, code) => {
    await responder.behave(behaviour)
    const ended = await shell(`staplewright fetch "${leaf.certificateFile}" --out staple.der`)
    expect(ended.code, ended.output).toBe(code)
    expect(await readdir(directory)).toEqual(code === 0 ? ['staple.der'] : [])
  })

  test('it ends with 2 when it was called wrongly', async () => {
    expect((await shell('staplewright fetch')).code).toBe(2)
    expect((await shell('staplewright fetch /nowhere')).code).toBe(2)
  })
})

test('h2o staples what it fetches, as its ocsp-update-cmd', async () => {
  const port = await freePort()
  const command = join(directory, 'fetch-staple')
  await writeFile(command, `#!/bin/sh\nexec "${process.execPath}" "${programFile}" fetch "$1"\n`)
  await chmod(command, 0o755)
  const config = join(directory, 'h2o.conf')
  await writeFile(
    config,
    `user: ${userInfo().username}
listen:
  host: 127.0.0.1
  port: ${port}
  ssl:
    certificate-file: ${leaf.certificateFile}
    key-file: ${leaf.keyFile}
    ocsp-update-cmd: ${command}
hosts:
  default:
    paths:
      /:
        file.dir: ${directory}
`,
  )
  const h2o = startProgram('h2o', ['-c', config], { name: 'h2o', env })
  await h2o.waitForPort(port)
  await expect.poll(() => stapleOf(port), { timeout: 10_000 }).toBeDefined()
  const staple = (await stapleOf(port)) as Uint8Array
  const verdict = await judgeStrictly(staple, leaf, authority.intermediate.certificateFile)
  expect(verdict).toMatchObject({ verdict: 'good' })
})

describe('a host without a way out', () => {
  test('staples what was fetched elsewhere and dropped into store_dir, without a restart', async () => {
    const storeDir = temporaryDirectory('store')
    const backend = await startBackend()
    const ocsp = `{ mode: always, url: "http://127.0.0.1:${await freePort()}/" }`
    const lines = ['start_timeout: "500ms"']
    const daemon = await startDaemon(formatConfig({ backend: backend.url, leaf, ocsp, storeDir, lines }))
    const port = await daemon.opened()
    expect(await stapleOf(port)).toBeUndefined()

    const ended = await shell(`staplewright fetch "${leaf.certificateFile}" --out "${storeDir}/ocsp/"`)
    expect(ended.code, ended.output).toBe(0)
    await daemon.waitForLine((line) => line.event === 'loaded' || line.event === 'restored')
    const stored = await readFile(join(storeDir, 'ocsp', certificateKey(leaf.der)))
    expect(await stapleOf(port)).toEqual(new Uint8Array(stored))
  })

  test('staples it with nats-server, too', async () => {
    const storeDir = temporaryDirectory('store')
    const ended = await shell(`staplewright fetch "${leaf.certificateFile}" --out "${storeDir}/ocsp/"`)
    expect(ended.code, ended.output).toBe(0)
    await responder.behave('refuse')
    const { certificateFile, keyFile } = leaf
    const caFile = authority.intermediate.certificateFile
    const nats = await startNatsServer({ ocsp: '{ mode: always }', storeDir, certificateFile, keyFile, caFile })
    const stored = await readFile(join(storeDir, 'ocsp', certificateKey(leaf.der)))
    expect(await stapleOf(nats.httpsPort)).toEqual(new Uint8Array(stored))
  })

  test('refuses what was dropped for another certificate', async () => {
    const storeDir = temporaryDirectory('store')
    const other = await authority.issueLeaf({ responderURL: responder.url })
    const name = certificateKey(leaf.der)
    const ended = await shell(`staplewright fetch "${other.certificateFile}" --out "${storeDir}/ocsp/${name}"`)
    expect(ended.code, ended.output).toBe(0)
    const backend = await startBackend()
    const ocsp = `{ mode: always, url: "http://127.0.0.1:${await freePort()}/" }`
    const lines = ['start_timeout: "500ms"']
    const daemon = await startDaemon(formatConfig({ backend: backend.url, leaf, ocsp, storeDir, lines }))
    expect(await stapleOf(await daemon.opened())).toBeUndefined()
    expect(await readdir(join(storeDir, 'ocsp'))).toContain(`${name}.refused`)
  })
})

async function stapleOf(port: number): Promise<Uint8Array | undefined> {
  const { stapleBytes } = await connectWithNode({ port, rootFile: leaf.rootFile })
  return stapleBytes
}
