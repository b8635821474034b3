/**
 * What was learned of certificates, kept per certID: bounded, judged by time at each recall, never traded for worse.
 *
 * An `unknown` is kept apart and for seconds only: a responder may not have heard of a young certificate yet, and its
 * shrug must not outlive that.
 */
import { createCertID } from '../../pki/ocsp/cert-id-match.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import type { RevocationPolicy, StatusAnswer } from './contract.ts'

/** An answer, and when it came. */
export interface HeldAnswer {
  readonly answer: StatusAnswer
  readonly learnedAt: Date
}

export interface StatusCache {
  /** The answer that counts at that moment for who asks by this policy. */
  recall(key: string, policy: RevocationPolicy, at: Date): HeldAnswer | undefined
  /** Keeps an answer, unless what is held is newer, or a revocation that is not older. */
  take(key: string, answer: StatusAnswer, at: Date): void
}

export interface StatusCacheOptions {
  /** Certificates held; the least recently used goes. */
  readonly entries: number
  /** How long an `unknown` is repeated. */
  readonly unknownMs: number
  /** How far thisUpdate may lie ahead, and at most half the window: else a clock set back would keep answers for ever. */
  readonly allowedClockSkewMs: number
}

/** What a cache is kept by: the certID, under SHA-256 whatever the CA was asked with. */
export function statusKey(certificate: Certificate, issuer: Certificate): string {
  const { issuerNameHash, issuerKeyHash, serialNumber } = createCertID(certificate, issuer, 'sha256')
  const hashes = Buffer.concat([issuerNameHash, issuerKeyHash]).toString('latin1')
  return `${hashes}${serialNumber.toString(16)}`
}

export function createStatusCache(o: StatusCacheOptions): StatusCache {
  const entries = new Map<string, Entry>()

  const counts = (held: HeldAnswer | undefined, at: Date) => held !== undefined && isInTime(held.answer, at, o)

  return {
    recall(key, policy, at) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      entries.set(key, entry)
      return choose(
        {
          ...(counts(entry.ocsp, at) && { ocsp: entry.ocsp }),
          ...(counts(entry.crl, at) && { crl: entry.crl }),
          ...(counts(entry.unknown, at) && isYounger(entry.unknown, at, o.unknownMs) && { unknown: entry.unknown }),
        },
        policy,
      )
    },
    take(key, answer, at) {
      const entry = entries.get(key) ?? {}
      const shelf = answer.certStatus === 'unknown' ? 'unknown' : answer.source
      const held = entry[shelf]
      if (held !== undefined && counts(held, at) && !isNoWorse(answer, held.answer)) return
      entries.delete(key)
      entries.set(key, { ...entry, [shelf]: { answer, learnedAt: at } })
      if (entries.size > o.entries) entries.delete(entries.keys().next().value as string)
    },
  }
}

/** Tells whether an answer came less than so long ago; one from after now, by a clock set back, did not. */
export function isYounger(held: HeldAnswer | undefined, at: Date, ms: number): boolean {
  if (held === undefined) return false
  const ageMs = at.getTime() - held.learnedAt.getTime()
  return ageMs >= 0 && ageMs < ms
}

interface Entry {
  readonly ocsp?: HeldAnswer | undefined
  readonly crl?: HeldAnswer | undefined
  readonly unknown?: HeldAnswer | undefined
}

/** Where the policy would look; but a revocation that is known counts wherever it was learned, unless it is older. */
function choose({ ocsp, crl, unknown }: Entry, policy: RevocationPolicy): HeldAnswer | undefined {
  const wanted = { ocsp, crl, 'ocsp-then-crl': ocsp ?? crl }[policy]
  const revoked = [ocsp, crl].find((held) => held?.answer.certStatus === 'revoked' && !isOlder(held, wanted))
  if (revoked !== undefined) return revoked
  const isUnknown = policy !== 'crl' && unknown !== undefined && wanted?.answer.certStatus !== 'revoked'
  return isUnknown && !isOlder(unknown, wanted) ? unknown : wanted
}

function isOlder(held: HeldAnswer, than: HeldAnswer | undefined): boolean {
  return than !== undefined && held.answer.thisUpdate < than.answer.thisUpdate
}

function isInTime({ thisUpdate, usableUntil }: StatusAnswer, at: Date, o: StatusCacheOptions): boolean {
  const windowMs = usableUntil.getTime() - thisUpdate.getTime()
  const skewMs = Math.min(o.allowedClockSkewMs, Math.max(0, windowMs) / 2)
  return at < usableUntil && thisUpdate.getTime() <= at.getTime() + skewMs
}

/** Of two that count: the later thisUpdate; with equal ones, a revocation stays. */
function isNoWorse(answer: StatusAnswer, held: StatusAnswer): boolean {
  const ms = answer.thisUpdate.getTime() - held.thisUpdate.getTime()
  if (ms !== 0) return ms > 0
  return answer.certStatus === 'revoked' || held.certStatus !== 'revoked'
}
