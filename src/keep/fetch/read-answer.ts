/**
 * What an HTTP answer is, as an OCSP response: an acceptable one, or why not and what could help.
 *
 * Content-Type is a hint: a body that decodes as an OCSP response is judged by its signature, whatever it is called
 * (deployed responders send text/html and application/octet-stream); one that does not is reported as what it says it is.
 */

import { isStapleError, StapleError } from '../../errors.ts'
import type { VerifyOptions } from '../../pki/ocsp/options.ts'
import { decodeOcspResponseOfAnySize, type OcspResponse } from '../../pki/ocsp/response.ts'
import { type VerifiedOcspResponse, verifyOcspResponse } from '../../pki/ocsp/verify.ts'
import { retryAfterMs } from './caching.ts'
import { type Exchanged, fetchError, inExchange, noteRefused } from './failure.ts'
import type { HttpAnswer } from './transport.ts'

/** What could help after a failure, from the most hopeful on. */
export type Remedy =
  /** A cache between may hold an older answer. */
  | 'no-cache'
  /** The other method, then the other hash. */
  | 'other-form'
  /** The other method only: the question was understood. */
  | 'other-method'
  /** Nothing here: the next responder. */
  | 'next-responder'

export interface Refused {
  readonly error: StapleError
  readonly remedy: Remedy
  /** What it says about the host, for the breaker: it works, it is broken, or nothing. */
  readonly host: 'works' | 'broken' | undefined
  readonly retryAfterMs?: number
  /** How near this came to an answer; the other hash is tried with the method that came nearest. */
  readonly nearness: number
}

export type Reading = { readonly response: VerifiedOcspResponse } | { readonly refused: Refused }

export function readAnswer(answer: HttpAnswer, verify: VerifyOptions, maxStapleBytes: number): Reading {
  const { status, exchanged } = answer
  const wait = answer.headers['retry-after'] === undefined ? undefined : retryAfterMs(answer.headers, verify.at)
  const refuse = (error: StapleError, rest: Omit<Refused, 'error'>): Reading => ({
    refused: { error: noteRefused(error, answer.body), ...rest, ...(wait === undefined ? {} : { retryAfterMs: wait }) },
  })

  let refusal: StapleError | undefined
  if (status === 200 && answer.body.length > 0 && encodingOf(answer) === 'identity') {
    try {
      const response = verifyOcspResponse(answer.body, verify)
      if (answer.body.length <= maxStapleBytes) return { response }
      const error = tooLargeToStaple(answer, maxStapleBytes)
      return refuse(error, { remedy: 'next-responder', host: 'works', nearness: 4 })
    } catch (error) {
      if (!isStapleError(error)) throw error
      refusal = error
    }
  }

  const decoded = decodeBody(answer)
  // servers that send the OCSP error status along with an HTTP error say more by the former
  if (!(decoded instanceof StapleError) && decoded.responseStatus !== 'successful') {
    return refuse(statusError(decoded, exchanged), {
      remedy: formStatuses.has(decoded.responseStatus) ? 'other-form' : 'next-responder',
      host: 'works',
      nearness: 3,
    })
  }
  if (status !== 200) {
    const isOverloaded = wait !== undefined && (status === 503 || status === 429)
    return refuse(httpError(answer, wait), {
      remedy: isOverloaded ? 'next-responder' : 'other-form',
      host: status >= 500 ? 'broken' : 'works',
      nearness: unsupportedStatuses.has(status) ? 0 : status < 500 ? 2 : 1,
    })
  }
  if (decoded instanceof StapleError || !refusal) {
    const error = decoded instanceof StapleError ? decoded : inExchange(emptyBody(), exchanged)
    return refuse(error, { remedy: 'other-form', host: 'broken', nearness: 1 })
  }
  const isOld = refusal.code === 'ERR_OCSP_STALE' || refusal.code === 'ERR_OCSP_TOO_OLD'
  return refuse(inExchange(refusal, exchanged), {
    remedy: isOld ? 'no-cache' : 'other-method',
    host: 'works',
    nearness: 4,
  })
}

