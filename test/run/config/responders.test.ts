/** How each certificate is asked about, by `responders` and `ocsp { url }`. */
import { beforeAll, expect, it } from 'vitest'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { loadText, problemsOf } from '../../kit/configuration.ts'

let leaf: Leaf
let text: string
beforeAll(async () => {
  leaf = await (await createAuthority()).issueLeaf({
    responderURL: ['http://first.example/ocsp', 'http://second.example'],
  })
  text = `backend: "tcp://127.0.0.1:1"\ntls { cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}" }\n`
})

async function askedBy(more: string) {
  const { settings, notices } = await loadText(text + more)
  const { responderURLs, hashAlgorithm, method, responderCertificate } = settings.sites[0]?.certificates[0] ?? {}
  return { responderURLs, hashAlgorithm, method, responderCertificate, notices }
}

it('the certificate itself says where, unless it is overridden', async () => {
  expect(await askedBy('')).toEqual({
    responderURLs: undefined,
    hashAlgorithm: 'auto',
    method: 'auto',
    responderCertificate: undefined,
    notices: [],
  })
})

it.each([
  'CN=Staplewright Test Intermediate,O=Staplewright Test',
  'cn = Staplewright Test Intermediate, o = Staplewright Test',
  'O = Staplewright Test, CN = Staplewright Test Intermediate',
  'http://second.example/',
  'http://FIRST.example:80/ocsp',
])('an entry is for certificates of the issuer or URL %s', async (key) => {
  const entry = '{ url: "http://10.0.0.7", hash: sha256, method: post }'
  expect(await askedBy(`responders { "${key}": ${entry} }\n`)).toMatchObject({
    responderURLs: ['http://10.0.0.7'],
    hashAlgorithm: 'sha256',
    method: 'post',
    notices: [],
  })
})

it.each([
  'CN=Staplewright Test Root,O=Staplewright Test',
  'CN=Staplewright Test Intermediate',
  'http://third.example',
  'http://first.example/other',
])('an entry for %s is not for this one, which a notice says', async (key) => {
  const asked = await askedBy(`responders { "${key}": { url: "http://10.0.0.7" } }\n`)
  expect(asked.responderURLs).toBeUndefined()
  expect(asked.notices).toMatchObject([
    {
      path: `responders.${key}`,
      message: expect.stringMatching(/has no effect: no certificate here (names this URL|has this issuer)$/),
    },
  ])
})

it('an entry for the issuer comes before one for the URL, and both before ocsp { url }', async () => {
  const issuer = '"CN=Staplewright Test Intermediate,O=Staplewright Test": { url: ["http://issuer", "http://second"] }'
  const byURL = '"http://first.example/ocsp": { url: "http://url" }'
  expect((await askedBy(`ocsp { url: "http://all" }\nresponders { ${byURL}, ${issuer} }\n`)).responderURLs).toEqual([
    'http://issuer',
    'http://second',
  ])
  expect((await askedBy(`ocsp { url: "http://all" }\nresponders { ${byURL} }\n`)).responderURLs).toEqual(['http://url'])
  expect((await askedBy('ocsp { url: "http://all" }\n')).responderURLs).toEqual(['http://all'])
})

it('an entry without a URL leaves those of ocsp { url } as they are', async () => {
  const entry = 'responders { "http://second.example": { method: get } }\n'
  expect(await askedBy(`ocsp { url: "http://all" }\n${entry}`)).toMatchObject({
    responderURLs: ['http://all'],
    method: 'get',
  })
})

it('a certificate of a responder is read', async () => {
  const { responderCertificate } = await askedBy(
    `responders { "http://second.example": { certificate: "${leaf.caFile}" } }\n`,
  )
  expect(responderCertificate?.der).toEqual(leaf.issuer.der)
})

it.each([
  ['responders { "Example CA": { method: get } }', 'responders.Example CA', 'names neither an issuer nor a URL'],
  [
    'responders { "CN=a": { certificate: "nowhere.pem" } }',
    'responders.CN=a.certificate',
    'cannot be read: no such file',
  ],
  ['responders { "CN=a": { hash: md5 } }', 'responders.CN=a.hash', '"md5" is none of its values'],
  ['responders { "CN=a": { url: x } }', 'responders.CN=a.url', 'a URL without a scheme'],
  ['responders { "CN=a": "http://x" }', 'responders.CN=a', 'not a map'],
  ['responders: [ "http://x" ]', 'responders', 'not a map'],
])('%s is refused', async (more, path, summary) => {
  expect(await problemsOf(`${text}${more}\n`)).toMatchObject([{ path, summary }])
})
