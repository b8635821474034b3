/** What is asked of clients, and what would let in nobody or everybody. */
import { beforeAll, describe, expect, it } from 'vitest'
import { parsePemCertificates } from '../../../src/pki/x509/pem.ts'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { loadText, problemsOf } from '../../kit/configuration.ts'

let leaf: Leaf
beforeAll(async () => {
  leaf = await (await createAuthority()).issueLeaf()
})
const backend = 'backend: "tcp://127.0.0.1:1"\n'
const tls = (more: string) =>
  `tls {\n cert_file: "${leaf.certificateFile}"\n key_file: "${leaf.keyFile}"\n ${more.replace('CA', leaf.caFile)}\n}\n`
const pin = '7f83b1657ff1fc53b92dc18148a1d65dfc2d4b1fa3d677284addd200126d9069'
const authOf = async (more: string) => (await loadText(backend + tls(more))).settings.sites[0]?.clientAuth

describe('verify', () => {
  it('asks for a certificate from the CAs of ca_file', async () => {
    const auth = await authOf('verify: true, ca_file: "CA"')
    expect(parsePemCertificates(auth?.caPem ?? '')).toEqual(
      (await loadText(backend + tls('ca_file: "CA"'))).settings.sites[0]?.certificates[0]?.candidates.slice(1),
    )
    expect(auth).not.toHaveProperty('pinnedKeys')
  })

  it.each(['', 'ca_file: "CA"', 'verify: false, ca_file: "CA"', 'verify: false, pinned_certs: []'])(
    'is off: %s',
    async (more) => {
      expect(await authOf(more)).toBeUndefined()
    },
  )

  it('may be asked for by one site alone', async () => {
    const site = `sites { names: a.net, ${tls('verify: true, ca_file: "CA"')} }\n`
    const { settings } = await loadText(backend + tls('') + site)
    expect(settings.sites.map((each) => each.clientAuth !== undefined)).toEqual([false, true])
  })

  it('may let in some keys alone', async () => {
    const auth = await authOf(`verify: true, ca_file: "CA", pinned_certs: ["${pin.toUpperCase()}", "${pin}"]`)
    expect(auth?.pinnedKeys).toEqual([pin])
  })

  it.each([
    ['verify: true', 'tls.verify', 10, 'add `ca_file: "clients-ca.pem"`'],
    ['verify: maybe', 'tls.verify', 10, 'write true, yes, on, false, no or off'],
    ['verify: "true", ca_file: "CA"', 'tls.verify', 10, 'write it without quotes: true, yes, on, false, no or off'],
    ['verify: true, ca_file: "nope.pem"', 'tls.ca_file', 25, /^relative paths are looked up/],
    [`pinned_certs: ["${pin}"]`, 'tls.pinned_certs', 16, 'add `verify: true`, or leave it out'],
    ['verify: true, ca_file: "CA", pinned_certs: ["abc"]', 'tls.pinned_certs[0]', undefined, /^openssl x509 -in CERT/],
    [
      `verify: true, ca_file: "CA", pinned_certs: "${pin.replaceAll(/(..)(?=.)/g, '$1:')}"`,
      'tls.pinned_certs',
      undefined,
      `write "${pin}"`,
    ],
  ])('%s is refused', async (more, path, column, hint) => {
    expect(await problemsOf(backend + tls(more))).toMatchObject([
      {
        path,
        line: 5,
        ...(column !== undefined && { column }),
        hint: typeof hint === 'string' ? hint : expect.stringMatching(hint),
      },
    ])
  })
})
