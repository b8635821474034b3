/**
 * An asker with a memory that outlives it: what was held on disk is verified and handed to it, what it learns is held, and
 * an answer that is out of date but says revoked still counts for one thing.
 *
 * The asker beneath keeps what counts now, by certID, and asks each question once.
 */
import type { StatusAnswer, StatusAsker, StatusQuestion } from '../../check/revocation/index.ts'
import { isStapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import type { VerifyPolicies } from '../../keep/fetch/index.ts'
import { certificateKey } from '../../pki/x509/crypto.ts'
import { formatName } from '../../pki/x509/name.ts'
import type { HeldResponses } from './answers.ts'
import { bringBack, type Revocation, revokedBefore } from './bring-back.ts'

export interface HeldAskerOptions {
  readonly asker: StatusAsker
  readonly responses: HeldResponses
  readonly policies: VerifyPolicies
  readonly clock: Clock
  readonly counts: { hits: number; misses: number }
  /** What is held may not answer: each question is put to the CA. */
  readonly isForgetful: boolean
}

/** A question; answers that came longer ago count only where no newer one can be had. */
export type AgedQuestion = StatusQuestion & { readonly maxAgeMs?: number }

/** Creates it over an asker. */
export function createHeldAsker(
  o: HeldAskerOptions,
): (question: AgedQuestion, signal?: AbortSignal) => Promise<StatusAnswer> {
  const { asker, responses, policies, clock, counts } = o
  /** When a CA last answered, whatever it said; the oldest go. */
  const answered = new Map<string, number>()
  /** When one was last asked for a newer answer and gave none. */
  const refused = new Map<string, number>()

  function note(key: string, question: StatusQuestion, answer: StatusAnswer): void {
    remember(answered, key)
    refused.delete(key)
    const { response, certStatus, usableUntil } = answer
    if (response === undefined || o.isForgetful) return
    const subject = formatName(question.certificate.subject)
    responses.put(key, { subject, cachedAt: clock.now(), certStatus, usableUntil, der: response.der })
  }

  function remember(times: Map<string, number>, key: string): void {
    times.delete(key)
    times.set(key, clock.now().getTime())
    if (times.size > mostRemembered) times.delete(times.keys().next().value as string)
  }

  /** What is held on the certificate is given to the asker, where that has nothing. */
  function recallOld(key: string, { certificate, issuer, asking }: StatusQuestion): Revocation | undefined {
    if (o.isForgetful) return undefined
    const held = responses.find(key)
    if (held === undefined) return undefined
    const isInHand = held.usableUntil > clock.now() && asker.recall(certificate, issuer) !== undefined
    if (isInHand) return undefined
    const back = bringBack(held.der, {
      ...definedOf(policies),
      certificate,
      issuer,
      at: clock.now(),
      ...(asking?.responderCertificate && { responderCertificate: asking.responderCertificate }),
    })
    if (back.kind === 'counts') {
      asker.remember(certificate, issuer, back.response)
      if (!answered.has(key)) answered.set(key, held.cachedAt.getTime())
      return undefined
    }
    if (back.kind === 'was-revoked') return back
    // Out of date, or not about this certificate: nothing that could ever count again.
    responses.drop(key)
    return undefined
  }

  /** Whether an answer that still counts is to be replaced. A CA that gives none is left alone for a while. */
  function isOverdue(key: string, { certificate, issuer }: StatusQuestion, maxAgeMs: number | undefined): boolean {
    if (maxAgeMs === undefined || isWithin(answered.get(key), maxAgeMs)) return false
    return !isWithin(refused.get(key), Math.min(maxAgeMs, retryMs)) && asker.recall(certificate, issuer) !== undefined
  }

  function isWithin(since: number | undefined, ms: number): boolean {
    if (since === undefined) return false
    const ageMs = clock.now().getTime() - since
    return ageMs >= 0 && ageMs < ms
  }

  return async ({ maxAgeMs, ...question }, signal) => {
    const key = certificateKey(question.certificate.der)
    const revocation = recallOld(key, question)
    const isFresh = o.isForgetful || isOverdue(key, question, maxAgeMs)
    /** An older answer takes nothing back, and does not when it is heard again: whoever is on the way could have kept it. */
    const take = (answer: StatusAnswer): StatusAnswer => {
      if (revocation && answer.certStatus !== 'revoked' && answer.thisUpdate < revocation.thisUpdate) {
        throw revokedBefore(question.certificate, revocation)
      }
      return answer
    }
    try {
      const answer = await asker.ask({ ...question, isFresh }, signal)
      counts[answer.isCached ? 'hits' : 'misses']++
      take(answer)
      if (!answer.isCached) note(key, question, answer)
      return answer
    } catch (thrown) {
      if (!isStapleError(thrown, 'ERR_PEER_STATUS_UNAVAILABLE')) throw thrown
      remember(refused, key)
      const still = isFresh && !o.isForgetful ? asker.recall(question.certificate, question.issuer) : undefined
      counts[still ? 'hits' : 'misses']++
      if (still) return take({ ...still, failures: thrown.detail.causes })
      if (revocation) throw revokedBefore(question.certificate, revocation, thrown)
      throw thrown
    }
  }
}

/** The options that verifyOcspResponse knows, without the absent ones. */
function definedOf(policies: VerifyPolicies): { [K in keyof VerifyPolicies]: Exclude<VerifyPolicies[K], undefined> } {
  return Object.fromEntries(Object.entries(policies).filter(([, value]) => value !== undefined))
}

const mostRemembered = 20_000
const retryMs = 30_000
