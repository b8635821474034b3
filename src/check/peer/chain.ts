/**
 * The chain of a peer that Node verified, read once and proven again link by link.
 *
 * Node verifies that a path to a root exists, but what it shows as `issuerCertificate` was chosen by name among what the
 * peer sent: an attacker can put an issuer of that name and his own key there. So each link's signature counts here.
 */
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { isSameBytes } from '../../pki/der/bytes.ts'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'
import { findIssuer } from '../../pki/x509/issuer.ts'
import { isSameName } from '../../pki/x509/name.ts'

export interface PeerChain {
  readonly leaf: Certificate
  /** Proven to have issued the leaf; absent where none of those shown did. */
  readonly issuer?: Certificate
  /** The certificates to ask about beside the leaf, each with its proven issuer: all but the root. */
  readonly intermediates: readonly { readonly certificate: Certificate; readonly issuer: Certificate }[]
}

/** Reads the chain; undefined where the peer showed no certificate. @throws {@link StapleError} of what cannot be decoded */
export function readChain(socket: TLSSocket): PeerChain | undefined {
  // Never getPeerX509Certificate(): on Node 20 to 24 it damages the chain (nodejs/node#65579).
  const [leaf, ...above] = shown(socket.getPeerCertificate(true)).map((der) => decodeCertificate(der))
  if (leaf === undefined) return undefined
  const path: Certificate[] = [leaf]
  for (let issuer = findIssuer(leaf, above); issuer !== undefined; issuer = findIssuer(issuer, above)) {
    path.push(issuer)
    if (isSameName(issuer.issuer, issuer.subject) || path.length > above.length) break
  }
  const [, issuer] = path
  const intermediates = path.slice(1, -1).map((certificate, index) => {
    return { certificate, issuer: path[index + 2] as Certificate }
  })
  return { leaf, ...(issuer !== undefined && { issuer }), intermediates }
}

/** The certificates as Node links them, from the leaf up; a root is its own issuer. */
function shown(leaf: DetailedPeerCertificate): Uint8Array[] {
  const chain: Uint8Array[] = []
  for (let at: DetailedPeerCertificate | undefined = leaf; at?.raw !== undefined; at = at.issuerCertificate) {
    const { raw } = at
    if (chain.some((known) => isSameBytes(known, raw)) || chain.length === mostCertificates) break
    chain.push(raw)
  }
  return chain
}

const mostCertificates = 16
