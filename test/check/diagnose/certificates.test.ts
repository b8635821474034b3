/** Rules about the certificate itself, its chain, and what stands around it. */
import { describe, expect, it } from 'vitest'
import { createAuthority } from '../../kit/authority.ts'
import {
  answered,
  at,
  authority,
  dayMs,
  fakeAsker,
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
const good = responseFor(leaf)
const alone = await leafOf({ caIssuersURL: 'http://127.0.0.1:1/issuer.der' })
const short = await leafOf({ days: 2 })
const codesOf = async (...given: Parameters<typeof findingsOf>) => (await findingsOf(...given)).map(({ code }) => code)

describe('nothing-to-staple', () => {
  it('is info where no responder is named', async () => {
    const bare = await leafOf({ responderURL: null })
    const findings = await findingsOf(series(bare, [null]))
    expect(findingOf(findings, 'nothing-to-staple')).toMatchObject({
      severity: 'info',
      title: 'there is nothing to staple: the certificate names no OCSP responder',
    })
    expect(wrongCodes(findings)).toEqual([])
  })

  it('knows a short-lived certificate', async () => {
    const week = await leafOf({ responderURL: null, days: 6 })
    expect(findingOf(await findingsOf(series(week, [null])), 'nothing-to-staple').title).toContain(
      'short-lived (6 days)',
    )
  })

  it("knows Let's Encrypt by the issuer", async () => {
    const letsEncrypt = await createAuthority({ name: "Let's Encrypt" })
    const theirs = await letsEncrypt.issueLeaf({ responderURL: null })
    const findings = await findingsOf(series(theirs, [null], { chain: [theirs.der] }))
    expect(findingOf(findings, 'nothing-to-staple').title).toContain("Let's Encrypt has no OCSP responder")
    expect(wrongCodes(findings)).toEqual([])
  })

  it('knows noRevAvail, and does not miss a staple then', async () => {
    const never = await leafOf({ extensions: ['2.5.29.56=DER:0500'] })
    const findings = await findingsOf(series(never, [null]))
    expect(findingOf(findings, 'nothing-to-staple').title).toContain('noRevAvail')
    expect(findingOf(findings, 'nothing-to-staple').evidence.join('\n')).toContain('RFC 9608 §3 does not allow')
    expect(wrongCodes(findings)).toEqual([])
  })

  it('says where to switch stapling off', async () => {
    const bare = await leafOf({ responderURL: null })
    const { remedies } = findingOf(await findingsOf(series(bare, [null])), 'nothing-to-staple')
    expect(remedies.find(({ server }) => server === 'nginx')?.lines).toEqual(['ssl_stapling off;'])
  })

  it('is not found where something is stapled, as from a configured responder', async () => {
    const bare = await leafOf({ responderURL: null })
    expect(await codesOf(series(bare, [responseFor(bare)]))).not.toContain('nothing-to-staple')
  })
})

describe('must-staple-without-responder', () => {
  it('is critical', async () => {
    const broken = await leafOf({ responderURL: null, mustStaple: true })
    expect(wrongCodes(await findingsOf(series(broken, [null])))).toEqual(['must-staple-without-responder'])
  })

  it('is not found where a staple comes all the same', async () => {
    const broken = await leafOf({ responderURL: null, mustStaple: true })
    expect(await codesOf(series(broken, [responseFor(broken)]))).not.toContain('must-staple-without-responder')
  })
})

describe('chain-incomplete', () => {
  const untrusted = { isTrusted: false, code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }

  it('is found where the issuer had to be fetched, and the staple is judged by it', async () => {
    const fetchIssuer = async () => authority.intermediate.certificate
    const connections = series(alone, [responseFor(alone)], { chain: [alone.der], trust: untrusted })
    const findings = await findingsOf(connections, { addresses: ['127.0.0.1'] }, { fetchIssuer })
    expect(wrongCodes(findings)).toEqual(['chain-incomplete'])
    expect(findings.map(({ code }) => code)).toContain('survives-outage')
  })

  it('is found where the leaf came alone and nobody knows its issuer', async () => {
    const codes = await codesOf(series(alone, [null], { chain: [alone.der], trust: untrusted }))
    expect(codes).toContain('chain-incomplete')
    expect(codes).not.toContain('chain-untrusted')
  })

  it('is found where its issuer had to be given', async () => {
    const options = { ca: [authority.intermediate.pem] }
    const codes = await codesOf(series(alone, [null], { chain: [alone.der], trust: untrusted }), {}, options)
    expect(codes).toContain('chain-incomplete')
  })

  it('is not found where the intermediate was sent', async () => {
    expect(await codesOf(series(alone, [null]))).not.toContain('chain-incomplete')
  })
})

describe('chain-untrusted', () => {
  it('is found beside the verdict on the staple', async () => {
    const trust = { isTrusted: false, code: 'SELF_SIGNED_CERT_IN_CHAIN', reason: 'the root is not known' }
    const codes = await codesOf(series(leaf, [good], { trust }))
    expect(codes).toEqual(expect.arrayContaining(['chain-untrusted', 'survives-outage']))
  })

  it('is not found where it is trusted', async () => {
    expect(await codesOf(series(leaf, [good]))).not.toContain('chain-untrusted')
  })
})

describe('name-mismatch', () => {
  it('lists the names that the certificate is for', async () => {
    const trust = { isTrusted: false, code: 'ERR_TLS_CERT_ALTNAME_INVALID' }
    const finding = findingOf(await findingsOf(series(leaf, [good], { trust })), 'name-mismatch')
    expect(finding.severity).toBe('critical')
    expect(finding.evidence).toContain('names: localhost, 127.0.0.1, ::1')
  })

  it('is found beside an untrusted chain', async () => {
    const trust = { isTrusted: false, code: 'SELF_SIGNED_CERT_IN_CHAIN' }
    const target = { label: 'x', host: '192.0.2.1', port: 443, serverName: 'other.example' }
    const codes = await codesOf(series(leaf, [good], { trust }), { target })
    expect(codes).toEqual(expect.arrayContaining(['chain-untrusted', 'name-mismatch']))
  })

  it.each(['localhost', 'localhost.', '127.0.0.1', '::1'])(
    'is not found for %s, which is in the certificate',
    async (host) => {
      const trust = { isTrusted: false, code: 'SELF_SIGNED_CERT_IN_CHAIN' }
      const target = { label: host, host, port: 443 }
      expect(await codesOf(series(leaf, [good], { trust }), { target })).not.toContain('name-mismatch')
    },
  )
})

describe('certificate-expired', () => {
  it('is critical after notAfter, by --at, and says it once', async () => {
    const options = { at: new Date(at.getTime() + 91 * dayMs) }
    const trust = { isTrusted: false, code: 'CERT_HAS_EXPIRED' }
    expect(wrongCodes(await findingsOf(series(leaf, [null], { trust }), {}, options))).toEqual([
      'certificate-expired',
      'no-staple',
    ])
  })

  it('is not found before', async () => {
    expect(await codesOf(series(leaf, [good]))).not.toContain('certificate-expired')
  })
})

describe('certificate-too-young', () => {
  it('is critical before notBefore', async () => {
    const options = { at: new Date(at.getTime() - dayMs) }
    expect(await codesOf(series(leaf, [null]), {}, options)).toContain('certificate-too-young')
  })

  it('is not found after', async () => {
    expect(await codesOf(series(leaf, [null]))).not.toContain('certificate-too-young')
  })
})

describe('certificate-ends-soon', () => {
  it.each([
    [80, undefined],
    [85, 'warning'],
    [89.5, 'critical'],
  ])('%d days into ninety: %s', async (days, severity) => {
    const findings = await findingsOf(series(leaf, [null]), {}, { at: new Date(at.getTime() + days * dayMs) })
    expect(findings.find(({ code }) => code === 'certificate-ends-soon')?.severity).toBe(severity)
  })

  it.each([
    [3, undefined],
    [5, 'warning'],
    [5.8, 'critical'],
  ])('%d days into six, of which its owner renews after four: %s', async (days, severity) => {
    const sixDays = await leafOf({ notBefore: at, notAfter: new Date(at.getTime() + 6 * dayMs) })
    const findings = await findingsOf(series(sixDays, [null]), {}, { at: new Date(at.getTime() + days * dayMs) })
    expect(findings.find(({ code }) => code === 'certificate-ends-soon')?.severity).toBe(severity)
  })
})

describe('certificate-ends-before-staple', () => {
  it('is info: Caddy refuses such a response', async () => {
    const findings = await findingsOf(series(short, [responseFor(short)]))
    expect(findingOf(findings, 'certificate-ends-before-staple').severity).toBe('info')
  })

  it('is not found where the certificate lives longer', async () => {
    expect(await codesOf(series(leaf, [good]))).not.toContain('certificate-ends-before-staple')
  })
})

describe('certificate-unreadable', () => {
  it('is unknown', async () => {
    const findings = await findingsOf([shown(leaf, null, { chain: [Uint8Array.of(0x30, 0)] })])
    expect(findings).toHaveLength(1)
    expect(findingOf(findings, 'certificate-unreadable').severity).toBe('unknown')
  })

  it('is not found for one that can be read', async () => {
    expect(await codesOf(series(leaf, [good]))).not.toContain('certificate-unreadable')
  })
})

describe('clock-wrong', () => {
  const skewed = (server: number | undefined, responder: number | undefined) =>
    findingsOf(
      series(leaf, [good]),
      { http: { status: 200, ...(server !== undefined && { dateSkewMs: server }) } },
      { asker: fakeAsker(() => answered('good', responder === undefined ? {} : { dateSkewMs: responder })) },
    )

  it.each([
    [hourMs, hourMs, "this machine's"],
    [hourMs, 0, "the server's"],
    [0, -hourMs, "the responder's"],
    [hourMs, undefined, "the server's or this machine's"],
    [undefined, hourMs, "the responder's or this machine's"],
    [hourMs, -hourMs, "the server's and the responder's"],
  ])('server %s ms off, responder %s ms off: %s', async (server, responder, who) => {
    expect(findingOf(await skewed(server, responder), 'clock-wrong').title).toBe(`a clock is wrong, probably ${who}`)
  })

  it('is found by a staple from the future', async () => {
    const findings = await findingsOf(series(leaf, [responseFor(leaf, { ageMs: -hourMs })]))
    expect(wrongCodes(findings)).toEqual(['staple-refused', 'clock-wrong'])
  })

  it('is not found by it where another moment was asked for', async () => {
    const codes = await codesOf(series(leaf, [good]), {}, { at: new Date(at.getTime() - 2 * hourMs) })
    expect(codes).toContain('staple-refused')
    expect(codes).not.toContain('clock-wrong')
  })

  it('is not found within five minutes', async () => {
    expect(wrongCodes(await skewed(200_000, -200_000))).toEqual([])
  })
})

describe('with --stack', () => {
  const http = { status: 200, hsts: 'max-age=31536000' }
  const caa = { name: 'localhost', records: [{ critical: false, tag: 'issue', value: 'ca.example.net' }] }
  const looked = (over: object, connections = series(leaf, [good])) => codesOf(connections, over, { stack: true })

  it('stack-complete is found where all is there', async () => {
    const codes = await looked({ http, caa })
    expect(codes).toContain('stack-complete')
    expect(codes).not.toContain('tls13-missing')
  })

  it('tls13-missing is found where only TLS 1.2 is spoken', async () => {
    expect(await looked({ http, caa }, series(leaf, [good], { version: 'TLSv1.2' }))).toContain('tls13-missing')
  })

  it('hsts-missing is found for a web server without the header, not for others', async () => {
    expect(await looked({ http: { status: 200 }, caa })).toContain('hsts-missing')
    expect(await looked({ http: { status: 200, hsts: 'max-age=0' }, caa })).toContain('hsts-missing')
    expect(await looked({ caa })).not.toContain('hsts-missing')
  })

  it('caa-missing is found where no record says who may issue, not where the DNS does not say', async () => {
    expect(await looked({ http, caa: { records: [] } })).toContain('caa-missing')
    expect(await looked({ http, caa: { records: [], failure: 'ETIMEOUT' } })).not.toContain('caa-missing')
  })

  it('nothing of it is found unless asked for', async () => {
    const codes = await codesOf(series(leaf, [good], { version: 'TLSv1.2' }), { http: { status: 200 } })
    expect(codes).toEqual(['healthy', 'survives-outage'])
  })
})
