/** Rules that compare what is stapled with what the CA says now. */
import { describe, expect, it } from 'vitest'
import { StapleError } from '../../../src/errors.ts'
import {
  answered,
  at,
  dayMs,
  evidenceOf,
  fakeAsker,
  fetchFailure,
  findingOf,
  findingsOf,
  hourMs,
  leafOf,
  nothingHere,
  responseFor,
  series,
  unanswered,
  wrongCodes,
} from './crafted.ts'

const crlPoint = 'crlDistributionPoints=URI:http://crl.example.net/ca.crl'
const leaf = await leafOf()
const withCrl = await leafOf({ extensions: [crlPoint] })
const good = responseFor(leaf)

describe('staple-older-than-ca', () => {
  const newer = (agoMs: number) => fakeAsker(() => answered('good', { thisUpdate: new Date(at.getTime() - agoMs) }))

  it('says by how much, as info while the staple is in the first half of its life', async () => {
    const staple = responseFor(leaf, { ageMs: 26 * hourMs })
    const findings = await findingsOf(series(leaf, [staple]), {}, { asker: newer(2 * hourMs) })
    expect(findingOf(findings, 'staple-older-than-ca')).toMatchObject({
      severity: 'info',
      title: 'the CA has a response that is 1 day newer than the staple',
    })
  })

  it('is a warning where the staple lags by more than half of its life', async () => {
    const staple = responseFor(leaf, { ageMs: 4 * dayMs })
    const findings = await findingsOf(series(leaf, [staple]), {}, { asker: newer(0) })
    expect(findingOf(findings, 'staple-older-than-ca').severity).toBe('warning')
  })

  it('goes by the oldest of several', async () => {
    const staples = [30, 20].map((hours) => responseFor(leaf, { ageMs: hours * hourMs }))
    const findings = await findingsOf(series(leaf, staples), {}, { asker: newer(hourMs) })
    expect(findings.filter(({ code }) => code === 'staple-older-than-ca').map(({ title }) => title)).toEqual([
      'the CA has a response that is 1 day 5 h newer than the staple',
    ])
  })

  it('is not found where a responder signs on demand and the staple is young', async () => {
    const findings = await findingsOf(series(leaf, [good]), {}, { asker: newer(0) })
    expect(findings.map(({ code }) => code)).not.toContain('staple-older-than-ca')
  })

  it('is not found where the staple is what the CA gives', async () => {
    const findings = await findingsOf(series(leaf, [good]), {}, { asker: newer(hourMs) })
    expect(findings.map(({ code }) => code)).not.toContain('staple-older-than-ca')
  })
})

describe('revoked-now', () => {
  const revoked = fakeAsker(() => answered('revoked', { revocationTime: at, revocationReason: 'keyCompromise' }))

  it('is critical where the staple says good', async () => {
    const findings = await findingsOf(series(leaf, [good]), {}, { asker: revoked })
    expect(findingOf(findings, 'revoked-now')).toMatchObject({ severity: 'critical' })
    expect(findingOf(findings, 'revoked-now').evidence).toContain('stapled: good')
  })

  it('is critical without a staple', async () => {
    const findings = await findingsOf(series(leaf, [null]), {}, { asker: revoked })
    expect(wrongCodes(findings)).toEqual(['revoked-now', 'no-staple'])
    const { title, remedies } = findingOf(findings, 'revoked-now')
    expect(title).not.toContain('stapled')
    expect(remedies).toHaveLength(1)
  })

  it('is found by the CRL, where there is no responder', async () => {
    const bare = await leafOf({ responderURL: null, extensions: [crlPoint] })
    const asker = fakeAsker(() => answered('revoked', { source: 'crl' }))
    const findings = await findingsOf(series(bare, [null]), {}, { asker })
    expect(wrongCodes(findings)).toEqual(['revoked-now'])
    expect(asker.asked.map(({ policy }) => policy)).toEqual(['crl'])
  })

  it('leaves the word to staple-revoked where the staple says it', async () => {
    const staple = responseFor(leaf, { certStatus: 'revoked' })
    const findings = await findingsOf(series(leaf, [staple]), {}, { asker: revoked })
    expect(wrongCodes(findings)).toEqual(['staple-revoked'])
  })

  it('is not found where the CA says good', async () => {
    const findings = await findingsOf(series(leaf, [good]), {}, { asker: fakeAsker(() => answered('good')) })
    expect(wrongCodes(findings)).toEqual([])
  })
})

