/**
 * Failed exchanges in words: every message names method, address and what was found, in one readable line.
 *
 * `detail` keeps the same facts apart; Node's own code is in both, because people search for it.
 */

import { type ErrorDetail, type FetchDetail, StapleError } from '../../errors.ts'
import { printable } from '../../pki/der/text.ts'

/** What an exchange was, for its messages. */
export interface Exchanged {
  /** GET or POST, or CONNECT while a tunnel is made. */
  readonly method: string
  /** The address as people know it: without the base64 of a GET. */
  readonly url: string
  /** What is unusual about the request, as ` (SHA-256)`. */
  readonly note?: string
  /** How it got there, as ` through http://proxy:3128`. */
  readonly way?: string
}

type ExchangeCode =
  | 'ERR_FETCH_NETWORK'
  | 'ERR_FETCH_TIMEOUT'
  | 'ERR_FETCH_HTTP_STATUS'
  | 'ERR_FETCH_CONTENT_TYPE'
  | 'ERR_FETCH_TOO_LARGE'
  | 'ERR_FETCH_REDIRECT'
  | 'ERR_FETCH_FORBIDDEN_ADDRESS'
  | 'ERR_FETCH_HOST_DOWN'

export function fetchError(
  code: ExchangeCode,
  exchanged: Exchanged,
  what: string,
  detail: Omit<FetchDetail, 'url' | 'method'> = {},
  cause?: unknown,
): StapleError {
  const full: FetchDetail = { url: exchanged.url, method: exchanged.method, ...detail }
  return new StapleError(
    code,
    `${labelOf(exchanged)}: ${printable(what)}`,
    full as ErrorDetail<ExchangeCode>,
    cause === undefined ? undefined : { cause },
  )
}

function labelOf(exchanged: Exchanged): string {
  return printable(`${exchanged.method} ${exchanged.url}${exchanged.note ?? ''}${exchanged.way ?? ''}`)
}

/** An address that is not one for HTTP: ldap://, a typing error. */
export function notHttp(exchanged: Exchanged): StapleError {
  const scheme = /^([a-z][a-z0-9+.-]*:)/i.exec(exchanged.url)?.[1]
  return fetchError('ERR_FETCH_FORBIDDEN_ADDRESS', exchanged, 'not an http or https URL', {
    expected: 'an http or https URL',
    found: scheme ?? 'no URL',
  })
}

/** The same refusal, with the exchange it happened in named before it. */
export function inExchange(error: StapleError, exchanged: Exchanged): StapleError {
  return new StapleError(error.code, `${labelOf(exchanged)}: ${error.message}`, error.detail, { cause: error })
}

const refusedBodies = new WeakMap<StapleError, Uint8Array>()

/** Keeps the body that a refusal is about beside it, out of `detail`: logs print that, and are no place for it. */
export function noteRefused(error: StapleError, body: Uint8Array): StapleError {
  if (body.length > 0) refusedBodies.set(error, body)
  return error
}

/** The body of the HTTP answer that a cause of `ERR_FETCH_FAILED` refuses; undefined when none came, and for CRLs. */
export function refusedAnswerOf(cause: StapleError): Uint8Array | undefined {
  return refusedBodies.get(cause)
}

/** A transport fault, in words and with Node's code; `bytes` of the answer's body had come. */
export function networkError(error: unknown, exchanged: Exchanged, bytes = 0): StapleError {
  const { code, where, message } = readNetworkError(error)
  const words =
    code === undefined ? undefined : bytes > 0 ? `connection closed ${bytes} bytes into the answer` : wordsFor(code)
  const evidence = [code, where].filter(Boolean).join(' ')
  const what = words === undefined ? [message, code && `(${code})`].filter(Boolean).join(' ') : `${words} (${evidence})`
  return fetchError(
    'ERR_FETCH_NETWORK',
    exchanged,
    what || 'the connection failed',
    { ...(code === undefined ? {} : { networkCode: code }), found: what },
    error,
  )
}

interface NetworkErrorFacts {
  readonly code: string | undefined
  readonly where: string
  readonly message: string
}

function readNetworkError(error: unknown): NetworkErrorFacts {
  const { code, address, port, hostname, message, errors } = error as NodeJS.ErrnoException & {
    address?: string
    port?: number
    hostname?: string
    errors?: readonly unknown[]
  }
  // several addresses were tried: Node's AggregateError has an empty message
  if (errors && errors.length > 0) {
    const each = errors.map(readNetworkError)
    const where = each.map((one) => one.where).filter(Boolean)
    return { code: each[0]?.code ?? code, where: where.join(', '), message: each[0]?.message ?? message }
  }
  const host = address?.includes(':') ? `[${address}]` : address
  const where = host === undefined ? (hostname ?? '') : port === undefined ? host : `${host}:${port}`
  return { code, where, message }
}

function wordsFor(code: string): string | undefined {
  if (code.startsWith('HPE_')) return 'the answer is not HTTP'
  return words[code]
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed before the answer',
  EPIPE: 'connection closed before the answer',
  ETIMEDOUT: 'no connection in time',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  EADDRNOTAVAIL: 'no address or port of this machine is left for the connection',
  EMFILE: 'this process has too many open files',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'the name server did not answer',
  ENODATA: 'the host name has no address',
}
