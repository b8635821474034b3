/** The demo's CA: a root, an intermediate that also answers for its certificates, and a Must-Staple leaf for localhost. */
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import type { Certificate } from '../../pki/x509/certificate.ts'
import { caExtensions, issueCertificate, serverExtensions } from './issue.ts'

export interface DemoAuthority {
  readonly root: Certificate
  readonly intermediate: Certificate
  readonly intermediateKey: KeyObject
  readonly leaf: Certificate
  readonly rootPem: string
  /** The leaf and the intermediate, as a server sends them. */
  readonly chainPem: string
  readonly leafKeyPem: string
}

/** Makes the whole CA, keys included, for a week around `at`. */
export function createDemoAuthority(responderURL: string, at: Date): DemoAuthority {
  const period = { notBefore: new Date(at.getTime() - dayMs), notAfter: new Date(at.getTime() + 7 * dayMs) }
  const [rootKeys, intermediateKeys, leafKeys] = [generateKeys(), generateKeys(), generateKeys()]
  const root = issueCertificate({
    ...period,
    commonName: 'Staplewright Demo Root',
    publicKey: rootKeys.publicKey,
    serialNumber: createSerialNumber(),
    issuerKey: rootKeys.privateKey,
    extensions: caExtensions(),
  })
  const intermediate = issueCertificate({
    ...period,
    commonName: 'Staplewright Demo CA',
    publicKey: intermediateKeys.publicKey,
    serialNumber: createSerialNumber(),
    issuer: root,
    issuerKey: rootKeys.privateKey,
    extensions: caExtensions(),
  })
  const leaf = issueCertificate({
    ...period,
    commonName: 'localhost',
    publicKey: leafKeys.publicKey,
    serialNumber: createSerialNumber(),
    issuer: intermediate,
    issuerKey: intermediateKeys.privateKey,
    extensions: serverExtensions(responderURL),
  })
  return {
    root,
    intermediate,
    intermediateKey: intermediateKeys.privateKey,
    leaf,
    rootPem: formatPem(root),
    chainPem: formatPem(leaf) + formatPem(intermediate),
    leafKeyPem: leafKeys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
}

const dayMs = 86_400_000

function generateKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets. */
function createSerialNumber(): bigint {
  return BigInt(`0x40${randomBytes(14).toString('hex')}`)
}

function formatPem({ der }: Certificate): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
