/** CRLs over real sockets: which distribution point is asked, what counts, what is held. */
import { beforeAll, describe, expect, it } from 'vitest'
import { isStapleError, type StapleError } from '../../../src/errors.ts'
import { systemClock } from '../../../src/keep/clock.ts'
import type { CrlQuestion, FetchedCrl } from '../../../src/keep/fetch/index.ts'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { manualClock } from '../../kit/clock.ts'
import { createCrlServer, issueCrl, pemOf } from '../../kit/crl.ts'
import { freePort } from '../../kit/free-port.ts'
import { createTestFetcher } from './setting.ts'

const authority = await createAuthority({ fresh: true })
const good = await authority.issueLeaf()
const revoked = await authority.issueLeaf()
await authority.revoke(revoked, 'keyCompromise')

let crl: Uint8Array
let stale: Uint8Array

beforeAll(async () => {
  crl = await issueCrl(authority)
  stale = await issueCrl(authority, { thisUpdate: hoursFromNow(-48), nextUpdate: hoursFromNow(-24) })
})

function hoursFromNow(hours: number): Date {
  return new Date(Date.now() + hours * 3_600_000)
}

function about(leaf: Leaf, urls: string | readonly string[], rest: Partial<CrlQuestion> = {}): CrlQuestion {
  const crlURLs = typeof urls === 'string' ? [urls] : urls
  return { certificate: leaf.certificate, issuer: leaf.issuer, crlURLs, ...rest }
}

/** The failure of a fetch that must fail. */
async function failureOf(fetching: Promise<unknown>): Promise<StapleError<'ERR_FETCH_FAILED'>> {
  const outcome = await fetching.catch((error: unknown) => error)
  if (isStapleError(outcome, 'ERR_FETCH_FAILED')) return outcome
  throw new Error('expected ERR_FETCH_FAILED', { cause: outcome })
}

async function causesOf(fetching: Promise<unknown>): Promise<string[]> {
  return (await failureOf(fetching)).detail.causes.map(({ code }) => code)
}

function codesOf({ failures }: FetchedCrl): string[] {
  return failures.map(({ code }) => code)
}

describe('a CRL', () => {
  it('says that a certificate is good, or since when and why it is revoked', async () => {
    const server = await createCrlServer()
    server.give('ca.crl', crl)
    const fetcher = createTestFetcher()
    const found = await fetcher.fetchCrl(about(good, server.url('ca.crl')))
    expect(found).toMatchObject({ url: server.url('ca.crl'), isCached: false, failures: [] })
    expect(found.crl).toMatchObject({ certStatus: 'good', crlNumber: 1n, entryCount: 1, warnings: [] })
    expect(Math.abs(found.dateSkewMs as number)).toBeLessThan(5_000)
    const other = await fetcher.fetchCrl(about(revoked, server.url('ca.crl')))
    expect(other.crl).toMatchObject({ certStatus: 'revoked', revocationReason: 'keyCompromise' })
    expect(other.crl.revocationTime).toBeInstanceOf(Date)
  })

  it('is read as PEM too, whatever it is called', async () => {
    const server = await createCrlServer()
    server.give('ca.pem', (_request, response) => response.end(`Our CRL:\n${pemOf(crl)}`))
    const { crl: verified } = await createTestFetcher().fetchCrl(about(revoked, server.url('ca.pem')))
    expect(verified.certStatus).toBe('revoked')
  })

  it('is found where the certificate says', async () => {
    const server = await createCrlServer()
    server.give('own.crl', crl)
    const leaf = await authority.issueLeaf({ extensions: [`crlDistributionPoints=URI:${server.url('own.crl')}`] })
    const { certificate, issuer } = leaf
    const found = await createTestFetcher().fetchCrl({ certificate, issuer })
    expect(found).toMatchObject({ url: server.url('own.crl'), crl: { certStatus: 'good' } })
  })

  it('is followed through redirects', async () => {
    const server = await createCrlServer()
    server.give('old.crl', (_request, response) => response.writeHead(301, { location: '/new.crl' }).end())
    server.give('new.crl', crl)
    const found = await createTestFetcher().fetchCrl(about(good, server.url('old.crl')))
    expect(found).toMatchObject({ url: server.url('old.crl'), crl: { certStatus: 'good' } })
    expect(server.asked).toEqual(['old.crl', 'new.crl'])
  })
})

