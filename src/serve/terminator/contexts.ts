/** What OpenSSL is given: a context per certificate, and the ticket keys that all of them share. */
import { constants, randomBytes } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import type { Site, SiteCertificate } from './site.ts'

/** The options of a context that shows a certificate as its site wants it; without one, of a context that shows none. */
export function contextOptions(site: Site, certificate: SiteCertificate | undefined): SecureContextOptions {
  const { minVersion = 'TLSv1.2', ciphers, ecdhCurve } = site.options
  return {
    ...(certificate && { cert: certificate.options.chain, key: certificate.options.key }),
    ...(certificate?.options.passphrase !== undefined && { passphrase: certificate.options.passphrase }),
    minVersion,
    ...(ciphers !== undefined && { ciphers }),
    ...(ecdhCurve !== undefined && { ecdhCurve }),
    honorCipherOrder: true,
    secureOptions: site.options.clientAuth?.ocspPeer ? secureOptions | constants.SSL_OP_NO_TICKET : secureOptions,
    sessionIdContext: `${sessionIdContext}${site.authId}`,
    ...(site.options.clientAuth && { ca: site.options.clientAuth.ca }),
  }
}

/** The lowest version that any site allows: a connection's version is agreed on before its site is known. */
export function lowestVersion(sites: readonly Site[]): 'TLSv1.2' | 'TLSv1.3' {
  return sites.every((site) => site.options.minVersion === 'TLSv1.3') ? 'TLSv1.3' : 'TLSv1.2'
}

/** Fresh keys: what was sealed with the old ones is not resumed any more. */
export function createTicketKeys(): Buffer {
  return randomBytes(48)
}

/**
 * A session is resumed only where it says the same: contexts, key types, workers and reloads of one front all share it,
 * but not those who ask clients for certificates with those who do not. OpenSSL takes 32 bytes.
 */
const sessionIdContext = 'staplewright'

/**
 * A client that renegotiates would be shown a certificate again without anybody judging it; TLS 1.3 has none of it.
 *
 * Where the CA is asked about clients, no session is resumed either (SSL_OP_NO_TICKET, and Node keeps none by itself):
 * a session carries the client's leaf but not the chain above it, whose status is asked as well.
 */
const secureOptions = constants.SSL_OP_NO_RENEGOTIATION
