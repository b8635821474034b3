/** Who may come in: what is asked of clients' certificates, beyond what OpenSSL verifies. */
import type { TLSSocket } from 'node:tls'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'
import { hash } from '../../pki/x509/crypto.ts'
import { findIssuer } from '../../pki/x509/issuer.ts'
import { isSameName } from '../../pki/x509/name.ts'
import type { ClientAuth } from './options.ts'

/** Names a demand, equal for equal ones; empty for none. Short enough for a session id context with its prefix. */
export function authIdOf(clientAuth: ClientAuth | undefined): string {
  if (clientAuth === undefined) return ''
  const id = hex(hash('sha256', Buffer.from(clientAuth.ca)))
  // A session that was made where nobody asked the CA is not one to resume where it is asked.
  return clientAuth.ocspPeer === undefined ? id.slice(0, 16) : `${id.slice(0, 15)}+`
}

/** Tells whether the client's public key is among the pinned ones: SHA-256 of its SubjectPublicKeyInfo, as nats-server. */
export function isPinned(client: TLSSocket, pinnedKeys: readonly string[]): boolean {
  const { raw } = client.getPeerCertificate()
  if (raw === undefined) return false
  return pinnedKeys.includes(hex(hash('sha256', decodeCertificate(raw).subjectPublicKeyInfo)))
}

/**
 * The chain of a client that OpenSSL has verified: DER, the leaf first, up to the root. Read once: Node builds all of it
 * anew at each call.
 *
 * @param authorities - what may be missing from what Node tells of it
 */
export function chainOf(client: TLSSocket, authorities: readonly Certificate[]): Uint8Array[] {
  const chain: Uint8Array[] = []
  let each: ReturnType<typeof client.getPeerCertificate> | undefined = client.getPeerCertificate(true)
  while (each?.raw !== undefined && chain.length < longestChain) {
    chain.push(each.raw)
    const next: typeof each | undefined =
      'issuerCertificate' in each ? (each.issuerCertificate as typeof each) : undefined
    each = next === each ? undefined : next
  }
  // Some versions of Node 26 tell of the leaf alone.
  for (let last = chain.at(-1); last !== undefined && chain.length < longestChain; last = chain.at(-1)) {
    const issuer = issuerAmong(authorities, last)
    if (issuer === undefined) break
    chain.push(issuer.der)
  }
  return chain
}

/** Undefined for a root too, and for what cannot be decoded: whoever judges says so. */
function issuerAmong(authorities: readonly Certificate[], der: Uint8Array): Certificate | undefined {
  try {
    const certificate = decodeCertificate(der)
    return isSameName(certificate.issuer, certificate.subject) ? undefined : findIssuer(certificate, authorities)
  } catch {
    return undefined
  }
}

const longestChain = 10

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
