/**
 * An RSA and an ECDSA certificate for one name in a running `staplewright serve`: every client gets the one that it can use,
 * with that certificate's staple. Each key type has an authority of its own kind, as public ones have.
 */

import { X509Certificate } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { decodeOcspResponse } from '../../src/pki/ocsp/index.ts'
import { createAuthority, type Leaf } from '../kit/authority.ts'
import { type Backend, startBackend } from '../kit/backend.ts'
import { connectWithJava } from '../kit/clients/java.ts'
import { connectWithNode } from '../kit/clients/node.ts'
import { connectWithOpenssl } from '../kit/clients/openssl.ts'
import type { ClientTarget } from '../kit/clients/outcome.ts'
import { formatConfig, type RunningDaemon, startDaemon } from '../kit/daemon.ts'
import { runProgram } from '../kit/program.ts'
import { createScriptedResponder, type ScriptedResponder } from '../kit/responder.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { helloMessage, records } from '../serve/client-hello-bytes.ts'

// For a loaded machine.
vi.setConfig({ testTimeout: 60_000 })

type KeyType = 'rsa' | 'ec'
type Version = '1.2' | '1.3'

/** What a client was shown, by the serial numbers: of the certificate and in the staple. */
interface Shown {
  readonly certificate: string | undefined
  readonly staple: string | undefined
}

const directory = temporaryDirectory('key-types')
let backend: Backend
let responders: readonly ScriptedResponder[]
let leaves: Record<KeyType, Leaf>
let target: ClientTarget

beforeAll(async () => {
  backend = await startBackend()
  const authorities = await Promise.all([createAuthority({ keyType: 'rsa2048' }), createAuthority()])
  responders = await Promise.all(authorities.map((authority) => createScriptedResponder({ authority })))
  const [rsa, ec] = (await Promise.all(
    authorities.map((authority, index) =>
      authority.issueLeaf({
        name: `${['rsa', 'ec'][index]}.test`,
        san: ['localhost'],
        mustStaple: true,
        responderURL: responders[index]?.url as string,
      }),
    ),
  )) as [Leaf, Leaf]
  leaves = { rsa, ec }
  const rootFile = join(directory, 'roots.pem')
  await writeFile(rootFile, authorities.map((authority) => authority.root.pem).join(''))
  target = { port: await (await start(rsa, ec)).opened(), rootFile }
})

async function start(...shown: readonly Leaf[]): Promise<RunningDaemon> {
  const certs = shown.map((leaf) => `    { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}" }\n`)
  return startDaemon(`listen: "127.0.0.1:0"
backend: "${backend.url}"
ocsp: { mode: always }
tls {
  certs: [
${certs.join('')}  ]
}
`)
}

const serialOf = (leaf: Leaf) => leaf.certificate.serialNumber.toString(16)

function serialIn(staple: Uint8Array | undefined): string | undefined {
  const response = staple && decodeOcspResponse(staple)
  return response?.basicResponse?.responses[0]?.certID.serialNumber.toString(16)
}

/** Without leading zeros, as the others are. */
function hexIn(output: string, pattern: RegExp): string | undefined {
  return pattern.exec(output)?.[1]?.toLowerCase().replace(/^0+/, '')
}

const suites = { rsa: 'ECDHE-RSA-AES128-GCM-SHA256', ec: 'ECDHE-ECDSA-AES128-GCM-SHA256' }

