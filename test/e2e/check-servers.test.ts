/** `check` against the servers in use, each stapling well and badly: what they staple is told, and nothing else. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { ServerKind } from '../../src/check/diagnose/finding.ts'
import { startApache } from '../kit/apache.ts'
import type { Leaf } from '../kit/authority.ts'
import type { Behaviour, SignedKind } from '../kit/behaviour.ts'
import { startCaddy } from '../kit/caddy.ts'
import { freePort } from '../kit/free-port.ts'
import { startHaproxyWithStaple } from '../kit/haproxy.ts'
import { startLighttpd } from '../kit/lighttpd.ts'
import { startNatsServer } from '../kit/nats-server.ts'
import { nginxPaths, startNginxWithWorkers } from '../kit/nginx.ts'
import { makeDualStaple, makeStaple } from '../kit/staple.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { codesOf, expectHealthy, type LookOptions, setCheckStage, troublesOf } from './check-stage.ts'

const stage = await setCheckStage()
const nowhere = 'http://127.0.0.1:1/'

interface Place extends LookOptions {
  readonly port: number
}

/** What a server does not say of itself is guessed, or not. */
interface Well {
  readonly name: string
  readonly kind?: ServerKind
  readonly start: () => Promise<Place>
}

const well: readonly Well[] = [
  { name: 'nginx, asked before', kind: 'nginx', start: async () => warm(await nginx(await stage.issue())) },
  { name: 'nginx, out of a file', kind: 'nginx', start: async () => nginxWithFile('good') },
  { name: 'Apache', kind: 'apache', start: async () => apache(await stage.issue()) },
  { name: 'HAProxy', start: async () => haproxy('good') },
  { name: 'lighttpd', kind: 'lighttpd', start: async () => lighttpd('good') },
  { name: 'Caddy', kind: 'caddy', start: async () => startCaddy(await stage.issue()) },
  { name: 'nats-server, its monitoring port', start: async () => ({ port: (await nats()).httpsPort }) },
  {
    name: 'nats-server, its client port',
    kind: 'nats-server',
    start: async () => ({ port: (await nats()).port, starttls: 'nats' }),
  },
]

it.each(well)('$name, stapling well', async ({ start, kind }) => {
  const { port, ...options } = await start()
  const examination = await stage.look(port, options)
  expectHealthy(examination)
  if (kind !== undefined) expect(examination.server?.kind).toBe(kind)
})

interface Badly {
  readonly name: string
  readonly start: () => Promise<Place>
  readonly code: string
  /** The error code that the evidence names. */
  readonly because?: string
}

const badly: readonly Badly[] = [
  {
    name: 'nginx, before it was asked',
    start: async () => ({ ...(await nginx(await stage.issue())), connections: 15 }),
    code: 'staple-missed-sometimes',
  },
  {
    name: 'nginx, an expired file',
    start: () => nginxWithFile('expired'),
    code: 'staple-stale',
    because: 'ERR_OCSP_STALE',
  },
  {
    name: 'Apache, its responder down',
    start: async () => apache(await stage.issue({ responderURL: nowhere })),
    code: 'stapled-error',
    because: 'ERR_OCSP_RESPONSE_STATUS',
  },
  {
    name: 'Apache, an answer that somebody else signed',
    start: async () => apache(await answered('badSignature')),
    code: 'staple-refused',
    because: 'ERR_OCSP_SIGNATURE',
  },
  {
    name: 'HAProxy, a file that somebody else signed',
    start: () => haproxy('badSignature'),
    code: 'staple-refused',
    because: 'ERR_OCSP_SIGNATURE',
  },
  { name: "HAProxy, another certificate's file", start: () => haproxy('wrongSerial'), code: 'no-staple' },
  { name: 'HAProxy, a file that says revoked', start: () => haproxy('revoked'), code: 'staple-revoked' },
  { name: 'lighttpd, an expired file', start: () => lighttpd('expired'), code: 'no-staple' },
  {
    name: "lighttpd, another certificate's file",
    start: () => lighttpd('wrongSerial'),
    code: 'staple-refused',
    because: 'ERR_OCSP_CERT_ID_MISMATCH',
  },
  {
    name: "Caddy, another certificate's answer",
    start: async () => startCaddy(await answered('wrongSerial')),
    code: 'staple-refused',
    because: 'ERR_OCSP_CERT_ID_MISMATCH',
  },
  {
    name: 'Caddy, an answer that has expired',
    start: async () => startCaddy(await answered('expired')),
    code: 'staple-stale',
    because: 'ERR_OCSP_STALE',
  },
  {
    name: 'Caddy, an answer of a signer without OCSPSigning',
    start: async () => startCaddy(await answered('noOcspSigning')),
    code: 'staple-refused',
    because: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
  },
  {
    name: "nats-server, another certificate's answer",
    start: async () => ({ port: (await nats('wrongSerial')).port, starttls: 'nats' }),
    code: 'staple-refused',
    because: 'ERR_OCSP_CERT_ID_MISMATCH',
  },
  {
    name: 'nats-server, an answer of a signer without OCSPSigning',
    start: async () => ({ port: (await nats('noOcspSigning')).port, starttls: 'nats' }),
    code: 'staple-refused',
    because: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
  },
]

