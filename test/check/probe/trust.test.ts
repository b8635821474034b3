/** Which roots a chain is judged by. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { expect, it } from 'vitest'
import { contextsWith } from '../../../src/check/probe/contexts.ts'
import { gatherRoots } from '../../../src/check/probe/trust.ts'
import { createAuthority } from '../../kit/authority.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

const bodyOf = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, '')

it("Node's bundle, the system's files and the caller's roots count", async () => {
  const [mine, system, extra] = await Promise.all([
    createAuthority(),
    createAuthority({ name: 'System' }),
    createAuthority({ name: 'Extra' }),
  ])
  const directory = temporaryDirectory('roots')
  const files = { system: join(directory, 'system.pem'), extra: join(directory, 'extra.pem') }
  await writeFile(files.system, `# of the system\n${system.root.pem}`)
  await writeFile(files.extra, extra.root.pem)
  const roots = gatherRoots([mine.root.pem], { SSL_CERT_FILE: files.system, NODE_EXTRA_CA_CERTS: files.extra })
  expect(roots.pem).toHaveLength(rootCertificates.length + 3)
  for (const authority of [mine, system, extra]) {
    expect(roots.has(authority.root.der)).toBe(true)
    expect(roots.has(authority.intermediate.der)).toBe(false)
  }
})

it('intermediates, doubles and what is no certificate are left out', async () => {
  const authority = await createAuthority()
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'
  const given = [
    authority.caFile,
    authority.intermediate.pem + authority.root.pem,
    authority.root.pem,
    broken,
    rootCertificates[0] as string,
  ]
  const roots = gatherRoots(given, { SSL_CERT_FILE: '/nonexistent' })
  expect(roots.pem).toHaveLength(rootCertificates.length + 1)
  expect(bodyOf(roots.pem.at(-1) as string)).toBe(bodyOf(authority.root.pem))
})

it('contexts are made once for each set of roots and offer', async () => {
  const { root } = await createAuthority()
  const contexts = contextsWith([root.pem])
  expect(contextsWith([root.pem])).toBe(contexts)
  expect(contextsWith([])).not.toBe(contexts)
  const offer = { version: 'TLSv1.3', keyFamilies: ['rsa'] } as const
  expect(contexts.contextFor(offer)).toBe(contexts.contextFor({ ...offer }))
  expect(contexts.contextFor(offer)).not.toBe(contexts.contextFor({ ...offer, version: 'TLSv1.2' }))
})

it('of many sets of roots, only the last few are kept', async () => {
  const first = contextsWith(['# 1'])
  for (let number = 2; number < 8; number++) contextsWith([`# ${number}`])
  expect(contextsWith(['# 7'])).toBe(contextsWith(['# 7']))
  expect(contextsWith(['# 1'])).not.toBe(first)
})