async function openssl(key: KeyType, version: Version): Promise<Shown> {
  const schemes = { rsa: 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256', ec: 'ecdsa_secp256r1_sha256' }
  const args = version === '1.2' ? ['-cipher', suites[key]] : ['-sigalgs', schemes[key]]
  const { connected, output } = await connectWithOpenssl({ ...target, version, args })
  if (!connected) throw new Error(output)
  const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(output)?.[0] as string
  return {
    certificate: hexIn(new X509Certificate(pem).serialNumber, /(.*)/),
    staple: hexIn(output, /Serial Number: ([0-9A-F]+)\n\s+Cert Status: good/),
  }
}

/** curl has an option for suites; the schemes of TLS 1.3 it takes from OpenSSL's own configuration. */
async function curl(key: KeyType, version: Version): Promise<Shown> {
  const config = join(directory, `openssl-${key}.cnf`)
  const schemes = { rsa: 'RSA-PSS+SHA256:RSA+SHA256', ec: 'ECDSA+SHA256' }
  await writeFile(
    config,
    `openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = tls\n[tls]\nSignatureAlgorithms = ${schemes[key]}\n`,
  )
  const { code, output } = await runProgram(
    'curl',
    [
      ...['-q', '--cert-status', '--cacert', target.rootFile, '--resolve', `localhost:${target.port}:127.0.0.1`],
      ...['--noproxy', '*', '--silent', '--show-error', '--verbose', '--max-time', '20'],
      ...(version === '1.2'
        ? ['--tls-max', '1.2', '--ciphers', suites[key]]
        : ['--tlsv1.3', '--tls13-ciphers', 'TLS_AES_128_GCM_SHA256']),
      `https://localhost:${target.port}/`,
    ],
    version === '1.3' ? { env: { OPENSSL_CONF: config } } : {},
  )
  if (code !== 0) throw new Error(output)
  // curl tells the subject alone, and takes a staple only when it is that certificate's and good.
  const shown = { 'rsa.test': leaves.rsa, 'ec.test': leaves.ec }[/subject: CN=(\S+)/.exec(output)?.[1] ?? '']
  const serial = shown && serialOf(shown)
  return { certificate: serial, staple: /SSL certificate status: good/.test(output) ? serial : undefined }
}

async function gnutls(key: KeyType, version: Version): Promise<Shown> {
  const schemes = {
    rsa: '+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-SHA256',
    ec: '+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SHA256',
  }
  const priority =
    version === '1.2'
      ? `NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-${key === 'rsa' ? 'RSA' : 'ECDSA'}`
      : `NORMAL:-VERS-ALL:+VERS-TLS1.3:-SIGN-ALL:${schemes[key]}`
  const file = join(directory, `gnutls-${key}-${version}.der`)
  const { code, output } = await runProgram('gnutls-cli', [
    ...['--x509cafile', target.rootFile, '--port', String(target.port), '--priority', priority, '--save-ocsp', file],
    ...['--sni-hostname', 'localhost', '--verify-hostname', 'localhost', '127.0.0.1'],
  ])
  if (code !== 0) throw new Error(output)
  return {
    certificate: hexIn(output, /Certificate\[0\] info:\n.*serial 0x([0-9a-f]+)/),
    staple: serialIn(new Uint8Array(await readFile(file))),
  }
}

async function node(key: KeyType, version: Version): Promise<Shown> {
  const schemes = { rsa: 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256', ec: 'ecdsa_secp256r1_sha256' }
  const options = version === '1.2' ? { ciphers: suites[key] } : { sigalgs: schemes[key] }
  const { certificate, stapleBytes, refusedBecause } = await connectWithNode({ ...target, version, options })
  if (!certificate) throw new Error(refusedBecause)
  return {
    certificate: hexIn(new X509Certificate(certificate).serialNumber, /(.*)/),
    staple: serialIn(stapleBytes),
  }
}

const javaSchemes = { rsa: ['rsa_pss_rsae_sha256', 'rsa_pkcs1_sha256'], ec: ['ecdsa_secp256r1_sha256'] }

async function java(key: KeyType | 'any', version: Version): Promise<Shown> {
  const { connected, serialHex, stapleBytes, output } = await connectWithJava({
    ...target,
    version,
    ...(key !== 'any' && { signatureSchemes: javaSchemes[key] }),
    ...(key !== 'any' &&
      version === '1.2' && {
        cipherSuites: [`TLS_ECDHE_${key === 'rsa' ? 'RSA' : 'ECDSA'}_WITH_AES_128_GCM_SHA256`],
      }),
  })
  if (!connected) throw new Error(output)
  return { certificate: serialHex, staple: serialIn(stapleBytes) }
}

const clients = { openssl, curl, gnutls, node, java } as const

describe.each(Object.entries(clients))('%s', (_name, connect) => {
  test.each([
    ['rsa', '1.2'],
    ['ec', '1.2'],
    ['rsa', '1.3'],
    ['ec', '1.3'],
  ] as const)('that can use %s alone over TLS %s is shown it with its own staple', async (key, version) => {
    const serial = serialOf(leaves[key])
    expect(await connect(key, version)).toEqual({ certificate: serial, staple: serial })
  })
})

describe('Java', () => {
  test.each(['1.2', '1.3'] as const)('as it is, over TLS %s, is shown ECDSA with its own staple', async (version) => {
    const serial = serialOf(leaves.ec)
    expect(await java('any', version)).toEqual({ certificate: serial, staple: serial })
  })

  test('with the same cipher suites goes by its signature schemes in TLS 1.2 as well', async () => {
    for (const key of ['rsa', 'ec'] as const) {
      const { serialHex } = await connectWithJava({ ...target, version: '1.2', signatureSchemes: javaSchemes[key] })
      expect(serialHex).toBe(serialOf(leaves[key]))
    }
  })
})

describe('truncated and altered ClientHellos', () => {
  test('that come by the hundred and stay leave every client its certificate and staple', async () => {
    const whole = helloMessage({
      versions: [0x0304],
      cipherSuites: [0x1301],
      supportedGroups: [29],
      signatureAlgorithms: [0x0804],
    })
    const hostile = Array.from({ length: 200 }, (_, index) => {
      if (index % 2 === 0) return records(whole).subarray(0, 1 + index)
      const altered = Buffer.from(whole)
      altered[index % altered.length] = index
      return records(altered, index)
    })
    const open = hostile.map((bytes) => {
      const socket = connect(target.port, '127.0.0.1').on('error', () => {})
      socket.resume().write(bytes)
      return new Promise<void>((resolve) => socket.once('close', () => resolve()))
    })
    const cases = (['rsa', 'ec'] as const).flatMap((key) => [
      openssl(key, '1.2').then((shown) => ({ key, shown })),
      gnutls(key, '1.3').then((shown) => ({ key, shown })),
      curl(key, '1.3').then((shown) => ({ key, shown })),
    ])
    for (const { key, shown } of await Promise.all(cases)) {
      expect(shown).toEqual({ certificate: serialOf(leaves[key]), staple: serialOf(leaves[key]) })
    }
    // Each is ended: at once, or when the time of a handshake is over.
    await Promise.all(open)
  })
})

describe("Java's own switches (checkRevocation, ocsp.enable, enableStatusRequestExtension)", () => {
  test.each(['rsa2048', 'p256'] as const)('are content with the staple of %s, and ask nobody', async (keyType) => {
    const { leaf, responder } = await issueByRoot(keyType)
    const port = await (await startAlone(leaf, '{ mode: always }')).opened()
    const before = responder.count
    const outcome = await connectWithJava({ port, rootFile: leaf.rootFile, check: 'switches' })
    expect([outcome.connected, serialIn(outcome.stapleBytes), responder.count - before]).toEqual([
      true,
      serialOf(leaf),
      0,
    ])
  })

  // The other half of the proof: without a staple they do ask.
  test('ask the responder when there is none', async () => {
    const { leaf, responder } = await issueByRoot('p256')
    const daemon = await startAlone(leaf, '{ mode: never }')
    const outcome = await connectWithJava({
      port: await daemon.opened(),
      rootFile: leaf.rootFile,
      check: 'switches',
    })
    expect([outcome.staple?.present, responder.count]).toEqual([false, 1])
  })

  function startAlone(leaf: Leaf, ocsp: string): Promise<RunningDaemon> {
    return startDaemon(formatConfig({ backend: backend.url, leaf, ocsp }))
  }

  /** By the root, because the switches want to know about every certificate below it. */
  async function issueByRoot(keyType: 'rsa2048' | 'p256') {
    const authority = await createAuthority({ keyType })
    const responder = await createScriptedResponder({ authority, signer: authority.root })
    return { responder, leaf: await authority.issueLeaf({ issuer: 'root', responderURL: responder.url }) }
  }
})

describe('a responder that knows SHA-256 certIDs alone', () => {
  test('gives a staple that Java refuses, as curl does, and the log says so', async () => {
    const authority = await createAuthority()
    const responder = await createScriptedResponder({ authority, behaviour: 'sha256Only' })
    const leaf = await authority.issueLeaf({ responderURL: responder.url })
    const daemon = await start(leaf)
    const outcome = await connectWithJava({ port: await daemon.opened(), rootFile: leaf.rootFile })
    expect(outcome).toMatchObject({
      connected: false,
      refusedBecause: expect.stringMatching(/does not include|Unable/),
    })
    await daemon.waitForLine((line) => line.level === 'warn' && /curl, Java/.test(line.message))
  })
})
