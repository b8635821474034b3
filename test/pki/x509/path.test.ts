/** Chains proven by signatures, whatever else stands about. */
import { beforeAll, describe, expect, test } from 'vitest'
import { type Certificate, decodeCertificate } from '../../../src/pki/x509/certificate.ts'
import { findPath } from '../../../src/pki/x509/path.ts'
import { type Authority, createAuthority, type Leaf } from '../../kit/authority.ts'
import { issue } from '../../kit/issue.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

let authority: Authority
let leaf: Leaf
let root: Certificate
let intermediate: Certificate
beforeAll(async () => {
  authority = await createAuthority({ fresh: true })
  leaf = await authority.issueLeaf()
  root = authority.root.certificate
  intermediate = authority.intermediate.certificate
})

test('leads from the leaf to the root, whoever of those above is trusted, in any order', () => {
  const path = [leaf.certificate, intermediate, root]
  expect(findPath(leaf.certificate, [root], [intermediate])).toEqual(path)
  expect(findPath(leaf.certificate, [root, intermediate], [])).toEqual(path)
  expect(findPath(leaf.certificate, [root], [root, intermediate, leaf.certificate])).toEqual(path)
})

test('is the certificate alone where it is itself a trusted root', () => {
  expect(findPath(root, [root], [])).toEqual([root])
})

describe('there is none', () => {
  test('without the issuer', () => {
    expect(findPath(leaf.certificate, [root], [])).toBeUndefined()
  })

  test('to a root that nobody trusts', async () => {
    const other = await createAuthority({ name: 'Other' })
    expect(findPath(leaf.certificate, [other.root.certificate], [intermediate, root])).toBeUndefined()
    expect(findPath(leaf.certificate, [], [intermediate, root])).toBeUndefined()
  })

  test('to an intermediate that is trusted but is no root', () => {
    expect(findPath(leaf.certificate, [intermediate], [])).toBeUndefined()
  })
})

/** A certificate of the intermediate's name and key, that somebody else has signed, and that would be asked about elsewhere. */
async function forgeIntermediate() {
  const directory = temporaryDirectory('forged')
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign']
  const common = { directory, keyType: 'p256', days: 30, extensions } as const
  const forgedRoot = await issue({ ...common, fileName: 'root', subject: authority.root.subject, serialHex: '01' })
  const forged = await issue({
    ...common,
    fileName: 'intermediate',
    subject: authority.intermediate.subject,
    issuer: forgedRoot,
    keyFile: authority.intermediate.keyFile,
    serialHex: '02',
  })
  return { forged: decodeCertificate(forged.der), forgedRoot: decodeCertificate(forgedRoot.der) }
}

test('does not lead over a look-alike of the intermediate, though it stands first', async () => {
  const { forged, forgedRoot } = await forgeIntermediate()
  expect(findPath(leaf.certificate, [root], [forged, forgedRoot])).toBeUndefined()
  expect(findPath(leaf.certificate, [root], [forged, forgedRoot, intermediate])).toEqual([
    leaf.certificate,
    intermediate,
    root,
  ])
})

test('is given up where certificates name each other in circles', async () => {
  const directory = temporaryDirectory('circle')
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign']
  const make = async (name: string, issuer: string, keys: { own: string; signer: string }, serial: number) => {
    const signer = await issue({
      directory,
      fileName: `${name}-${serial}-as-${issuer}`,
      subject: `/CN=${issuer}`,
      keyType: 'p256',
      keyFile: keys.signer,
      serialHex: '0A',
      days: 9,
      extensions,
    })
    const made = await issue({
      directory,
      fileName: `${name}-${serial}`,
      subject: `/CN=${name}`,
      keyType: 'p256',
      keyFile: keys.own,
      issuer: signer,
      serialHex: serial.toString(16).padStart(2, '0'),
      days: 9,
      extensions,
    })
    return decodeCertificate(made.der)
  }
  const keys = { own: authority.root.keyFile, signer: authority.root.keyFile }
  const circle = await Promise.all(
    Array.from({ length: 6 }, (_, index) => [
      make('a', 'b', keys, 16 + index),
      make('b', 'a', keys, 32 + index),
    ]).flat(),
  )
  const started = performance.now()
  expect(findPath(circle[0] as Certificate, [root], circle.slice(1))).toBeUndefined()
  expect(performance.now() - started).toBeLessThan(1_000)
})
