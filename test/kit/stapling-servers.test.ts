/** The servers of others do what the tests of `check` rely on: seen by openssl, which has no opinion on it. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startApache, testApache } from './apache.ts'
import { createAuthority, type Leaf, type LeafOptions } from './authority.ts'
import { startBadStapler } from './bad-stapler.ts'
import type { SignedKind } from './behaviour.ts'
import { startCaddy } from './caddy.ts'
import { connectWithOpenssl } from './clients/openssl.ts'
import { freePort } from './free-port.ts'
import { startHaproxyWithStaple } from './haproxy.ts'
import { startLighttpd } from './lighttpd.ts'
import { startNatsServer } from './nats-server.ts'
import { nginxPaths, startNginxWithWorkers } from './nginx.ts'
import { createScriptedResponder } from './responder.ts'
import { makeDualStaple, makeStaple } from './staple.ts'
import { temporaryDirectory } from './temporary.ts'

const authority = await createAuthority()
const responder = await createScriptedResponder({ authority, validityMs: 7 * 86_400_000 })
const nowhere = 'http://127.0.0.1:1/'

describe('nginx', () => {
  const site = (leaf: Leaf, port: number, lines = '') => `http {
${nginxPaths}
server {
  listen 127.0.0.1:${port} ssl;
  ssl_certificate ${leaf.certificateFile};
  ssl_certificate_key ${leaf.keyFile};
  ssl_stapling on;
  ${lines}
}
}`

  it('staples nothing in the first handshake, and asks after it', async () => {
    const [leaf, port] = [await issue(), await freePort()]
    const before = responder.count
    const nginx = await startNginxWithWorkers(site(leaf, port), port, 2)
    expect([await look(port), responder.count - before]).toEqual(['none', 1])
    await expect.poll(() => look(port), { timeout: 15_000 }).toBe('good')
    await nginx.reload(site(leaf, port))
    expect(await look(port), 'a reload forgets').toBe('none')
  })

  it('verifies what the issuer itself signed without a trusted file, but not what its delegate signed', async () => {
    const signer = await authority.delegate()
    const certificates = [signer.certificate.der]
    const delegated = await createScriptedResponder({ authority, signer, certificates })
    const verify = 'ssl_stapling_verify on;'
    const [direct, port] = [await issue(), await freePort()]
    await startNginxWithWorkers(site(direct, port, verify), port, 1)
    await expect.poll(() => look(port), { timeout: 15_000 }).toBe('good')
    const [other, otherPort] = [await issue({ responderURL: delegated.url }), await freePort()]
    const nginx = await startNginxWithWorkers(site(other, otherPort, verify), otherPort, 1)
    expect(await look(otherPort)).toBe('none')
    await nginx.program.waitFor(/OCSP_basic_verify\(\) failed .*unable to get local issuer/)
    expect(await look(otherPort)).toBe('none')
  })

  it('switches stapling off where the system cannot resolve the responder, whatever resolver it is given', async () => {
    const [leaf, port] = [await issue({ responderURL: 'http://ocsp.staplewright.test/' }), await freePort()]
    const nginx = await startNginxWithWorkers(site(leaf, port, 'resolver 127.0.0.1:1;'), port, 1)
    await nginx.program.waitFor(/"ssl_stapling" ignored, host not found in OCSP responder/)
  })

  it('staples whatever a file holds: expired, wrong signature, another certificate, an error', async () => {
    const [leaf, port] = [await issue(), await freePort()]
    const file = join(temporaryDirectory('staple'), 'staple.der')
    const config = site(leaf, port, `ssl_stapling_file ${file};`)
    await writeFile(file, await makeStaple(authority, leaf, 'expired'))
    const nginx = await startNginxWithWorkers(config, port, 1)
    const seen = [await look(port)]
    for (const kind of ['badSignature', 'wrongSerial', 'revoked'] as const) {
      await writeFile(file, await makeStaple(authority, leaf, kind))
      await nginx.reload(config)
      seen.push(await look(port))
    }
    await writeFile(file, Uint8Array.of(0x30, 0x03, 0x0a, 0x01, 0x06))
    await nginx.reload(config)
    expect([...seen, await look(port)]).toEqual(['good', 'good', 'good', 'revoked', 'unauthorized'])
  })
})

describe('Apache', () => {
  const site = (leaf: Leaf, port: number, lines = '') => `<VirtualHost 127.0.0.1:${port}>
SSLEngine on
SSLCertificateFile ${leaf.certificateFile}
SSLCertificateKeyFile ${leaf.keyFile}
${lines}
</VirtualHost>`
  const use = 'SSLUseStapling On\n'
  const cache = 'SSLStaplingCache shmcb:stapling_cache(128000)\n'

  it('staples from the first handshake on', async () => {
    const [leaf, port] = [await issue(), await freePort()]
    await startApache(use + cache + site(leaf, port), port)
    expect(await look(port)).toBe('good')
  })

  it('staples tryLater while its responder is down, unless told not to', async () => {
    const [leaf, port] = [await issue({ responderURL: nowhere }), await freePort()]
    const apache = await startApache(use + cache + site(leaf, port), port)
    expect(await look(port)).toBe('trylater')
    await apache.restart(use + cache + site(leaf, port, 'SSLStaplingFakeTryLater off'))
    expect(await look(port)).toBe('none')
  })

  it('does not start without a cache, which its own test does not notice', async () => {
    const [leaf, port] = [await issue(), await freePort()]
    expect(await testApache(use + site(leaf, port), port)).toBe('')
    await expect(startApache(use + site(leaf, port), port)).rejects.toThrow(/AH01958: SSLStapling: no stapling cache/)
    await expect(startApache(site(leaf, port, use), port)).rejects.toThrow(/AH01958/)
  })

  it('ends when it is told to load stapling without a cache', async () => {
    const [leaf, port] = [await issue(), await freePort()]
    const apache = await startApache(site(leaf, port), port)
    apache.reload(use + site(leaf, port))
    expect((await apache.program.ended).code).not.toBe(0)
    expect(apache.program.output()).toMatch(/AH01958/)
  })

  it('does not start with its cache in a virtual host', async () => {
    const [leaf, port] = [await issue(), await freePort()]
    expect(await testApache(site(leaf, port, use + cache), port)).toMatch(/SSLStaplingCache cannot occur within/)
  })
})

describe('servers that take a file', () => {
  it.each<[SignedKind, string]>([
    ['good', 'good'],
    ['badSignature', 'good'],
    ['revoked', 'revoked'],
    ['wrongSerial', 'none'],
    ['expired', 'none'],
  ])('HAProxy with a staple that is %s: %s', async (kind, seen) => {
    const leaf = await issue()
    const { port } = await startHaproxyWithStaple(leaf, await makeStaple(authority, leaf, kind))
    expect(await look(port)).toBe(seen)
  })

  it.each<[SignedKind, string]>([
    ['good', 'good'],
    ['badSignature', 'good'],
    ['wrongSerial', 'good'],
    ['expired', 'none'],
  ])('lighttpd with a staple that is %s: %s', async (kind, seen) => {
    const leaf = await issue()
    const { port } = await startLighttpd(leaf, await makeStaple(authority, leaf, kind))
    expect(await look(port)).toBe(seen)
  })
})

describe('servers that ask while they start', () => {
  it.each<[SignedKind, string]>([
    ['good', 'good'],
    ['wrongSerial', 'good'],
    ['expired', 'good'],
    ['noOcspSigning', 'good'],
    ['badSignature', 'none'],
  ])('Caddy with an answer that is %s: %s', async (kind, seen) => {
    const leaf = await issue()
    await responder.behave(kind, leaf.certificate.serialNumber)
    const { port } = await startCaddy(leaf)
    expect(await look(port)).toBe(seen)
  })

  const nats = async (kind: SignedKind) => {
    const leaf = await issue()
    await responder.behave(kind, leaf.certificate.serialNumber)
    return startNatsServer({
      ocsp: '{ mode: always }',
      storeDir: temporaryDirectory('nats'),
      certificateFile: leaf.certificateFile,
      keyFile: leaf.keyFile,
      caFile: authority.intermediate.certificateFile,
    })
  }

  it.each<SignedKind>(['good', 'wrongSerial', 'noOcspSigning'])(
    'nats-server with an answer that is %s: good',
    async (kind) => {
      expect(await look((await nats(kind)).httpsPort)).toBe('good')
    },
  )

  it.each<SignedKind>(['expired', 'badSignature', 'revoked'])(
    'nats-server does not start with an answer that is %s',
    async (kind) => {
      await expect(nats(kind)).rejects.toThrow(/ended before it wrote/)
    },
  )
})

describe('a response with two entries, SHA-1 and SHA-256', () => {
  it('HAProxy does not take it, lighttpd and nginx do', async () => {
    const leaf = await issue()
    const dual = makeDualStaple(authority, leaf)
    const file = join(temporaryDirectory('staple'), 'staple.der')
    await writeFile(file, dual)
    const nginxPort = await freePort()
    await startNginxWithWorkers(
      `http { ${nginxPaths} server {
  listen 127.0.0.1:${nginxPort} ssl;
  ssl_certificate ${leaf.certificateFile};
  ssl_certificate_key ${leaf.keyFile};
  ssl_stapling on;
  ssl_stapling_file ${file};
} }`,
      nginxPort,
      1,
    )
    const haproxy = await startHaproxyWithStaple(leaf, dual)
    const lighttpd = await startLighttpd(leaf, dual)
    expect([await look(haproxy.port), await look(lighttpd.port), await look(nginxPort)]).toEqual([
      'none',
      'good',
      'good',
    ])
    expect(haproxy.program.output()).toMatch(/single response/i)
  })

  it('Caddy does not take it, and nats-server does not start with it', async () => {
    const leaf = await issue()
    const body = makeDualStaple(authority, leaf)
    await responder.behave({ kind: 'good', body }, leaf.certificate.serialNumber)
    expect(await look((await startCaddy(leaf)).port)).toBe('none')
    const { certificateFile, keyFile } = leaf
    const caFile = authority.intermediate.certificateFile
    await expect(
      startNatsServer({
        ocsp: '{ mode: always }',
        storeDir: temporaryDirectory('nats'),
        ...{ certificateFile, keyFile, caFile },
      }),
    ).rejects.toThrow(/ended before it wrote/)
  })
})

it('the bad stapler staples what it is told, from one handshake to the next', async () => {
  const leaf = await issue()
  const stapler = await startBadStapler({ cert: leaf.chainPem, key: await readFile(leaf.keyFile) })
  expect(await look(stapler.port)).toBe('none')
  stapler.staple = await makeStaple(authority, leaf, 'expired')
  expect([await look(stapler.port), await look(stapler.port, ['-tls1_2'])]).toEqual(['good', 'good'])
  stapler.staple = Uint8Array.of(0x30, 0x03, 0x0a, 0x01, 0x06)
  expect(await look(stapler.port)).toBe('unauthorized')
  stapler.staple = Uint8Array.of(1)
  expect(await look(stapler.port)).toMatch(/ASN1_get_object:header too long/)
  expect(stapler.asked).toBe(5)
})

function issue(options: LeafOptions = {}): Promise<Leaf> {
  return authority.issueLeaf({ responderURL: responder.url, ...options })
}

/** The staple's word, or the error status that was stapled, or `none`. */
async function look(port: number, args: readonly string[] = []): Promise<string> {
  const { output } = await connectWithOpenssl({ port, rootFile: authority.root.certificateFile, args })
  const [, responseStatus] = /OCSP Response Status: (\w+)/.exec(output) ?? []
  if (responseStatus === undefined) return /no response sent/.test(output) ? 'none' : output
  return /Cert Status: (\w+)/.exec(output)?.[1] ?? responseStatus
}
