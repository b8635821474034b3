/** Who may come in: what is asked of clients' certificates, beyond what OpenSSL verifies. */
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'
import { hash } from '../../pki/x509/crypto.ts'
import { findPath } from '../../pki/x509/path.ts'
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
 * The chain of a client that OpenSSL has verified: DER, the leaf first, each issued by the next, up to a root among the
 * authorities. Where there is no such path, what the client showed.
 *
 * Node shows a path that it guesses by names; some versions of Node 26 the leaf alone.
 */
export function chainOf(client: TLSSocket, authorities: readonly Certificate[]): readonly Uint8Array[] {
  const shown: Uint8Array[] = []
  // Read once: Node builds all of it anew at each call.
  let each: Partial<DetailedPeerCertificate> | undefined = client.getPeerCertificate(true)
  while (each?.raw !== undefined && shown.length < longestChain) {
    shown.push(each.raw)
    each = each.issuerCertificate === each ? undefined : each.issuerCertificate
  }
  try {
    const [leaf, ...others] = shown.map((der) => decodeCertificate(der))
    const path = leaf && findPath(leaf, authorities, others)
    return path?.map(({ der }) => der) ?? shown
  } catch {
    // OpenSSL takes some certificates that are refused here; whoever judges says so.
    return shown
  }
}

const longestChain = 10

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
