import { describe, expect, it } from 'vitest'
import { manualClock } from '../../kit/clock.ts'
import { freePort } from '../../kit/free-port.ts'
import { startProgram } from '../../kit/program.ts'
import { type Behaviour, createScriptedResponder } from '../../kit/responder.ts'
import { ask, authority, causesOf, createTestFetcher, failureOf, firstCauseOf, leaf } from './setting.ts'

describe('an answer', () => {
  it('comes verified, with how it was asked', async () => {
    const responder = await createScriptedResponder({ authority })
    const staple = await createTestFetcher().fetchStaple(ask(responder.url))
    expect(staple).toMatchObject({
      response: { certStatus: 'good', signer: { kind: 'issuer' } },
      responderURL: responder.url,
      method: 'get',
      hashAlgorithm: 'sha1',
      failures: [],
    })
    expect(staple.elapsedMs).toBeGreaterThan(0)
    expect(responder.requests).toMatchObject([{ method: 'GET', certID: { hashAlgorithm: 'sha1' } }])
  })

  it('is asked for as a proper client does', async () => {
    const responder = await createScriptedResponder({ authority })
    await createTestFetcher({ userAgent: 'staplewright/9' }).fetchStaple(ask(responder.url, { method: 'post' }))
    expect(responder.requests[0]?.headers).toMatchObject({
      accept: 'application/ocsp-response',
      'accept-encoding': 'identity',
      'content-type': 'application/ocsp-request',
      'user-agent': 'staplewright/9',
      host: new URL(responder.url).host,
    })
  })

  it.each(['revoked', 'unknown', 'noNextUpdate', 'contradictory'] as const)(
    'that says %s is an answer',
    async (kind) => {
      const responder = await createScriptedResponder({ authority, behaviour: kind })
      const { response, failures } = await createTestFetcher().fetchStaple(ask(responder.url))
      expect(response.certStatus).toBe({ noNextUpdate: 'good', contradictory: 'revoked' }[kind as never] ?? kind)
      expect(failures).toEqual([])
    },
  )

  it('of a delegated responder counts, and one of a configured responder too', async () => {
    const delegate = await authority.delegate()
    const responder = await createScriptedResponder({ authority, signer: delegate })
    const { response } = await createTestFetcher().fetchStaple(ask(responder.url))
    expect(response.signer.kind).toBe('delegated')
    await responder.behave('noOcspSigning')
    const fetcher = createTestFetcher()
    await expect(fetcher.fetchStaple(ask(responder.url))).rejects.toThrow()
    const configured = await authority.delegate({ ocspSigning: false })
    const local = await createScriptedResponder({ authority, signer: configured })
    const staple = await fetcher.fetchStaple(ask(local.url, { responderCertificate: configured.certificate }))
    expect(staple.response.signer.kind).toBe('configured')
  })

  it('is judged by its signature, not by its Content-Type', async () => {
    const responder = await createScriptedResponder({ authority })
    for (const type of [
      'Application/OCSP-Response; charset=binary',
      'text/html',
      'application/octet-stream',
      undefined,
    ]) {
      await responder.behave({ kind: 'good', headers: { 'content-type': type } })
      const { response, failures } = await createTestFetcher().fetchStaple(ask(responder.url))
      expect([response.certStatus, failures]).toEqual(['good', []])
    }
  })

  it.each(['get', 'post'] as const)('of the real openssl ocsp counts, asked by %s', async (method) => {
    const port = await freePort()
    const { intermediate, indexFile } = authority
    const program = startProgram('openssl', [
      ...['ocsp', '-port', String(port), '-index', indexFile, '-CA', intermediate.certificateFile, '-nmin', '5'],
      ...['-rsigner', intermediate.certificateFile, '-rkey', intermediate.keyFile],
    ])
    await program.waitFor(/waiting for OCSP client connections/i)
    const staple = await createTestFetcher().fetchStaple(ask(`http://127.0.0.1:${port}/`, { method }))
    expect(staple).toMatchObject({ method, response: { certStatus: 'good' }, failures: [] })
  })
})

