/** `check` against targets that differ in themselves: two keys, several addresses, one version, and what is no TLS server. */
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import type { LookupFunction } from 'node:net'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { certificateKey } from '../../src/pki/x509/crypto.ts'
import type { Leaf } from '../kit/authority.ts'
import { startBadStapler } from '../kit/bad-stapler.ts'
import { freePort } from '../kit/free-port.ts'
import { nginxPaths, startNginxWithWorkers } from '../kit/nginx.ts'
import { type OddListener, sendCertificateMessage, startOddListener } from '../kit/odd-listener.ts'
import { makeStaple } from '../kit/staple.ts'
import { temporaryDirectory } from '../kit/temporary.ts'
import { codesOf, expectHealthy, setCheckStage, troublesOf } from './check-stage.ts'

const stage = await setCheckStage()

describe('one server, several answers', () => {
  it('says which of two certificates is stapled badly: nginx staples its one file to both', async () => {
    const [ecdsa, rsa] = await Promise.all([stage.issue(), stage.issue({ keyType: 'rsa2048' })])
    const file = join(temporaryDirectory('staple'), 'staple.der')
    await writeFile(file, await makeStaple(stage.authority, ecdsa))
    const port = await freePort()
    await startNginxWithWorkers(
      nginxSite(port, [ecdsa, rsa], `ssl_stapling on;\n  ssl_stapling_file ${file};`),
      port,
      1,
    )
    const { findings, evidence } = await stage.look(port)
    expect(evidence.certificates.map(({ certificateKey }) => certificateKey).sort()).toEqual(
      [ecdsa, rsa].map(keyOf).sort(),
    )
    const refused = findings.filter(({ code }) => code === 'staple-refused')
    expect(refused.map(({ certificateKey }) => certificateKey)).toEqual([keyOf(rsa)])
    expect(refused[0]?.evidence.join('\n')).toContain('ERR_OCSP_CERT_ID_MISMATCH')
  })

  it('two certificates, both stapled well: nginx asks for each', async () => {
    const leaves = await Promise.all([stage.issue(), stage.issue({ keyType: 'rsa2048' })])
    const port = await freePort()
    await startNginxWithWorkers(nginxSite(port, leaves, 'ssl_stapling on;'), port, 1)
    await expect.poll(async () => troublesOf(await stage.look(port)), { timeout: 10_000 }).toEqual([])
    const { evidence } = await stage.look(port)
    expect(evidence.certificates.map(({ staples }) => staples.length)).toEqual([1, 1])
  })

  it('a server of TLS 1.2 alone is healthy', async () => {
    const [leaf, port] = [await stage.issue(), await freePort()]
    const file = join(temporaryDirectory('staple'), 'staple.der')
    await writeFile(file, await makeStaple(stage.authority, leaf))
    const lines = `ssl_stapling on;\n  ssl_stapling_file ${file};`
    await startNginxWithWorkers(nginxSite(port, [leaf], lines, 'TLSv1.2'), port, 1)
    const examination = await stage.look(port)
    expectHealthy(examination)
    const versions = examination.evidence.record.connections.map(({ handshake }) => handshake?.version)
    expect(new Set(versions.filter(Boolean))).toEqual(new Set(['TLSv1.2']))
  })

  it('says which of the addresses of a name does not staple', async () => {
    const leaf = await stage.issue()
    const port = await freePort()
    const tls = { cert: leaf.chainPem, key: await readFile(leaf.keyFile), port }
    await startBadStapler({ ...tls, host: '127.0.0.1', staple: await makeStaple(stage.authority, leaf) })
    await startBadStapler({ ...tls, host: '127.0.0.2' })
    const examination = await stage.look(port, { host: 'service.test', lookup: resolveTo('127.0.0.1', '127.0.0.2') })
    expect(examination.evidence.record.addresses).toEqual(['127.0.0.1', '127.0.0.2'])
    expect(troublesOf(examination)).toEqual(['staple-missed-sometimes'])
    const finding = examination.findings.find(({ code }) => code === 'staple-missed-sometimes')
    expect(finding?.evidence.join('\n')).toMatch(/never 127\.0\.0\.2, always 127\.0\.0\.1/)
  })
})

describe('Must-Staple and no staple', () => {
  it('is critical, and IIS is told of its registry value and the restart where SNI matters', async () => {
    const leaf = await stage.issue({ mustStaple: true })
    const { port } = await startBadStapler({ cert: leaf.chainPem, key: await readFile(leaf.keyFile) })
    const examination = await stage.look(port)
    expect(examination.severity).toBe('critical')
    const finding = examination.findings.find(({ code }) => code === 'must-staple-without-staple')
    const iis = finding?.remedies.find(({ server }) => server === 'iis')
    expect(iis?.lines?.join('\n')).toMatch(/EnableOcspStaplingForSni = 1[^]*net stop http \/y && net start w3svc/)
  })

  it('that remedy comes first where the server is IIS', async () => {
    const leaf = await stage.issue()
    const tls = { cert: leaf.chainPem, key: await readFile(leaf.keyFile) }
    const { port } = await startBadStapler({ ...tls, serverHeader: 'Microsoft-IIS/10.0' })
    const examination = await stage.look(port)
    expect(examination.server?.kind).toBe('iis')
    const [first] = examination.findings.find(({ code }) => code === 'no-staple')?.remedies ?? []
    expect({ server: first?.server, kind: first?.kind }).toEqual({ server: 'iis', kind: 'registry' })
  })

  it('without Must-Staple it is a warning, with the same remedies', async () => {
    const leaf = await stage.issue()
    const { port } = await startBadStapler({ cert: leaf.chainPem, key: await readFile(leaf.keyFile) })
    const { findings } = await stage.look(port)
    const finding = findings.find(({ code }) => code === 'no-staple')
    expect(finding?.severity).toBe('warning')
    const lines = finding?.remedies.flatMap(({ lines: each = [] }) => each).join('\n')
    expect(lines).toMatch(/SYSTEM\\CurrentControlSet\\Services\\HTTP\\Parameters\nEnableOcspStaplingForSni/)
    expect(lines).toMatch(/staplewright fetch \S+ --out/)
  })
})

