import { expect, it } from 'vitest'
import { decodeOcspResponse, encodeOcspRequest, verifyOcspResponse } from '../../src/pki/ocsp/index.ts'
import { createAuthority, type Leaf } from './authority.ts'
import type { SignedKind } from './behaviour.ts'
import { manualClock } from './clock.ts'
import { createScriptedResponder } from './responder.ts'

const authority = await createAuthority()
const leaf = await authority.issueLeaf()
const request = encodeOcspRequest({ certificate: leaf.certificate, issuer: leaf.issuer, hashAlgorithm: 'sha1' })

async function post(url: string): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    body: Buffer.from(request),
    headers: { 'content-type': 'application/ocsp-request' },
  })
}

function verify(der: Uint8Array, asked: Leaf = leaf) {
  return verifyOcspResponse(der, { certificate: asked.certificate, issuer: asked.issuer, at: new Date() })
}

it.each<[SignedKind, string]>([
  ['wrongSerial', 'ERR_OCSP_CERT_ID_MISMATCH'],
  ['wrongIssuer', 'ERR_OCSP_CERT_ID_MISMATCH'],
  ['badSignature', 'ERR_OCSP_SIGNATURE'],
  ['noOcspSigning', 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED'],
  ['otherAuthority', 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED'],
  ['expiredSigner', 'ERR_OCSP_RESPONDER_EXPIRED'],
  ['expired', 'ERR_OCSP_STALE'],
  ['future', 'ERR_OCSP_NOT_YET_VALID'],
])('makes the answer %s wrong in that way alone: %s', async (kind, code) => {
  const responder = await createScriptedResponder({ authority, behaviour: kind })
  const der = new Uint8Array(await (await post(responder.url)).arrayBuffer())
  expect(decodeOcspResponse(der).responseStatus).toBe('successful')
  expect(() => verify(der)).toThrow(expect.objectContaining({ code }))
})

it.each([
  ['good', { certStatus: 'good', isContradictory: false }],
  ['revoked', { certStatus: 'revoked' }],
  ['unknown', { certStatus: 'unknown' }],
  ['contradictory', { certStatus: 'revoked', isContradictory: true }],
  ['noNextUpdate', { certStatus: 'good' }],
] as const)('makes the answer %s acceptable', async (kind, expected) => {
  const responder = await createScriptedResponder({ authority, behaviour: kind })
  const verified = verify(new Uint8Array(await (await post(responder.url)).arrayBuffer()))
  expect(verified).toMatchObject(expected)
  expect(verified.nextUpdate === undefined).toBe(kind === 'noNextUpdate')
})

it('consumes a script, then does what it does for that certificate, then what it does for all', async () => {
  const responder = await createScriptedResponder({ authority })
  responder.script('httpError')
  await responder.behave('unknown', leaf.certificate.serialNumber)
  expect((await post(responder.url)).status).toBe(500)
  expect(verify(new Uint8Array(await (await post(responder.url)).arrayBuffer())).certStatus).toBe('unknown')
  await responder.behave('good')
  expect(verify(new Uint8Array(await (await post(responder.url)).arrayBuffer())).certStatus).toBe('good')
  expect(responder.count).toBe(3)
  expect(responder.requests[0]).toMatchObject({
    method: 'POST',
    behaviour: { kind: 'httpError' },
    certID: { serialNumber: leaf.certificate.serialNumber, hashAlgorithm: 'sha1' },
  })
})

it('closes its port to refuse, and opens the same one again', async () => {
  const responder = await createScriptedResponder({ authority })
  await responder.behave('refuse')
  await expect(post(responder.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
  await responder.behave('good')
  expect((await post(responder.url)).status).toBe(200)
})

it('goes by the clock it is given, in its answers and in its Date', async () => {
  const clock = manualClock('2030-05-06T07:08:09Z')
  const responder = await createScriptedResponder({ authority, clock, validityMs: 60_000 })
  const answer = await post(responder.url)
  expect(answer.headers.get('date')).toBe('Mon, 06 May 2030 07:08:09 GMT')
  const [entry] = decodeOcspResponse(new Uint8Array(await answer.arrayBuffer())).basicResponse?.responses ?? []
  expect(entry).toMatchObject({ thisUpdate: clock.now(), nextUpdate: new Date('2030-05-06T07:09:09Z') })
})