describe('the form of a request', () => {
  it('is POST when the whole URL would be longer than 255 bytes', async () => {
    const responder = await createScriptedResponder({ authority, path: `/${'x'.repeat(200)}` })
    expect(await createTestFetcher().fetchStaple(ask(responder.url))).toMatchObject({ method: 'post' })
  })

  it('is what the question says, when it says so', async () => {
    const responder = await createScriptedResponder({ authority })
    const fetcher = createTestFetcher()
    await fetcher.fetchStaple(ask(responder.url, { method: 'post', hashAlgorithm: 'sha256' }))
    expect(responder.requests).toMatchObject([{ method: 'POST', certID: { hashAlgorithm: 'sha256' } }])
    await responder.behave('unauthorized')
    const only = fetcher.fetchStaple(ask(responder.url, { method: 'get', hashAlgorithm: 'sha1' }))
    expect(await causesOf(only)).toEqual(['ERR_OCSP_RESPONSE_STATUS'])
  })

  it.each<[Behaviour, string, string]>([
    ['postOnly', 'post', 'sha1'],
    ['sha256Only', 'get', 'sha256'],
    [{ kind: 'getOnly' }, 'get', 'sha1'],
    ['sha1Only', 'get', 'sha1'],
  ])('is found for a responder that is %s, and remembered', async (behaviour, method, hashAlgorithm) => {
    const responder = await createScriptedResponder({ authority, behaviour })
    const fetcher = createTestFetcher()
    expect(await fetcher.fetchStaple(ask(responder.url))).toMatchObject({ method, hashAlgorithm })
    responder.forget()
    expect(await fetcher.fetchStaple(ask(responder.url))).toMatchObject({ method, hashAlgorithm, failures: [] })
    expect(responder.count).toBe(1)
  })

  it('changes from POST to GET where POST is refused', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'getOnly', path: `/${'x'.repeat(200)}` })
    expect(await createTestFetcher().fetchStaple(ask(responder.url))).toMatchObject({
      method: 'get',
      failures: [{ code: 'ERR_FETCH_HTTP_STATUS', detail: { httpStatus: 405 } }],
    })
  })

  it('warns that a staple with SHA-256 alone is refused by some clients', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'sha256Only' })
    const { response } = await createTestFetcher().fetchStaple(ask(responder.url))
    expect(response.warnings).toMatchObject([{ code: 'only-sha256' }])
  })

  it('is tried with SHA-1 again after a day of SHA-256', async () => {
    const clock = manualClock(new Date())
    const responder = await createScriptedResponder({ authority, clock, behaviour: 'sha256Only' })
    const fetcher = createTestFetcher({ clock })
    await fetcher.fetchStaple(ask(responder.url))
    await responder.behave('good')
    expect(await fetcher.fetchStaple(ask(responder.url))).toMatchObject({ hashAlgorithm: 'sha256' })
    await clock.advance(86_400_001)
    expect(await fetcher.fetchStaple(ask(responder.url))).toMatchObject({ hashAlgorithm: 'sha1' })
  })

  it('is not blamed for `unauthorized` where it was understood before', async () => {
    const responder = await createScriptedResponder({ authority })
    const fetcher = createTestFetcher()
    await fetcher.fetchStaple(ask(responder.url))
    await responder.behave('unauthorized')
    expect(await causesOf(fetcher.fetchStaple(ask(responder.url)))).toEqual(['ERR_OCSP_RESPONSE_STATUS'])
    // and doubted again the next time
    expect(await causesOf(fetcher.fetchStaple(ask(responder.url)))).toHaveLength(3)
  })
})