it.each(badly)('$name: $code', async ({ start, code, because }) => {
  const { port, ...options } = await start()
  const examination = await stage.look(port, options)
  expect(codesOf(examination)).toContain(code)
  if (because !== undefined) {
    const finding = examination.findings.find((each) => each.code === code)
    expect(finding?.evidence.join('\n')).toContain(because)
  }
})

it('HAProxy staples nothing of two entries, which the answer of the responder shows', async () => {
  const leaf = await stage.issue()
  const body = makeDualStaple(stage.authority, leaf)
  await stage.responder.behave({ kind: 'good', body }, leaf.certificate.serialNumber)
  const { port } = await startHaproxyWithStaple(leaf, body)
  expect([...troublesOf(await stage.look(port))].sort()).toEqual(['no-staple', 'several-single-responses'])
})

it('nginx goes without once in each of its workers, and the share is told', async () => {
  const { port } = await nginx(await stage.issue(), { workers: 4, listen: 'ssl reuseport' })
  const { findings } = await stage.look(port, { connections: 30 })
  const finding = findings.find(({ code }) => code === 'staple-missed-sometimes')
  expect(finding?.evidence.join('\n')).toMatch(/\d+ of \d+/)
})

interface NginxSite {
  readonly workers?: number
  readonly listen?: string
  readonly lines?: string
}

async function nginx(leaf: Leaf, { workers = 1, listen = 'ssl', lines = '' }: NginxSite = {}): Promise<Place> {
  const port = await freePort()
  const site = `http {
${nginxPaths}
server {
  listen 127.0.0.1:${port} ${listen};
  ssl_certificate ${leaf.certificateFile};
  ssl_certificate_key ${leaf.keyFile};
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_stapling on;
  ssl_stapling_verify on;
  ssl_trusted_certificate ${leaf.caFile};
  ${lines}
}
}`
  await startNginxWithWorkers(site, port, workers)
  return { port }
}

async function nginxWithFile(kind: SignedKind): Promise<Place> {
  const leaf = await stage.issue()
  const file = join(temporaryDirectory('staple'), 'staple.der')
  await writeFile(file, await makeStaple(stage.authority, leaf, kind))
  return nginx(leaf, { lines: `ssl_stapling_file ${file};` })
}

/** Looks until nothing is missed: its one worker has asked. */
async function warm(place: Place): Promise<Place> {
  await expect
    .poll(async () => codesOf(await stage.look(place.port)), { timeout: 15_000 })
    .not.toContain('staple-missed-sometimes')
  return place
}

async function apache(leaf: Leaf): Promise<Place> {
  const port = await freePort()
  await startApache(
    `SSLUseStapling On
SSLStaplingCache shmcb:stapling_cache(128000)
<VirtualHost 127.0.0.1:${port}>
SSLEngine on
SSLCertificateFile ${leaf.certificateFile}
SSLCertificateKeyFile ${leaf.keyFile}
</VirtualHost>`,
    port,
  )
  return { port }
}

async function haproxy(kind: SignedKind): Promise<Place> {
  const leaf = await stage.issue()
  return startHaproxyWithStaple(leaf, await makeStaple(stage.authority, leaf, kind))
}

async function lighttpd(kind: SignedKind): Promise<Place> {
  const leaf = await stage.issue()
  return startLighttpd(leaf, await makeStaple(stage.authority, leaf, kind))
}

/** A leaf whose responder says that of it. */
async function answered(behaviour: Behaviour): Promise<Leaf> {
  const leaf = await stage.issue()
  await stage.responder.behave(behaviour, leaf.certificate.serialNumber)
  return leaf
}

async function nats(behaviour: Behaviour = 'good') {
  const leaf = await answered(behaviour)
  return startNatsServer({
    ocsp: '{ mode: always }',
    storeDir: temporaryDirectory('nats'),
    certificateFile: leaf.certificateFile,
    keyFile: leaf.keyFile,
    caFile: stage.authority.intermediate.certificateFile,
  })
}