describe('what is no TLS server is one that nothing could be learned of', () => {
  it.each<[string, () => Promise<{ port: number }>, RegExp]>([
    ['nobody listens', async () => ({ port: await freePort() }), /ERR_PROBE_CONNECT.*(refused|ECONNREFUSED)/],
    [
      'HTTP in clear',
      () => startOddListener((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      /no TLS.*HTTP/,
    ],
    ['SSH', () => startOddListener((socket) => socket.write('SSH-2.0-OpenSSH_9.2p1\r\n')), /no TLS.*SSH/],
    ['silence', () => startOddListener((socket) => socket.resume()), /ERR_PROBE_TIMEOUT/],
    ['garbage', () => startOddListener((socket) => socket.write(randomBytes(5_000))), /ERR_PROBE_HANDSHAKE/],
    ['a reset', () => startOddListener((socket) => socket.resetAndDestroy()), /ERR_PROBE_(HANDSHAKE|CONNECT)/],
    ['an end', () => startOddListener((socket) => socket.end()), /ERR_PROBE_(HANDSHAKE|CONNECT)/],
  ])('%s', async (_what, start, evidence) => {
    const { port } = await start()
    const examination = await stage.look(port, { timeoutMs: 400 })
    expect({ severity: examination.severity, codes: codesOf(examination) }).toEqual({
      severity: 'unknown',
      codes: ['could-not-connect'],
    })
    expect(examination.findings[0]?.evidence.join('\n')).toMatch(evidence)
  })

  it('a name that does not resolve', async () => {
    const examination = await stage.look(443, { host: 'nowhere.invalid', serverName: 'nowhere.invalid' })
    expect({ severity: examination.severity, codes: codesOf(examination) }).toEqual({
      severity: 'unknown',
      codes: ['could-not-connect'],
    })
    expect(examination.findings[0]?.evidence.join('\n')).toMatch(/nowhere\.invalid/)
  })

  it('a certificate message of 10 MB, of which little is read', async () => {
    const listener: OddListener = await startOddListener((socket) => sendCertificateMessage(socket, 10_000_000))
    const examination = await stage.look(listener.port, { timeoutMs: 2_000 })
    expect({ severity: examination.severity, codes: codesOf(examination) }).toEqual({
      severity: 'unknown',
      codes: ['could-not-connect'],
    })
    expect(examination.findings[0]?.evidence.join('\n')).toMatch(/EXCESSIVE_MESSAGE_SIZE|too large|excessive/i)
    expect(listener.sent / examination.evidence.record.connections.length).toBeLessThan(5_000_000)
  })
})

describe('time and memory', () => {
  const healthyTarget = async () => {
    const leaf = await stage.issue()
    const staple = await makeStaple(stage.authority, leaf)
    return startBadStapler({ cert: leaf.chainPem, key: await readFile(leaf.keyFile), staple })
  }

  it('a healthy target takes less than a second, its CA asked', async () => {
    const { port } = await healthyTarget()
    const began = performance.now()
    expectHealthy(await stage.look(port))
    expect(performance.now() - began).toBeLessThan(1_000)
  })

  it('a thousand targets need no more memory than two hundred', { timeout: 90_000 }, async () => {
    const { port } = await healthyTarget()
    const severities = new Map<string, number>()
    const examineSome = async (count: number) => {
      let left = count
      const work = async () => {
        while (left-- > 0) {
          const { severity } = await stage.look(port, { connections: 1 })
          severities.set(severity, (severities.get(severity) ?? 0) + 1)
        }
      }
      await Promise.all(Array.from({ length: 16 }, work))
      collectGarbage()
      return process.memoryUsage().rss
    }
    const first = await examineSome(200)
    const grown = (await examineSome(800)) - first
    expect(severities).toEqual(new Map([['ok', 1_000]]))
    expect(grown).toBeLessThan(60_000_000)
  })
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function nginxSite(port: number, leaves: readonly Leaf[], lines: string, protocols = 'TLSv1.2 TLSv1.3'): string {
  const certificates = leaves.map(
    (leaf) => `ssl_certificate ${leaf.certificateFile};\n  ssl_certificate_key ${leaf.keyFile};\n  `,
  )
  return `http {
${nginxPaths}
server {
  listen 127.0.0.1:${port} ssl;
  ${certificates.join('')}ssl_protocols ${protocols};
  ${lines}
}
}`
}

function keyOf(leaf: Leaf): string {
  return certificateKey(leaf.der)
}

/** Any name is at these addresses. */
function resolveTo(...addresses: readonly string[]): LookupFunction {
  return (_name, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    )
}
