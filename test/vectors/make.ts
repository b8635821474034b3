/** Makes the folders of frozen responses: see README.md beside this file. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeOcspRequest } from '../../src/pki/ocsp/encode-request.ts'
import { decodeOcspResponse } from '../../src/pki/ocsp/response.ts'
import type { Certificate } from '../../src/pki/x509/certificate.ts'
import {
  type Authority,
  type AuthorityKeyType,
  createAuthority,
  type Leaf,
  type OcspRespondOptions,
} from '../kit/authority.ts'
import { digestOf } from '../kit/openssl.ts'
import { directDraft, forgedAt, forgeResponse, world } from '../pki/forge.ts'
import { authorityRows } from '../pki/ocsp/bad/authority.ts'
import { basicRows } from '../pki/ocsp/bad/basic.ts'
import { entryRows } from '../pki/ocsp/bad/entry.ts'
import { outerRows } from '../pki/ocsp/bad/outer.ts'
import type { BadRow } from '../pki/ocsp/bad/row.ts'
import { signatureRows } from '../pki/ocsp/bad/signature.ts'

interface Vector {
  readonly certificate: Certificate
  readonly issuer: Certificate
  readonly response: Uint8Array
  /** The lines of case.txt. */
  readonly lines: Readonly<Record<string, string>>
}

/** Writes every case under `directory`. */
export async function makeVectors(directory: string): Promise<void> {
  for (const keyType of ['rsa2048', 'rsapss', 'p256', 'p384', 'ed25519'] as const)
    await makeAccepted(directory, keyType)
  const rows = [...outerRows, ...basicRows, ...entryRows, ...signatureRows, ...authorityRows]
  const isPlain = (row: BadRow) => row.options === undefined && row.brokenOptions === undefined
  const made = new Set<string>()
  for (const row of rows.filter(isPlain)) {
    const vector = refusedVector(row)
    // Small enough for a repository, and one of each code.
    if (made.has(row.code) || vector.response.length > 20_000) continue
    made.add(row.code)
    write(join(directory, 'refused', row.code.slice(4).toLowerCase().replaceAll('_', '-')), vector)
  }
}

async function makeAccepted(directory: string, keyType: AuthorityKeyType): Promise<void> {
  const authority = await createAuthority({ keyType })
  const leaf = await authority.issueLeaf()
  const revoked = await authority.issueLeaf()
  await authority.revoke(revoked, 'keyCompromise')
  const delegate = await authority.delegate()
  const cases: Readonly<Record<string, readonly [Leaf, Omit<OcspRespondOptions, 'request'>, 'sha1' | 'sha256']>> = {
    direct: [leaf, {}, 'sha1'],
    'direct-sha256': [leaf, { byKey: true }, 'sha256'],
    delegated: [leaf, { signer: delegate, byKey: true }, 'sha1'],
    'delegated-by-name': [leaf, { signer: delegate }, 'sha1'],
    revoked: [revoked, { signer: delegate, byKey: true }, 'sha1'],
  }
  for (const [name, [of, options, hashAlgorithm]] of Object.entries(cases)) {
    const { certificate, issuer } = of
    const request = encodeOcspRequest({ certificate, issuer, hashAlgorithm })
    const response = await authority.ocspRespond({ request, ...options })
    const thisUpdate = decodeOcspResponse(response).basicResponse?.responses[0]?.thisUpdate ?? new Date(0)
    const lines = {
      at: new Date(thisUpdate.getTime() + 600_000).toISOString(),
      expect: name === 'revoked' ? 'revoked' : 'good',
      'made-with': commandOf(authority, options),
    }
    write(join(directory, 'accepted', `${keyType}-${name}`), { certificate, issuer, response, lines })
  }
}

/** What test/kit/authority.ts runs. */
function commandOf({ keyType }: Authority, { signer, byKey }: Omit<OcspRespondOptions, 'request'>): string {
  const who = signer === undefined ? 'issuer' : 'delegate'
  const digest = digestOf[keyType]
  const files = `-CA issuer.pem -rsigner ${who}.pem -rkey ${who}.key -reqin request.der -respout response.der`
  return `openssl ocsp -index index.txt ${files} -nmin 60${digest ? ` -rmd ${digest}` : ''}${byKey ? ' -resp_key_id' : ''}`
}

function refusedVector(row: BadRow): Vector {
  const { certificate, issuer } = (row.of ?? world)()
  const broken = row.breakIt((row.baseline ?? directDraft)())
  return {
    certificate,
    issuer,
    response: broken instanceof Uint8Array ? broken : forgeResponse(broken),
    lines: {
      at: forgedAt.toISOString(),
      expect: row.code,
      field: row.field,
      rfc: row.clause,
      'made-with': `test/pki/ocsp/bad: a response ${row.what}`,
    },
  }
}

function write(folder: string, { certificate, issuer, response, lines }: Vector): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'leaf.der'), certificate.der)
  writeFileSync(join(folder, 'issuer.der'), issuer.der)
  writeFileSync(join(folder, 'response.der'), response)
  const text = Object.entries(lines).map(([name, value]) => `${name}: ${value}\n`)
  writeFileSync(join(folder, 'case.txt'), text.join(''))
}
