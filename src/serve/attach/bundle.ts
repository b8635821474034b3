/** Certificates as users have them: PEM bundles, DER leaves, arrays of either, as Node's own `cert` and `ca` take them. */

import { StapleError } from '../../errors.ts'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'
import { keyType } from '../../pki/x509/crypto.ts'
import { parsePemCertificates } from '../../pki/x509/pem.ts'

/** A leaf and what came with it. */
export interface Bundle {
  readonly leaf: Certificate
  readonly others: readonly Certificate[]
}

/** Reads one bundle: PEM with the leaf first, or the DER of a leaf alone. */
export function readBundle(option: string, given: string | Uint8Array): Bundle {
  if (typeof given !== 'string' && !ArrayBuffer.isView(given)) {
    throw new TypeError(
      `${option}: expected PEM or DER, as text or bytes, found ${given === null ? 'null' : typeof given}`,
    )
  }
  // A SEQUENCE: no PEM begins with it.
  const certificates =
    typeof given !== 'string' && given[0] === 0x30 ? [decodeCertificate(given)] : parsePemCertificates(given)
  const [leaf, ...others] = certificates as [Certificate, ...Certificate[]]
  return { leaf, others }
}

/** Reads `cert` or `ca` as Node takes them: one bundle, or an array of them. */
export function readBundles(
  option: string,
  given: string | Uint8Array | readonly (string | Uint8Array)[] | undefined,
): Bundle[] {
  if (given === undefined || given === null) return []
  const list = Array.isArray(given) ? given : [given as string | Uint8Array]
  return list.map((one, index) => readBundle(Array.isArray(given) ? `${option}[${index}]` : option, one))
}

/**
 * Refuses several types of keys where the certificate that Node names may not be the one that it shows: always those of
 * one context together; of separate ones when they are for the same name, which only one context can serve, or when
 * Node does not keep contexts apart.
 *
 * @throws {@link StapleError} `ERR_ATTACH_DUAL_KEY`
 */
export function refuseSeveralKeyTypes(leaves: readonly Certificate[], contexts: 'one' | 'separate' | 'mingled'): void {
  for (const [index, leaf] of leaves.entries()) {
    for (const other of leaves.slice(index + 1)) {
      const [one, two] = [keyType(leaf), keyType(other)]
      if (one === two || (contexts === 'separate' && !haveCommonName(leaf, other))) continue
      const where = contexts === 'mingled' ? 'in contexts that Node before 24 does not keep apart' : 'for the same name'
      const message = `certificates with ${one} and ${two} keys ${where}: Node would name one of them in handshakes that show the other`
      throw new StapleError('ERR_ATTACH_DUAL_KEY', message, { one, two })
    }
  }
}

function haveCommonName(one: Certificate, other: Certificate): boolean {
  const names = new Set(one.extensions.dnsNames)
  return other.extensions.dnsNames.some((name) => names.has(name))
}
