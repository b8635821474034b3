/**
 * A chain proven by its signatures: from a certificate up to a root that is trusted, out of whatever stands about.
 *
 * A TLS library says that there is such a path, and shows one that it guessed by names; a peer may have put a certificate
 * of the right name and its own key there. So whoever wants to know who issued what looks here. Dates, names and purposes
 * have been the TLS library's affair.
 */
import { isSameBytes } from '../der/bytes.ts'
import type { Certificate } from './certificate.ts'
import { findIssuer } from './issuer.ts'
import { isSameName } from './name.ts'

/**
 * Finds a path of certificates, each issued by the next, from `leaf` to a self-signed one among `anchors`.
 *
 * @param anchors - trusted; those that are no roots may stand in the path
 * @param others - not trusted, in any order
 * @returns undefined where there is none, or it is not found within a bounded search
 */
export function findPath(
  leaf: Certificate,
  anchors: readonly Certificate[],
  others: readonly Certificate[],
): readonly Certificate[] | undefined {
  let triesLeft = mostTries

  function climb(path: readonly Certificate[]): readonly Certificate[] | undefined {
    const last = path.at(-1) as Certificate
    if (isSameName(last.issuer, last.subject)) return anchors.some(isSame(last)) ? path : undefined
    if (path.length === longestPath) return undefined
    for (const issuer of [...anchors, ...others]) {
      if (!isSameName(last.issuer, issuer.subject) || path.some(isSame(issuer))) continue
      if (triesLeft-- <= 0) return undefined
      const found = findIssuer(last, [issuer]) && climb([...path, issuer])
      if (found !== undefined) return found
    }
    return undefined
  }

  return climb([leaf])
}

function isSame(one: Certificate): (other: Certificate) => boolean {
  return (other) => isSameBytes(one.der, other.der)
}

/** Certificates that name each other in circles would be tried in every order. */
const mostTries = 64
const longestPath = 10
