/** examine() from end to end: real sockets, Node servers, a scripted responder. */
import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { type Examination, type ExamineOptions, examine } from '../../src/check/examine.ts'
import { createStatusAsker } from '../../src/check/revocation/index.ts'
import { systemClock } from '../../src/keep/clock.ts'
import { createFetcher } from '../../src/keep/fetch/index.ts'
import { createAuthority, type Leaf, type LeafOptions } from '../kit/authority.ts'
import { startBadStapler } from '../kit/bad-stapler.ts'
import { freePort } from '../kit/free-port.ts'
import { endsWithTest } from '../kit/lifetime.ts'
import { createScriptedResponder } from '../kit/responder.ts'
import { makeStaple } from '../kit/staple.ts'

const authority = await createAuthority()
const responder = await createScriptedResponder({ authority, validityMs: 7 * 86_400_000 })
const fetcher = createFetcher({ clock: systemClock, proxy: 'none' })
endsWithTest(() => fetcher.close())

const issue = (options: LeafOptions = {}) => authority.issueLeaf({ responderURL: responder.url, ...options })

function look(port: number, options: Partial<ExamineOptions> = {}): Promise<Examination> {
  const target = { label: `localhost:${port}`, host: '127.0.0.1', port, serverName: 'localhost' }
  return examine(target, { clock: systemClock, ca: [authority.root.pem], ...options })
}

/** With somebody who asks the CA. */
function lookAndAsk(port: number, options: Partial<ExamineOptions> = {}): Promise<Examination> {
  const asker = createStatusAsker({ clock: systemClock, fetcher })
  endsWithTest(() => asker.close())
  const fetchIssuer: ExamineOptions['fetchIssuer'] = (leaf, origin) => fetcher.fetchIssuer(leaf, undefined, origin)
  return look(port, { asker, fetchIssuer, ...options })
}

function serve(leaf: Leaf, staple: Uint8Array | null, cert = leaf.chainPem) {
  return startBadStapler({ cert, key: leaf.key, staple })
}

const codesOf = ({ findings }: Examination) => findings.map(({ code }) => code)

describe('examine', () => {
  it('finds a well stapled server healthy, and says how long an outage it survives', async () => {
    const leaf = await issue()
    const { port } = await serve(leaf, await makeStaple(authority, leaf))
    const examination = await lookAndAsk(port)
    expect(examination.severity).toBe('ok')
    expect(codesOf(examination).slice(0, 1)).toEqual(['healthy'])
    expect(codesOf(examination)).toContain('survives-outage')
    expect(examination.notes.join(' ')).toContain('staples of intermediates cannot be seen')
  })

  it('compares the staple with what the CA says now', async () => {
    const leaf = await issue()
    await responder.behave('revoked', leaf.certificate.serialNumber)
    const { port } = await serve(leaf, await makeStaple(authority, leaf))
    const examination = await lookAndAsk(port)
    expect(examination.severity).toBe('critical')
    expect(codesOf(examination)[0]).toBe('revoked-now')
  })

  it('asks nobody without an asker', async () => {
    const leaf = await issue({ caIssuersURL: responder.url })
    const { port } = await serve(leaf, null, leaf.pem)
    const before = responder.count
    const examination = await look(port)
    expect(responder.count).toBe(before)
    expect(examination.evidence.certificates[0]?.unasked).toBe('asked-not-to')
  })

  it('judges the staple of an untrusted chain by the issuer that was sent', async () => {
    const leaf = await issue()
    const { port } = await serve(leaf, await makeStaple(authority, leaf, 'expired'))
    expect(codesOf(await look(port, { ca: [] }))).toEqual(expect.arrayContaining(['staple-stale', 'chain-untrusted']))
  })

  it('fetches an issuer that is not sent, for a target on a private address', async () => {
    const files = createServer((_, response) => response.end(authority.intermediate.der))
    const filesPort = await freePort()
    await new Promise<void>((resolve) => files.listen(filesPort, '127.0.0.1', resolve))
    endsWithTest(() => files.close())
    const leaf = await issue({ caIssuersURL: `http://127.0.0.1:${filesPort}/issuer.der` })
    const { port } = await serve(leaf, await makeStaple(authority, leaf), leaf.pem)
    const examination = await lookAndAsk(port)
    expect(examination.evidence.certificates[0]).toMatchObject({ issuerSource: 'fetched' })
    expect(codesOf(examination)).toEqual(expect.arrayContaining(['chain-incomplete', 'survives-outage']))
  })

  it('finds an issuer that was given, where the leaf comes straight from a root that servers need not send', async () => {
    const leaf = await issue({ issuer: 'root' })
    const { port } = await serve(leaf, null, leaf.pem)
    const { evidence } = await look(port)
    expect(evidence.certificates[0]).toMatchObject({ issuerSource: 'given', trust: { isTrusted: true } })
  })

  it('says where on the way to the CA it failed', async () => {
    const leaf = await issue({ responderURL: `http://127.0.0.1:${await freePort()}/` })
    const { port } = await serve(leaf, null)
    const examination = await lookAndAsk(port)
    const finding = examination.findings.find(({ code }) => code === 'ca-unreachable')
    expect(finding?.evidence.join('\n')).toContain('TCP: ERR_FETCH_NETWORK')
  })

  it('judges at the moment that it is given', async () => {
    const leaf = await issue()
    const { port } = await serve(leaf, await makeStaple(authority, leaf))
    const at = new Date(Date.now() + 8 * 86_400_000)
    const examination = await look(port, { at })
    expect(examination.evidence.at).toBe(at)
    expect(codesOf(examination)).toContain('staple-stale')
  })

  it('does not reject where nobody listens', async () => {
    const examination = await look(await freePort())
    expect(examination.severity).toBe('unknown')
    expect(codesOf(examination)).toEqual(['could-not-connect'])
  })

  it('speaks of each certificate that the server shows', async () => {
    const leaf = await issue()
    const rsa = await issue({ keyType: 'rsa2048' })
    const { port } = await startBadStapler({
      cert: [leaf.chainPem, rsa.chainPem],
      key: [leaf.key, rsa.key],
      staple: null,
    })
    const { findings } = await look(port)
    const keys = findings.filter(({ code }) => code === 'no-staple').map(({ certificateKey }) => certificateKey)
    expect(new Set(keys).size).toBe(2)
  })
})
