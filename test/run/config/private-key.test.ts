/** Encrypted keys: opened at load, and each thing that can be wrong with them and their passphrases. */
import { createPrivateKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { failureOf, loadText, problemsOf } from '../../kit/configuration.ts'
import { openssl } from '../../kit/openssl.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

const passphrase = 'open sesame é'
let authority: Authority
let locked: Leaf
let plain: Leaf
beforeAll(async () => {
  authority = await createAuthority()
  locked = await authority.issueLeaf({ passphrase })
  plain = await authority.issueLeaf()
})
const text = (leaf: Leaf, more = '', keyFile = leaf.keyFile) =>
  `backend: "tcp://127.0.0.1:1"\ntls {\n  cert_file: "${leaf.certificateFile}"\n  key_file: "${keyFile}"\n  ${more}\n}\n`
const withFile = 'key_passphrase_file: "passphrase.txt"'
const files = (content: string) => ({ files: { 'passphrase.txt': content } })

describe('an encrypted key', () => {
  it.each([passphrase, `${passphrase}\n`, `${passphrase}\r\n`])('is opened by the line %j', async (content) => {
    const { settings } = await loadText(text(locked, withFile), files(content))
    const [certificate] = settings.sites[0]?.certificates ?? []
    expect(certificate?.keyPem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
    expect(createPrivateKey(certificate?.keyPem ?? '').asymmetricKeyType).toBe('ec')
    expect(settings.files).toContain(join(settings.workingDirectory, 'passphrase.txt'))
    expect(inspect(settings, { depth: 20 })).not.toContain('sesame')
  })

  it('is opened in certs too, each by its own passphrase', async () => {
    const other = await (await createAuthority({ keyType: 'rsa2048' })).issueLeaf({ passphrase: 'another' })
    const pair = (leaf: Leaf, file: string) =>
      `{ cert_file: "${leaf.certificateFile}", key_file: "${leaf.keyFile}", key_passphrase_file: "${file}" }`
    const { settings } = await loadText(
      `backend: "tcp://127.0.0.1:1"\ntls { certs [ ${pair(locked, 'a.txt')}, ${pair(other, 'b.txt')} ] }\n`,
      { files: { 'a.txt': passphrase, 'b.txt': 'another\n' } },
    )
    expect(settings.sites[0]?.certificates.map((each) => each.keyPem.split('\n')[0])).toEqual([
      '-----BEGIN PRIVATE KEY-----',
      '-----BEGIN PRIVATE KEY-----',
    ])
  })

  it('may be in the older form of OpenSSL', async () => {
    const rsa = await (await createAuthority({ keyType: 'rsa2048' })).issueLeaf()
    const file = join(temporaryDirectory('older'), 'key.pem')
    await openssl(['rsa', '-in', rsa.keyFile, '-traditional', '-aes256', '-passout', 'pass:old', '-out', file])
    expect(await readFile(file, 'utf8')).toMatch(/Proc-Type: 4,ENCRYPTED/)
    const { settings } = await loadText(text(rsa, withFile, file), files('old'))
    expect(settings.sites[0]?.certificates).toHaveLength(1)
  })

  it('needs a passphrase', async () => {
    expect(await problemsOf(text(locked))).toMatchObject([
      {
        line: 4,
        column: 13,
        path: 'tls.key_file',
        summary: 'the private key is encrypted, and there is no passphrase',
        found: `${locked.keyFile}: an encrypted private key`,
        hint: expect.stringMatching(/add `key_passphrase_file: /),
      },
    ])
  })

  it.each([
    ['another passphrase', 'open barley', 'the passphrase does not open the private key'],
    ['nothing', '\n', 'holds no passphrase'],
    ['several lines', `x\n${passphrase}\n`, 'holds more than a passphrase'],
    ['too much', 'sesame'.repeat(200), 'is longer than a passphrase can be'],
  ])('is not opened by a file with %s', async (_, content, summary) => {
    const error = await failureOf(text(locked, withFile), files(content))
    const { problems } = error.detail as { problems: readonly unknown[] }
    expect(problems).toMatchObject([{ line: 5, column: 24, path: 'tls.key_passphrase_file', summary }])
    expect(error.message).not.toMatch(/barley|sesame/)
  })

  it('is told when its passphrase cannot be read', async () => {
    const workingDirectory = temporaryDirectory('nowhere')
    expect(await problemsOf(text(locked, withFile), { workingDirectory })).toMatchObject([
      {
        path: 'tls.key_passphrase_file',
        summary: 'cannot be read: no such file',
        found: join(workingDirectory, 'passphrase.txt'),
        expected: 'a file with a passphrase',
      },
    ])
  })

  it('that OpenSSL can no longer open is told as such', async () => {
    const file = join(temporaryDirectory('broken'), 'key.pem')
    await openssl([
      ...['pkcs8', '-topk8', '-in', plain.keyFile, '-out', file, '-passout', 'pass:x'],
      ...['-v1', 'PBE-SHA1-RC2-40', '-provider', 'legacy', '-provider', 'default'],
    ])
    expect(await problemsOf(text(plain, withFile, file), files('x'))).toMatchObject([
      {
        path: 'tls.key_file',
        summary: 'the private key is encrypted in a way that OpenSSL no longer has',
        hint: expect.stringContaining(`openssl pkey -provider legacy -provider default -aes256 -in ${file}`),
      },
    ])
  })
})

describe('a key that is not encrypted', () => {
  it('takes no passphrase', async () => {
    expect(await problemsOf(text(plain, withFile), files(passphrase))).toMatchObject([
      {
        line: 5,
        path: 'tls.key_passphrase_file',
        summary: 'the private key is not encrypted',
        found: `a passphrase for ${plain.keyFile}`,
      },
    ])
  })
})

it('a passphrase beside certs is for none of them', async () => {
  const pair = `{ cert_file: "${plain.certificateFile}", key_file: "${plain.keyFile}" }`
  const conf = `backend: "tcp://127.0.0.1:1"\ntls { ${withFile}, certs [ ${pair} ] }\n`
  expect(await problemsOf(conf, files('x'))).toMatchObject([
    { path: 'tls.key_passphrase_file', line: 2, summary: 'stands beside `certs`' },
  ])
})

it('a passphrase of the wrong kind is told', async () => {
  expect(await problemsOf(text(locked, 'key_passphrase_file: 5'))).toMatchObject([
    { path: 'tls.key_passphrase_file', summary: 'not a text' },
  ])
})
