/** Rules about whether there is a staple, and whether it counts. */
import { describe, expect, it } from 'vitest'
import { encodeOcspError } from '../../../src/pki/ocsp/sign.ts'
import {
  at,
  authority,
  dayMs,
  findingOf,
  findingsOf,
  hourMs,
  leafOf,
  responseFor,
  series,
  shown,
  wrongCodes,
} from './crafted.ts'

const leaf = await leafOf()
const mustStaple = await leafOf({ mustStaple: true })
const good = responseFor(leaf)

describe('no-staple', () => {
  it('is found where a responder is named and no handshake is stapled', async () => {
    const findings = await findingsOf(series(leaf, [null, null]))
    expect(findingOf(findings, 'no-staple')).toMatchObject({ severity: 'warning' })
    expect(wrongCodes(findings)).toEqual(['no-staple'])
  })

  it('is not found where every handshake is stapled', async () => {
    expect(wrongCodes(await findingsOf(series(leaf, [good, good])))).toEqual([])
  })

  it('prints what switches stapling on in every known server', async () => {
    const { remedies } = findingOf(await findingsOf(series(leaf, [null])), 'no-staple')
    const lines = (server: string) => remedies.find((remedy) => remedy.server === server)?.lines ?? []
    expect(lines('nginx')).toContain('ssl_stapling_verify on;')
    expect(lines('apache')).toContain('SSLStaplingCache shmcb:/var/run/ssl_stapling(128000)')
    expect(lines('iis')).toEqual([
      'HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\HTTP\\Parameters',
      'EnableOcspStaplingForSni = 1 (DWORD)',
      'net stop http /y && net start w3svc',
    ])
    expect(lines('node')).toContain('await staple(server)')
  })

  it("says how to carry staples in, under the certificate's real key", async () => {
    const { remedies, certificateKey } = findingOf(await findingsOf(series(leaf, [null])), 'no-staple')
    expect(certificateKey).toMatch(/^[0-9a-f]{64}$/)
    const text = remedies.flatMap(({ lines }) => lines ?? []).join('\n')
    expect(text).toContain(`/ocsp/${certificateKey}`)
  })
})

describe('must-staple-without-staple', () => {
  it('is critical where the certificate demands a staple and none comes', async () => {
    const findings = await findingsOf(series(mustStaple, [null, null]))
    expect(findingOf(findings, 'must-staple-without-staple').severity).toBe('critical')
    expect(wrongCodes(findings)).toEqual(['must-staple-without-staple'])
  })

  it('is not found where it comes', async () => {
    expect(wrongCodes(await findingsOf(series(mustStaple, [responseFor(mustStaple)])))).toEqual([])
  })
})

describe('staple-missed-sometimes', () => {
  it('gives the hit rate', async () => {
    const finding = findingOf(await findingsOf(series(leaf, [good, null, good, good])), 'staple-missed-sometimes')
    expect(finding.severity).toBe('warning')
    expect(finding.evidence).toContain('hit rate: 3 of 4 connections')
  })

  it('is critical with Must-Staple', async () => {
    const findings = await findingsOf(series(mustStaple, [null, responseFor(mustStaple)]))
    expect(findingOf(findings, 'staple-missed-sometimes').severity).toBe('critical')
  })

  it('tells an address that never staples', async () => {
    const findings = await findingsOf([
      ...series(leaf, [good, good]),
      ...series(leaf, [null, null], { address: '192.0.2.2' }),
    ])
    expect(findingOf(findings, 'staple-missed-sometimes').evidence).toContain(
      'by address: never 192.0.2.2, always 192.0.2.1',
    )
  })

  it('tells a TLS version that never staples', async () => {
    const findings = await findingsOf([shown(leaf, good), shown(leaf, null, { number: 2, version: 'TLSv1.2' })])
    expect(findingOf(findings, 'staple-missed-sometimes').evidence).toContain(
      'by TLS version: never TLSv1.2, always TLSv1.3',
    )
  })

  it('tells a key type that never staples', async () => {
    const rsa = await leafOf({ keyType: 'rsa2048' })
    const findings = await findingsOf([...series(leaf, [good, good]), ...series(rsa, [null, null])])
    expect(findingOf(findings, 'staple-missed-sometimes').evidence).toContain('by key type: never rsa, always ecdsa')
    expect(wrongCodes(findings)).toEqual(['staple-missed-sometimes'])
  })

  it("names IIS's registry value where only connections with SNI go without", async () => {
    const findings = await findingsOf([shown(leaf, null), shown(leaf, good, { number: 2, serverName: null })])
    const { remedies } = findingOf(findings, 'staple-missed-sometimes')
    expect(remedies.find(({ kind }) => kind === 'registry')?.lines).toContain('EnableOcspStaplingForSni = 1 (DWORD)')
  })

  it('is mended in nginx by a file that is there before the first handshake', async () => {
    const findings = await findingsOf(series(leaf, [null, good, null, good]))
    const [first] = findingOf(findings, 'staple-missed-sometimes').remedies
    expect(first).toMatchObject({
      server: 'nginx',
      lines: ['ssl_stapling on;', 'ssl_stapling_file /var/lib/staples/localhost.der;'],
    })
  })

  it('is not found where none is stapled at all', async () => {
    const codes = wrongCodes(await findingsOf(series(leaf, [null, null])))
    expect(codes).not.toContain('staple-missed-sometimes')
  })
})

