/** Certificates and keys of a configuration: what is read of them, and what is told before the first handshake would. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { certificateKey } from '../../../src/pki/ocsp/index.ts'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { loadText, problemsOf } from '../../kit/configuration.ts'
import { openssl } from '../../kit/openssl.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

let authority: Authority
let leaf: Leaf
let plain: Leaf
beforeAll(async () => {
  authority = await createAuthority()
  leaf = await authority.issueLeaf({ mustStaple: true })
  plain = await authority.issueLeaf()
})

const backend = 'backend: "tcp://127.0.0.1:8080"\n'
const tls = (certFile: string, keyFile: string, more = '') =>
  `tls {\n  cert_file: "${certFile}"\n  key_file: "${keyFile}"\n  ${more}\n}\n`

describe('a certificate with its key', () => {
  it('is read with its chain, its issuer among the candidates', async () => {
    const { settings } = await loadText(backend + tls(leaf.certificateFile, leaf.keyFile, `ca_file: "${leaf.caFile}"`))
    const [certificate] = settings.sites[0]?.certificates ?? []
    expect(certificate).toMatchObject({
      certificateKey: certificateKey(leaf.der),
      certFile: leaf.certificateFile,
      keyFile: leaf.keyFile,
      label: leaf.certificateFile,
      hashAlgorithm: 'auto',
      method: 'auto',
    })
    expect(certificate?.leaf.der).toEqual(leaf.der)
    expect(certificate?.candidates.map((each) => Buffer.from(each.der))).toContainEqual(Buffer.from(leaf.issuer.der))
    expect(blocksOf(certificate?.chainPem ?? '')).toEqual(blocksOf(leaf.chainPem))
    expect(certificate?.keyPem).toBe(await readFile(leaf.keyFile, 'utf8'))
  })

  it('is found by its key, wherever it stands in the file, and put before its chain in order', async () => {
    const mixed = authority.root.pem + authority.intermediate.pem + leaf.pem
    const { settings } = await loadText(backend + tls('mixed.pem', leaf.keyFile), { files: { 'mixed.pem': mixed } })
    const [certificate] = settings.sites[0]?.certificates ?? []
    expect(certificate?.leaf.der).toEqual(leaf.der)
    expect(blocksOf(certificate?.chainPem ?? '')).toEqual(
      blocksOf(leaf.pem + authority.intermediate.pem + authority.root.pem),
    )
  })

  it('may stand in one file with it', async () => {
    const both = leaf.chainPem + (await readFile(leaf.keyFile, 'utf8'))
    const { settings } = await loadText(backend + tls('both.pem', 'both.pem'), { files: { 'both.pem': both } })
    expect(settings.sites[0]?.certificates[0]?.chainPem).not.toMatch(/PRIVATE/)
  })

  it.each(['rsa2048', 'p384', 'ed25519'] as const)('may be of another kind: %s', async (keyType) => {
    const other = await (await createAuthority({ keyType })).issueLeaf({ mustStaple: true })
    const { settings } = await loadText(backend + tls(other.certificateFile, other.keyFile))
    expect(settings.sites[0]?.certificates[0]?.certificateKey).toBe(certificateKey(other.der))
  })
})

describe('a file that is missing or holds something else', () => {
  it('is told with its absolute path, at its key', async () => {
    const workingDirectory = temporaryDirectory('missing')
    const problems = await problemsOf(backend + tls('a.pem', '/nowhere/b.pem', 'ca_file: "c.pem"'), {
      workingDirectory,
    })
    expect(problems).toMatchObject([
      {
        line: 3,
        column: 14,
        path: 'tls.cert_file',
        summary: 'cannot be read: no such file',
        found: join(workingDirectory, 'a.pem'),
        hint: expect.stringContaining(workingDirectory),
      },
      { line: 4, column: 13, path: 'tls.key_file', summary: 'cannot be read: no such file', found: '/nowhere/b.pem' },
      {
        line: 5,
        column: 12,
        path: 'tls.ca_file',
        summary: 'cannot be read: no such file',
        found: join(workingDirectory, 'c.pem'),
      },
    ])
  })

  it('is a directory', async () => {
    expect(await problemsOf(backend + tls('/tmp', leaf.keyFile))).toMatchObject([
      { path: 'tls.cert_file', summary: 'cannot be read: it is a directory' },
    ])
  })

  it.each([
    ['an empty file', '', 'give -----BEGIN CERTIFICATE----- blocks'],
    ['no PEM', 'hello\n', 'give -----BEGIN CERTIFICATE----- blocks'],
    [
      'a damaged block',
      '-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n',
      'give -----BEGIN CERTIFICATE----- blocks',
    ],
    ['PKCS #7', '-----BEGIN PKCS7-----\nMAo=\n-----END PKCS7-----\n', 'openssl pkcs7 -print_certs -in'],
    ['DER', '0\x82\x01\x02', 'openssl x509 -inform der -in'],
  ])('holds no certificates but %s', async (_, content, hint) => {
    const problems = await problemsOf(backend + tls('x.pem', leaf.keyFile), { files: { 'x.pem': content } })
    expect(problems).toMatchObject([
      {
        line: 3,
        path: 'tls.cert_file',
        summary: 'holds no certificates that can be read',
        found: expect.stringMatching(/\/x\.pem: ./),
        hint: expect.stringContaining(hint),
      },
    ])
  })

  it('is swapped with the other', async () => {
    expect(await problemsOf(backend + tls(leaf.keyFile, leaf.certificateFile))).toMatchObject([
      { path: 'tls.cert_file', hint: 'are cert_file and key_file swapped?' },
      {
        path: 'tls.key_file',
        summary: 'holds no private key that can be read',
        found: expect.stringMatching(/CERTIFICATE$/),
        hint: 'are cert_file and key_file swapped?',
      },
    ])
  })

  it('is not named at all', async () => {
    expect(await problemsOf(`${backend}tls { timeout: 5 }\n`)).toMatchObject([
      { path: 'tls.cert_file', line: 2, column: 5, summary: 'is missing', hint: 'add `cert_file: "server.pem"`' },
      { path: 'tls.key_file', summary: 'is missing' },
    ])
    expect(await problemsOf(backend)).toMatchObject([
      { path: 'tls', summary: expect.stringMatching(/no certificate to serve/) },
    ])
  })
})

describe('a key', () => {
  it('must belong to the certificate', async () => {
    expect(await problemsOf(backend + tls(leaf.certificateFile, plain.keyFile))).toMatchObject([
      {
        line: 4,
        path: 'tls.key_file',
        summary: 'the private key belongs to no certificate of cert_file',
        found: `${plain.keyFile}: another EC key`,
        expected: `the EC key of CN=localhost in ${leaf.certificateFile}`,
      },
    ])
  })
})

describe('the dates of a certificate', () => {
  const tomorrow = new Date(Date.now() + 86_400_000)

  it('must not have passed', async () => {
    const short = await authority.issueLeaf({ days: 1 })
    const problems = await problemsOf(backend + tls(short.certificateFile, short.keyFile), {
      at: new Date(tomorrow.getTime() + 60_000),
    })
    expect(problems).toMatchObject([
      {
        line: 3,
        column: 14,
        path: 'tls.cert_file',
        summary: 'the certificate has expired: CN=localhost',
        found: expect.stringMatching(/^notAfter \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        hint: "renew the certificate, or check the machine's clock",
      },
    ])
  })

  it('that lie ahead are a notice: the clock of a machine that has just started may be behind', async () => {
    const { notices } = await loadText(backend + tls(plain.certificateFile, plain.keyFile), { at: new Date(0) })
    expect(notices).toMatchObject([
      {
        path: 'tls.cert_file',
        line: 3,
        message: expect.stringMatching(/time has not begun: notBefore is .*, now is 1970-01-01T00:00:00Z/),
      },
    ])
  })

  it('that have passed for an issuer in the chain are a notice', async () => {
    const at = new Date(Date.now() + 4_000 * 86_400_000)
    const long = await authority.issueLeaf({ days: 5_000 })
    const { notices } = await loadText(backend + tls(long.certificateFile, long.keyFile), { at })
    expect(notices).toMatchObject([
      { message: expect.stringMatching(/CN=Staplewright Test Intermediate.* of the chain expired at/) },
    ])
  })
})

describe('the issuer of a certificate that is to be stapled', () => {
  it('may be in ca_file alone', async () => {
    await loadText(backend + tls(leaf.leafOnlyFile, leaf.keyFile, `ca_file: "${leaf.caFile}"`))
  })

  it('must be somewhere', async () => {
    expect(await problemsOf(backend + tls(leaf.leafOnlyFile, leaf.keyFile))).toMatchObject([
      {
        line: 3,
        path: 'tls.cert_file',
        summary: expect.stringMatching(/^the issuer of the certificate is not to be found.*\(it has Must-Staple\)$/),
        found: 'no other certificate',
        expected: 'the certificate of CN=Staplewright Test Intermediate,O=Staplewright Test',
        hint: expect.stringMatching(/append it to cert_file, or put it into ca_file/),
      },
    ])
  })

  it('is not another CA of the same name', async () => {
    const other = await createAuthority({ fresh: true })
    const text = backend + tls(leaf.leafOnlyFile, leaf.keyFile, `ca_file: "${other.caFile}"`)
    expect(await problemsOf(text)).toMatchObject([
      { path: 'tls.cert_file', found: expect.stringMatching(/^only CN=Staplewright Test Intermediate/) },
    ])
  })

  it('may be fetched from the URL that the certificate names', async () => {
    const pointing = await authority.issueLeaf({ mustStaple: true, caIssuersURL: 'http://127.0.0.1:1/ca.der' })
    await loadText(backend + tls(pointing.leafOnlyFile, pointing.keyFile))
  })

  it('is sought in mode always for every certificate, and told by the mode', async () => {
    const text = `ocsp { mode: always }\n${backend}${tls(plain.leafOnlyFile, plain.keyFile)}`
    expect(await problemsOf(text)).toMatchObject([{ summary: expect.stringMatching(/\(the mode is always\)$/) }])
  })

  it.each([
    ['that the mode does not staple', '', { mustStaple: false }],
    ['with Must-Staple in mode never', 'ocsp: false\n', { mustStaple: true }],
    ['that names no responder', '', { mustStaple: true, responderURL: null }],
  ])('is not needed for one %s', async (_, text, options) => {
    const one = await authority.issueLeaf(options)
    const { notices } = await loadText(text + backend + tls(one.leafOnlyFile, one.keyFile))
    expect(notices).toEqual([])
  })

  it('is needed for one that names no responder once a URL is given', async () => {
    const one = await authority.issueLeaf({ mustStaple: true, responderURL: null })
    const text = `ocsp { url: "http://127.0.0.1:1" }\n${backend}${tls(one.leafOnlyFile, one.keyFile)}`
    expect(await problemsOf(text)).toMatchObject([{ path: 'tls.cert_file' }])
  })

  it('is not spoken of when ca_file cannot be read', async () => {
    const problems = await problemsOf(backend + tls(leaf.leafOnlyFile, leaf.keyFile, 'ca_file: "nowhere.pem"'))
    expect(problems).toMatchObject([{ path: 'tls.ca_file' }])
  })

  it('is the certificate itself when it issued itself', async () => {
    const directory = temporaryDirectory('self')
    const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
    await openssl([
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-subj',
      '/CN=self',
      '-addext',
      'tlsfeature=status_request',
    ])
    const { settings } = await loadText(`ocsp { url: "http://127.0.0.1:1" }\n${backend}${tls(cert, key)}`)
    expect(settings.sites[0]?.certificates).toHaveLength(1)
  })
})

it('a certificate that OpenSSL finds too weak is told now, not at the first handshake', async () => {
  const directory = temporaryDirectory('weak')
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  await openssl(['req', '-x509', '-newkey', 'rsa:512', '-nodes', '-keyout', key, '-out', cert, '-subj', '/CN=weak'])
  expect(await problemsOf(backend + tls(cert, key))).toMatchObject([
    {
      path: 'tls.cert_file',
      summary: 'OpenSSL does not take the certificate',
      found: expect.stringMatching(/too small/),
    },
  ])
})

it('a certificate with a kind of key that is not supported is told', async () => {
  const directory = temporaryDirectory('dsa')
  const [parameters, cert, key] = ['p.pem', 'cert.pem', 'key.pem'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  await openssl(['genpkey', '-genparam', '-algorithm', 'DSA', '-pkeyopt', 'dsa_paramgen_bits:1024', '-out', parameters])
  await openssl(['genpkey', '-paramfile', parameters, '-out', key])
  await openssl(['req', '-x509', '-new', '-key', key, '-out', cert, '-subj', '/CN=dsa'])
  expect(await problemsOf(backend + tls(cert, key))).toMatchObject([
    {
      path: 'tls.cert_file',
      summary: 'the key of the certificate is of a kind that is not supported',
      expected: expect.stringMatching(/^use RSA/),
    },
  ])
})

describe('cipher suites and curves', () => {
  const settingsOf = async (more: string) =>
    (await loadText(backend + tls(plain.certificateFile, plain.keyFile, more))).settings.sites[0]

  it("are named as in Go, and passed on as OpenSSL's", async () => {
    const site = await settingsOf(
      'cipher_suites: ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", tls_ecdhe_rsa_with_chacha20_poly1305]\n curve_preferences: ["CurveP384", "X25519"]',
    )
    expect(site).toMatchObject({
      ciphers:
        'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305',
      ecdhCurve: 'P-384:X25519',
    })
  })

  it('of TLS 1.3 may be chosen', async () => {
    expect(await settingsOf('cipher_suites: ["TLS_AES_256_GCM_SHA384"]')).toMatchObject({
      ciphers: 'TLS_AES_256_GCM_SHA384',
    })
  })

  it.each([
    [
      'cipher_suites: ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA265"]',
      'tls.cipher_suites[0]',
      'did you mean TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256?',
    ],
    [
      'cipher_suites: ["ECDHE-RSA-AES128-GCM-SHA256"]',
      'tls.cipher_suites[0]',
      'did you mean TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256?',
    ],
    ['cipher_suites: ["TLS_RSA_WITH_RC4_128_SHA"]', 'tls.cipher_suites[0]', 'leave it out'],
    ['cipher_suites: []', 'tls.cipher_suites', 'name at least one, or leave the key out'],
    ['curve_preferences: ["CurveP265"]', 'tls.curve_preferences[0]', 'did you mean CurveP256?'],
    ['curve_preferences: [P-256]', 'tls.curve_preferences[0]', 'did you mean CurveP256?'],
    ['min_version: "1.1"', 'tls.min_version', 'write "1.2": RFC 8996 ended what came before'],
    ['min_version: "SSLv3"', 'tls.min_version', 'write "1.2" or "1.3"'],
  ])('%s is refused', async (more, path, hint) => {
    expect(await problemsOf(backend + tls(plain.certificateFile, plain.keyFile, more))).toMatchObject([{ path, hint }])
  })

  it.each([
    ['"1.2"', 'TLSv1.2'],
    ['1.3', 'TLSv1.3'],
    ['"TLS1.3"', 'TLSv1.3'],
    ['"tlsv1.2"', 'TLSv1.2'],
  ])('min_version: %s', async (written, minVersion) => {
    expect(await settingsOf(`min_version: ${written}`)).toMatchObject({ minVersion })
  })
})

function blocksOf(pem: string): string[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END/g)].map(([, base64 = '']) =>
    base64.replace(/\s/g, ''),
  )
}

it('writes nothing', async () => {
  const workingDirectory = temporaryDirectory('nothing')
  await writeFile(join(workingDirectory, 'before'), '')
  await loadText(backend + tls(leaf.certificateFile, leaf.keyFile), { workingDirectory })
  const { readdir } = await import('node:fs/promises')
  expect(await readdir(workingDirectory)).toEqual(['before', 'test.conf'])
})
