/** Chains of clients as Node shows them, which is not always how OpenSSL verified them. */
import type { TLSSocket } from 'node:tls'
import { beforeAll, expect, test } from 'vitest'
import { createChainReader } from '../../../src/serve/terminator/client-auth.ts'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { issue } from '../../kit/issue.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

let authority: Authority
let leaf: Leaf
beforeAll(async () => {
  authority = await createAuthority()
  leaf = await authority.issueLeaf()
})

/** A socket whose client shows this, each linked to the next and the last to itself, as Node does; counts full readings. */
function clientOf(...shown: readonly Uint8Array[]) {
  const links = shown.map((raw): { raw: Uint8Array; issuerCertificate?: object } => ({ raw }))
  links.forEach((link, index) => {
    link.issuerCertificate = links[index + 1] ?? link
  })
  const readings = { full: 0 }
  const getPeerCertificate = (isDetailed?: boolean) => {
    if (isDetailed) readings.full++
    return links[0] ?? {}
  }
  return { client: { getPeerCertificate } as unknown as TLSSocket, readings }
}

test('a chain is proven once for each leaf', () => {
  const read = createChainReader([authority.root.certificate])
  const { client, readings } = clientOf(leaf.der, authority.intermediate.der, authority.root.der)
  const chain = [leaf.der, authority.intermediate.der, authority.root.der]
  expect(read(client)).toEqual({ chain, isProven: true })
  expect(read(client)).toBe(read(client))
  expect(readings.full).toBe(1)
})

test('of a client that shows its leaf alone, as on some versions of Node, the rest is found in ca_file', () => {
  const read = createChainReader([authority.root.certificate, authority.intermediate.certificate])
  expect(read(clientOf(leaf.der).client)).toMatchObject({ isProven: true, chain: { length: 3 } })
})

test('a look-alike of the intermediate, which would name a responder of its own, proves nothing', async () => {
  const directory = temporaryDirectory('forged')
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign']
  const common = { directory, keyType: 'p256', days: 30, extensions } as const
  const root = await issue({ ...common, fileName: 'root', subject: authority.root.subject, serialHex: '01' })
  const { keyFile, subject } = authority.intermediate
  const forged = await issue({ ...common, fileName: 'forged', subject, issuer: root, keyFile, serialHex: '02' })
  const read = createChainReader([authority.root.certificate])
  expect(read(clientOf(leaf.der, forged.der, root.der).client)).toMatchObject({ isProven: false })
})

test.each([
  ['nothing', []],
  ['what is no certificate', [new Uint8Array([1, 2, 3])]],
])('%s is not proven', (_, shown) => {
  expect(createChainReader([authority.root.certificate])(clientOf(...shown).client)).toMatchObject({ isProven: false })
})
