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
