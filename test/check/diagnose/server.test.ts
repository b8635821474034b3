/** Which server it is, by its habits. */
import { expect, it } from 'vitest'
import { recogniseServer } from '../../../src/check/diagnose/server.ts'
import { encodeOcspError } from '../../../src/pki/ocsp/sign.ts'
import {
  evidenceOf,
  fakeAsker,
  fetchFailure,
  findingOf,
  findingsOf,
  leafOf,
  responseFor,
  series,
  shown,
  unanswered,
} from './crafted.ts'

const leaf = await leafOf()
const good = responseFor(leaf)
const kindOf = async (...given: Parameters<typeof evidenceOf>) => recogniseServer(await evidenceOf(...given))?.kind

it.each([
  ['nginx/1.22.1', 'nginx'],
  ['Apache/2.4.62 (Debian)', 'apache'],
  ['Microsoft-IIS/10.0', 'iis'],
  ['Caddy', 'caddy'],
  ['lighttpd/1.4.69', 'lighttpd'],
])('takes %s for a sign of %s', async (server, kind) => {
  expect(await kindOf(series(leaf, [good]), { http: { status: 200, server } })).toBe(kind)
})

it('knows nginx by misses that end', async () => {
  expect(await kindOf(series(leaf, [null, null, good, good]))).toBe('nginx')
})

it('believes a stapled tryLater more than a banner', async () => {
  const staple = encodeOcspError('tryLater')
  const evidence = await evidenceOf(series(leaf, [staple]), { http: { status: 200, server: 'nginx' } })
  expect(recogniseServer(evidence)).toEqual({
    kind: 'apache',
    because: ['it staples an error status, as only Apache does'],
  })
})

it('knows nats-server by its INFO', async () => {
  const connection = shown(leaf, good, { greeting: 'INFO {"server_id":"NA","version":"2.9.10"}' })
  expect(await kindOf([connection])).toBe('nats-server')
})

it('does not guess where the signs speak for two', async () => {
  const other = await leafOf({ name: 'other' })
  expect(await kindOf(series(leaf, [responseFor(leaf, { about: other })]))).toBeUndefined()
})

it("puts Go's servers first where AES-128 is taken in TLS 1.3, and does not say which", async () => {
  const connection = shown(leaf, null, { cipher: 'TLS_AES_128_GCM_SHA256' })
  const evidence = await evidenceOf([connection])
  expect(recogniseServer(evidence)).toBeUndefined()
  const { remedies } = findingOf(await findingsOf([connection]), 'no-staple')
  expect(remedies.slice(0, 2).map(({ server }) => server)).toEqual(['caddy', 'nats-server'])
})

it('puts Node first where AES-128 is taken in TLS 1.2 alone', async () => {
  const older = { version: 'TLSv1.2', cipher: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', number: 2 } as const
  const { remedies } = findingOf(await findingsOf([shown(leaf, null), shown(leaf, null, older)]), 'no-staple')
  expect(remedies[0]?.server).toBe('node')
})

it('does not guess without a sign', async () => {
  expect(await kindOf(series(leaf, [good]))).toBeUndefined()
})

it('puts the remedies of the server that it seems to be first', async () => {
  const http = { status: 200, server: 'Caddy' }
  const { remedies } = findingOf(await findingsOf(series(leaf, [null]), { http }), 'no-staple')
  expect(remedies[0]?.server).toBe('caddy')
})

it('tells a NATS target of nats-server alone', async () => {
  const target = { label: 'nats', host: 'localhost', port: 4222, starttls: 'nats' as const }
  const { remedies } = findingOf(await findingsOf(series(leaf, [null]), { target }), 'no-staple')
  expect([...new Set(remedies.flatMap(({ server }) => server ?? []))]).toEqual(['nats-server'])
})

it('lets no name of a target break out of a line', async () => {
  const target = { label: 'x', host: 'a"; include /etc/passwd; #', port: 443 }
  const findings = await findingsOf(series(leaf, [null]), { target })
  const lines = findingOf(findings, 'no-staple').remedies.flatMap((remedy) => remedy.lines ?? [])
  expect(lines.join('\n')).toContain('a___include__etc_passwd___')
  expect(lines.join('\n')).not.toContain('/etc/passwd')
})

it('tells an SMTP target of Exim, and of no web server', async () => {
  const target = { label: 'mail', host: 'localhost', port: 25, starttls: 'smtp' as const }
  const { remedies } = findingOf(await findingsOf(series(leaf, [null]), { target }), 'no-staple')
  expect(remedies[0]?.lines).toEqual(['tls_ocsp_file = DER /var/lib/staples/localhost.der'])
  expect(remedies.flatMap(({ server }) => server ?? [])).toEqual([])
})

it('shows nothing that would steer a terminal', async () => {
  const http = { status: 200, hsts: '\u001b[2Jmax-age=0\u202e' }
  const findings = await findingsOf(series(leaf, [good]), { http }, { stack: true })
  expect(findingOf(findings, 'hsts-missing').evidence[0]).toBe('Strict-Transport-Security: ?[2Jmax-age=0?')
})

it("puts nothing of a stranger's address into a shell", async () => {
  const evil = await leafOf({ responderURL: 'http://a\\$(id)&b/x' })
  const causes = [
    fetchFailure('ERR_FETCH_NETWORK', { networkCode: 'ENOTFOUND' }),
    fetchFailure('ERR_FETCH_NETWORK', { networkCode: 'ECONNREFUSED' }),
  ]
  const asker = fakeAsker(() => unanswered(...causes))
  const finding = findingOf(await findingsOf(series(evil, [null]), {}, { asker }), 'ca-unreachable')
  const commands = finding.remedies.filter(({ server, kind }) => server === undefined && kind === 'commands')
  expect(commands.flatMap(({ lines }) => lines ?? []).slice(0, 2)).toEqual([
    'getent hosts aidb',
    "curl -sv -m 30 -o /dev/null 'http://aid&b/x'",
  ])
})