describe('a failure', () => {
  const status = 'ERR_OCSP_RESPONSE_STATUS'
  it.each<[Behaviour, string[], object]>([
    ['httpError', Array(3).fill('ERR_FETCH_HTTP_STATUS'), { httpStatus: 500, method: 'GET' }],
    [{ kind: 'httpError', status: 404 }, Array(3).fill('ERR_FETCH_HTTP_STATUS'), { httpStatus: 404 }],
    ['unavailable', Array(3).fill('ERR_FETCH_HTTP_STATUS'), { httpStatus: 503 }],
    [{ kind: 'unavailable', retryAfter: 120 }, ['ERR_FETCH_HTTP_STATUS'], { retryAfterMs: 120_000 }],
    ['html', Array(3).fill('ERR_FETCH_CONTENT_TYPE'), { found: 'an HTML page "Please log in" sent as text/html' }],
    ['garbage', Array(3).fill('ERR_DER_UNEXPECTED_TAG'), { found: expect.any(String) }],
    ['empty', Array(3).fill('ERR_OCSP_MALFORMED'), { found: '0 octets' }],
    ['gzip', Array(3).fill('ERR_FETCH_CONTENT_TYPE'), { found: expect.stringContaining('gzip') }],
    ['huge', Array(3).fill('ERR_FETCH_TOO_LARGE'), { expected: 'at most 65536 bytes' }],
    ['redirect', Array(3).fill('ERR_FETCH_REDIRECT'), { expected: 'at most 3 redirects' }],
    ['reset', Array(3).fill('ERR_FETCH_NETWORK'), { networkCode: 'ECONNRESET' }],
    ['cut', Array(3).fill('ERR_FETCH_NETWORK'), { networkCode: 'ECONNRESET' }],
    ['notHttp', Array(3).fill('ERR_FETCH_NETWORK'), { networkCode: expect.stringMatching(/^HPE_/) }],
    ['refuse', ['ERR_FETCH_NETWORK'], { networkCode: 'ECONNREFUSED' }],
    ['tryLater', [status], { found: 'tryLater' }],
    ['internalError', [status], { found: 'internalError' }],
    ['sigRequired', [status], { found: 'sigRequired' }],
    ['malformedRequest', [status, status, status], { found: 'malformedRequest' }],
    ['unauthorized', [status, status, status], { found: 'unauthorized' }],
    [{ kind: 'unauthorized', status: 400 }, [status, status, status], { found: 'unauthorized' }],
    ['wrongSerial', Array(2).fill('ERR_OCSP_CERT_ID_MISMATCH'), { field: expect.any(String) }],
    ['wrongIssuer', Array(2).fill('ERR_OCSP_CERT_ID_MISMATCH'), { field: expect.any(String) }],
    ['badSignature', Array(2).fill('ERR_OCSP_SIGNATURE'), { clause: expect.stringMatching(/^RFC/) }],
    ['noOcspSigning', Array(2).fill('ERR_OCSP_RESPONDER_NOT_AUTHORIZED'), {}],
    ['otherAuthority', Array(2).fill('ERR_OCSP_RESPONDER_NOT_AUTHORIZED'), {}],
    ['expiredSigner', Array(2).fill('ERR_OCSP_RESPONDER_EXPIRED'), {}],
    ['expired', Array(3).fill('ERR_OCSP_STALE'), {}],
    ['future', Array(2).fill('ERR_OCSP_NOT_YET_VALID'), {}],
  ])('of kind %j is told as such, after what could help', async (behaviour, codes, detail) => {
    const responder = await createScriptedResponder({ authority, behaviour })
    const error = await failureOf(createTestFetcher().fetchStaple(ask(responder.url)))
    expect(error.detail.causes.map((cause) => cause.code)).toEqual(codes)
    expect(error.detail.causes[0]?.detail).toMatchObject(detail)
    for (const cause of error.detail.causes)
      expect(cause.message).toMatch(/^(GET|POST) http:\/\/127\.0\.0\.1:\d+\/.*: /)
    for (const { message } of error.detail.causes) expect(error.message).toContain(message)
    expect(responder.count).toBeLessThanOrEqual(12)
  })

  it('says which form of the request it was, where several were tried', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'unauthorized' })
    const { causes } = (await failureOf(createTestFetcher().fetchStaple(ask(responder.url)))).detail
    const forms = causes.map((cause) => cause.message.replace(responder.url, 'URL').split(':')[0])
    expect(forms).toEqual(['GET URL', 'POST URL', 'GET URL (SHA-256)'])
  })

  it('in the middle of an answer says how far it came', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'cut' })
    const cause = await firstCauseOf(createTestFetcher().fetchStaple(ask(responder.url)))
    expect(cause.detail).toMatchObject({ found: expect.stringMatching(/closed \d+ bytes into the answer/) })
  })

  it('by hanging ends at the request timeout', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'hang' })
    const cause = await firstCauseOf(createTestFetcher({ requestTimeoutMs: 80 }).fetchStaple(ask(responder.url)))
    expect(cause).toMatchObject({ code: 'ERR_FETCH_TIMEOUT', detail: { url: responder.url, found: 'nothing' } })
    expect(responder.count).toBe(1)
  })

  it('by dripping ends at the request timeout all the same', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: { kind: 'drip', everyMs: 1 } })
    const started = performance.now()
    const cause = await firstCauseOf(createTestFetcher({ requestTimeoutMs: 200 }).fetchStaple(ask(responder.url)))
    expect(performance.now() - started).toBeLessThan(1500)
    expect(cause).toMatchObject({ code: 'ERR_FETCH_TIMEOUT', detail: { expected: 'a complete answer within 200 ms' } })
  })

  it('to resolve the name says so', async () => {
    const cause = await firstCauseOf(createTestFetcher().fetchStaple(ask('http://ocsp.invalid/')))
    expect(cause).toMatchObject({ code: 'ERR_FETCH_NETWORK' })
    expect(cause.detail).toMatchObject({ networkCode: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) })
  })

  it('to connect in time says so, without waiting for the whole request', async () => {
    const clock = manualClock(new Date())
    const fetcher = createTestFetcher({ clock, lookup: () => {}, requestTimeoutMs: 10_000 })
    const fetching = firstCauseOf(fetcher.fetchStaple(ask('http://ocsp.test/')))
    await clock.advance(5000)
    expect(await fetching).toMatchObject({
      code: 'ERR_FETCH_TIMEOUT',
      detail: { expected: 'a connection within 5000 ms' },
    })
  })

  it('for what is no http address is told without asking anybody', async () => {
    const cause = await firstCauseOf(createTestFetcher().fetchStaple(ask('ldap://127.0.0.1/cn=ca')))
    expect(cause).toMatchObject({ code: 'ERR_FETCH_FORBIDDEN_ADDRESS', detail: { found: 'ldap:' } })
    const other = await firstCauseOf(createTestFetcher().fetchStaple(ask('not a URL')))
    expect(other).toMatchObject({ code: 'ERR_FETCH_FORBIDDEN_ADDRESS', detail: { found: 'no URL' } })
  })

  it('for want of any address is the certificate’s', async () => {
    const fetching = createTestFetcher().fetchStaple(ask([]))
    await expect(fetching).rejects.toMatchObject({ code: 'ERR_X509_NO_RESPONDER_URL' })
  })

  it('by an answer too large to staple is a failure', async () => {
    const responder = await createScriptedResponder({ authority })
    const cause = await firstCauseOf(createTestFetcher({ maxStapleBytes: 100 }).fetchStaple(ask(responder.url)))
    expect(cause).toMatchObject({ code: 'ERR_OCSP_TOO_LARGE', detail: { expected: 'at most 100 bytes' } })
  })

  it('leaves the memory of a 100 MB answer small', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'huge' })
    const before = process.memoryUsage().rss
    await failureOf(createTestFetcher().fetchStaple(ask(responder.url)))
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000)
  })

  it('with an announced length over the limit is refused before its body is read', async () => {
    const responder = await createScriptedResponder({
      authority,
      behaviour: { kind: 'good', body: new Uint8Array(70_000) },
    })
    const cause = await firstCauseOf(createTestFetcher().fetchStaple(ask(responder.url)))
    expect(cause).toMatchObject({ code: 'ERR_FETCH_TOO_LARGE', detail: { found: '70000 bytes announced' } })
  })
})

