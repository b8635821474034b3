/**
 * Whether Node trusts a chain, in its own codes. Where the server ended the handshake before Node came to that, the chain
 * is gone through here: for a probe's record only, which nothing is let in by.
 */
import { X509Certificate } from 'node:crypto'
import { checkServerIdentity, type TLSSocket } from 'node:tls'
import type { TrustRecord } from './record.ts'
import type { Roots } from './trust.ts'
import { shorten } from './words.ts'

/** What Node found at the end of the handshake. */
export function finishTrust(socket: TLSSocket, identityError: Error | undefined): TrustRecord {
  if (socket.authorized) return { isTrusted: true }
  // a string at run time, whatever the types say
  const given = socket.authorizationError as unknown
  const code = typeof given === 'string' ? given : ((given as NodeJS.ErrnoException | undefined)?.code ?? 'UNKNOWN')
  return untrusted(code, identityError?.message)
}

/** The same by our own walk along the chain: links, signatures, times, a root at its end, the name. */
export function judgeUnfinished(chain: readonly Uint8Array[], roots: Roots, identity: string, at: Date): TrustRecord {
  try {
    const certificates = chain.map((der) => new X509Certificate(der))
    for (const [index, one] of certificates.entries()) {
      if (new Date(one.validFrom) > at) return untrusted('CERT_NOT_YET_VALID')
      if (new Date(one.validTo) < at) return untrusted('CERT_HAS_EXPIRED')
      const next = certificates[index + 1]
      if (next && !(one.checkIssued(next) && one.verify(next.publicKey))) return untrusted('CERT_SIGNATURE_FAILURE')
    }
    const last = certificates.at(-1)
    if (!last) return untrusted('UNKNOWN')
    if (!roots.has(last.raw) && !roots.issued(last)) {
      const isRoot = last.checkIssued(last)
      if (certificates.length > 1)
        return untrusted(isRoot ? 'SELF_SIGNED_CERT_IN_CHAIN' : 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY')
      return untrusted(isRoot ? 'DEPTH_ZERO_SELF_SIGNED_CERT' : 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    }
    const mismatch = checkServerIdentity(identity, (certificates[0] as X509Certificate).toLegacyObject())
    return mismatch ? untrusted('ERR_TLS_CERT_ALTNAME_INVALID', mismatch.message) : { isTrusted: true }
  } catch (error) {
    return untrusted('UNKNOWN', (error as Error).message)
  }
}

function untrusted(code: string, reason: string | undefined = reasons[code]): TrustRecord {
  return { isTrusted: false, code, ...(reason === undefined ? {} : { reason: shorten(reason) }) }
}

const reasons: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the server sent the leaf alone, and its issuer is not among the roots',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the chain leads to no root that is trusted here',
  UNABLE_TO_GET_ISSUER_CERT: 'the chain leads to no root that is trusted here',
  SELF_SIGNED_CERT_IN_CHAIN: 'the chain ends in a root that is not trusted here',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is signed by itself',
  CERT_HAS_EXPIRED: 'a certificate of the chain has expired',
  CERT_NOT_YET_VALID: 'a certificate of the chain is not good yet',
  CERT_SIGNATURE_FAILURE: 'a signature of the chain does not verify',
  INVALID_CA: 'a certificate of the chain may not issue others',
  INVALID_PURPOSE: 'the certificate may not be used for a server',
  PATH_LENGTH_EXCEEDED: 'the chain is longer than its CA allows',
}
