/** Who may come in: what is asked of clients' certificates, beyond what OpenSSL verifies. */
import type { TLSSocket } from 'node:tls'
import { decodeCertificate } from '../../pki/x509/certificate.ts'
import { hash } from '../../pki/x509/crypto.ts'
import type { ClientAuth } from './options.ts'

/** Names a demand, equal for equal ones; empty for none. Short enough for a session id context with its prefix. */
export function authIdOf(clientAuth: ClientAuth | undefined): string {
  return clientAuth === undefined ? '' : hex(hash('sha256', Buffer.from(clientAuth.ca))).slice(0, 16)
}

/** Tells whether the client's public key is among the pinned ones: SHA-256 of its SubjectPublicKeyInfo, as nats-server. */
export function isPinned(client: TLSSocket, pinnedKeys: readonly string[]): boolean {
  const { raw } = client.getPeerCertificate()
  if (raw === undefined) return false
  return pinnedKeys.includes(hex(hash('sha256', decodeCertificate(raw).subjectPublicKeyInfo)))
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
