/** What a scripted responder can do to a request. A string is short for `{ kind }`. */

/** Signed answers, right and wrong; each is a response that a fetcher must judge. */
export type SignedKind =
  | 'good'
  | 'revoked'
  | 'unknown'
  /** Answers another serial number. */
  | 'wrongSerial'
  /** Answers with another issuer's hashes. */
  | 'wrongIssuer'
  | 'badSignature'
  /** Signed by a delegate without id-kp-OCSPSigning. */
  | 'noOcspSigning'
  /** Signed by a delegate of another CA. */
  | 'otherAuthority'
  /** Signed by a delegate whose certificate has expired. */
  | 'expiredSigner'
  /** Past its nextUpdate. */
  | 'expired'
  /** thisUpdate an hour ahead. */
  | 'future'
  /** One entry says good, one says revoked. */
  | 'contradictory'
  | 'noNextUpdate'

/** Unsigned OCSP statuses. */
export type ErrorKind = 'tryLater' | 'internalError' | 'malformedRequest' | 'unauthorized' | 'sigRequired'

/** What HTTP and TCP can do. */
export type TransportKind =
  /** Nobody listens: the port is closed, and open again with the next behaviour. Only as the standing behaviour. */
  | 'refuse'
  /** Accepts and never answers. */
  | 'hang'
  /** A good answer, one byte every `everyMs`. */
  | 'drip'
  /** Closes the connection with a RST instead of answering. */
  | 'reset'
  /** Closes in the middle of a good answer's body. */
  | 'cut'
  /** HTTP 500 unless `status` says otherwise. */
  | 'httpError'
  /** HTTP 503, with Retry-After when `retryAfter` is given. */
  | 'unavailable'
  /** 200 and a web page. */
  | 'html'
  /** 200, the right type, and bytes that are no DER. */
  | 'garbage'
  /** 200, the right type, and no body. */
  | 'empty'
  /** 100 MB, or `bytes`, streamed. */
  | 'huge'
  /** 302 to `to`, or to itself. */
  | 'redirect'
  /** Not even HTTP. */
  | 'notHttp'
  /** A good answer, gzipped although nobody asked. */
  | 'gzip'

/** Conditions before a good answer. */
export type PickyKind =
  /** `unauthorized` unless the certID is SHA-256. */
  | 'sha256Only'
  /** `unauthorized` unless the certID is SHA-1. */
  | 'sha1Only'
  /** 405 to POST. */
  | 'getOnly'
  /** 405 to GET. */
  | 'postOnly'
  /** An expired answer out of a cache, and a good one when asked with Cache-Control: no-cache. */
  | 'staleCache'

export type BehaviourKind = SignedKind | ErrorKind | TransportKind | PickyKind

export interface BehaviourOptions {
  readonly kind: BehaviourKind
  /** Wait so long before it, in real milliseconds. */
  readonly delayMs?: number
  /** Added to the response's headers; undefined removes one. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** The HTTP Date is the clock's plus this. */
  readonly dateSkewMs?: number
  /** Another HTTP status for what is otherwise 200. */
  readonly status?: number
  /** Of `revoked`. */
  readonly reason?: string
  readonly revocationTime?: Date
  /** Of signed answers, before the clock's hour; default the responder's. */
  readonly thisUpdateAgeMs?: number
  readonly validityMs?: number
  /** Of `redirect`. */
  readonly to?: string
  /** Of `redirect`; default 302. */
  readonly redirectStatus?: number
  /** Of `huge`. */
  readonly bytes?: number
  /** Of `drip`; default 20. */
  readonly everyMs?: number
  /** Of `unavailable`: seconds, or a date. */
  readonly retryAfter?: number | Date
  /** Another body than the behaviour's own. */
  readonly body?: Uint8Array | string
}

export type Behaviour = BehaviourKind | BehaviourOptions

export function optionsOf(behaviour: Behaviour): BehaviourOptions {
  return typeof behaviour === 'string' ? { kind: behaviour } : behaviour
}