describe('unknown-to-ca', () => {
  it('is found where the responder does not know the certificate', async () => {
    const findings = await findingsOf(series(leaf, [good]), {}, { asker: fakeAsker(() => answered('unknown')) })
    expect(wrongCodes(findings)).toEqual(['unknown-to-ca'])
  })

  it('is not found where it says good', async () => {
    const findings = await findingsOf(series(leaf, [good]), {}, { asker: fakeAsker(() => answered('good')) })
    expect(wrongCodes(findings)).not.toContain('unknown-to-ca')
  })
})

describe('ca-unreachable', () => {
  const failing = (...causes: readonly StapleError[]) => fakeAsker(() => unanswered(...causes))

  it.each([
    ['DNS', fetchFailure('ERR_FETCH_NETWORK', { networkCode: 'ENOTFOUND' })],
    ['TCP 80', fetchFailure('ERR_FETCH_NETWORK', { networkCode: 'ECONNREFUSED' })],
    [
      'TCP 8080',
      fetchFailure('ERR_FETCH_NETWORK', { networkCode: 'EHOSTUNREACH', url: 'http://ocsp.example.net:8080/' }),
    ],
    ['proxy', fetchFailure('ERR_FETCH_NETWORK', { networkCode: 'ECONNREFUSED', method: 'CONNECT for GET' })],
    ['HTTP', fetchFailure('ERR_FETCH_HTTP_STATUS', { httpStatus: 404 })],
    ['HTTP', fetchFailure('ERR_FETCH_HTTP_STATUS', { httpStatus: 503 })],
    ['HTTP', fetchFailure('ERR_FETCH_CONTENT_TYPE')],
    ['HTTP', fetchFailure('ERR_FETCH_TIMEOUT')],
    ['TLS', fetchFailure('ERR_FETCH_NETWORK', { networkCode: 'DEPTH_ZERO_SELF_SIGNED_CERT' })],
  ])('says that %s failed', async (stage, cause) => {
    const findings = await findingsOf(series(leaf, [good]), {}, { asker: failing(cause) })
    expect(findingOf(findings, 'ca-unreachable').title).toBe(
      `the CA's responder cannot be reached from here: ${stage} failed`,
    )
  })

  it('tells a host without a way out how to carry staples in', async () => {
    const asker = failing(fetchFailure('ERR_FETCH_NETWORK', { networkCode: 'ENETUNREACH' }))
    const { remedies, certificateKey } = findingOf(
      await findingsOf(series(leaf, [null]), {}, { asker }),
      'ca-unreachable',
    )
    const lines = remedies.flatMap((remedy) => remedy.lines ?? []).join('\n')
    expect(lines).toContain(`staplewright fetch /etc/ssl/localhost/fullchain.pem --out ${certificateKey}`)
    expect(lines).toContain(`/var/lib/staplewright/ocsp/${certificateKey}`)
  })

  it('says of a responder that hangs that it hangs, not that something else answers', async () => {
    const asker = failing(fetchFailure('ERR_FETCH_TIMEOUT'))
    const [remedy] = findingOf(await findingsOf(series(leaf, [null]), {}, { asker }), 'ca-unreachable').remedies
    expect(remedy?.text).toContain('gives no whole answer in time')
  })

  it('tells nobody to mend stapling where only a CRL was asked', async () => {
    const only = await leafOf({ responderURL: [], extensions: [crlPoint] })
    const asker = failing(fetchFailure('ERR_FETCH_NETWORK', { networkCode: 'ECONNREFUSED' }))
    const finding = findingOf(await findingsOf(series(only, [null]), {}, { asker }), 'ca-unreachable')
    expect(finding.title).toBe("the CA's CRL cannot be reached from here: TCP 80 failed")
    expect(finding.meaning).toContain('stapling does not depend on it')
    expect(finding.remedies.map(({ server, lines }) => [server, lines])).toEqual([
      [undefined, ["curl -sv -m 30 -o /dev/null 'http://crl.example.net/ca.crl'"]],
    ])
  })

  it('is only worth knowing where the CRL answered instead', async () => {
    const asker = fakeAsker(({ policy }) =>
      policy === 'crl' ? answered('good', { source: 'crl' }) : unanswered(fetchFailure('ERR_FETCH_TIMEOUT')),
    )
    const findings = await findingsOf(series(withCrl, [responseFor(withCrl)]), {}, { asker })
    expect(findingOf(findings, 'ca-unreachable').severity).toBe('info')
    expect(wrongCodes(findings)).toEqual([])
  })

  it('is not found where the CA answers', async () => {
    const findings = await findingsOf(series(leaf, [good]), {}, { asker: fakeAsker(() => answered('good')) })
    expect(findings.map(({ code }) => code)).not.toContain('ca-unreachable')
  })
})

