/**
 * Which connection is made next to one address: decided from what the earlier ones showed. Pure; connection.ts makes them.
 *
 * The rule, for each address, with N connections for each kind of certificate that it shows:
 *
 * 1. Both kinds of key are offered on TLS 1.3; where that fails, on TLS 1.2. An address that fails both is left alone; one
 *    that cannot be connected to, hangs or speaks no TLS, at once, or after two such in a row when it had shown something.
 * 2. The kind of key that was not shown is offered alone. A refusal counts among the N of the first kind; what is shown
 *    gives the second kind N of its own.
 * 3. Until N are made, TLS 1.2 and 1.3 are offered in turn, so that both are seen and a staple that comes only at times is
 *    caught (each nginx worker misses once). A version that is refused is not offered again. Where there are two kinds of
 *    certificate, each is asked for alone; where there is one, both kinds are offered, as ordinary clients do: a server that
 *    is strict about its chain's signatures would refuse less.
 *
 * So at most N connections where one certificate is shown, 2 N where two are.
 */
import type { KeyFamily, TlsVersion } from './record.ts'

/** What a connection is to offer, as far as the plan decides it. */
export interface PlannedOffer {
  readonly version: TlsVersion
  readonly keyFamilies: readonly KeyFamily[]
}

/** A connection that was made, and what came of it. */
export interface Attempt extends PlannedOffer {
  /**
   * `shown`: a certificate was seen. `refused`: it came to TLS, and no further. `unreachable`: it did not come to TLS, or no
   * answer came in time.
   * `again`: it failed for a reason that the next one avoids, as an ALPN that the server does not know.
   */
  readonly outcome: 'shown' | 'refused' | 'unreachable' | 'again'
  /** With `shown`: the kind of key, as Node names it. */
  readonly keyFamily?: string
}

const bothFamilies: readonly KeyFamily[] = ['ecdsa', 'rsa']

/** @returns what the next connection offers; undefined: there is none */
export function planNext(attempts: readonly Attempt[], connections: number): PlannedOffer | undefined {
  const last = attempts.at(-1)
  const first = attempts.find(isShown)
  if (!first) {
    if (attempts.length >= connections || last?.outcome === 'unreachable') return undefined
    if (last?.outcome === 'again') return offerOf(last)
    const version = versionOrder.find((one) => !isTried(attempts, one))
    return version && { version, keyFamilies: bothFamilies }
  }

  if (last?.outcome === 'unreachable' && attempts.at(-2)?.outcome === 'unreachable') return undefined
  const firstFamily = familyOf(first)
  const secondFamily: KeyFamily = firstFamily === 'rsa' ? 'ecdsa' : 'rsa'
  const asked = attempts.filter((one) => isOnly(one, secondFamily))
  const hasSecond = attempts.some((one) => isShown(one) && familyOf(one) === secondFamily && !isOnly(one, firstFamily))
  const second = hasSecond ? asked : []
  if (attempts.length - second.length < connections) {
    if (last?.outcome === 'again') return offerOf(last)
    if (asked.length === 0 && !hasSecond) return { version: first.version, keyFamilies: [secondFamily] }
    const own = attempts.filter((one) => !isOnly(one, secondFamily))
    return { version: nextVersion(attempts, own), keyFamilies: hasSecond && firstFamily ? [firstFamily] : bothFamilies }
  }
  if (!hasSecond || second.length >= connections) return undefined
  return { version: nextVersion(attempts, second), keyFamilies: [secondFamily] }
}

const versionOrder: readonly TlsVersion[] = ['TLSv1.3', 'TLSv1.2']

/** The version that this kind of key was asked with less often, of those that the server speaks or may speak. */
function nextVersion(all: readonly Attempt[], own: readonly Attempt[]): TlsVersion {
  const isMissing = (version: TlsVersion) =>
    own.some((one) => one.version === version && one.outcome === 'refused') &&
    !own.some((one) => one.version === version && isShown(one))
  const open = versionOrder.filter((version) => !isMissing(version) && !isNowhere(all, version))
  const count = (version: TlsVersion) => own.filter((one) => one.version === version).length
  const [newer = 'TLSv1.3', older] = open
  return older !== undefined && count(older) < count(newer) ? older : newer
}

/** Both kinds of key were refused with it: no need to ask each of them once more. */
function isNowhere(all: readonly Attempt[], version: TlsVersion): boolean {
  const own = all.filter((one) => one.version === version)
  return own.some((one) => one.outcome === 'refused' && one.keyFamilies.length > 1) && !own.some(isShown)
}

function isTried(attempts: readonly Attempt[], version: TlsVersion): boolean {
  return attempts.some((one) => one.version === version)
}

function isShown(attempt: Attempt): boolean {
  return attempt.outcome === 'shown'
}

function isOnly(attempt: Attempt, family: KeyFamily | undefined): boolean {
  return attempt.keyFamilies.length === 1 && attempt.keyFamilies[0] === family
}

/** Undefined: a kind that is not asked for alone, as Ed25519. */
function familyOf(attempt: Attempt): KeyFamily | undefined {
  if (attempt.keyFamily === 'ecdsa') return 'ecdsa'
  return attempt.keyFamily?.startsWith('rsa') ? 'rsa' : undefined
}

function offerOf({ version, keyFamilies }: Attempt): PlannedOffer {
  return { version, keyFamilies }
}
