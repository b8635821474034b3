import { createServer, request as httpRequest } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/keep/clock.ts'
import { createCertID, decodeOcspResponse, encodeOcspRequest, verifyOcspResponse } from '../../../src/pki/ocsp/index.ts'
import { createResponder, type ResponderOptions } from '../../../src/serve/responder/index.ts'
import { createAuthority } from '../../kit/authority.ts'
import { manualClock } from '../../kit/clock.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { openssl } from '../../kit/openssl.ts'

const authority = await createAuthority()
const leaf = await authority.issueLeaf()
const { certificate, issuer } = leaf
const request = encodeOcspRequest({ certificate, issuer, hashAlgorithm: 'sha1' })

function createTestResponder(options: Partial<ResponderOptions> = {}) {
  return createResponder({
    issuer,
    signer: authority.intermediate,
    clock: systemClock,
    statusOf: () => ({ certStatus: 'good' }),
    ...options,
  })
}

async function serve(options: Partial<ResponderOptions> = {}): Promise<string> {
  const server = createServer(createTestResponder(options).listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endsWithTest(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const verify = (der: Uint8Array, at = new Date()) => verifyOcspResponse(der, { certificate, issuer, at })
const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer())
const statusOf = (der: Uint8Array) => decodeOcspResponse(der).responseStatus
const base64 = Buffer.from(request).toString('base64')

describe('an answer', () => {
  it.each(['sha1', 'sha256'] as const)('to a %s certID is one that a client accepts', async (hashAlgorithm) => {
    const asked = encodeOcspRequest({ certificate, issuer, hashAlgorithm })
    const verified = verify(await createTestResponder({ validityMs: 60_000 }).answer(asked))
    expect(verified).toMatchObject({ certStatus: 'good', hashAlgorithms: [hashAlgorithm], signer: { kind: 'issuer' } })
    expect(verified.effectiveNextUpdate.getTime() - verified.thisUpdate.getTime()).toBe(60_000)
  })

  it('says what the source says of that certificate', async () => {
    const revocationTime = new Date('2026-01-02T03:04:05Z')
    const responder = createTestResponder({
      statusOf: ({ serialNumber }) =>
        serialNumber === certificate.serialNumber
          ? { certStatus: 'revoked', revocationTime, revocationReason: 'superseded' }
          : { certStatus: 'unknown' },
    })
    const expected = { certStatus: 'revoked', revocationTime, revocationReason: 'superseded' }
    expect(verify(await responder.answer(request))).toMatchObject(expected)
  })

  it('carries the times of the source, to the second', async () => {
    const thisUpdate = new Date(Math.floor(Date.now() / 1000) * 1000 - 600_000)
    const nextUpdate = new Date(thisUpdate.getTime() + 1_200_000)
    const dated = createTestResponder({ statusOf: () => ({ certStatus: 'good', thisUpdate, nextUpdate }) })
    expect(verify(await dated.answer(request))).toMatchObject({ thisUpdate, nextUpdate })
    const open = createTestResponder({ statusOf: () => ({ certStatus: 'good', nextUpdate: null }) })
    expect(verify(await open.answer(request)).nextUpdate).toBeUndefined()
  })

  it('answers every certID of a request', async () => {
    // openssl asks about several certificates in one request
    const other = await authority.issueLeaf()
    const file = `${authority.directory}/two.request`
    await openssl([
      ...['ocsp', '-issuer', authority.intermediate.certificateFile, '-no_nonce', '-reqout', file],
      ...['-cert', leaf.leafOnlyFile, '-cert', other.leafOnlyFile],
    ])
    const { readFile } = await import('node:fs/promises')
    const der = await createTestResponder().answer(new Uint8Array(await readFile(file)))
    const serials = decodeOcspResponse(der).basicResponse?.responses.map(({ certID }) => certID.serialNumber)
    expect(serials).toEqual([certificate.serialNumber, other.certificate.serialNumber])
  })

  it('echoes a nonce only when told to', async () => {
    const nonce = Uint8Array.from({ length: 32 }, (_, index) => index)
    const asked = encodeOcspRequest({ certificate, issuer, hashAlgorithm: 'sha1', nonce })
    expect(verify(await createTestResponder({ echoNonce: true }).answer(asked)).responseNonce).toEqual(nonce)
    expect(verify(await createTestResponder().answer(asked)).responseNonce).toBeUndefined()
  })

  it('by a delegate carries its certificate, and names it as told', async () => {
    const signer = await authority.delegate()
    const byName = await createTestResponder({ signer, responderID: 'byName' }).answer(request)
    expect(verify(byName).signer.kind).toBe('delegated')
    expect(decodeOcspResponse(byName).basicResponse?.responderID.byName).toBeDefined()
  })

  it('is told to onAnswer', async () => {
    const answered: unknown[] = []
    const responder = createTestResponder({ onAnswer: (each) => answered.push(each) })
    const der = await responder.answer(request)
    await responder.answer(new Uint8Array([1, 2, 3]))
    expect(answered).toMatchObject([
      { responseStatus: 'successful', certStatuses: ['good'], bytes: der.length },
      { responseStatus: 'malformedRequest', certIDs: [], certStatuses: [] },
    ])
  })
})

describe('no signed answer', () => {
  it('is given to what is no request', async () => {
    const responder = createTestResponder()
    for (const der of [new Uint8Array(), new Uint8Array([0x30, 0]), request.subarray(1), request.subarray(0, 40)]) {
      expect(statusOf(await responder.answer(der))).toBe('malformedRequest')
    }
  })

  it('is given for another issuer’s certificate, be its serial number known or not', async () => {
    const other = await createAuthority({ fresh: true })
    const stranger = await other.issueLeaf({ serialHex: leaf.serialHex })
    const asked = encodeOcspRequest({ ...stranger, hashAlgorithm: 'sha1' })
    let isAsked = false
    const responder = createTestResponder({
      statusOf: () => {
        isAsked = true
        return { certStatus: 'good' }
      },
    })
    expect(statusOf(await responder.answer(asked))).toBe('unauthorized')
    // the right name and another key
    const renamed = encodeOcspRequest({ certificate, issuer: stranger.issuer, hashAlgorithm: 'sha1' })
    expect(createCertID(certificate, stranger.issuer, 'sha1').serialNumber).toBe(certificate.serialNumber)
    expect(statusOf(await responder.answer(renamed))).toBe('unauthorized')
    expect(isAsked).toBe(false)
  })

  it('is given when the source says so', async () => {
    const responder = createTestResponder({ statusOf: async () => ({ responseStatus: 'tryLater' }) })
    expect(statusOf(await responder.answer(request))).toBe('tryLater')
  })

  it('is given when the source fails, and that is told', async () => {
    const errors: unknown[] = []
    const cause = new Error('the database is away')
    const responder = createTestResponder({
      statusOf: () => Promise.reject(cause),
      onError: (error) => errors.push(error),
    })
    expect(statusOf(await responder.answer(request))).toBe('internalError')
    expect(errors).toMatchObject([{ code: 'ERR_RESPONDER_SOURCE', cause }])
  })
})

describe('a signer', () => {
  it.each([
    ['without OCSPSigning', () => authority.delegate({ ocspSigning: false }), 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED'],
    ['that has expired', () => authority.delegate({ expired: true }), 'ERR_OCSP_RESPONDER_EXPIRED'],
    ['of the root', () => authority.delegate({ issuer: 'root' }), 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED'],
    [
      'with another key than its certificate',
      async () => ({ certificate: issuer, privateKey: (await authority.delegate()).privateKey }),
      'ERR_OCSP_SIGNATURE',
    ],
  ])('%s is refused at once', async (_, make, code) => {
    const signer = await make()
    expect(() => createTestResponder({ signer })).toThrow(
      expect.objectContaining({ code: 'ERR_RESPONDER_SIGNER', cause: expect.objectContaining({ code }) }),
    )
  })
})

describe('over HTTP', () => {
  it.each([
    ['GET, percent-encoded', `/${encodeURIComponent(base64)}`],
    ['GET, as it is', `/${base64}`],
    ['GET, after two slashes', `//${base64}`],
  ])('answers %s', async (_, path) => {
    const response = await fetch((await serve()) + path)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/ocsp-response')
    expect(verify(await bytesOf(response)).certStatus).toBe('good')
  })

  it('answers POST', async () => {
    const response = await fetch(await serve(), { method: 'POST', body: Buffer.from(request) })
    expect(verify(await bytesOf(response)).certStatus).toBe('good')
  })

  it('answers the real openssl client', async () => {
    const url = await serve()
    const output = await openssl([
      ...['ocsp', '-url', url, '-issuer', authority.intermediate.certificateFile, '-cert', leaf.leafOnlyFile],
      ...['-CAfile', leaf.rootFile, '-verify_other', authority.intermediate.certificateFile],
    ])
    expect(output.toString()).toContain(': good')
  })

  it('tells caches how long the answer may rest', async () => {
    const clock = manualClock('2027-01-01T00:00:00Z')
    const statusOfLeaf = () => ({
      certStatus: 'good' as const,
      thisUpdate: new Date('2026-12-31T23:00:00Z'),
      nextUpdate: new Date('2027-01-01T01:00:00Z'),
    })
    const url = `${await serve({ clock, statusOf: statusOfLeaf })}/${base64}`
    const { headers } = await fetch(url)
    expect(Object.fromEntries(headers)).toMatchObject({
      date: 'Fri, 01 Jan 2027 00:00:00 GMT',
      'last-modified': 'Thu, 31 Dec 2026 23:00:00 GMT',
      expires: 'Fri, 01 Jan 2027 01:00:00 GMT',
      'cache-control': 'max-age=1800, public, no-transform, must-revalidate',
      etag: expect.stringMatching(/^"[0-9a-f]{64}"$/),
    })
  })

  it('lets no cache keep an error or somebody’s nonce', async () => {
    const asked = encodeOcspRequest({ certificate, issuer, hashAlgorithm: 'sha1', nonce: new Uint8Array(32) })
    const url = await serve({ echoNonce: true })
    const withNonce = await fetch(url, { method: 'POST', body: Buffer.from(asked) })
    const error = await fetch(`${url}/MAA=`)
    for (const { headers } of [withNonce, error]) {
      expect(headers.get('cache-control')).toBe('max-age=0, no-cache')
      expect(headers.get('etag')).toBeNull()
    }
    expect(statusOf(await bytesOf(error))).toBe('malformedRequest')
  })

  it('answers 304 to who has the answer already', async () => {
    // RSA signatures are the same each time
    const rsa = await createAuthority({ keyType: 'rsa2048' })
    const held = await rsa.issueLeaf()
    const clock = manualClock(new Date())
    const url = await serve({ issuer: held.issuer, signer: rsa.intermediate, clock })
    const asked = encodeOcspRequest({ certificate: held.certificate, issuer: held.issuer, hashAlgorithm: 'sha1' })
    const target = `${url}/${encodeURIComponent(Buffer.from(asked).toString('base64'))}`
    const etag = (await fetch(target)).headers.get('etag') ?? ''
    expect((await fetch(target, { headers: { 'if-none-match': etag } })).status).toBe(304)
    await clock.advance(1000)
    expect((await fetch(target, { headers: { 'if-none-match': etag } })).status).toBe(200)
  })

  it('gives other methods 405, other paths malformedRequest, HEAD no body', async () => {
    const url = await serve()
    const put = await fetch(url, { method: 'PUT', body: 'x' })
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
    expect(statusOf(await bytesOf(await fetch(`${url}/favicon.ico`)))).toBe('malformedRequest')
    const head = await fetch(`${url}/${base64}`, { method: 'HEAD' })
    expect([head.status, (await bytesOf(head)).length]).toEqual([200, 0])
  })

  it('reads no POST over 10 KB, announced or not', async () => {
    const url = await serve()
    const announced = await fetch(url, { method: 'POST', body: Buffer.alloc(10_241) })
    expect(announced.status).toBe(413)
    const status = await new Promise((resolve, reject) => {
      const streaming = httpRequest(url, { method: 'POST' }, (response) => {
        resolve(response.statusCode)
        streaming.destroy()
      })
      streaming.on('error', reject)
      for (let sent = 0; sent < 3; sent++) streaming.write(Buffer.alloc(5000))
    })
    expect(status).toBe(413)
  })

  it('lets a client go that sends its request too slowly', async () => {
    const clock = manualClock()
    const { port } = new URL(await serve({ clock }))
    const socket = connect(Number(port), '127.0.0.1')
    const received = new Promise<string>((resolve) => {
      let text = ''
      socket.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      socket.once('close', () => resolve(text))
    })
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 80\r\n\r\n0')
    await expect.poll(() => clock.timers).toBe(1)
    await clock.advance(10_000)
    expect(await received).toMatch(/^HTTP\/1\.1 408 /)
  })
})