describe('responder-partly-down', () => {
  const urls = ['http://one.example.net/', 'http://two.example.net/']
  const down = fetchFailure('ERR_FETCH_NETWORK', { networkCode: 'ECONNREFUSED', url: 'http://one.example.net/' })
  const asker = fakeAsker(() => answered('good', { url: 'http://two.example.net/', failures: [down] }))

  it('is a warning where the server has no staple', async () => {
    const two = await leafOf({ responderURL: urls })
    const finding = findingOf(await findingsOf(series(two, [null]), {}, { asker }), 'responder-partly-down')
    expect(finding).toMatchObject({
      severity: 'warning',
      title: 'one of 2 responders cannot be reached from here: TCP 80 failed',
    })
    expect(finding.remedies[0]?.lines).toEqual(['ssl_stapling_responder http://two.example.net/;'])
  })

  it('is only worth knowing where it has', async () => {
    const two = await leafOf({ responderURL: urls })
    const findings = await findingsOf(series(two, [responseFor(two)]), {}, { asker })
    expect(findingOf(findings, 'responder-partly-down').severity).toBe('info')
  })

  it('is not found where the one that answered had failed before', async () => {
    const again = fakeAsker(() => answered('good', { url: 'http://one.example.net/', failures: [down] }))
    const two = await leafOf({ responderURL: urls })
    const findings = await findingsOf(series(two, [null]), {}, { asker: again })
    expect(findings.map(({ code }) => code)).not.toContain('responder-partly-down')
  })

  it('is not found where a responder refused a hash and then answered', async () => {
    const refusal = new StapleError('ERR_OCSP_RESPONSE_STATUS', 'unauthorized', {
      field: 'ocspResponse.responseStatus',
      expected: 'successful',
      found: 'unauthorized',
      clause: 'RFC 6960 §4.2.1',
    })
    const picky = fakeAsker(() => answered('good', { failures: [refusal] }))
    const findings = await findingsOf(series(leaf, [good]), {}, { asker: picky })
    expect(findings.map(({ code }) => code)).not.toContain('responder-partly-down')
  })
})

describe('ca-answer-refused', () => {
  const refused = new StapleError('ERR_OCSP_RESPONSE_STATUS', 'the responder answered tryLater', {
    field: 'ocspResponse.responseStatus',
    expected: 'successful',
    found: 'tryLater',
    clause: 'RFC 6960 §4.2.1',
  })

  it('is found where the responder answers an error', async () => {
    const findings = await findingsOf(series(leaf, [null]), {}, { asker: fakeAsker(() => unanswered(refused)) })
    expect(wrongCodes(findings).sort()).toEqual(['ca-answer-refused', 'no-staple'])
  })

  it('says nothing of staples where a CRL is what is no good', async () => {
    const asker = fakeAsker(() =>
      unanswered(
        new StapleError('ERR_CRL_STALE', 'the CRL is stale', {
          field: 'nextUpdate',
          expected: 'later',
          found: 'earlier',
          clause: 'RFC 5280 §5.1.2.5',
        }),
      ),
    )
    const only = await leafOf({ responderURL: [], extensions: [crlPoint] })
    const finding = findingOf(await findingsOf(series(only, [null]), {}, { asker }), 'ca-answer-refused')
    expect(finding.meaning).toContain('stapling does not depend on it')
  })

  it('is not found where it cannot be reached', async () => {
    const asker = fakeAsker(() => unanswered(fetchFailure('ERR_FETCH_TIMEOUT')))
    expect(wrongCodes(await findingsOf(series(leaf, [good]), {}, { asker }))).toEqual(['ca-unreachable'])
  })
})

