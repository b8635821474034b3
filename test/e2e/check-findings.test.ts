/** Every finding there is, brought about over a real socket: what a rule looks for is what a server can do. */
import { readFile } from 'node:fs/promises'
import type { LookupFunction } from 'node:net'
import { expect, it } from 'vitest'
import { rules } from '../../src/check/diagnose/rules.ts'
import { encodeOcspRequest } from '../../src/pki/ocsp/index.ts'
import { formatPem } from '../../src/run/config/pem-text.ts'
import type { Leaf, LeafOptions } from '../kit/authority.ts'
import { startBadStapler } from '../kit/bad-stapler.ts'
import type { Behaviour, BehaviourOptions, SignedKind } from '../kit/behaviour.ts'
import { freePort } from '../kit/free-port.ts'
import { nginxPaths, startNginxWithWorkers } from '../kit/nginx.ts'
import { makeStaple, type StapleOptions } from '../kit/staple.ts'
import { extension, forgeCertificate, key, world } from '../pki/forge.ts'
import { codesOf, type LookOptions, setCheckStage } from './check-stage.ts'

const stage = await setCheckStage()
const { authority } = stage
const dayMs = 86_400_000
const inDays = (days: number) => new Date(Date.now() + days * dayMs)

/** Where to look, and how. */
type Place = LookOptions & { readonly port: number }

interface ServeOptions {
  readonly leaf?: LeafOptions
  /** A response about the leaf, or these bytes, or nothing. */
  readonly staple?: SignedKind | BehaviourOptions | Uint8Array | null
  readonly made?: StapleOptions
  /** What the responder says of the leaf. */
  readonly live?: Behaviour
  /** The leaf without its intermediate. */
  readonly isAlone?: boolean
}

async function serve({ leaf: options, staple = 'good', made, live, isAlone }: ServeOptions = {}): Promise<Place> {
  const leaf = await stage.issue(options)
  if (live !== undefined) await stage.responder.behave(live, leaf.certificate.serialNumber)
  const bytes =
    staple === null || staple instanceof Uint8Array ? staple : await makeStaple(authority, leaf, staple, made)
  return startBadStapler({ cert: isAlone ? leaf.pem : leaf.chainPem, key: await readFile(leaf.keyFile), staple: bytes })
}