describe('what HTTP says about time', () => {
  it('is handed on: freshness, and the distance of the clocks', async () => {
    const clock = manualClock(new Date('2027-01-01T00:00:00Z'))
    const responder = await createScriptedResponder({
      authority,
      clock,
      behaviour: {
        kind: 'good',
        headers: { 'cache-control': 'public, max-age=600', age: '100' },
        dateSkewMs: -420_000,
      },
    })
    const staple = await createTestFetcher({ clock }).fetchStaple(ask(responder.url))
    // a cached answer's Date is when it was made, so its Age counts
    expect(staple).toMatchObject({ maxAgeMs: 500_000, dateSkewMs: -320_000 })
  })

  it('of a responder that says nothing is nothing', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: { kind: 'good', headers: { date: 'x' } } })
    const staple = await createTestFetcher().fetchStaple(ask(responder.url))
    expect(Object.keys(staple)).not.toContain('maxAgeMs')
    expect(Object.keys(staple)).not.toContain('dateSkewMs')
  })

  it('includes the longest Retry-After of a failed attempt', async () => {
    const clock = manualClock(new Date('2027-01-01T00:00:00Z'))
    const one = await createScriptedResponder({ authority, behaviour: { kind: 'unavailable', retryAfter: 30 } })
    const two = await createScriptedResponder({
      authority,
      clock,
      behaviour: { kind: 'tryLater', headers: { 'retry-after': 'Fri, 01 Jan 2027 00:02:00 GMT' } },
    })
    const error = await failureOf(createTestFetcher({ clock }).fetchStaple(ask([one.url, two.url])))
    expect(error.detail.retryAfterMs).toBe(120_000)
  })

  it('leads past a cache that holds an old answer', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'staleCache' })
    const staple = await createTestFetcher().fetchStaple(ask(responder.url))
    expect(staple).toMatchObject({ method: 'get', failures: [{ code: 'ERR_OCSP_STALE' }] })
    expect(responder.requests.map(({ headers }) => headers['cache-control'])).toEqual([undefined, 'no-cache'])
  })
})

