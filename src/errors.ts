/**
 * Every failure Staplewright can report: one row per code, in one table.
 *
 * A row says what happened, what to do about it, and when asking again could help; the keeper schedules from `retry`,
 * logs and findings carry the code, and docs/reference/errors.md lists exactly these rows (a test holds them equal).
 * What a failure found and expected is in `detail`, typed by its code below the table. The file is long because the table
 * is one.
 */

const rows = {
  ERR_DER_TRUNCATED: {
    summary: 'the DER ends before its value does',
    remedy: 'fetch the file again; it was cut short',
    retry: 'soon',
  },
  ERR_DER_TRAILING_DATA: {
    summary: 'bytes follow where the DER value ends',
    remedy: 'remove what follows the value',
    retry: 'later',
  },
  ERR_DER_UNEXPECTED_TAG: {
    summary: 'another ASN.1 type stands where one was expected',
    remedy: 'check what kind of file this is',
    retry: 'later',
  },
  ERR_DER_NOT_CANONICAL: {
    summary: 'the encoding is BER but not DER',
    remedy: 'ask the CA to encode canonically',
    retry: 'later',
  },
  ERR_DER_TOO_DEEP: {
    summary: 'the value is nested deeper than the limit',
    remedy: 'check where this file comes from',
    retry: 'when-changed',
  },
  ERR_DER_VALUE: {
    summary: 'the encoded value cannot be what its type says',
    remedy: 'ask the CA to encode the value properly',
    retry: 'later',
  },

  ERR_X509_PEM: {
    summary: 'the text holds no PEM certificate that can be read',
    remedy: 'give a file with -----BEGIN CERTIFICATE----- blocks',
    retry: 'when-changed',
  },
  ERR_X509_MALFORMED: {
    summary: 'the certificate is not as RFC 5280 has it',
    remedy: 'issue the certificate again',
    retry: 'when-changed',
  },
  ERR_X509_UNSUPPORTED_ALGORITHM: {
    summary: 'the key or signature algorithm is not one of those supported',
    remedy: 'use RSA, ECDSA on P-256/384/521, Ed25519 or Ed448',
    retry: 'when-changed',
  },
  ERR_X509_UNSUPPORTED_CRITICAL_EXTENSION: {
    summary: 'the certificate has a critical extension that is not understood',
    remedy: 'issue the certificate without it',
    retry: 'when-changed',
  },
  ERR_X509_SIGNATURE: {
    summary: 'the certificate was not signed by that issuer',
    remedy: 'give the issuer that signed it',
    retry: 'when-changed',
  },
  ERR_X509_ISSUER_MISMATCH: {
    summary: 'none of the certificates at hand issued this one',
    remedy: 'put the issuer into cert_file or ca_file',
    retry: 'when-changed',
  },
  ERR_X509_NO_RESPONDER_URL: {
    summary: 'the certificate names no OCSP responder',
    remedy: 'set `url` or `responders`, or switch stapling off for it',
    retry: 'when-changed',
  },

  ERR_OCSP_MALFORMED: {
    summary: 'the OCSP message is not as RFC 6960 has it',
    remedy: 'ask the CA; another responder is tried meanwhile',
    retry: 'later',
  },
  ERR_OCSP_RESPONSE_STATUS: {
    summary: 'the responder refused to answer',
    remedy: 'look at the responseStatus: tryLater passes, unauthorized may mean a young certificate',
    retry: 'soon',
  },
  ERR_OCSP_RESPONSE_TYPE: {
    summary: 'the response is not of type id-pkix-ocsp-basic',
    remedy: 'ask the CA for basic OCSP responses',
    retry: 'later',
  },
  ERR_OCSP_CERT_ID_MISMATCH: {
    summary: 'the response is about other certificates',
    remedy: 'check the responder URL; a cache may mix answers up',
    retry: 'soon',
  },
  ERR_OCSP_SIGNATURE: {
    summary: "the response's signature does not verify",
    remedy: 'check the responder URL; somebody may be tampering',
    retry: 'soon',
  },
  ERR_OCSP_RESPONDER_ID_MISMATCH: {
    summary: 'the responderID does not name the signer',
    remedy: "check the responder's configuration",
    retry: 'later',
  },
  ERR_OCSP_RESPONDER_NOT_AUTHORIZED: {
    summary: 'the signer may not sign OCSP responses for this issuer',
    remedy: "the responder's certificate needs id-kp-OCSPSigning and must come from the same issuer",
    retry: 'later',
  },
  ERR_OCSP_RESPONDER_EXPIRED: {
    summary: "the delegated responder's certificate is outside its dates",
    remedy: "renew the responder's certificate",
    retry: 'later',
  },
  ERR_OCSP_NOT_YET_VALID: {
    summary: 'the response is from the future',
    remedy: 'compare the clocks of this machine and the responder',
    retry: 'soon',
  },
  ERR_OCSP_STALE: {
    summary: 'the response is past its nextUpdate',
    remedy: 'the responder or a cache before it serves old answers',
    retry: 'soon',
  },
  ERR_OCSP_TOO_OLD: {
    summary: 'the response has no nextUpdate and is older than allowed',
    remedy: 'raise max_age_without_next_update, or ask the CA to send nextUpdate',
    retry: 'soon',
  },
  ERR_OCSP_NONCE_MISMATCH: {
    summary: 'the response carries another nonce than the request',
    remedy: 'somebody may be replaying answers',
    retry: 'soon',
  },
  ERR_OCSP_WEAK_ALGORITHM: {
    summary: 'the response is signed with an algorithm that proves nothing today',
    remedy: 'ask the CA to sign with SHA-256 or better',
    retry: 'later',
  },
  ERR_OCSP_UNSUPPORTED_CRITICAL_EXTENSION: {
    summary: 'the response has a critical extension that is not understood',
    remedy: 'ask the CA for a response without it',
    retry: 'later',
  },
  ERR_OCSP_TOO_LARGE: {
    summary: 'the response is larger than the limit',
    remedy: 'ask the CA for smaller responses, or raise the limit',
    retry: 'later',
  },

  ERR_CRL_MALFORMED: {
    summary: 'the CRL is not as RFC 5280 has it',
    remedy: 'ask the CA; another distribution point is tried meanwhile',
    retry: 'later',
  },
  ERR_CRL_ISSUER_MISMATCH: {
    summary: 'the CRL was issued by another CA',
    remedy: 'check the distribution point; indirect CRLs are not taken',
    retry: 'later',
  },
  ERR_CRL_NOT_AUTHORIZED: {
    summary: 'the issuer may not sign CRLs',
    remedy: "the issuer's keyUsage needs cRLSign",
    retry: 'when-changed',
  },
  ERR_CRL_SIGNATURE: {
    summary: "the CRL's signature does not verify",
    remedy: 'check the distribution point; somebody may be tampering',
    retry: 'soon',
  },
  ERR_CRL_WEAK_ALGORITHM: {
    summary: 'the CRL is signed with an algorithm that is no longer safe',
    remedy: 'ask the CA for SHA-256; `danger { allow_sha1_signatures: true }` accepts SHA-1',
    retry: 'later',
  },
  ERR_CRL_NOT_YET_VALID: {
    summary: 'the CRL is from the future',
    remedy: 'check the clocks of this machine and of the CA',
    retry: 'soon',
  },
  ERR_CRL_STALE: {
    summary: 'the CRL is past its nextUpdate, or says none',
    remedy: 'ask the CA for a current one',
    retry: 'soon',
  },
  ERR_CRL_SCOPE: {
    summary: 'the CRL does not cover this certificate',
    remedy: 'check the distribution point: it speaks of other certificates',
    retry: 'later',
  },
  ERR_CRL_UNSUPPORTED: {
    summary: 'the CRL is of a kind that is not taken: indirect, delta, or of some reasons only',
    remedy: 'ask the CA for a complete CRL of its own',
    retry: 'later',
  },
  ERR_CRL_UNSUPPORTED_CRITICAL_EXTENSION: {
    summary: 'the CRL has a critical extension that is not understood',
    remedy: 'ask the CA for a CRL without it',
    retry: 'later',
  },
  ERR_CRL_TOO_LARGE: {
    summary: 'the CRL is larger than the limit',
    remedy: 'ask the CA for partitioned CRLs, or raise the limit',
    retry: 'later',
  },

  ERR_FETCH_NETWORK: {
    summary: 'the responder could not be reached',
    remedy: 'check name, route, firewall and proxy',
    retry: 'soon',
  },
  ERR_FETCH_TIMEOUT: {
    summary: 'the responder did not answer in time',
    remedy: 'check the responder; asked again with back-off',
    retry: 'soon',
  },
  ERR_FETCH_HTTP_STATUS: {
    summary: 'the responder answered with an HTTP error',
    remedy: 'check the responder URL and its server',
    retry: 'soon',
  },
  ERR_FETCH_CONTENT_TYPE: {
    summary: 'the answer is not an OCSP response by its Content-Type',
    remedy: 'a proxy or captive portal may be answering',
    retry: 'soon',
  },
  ERR_FETCH_TOO_LARGE: {
    summary: 'the answer is larger than the limit',
    remedy: 'check the responder URL',
    retry: 'later',
  },
  ERR_FETCH_REDIRECT: {
    summary: 'the responder redirects too often or to a place that may not be asked',
    remedy: 'set the final address as `url`',
    retry: 'later',
  },
  ERR_FETCH_FORBIDDEN_ADDRESS: {
    summary: 'the address is not one that may be asked',
    remedy: "if it is yours: private_addresses: allow, in a program privateAddresses: 'allow'",
    retry: 'when-changed',
  },
  ERR_FETCH_HOST_DOWN: {
    summary: "the responder's host failed several times in a row and is being probed",
    remedy: 'check the responder; everything is asked again once one probe is answered',
    retry: 'soon',
  },
  ERR_FETCH_NO_ISSUER: {
    summary: 'the issuer certificate could not be found',
    remedy: 'put the issuer into cert_file or ca_file',
    retry: 'later',
  },
  ERR_FETCH_FAILED: {
    summary: 'every responder and method failed',
    remedy: 'see the causes, one by one',
    retry: 'soon',
  },
  ERR_FETCH_CLOSED: { summary: 'the fetcher is closed', remedy: 'create another', retry: 'when-changed' },

  ERR_STORE_READ: {
    summary: 'the store could not be read',
    remedy: 'check the directory, its owner and mode',
    retry: 'later',
  },
  ERR_STORE_WRITE: {
    summary: 'the store could not be written',
    remedy: 'check free space, owner and mode; the staple is held in memory',
    retry: 'later',
  },
  ERR_STORE_CLOSED: { summary: 'the store is closed', remedy: 'open it again', retry: 'when-changed' },

  ERR_KEEPER_UNKNOWN_CERTIFICATE: {
    summary: 'the keeper does not know this certificate',
    remedy: 'add it first',
    retry: 'when-changed',
  },
  ERR_KEEPER_WORSE: {
    summary: 'a verified answer is no better than what is held',
    remedy: 'nothing: what is held stays; a cache before the responder may lag, or its answers contradict themselves',
    retry: 'soon',
  },
  ERR_KEEPER_CLOSED: { summary: 'the keeper is closed', remedy: 'create another', retry: 'when-changed' },

  ERR_ATTACH_DUAL_KEY: {
    summary: 'one context holds certificates of several key types',
    remedy: 'pass front: true, or use one context per key type',
    retry: 'when-changed',
  },
  ERR_ATTACH_LISTENER: {
    summary: "the server already has an 'OCSPRequest' listener",
    remedy: 'remove it: exactly one may answer',
    retry: 'when-changed',
  },
  ERR_ATTACH_REFUSED: {
    summary: 'a handshake was refused by policy',
    remedy: 'see the reason: no-staple (onStale: refuse) or revoked (onRevoked: stop-site)',
    retry: 'when-changed',
  },
  ERR_ATTACH_UNSUPPORTED: {
    summary: 'this runtime cannot staple',
    remedy: 'use Node.js with OpenSSL, or put `staplewright serve` in front',
    retry: 'when-changed',
  },
  ERR_TERMINATOR_NO_CERTIFICATE: {
    summary: 'no certificate can be shown for this connection',
    remedy: 'add a site for the name, or set unknown_sni: default',
    retry: 'when-changed',
  },
  ERR_TERMINATOR_BACKEND: {
    summary: 'the backend could not be reached',
    remedy: 'start the backend, or correct `backend`',
    retry: 'soon',
  },
  ERR_TERMINATOR_LISTEN: {
    summary: 'the address cannot be listened on',
    remedy: 'choose another port, or end the program that holds it',
    retry: 'when-changed',
  },

  ERR_WORKER_LOST: {
    summary: 'a worker process ended, or did not answer in time',
    remedy: 'nothing: another takes its place; what was being prepared was given up, so reload again',
    retry: 'soon',
  },

  ERR_NATS_NO_INFO: {
    summary: 'the backend did not introduce itself as a NATS server',
    remedy:
      'let `backend` name the client port of a running nats-server; with handshake_first: true of its own it says nothing',
    retry: 'soon',
  },
  ERR_NATS_PROTOCOL: {
    summary: 'the backend sent what is not the NATS protocol',
    remedy: 'let `backend` name the client port of a nats-server, or leave `protocol: nats` out',
    retry: 'when-changed',
  },
  ERR_NATS_TLS: {
    summary: 'front and NATS backend do not agree on TLS',
    remedy: 'write tls://host:port for a backend that wants TLS, tcp://host:port for one without',
    retry: 'when-changed',
  },

  ERR_RESPONDER_SOURCE: {
    summary: "the responder's source of statuses failed",
    remedy: 'look at the cause',
    retry: 'soon',
  },
  ERR_RESPONDER_SIGNER: {
    summary: 'the responder cannot sign with this key and certificate',
    remedy: 'give a signer that the issuer authorised',
    retry: 'when-changed',
  },

  ERR_PEER_UNVERIFIED: {
    summary: "the peer's certificate was not verified, so what it says of its CA proves nothing",
    remedy: 'give the CA in `ca`, and the name that the certificate is for in `servername`',
    retry: 'when-changed',
  },
  ERR_PEER_NO_STAPLE: {
    summary: 'the peer stapled nothing, and the policy wants a staple',
    remedy: 'let the server staple, or use the policy staple-or-ask',
    retry: 'soon',
  },
  ERR_PEER_MUST_STAPLE: {
    summary: 'the peer stapled nothing, although its certificate demands a staple (RFC 7633)',
    remedy: 'let the server staple; `staplewright check` says why it does not',
    retry: 'soon',
  },
  ERR_PEER_STAPLE_REFUSED: {
    summary: 'the peer stapled a response that does not count',
    remedy: 'see the cause; `staplewright check` says more',
    retry: 'soon',
  },
  ERR_PEER_REVOKED: {
    summary: "the peer's certificate, or one above it, is revoked",
    remedy: 'the peer needs another certificate',
    retry: 'when-changed',
  },
  ERR_PEER_STATUS_UNKNOWN: {
    summary: "the CA's responder does not know the peer's certificate",
    remedy: 'ask the CA; the responder may not have heard of a young certificate',
    retry: 'soon',
  },
  ERR_PEER_STATUS_UNAVAILABLE: {
    summary: "the status of the peer's certificate could not be learned",
    remedy: 'see the causes; the policy soft goes on without',
    retry: 'soon',
  },
  ERR_PEER_TIMEOUT: {
    summary: 'the peer did not end its handshake in time',
    remedy: 'check address and port, and whether something between holds the connection up',
    retry: 'soon',
  },
  ERR_PEER_PROTOCOL: {
    summary: 'the peer does not speak the protocol that was asked for',
    remedy: 'use https, not http; for HTTP/2 the server must agree to h2',
    retry: 'when-changed',
  },

  ERR_PROBE_RESOLVE: {
    summary: 'the name has no address, or over a hundred',
    remedy: 'check the spelling and the DNS',
    retry: 'when-changed',
  },
  ERR_PROBE_CONNECT: {
    summary: 'the server cannot be connected to',
    remedy: 'check address and port, and whether a firewall stands between',
    retry: 'soon',
  },
  ERR_PROBE_TIMEOUT: {
    summary: 'the server did not go on in time',
    remedy: 'check the port; a protocol that begins in clear needs --starttls',
    retry: 'soon',
  },
  ERR_PROBE_STARTTLS: {
    summary: 'the server did not agree to begin TLS in its protocol',
    remedy: 'check the port and the protocol named by --starttls',
    retry: 'when-changed',
  },
  ERR_PROBE_HANDSHAKE: {
    summary: 'the TLS handshake failed',
    remedy: 'check that the port is one of TLS; what was found says which side refused, and what',
    retry: 'when-changed',
  },

  ERR_CONFIG_READ: {
    summary: 'the configuration file cannot be read',
    remedy: 'check the path, its owner and mode',
    retry: 'when-changed',
  },
  ERR_CONFIG_INVALID: {
    summary: 'the configuration is not usable',
    remedy: 'see the problems, each with its place',
    retry: 'when-changed',
  },
} as const