const places: Readonly<Record<string, () => Promise<Place>>> = {
  healthy: () => serve(),
  'survives-outage': () => serve(),
  'could-not-connect': async () => ({ port: await freePort() }),
  'some-connections-failed': async () => ({ ...(await serve()), ...at('127.0.0.1', '127.0.0.2') }),
  // TCP goes to no group, so the system refuses at once
  'address-without-route': async () => ({ ...(await serve()), ...at('127.0.0.1', '224.0.0.1') }),
  'certificate-unreadable': async () => {
    // authorityInfoAccess cut short: OpenSSL does not look
    const der = forgeCertificate({ extensions: [extension('1.3.6.1.5.5.7.1.1', Uint8Array.of(0x30, 5))] })
    return startBadStapler({ cert: formatPem(der) + formatPem(world().issuer.der), key: leafKey() })
  },
  'certificate-expired': () => serve({ leaf: { notBefore: inDays(-90), notAfter: inDays(-1) } }),
  'certificate-too-young': () => serve({ leaf: { notBefore: inDays(1), notAfter: inDays(90) } }),
  'certificate-ends-soon': () => serve({ leaf: { notBefore: inDays(-90), notAfter: inDays(2) } }),
  'certificate-ends-before-staple': () => serve({ leaf: { notBefore: inDays(-2), notAfter: inDays(4) } }),
  'chain-incomplete': () => serve({ isAlone: true }),
  'chain-untrusted': async () => ({ ...(await serve()), ca: [] }),
  'name-mismatch': () => serve({ leaf: { san: ['other.test'] } }),
  'staple-revoked': () => serve({ staple: 'revoked' }),
  'revoked-now': () => serve({ live: 'revoked' }),
  'unknown-to-ca': () => serve({ live: 'unknown' }),
  'must-staple-without-staple': () => serve({ leaf: { mustStaple: true }, staple: null }),
  'must-staple-without-responder': () => serve({ leaf: { mustStaple: true, responderURL: null }, staple: null }),
  'staple-refused': () => serve({ staple: 'badSignature' }),
  'weak-signature': async () => {
    const leaf = await stage.issue()
    const { certificate, issuer } = leaf
    const request = encodeOcspRequest({ certificate, issuer, hashAlgorithm: 'sha1' })
    return staplingOf(leaf, await authority.ocspRespond({ request, hash: 'sha1' }))
  },
  'staple-stale': () => serve({ staple: 'expired' }),
  'staple-unknown': () => serve({ staple: 'unknown' }),
  'stapled-error': () => serve({ staple: Uint8Array.of(0x30, 3, 0x0a, 1, 3) }),
  'staple-not-judged': () => serve({ isAlone: true }),
  'no-staple': () => serve({ staple: null }),
  'staple-missed-sometimes': async () => {
    const leaf = await stage.issue()
    const place = await staplingOf(leaf, await makeStaple(authority, leaf))
    await staplingOf(leaf, null, { host: '127.0.0.2', port: place.port })
    return { ...place, ...at('127.0.0.1', '127.0.0.2') }
  },
  'staple-ends-soon': () => serve({ staple: { kind: 'good', thisUpdateAgeMs: 6.9 * dayMs } }),
  'staple-older-than-ca': () => serve({ staple: { kind: 'good', thisUpdateAgeMs: 2 * dayMs } }),
  'delegate-ends-soon': async () => serve({ made: { signer: await authority.delegate({ days: 2 }) } }),
  'delegate-without-nocheck': async () => serve({ made: { signer: await authority.delegate({ nocheck: false }) } }),
  'no-next-update': () => serve({ staple: { kind: 'noNextUpdate', thisUpdateAgeMs: 0 } }),
  'window-too-long': () => serve({ staple: { kind: 'good', validityMs: 30 * dayMs } }),
  'sha256-only': () => serve({ made: { hashAlgorithm: 'sha256' } }),
  'several-single-responses': () => serve({ staple: 'contradictory' }),
  'staple-too-large': async () => {
    const { der } = await stage.issue({ extensions: [`nsComment=${'x'.repeat(11_000)}`] })
    return serve({ made: { certificates: [der] } })
  },
  'clock-wrong': () => serve({ live: { kind: 'good', dateSkewMs: 3_600_000 } }),
  'ca-unreachable': () => serve({ leaf: { responderURL: 'http://127.0.0.1:1/' } }),
  'responder-partly-down': () => serve({ leaf: { responderURL: ['http://127.0.0.1:1/', stage.responder.url] } }),
  'ca-answer-refused': () => serve({ live: 'badSignature' }),
  'ca-not-asked': () => serve({ isAlone: true }),
  'nothing-to-staple': () => serve({ leaf: { responderURL: null }, staple: null }),
  'tls13-missing': () => web('ssl_protocols TLSv1.2;'),
  'hsts-missing': () => web('ssl_protocols TLSv1.2 TLSv1.3;'),
  'caa-missing': () => web('ssl_protocols TLSv1.2 TLSv1.3;'),
  'stack-complete': async () => ({
    ...(await web('ssl_protocols TLSv1.2 TLSv1.3;\n  add_header Strict-Transport-Security "max-age=31536000" always;')),
    resolveCaa: async () => [{ critical: 0, issue: 'ca.test' }],
  }),
}

it.each(Object.entries(places))('%s', async (code, find) => {
  const { port, ...options } = await find()
  const examination = await stage.look(port, options)
  expect(codesOf(examination)).toContain(code)
  expect(
    examination.findings.filter(({ title, evidence }) => /undefined|NaN|\[object/.test([title, ...evidence].join())),
  ).toEqual([])
})

it('these are all that there are', () => {
  // healthy stands apart: it is looked for where nothing is wrong
  const codes = ['healthy', ...rules.flatMap((rule) => Object.keys(rule.codes))]
  expect(Object.keys(places).sort()).toEqual(codes.sort())
})

async function staplingOf(
  leaf: Leaf,
  staple: Uint8Array | null,
  where: { host?: string; port?: number } = {},
): Promise<Place> {
  const { port } = await startBadStapler({ cert: leaf.chainPem, key: await readFile(leaf.keyFile), staple, ...where })
  return { port }
}

/** A web server, looked at with what is put beside stapling. */
async function web(lines: string): Promise<Place> {
  const [leaf, port] = [await stage.issue(), await freePort()]
  const site = `http {
${nginxPaths}
server {
  listen 127.0.0.1:${port} ssl;
  ssl_certificate ${leaf.certificateFile};
  ssl_certificate_key ${leaf.keyFile};
  ${lines}
}
}`
  await startNginxWithWorkers(site, port, 1)
  return { port, stack: true, serverName: 'localhost', resolveCaa: async () => [] }
}

/** The name is at these addresses. */
function at(...addresses: readonly string[]): LookOptions {
  const lookup: LookupFunction = (_name, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    )
  return { host: 'service.test', lookup }
}

function leafKey(): string {
  return key('leaf').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
}