describe('redirects', () => {
  it('are followed, with the POST and its body', async () => {
    const good = await createScriptedResponder({ authority })
    for (const redirectStatus of [301, 302, 307, 308]) {
      const first = await createScriptedResponder({
        authority,
        behaviour: { kind: 'redirect', to: good.url, redirectStatus },
      })
      good.forget()
      const staple = await createTestFetcher().fetchStaple(ask(first.url, { method: 'post' }))
      expect(staple).toMatchObject({ responderURL: first.url, response: { certStatus: 'good' } })
      expect(good.requests).toMatchObject([{ method: 'POST' }])
    }
  })

  it('to something else than http are not', async () => {
    const responder = await createScriptedResponder({
      authority,
      behaviour: { kind: 'redirect', to: 'file:///etc/passwd' },
    })
    const cause = await firstCauseOf(createTestFetcher().fetchStaple(ask(responder.url)))
    expect(cause).toMatchObject({
      code: 'ERR_FETCH_REDIRECT',
      detail: { found: 'file:///etc/passwd', httpStatus: 302 },
    })
  })

  it('count against the time of the one request', async () => {
    const hanging = await createScriptedResponder({ authority, behaviour: 'hang' })
    const first = await createScriptedResponder({ authority, behaviour: { kind: 'redirect', to: hanging.url } })
    const error = await failureOf(createTestFetcher({ requestTimeoutMs: 100 }).fetchStaple(ask(first.url)))
    expect(error.detail.causes).toMatchObject([{ code: 'ERR_FETCH_TIMEOUT' }])
    expect(error.message).toContain(`redirected to ${hanging.url}`)
  })
})

