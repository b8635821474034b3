/**
 * The roots that a chain is judged by: Node's own, the system's, NODE_EXTRA_CA_CERTS, and what the caller adds.
 *
 * Only self-signed certificates count. An intermediate among the caller's would complete chains that the server leaves
 * incomplete, and the record would no longer say what the server sends.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as tls from 'node:tls'

export interface Roots {
  /** PEM, for a SecureContext. */
  readonly pem: readonly string[]
  /** Whether this very certificate is among them. */
  has(der: Uint8Array): boolean
  /** Whether one of them issued it. */
  issued(certificate: X509Certificate): boolean
}

/** Where distributions keep their roots as one file. */
const bundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/var/lib/ca-certificates/ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
  '/usr/local/share/certs/ca-root-nss.crt',
  '/usr/local/etc/ssl/cert.pem',
]

/** Puts the roots together; reads files, so it is called once for each `ca` (contexts.ts). */
export function gatherRoots(ca: readonly string[], environment: NodeJS.ProcessEnv = process.env): Roots {
  const bodies = new Set(tls.rootCertificates.map(bodyOf))
  const pem = [...tls.rootCertificates]
  for (const one of [...systemRoots(environment), ...ca.flatMap(splitPem)]) {
    const body = bodyOf(one)
    if (bodies.has(body)) continue
    bodies.add(body)
    if (isSelfSigned(one)) pem.push(one)
    else bodies.delete(body)
  }
  let bySubject: Map<string, X509Certificate[]> | undefined // only for handshakes that Node did not come to judge
  return {
    pem,
    has: (der) => bodies.has(Buffer.from(der).toString('base64')),
    issued(certificate) {
      bySubject ??= groupBySubject(pem)
      return (bySubject.get(certificate.issuer) ?? []).some((root) => isIssuer(root, certificate))
    },
  }
}

function groupBySubject(pem: readonly string[]): Map<string, X509Certificate[]> {
  const groups = new Map<string, X509Certificate[]>()
  for (const root of pem.map((one) => new X509Certificate(one))) {
    groups.set(root.subject, [...(groups.get(root.subject) ?? []), root])
  }
  return groups
}

function systemRoots(environment: NodeJS.ProcessEnv): string[] {
  const extra = readBundle(environment.NODE_EXTRA_CA_CERTS)
  if (environment.SSL_CERT_FILE) return [...extra, ...readBundle(environment.SSL_CERT_FILE)]
  for (const file of bundles) {
    const found = readBundle(file)
    if (found.length > 0) return [...extra, ...found]
  }
  // macOS and Windows keep them elsewhere; on Linux this reads a whole directory and takes ten times as long as its bundle
  const { getCACertificates } = tls as { getCACertificates?: (type: 'system') => string[] }
  return [...extra, ...(getCACertificates?.('system') ?? [])]
}

function readBundle(file: string | undefined): string[] {
  if (!file) return []
  try {
    return splitPem(readFileSync(file, 'latin1'))
  } catch {
    return [] // none here
  }
}

function splitPem(text: string): string[] {
  return text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? []
}

function bodyOf(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s+/g, '')
}

function isSelfSigned(pem: string): boolean {
  try {
    const certificate = new X509Certificate(pem)
    return certificate.checkIssued(certificate)
  } catch {
    return false // one that Node cannot read would make every context fail
  }
}

function isIssuer(root: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(root) && certificate.verify(root.publicKey)
}
