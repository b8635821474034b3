/** A directory of certificates: which files belong together, and what is said of the rest. */
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createAuthority, type Leaf } from '../../kit/authority.ts'
import { loadText, problemsOf } from '../../kit/configuration.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

const leaves: Leaf[] = []
beforeAll(async () => {
  const authority = await createAuthority()
  for (const name of ['one', 'two', 'three']) leaves.push(await authority.issueLeaf({ name, san: [`${name}.net`] }))
})

/** A working directory with `certs`; of each pair certificate and key file, with the number of its leaf. */
async function directoryOf(pairs: readonly (readonly [number, string, string])[]): Promise<string> {
  const workingDirectory = temporaryDirectory('cert-dir')
  await mkdir(join(workingDirectory, 'certs/a'), { recursive: true })
  await mkdir(join(workingDirectory, 'certs/..data'))
  for (const [index, certFile, keyFile] of pairs) {
    const leaf = leaves[index] as Leaf
    if (certFile) await writeFile(join(workingDirectory, 'certs', certFile), leaf.chainPem)
    if (keyFile) await writeFile(join(workingDirectory, 'certs', keyFile), await readFile(leaf.keyFile))
  }
  return workingDirectory
}
const text = (more = '') => `backend: "tcp://127.0.0.1:1"\ntls { cert_dir: "certs"${more} }\n`

describe('cert_dir', () => {
  it('holds certificates with their keys, chosen by the names in them', async () => {
    const workingDirectory = await directoryOf([
      [0, 'b.pem', 'b-key.pem'],
      [1, 'c.crt', 'c.key'],
      [2, '..data/tls.crt', '..data/tls.key'],
    ])
    for (const name of ['tls.crt', 'tls.key'])
      await symlink(join('../..data', name), join(workingDirectory, 'certs/a', name))
    await writeFile(join(workingDirectory, 'certs/README'), 'hello')
    const { settings, notices } = await loadText(text(), { workingDirectory })
    expect(notices).toEqual([])
    expect(settings.sites.map((site) => [site.names, site.certificates.map((each) => each.label)])).toEqual([
      [['three.net'], ['certs/a/tls.crt']],
      [['one.net'], ['certs/b.pem']],
      [['two.net'], ['certs/c.crt']],
    ])
    expect(settings.files).toContain(join(workingDirectory, 'certs/b-key.pem'))
    expect(settings.files).toContain(join(workingDirectory, 'certs/a/tls.crt'))
  })

  it('says which certificate has no key', async () => {
    const workingDirectory = await directoryOf([
      [0, 'b.pem', 'b-key.pem'],
      [1, 'ca.pem', ''],
    ])
    const { settings, notices } = await loadText(text(), { workingDirectory })
    expect(settings.sites).toHaveLength(1)
    expect(notices).toMatchObject([
      {
        line: 2,
        path: 'tls.cert_dir',
        message: expect.stringMatching(/certs\/ca\.pem is passed over.*no ca-key\.pem/),
      },
    ])
  })

  it('says of a pair what is wrong with it', async () => {
    const workingDirectory = await directoryOf([
      [0, 'b.pem', ''],
      [1, '', 'b-key.pem'],
    ])
    expect(await problemsOf(text(), { workingDirectory })).toMatchObject([
      {
        line: 2,
        column: 17,
        path: 'tls.cert_dir[b.pem].key_file',
        summary: 'the private key belongs to no certificate of cert_file',
        found: expect.stringContaining(join(workingDirectory, 'certs/b-key.pem')),
      },
    ])
  })

  it.each([
    ['is empty', '', /^holds no certificate with its key/, /certs: nothing$/],
    ['holds other things', 'x.txt', /^holds no certificate with its key/, /certs: x\.txt$/],
  ])('that %s is refused', async (_, file, summary, found) => {
    const workingDirectory = await directoryOf([])
    if (file) await writeFile(join(workingDirectory, 'certs', file), '')
    expect(await problemsOf(text(), { workingDirectory })).toMatchObject([
      { path: 'tls.cert_dir', summary: expect.stringMatching(summary), found: expect.stringMatching(found) },
    ])
  })

  it('that is none is refused', async () => {
    const workingDirectory = temporaryDirectory('cert-dir')
    expect(await problemsOf(text(), { workingDirectory })).toMatchObject([
      { path: 'tls.cert_dir', summary: 'cannot be read: no such file', found: join(workingDirectory, 'certs') },
    ])
    await writeFile(join(workingDirectory, 'certs'), '')
    expect(await problemsOf(text(), { workingDirectory })).toMatchObject([
      { path: 'tls.cert_dir', summary: 'cannot be read: it is not a directory' },
    ])
  })

  it.each([
    [', cert_file: "x.pem", key_file: "y.pem"', '`cert_file` and `key_file`'],
    [', certs: [ { cert_file: "x.pem", key_file: "y.pem" } ]', '`certs`'],
    [', key_passphrase_file: "x"', '`key_passphrase_file`'],
  ])('stands alone: not with %s', async (more, names) => {
    const workingDirectory = await directoryOf([[0, 'b.pem', 'b-key.pem']])
    const problems = await problemsOf(text(more), { workingDirectory })
    expect(problems[0]).toMatchObject({ path: 'tls.cert_dir', line: 2, summary: `stands beside ${names}` })
  })
})