describe('several responders', () => {
  it('are asked in turn, and what failed before the answer is told', async () => {
    const down = await createScriptedResponder({ authority, behaviour: 'refuse' })
    const html = await createScriptedResponder({ authority, behaviour: 'html' })
    const good = await createScriptedResponder({ authority })
    const staple = await createTestFetcher().fetchStaple(ask([down.url, html.url, good.url]))
    expect(staple.responderURL).toBe(good.url)
    expect(staple.failures.map((failure) => failure.code)).toEqual([
      'ERR_FETCH_NETWORK',
      ...Array(3).fill('ERR_FETCH_CONTENT_TYPE'),
    ])
  })

  it('are asked once each, although listed twice', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'tryLater' })
    await failureOf(createTestFetcher().fetchStaple(ask([responder.url, responder.url])))
    expect(responder.count).toBe(1)
  })

  it('overlap when one is slow: the next starts early, the first answer wins, the others are let go', async () => {
    const hanging = await createScriptedResponder({ authority, behaviour: 'hang' })
    const good = await createScriptedResponder({ authority })
    const started = performance.now()
    const staple = await createTestFetcher({ nextURLAfterMs: 60 }).fetchStaple(ask([hanging.url, good.url]))
    expect(staple.responderURL).toBe(good.url)
    expect(staple.failures).toMatchObject([{ code: 'ERR_FETCH_TIMEOUT', detail: { url: hanging.url, found: 'none' } }])
    expect(staple.failures[0]?.message).toContain(`when ${good.url} gave one`)
    expect(performance.now() - started).toBeLessThan(1000)
    expect(hanging.count).toBe(1)
    await expect.poll(() => hanging.connections).toBe(0)
  })

  it('still count when they answer after the next one has started', async () => {
    const slow = await createScriptedResponder({ authority, behaviour: { kind: 'good', delayMs: 120 } })
    const broken = await createScriptedResponder({ authority, behaviour: 'httpError' })
    const staple = await createTestFetcher({ nextURLAfterMs: 20 }).fetchStaple(ask([slow.url, broken.url]))
    expect(staple.responderURL).toBe(slow.url)
    expect(staple.failures.map((failure) => failure.code)).toEqual(Array(3).fill('ERR_FETCH_HTTP_STATUS'))
  })

  it('start 2 s apart unless told otherwise', async () => {
    const clock = manualClock(new Date())
    const hanging = await createScriptedResponder({ authority, clock, behaviour: 'hang' })
    const good = await createScriptedResponder({ authority, clock })
    const fetching = createTestFetcher({ clock, requestTimeoutMs: 10_000 }).fetchStaple(ask([hanging.url, good.url]))
    await hanging.waitForRequests(1)
    await clock.advance(1999)
    expect(good.count).toBe(0)
    await clock.advance(1)
    expect((await fetching).responderURL).toBe(good.url)
  })
})

