/** Whether the runtime can staple at all: a feature of Node's own TLS, which others imitate without it. */
import { StapleError } from '../../errors.ts'

/** What is looked at of `process`. */
export interface Runtime {
  readonly versions: Readonly<Record<string, string | undefined>>
  readonly features: { readonly tls_ocsp?: boolean }
}

/** Throws `ERR_ATTACH_UNSUPPORTED` where 'OCSPRequest' events do not exist, which else would be a silent lack of staples. */
export function requireOcspSupport({ versions, features }: Runtime = process): void {
  const fail = (what: string) => {
    throw new StapleError(
      'ERR_ATTACH_UNSUPPORTED',
      `${what}; use Node.js with OpenSSL, or staplewright serve in front`,
      { runtime: what },
    )
  }
  if (versions.bun !== undefined) fail(`Bun ${versions.bun} ignores 'OCSPRequest' listeners`)
  if (features.tls_ocsp === false)
    fail(`this Node.js ${versions.node ?? ''} was built without OCSP in TLS (process.features.tls_ocsp is false)`)
}

/**
 * Whether a context chosen by name shows its own certificate when its key is of another type than the default's.
 *
 * Node 20 and 22 put the named certificate beside the default one, and OpenSSL may show either; Node 24 replaces it.
 */
export function hasSeparateContexts({ versions }: Pick<Runtime, 'versions'> = process): boolean {
  return Number.parseInt(versions.node ?? '', 10) >= 24
}
