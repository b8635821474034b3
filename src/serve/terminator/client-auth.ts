/** Who may come in: what is asked of clients' certificates, beyond what OpenSSL verifies. */
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'
import { certificateKey, hash } from '../../pki/x509/crypto.ts'
import { findPath } from '../../pki/x509/path.ts'
import type { ClientAuth, PeerQuestion } from './options.ts'

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
 * Creates a reader of clients' chains: DER, the leaf first, each issued by the next, up to a root among the authorities.
 * Where there is no such path, what the client showed.
 *
 * Node shows a path that it guesses by names; some versions of Node 26 the leaf alone. What was proven of a leaf is
 * remembered: to read and prove a chain costs as much as a quarter of a handshake.
 */
export function createChainReader(authorities: readonly Certificate[]): (client: TLSSocket) => ClientChain {
  const proven = new Map<string, ClientChain>()
  return (client) => {
    const { raw } = client.getPeerCertificate()
    if (raw === undefined) return { chain: [], isProven: false }
    const key = certificateKey(raw)
    const known = proven.get(key)
    if (known) return known
    const shown = readShown(client)
    const path = provePath(shown, authorities)
    if (path === undefined) return { chain: shown, isProven: false }
    const found = { chain: path, isProven: true }
    proven.set(key, found)
    if (proven.size > mostProven) proven.delete(proven.keys().next().value as string)
    return found
  }
}

export type ClientChain = Pick<PeerQuestion, 'chain' | 'isProven'>

function readShown(client: TLSSocket): readonly Uint8Array[] {
  const shown: Uint8Array[] = []
  let each: Partial<DetailedPeerCertificate> | undefined = client.getPeerCertificate(true)
  while (each?.raw !== undefined && shown.length < longestChain) {
    shown.push(each.raw)
    each = each.issuerCertificate === each ? undefined : each.issuerCertificate
  }
  return shown
}

function provePath(
  shown: readonly Uint8Array[],
  authorities: readonly Certificate[],
): readonly Uint8Array[] | undefined {
  try {
    const [leaf, ...others] = shown.map((der) => decodeCertificate(der))
    return leaf && findPath(leaf, authorities, others)?.map(({ der }) => der)
  } catch {
    // OpenSSL takes some certificates that are refused here; whoever judges says so.
    return undefined
  }
}

/** Some 3 KB each. */
const mostProven = 2_000
const longestChain = 10

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
