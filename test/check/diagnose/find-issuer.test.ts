/** Where an issuer is looked for, and in which order. */
import { expect, it, vi } from 'vitest'
import { findIssuerOf } from '../../../src/check/diagnose/find-issuer.ts'
import { StapleError } from '../../../src/errors.ts'
import { authority, leafOf, nothingHere } from './crafted.ts'

const leaf = await leafOf({ caIssuersURL: 'http://127.0.0.1:1/issuer.der' })
const trusted = { isTrusted: true }
const { intermediate, root } = authority

it('takes what was sent before it asks anybody', async () => {
  const chain = [leaf.certificate, root.certificate, intermediate.certificate]
  const found = await findIssuerOf(chain, trusted, { ca: [], fetchIssuer: nothingHere })
  expect(found).toEqual({ issuer: intermediate.certificate, issuerSource: 'sent' })
})

it('takes what was given, of several in one file', async () => {
  const found = await findIssuerOf([leaf.certificate], trusted, { ca: [root.pem + intermediate.pem] })
  expect(found.issuerSource).toBe('given')
})

it.each([
  ['trusted', undefined, 'trusted'],
  ['with another name', 'ERR_TLS_CERT_ALTNAME_INVALID', 'trusted'],
  ['past its time', 'CERT_HAS_EXPIRED', 'trusted'],
  ['that ends in no known root', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', undefined],
])('of a leaf %s it looks for the root among those of this machine as Node did', async (_what, code, source) => {
  vi.stubEnv('SSL_CERT_FILE', root.certificateFile)
  const { certificate } = await leafOf({ issuer: 'root' })
  const trust = code === undefined ? trusted : { isTrusted: false, code }
  const found = await findIssuerOf([certificate], trust, { ca: [] })
  vi.unstubAllEnvs()
  expect(found.issuerSource).toBe(source)
})

it('says why the issuer could not be fetched', async () => {
  const failure = new StapleError('ERR_FETCH_NO_ISSUER', 'no issuer certificate', { causes: [] })
  const fetchIssuer = () => Promise.reject(failure)
  expect(await findIssuerOf([leaf.certificate], trusted, { ca: [], fetchIssuer })).toEqual({ issuerFailure: failure })
})

it('fetches none where the certificate names no address', async () => {
  const { certificate } = await leafOf()
  expect(await findIssuerOf([certificate], trusted, { ca: [], fetchIssuer: nothingHere })).toEqual({})
})
