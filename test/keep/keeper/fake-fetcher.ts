/** A fetcher without a network: it signs real responses at the hour of the test's clock, and fails as it is told. */
import { createPrivateKey } from 'node:crypto'
import { isStapleError, StapleError } from '../../../src/errors.ts'
import type { Clock } from '../../../src/keep/clock.ts'
import type { Fetcher, StapleQuestion } from '../../../src/keep/fetch/index.ts'
import { createCertID } from '../../../src/pki/ocsp/cert-id-match.ts'
import { signOcspResponse } from '../../../src/pki/ocsp/sign.ts'
import { verifyOcspResponse } from '../../../src/pki/ocsp/verify.ts'
import type { Certificate } from '../../../src/pki/x509/certificate.ts'
import type { Authority } from '../../kit/authority.ts'

/** How the responder answers one request. */
export interface Behaviour {
  readonly certStatus?: 'good' | 'revoked' | 'unknown'
  readonly thisUpdate: Date
  readonly nextUpdate?: Date
  readonly maxAgeMs?: number
  readonly dateSkewMs?: number
  /** After this long, by the test's clock. */
  readonly delayMs?: number
}

export interface FakeFetcher extends Omit<Fetcher, 'fetchCrl'> {
  /** What it answers; throwing a StapleError makes the attempt fail with it as its cause. Null: never answers. */
  behave: (at: Date, question: StapleQuestion) => Behaviour | null
  /** What it gives for an issuer; default: nothing. */
  issuer: Certificate | undefined
  readonly requests: { readonly at: number; readonly question: StapleQuestion }[]
  readonly aborted: number
  /** Requests without an answer yet. */
  readonly underWay: number
  issuerRequests: number
}

export function fakeFetcher(clock: Clock, authority: Authority): FakeFetcher {
  const privateKey = createPrivateKey(authority.intermediate.key)
  const signer = { certificate: authority.intermediate.certificate, privateKey }
  const requests: FakeFetcher['requests'] = []
  const signed = new Map<string, Uint8Array>()
  let aborted = 0
  let underWay = 0

  const sign = (question: StapleQuestion, behaviour: Behaviour): Uint8Array => {
    const { certStatus = 'good', thisUpdate, nextUpdate } = behaviour
    const name = `${question.certificate.serialNumber} ${certStatus} ${thisUpdate.getTime()} ${nextUpdate?.getTime()}`
    const known = signed.get(name)
    if (known) return known
    const der = signOcspResponse({
      signer,
      producedAt: thisUpdate,
      responses: [
        {
          certID: createCertID(question.certificate, question.issuer, 'sha1'),
          certStatus,
          thisUpdate,
          ...(nextUpdate && { nextUpdate }),
          ...(certStatus === 'revoked' && { revocationTime: thisUpdate, revocationReason: 'certificateHold' }),
        },
      ],
    })
    signed.set(name, der)
    return der
  }

  const answer = (question: StapleQuestion, behaviour: Behaviour) => {
    const { certificate, issuer, responderURLs } = question
    const response = verifyOcspResponse(sign(question, behaviour), { certificate, issuer, at: clock.now() })
    const { maxAgeMs, dateSkewMs, delayMs = 0 } = behaviour
    return {
      response,
      responderURL: responderURLs[0] as string,
      method: 'get' as const,
      hashAlgorithm: 'sha1' as const,
      elapsedMs: delayMs,
      failures: [],
      ...(maxAgeMs !== undefined && { maxAgeMs }),
      ...(dateSkewMs !== undefined && { dateSkewMs }),
    }
  }

  const fake = {
    behave: () => {
      throw unreachable()
    },
    issuer: undefined,
    issuerRequests: 0,
    requests,
    get aborted() {
      return aborted
    },
    get underWay() {
      return underWay
    },
    fetchStaple(question, signal) {
      const at = clock.now()
      requests.push({ at: at.getTime(), question })
      underWay++
      const answered = new Promise<Awaited<ReturnType<Fetcher['fetchStaple']>>>((resolve, reject) => {
        signal?.addEventListener('abort', () => {
          aborted++
          reject(signal.reason)
        })
        const respond = (make: () => Behaviour) => {
          try {
            resolve(answer(question, make()))
          } catch (thrown) {
            reject(isStapleError(thrown) ? failed([thrown]) : thrown)
          }
        }
        try {
          const behaviour = fake.behave(at, question)
          if (behaviour === null)
            return void clock.wake(question.deadlineMs ?? 30_000, () => reject(failed([timeout()])))
          if (behaviour.delayMs === undefined) respond(() => behaviour)
          else clock.wake(behaviour.delayMs, () => respond(() => behaviour))
        } catch (thrown) {
          respond(() => {
            throw thrown
          })
        }
      })
      return answered.finally(() => {
        underWay--
      })
    },
    async fetchIssuer() {
      fake.issuerRequests++
      if (fake.issuer) return fake.issuer
      throw new StapleError('ERR_FETCH_NO_ISSUER', 'no issuer', { causes: [unreachable()] })
    },
    async close() {},
  } as FakeFetcher
  return fake
}

/** A responder that signs every `everyMs` for `lifeMs`, and gives the same bytes in between. */
export function presigned(everyMs: number, lifeMs: number, certStatus?: Behaviour['certStatus']) {
  return (at: Date): Behaviour => {
    const thisUpdate = Math.floor(at.getTime() / everyMs) * everyMs
    return {
      thisUpdate: new Date(thisUpdate),
      nextUpdate: new Date(thisUpdate + lifeMs),
      ...(certStatus !== undefined && { certStatus }),
    }
  }
}

/** A responder that signs each answer anew. */
export function live(lifeMs: number, certStatus?: Behaviour['certStatus']) {
  return (at: Date): Behaviour => {
    const thisUpdate = Math.floor(at.getTime() / 1_000) * 1_000
    return {
      thisUpdate: new Date(thisUpdate),
      nextUpdate: new Date(thisUpdate + lifeMs),
      ...(certStatus !== undefined && { certStatus }),
    }
  }
}

export function unreachable(): StapleError {
  return new StapleError('ERR_FETCH_NETWORK', 'connect ECONNREFUSED', {
    url: 'http://responder.test/',
    networkCode: 'ECONNREFUSED',
  })
}

function timeout(): StapleError {
  return new StapleError('ERR_FETCH_TIMEOUT', 'no answer in time', { url: 'http://responder.test/' })
}

function failed(causes: readonly StapleError[]): StapleError {
  return new StapleError('ERR_FETCH_FAILED', `every responder failed: ${causes[0]?.message}`, { causes })
}
