/** A CA without a network: answers by OCSP and by CRL as told, at the hour of the test's clock. */

import type { StatusFetcher } from '../../../src/check/revocation/index.ts'
import { StapleError } from '../../../src/errors.ts'
import type { CrlQuestion, StapleQuestion } from '../../../src/keep/fetch/index.ts'
import { type Crafted, answer as craft, networkError } from '../../keep/keeper/crafted.ts'
import type { ManualClock } from '../../kit/clock.ts'

export interface CrlWord {
  readonly certStatus: 'good' | 'revoked'
  readonly thisUpdate: number
  readonly nextUpdate: number
}

/** What one way of asking does: an answer, a failure, or nothing until it is aborted. */
export type Word<Answer> = Answer | StapleError | 'silence'

export interface FakeCa extends StatusFetcher {
  ocsp: Word<Crafted>
  crl: Word<CrlWord>
  /** Before each answer, by the test's clock. */
  delayMs: number
  readonly ocspQuestions: StapleQuestion[]
  readonly crlQuestions: CrlQuestion[]
  aborted: number
}

export function fakeCa(clock: ManualClock): FakeCa {
  function reply<Answer, Reply>(word: Word<Answer>, signal: AbortSignal | undefined, make: (answer: Answer) => Reply) {
    return new Promise<Reply>((resolve, reject) => {
      signal?.addEventListener('abort', () => {
        ca.aborted++
        reject(signal.reason)
      })
      if (word === 'silence') return
      const say = () => (word instanceof StapleError ? reject(word) : resolve(make(word as Answer)))
      if (ca.delayMs === 0) say()
      else clock.wake(ca.delayMs, say)
    })
  }

  const ca: FakeCa = {
    ocsp: networkError(),
    crl: networkError(),
    delayMs: 0,
    ocspQuestions: [],
    crlQuestions: [],
    aborted: 0,
    fetchStaple(question, signal) {
      ca.ocspQuestions.push(question)
      return reply(ca.ocsp, signal, (crafted) => ({
        response: craft(crafted),
        responderURL: 'http://ocsp.test/',
        method: 'get',
        hashAlgorithm: 'sha256',
        elapsedMs: ca.delayMs,
        failures: [],
      }))
    },
    fetchCrl(question, signal) {
      ca.crlQuestions.push(question)
      return reply(ca.crl, signal, ({ certStatus, thisUpdate, nextUpdate }) => ({
        crl: {
          certStatus,
          ...(certStatus === 'revoked' && { revocationTime: new Date(thisUpdate), revocationReason: 'keyCompromise' }),
          thisUpdate: new Date(thisUpdate),
          nextUpdate: new Date(nextUpdate),
          issuer: 'CN=Issuer',
          signatureAlgorithm: 'ecdsa-with-SHA256',
          entryCount: 1,
          bytes: 200,
          warnings: [],
        },
        url: 'http://crl.test/',
        isCached: false,
        elapsedMs: ca.delayMs,
        failures: [],
      }))
    },
  }
  return ca
}
