/**
 * What the ClientHellos offer, as SecureContexts: each variation is made once for each `ca`, since the roots alone take 20 ms.
 *
 * Everything is let in that OpenSSL can do, at security level 0: a weak key is to be seen, not refused.
 */
import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { PlannedOffer } from './plan.ts'
import { gatherRoots, type Roots } from './trust.ts'

export interface Contexts {
  readonly roots: Roots
  contextFor(offer: PlannedOffer): SecureContext
}

/** Of callers with other roots each, only the last few are remembered. */
const remembered = 4
const contextsByCa = new Map<string, Contexts>()

/** @returns the same for the same `ca` */
export function contextsWith(ca: readonly string[]): Contexts {
  const key = ca.join('\n')
  const known = contextsByCa.get(key)
  if (known) return known
  const roots = gatherRoots(ca)
  const made = new Map<string, SecureContext>()
  const contexts: Contexts = {
    roots,
    contextFor(offer) {
      const variation = `${offer.version} ${offer.keyFamilies.join(' ')}`
      let context = made.get(variation)
      if (!context) {
        context = createContext(offer, roots)
        made.set(variation, context)
      }
      return context
    },
  }
  for (const oldest of contextsByCa.keys()) {
    if (contextsByCa.size < remembered) break
    contextsByCa.delete(oldest)
  }
  contextsByCa.set(key, contexts)
  return contexts
}

function createContext({ version, keyFamilies }: PlannedOffer, roots: Roots): SecureContext {
  const [only] = keyFamilies
  const kind = keyFamilies.length === 1 && only !== undefined ? only : 'both'
  return createSecureContext({
    ca: [...roots.pem],
    minVersion: version,
    maxVersion: version,
    // in TLS 1.3 the suites do not name a kind of key; the signature algorithms do
    ciphers: `${tls13Suites}:${tls12Suites[kind]}:@SECLEVEL=0`,
    sigalgs: signatures[kind],
    // a server that does not know RFC 5746 yet is to be seen, too
    secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
  })
}

const tls13Suites = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256'

const tls12Suites = {
  both: 'ALL:COMPLEMENTOFALL:!aNULL:!eNULL:!aPSK:!aSRP',
  rsa: 'aRSA:!eNULL',
  ecdsa: 'aECDSA:!eNULL',
} as const

const rsaSignatures = [
  ...['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha512'],
  ...['rsa_pss_pss_sha256', 'rsa_pss_pss_sha384', 'rsa_pss_pss_sha512'],
  ...['RSA+SHA256', 'RSA+SHA384', 'RSA+SHA512', 'RSA+SHA224', 'RSA+SHA1'],
].join(':')
const ecdsaSignatures = 'ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ECDSA+SHA224:ECDSA+SHA1'

const signatures = {
  both: `${ecdsaSignatures}:ed25519:ed448:${rsaSignatures}`,
  rsa: rsaSignatures,
  ecdsa: ecdsaSignatures,
} as const