describe('what is no acceptable CRL is reported for what it is:', () => {
  const cases: readonly (readonly [what: string, code: string, answer: Uint8Array | string | undefined])[] = [
    ['nothing there', 'ERR_FETCH_HTTP_STATUS', undefined],
    ['a web page', 'ERR_FETCH_CONTENT_TYPE', '<html><title>Moved</title>'],
    ['an empty body', 'ERR_FETCH_CONTENT_TYPE', ''],
    ['garbage', 'ERR_DER_TRUNCATED', Uint8Array.of(0x30, 0x82, 1, 2, 3)],
    ['damaged PEM', 'ERR_FETCH_CONTENT_TYPE', '-----BEGIN X509 CRL-----\nMIIB'],
    ['a certificate', 'ERR_DER_UNEXPECTED_TAG', authority.intermediate.der],
    ['a stale one', 'ERR_CRL_STALE', 'stale'],
    ['a compressed one', 'ERR_FETCH_CONTENT_TYPE', 'gzip'],
  ]
  function give(server: Awaited<ReturnType<typeof createCrlServer>>, answer: Uint8Array | string | undefined) {
    if (answer === undefined) return
    if (answer === 'stale') return server.give('x.crl', stale)
    if (answer !== 'gzip') return server.give('x.crl', answer)
    server.give('x.crl', (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(crl))
  }

  it.each(cases)('%s', async (_what, code, answer) => {
    const server = await createCrlServer()
    give(server, answer)
    const failure = await failureOf(createTestFetcher().fetchCrl(about(good, server.url('x.crl'))))
    expect(failure.detail.causes.map((cause) => cause.code)).toEqual([code])
    expect(failure.message).toContain(`GET ${server.url('x.crl')}`)
  })

  it('one of another CA', async () => {
    const server = await createCrlServer()
    server.give('root.crl', await issueCrl(authority, { ca: 'root' }))
    const asked = createTestFetcher().fetchCrl(about(good, server.url('root.crl')))
    expect(await causesOf(asked)).toEqual(['ERR_CRL_ISSUER_MISMATCH'])
  })

  it('one that is over the limit, announced or not', async () => {
    const server = await createCrlServer()
    server.give('large.crl', new Uint8Array(5000))
    server.give('stream.crl', (_request, response) => {
      response.write(new Uint8Array(3000))
      response.end(new Uint8Array(3000))
    })
    const fetcher = createTestFetcher({ maxCrlBytes: 4096 })
    for (const path of ['large.crl', 'stream.crl'])
      expect(await causesOf(fetcher.fetchCrl(about(good, server.url(path))))).toEqual(['ERR_FETCH_TOO_LARGE'])
  })

  it('nobody listening', async () => {
    const asked = createTestFetcher().fetchCrl(about(good, `http://127.0.0.1:${await freePort()}/`))
    expect(await causesOf(asked)).toEqual(['ERR_FETCH_NETWORK'])
  })

  it('an address that is not for HTTP, by its scheme', async () => {
    const failure = await failureOf(
      createTestFetcher().fetchCrl(about(good, 'ldap://ldap.test/cn=CA?certificateRevocationList')),
    )
    expect(failure.detail.causes.map(({ code, detail }) => ({ code, detail }))).toEqual([
      {
        code: 'ERR_FETCH_FORBIDDEN_ADDRESS',
        detail: expect.objectContaining({ found: 'ldap:', expected: 'an http or https URL' }),
      },
    ])
  })

  it('no distribution point at all', async () => {
    const { certificate, issuer } = good
    const failure = await failureOf(createTestFetcher().fetchCrl({ certificate, issuer }))
    expect(failure.detail.causes).toEqual([])
    expect(failure.message).toBe('no acceptable CRL: the certificate names no distribution point')
  })

  it.each([
    ['of some reasons only', 'reasons', ['reasons=keyCompromise']],
    ['of which somebody else signs the CRL', 'cRLIssuer', ['CRLissuer=dirName:else', '[else]', 'CN=Somebody Else']],
  ])('a distribution point %s, which is not asked', async (_what, field, lines) => {
    const server = await createCrlServer()
    const place = `fullname=URI:${server.url('some.crl')}`
    const extensions = ['crlDistributionPoints=some', '[some]', place, ...lines]
    const { certificate, issuer } = await authority.issueLeaf({ extensions })
    const failure = await failureOf(createTestFetcher().fetchCrl({ certificate, issuer }))
    expect(failure.detail.causes).toMatchObject([
      { code: 'ERR_CRL_UNSUPPORTED', detail: { field: `certificate.extensions.cRLDistributionPoints[0].${field}` } },
    ])
    expect(server.asked).toEqual([])
  })
})

describe('of several distribution points', () => {
  it('the next is asked when one fails, and every failure is told', async () => {
    const server = await createCrlServer()
    server.give('stale.crl', stale)
    server.give('ca.crl', crl)
    const urls = ['ldap://ldap.test/', server.url('gone.crl'), server.url('stale.crl'), server.url('ca.crl')]
    const found = await createTestFetcher().fetchCrl(about(good, urls))
    expect(found.url).toBe(server.url('ca.crl'))
    expect(codesOf(found)).toEqual(['ERR_FETCH_FORBIDDEN_ADDRESS', 'ERR_FETCH_HTTP_STATUS', 'ERR_CRL_STALE'])
  })

  it('one that does not answer leaves the next its share of the time', async () => {
    const server = await createCrlServer()
    server.give('slow.crl', () => {})
    server.give('ca.crl', crl)
    const asked = about(good, [server.url('slow.crl'), server.url('ca.crl')], { deadlineMs: 400 })
    const found = await createTestFetcher().fetchCrl(asked)
    expect(codesOf(found)).toEqual(['ERR_FETCH_TIMEOUT'])
    expect(found.crl.certStatus).toBe('good')
  })

  it('none is asked after the signal', async () => {
    const server = await createCrlServer()
    const stopping = new AbortController()
    server.give('slow.crl', () => stopping.abort(new Error('enough')))
    const asked = createTestFetcher().fetchCrl(about(good, [server.url('slow.crl'), server.url('x')]), stopping.signal)
    await expect(asked).rejects.toThrow('enough')
    expect(server.asked).toEqual(['slow.crl'])
  })
})

describe('what was downloaded', () => {
  it('serves every certificate of its CA, without being asked for again', async () => {
    const server = await createCrlServer()
    server.give('ca.crl', crl)
    const fetcher = createTestFetcher()
    await fetcher.fetchCrl(about(good, server.url('ca.crl')))
    const held = await fetcher.fetchCrl(about(revoked, server.url('ca.crl')))
    expect(held).toMatchObject({ isCached: true, crl: { certStatus: 'revoked' } })
    expect(held.dateSkewMs).toBeUndefined()
    expect(server.asked).toEqual(['ca.crl'])
    const fresh = await fetcher.fetchCrl(about(revoked, server.url('ca.crl'), { isFresh: true }))
    expect(fresh.isCached).toBe(false)
    expect(server.asked).toEqual(['ca.crl', 'ca.crl'])
  })

  it('is downloaded once for all who ask at the same time', async () => {
    const server = await createCrlServer()
    server.give('ca.crl', (_request, response) => setTimeout(() => response.end(crl), 50))
    const fetcher = createTestFetcher()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        fetcher.fetchCrl(about(index % 2 ? good : revoked, server.url('ca.crl'))),
      ),
    )
    expect(answers.map((answer) => answer.crl.certStatus)).toEqual(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? 'good' : 'revoked')),
    )
    expect(server.asked).toEqual(['ca.crl'])
  })

  it('goes on for the others when one gives up', async () => {
    const server = await createCrlServer()
    let answer: (() => void) | undefined
    server.give('ca.crl', (_request, response) => {
      answer = () => response.end(crl)
      stopping.abort(new Error('enough'))
    })
    const stopping = new AbortController()
    const fetcher = createTestFetcher()
    const leaving = fetcher.fetchCrl(about(good, server.url('ca.crl')), stopping.signal)
    const staying = fetcher.fetchCrl(about(revoked, server.url('ca.crl')))
    await expect(leaving).rejects.toThrow('enough')
    answer?.()
    expect((await staying).crl.certStatus).toBe('revoked')
  })

  it('is not held when it was not acceptable, nor beyond the room there is', async () => {
    const server = await createCrlServer()
    server.give('x.crl', stale)
    const fetcher = createTestFetcher({ maxCrlCacheBytes: crl.length - 1 })
    await causesOf(fetcher.fetchCrl(about(good, server.url('x.crl'))))
    server.give('x.crl', crl)
    for (const _turn of [1, 2]) {
      expect((await fetcher.fetchCrl(about(good, server.url('x.crl')))).isCached).toBe(false)
    }
    expect(server.asked).toHaveLength(3)
  })

  it('makes room by letting go of what was not used for longest', async () => {
    const server = await createCrlServer()
    for (const path of ['a', 'b', 'c']) server.give(path, crl)
    const fetcher = createTestFetcher({ maxCrlCacheBytes: 2 * crl.length })
    for (const path of ['a', 'b', 'a', 'c', 'a', 'b']) await fetcher.fetchCrl(about(good, server.url(path)))
    expect(server.asked).toEqual(['a', 'b', 'c', 'b'])
  })

  it('is asked for anew when it was held for long, and still counts when that fails', async () => {
    const server = await createCrlServer()
    server.give('ca.crl', crl)
    const fetcher = createTestFetcher({ maxCrlAgeMs: 0 })
    await fetcher.fetchCrl(about(good, server.url('ca.crl')))
    server.give('ca.crl', stale)
    const held = await fetcher.fetchCrl(about(good, server.url('ca.crl')))
    expect(held).toMatchObject({ isCached: true, crl: { certStatus: 'good' } })
    expect(codesOf(held)).toEqual(['ERR_CRL_STALE'])
  })

  it('does not give way to an older one that is still fresh', async () => {
    const server = await createCrlServer()
    server.give('ca.crl', crl)
    const fetcher = createTestFetcher()
    await fetcher.fetchCrl(about(revoked, server.url('ca.crl')))
    server.give('ca.crl', await issueCrl(authority, { thisUpdate: hoursFromNow(-10), crlNumber: 9 }))
    const { crl: kept } = await fetcher.fetchCrl(about(revoked, server.url('ca.crl'), { isFresh: true }))
    expect(kept.crlNumber).toBe(1n)
  })

  it('is let go of when its nextUpdate has passed', async () => {
    const server = await createCrlServer()
    server.give('ca.crl', crl)
    const clock = manualClock(new Date())
    const fetcher = createTestFetcher({ clock: { ...systemClock, now: () => clock.now() } })
    await fetcher.fetchCrl(about(good, server.url('ca.crl')))
    await clock.advance(25 * 3_600_000)
    expect(await causesOf(fetcher.fetchCrl(about(good, server.url('ca.crl'))))).toEqual(['ERR_CRL_STALE'])
    expect(server.asked).toHaveLength(2)
  })
})

