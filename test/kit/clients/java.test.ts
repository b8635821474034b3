/** The driver tells the truth about Java: proven against `openssl s_server`, which staples any file. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { type Authority, createAuthority, type Leaf } from '../authority.ts'
import { freePort } from '../free-port.ts'
import { openssl } from '../openssl.ts'
import { startProgram } from '../program.ts'
import { connectWithJava } from './java.ts'
import type { ClientTarget } from './outcome.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

let authority: Authority
let leaf: Leaf

beforeAll(async () => {
  authority = await createAuthority({ fresh: true })
  leaf = await authority.issueLeaf()
})

describe('Java', () => {
  test('accepts a good staple, and hands it out as it came', async () => {
    const staple = await respond(leaf)
    const outcome = await connectWithJava(await serve(leaf, staple))
    expect(outcome).toMatchObject({ connected: true, staple: { present: true }, keyType: 'EC', protocol: 'TLSv1.3' })
    expect(BigInt(`0x${outcome.serialHex}`)).toBe(leaf.certificate.serialNumber)
    expect(outcome.stapleBytes).toEqual(staple)
  })

  test('refuses a certificate without a staple', async () => {
    expect(await connectWithJava(await serve(leaf))).toMatchObject({
      connected: false,
      refusedBecause: expect.stringMatching(/revocation status|Connection refused/),
    })
  })

  test('refuses the staple of another certificate', async () => {
    const other = await authority.issueLeaf()
    expect(await connectWithJava(await serve(leaf, await respond(other)))).toMatchObject({ connected: false })
  })

  test('refuses a revoked one', async () => {
    const revoked = await authority.issueLeaf()
    await authority.revoke(revoked)
    expect(await connectWithJava(await serve(revoked, await respond(revoked)))).toMatchObject({
      connected: false,
      output: expect.stringContaining('revoked'),
    })
  })

  test('offers what it is told to', async () => {
    const target = await serve(leaf, await respond(leaf))
    expect(
      await connectWithJava({ ...target, version: '1.2', cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] }),
    ).toMatchObject({ protocol: 'TLSv1.2', cipherSuite: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384' })
    expect(await connectWithJava({ ...target, signatureSchemes: ['rsa_pss_rsae_sha256'] })).toMatchObject({
      connected: false,
      refusedBecause: expect.stringContaining('handshake_failure'),
    })
  })
})

async function respond(about: Leaf): Promise<Uint8Array> {
  const file = join(authority.directory, `java-${about.serialHex}`)
  const issuerFile = authority.intermediate.certificateFile
  await openssl(['ocsp', '-no_nonce', '-issuer', issuerFile, '-cert', about.leafOnlyFile, '-reqout', file])
  return authority.ocspRespond({ request: new Uint8Array(await readFile(file)) })
}

async function serve(shown: Leaf, staple?: Uint8Array): Promise<ClientTarget> {
  const port = await freePort()
  const file = join(authority.directory, `java-staple-${port}`)
  if (staple) await writeFile(file, staple)
  const server = startProgram('openssl', [
    ...['s_server', '-accept', `127.0.0.1:${port}`, '-www', '-key', shown.keyFile],
    ...['-cert', shown.certificateFile, '-cert_chain', authority.intermediate.certificateFile],
    ...(staple ? ['-status', '-status_file', file] : []),
  ])
  await server.waitForPort(port)
  return { port, rootFile: shown.rootFile }
}