const formStatuses: ReadonlySet<string> = new Set(['malformedRequest', 'unauthorized'])

/** Not there, or not this method: the other hash would not be there either. */
const unsupportedStatuses: ReadonlySet<number> = new Set([404, 405, 410, 501])

function decodeBody(answer: HttpAnswer): OcspResponse | StapleError {
  const { body, headers, exchanged } = answer
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  const isOcspType = type === 'application/ocsp-response'
  const encoding = encodingOf(answer)
  const notOcsp = (found: string) =>
    fetchError('ERR_FETCH_CONTENT_TYPE', exchanged, `not an OCSP response but ${found}`, {
      httpStatus: answer.status,
      expected: 'application/ocsp-response',
      found,
    })
  if (encoding !== 'identity') return notOcsp(`a body in content-encoding ${encoding}, which was not asked for`)
  if (body.length === 0) {
    return isOcspType || type === '' ? inExchange(emptyBody(), exchanged) : notOcsp(`an empty body of ${type}`)
  }
  try {
    return decodeOcspResponseOfAnySize(body)
  } catch (error) {
    if (!isStapleError(error)) throw error
    const page = htmlTitle(body)
    const as = type === '' ? 'without a content-type' : `sent as ${type}`
    if (page !== undefined) return notOcsp(`an HTML page${page === '' ? '' : ` "${page}"`} ${as}`)
    return isOcspType ? inExchange(error, exchanged) : notOcsp(`${body.length} bytes ${as}`)
  }
}

function encodingOf({ headers }: HttpAnswer): string {
  return headers['content-encoding']?.trim().toLowerCase() || 'identity'
}

/** The title of an HTML page, empty when it has none; undefined when the body is no such thing. */
export function htmlTitle(body: Uint8Array): string | undefined {
  const text = new TextDecoder('latin1').decode(body.subarray(0, 4096))
  if (!/^\s*(<!doctype html|<html|<head|<body|<!--|<\?xml)/i.test(text)) return undefined
  const title = /<title[^>]*>([^<]{0,200})/i.exec(text)?.[1] ?? ''
  return title
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .replaceAll('"', "'")
    .trim()
    .slice(0, 80)
}

function emptyBody(): StapleError {
  const detail = { field: 'ocspResponse', expected: 'an OCSPResponse', found: '0 octets', clause: 'RFC 6960 §4.2.1' }
  return new StapleError('ERR_OCSP_MALFORMED', 'the body is empty, expected an OCSPResponse', detail)
}

function statusError(decoded: OcspResponse, exchanged: Exchanged): StapleError {
  const error = new StapleError('ERR_OCSP_RESPONSE_STATUS', `responseStatus is ${decoded.responseStatus}`, {
    field: 'ocspResponse.responseStatus',
    expected: 'successful',
    found: decoded.responseStatus,
    clause: 'RFC 6960 §4.2.1',
  })
  return inExchange(error, exchanged)
}

export function httpError({ status, exchanged, headers }: HttpAnswer, wait: number | undefined): StapleError {
  const later = wait === undefined ? '' : `, to be asked again in ${Math.ceil(wait / 1000)} s`
  const proxy = status === 407 ? ': the proxy wants credentials' : ''
  const name = String(headers.server ?? '').replaceAll(/[^\x20-\x7e]+/g, ' ')
  const server = name === '' ? '' : ` from ${name.slice(0, 60)}`
  return fetchError('ERR_FETCH_HTTP_STATUS', exchanged, `HTTP ${status}${server}${proxy}${later}`, {
    httpStatus: status,
    expected: 'HTTP 200',
    found: `HTTP ${status}`,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  })
}

function tooLargeToStaple({ body, exchanged }: HttpAnswer, maxStapleBytes: number): StapleError {
  const expected = `at most ${maxStapleBytes} bytes`
  const found = `${body.length} bytes`
  const error = new StapleError('ERR_OCSP_TOO_LARGE', `the response is too large to staple: ${found}, ${expected}`, {
    field: 'ocspResponse',
    expected,
    found,
    clause: 'RFC 8446 §4.4.2.1',
  })
  return inExchange(error, exchanged)
}