/** What one row of the table says about its code. */
export interface ErrorRow {
  /** What happened, in general. */
  readonly summary: string
  /** What a person can do about it. */
  readonly remedy: string
  /** When asking again could help. */
  readonly retry: Retry
}

/** `soon`: it may pass by itself. `later`: unlikely to pass quickly. `when-changed`: only after somebody changed something. */
export type Retry = 'soon' | 'later' | 'when-changed'

/** Every code, as a union. */
export type ErrorCode = keyof typeof rows

/** The table, one row per code. */
export const errorTable: Readonly<Record<ErrorCode, ErrorRow>> = rows

/** Why bytes or values were refused: the field, both sides of the comparison, and the clause that says so. */
export interface RefusalDetail {
  /** Where, as a path of RFC field names: `basicResponse.tbsResponseData.responses[0].nextUpdate`. */
  readonly field: string
  readonly expected: string
  readonly found: string
  /** The clause, as `RFC 6960 §4.2.2.2`. */
  readonly clause: string
}

/** What a failed exchange with one responder was. */
export interface FetchDetail {
  readonly url: string
  readonly method?: string
  readonly httpStatus?: number
  /** The responder's own wish, in milliseconds from the answer. */
  readonly retryAfterMs?: number
  /** Node's own code, as `ECONNREFUSED`. */
  readonly networkCode?: string
  readonly expected?: string
  readonly found?: string
}

