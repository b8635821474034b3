/** The frozen responses of test/vectors: whatever Node and OpenSSL are at hand, the verdicts stay. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { isStapleError, type RefusalDetail } from '../../src/errors.ts'
import { verifyOcspResponse } from '../../src/pki/ocsp/verify.ts'
import { decodeCertificate } from '../../src/pki/x509/certificate.ts'
import { proveIssuer } from '../../src/pki/x509/issuer.ts'

const directory = fileURLToPath(new URL('../vectors/', import.meta.url))

if (process.env.MAKE_VECTORS) {
  beforeAll(async () => (await import('../vectors/make.ts')).makeVectors(directory), 120_000)
  it('makes them anew', () => expect(existsSync(directory)).toBe(true))
} else {
  for (const kind of ['accepted', 'refused']) {
    describe(kind, () => {
      it.each(readdirSync(join(directory, kind)))('%s', (name) => judge(join(directory, kind, name)))
    })
  }
}

function judge(folder: string): void {
  const read = (file: string) => new Uint8Array(readFileSync(join(folder, file)))
  const wanted = Object.fromEntries(
    readFileSync(join(folder, 'case.txt'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  )
  const certificate = decodeCertificate(read('leaf.der'))
  const issuer = decodeCertificate(read('issuer.der'))
  proveIssuer(certificate, issuer)
  let verdict: Record<string, string>
  try {
    const options = { certificate, issuer, at: new Date(wanted.at ?? '') }
    verdict = { expect: verifyOcspResponse(read('response.der'), options).certStatus }
  } catch (error) {
    if (!isStapleError(error)) throw error
    const { field, clause } = error.detail as RefusalDetail
    verdict = { expect: error.code, field, rfc: clause }
  }
  expect({ at: wanted.at, ...verdict, 'made-with': wanted['made-with'] }).toEqual(wanted)
}