describe('staple-refused', () => {
  it('says which rule, code, field, both sides and the clause', async () => {
    const other = await leafOf({ name: 'other' })
    const findings = await findingsOf(series(leaf, [responseFor(leaf, { about: other })]))
    const finding = findingOf(findings, 'staple-refused')
    expect(finding.severity).toBe('critical')
    expect(finding.evidence.join('\n')).toMatch(
      /rule cert-id \(RFC 6960 §3\.2\): ERR_OCSP_CERT_ID_MISMATCH: .*: expected .*, found /,
    )
    expect(wrongCodes(findings)).toEqual(['staple-refused'])
  })

  it('lists all that is wrong, and speaks once of a staple that is stale, too', async () => {
    const signer = await authority.delegate({ ocspSigning: false })
    const staple = responseFor(leaf, { signer, certificates: [signer.der], ageMs: 8 * dayMs })
    const findings = await findingsOf(series(leaf, [staple]))
    const text = findingOf(findings, 'staple-refused').evidence.join('\n')
    expect(text).toContain('ERR_OCSP_RESPONDER_NOT_AUTHORIZED')
    expect(text).toContain('ERR_OCSP_STALE')
    expect(wrongCodes(findings)).toEqual(['staple-refused'])
  })

  it('says so where it is the staple of another certificate of the same server', async () => {
    const rsa = await leafOf({ keyType: 'rsa2048' })
    const findings = await findingsOf([shown(leaf, good), shown(rsa, good, { number: 2 })])
    const { evidence, remedies } = findingOf(findings, 'staple-refused')
    expect(evidence.join('\n')).toContain('it is about the other certificate: CN=localhost (ecdsa)')
    expect(remedies[0]?.text).toContain('a server block each')
  })

  it('speaks of bytes that are no response', async () => {
    const findings = await findingsOf(series(leaf, [Uint8Array.of(1, 2, 3)]))
    expect(wrongCodes(findings)).toEqual(['staple-refused'])
  })

  it('is not found for a good one', async () => {
    expect(wrongCodes(await findingsOf(series(leaf, [good])))).toEqual([])
  })
})

describe('stapled-error', () => {
  it("names the status, and Apache's switches first", async () => {
    const findings = await findingsOf(series(leaf, [encodeOcspError('tryLater')]))
    const finding = findingOf(findings, 'stapled-error')
    expect(finding.title).toContain('tryLater')
    expect(finding.severity).toBe('warning')
    expect(finding.remedies[0]).toMatchObject({
      server: 'apache',
      lines: ['SSLStaplingReturnResponderErrors off', 'SSLStaplingFakeTryLater off'],
    })
    expect(wrongCodes(findings)).toEqual(['stapled-error'])
  })

  it('is critical with Must-Staple', async () => {
    const findings = await findingsOf(series(mustStaple, [encodeOcspError('internalError')]))
    expect(findingOf(findings, 'stapled-error').severity).toBe('critical')
  })

  it('is found even where no issuer is known', async () => {
    const findings = await findingsOf(series(leaf, [encodeOcspError('tryLater')], { chain: [leaf.der] }))
    expect(wrongCodes(findings)).toContain('stapled-error')
  })

  it('is not found for a signed response', async () => {
    expect(wrongCodes(await findingsOf(series(leaf, [good])))).toEqual([])
  })
})