describe("a stranger's certificate", () => {
  it('sends us to no private address, by name or number, nor by a redirect', async () => {
    const server = await createCrlServer()
    server.give('ca.crl', crl)
    const fetcher = createTestFetcher()
    for (const url of [server.url('ca.crl'), `http://localhost:${server.port}/ca.crl`, 'http://[::1]/']) {
      const asked = fetcher.fetchCrl(about(good, url, { origin: 'stranger' }))
      expect(await causesOf(asked)).toEqual(['ERR_FETCH_FORBIDDEN_ADDRESS'])
    }
    expect(server.asked).toEqual([])
  })

  it("is not answered from what was held for the operator's", async () => {
    const server = await createCrlServer()
    server.give('ca.crl', crl)
    const fetcher = createTestFetcher()
    await fetcher.fetchCrl(about(good, server.url('ca.crl')))
    const asked = fetcher.fetchCrl(about(good, server.url('ca.crl'), { origin: 'stranger' }))
    expect(await causesOf(asked)).toEqual(['ERR_FETCH_FORBIDDEN_ADDRESS'])
  })
})

it('close() ends a download that is under way', async () => {
  const server = await createCrlServer()
  const fetcher = createTestFetcher()
  server.give('slow.crl', () => void fetcher.close())
  await expect(fetcher.fetchCrl(about(good, server.url('slow.crl')))).rejects.toMatchObject({
    code: 'ERR_FETCH_CLOSED',
  })
  await expect(fetcher.fetchCrl(about(good, server.url('slow.crl')))).rejects.toMatchObject({
    code: 'ERR_FETCH_CLOSED',
  })
})
