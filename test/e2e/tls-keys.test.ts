/** The keys of `tls`, and `unknown_sni`: each by what a client sees. */
import { createPrivateKey } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Leaf } from '../kit/authority.ts'
import { connectWithOpenssl } from '../kit/clients/openssl.ts'
import { type RunningDaemon, startDaemon } from '../kit/daemon.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { type Stage, setStage } from './stage.ts'

vi.setConfig({ testTimeout: 60_000 })

let stage: Stage
let leaf: Leaf
beforeEach(async () => {
  stage = await setStage()
  leaf = await stage.issue()
})

/** Starts on the leaf with further keys in its `tls` block, and at the top level. */
function start(tls: string, top = ''): Promise<RunningDaemon> {
  return startDaemon(`listen: "127.0.0.1:0"
backend: "${stage.backend.url}"
${top}
tls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}", ca_file: "${leaf.caFile}"
  ${tls}
}
`)
}

function connect(port: number, args: readonly string[] = [], version?: '1.2' | '1.3') {
  return connectWithOpenssl({ port, rootFile: leaf.rootFile, args, ...(version && { version }) })
}

describe('min_version', () => {
  test('"1.3" leaves a client that speaks 1.2 outside with the alert that says why', async () => {
    const port = await (await start('min_version: "1.3"')).opened()
    expect(await connect(port, [], '1.2')).toMatchObject({
      connected: false,
      refusedBecause: expect.stringMatching(/protocol version/),
    })
    expect(await connect(port, [], '1.3')).toMatchObject({ connected: true, staple: { present: true } })
  })

  test('is 1.2 by default: nothing older is spoken', async () => {
    const port = await (await start('')).opened()
    expect(await connect(port, [], '1.2')).toMatchObject({ connected: true, staple: { present: true } })
    const old = await connect(port, ['-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0'])
    expect(old.connected).toBe(false)
  })
})

describe('cipher_suites', () => {
  test('offers those alone, and prefers the first', async () => {
    const suites = '["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]'
    const port = await (await start(`cipher_suites: ${suites}`)).opened()
    const first = 'ECDHE-ECDSA-AES256-GCM-SHA384'
    const second = 'ECDHE-ECDSA-AES128-GCM-SHA256'
    const both = await connect(port, ['-cipher', `${second}:${first}`], '1.2')
    expect(both.output).toContain(`Cipher is ${first}`)
    const one = await connect(port, ['-cipher', second], '1.2')
    expect(one.output).toContain(`Cipher is ${second}`)
    const other = await connect(port, ['-cipher', 'ECDHE-ECDSA-CHACHA20-POLY1305'], '1.2')
    expect(other).toMatchObject({ connected: false, refusedBecause: expect.stringMatching(/handshake failure/) })
  })

  test('of TLS 1.3, when one is named, offers that alone', async () => {
    const port = await (await start('cipher_suites: ["TLS_AES_256_GCM_SHA384"]')).opened()
    expect((await connect(port, [], '1.3')).output).toContain('Cipher is TLS_AES_256_GCM_SHA384')
    const other = await connect(port, ['-ciphersuites', 'TLS_AES_128_GCM_SHA256'], '1.3')
    expect(other.connected).toBe(false)
  })
})

test('curve_preferences: offers those alone', async () => {
  const port = await (await start('curve_preferences: ["CurveP384"]')).opened()
  expect((await connect(port, [], '1.3')).output).toMatch(/Server Temp Key: ECDH, (secp384r1|P-384)/)
  const other = await connect(port, ['-groups', 'X25519'], '1.3')
  expect(other).toMatchObject({ connected: false, refusedBecause: expect.stringMatching(/handshake failure/) })
})

describe('unknown_sni', () => {
  test('refuse: a name that no site has is refused with the alert for it, and said', async () => {
    const daemon = await start('', 'unknown_sni: refuse')
    const port = await daemon.opened()
    const stranger = await connectWithOpenssl({ port, rootFile: leaf.rootFile, name: 'stranger.example' })
    expect(stranger).toMatchObject({ connected: false, refusedBecause: expect.stringMatching(/unrecognized name/) })
    await daemon.waitForLine(/"stranger\.example".*unknown_sni: refuse/)
    expect(await connect(port)).toMatchObject({ connected: true, staple: { present: true } })
  })

  test('default: it gets the default site, whose certificate has another name', async () => {
    const port = await (await start('')).opened()
    const stranger = await connectWithOpenssl({ port, rootFile: leaf.rootFile, name: 'stranger.example' })
    expect(stranger.output).toMatch(/0 s:CN = localhost/)
    expect(stranger.refusedBecause).toMatch(/hostname mismatch/)
  })
})

test('key_passphrase_file: an encrypted key is decrypted with it', async () => {
  const directory = temporaryDirectory('encrypted')
  const key = createPrivateKey(leaf.key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'open sesame',
  })
  leaf = { ...leaf, keyFile: join(directory, 'key.pem') }
  const passphraseFile = join(directory, 'passphrase')
  await writeFile(leaf.keyFile, key)
  await writeFile(passphraseFile, 'open sesame\n')
  const port = await (await start(`key_passphrase_file: "${passphraseFile}"`)).opened()
  expect(await connect(port)).toMatchObject({ connected: true, staple: { present: true } })
})
