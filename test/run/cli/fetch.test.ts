/** `staplewright fetch` against a scripted responder: what it writes where, what it says, and with which code it ends. */
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { verifyOcspResponse } from '../../../src/pki/ocsp/verify.ts'
import { certificateKey } from '../../../src/pki/x509/crypto.ts'
import { type Authority, createAuthority, type Leaf, type LeafOptions } from '../../kit/authority.ts'
import { runCommand, runForBytes } from '../../kit/io.ts'
import { endsWithTest } from '../../kit/lifetime.ts'
import { openssl } from '../../kit/openssl.ts'
import { type Behaviour, createScriptedResponder, type ScriptedResponder } from '../../kit/responder.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

let authority: Authority
let directory: string

beforeAll(async () => {
  authority = await createAuthority()
  directory = temporaryDirectory('fetch')
})

async function setStage(behaviour: Behaviour = 'good', options: LeafOptions = {}) {
  const responder = await createScriptedResponder({ authority, behaviour })
  const leaf = await authority.issueLeaf({ responderURL: responder.url, ...options })
  return { responder, leaf }
}

function verify(der: Uint8Array, leaf: Leaf) {
  return verifyOcspResponse(der, { certificate: leaf.certificate, issuer: leaf.issuer, at: new Date() })
}

describe('a good answer', () => {
  test('goes to standard output as DER, and a person is told on stderr', async () => {
    const { leaf, responder } = await setStage()
    const { code, stdoutBytes, stderr } = await runForBytes(['fetch', leaf.certificateFile])
    expect(code).toBe(0)
    expect(verify(stdoutBytes, leaf).certStatus).toBe('good')
    expect(stderr).toMatch(/^good: verified, \d+ bytes\n/)
    expect(stderr).toContain(`CN=localhost, serial number ${leaf.certificate.serialNumber.toString(16)}`)
    expect(stderr).toContain(`${responder.url}, GET, SHA-1, `)
    expect(stderr).toMatch(/nextUpdate +\d\d:\d\d:\d\dZ \(in (59 min|1 h)/)
    expect(responder.count).toBe(1)
  })

  test('is written to a file whole, for every server to read as the umask lets it, and nothing goes to standard output', async () => {
    const { leaf } = await setStage()
    const out = join(directory, 'staple.der')
    await writeFile(out, 'what was there before', { mode: 0o600 })
    const { code, stdout, stderr } = await runCommand(['fetch', leaf.certificateFile, '--out', out])
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toContain(out)
    expect(verify(new Uint8Array(await readFile(out)), leaf).certStatus).toBe('good')
    expect((await stat(out)).mode & 0o777).toBe(0o666 & ~process.umask())
    expect((await readdir(directory)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test.each([
    ['that is there', 'there'],
    ['that a slash makes one', 'new/ocsp/'],
  ])('is called by its certificateKey in a directory %s', async (_, name) => {
    const { leaf } = await setStage()
    await mkdir(join(directory, 'there'), { recursive: true })
    const { code } = await runCommand(['fetch', leaf.certificateFile, '--out', name], { workingDirectory: directory })
    expect(code).toBe(0)
    expect(await readdir(join(directory, name))).toContain(certificateKey(leaf.der))
  })

  test('is written to where a symbolic link leads, and the link stays', async () => {
    const { leaf } = await setStage()
    const [real, link] = [join(directory, 'real.der'), join(directory, 'link.der')]
    await writeFile(real, '')
    await symlink(real, link)
    expect((await runCommand(['fetch', leaf.certificateFile, '--out', link])).code).toBe(0)
    expect(verify(new Uint8Array(await readFile(real)), leaf).certStatus).toBe('good')
  })

  test('is told as JSON, with the response in it', async () => {
    const { leaf, responder } = await setStage()
    const { code, stdout, stderr } = await runCommand(['fetch', leaf.certificateFile, '--json'])
    const told = JSON.parse(stdout)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(told).toMatchObject({
      exitCode: 0,
      certificate: { subject: 'CN=localhost', certificateKey: certificateKey(leaf.der) },
      responderURLs: [responder.url],
      answer: { certStatus: 'good', method: 'get', hashAlgorithm: 'sha1', signer: { kind: 'issuer' }, warnings: [] },
    })
    expect(verify(new Uint8Array(Buffer.from(told.answer.response, 'base64')), leaf).certStatus).toBe('good')
  })

  test('is written without a word with --quiet; a failure is told all the same', async () => {
    const { leaf, responder } = await setStage()
    const words = ['fetch', leaf.certificateFile, '--quiet', '--out', join(directory, 'quiet.der')]
    expect(await runCommand(words)).toMatchObject({ code: 0, stdout: '', stderr: '' })
    await responder.behave('tryLater')
    const { code, stderr } = await runCommand(words)
    expect({ code, stderr }).toEqual({ code: 75, stderr: expect.stringContaining('tryLater') })
  })

  test('comes by the form that was asked for', async () => {
    const { leaf, responder } = await setStage()
    await runCommand(['fetch', leaf.certificateFile, '--method', 'post', '--hash', 'sha256', '--json'])
    expect(responder.requests).toMatchObject([{ method: 'POST', certID: { hashAlgorithm: 'sha256' } }])
  })

  test('comes from --url instead of the certificate', async () => {
    const { responder } = await setStage()
    const leaf = await authority.issueLeaf({ responderURL: null })
    const { code } = await runCommand(['fetch', leaf.certificateFile, '--url', responder.url, '--json'])
    expect(code).toBe(0)
  })
})

describe('the certificate', () => {
  test('comes with its chain through standard input, as h2o gives it', async () => {
    const { leaf } = await setStage()
    const { code, stdoutBytes } = await runForBytes(['fetch', '-'], { stdin: leaf.chainPem })
    expect(code).toBe(0)
    expect(verify(stdoutBytes, leaf).certStatus).toBe('good')
  })

  test('may have its issuer elsewhere, as DER', async () => {
    const { leaf } = await setStage()
    const issuer = join(directory, 'issuer.der')
    await writeFile(issuer, leaf.issuer.der)
    expect((await runCommand(['fetch', leaf.leafOnlyFile, '--issuer', issuer, '--json'])).code).toBe(0)
  })

  test('may say where its issuer is', async () => {
    const responder = await createScriptedResponder({ authority })
    const server = createServer((_, response) => response.end(authority.intermediate.der))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    endsWithTest(() => server.close())
    const caIssuersURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ca.crt`
    const leaf = await authority.issueLeaf({ responderURL: responder.url, caIssuersURL })
    expect((await runCommand(['fetch', leaf.leafOnlyFile, '--json'])).code).toBe(0)
  })

  test('may stand in one file with its key', async () => {
    const { leaf } = await setStage()
    const stdin = (await readFile(leaf.keyFile, 'utf8')) + leaf.chainPem
    expect((await runCommand(['fetch', '-', '--json'], { stdin })).code).toBe(0)
  })

  test.each([
    ['its private key', /private key/, async (leaf: Leaf) => leaf.keyFile],
    ['a signing request', /certificate signing request/, requestFile],
    ['a response', /OCSP response/, responseFile],
    ['a directory', /is a directory/, async () => directory],
    ['no file at all', /no such file/, async () => join(directory, 'missing.pem')],
    ['an empty file', /empty/, async () => await fileWith('')],
    ['a web page', /HTML page "Log in"/, async () => await fileWith('<!doctype html><title>Log in</title>')],
  ])('is a matter of usage when %s stands in its place', async (_, message, find) => {
    const { leaf } = await setStage()
    const { code, stdout, stderr } = await runCommand(['fetch', await find(leaf)])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/\n {2}hint: .+\n$/)
  })

  test('is refused with an issuer that did not issue it', async () => {
    const { leaf, responder } = await setStage()
    const { code, stderr } = await runCommand(['fetch', leaf.leafOnlyFile, '--issuer', authority.root.certificateFile])
    expect(code).toBe(2)
    expect(stderr).toContain('not the issuer')
    expect(responder.count).toBe(0)
  })

  test('without an issuer anywhere is a matter of usage', async () => {
    const { leaf } = await setStage()
    const { code, stderr } = await runCommand(['fetch', leaf.leafOnlyFile])
    expect(code).toBe(2)
    expect(stderr).toContain('--issuer FILE')
  })

  test('without a responder never has a staple', async () => {
    const leaf = await authority.issueLeaf({ responderURL: null })
    const { code, stderr, stdout } = await runCommand(['fetch', leaf.certificateFile, '--json'])
    expect(code).toBe(1)
    expect(stderr).toContain('names no OCSP responder')
    expect(JSON.parse(stdout)).toMatchObject({ exitCode: 1, error: { code: 'ERR_X509_NO_RESPONDER_URL' } })
  })
})

describe('what is verified and not good', () => {
  test.each(['revoked', 'unknown'] as const)('is shown and not written: %s', async (kind) => {
    const { leaf } = await setStage(kind)
    const out = join(directory, `${kind}.der`)
    const { code, stdout, stderr } = await runCommand(['fetch', leaf.certificateFile, '--out', out])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^${kind}`))
    expect(stderr).toContain('not written')
    await expect(stat(out)).rejects.toThrow('ENOENT')
  })

  test('is written when that was allowed', async () => {
    const { leaf } = await setStage({ kind: 'revoked', reason: 'keyCompromise' })
    const { code, stdoutBytes, stderr } = await runForBytes(['fetch', leaf.certificateFile, '--allow-revoked'])
    expect(code).toBe(0)
    expect(verify(stdoutBytes, leaf).certStatus).toBe('revoked')
    expect(stderr).toContain('keyCompromise')
  })

  test('is never written when it contradicts itself', async () => {
    const { leaf } = await setStage('contradictory')
    const { code, stdout, stderr } = await runCommand(['fetch', leaf.certificateFile, '--allow-revoked'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('contradict')
  })
})

describe('a failure', () => {
  const old = { notBefore: new Date(Date.now() - 30 * 86_400_000), notAfter: new Date(Date.now() + 86_400_000) }
  const expired = { notBefore: new Date(Date.now() - 30 * 86_400_000), notAfter: new Date(Date.now() - 86_400_000) }

  test.each<[string, Behaviour, LeafOptions, number, string, RegExp]>([
    ['nobody listens', 'refuse', {}, 75, 'ERR_FETCH_NETWORK', /firewall/],
    ['the responder is busy', 'tryLater', {}, 75, 'ERR_OCSP_RESPONSE_STATUS', /tryLater/],
    ['its server fails', 'httpError', {}, 75, 'ERR_FETCH_HTTP_STATUS', /responder URL/],
    ['something else answers', 'html', {}, 75, 'ERR_FETCH_CONTENT_TYPE', /captive portal/],
    ['the certificate is young', 'unauthorized', {}, 75, 'ERR_OCSP_RESPONSE_STATUS', /issued today/],
    ['the certificate is old', 'unauthorized', old, 1, 'ERR_OCSP_RESPONSE_STATUS', /no longer young/],
    ['the certificate has expired', 'unauthorized', expired, 1, 'ERR_OCSP_RESPONSE_STATUS', /has expired/],
    ['it wants signed requests', 'sigRequired', {}, 1, 'ERR_OCSP_RESPONSE_STATUS', /responseStatus/],
  ])('says what to do when %s', async (_, behaviour, options, exitCode, errorCode, hint) => {
    const { leaf } = await setStage(behaviour, options)
    const { code, stdout, stderr } = await runCommand(['fetch', leaf.certificateFile, '--json'])
    expect(code).toBe(exitCode)
    expect(stderr).toMatch(/^error: /)
    expect(stderr).toMatch(/\n {2}hint: /)
    expect(stderr).toMatch(hint)
    const { error } = JSON.parse(stdout)
    expect(error.code).toBe('ERR_FETCH_FAILED')
    expect(error.causes.map(({ code: cause }: { code: string }) => cause)).toContain(errorCode)
  })

  test('of the clocks says so, and by how much', async () => {
    const { leaf } = await setStage({ kind: 'future', dateSkewMs: 3_600_000 })
    const { code, stderr } = await runCommand(['fetch', leaf.certificateFile])
    expect(code).toBe(75)
    expect(stderr).toMatch(/hint: the responder's clock is (1 h|59 min.*) ahead of this machine's/)
  })

  test('comes after --timeout, and may pass', async () => {
    const { leaf } = await setStage('hang')
    const { code, stderr } = await runCommand(['fetch', leaf.certificateFile, '--timeout', '200ms'])
    expect(code).toBe(75)
    expect(stderr).toContain('the 200 ms of the whole attempt')
  })

  test('leaves the file that was there', async () => {
    const { leaf } = await setStage('badSignature')
    const out = await fileWith('a good staple')
    expect((await runCommand(['fetch', leaf.certificateFile, '--out', out])).stderr).toContain('signature')
    expect(await readFile(out, 'utf8')).toBe('a good staple')
  })

  test('of writing says which file', async () => {
    const { leaf } = await setStage()
    const out = join(await fileWith('no directory'), 'staple.der')
    const { code, stderr } = await runCommand(['fetch', leaf.certificateFile, '--out', out])
    expect(code).toBe(1)
    expect(stderr).toContain(out)
  })
})

describe('-v', () => {
  test('shows each exchange, the request field by field, and what the rules say of each answer', async () => {
    const { leaf, responder } = await setStage()
    responder.script('expired')
    const { code, stderr } = await runCommand(['fetch', leaf.certificateFile, '-v', '--method', 'get', '--out', 'x'], {
      workingDirectory: directory,
    })
    expect(code).toBe(0)
    const [first = '', second = ''] = stderr.split(/^(?=GET )/m)
    expect(first).toContain(`GET  ${responder.url}M`)
    expect(first).toMatch(new RegExp(`serialNumber +${leaf.certificate.serialNumber.toString(16)}\n`))
    expect(first).toMatch(/HTTP 200, application\/ocsp-response, \d+ bytes, after /)
    expect(first).toMatch(/refused +next-update +RFC 6960/)
    expect(second).toContain('as shown before')
    expect(second).toMatch(/passed +next-update +RFC 6960/)
    expect(second).toMatch(/^good: verified/m)
  })

  test('shows what did not answer, where redirects led, and what was no response', async () => {
    const { leaf, responder } = await setStage()
    const { responder: other } = await setStage('html')
    responder.script({ kind: 'redirect', to: other.url }, 'reset')
    const { stderr } = await runCommand(['fetch', leaf.certificateFile, '-v', '--hash', 'sha1', '--out', '/dev/shm/'])
    expect(stderr).toContain(`redirected to ${other.url}`)
    expect(stderr).toContain('an HTML page "Please log in"')
    expect(stderr).toMatch(/after \d+ ms: POST .+ECONNRESET/)
  })

  test('is in the JSON, too', async () => {
    const { leaf, responder } = await setStage()
    const { stdout, stderr } = await runCommand(['fetch', leaf.certificateFile, '-v', '--json'])
    expect(stderr).toBe('')
    expect(JSON.parse(stdout).exchanges).toMatchObject([
      { method: 'GET', url: expect.stringContaining(responder.url), status: 200, bytes: expect.any(Number) },
    ])
  })
})

test('a person at a terminal is told what is waited for', async () => {
  const { leaf, responder } = await setStage({ kind: 'good', delayMs: 1_300 })
  const { stderr } = await runCommand(['fetch', leaf.certificateFile, '--json'], { terminals: ['stderr'] })
  expect(stderr).toBe(`asking ${responder.url} for up to 30 s\n`)
})

describe('the command line', () => {
  test.each([
    ['a hash that is none', ['--hash', 'md5']],
    ['a method that is none', ['--method', 'put']],
    ['a time that is none', ['--timeout', '5']],
    ['no time', ['--timeout', '0s']],
    ['a URL that is none', ['--url', 'ocsp.example.com']],
    ['a URL of another protocol', ['--url', 'ldap://ocsp.example.com']],
    ['a device to write to', ['--out', '/dev/null']],
    ['a directory that stands in the way of the file', ['--out', '/', '--issuer', '/']],
  ])('refuses %s', async (_, words) => {
    const { leaf, responder } = await setStage()
    const { code, stderr } = await runCommand(['fetch', leaf.certificateFile, ...words])
    expect(code).toBe(2)
    expect(stderr).not.toMatch(/ {4}at /)
    expect(responder.count).toBe(0)
  })

  test('does not write DER to a terminal', async () => {
    const { leaf, responder } = await setStage()
    const { code, stdout, stderr } = await runCommand(['fetch', leaf.certificateFile], { terminals: ['stdout'] })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('--out')
    expect(responder.count).toBe(0)
  })

  test('does not wait for a terminal to say a certificate', async () => {
    const { code, stderr } = await runCommand(['fetch', '-', '--json'], { terminals: ['stdin'] })
    expect(code).toBe(2)
    expect(stderr).toContain('terminal')
  })
})

let count = 0
async function fileWith(text: string | Uint8Array): Promise<string> {
  const file = join(directory, `file-${++count}`)
  await writeFile(file, text)
  return file
}

async function requestFile(leaf: Leaf): Promise<string> {
  return await fileWith(await openssl(['req', '-new', '-key', leaf.keyFile, '-subj', '/CN=x']))
}

async function responseFile(leaf: Leaf): Promise<string> {
  const responder: ScriptedResponder = await createScriptedResponder({ authority })
  const { stdoutBytes } = await runForBytes(['fetch', leaf.certificateFile, '--url', responder.url])
  return await fileWith(stdoutBytes)
}