describe('who may be asked', () => {
  const untrusted = { isTrusted: false, code: 'SELF_SIGNED_CERT_IN_CHAIN' }
  const connections = series(leaf, [good], { address: '203.0.113.9', trust: untrusted })
  const publicRecord = { addresses: ['8.8.8.8'] }

  it("ca-not-asked: nobody is, where a stranger's chain does not verify, and the staple is judged all the same", async () => {
    const asker = fakeAsker(() => answered('good'))
    const findings = await findingsOf(connections, publicRecord, { asker })
    expect(asker.asked).toEqual([])
    expect(findings.map(({ code }) => code)).toEqual(expect.arrayContaining(['ca-not-asked', 'survives-outage']))
    expect(wrongCodes(findings)).toEqual(['chain-untrusted'])
  })

  it('ca-not-asked is not found where it was asked not to', async () => {
    const findings = await findingsOf(series(leaf, [good]), publicRecord)
    expect(findings.map(({ code }) => code)).not.toContain('ca-not-asked')
  })

  it("a stranger's is, where only the name is wrong: its chain verified", async () => {
    const asker = fakeAsker(() => answered('good'))
    const trust = { isTrusted: false, code: 'ERR_TLS_CERT_ALTNAME_INVALID' }
    await findingsOf(series(leaf, [good], { trust }), publicRecord, { asker })
    expect(asker.asked.map(({ origin }) => origin)).toEqual(['stranger'])
  })

  it("an untrusted target's on a private address is, as the operator's own", async () => {
    const asker = fakeAsker(() => answered('good'))
    const findings = await findingsOf(connections, { addresses: ['10.0.0.7'] }, { asker })
    expect(asker.asked.map(({ origin }) => origin)).toEqual(['operator'])
    expect(findings.map(({ code }) => code)).not.toContain('ca-not-asked')
  })

  it("is no operator's own where a public address stands beside the private one: the name's owner may have put it there", async () => {
    const asker = fakeAsker(() => answered('good'))
    const addresses = ['8.8.8.8', '10.0.0.7']
    await findingsOf(connections, { addresses }, { asker })
    expect(asker.asked).toEqual([])
    await findingsOf(series(leaf, [good]), { addresses }, { asker })
    expect(asker.asked.map(({ origin }) => origin)).toEqual(['stranger'])
  })

  it("nobody's caIssuers address is used while the chain does not verify", async () => {
    const alone = await leafOf({ caIssuersURL: 'http://127.0.0.1:1/issuer.der' })
    const trust = { isTrusted: false, code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }
    const evidence = await evidenceOf(series(alone, [null], { chain: [alone.der], trust }), publicRecord, {
      fetchIssuer: nothingHere,
    })
    expect(evidence.certificates[0]?.issuer).toBeUndefined()
  })

  it("an expired certificate's CA is not", async () => {
    const asker = fakeAsker(() => answered('good'))
    await findingsOf(series(leaf, [good]), {}, { asker, at: new Date(at.getTime() + 1000 * dayMs) })
    expect(asker.asked).toEqual([])
  })

  it.each([
    ['ocsp', ['ocsp']],
    ['crl', ['crl']],
    ['ocsp-then-crl', ['ocsp', 'crl']],
  ] as const)('by the policy %s, where the responder fails: %j', async (revocation, policies) => {
    const asker = fakeAsker(() => unanswered(fetchFailure('ERR_FETCH_TIMEOUT')))
    await findingsOf(series(withCrl, [null]), {}, { asker, revocation })
    expect(asker.asked.map(({ policy }) => policy)).toEqual(policies)
  })
})