/** What a whole attempt was: every exchange that failed, in order. */
export interface FetchFailedDetail {
  readonly causes: readonly StapleError[]
  readonly retryAfterMs?: number
  /** The HTTP Date of one that answered, minus our clock: with a wrong clock, every answer is refused for its time. */
  readonly dateSkew?: { readonly responderURL: string; readonly skewMs: number }
}

/** Whose status it was about; absent where only a CA was asked. */
export interface PeerDetail {
  /** As the caller named it: `example.com:443`. */
  readonly peer?: string
  readonly policy?: string
  /** Its subject, as text. */
  readonly certificate?: string
  readonly certificateKey?: string
}

/** Which path or key a store failed on. */
export interface StoreDetail {
  readonly path: string
  readonly certificateKey?: string
}

/** One problem of a configuration, with its place. */
export interface ConfigProblem {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The key, as `tls.cert_file`; empty where none is to blame. */
  readonly path: string
  /** What is wrong, in one line. */
  readonly summary: string
  readonly found: string
  readonly expected: string
  readonly hint: string
}

/** Anything else worth keeping: names of things as text. */
export type PlainDetail = Readonly<Record<string, string | number | undefined>>

/** The type of `detail`, by code. */
export type ErrorDetail<C extends ErrorCode> = C extends
  | `ERR_DER_${string}`
  | `ERR_X509_${string}`
  | `ERR_OCSP_${string}`
  | `ERR_CRL_${string}`
  ? RefusalDetail
  : C extends 'ERR_FETCH_FAILED' | 'ERR_FETCH_NO_ISSUER'
    ? FetchFailedDetail
    : C extends 'ERR_PEER_STATUS_UNAVAILABLE'
      ? FetchFailedDetail & PeerDetail
      : C extends `ERR_FETCH_${string}`
        ? FetchDetail
        : C extends `ERR_STORE_${string}`
          ? StoreDetail
          : C extends 'ERR_CONFIG_INVALID'
            ? { readonly problems: readonly ConfigProblem[] }
            : PlainDetail

/**
 * A failure of the world, not of the caller: what was found, what was expected, what to do.
 *
 * Caller mistakes are plain `TypeError`s. A revoked answer is data, not an error.
 */
export class StapleError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'StapleError'
  readonly code: C
  readonly detail: ErrorDetail<C>

  constructor(code: C, message: string, detail: ErrorDetail<C>, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.detail = detail
  }

  /** When asking again could help. */
  get retry(): Retry {
    return errorTable[this.code].retry
  }
}

/** Every failure as a union over its code, so that `switch (error.code)` narrows `detail`. */
export type AnyStapleError = { [C in ErrorCode]: StapleError<C> }[ErrorCode]

/** Tells a `StapleError` from any other thrown thing; with a code, that very failure. */
export function isStapleError<C extends ErrorCode = ErrorCode>(thrown: unknown, code?: C): thrown is StapleError<C> {
  return thrown instanceof StapleError && (code === undefined || thrown.code === code)
}
