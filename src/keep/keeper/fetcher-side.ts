/** The shell towards the fetcher: asks for staples and issuers; each ends in an occurrence. */
import { isStapleError, StapleError } from '../../errors.ts'
import type { VerifiedOcspResponse } from '../../pki/ocsp/verify.ts'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'
import type { Clock } from '../clock.ts'
import type { Fetcher } from '../fetch/index.ts'
import { watchResponders } from './clock-watch.ts'
import type { EntryEvent } from './events.ts'
import type { Interner } from './intern.ts'
import type { Issuers } from './issuers.ts'
import type { Occurrence } from './occurrence.ts'
import { within } from './queue.ts'
import { responderURLsOf, type Slot, wishesOf } from './slot.ts'

export interface FetcherSideOptions {
  readonly fetcher: Pick<Fetcher, 'fetchStaple' | 'fetchIssuer'>
  readonly clock: Clock
  readonly issuers: Issuers
  readonly interner: Interner
  /** Makes of a response what is kept of it. */
  readonly own: (response: VerifiedOcspResponse) => VerifiedOcspResponse
  readonly occur: (slot: Slot, occurrence: Occurrence) => void
  readonly tell: (slot: Slot, event: EntryEvent) => void
  /** caIssuers gave an issuer that was not known. */
  readonly noteIssuers: () => void
}

export interface FetcherSide {
  fetch(slot: Slot, deadlineMs: number): Promise<void>
  fetchIssuer(slot: Slot): Promise<void>
}

/** Creates the side of the shell that faces one fetcher. */
export function createFetcherSide(options: FetcherSideOptions): FetcherSide {
  const { fetcher, clock, issuers, interner, own, occur, tell, noteIssuers } = options
  const suspectOf = watchResponders()

  const judgeSkew = (slot: Slot, responderURL: string, skewMs: number) => {
    const suspect = suspectOf(responderURL, skewMs)
    if (suspect !== undefined) tell(slot, { type: 'clock-suspect', responderURL, skewMs, suspect })
  }

  /** Runs one request of a slot. A fetcher keeps its own deadlines; one that does not must not hold a slot for ever. */
  const ask = async <T>(slot: Slot, ms: number, request: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const underWay = new AbortController()
    slot.underWay = underWay
    try {
      return await within(clock, ms, request(underWay.signal), () => {
        underWay.abort()
        return new Error(`no answer in ${ms} ms`)
      })
    } finally {
      if (slot.underWay === underWay) slot.underWay = undefined
    }
  }

  return {
    async fetch(slot, deadlineMs) {
      const { hashAlgorithm, method, responderCertificate } = wishesOf(slot)
      const question = {
        certificate: decodeCertificate(slot.leaf.der),
        issuer: slot.issuer as Certificate,
        responderURLs: responderURLsOf(slot),
        deadlineMs,
        ...(hashAlgorithm && { hashAlgorithm }),
        ...(method && { method }),
        ...(responderCertificate && { responderCertificate }),
      }
      try {
        const fetched = await ask(slot, deadlineMs + patienceMs, (signal) => fetcher.fetchStaple(question, signal))
        const { maxAgeMs, dateSkewMs } = fetched
        const responderURL = interner.text(fetched.responderURL)
        if (dateSkewMs !== undefined) judgeSkew(slot, responderURL, dateSkewMs)
        occur(slot, { type: 'fetched', response: own(fetched.response), responderURL, maxAgeMs })
      } catch (thrown) {
        const error = asFetchError(thrown)
        const skew = isStapleError(error, 'ERR_FETCH_FAILED') ? error.detail.dateSkew : undefined
        if (skew !== undefined) judgeSkew(slot, skew.responderURL, skew.skewMs)
        occur(slot, { type: 'fetch-failed', error })
      }
    },
    async fetchIssuer(slot) {
      const leaf = decodeCertificate(slot.leaf.der)
      try {
        // Another leaf of the same CA may have brought it meanwhile.
        const known = issuers.find(leaf, [])
        const found = known ?? (await ask(slot, issuerDeadlineMs, (signal) => fetcher.fetchIssuer(leaf, signal)))
        if (known === undefined) {
          issuers.remember(found)
          noteIssuers()
        }
        slot.issuer = issuers.intern(found)
        slot.candidates = []
        const url = known === undefined ? leaf.extensions.caIssuersURLs.join(' or ') : undefined
        occur(slot, { type: 'issuer-fetched', url })
      } catch (thrown) {
        occur(slot, { type: 'issuer-failed', error: asFetchError(thrown) })
      }
    },
  }
}

function asFetchError(thrown: unknown): StapleError {
  if (isStapleError(thrown)) return thrown
  const message = `the fetcher failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`
  return new StapleError('ERR_FETCH_FAILED', message, { causes: [] }, { cause: thrown })
}

const patienceMs = 5_000
const issuerDeadlineMs = 60_000
