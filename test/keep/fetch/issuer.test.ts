import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { createAuthority } from '../../kit/authority.ts'
import { manualClock } from '../../kit/clock.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { openssl } from '../../kit/openssl.ts'
import { authority, createTestFetcher, leaf } from './setting.ts'

/** Serves files by path; a path it lacks is 404. */
async function serveFiles(files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
  const server = createServer((request, response) => {
    const file = files[request.url ?? '']
    response.writeHead(file === undefined ? 404 : 200, { 'content-type': 'text/plain' })
    response.end(file)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endsWithTest(() => new Promise((resolve) => server.close(resolve)))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const leafWith = async (...caIssuersURL: string[]) => (await authority.issueLeaf({ caIssuersURL })).certificate
const { intermediate, root } = authority
const pkcs7 = (form: string) =>
  openssl([
    ...['crl2pkcs7', '-nocrl', '-certfile', root.certificateFile, '-certfile', intermediate.certificateFile],
    ...['-outform', form],
  ])

it.each([
  ['DER', async () => intermediate.der],
  ['PEM', async () => intermediate.pem],
  ['PEM of a chain, the root first', async () => root.pem + intermediate.pem],
  ['PKCS#7 in DER', () => pkcs7('DER')],
  ['PKCS#7 in PEM', () => pkcs7('PEM')],
])('finds the issuer in %s, whatever it is called', async (_, make) => {
  const base = await serveFiles({ '/ca': await make() })
  const issuer = await createTestFetcher().fetchIssuer(await leafWith(`${base}/ca`))
  expect(issuer.der).toEqual(intermediate.der)
})

it('asks every address until one gives the issuer', async () => {
  const base = await serveFiles({ '/html': '<html></html>', '/root': root.der, '/good': intermediate.der })
  const urls = [`${base}/missing`, `${base}/html`, `${base}/root`, 'ldap://ca.test/', `${base}/good`]
  const issuer = await createTestFetcher().fetchIssuer(await leafWith(...urls))
  expect(issuer.der).toEqual(intermediate.der)
})

it('tells every cause when none did', async () => {
  const impostor = await createAuthority({ fresh: true })
  const base = await serveFiles({
    '/html': '<html></html>',
    '/root': root.der,
    '/impostor': impostor.intermediate.der,
    '/cut': intermediate.der.subarray(0, 100),
    '/large': new Uint8Array(70_000),
  })
  const urls = ['missing', 'html', 'root', 'impostor', 'cut', 'large'].map((path) => `${base}/${path}`)
  const fetching = createTestFetcher().fetchIssuer(await leafWith(...urls, 'http://127.0.0.1:1/'))
  await expect(fetching).rejects.toMatchObject({
    code: 'ERR_FETCH_NO_ISSUER',
    detail: {
      causes: [
        { code: 'ERR_FETCH_HTTP_STATUS', detail: { httpStatus: 404 } },
        { code: 'ERR_X509_PEM' },
        { code: 'ERR_X509_ISSUER_MISMATCH' },
        { code: 'ERR_X509_SIGNATURE' },
        { code: 'ERR_DER_TRUNCATED' },
        { code: 'ERR_FETCH_TOO_LARGE' },
        { code: 'ERR_FETCH_NETWORK' },
      ],
    },
  })
})

it('says so when the certificate names no address', async () => {
  const fetching = createTestFetcher().fetchIssuer(leaf.certificate)
  await expect(fetching).rejects.toMatchObject({ code: 'ERR_FETCH_NO_ISSUER', detail: { causes: [] } })
})

/** Accepts and never answers. */
async function serveNothing(): Promise<string> {
  const server = createServer(() => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endsWithTest(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

it('ends when aborted', async () => {
  const controller = new AbortController()
  const certificate = await leafWith(await serveNothing())
  const fetching = createTestFetcher().fetchIssuer(certificate, controller.signal)
  setImmediate(() => controller.abort(new Error('no longer wanted')))
  await expect(fetching).rejects.toThrow('no longer wanted')
})

it('ends at the deadline for all addresses together', async () => {
  const clock = manualClock(new Date())
  const certificate = await leafWith('http://127.0.0.1:1/', await serveNothing(), 'http://127.0.0.1:2/')
  const fetching = createTestFetcher({ clock, requestTimeoutMs: 60_000 }).fetchIssuer(certificate)
  fetching.catch(() => {})
  await expect.poll(() => clock.timers).toBe(2) // the deadline's and the hanging request's
  await clock.advance(30_000)
  await expect(fetching).rejects.toMatchObject({
    code: 'ERR_FETCH_NO_ISSUER',
    detail: { causes: [{ code: 'ERR_FETCH_NETWORK' }, { code: 'ERR_FETCH_TIMEOUT' }] },
  })
  expect(clock.timers).toBe(0)
})
