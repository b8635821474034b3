/**
 * Delegated responders whose certificate lacks id-pkix-ocsp-nocheck, under the policy `check`: their own status is asked,
 * by their own responder, else in their CRL, and what was learned is held as long as the answer is.
 *
 * A revoked delegate's answer is refused; one of whom nothing can be learned counts, with a warning. For the operator's
 * staples only: nobody's handshake waits for this.
 *
 * @see RFC 6960 §4.2.2.2.1
 */

import { isStapleError, StapleError } from '../../errors.ts'
import type { VerifiedOcspResponse } from '../../pki/ocsp/verify.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import { certificateKey } from '../../pki/x509/crypto.ts'
import { formatName } from '../../pki/x509/name.ts'
import type { Clock } from '../clock.ts'
import type { Origin } from './contract.ts'
import { createFlights } from './flights.ts'
import type { Stop } from './stop.ts'

/** What was learned about a delegate. */
export interface DelegateStatus {
  readonly certStatus: 'good' | 'revoked' | 'unlearned'
  /** Until when it counts. */
  readonly until: Date
  /** Why nothing was learned. */
  readonly why?: string
}

/** The question about a delegate: who it is and who issued it. */
export interface DelegateQuestion {
  readonly certificate: Certificate
  readonly issuer: Certificate
  readonly origin: Origin
}

export interface DelegatesOptions {
  readonly clock: Clock
  /** Asks the delegate's CA by one way; undefined when that way leads nowhere. */
  readonly ways: readonly ((
    question: DelegateQuestion,
    deadlineMs: number,
    stop: Stop,
  ) => Promise<Learned | undefined>)[]
}

export interface Learned {
  readonly certStatus: 'good' | 'revoked' | 'unknown'
  readonly until: Date
}

export interface Delegates {
  /**
   * Settles a response that says `needsDelegateCheck`: the same with that done.
   *
   * @param of - at most a third of its deadline is spent here
   * @throws {@link StapleError} `ERR_OCSP_RESPONDER_NOT_AUTHORIZED` when its signer is revoked
   */
  settle(response: VerifiedOcspResponse, of: Asked, stop: Stop): Promise<VerifiedOcspResponse>
}

/** What is needed of the question that the response answers. */
export interface Asked {
  readonly issuer: Certificate
  readonly origin: Origin
  readonly deadlineMs: number
}

/** For all ways together: an attempt must not end for the sake of this. */
const mostMs = 10_000
/** After nothing was learned, it is asked again when so much time has passed. */
const pauseMs = 300_000
const mostDelegates = 256

export function createDelegates({ clock, ways }: DelegatesOptions): Delegates {
  const known = new Map<string, DelegateStatus>()
  const flights = createFlights<DelegateStatus>()

  async function learn(question: DelegateQuestion, deadlineMs: number, stop: Stop): Promise<DelegateStatus> {
    const startedAt = clock.monotonicMs()
    const failures: string[] = []
    for (const [index, ask] of ways.entries()) {
      const leftMs = deadlineMs - (clock.monotonicMs() - startedAt)
      try {
        const learned = await ask(question, leftMs / (ways.length - index), stop)
        if (learned !== undefined && learned.certStatus !== 'unknown')
          return { ...learned, certStatus: learned.certStatus }
        if (learned !== undefined) failures.push('its responder does not know it')
      } catch (error) {
        stop.throwIfStopped()
        if (!isStapleError(error)) throw error
        failures.push(error.message)
      }
    }
    const why = failures.length === 0 ? 'it names no responder and no distribution point' : failures.join('; ')
    return { certStatus: 'unlearned', until: new Date(clock.now().getTime() + pauseMs), why }
  }

  async function statusOf(question: DelegateQuestion, deadlineMs: number, stop: Stop): Promise<DelegateStatus> {
    const key = `${question.origin} ${certificateKey(question.certificate.der)} ${certificateKey(question.issuer.der)}`
    const held = known.get(key)
    if (held !== undefined && clock.now() < held.until) return held
    const status = await flights.board(key, stop, (flight) => learn(question, deadlineMs, flight))
    known.delete(key)
    known.set(key, status)
    if (known.size > mostDelegates) known.delete(known.keys().next().value as string)
    return status
  }

  return {
    async settle(response, { issuer, origin, deadlineMs }, stop) {
      const { certificate } = response.signer
      if (!response.needsDelegateCheck || certificate === undefined) return response
      const status = await statusOf({ certificate, issuer, origin }, Math.min(mostMs, deadlineMs / 3), stop)
      const { warnings } = response
      switch (status.certStatus) {
        case 'revoked':
          throw revoked(certificate)
        case 'good':
          return {
            ...response,
            needsDelegateCheck: false,
            warnings: warnings.filter(({ code }) => code !== 'delegate-without-nocheck'),
          }
        case 'unlearned': {
          const message = `the status of the responder's certificate could not be learned, and its answer counts: ${status.why}`
          const warning = { code: 'delegate-unchecked', message } as const
          return { ...response, needsDelegateCheck: false, warnings: [...warnings, warning] }
        }
      }
    },
  }
}

function revoked(certificate: Certificate): StapleError {
  const found = `revoked: ${formatName(certificate.subject)}`
  const message = `the signer may not sign for this issuer: its certificate is ${found}`
  return new StapleError('ERR_OCSP_RESPONDER_NOT_AUTHORIZED', message, {
    field: 'basicResponse.certs',
    expected: 'a certificate that is not revoked',
    found,
    clause: 'RFC 6960 §4.2.2.2.1',
  })
}
