/** `staplewright inspect`: what it shows of each kind of file, what it judges, and what it says of everything else. */
import { truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/keep/clock.ts'
import { createCertID } from '../../../src/pki/ocsp/cert-id-match.ts'
import { encodeOcspRequest } from '../../../src/pki/ocsp/encode-request.ts'
import { rules } from '../../../src/pki/ocsp/rules.ts'
import { encodeOcspError } from '../../../src/pki/ocsp/sign.ts'
import { certificateKey } from '../../../src/pki/x509/crypto.ts'
import { makeAnswer } from '../../kit/answers.ts'
import {
  type Authority,
  type AuthorityCertificate,
  createAuthority,
  type Leaf,
  type LeafOptions,
} from '../../kit/authority.ts'
import type { BehaviourKind } from '../../kit/behaviour.ts'
import { type CommandOptions, runCommand } from '../../kit/io.ts'
import { openssl } from '../../kit/openssl.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

let authority: Authority
let leaf: Leaf
let revokedLeaf: Leaf
let directory: string
let crlFile: string

beforeAll(async () => {
  authority = await createAuthority({ fresh: true })
  directory = temporaryDirectory('inspect')
  leaf = await authority.issueLeaf({
    mustStaple: true,
    caIssuersURL: 'http://ca.example/ca.crt',
    extensions: ['crlDistributionPoints=URI:http://crl.example/1.crl', 'certificatePolicies=1.2.3.4'],
  })
  revokedLeaf = await authority.issueLeaf()
  await authority.revoke(revokedLeaf, 'keyCompromise')
  crlFile = await makeCrl()
})

let count = 0
async function fileWith(content: Uint8Array | string): Promise<string> {
  const file = join(directory, `file-${++count}`)
  await writeFile(file, content)
  return file
}

async function makeCrl(): Promise<string> {
  const [config, out, number] = ['ca.cnf', 'crl.pem', 'crlnumber'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  await writeFile(number, '1001\n')
  await writeFile(
    config,
    `[ca]\ndefault_ca=d\n[d]\ndatabase=${authority.indexFile}\ndefault_md=sha256\ndefault_crl_days=7\ncrlnumber=${number}\n` +
      `crl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n`,
  )
  const { certificateFile, keyFile } = authority.intermediate
  await openssl(['ca', '-config', config, '-gencrl', '-cert', certificateFile, '-keyfile', keyFile, '-out', out])
  return out
}

async function answer(kind: BehaviourKind, delegate?: AuthorityCertificate): Promise<string> {
  const signer = delegate ?? (await authority.delegate())
  const maker = { authority, clock: systemClock, signer, validityMs: 3_600_000, thisUpdateAgeMs: 60_000 }
  const certID = createCertID(leaf.certificate, leaf.issuer, 'sha1')
  return await fileWith(await makeAnswer({ ...maker, certificates: [signer.certificate.der] }, { kind }, certID))
}

async function inspectJson(words: readonly string[], options?: CommandOptions) {
  const { code, stdout, stderr } = await runCommand(['inspect', '--json', ...words], options)
  return { code, stderr, told: JSON.parse(stdout) }
}

describe('a certificate', () => {
  test('shows what openssl shows of it', async () => {
    const { code, told } = await inspectJson([leaf.certificateFile])
    expect(code).toBe(0)
    const { fields } = told.documents[0]
    const text = async (...args: string[]) =>
      String(await openssl(['x509', '-in', leaf.leafOnlyFile, '-noout', ...args])).trim()
    expect(`serial=${fields.serialNumber.toUpperCase()}`).toBe(await text('-serial'))
    expect(fields.extensions.authorityInfoAccess.ocsp).toEqual([await text('-ocsp_uri')])
    const dates = await text('-dates', '-dateopt', 'iso_8601')
    expect(dates).toContain(`notBefore=${fields.validity.notBefore.replace('T', ' ')}`)
    expect(dates).toContain(`notAfter=${fields.validity.notAfter.replace('T', ' ')}`)
    const key = (await text('-fingerprint', '-sha256')).split('=')[1]?.replaceAll(':', '').toLowerCase()
    expect(fields.certificateKey).toBe(key)
  })

  test('shows the certIDs that openssl asks with', async () => {
    for (const hash of ['sha1', 'sha256']) {
      const issuer = authority.intermediate.certificateFile
      const args = ['ocsp', `-${hash}`, '-issuer', issuer, '-cert', leaf.leafOnlyFile, '-req_text', '-no_nonce']
      const text = String(await openssl([...args, '-reqout', join(directory, 'openssl.request')]))
      const { told } = await inspectJson([leaf.certificateFile])
      const certID = told.documents[0].fields.certID[hash]
      expect(text).toContain(`Issuer Name Hash: ${certID.issuerNameHash.toUpperCase()}`)
      expect(text).toContain(`Issuer Key Hash: ${certID.issuerKeyHash.toUpperCase()}`)
    }
  })

  test('shows everything that stapling turns on', async () => {
    const { stdout } = await runCommand(['inspect', leaf.certificateFile])
    expect(stdout).toMatch(/ocsp +http:\/\/127\.0\.0\.1:1\//)
    expect(stdout).toMatch(/caIssuers +http:\/\/ca\.example\/ca\.crt/)
    expect(stdout).toMatch(/distributionPoint +http:\/\/crl\.example\/1\.crl/)
    expect(stdout).toMatch(/tlsFeature +status_request \(5\): Must-Staple/)
    expect(stdout).toMatch(/extnID +certificatePolicies \(2\.5\.29\.32\)/)
    expect(stdout).toMatch(/stapling +it must be stapled/)
    expect(stdout).toMatch(/notAfter +20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ \(in (89|90) days/)
  })

  test('without its issuer says what that would show', async () => {
    const { stdout } = await runCommand(['inspect', leaf.leafOnlyFile])
    expect(stdout).toMatch(/certID +.*--issuer FILE/)
    const { told } = await inspectJson([leaf.leafOnlyFile, '--issuer', authority.intermediate.certificateFile])
    expect(told.documents).toHaveLength(1)
    expect(told.documents[0].fields.certID.sha1.issuerKeyHash).toHaveLength(40)
  })

  test.each<[string, LeafOptions, RegExp]>([
    ['names no responder', { responderURL: null }, /nothing to staple: it names no OCSP responder/],
    [
      'demands what it cannot have',
      { responderURL: null, mustStaple: true },
      /names no responder: strict\s+clients will refuse it/,
    ],
    ['has no revocation information', { extensions: ['2.5.29.56=DER:05:00'] }, /nothing to staple.+noRevAvail/],
    ['is short-lived', { responderURL: null, days: 6 }, /short-lived/],
    ['has expired', { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') }, /expired/],
    ['is as most are', {}, /can be stapled/],
  ])('that %s has its outlook', async (_, options, outlook) => {
    const certificate = await authority.issueLeaf(options)
    const { stdout } = await runCommand(['inspect', certificate.leafOnlyFile])
    expect(stdout).toMatch(outlook)
  })
})

describe('a request', () => {
  test('shows the nonce, and whom it is about where that is at hand', async () => {
    const nonce = Uint8Array.from({ length: 32 }, (_, index) => index)
    const { certificate, issuer } = leaf
    const file = await fileWith(encodeOcspRequest({ certificate, issuer, hashAlgorithm: 'sha256', nonce }))
    const { code, told } = await inspectJson([file, leaf.certificateFile])
    expect(code).toBe(0)
    expect(told.documents[0]).toMatchObject({
      kind: 'ocsp-request',
      fields: {
        requestList: [{ reqCert: { hashAlgorithm: 'sha256', certificate: `${leaf.certificateFile}:1` } }],
        nonce: Buffer.from(nonce).toString('hex'),
        optionalSignature: false,
      },
    })
    const text = String(await openssl(['ocsp', '-reqin', file, '-req_text']))
    const { serialNumber } = told.documents[0].fields.requestList[0].reqCert
    expect(text).toContain(`Serial Number: ${serialNumber.toUpperCase()}`)
  })
})

describe('a response', () => {
  test('shows what openssl shows of it', async () => {
    const file = await answer('revoked')
    const text = String(await openssl(['ocsp', '-respin', file, '-resp_text', '-noverify']))
    const { told } = await inspectJson([file])
    const { fields } = told.documents[0]
    const [single] = fields.responses
    const times = (iso: string) => Date.parse(text.match(new RegExp(`${iso}: (.+)`))?.[1] ?? '')
    expect(text).toContain(`Responder Id: ${fields.responderID.byKey.toUpperCase()}`)
    expect(text).toContain(`Cert Status: ${single.certStatus}`)
    expect(times('This Update')).toBe(Date.parse(single.thisUpdate))
    expect(times('Next Update')).toBe(Date.parse(single.nextUpdate))
    expect(times('Produced At')).toBe(Date.parse(fields.producedAt))
    expect(times('Revocation Time')).toBe(Date.parse(single.revocationTime))
    expect(text).toContain(`Issuer Key Hash: ${single.certID.issuerKeyHash.toUpperCase()}`)
    expect(text).toContain(`Signature Algorithm: ${fields.signatureAlgorithm.name}`)
  })

  test('is judged by every rule for the certificate among the files', async () => {
    const { code, told } = await inspectJson([await answer('good'), leaf.certificateFile])
    const [verdict] = told.documents[0].verdicts
    expect(code).toBe(0)
    expect(verdict).toMatchObject({
      certificate: { certificateKey: certificateKey(leaf.der), origin: `${leaf.certificateFile}:1` },
      outcome: 'accepted',
      certStatus: 'good',
      signer: { kind: 'delegated' },
    })
    expect(verdict.rules.map(({ rule }: { rule: string }) => rule)).toEqual(rules.map(({ name }) => name))
  })

  test.each<[BehaviourKind, string, string]>([
    ['expired', 'next-update', 'ERR_OCSP_STALE'],
    ['future', 'this-update', 'ERR_OCSP_NOT_YET_VALID'],
    ['badSignature', 'signature', 'ERR_OCSP_SIGNATURE'],
    ['noOcspSigning', 'authority', 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED'],
    ['wrongSerial', 'cert-id', 'ERR_OCSP_CERT_ID_MISMATCH'],
  ])('that is %s is refused by the rule %s, with both sides of the comparison', async (kind, rule, code) => {
    const file = await answer(kind)
    const { code: exitCode, stdout } = await runCommand(['inspect', file, '--cert', leaf.certificateFile])
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(new RegExp(`outcome +refused by ${rule}`))
    expect(stdout).toMatch(new RegExp(`refused +${rule} +RFC .+\\n +code +${code}\\n +field .+\\n +expected .+`))
    expect(stdout).toMatch(/passed +encoding +RFC 6960 §4\.2\.1/)
    const { told } = await inspectJson([file, '--cert', leaf.certificateFile])
    const refused = told.documents[0].verdicts[0].rules.find(
      ({ outcome }: { outcome: string }) => outcome === 'refused',
    )
    expect(refused).toMatchObject({ rule, code, field: expect.any(String), expected: expect.any(String) })
  })

  test('is judged as of --at', async () => {
    const file = await answer('expired', authority.intermediate)
    const at = new Date(Date.now() - 5_400_000).toISOString().replace(/\.\d+/, '')
    expect((await runCommand(['inspect', file, '--cert', leaf.certificateFile, '--at', at])).code).toBe(0)
  })

  test('that says revoked and is authentic is accepted', async () => {
    const { code, stdout } = await runCommand(['inspect', await answer('revoked'), '--cert', leaf.certificateFile])
    expect(code).toBe(0)
    expect(stdout).toMatch(/certStatus +revoked/)
  })

  test('of an error status shows it, and is refused for a certificate', async () => {
    const file = await fileWith(encodeOcspError('tryLater'))
    expect(await inspectJson([file])).toMatchObject({
      code: 0,
      told: { documents: [{ fields: { responseStatus: 'tryLater' } }] },
    })
    expect((await runCommand(['inspect', file, '--cert', leaf.certificateFile])).code).toBe(1)
  })

  test('without a certificate is shown, with the option that would have it judged', async () => {
    const file = await answer('good')
    const { code, stdout } = await runCommand(['inspect', file])
    expect(code).toBe(0)
    expect(stdout).toMatch(/not judged: .+\n +hint: .*--cert FILE/)
    const { told } = await inspectJson([file, '--cert', leaf.leafOnlyFile])
    expect(told.documents[0].notJudged.hint).toContain('--issuer FILE')
  })

  test('comes out of a pipe, as PEM too', async () => {
    const stdin = `-----BEGIN OCSP RESPONSE-----\n${Buffer.from(encodeOcspError('tryLater')).toString('base64')}\n-----END OCSP RESPONSE-----\n`
    const { code, told } = await inspectJson(['-'], { stdin })
    expect({ code, told }).toMatchObject({
      code: 0,
      told: { documents: [{ origin: 'standard input', kind: 'ocsp-response' }] },
    })
  })
})

describe('a CRL', () => {
  test('shows what openssl shows of it', async () => {
    const text = String(await openssl(['crl', '-in', crlFile, '-noout', '-text', '-crlnumber']))
    const { code, told } = await inspectJson([crlFile])
    const { fields } = told.documents[0]
    expect(code).toBe(0)
    expect(text).toContain(`crlNumber=0x${fields.cRLNumber}`)
    expect(Date.parse(text.match(/Last Update: (.+)/)?.[1] ?? '')).toBe(Date.parse(fields.thisUpdate))
    expect(fields.entryCount).toBe(1)
    expect(text).toContain(`Serial Number: ${fields.revokedCertificates[0].userCertificate.toUpperCase()}`)
  })

  test('is judged by every rule for each certificate of its CA', async () => {
    const { code, told } = await inspectJson([crlFile, leaf.certificateFile, revokedLeaf.leafOnlyFile])
    expect(code).toBe(0)
    expect(told.documents[0].verdicts).toMatchObject([
      { outcome: 'accepted', certStatus: 'good' },
      { outcome: 'accepted', certStatus: 'revoked', revocationReason: 'keyCompromise' },
    ])
  })

  test('that is past its nextUpdate is refused', async () => {
    const words = [crlFile, '--cert', leaf.certificateFile, '--at', '2050-01-01']
    const { code, told } = await inspectJson(words)
    expect(code).toBe(1)
    expect(told.documents[0].verdicts[0]).toMatchObject({ outcome: 'refused', code: 'ERR_CRL_STALE' })
  })
})

describe('what cannot be shown', () => {
  test.each<[string, () => Promise<string>, RegExp]>([
    ['an empty file', () => fileWith(''), /it is empty/],
    ['a web page', () => fileWith('\n<html><title>Log in</title>'), /an HTML page "Log in"/],
    ['a text', () => fileWith('hello'), /a text that begins "hello"/],
    ['base64 alone', async () => await fileWith(Buffer.from(leaf.der).toString('base64')), /base64 without PEM/],
    ['random octets', () => fileWith(Uint8Array.of(1, 2, 3)), /binary \(3 bytes, at offset 0: 01 02 03\)/],
    ['DER of another kind', () => fileWith(Uint8Array.of(0x30, 3, 4, 1, 0)), /DER of another kind/],
    ['BER', () => fileWith(Uint8Array.of(0x30, 0x80, 0, 0)), /BER of indefinite length/],
    ['the beginning of a response', cutResponse, /begins like an OCSP response.+expected \d+ octets.+found \d+/],
    ['octets behind a certificate', async () => await fileWith(Buffer.concat([leaf.der, Buffer.of(0)])), /certificate/],
    ['half a PEM block', async () => await fileWith(leaf.pem.slice(0, 200)), /no -----END CERTIFICATE-----/],
    ['another label', mislabelled, /label says CERTIFICATE, and what stands there is an OCSP response/],
    ['a private key', async () => leaf.keyFile, /a private key/],
    ['a signing request', signingRequest, /certificate signing request/],
    ['a public key', publicKey, /a public key/],
    ['a PKCS#7 bundle', pkcs7, /a PKCS#7/],
    ['a PEM block of another kind', () => fileWith(pem('DH PARAMETERS')), /a PEM block DH PARAMETERS/],
    ['a directory', async () => directory, /it is a directory/],
    ['no file', async () => join(directory, 'missing'), /no such file/],
    ['a file of a gigabyte', gigabyte, /expected at most 96 MiB, found 1024 MiB/],
    ['an endless device', async () => '/dev/zero', /expected at most 96 MiB, found more/],
  ])('is told in one line with a hint, and the rest is shown all the same: %s', async (_, find, message) => {
    const file = await find()
    const { code, stdout, stderr } = await runCommand(['inspect', file, leaf.leafOnlyFile])
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/^error: .+\n {2}hint: .+\n$/)
    expect(stdout).toContain('CN=localhost')
  })

  test('does no harm beside what can: a key behind its certificate', async () => {
    const file = await fileWith(leaf.pem + leaf.key)
    const { code, stdout, stderr } = await runCommand(['inspect', file])
    expect(code).toBe(0)
    expect(stdout).toContain('CN=localhost')
    expect(stderr).toMatch(/^note: .+: a private key, passed over\n/)
    expect(stdout + stderr).not.toContain(leaf.key.split('\n')[1])
  })

  test('is in the JSON, too', async () => {
    const { code, told } = await inspectJson([await fileWith(''), leaf.leafOnlyFile])
    expect(code).toBe(2)
    expect(told).toMatchObject({ exitCode: 2, documents: [{}], faults: [{ error: { hint: expect.any(String) } }] })
  })

  test('of a stranger cannot move the cursor of a terminal', async () => {
    const { stderr } = await runCommand(['inspect', await fileWith('<html><title>\u001b[2J\u009b</title>')])
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  })
})

describe('the command line', () => {
  test.each([
    ['a time without a zone', ['--at', '2026-01-01T00:00:00'], /--at/],
    ['a day that is not', ['--at', '2026-02-30'], /--at/],
    ['a certificate that is none', ['--cert', 'CRL'], /--cert .+expected a certificate, found a CRL/],
    ['a certificate that is not there', ['--cert', '/nowhere'], /--cert .+no such file/],
    ['standard input twice', ['-', '--cert', '-'], /named more than once/],
    ['the issuer of another', ['--cert', 'LEAF', '--issuer', 'ROOT'], /not the issuer/],
  ])('refuses %s', async (_, words, message) => {
    const files: Record<string, string> = {
      CRL: crlFile,
      LEAF: leaf.leafOnlyFile,
      ROOT: authority.root.certificateFile,
    }
    const { code, stdout, stderr } = await runCommand(['inspect', crlFile, ...words.map((word) => files[word] ?? word)])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr).toMatch(/hint: /)
  })

  test('names at least one file', async () => {
    expect((await runCommand(['inspect'])).code).toBe(2)
  })

  test('keeps to about a hundred columns', async () => {
    const files = [crlFile, leaf.certificateFile, await answer('noOcspSigning')]
    const { stdout } = await runCommand(['inspect', ...files])
    const widest = stdout.split('\n').reduce((one, other) => (one.length > other.length ? one : other))
    expect(widest.length, widest).toBeLessThanOrEqual(104)
  })
})

function pem(label: string): string {
  return `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`
}

async function cutResponse(): Promise<string> {
  const file = await answer('good')
  await truncate(file, 300)
  return file
}

async function mislabelled(): Promise<string> {
  const base64 = Buffer.from(encodeOcspError('tryLater')).toString('base64')
  return await fileWith(pem('CERTIFICATE').replace('AAAA', base64))
}

async function signingRequest(): Promise<string> {
  return await fileWith(await openssl(['req', '-new', '-key', leaf.keyFile, '-subj', '/CN=x']))
}

async function publicKey(): Promise<string> {
  return await fileWith(await openssl(['pkey', '-in', leaf.keyFile, '-pubout', '-outform', 'der']))
}

async function pkcs7(): Promise<string> {
  return await fileWith(await openssl(['crl2pkcs7', '-nocrl', '-certfile', leaf.certificateFile]))
}

/** Without a gigabyte on the disk. */
async function gigabyte(): Promise<string> {
  const file = await fileWith('')
  await truncate(file, 1024 ** 3)
  return file
}
