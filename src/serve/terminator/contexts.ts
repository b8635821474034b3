/**
 * What OpenSSL is given: one context per certificate, one without any for refusals, and the ticket keys they share.
 *
 * A refused client gets the context without a certificate: OpenSSL then answers handshake_failure by itself, for clients
 * that ask for a status and for those that do not, and nothing has to be looked at in every handshake.
 */
import { constants, randomBytes } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { Site, SiteCertificate } from './site.ts'

/** The options of a context that shows a certificate as its site wants it. */
export function contextOptions({ options, site }: SiteCertificate): SecureContextOptions {
  const { minVersion = 'TLSv1.2', ciphers, ecdhCurve } = site.options
  return {
    cert: options.chain,
    key: options.key,
    ...(options.passphrase !== undefined && { passphrase: options.passphrase }),
    minVersion,
    ...(ciphers !== undefined && { ciphers }),
    ...(ecdhCurve !== undefined && { ecdhCurve }),
    honorCipherOrder: true,
    secureOptions,
    sessionIdContext,
  }
}

/** A context on which every full handshake fails. */
export function createRefusingContext(): SecureContext {
  return createSecureContext({ sessionIdContext })
}

/** The options of a server on which every full handshake without a name fails. */
export function withoutCertificate(options: SecureContextOptions): SecureContextOptions {
  const { cert: _cert, key: _key, passphrase: _passphrase, ...rest } = options
  return rest
}

/** The lowest version that any site allows: a connection's version is agreed on before its site is known. */
export function lowestVersion(sites: readonly Site[]): 'TLSv1.2' | 'TLSv1.3' {
  return sites.every((site) => site.options.minVersion === 'TLSv1.3') ? 'TLSv1.3' : 'TLSv1.2'
}

/** Fresh keys: what was sealed with the old ones is not resumed any more. */
export function createTicketKeys(): Buffer {
  return randomBytes(48)
}

/** A session is resumed only where it says the same; contexts, key types, workers and reloads of one front all share it. */
const sessionIdContext = 'staplewright'

/** A client that renegotiates would be shown a certificate again without anybody judging it; TLS 1.3 has none of it. */
const secureOptions = constants.SSL_OP_NO_RENEGOTIATION