describe('staple-revoked', () => {
  it('gives time and reason', async () => {
    const findings = await findingsOf(series(leaf, [responseFor(leaf, { certStatus: 'revoked' })]))
    expect(findingOf(findings, 'staple-revoked').title).toContain('keyCompromise')
    expect(wrongCodes(findings)).toEqual(['staple-revoked'])
  })

  it('is not found for a good one', async () => {
    expect((await findingsOf(series(leaf, [good]))).map(({ code }) => code)).not.toContain('staple-revoked')
  })
})

describe('staple-unknown', () => {
  it('is critical', async () => {
    const findings = await findingsOf(series(leaf, [responseFor(leaf, { certStatus: 'unknown' })]))
    expect(findingOf(findings, 'staple-unknown').severity).toBe('critical')
    expect(wrongCodes(findings)).toEqual(['staple-unknown'])
  })

  it('is not found for a revoked one', async () => {
    const findings = await findingsOf(series(leaf, [responseFor(leaf, { certStatus: 'revoked' })]))
    expect(findings.map(({ code }) => code)).not.toContain('staple-unknown')
  })
})

describe('staple-stale', () => {
  it('is found past nextUpdate', async () => {
    const findings = await findingsOf(series(leaf, [responseFor(leaf, { ageMs: 8 * dayMs })]))
    expect(wrongCodes(findings)).toEqual(['staple-stale'])
  })

  it('is found where there is no nextUpdate and the response is old', async () => {
    const findings = await findingsOf(series(leaf, [responseFor(leaf, { ageMs: 2 * hourMs, lifeMs: null })]))
    expect(wrongCodes(findings)).toContain('staple-stale')
  })

  it('is one finding for many servers with the same fault, each named', async () => {
    const stale = [8, 9].map((days) => responseFor(leaf, { ageMs: days * dayMs }))
    const findings = await findingsOf(
      stale.map((staple, index) => shown(leaf, staple, { address: `192.0.2.${index + 1}` })),
    )
    expect(findings.filter(({ code }) => code === 'staple-stale')).toHaveLength(1)
    expect(findingOf(findings, 'staple-stale').evidence).toEqual(
      expect.arrayContaining(['seen on 1 connection to 192.0.2.1', 'seen on 1 connection to 192.0.2.2']),
    )
  })

  it('goes by --at', async () => {
    const options = { at: new Date(at.getTime() + 6.9 * dayMs) }
    expect(wrongCodes(await findingsOf(series(leaf, [good]), {}, options))).not.toContain('staple-stale')
    const later = { at: new Date(at.getTime() + 7 * dayMs) }
    expect(wrongCodes(await findingsOf(series(leaf, [good]), {}, later))).toContain('staple-stale')
  })
})

describe('staple-ends-soon', () => {
  const left = (leftMs: number, lifeMs = 7 * dayMs) => responseFor(leaf, { ageMs: lifeMs - leftMs, lifeMs })

  it.each([
    [0.5 * hourMs, 'critical'],
    [5 * hourMs, 'warning'],
    [30 * hourMs, 'info'],
  ])('%d ms left of a week is %s', async (leftMs, severity) => {
    const findings = await findingsOf(series(leaf, [left(leftMs)]))
    expect(findingOf(findings, 'staple-ends-soon').severity).toBe(severity)
  })

  it('says as survives-outage how long an outage is survived when there is time', async () => {
    const findings = await findingsOf(series(leaf, [left(100 * hourMs)]))
    expect(findingOf(findings, 'survives-outage')).toMatchObject({
      severity: 'info',
      title: 'the staple survives an outage of 4 days 4 h',
    })
  })

  it('does not blame a server for a short life that it renews in time', async () => {
    const findings = await findingsOf(series(leaf, [left(0.6 * hourMs, hourMs)]))
    expect(findings.map(({ code }) => code)).toContain('survives-outage')
    expect(wrongCodes(findings)).toEqual([])
  })

  it('goes by the staple that ends first', async () => {
    const findings = await findingsOf(series(leaf, [left(100 * hourMs), left(5 * hourMs)]))
    expect(findingOf(findings, 'staple-ends-soon').severity).toBe('warning')
  })
})

describe('healthy', () => {
  it('is found where every handshake carried a good staple', async () => {
    const [first] = await findingsOf(series(leaf, [good, good]))
    expect(first).toMatchObject({ code: 'healthy', severity: 'ok' })
  })

  it('is not found beside a warning', async () => {
    expect((await findingsOf(series(leaf, [good, null]))).map(({ code }) => code)).not.toContain('healthy')
  })
})
