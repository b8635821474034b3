import { createPrivateKey, X509Certificate } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { findIssuer } from '../../../src/pki/x509/issuer.ts'
import { createDemoAuthority, type DemoAuthority } from '../../../src/run/demo/authority.ts'
import { openssl } from '../../kit/openssl.ts'
import { temporaryDirectory } from '../../kit/temporary.ts'

let authority: DemoAuthority
let directory: string

beforeAll(async () => {
  authority = createDemoAuthority('http://127.0.0.1:8888/', new Date())
  directory = temporaryDirectory('demo')
  await writeFile(join(directory, 'root.pem'), authority.rootPem)
  await writeFile(join(directory, 'chain.pem'), authority.chainPem)
})

describe('the demo CA', () => {
  test('makes a chain that OpenSSL accepts, strictly, for localhost', async () => {
    const said = await openssl([
      'verify',
      ...['-x509_strict', '-purpose', 'sslserver', '-verify_hostname', 'localhost'],
      ...[
        '-CAfile',
        join(directory, 'root.pem'),
        '-untrusted',
        join(directory, 'chain.pem'),
        join(directory, 'chain.pem'),
      ],
    ])
    expect(String(said)).toContain('OK')
  })

  test('makes a Must-Staple leaf that names its responder, as OpenSSL reads it', async () => {
    const said = String(
      await openssl(['x509', '-in', join(directory, 'chain.pem'), '-noout', '-ext', 'tlsfeature,authorityInfoAccess']),
    )
    expect(said).toContain('status_request')
    expect(said).toContain('OCSP - URI:http://127.0.0.1:8888/')
  })

  test('has the leaf issued by the intermediate, and the intermediate by the root', () => {
    expect(findIssuer(authority.leaf, [authority.root, authority.intermediate])).toBe(authority.intermediate)
    expect(findIssuer(authority.intermediate, [authority.leaf, authority.root])).toBe(authority.root)
  })

  test("hands out the leaf's own key", () => {
    expect(new X509Certificate(authority.leaf.der).checkPrivateKey(createPrivateKey(authority.leafKeyPem))).toBe(true)
  })
})