describe('the whole attempt', () => {
  it('ends at its deadline, with every cause so far', async () => {
    const clock = manualClock(new Date())
    const html = await createScriptedResponder({ authority, clock, behaviour: 'html' })
    const hanging = await createScriptedResponder({ authority, clock, behaviour: 'hang' })
    const fetcher = createTestFetcher({ clock, requestTimeoutMs: 60_000 })
    const fetching = failureOf(fetcher.fetchStaple(ask([html.url, hanging.url])))
    await hanging.waitForRequests(1)
    await clock.advance(30_000)
    const { causes } = (await fetching).detail
    expect(causes.map((cause) => cause.code)).toEqual([...Array(3).fill('ERR_FETCH_CONTENT_TYPE'), 'ERR_FETCH_TIMEOUT'])
    expect(causes.at(-1)?.detail).toMatchObject({ url: hanging.url, expected: 'an answer within 30000 ms' })
  })

  it('leaves no timer behind, however it ended', async () => {
    const clock = manualClock(new Date())
    const responder = await createScriptedResponder({ authority, clock })
    const fetcher = createTestFetcher({ clock })
    await fetcher.fetchStaple(ask(responder.url))
    await responder.behave('html')
    await failureOf(fetcher.fetchStaple(ask([responder.url, 'http://127.0.0.1:1/'])))
    expect(clock.timers).toBe(0)
  })

  it('ends at once when aborted, with the reason given', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'hang' })
    const controller = new AbortController()
    const fetching = createTestFetcher().fetchStaple(ask(responder.url), controller.signal)
    await responder.waitForRequests(1)
    controller.abort(new Error('no longer wanted'))
    await expect(fetching).rejects.toThrow('no longer wanted')
    await expect.poll(() => responder.connections).toBe(0)
    await expect(createTestFetcher().fetchStaple(ask(responder.url), AbortSignal.abort())).rejects.toThrow(/abort/i)
  })

  it('ends when the fetcher is closed, and no other begins', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: 'hang' })
    const fetcher = createTestFetcher()
    const fetching = fetcher.fetchStaple(ask(responder.url))
    fetching.catch(() => {})
    await responder.waitForRequests(1)
    await fetcher.close()
    await expect(fetching).rejects.toMatchObject({ code: 'ERR_FETCH_CLOSED' })
    await expect(fetcher.fetchStaple(ask(responder.url))).rejects.toMatchObject({ code: 'ERR_FETCH_CLOSED' })
    await expect(fetcher.fetchIssuer(leaf.certificate)).rejects.toMatchObject({ code: 'ERR_FETCH_CLOSED' })
  })

  it('closes the connections it kept when it is closed', async () => {
    const responder = await createScriptedResponder({ authority })
    const fetcher = createTestFetcher()
    await fetcher.fetchStaple(ask(responder.url))
    expect(responder.connections).toBe(1)
    await fetcher.close()
    await expect.poll(() => responder.connections).toBe(0)
  })
})

describe('equal questions', () => {
  it('at the same time are asked once, and answered to all', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: { kind: 'good', delayMs: 30 } })
    const fetcher = createTestFetcher()
    const both = await Promise.all([fetcher.fetchStaple(ask(responder.url)), fetcher.fetchStaple(ask(responder.url))])
    expect(both[0]).toBe(both[1])
    expect(responder.count).toBe(1)
    await fetcher.fetchStaple(ask(responder.url))
    expect(responder.count).toBe(2)
  })

  it('go on for the others when one loses interest, and end when all have', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: { kind: 'good', delayMs: 60 } })
    const fetcher = createTestFetcher()
    const [one, two] = [new AbortController(), new AbortController()]
    const first = fetcher.fetchStaple(ask(responder.url), one.signal)
    const second = fetcher.fetchStaple(ask(responder.url), two.signal)
    one.abort(new Error('one left'))
    await expect(first).rejects.toThrow('one left')
    expect((await second).response.certStatus).toBe('good')

    await responder.behave('hang')
    const third = fetcher.fetchStaple(ask(responder.url), two.signal)
    await responder.waitForRequests(2)
    two.abort(new Error('two left'))
    await expect(third).rejects.toThrow('two left')
    await expect.poll(() => responder.connections).toBe(0)
  })

  it('about other certificates are other questions', async () => {
    const responder = await createScriptedResponder({ authority, behaviour: { kind: 'good', delayMs: 20 } })
    const other = await authority.issueLeaf()
    const fetcher = createTestFetcher()
    await Promise.all([
      fetcher.fetchStaple(ask(responder.url)),
      fetcher.fetchStaple(ask(responder.url, { certificate: other.certificate })),
    ])
    expect(responder.count).toBe(2)
  })
})

describe('a kept connection', () => {
  it('is used again', async () => {
    const responder = await createScriptedResponder({ authority })
    const fetcher = createTestFetcher()
    await fetcher.fetchStaple(ask(responder.url))
    await fetcher.fetchStaple(ask(responder.url))
    expect(responder.connections).toBe(1)
  })

  it('that the responder closed meanwhile costs one more connection, not a failure', async () => {
    const responder = await createScriptedResponder({ authority })
    const fetcher = createTestFetcher()
    await fetcher.fetchStaple(ask(responder.url))
    responder.script('reset')
    const staple = await fetcher.fetchStaple(ask(responder.url))
    expect(staple).toMatchObject({ method: 'get', failures: [] })
  })
})
