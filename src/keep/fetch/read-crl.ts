/**
 * What an HTTP answer is, as a CRL: decoded, or why not. By what is there, not by what it is called.
 */

import { isStapleError, type StapleError } from '../../errors.ts'
import { type CrlEnvelope, decodeEnvelope } from '../../pki/crl/certificate-list.ts'
import { retryAfterMs } from './caching.ts'
import { fetchError, inExchange } from './failure.ts'
import { htmlTitle, httpError } from './read-answer.ts'
import type { HttpAnswer } from './transport.ts'

/** @throws {@link StapleError} `ERR_FETCH_HTTP_STATUS`, `ERR_FETCH_CONTENT_TYPE`, `ERR_DER_…`, `ERR_CRL_MALFORMED` */
export function readCrl(answer: HttpAnswer, now: Date): CrlEnvelope {
  const { status, body, exchanged, headers } = answer
  if (status !== 200) throw httpError(answer, retryAfterMs(headers, now))
  const encoding = headers['content-encoding']?.trim().toLowerCase() || 'identity'
  if (encoding !== 'identity') throw notCrl(answer, `a body in content-encoding ${encoding}, which was not asked for`)
  const der = body[0] === 0x30 ? body : decodePem(body)
  if (der === undefined) throw notCrl(answer, describe(answer))
  try {
    return decodeEnvelope(der)
  } catch (error) {
    throw isStapleError(error) ? inExchange(error, exchanged) : error
  }
}

const begin = '-----BEGIN X509 CRL-----'
const end = '-----END X509 CRL-----'

/** The first CRL of a PEM text. @see RFC 7468 §7 */
function decodePem(body: Uint8Array): Uint8Array | undefined {
  const text = Buffer.from(body.buffer, body.byteOffset, body.length)
  const start = text.indexOf(begin)
  const stop = start < 0 ? -1 : text.indexOf(end, start)
  if (stop < 0) return undefined
  const der = Buffer.from(text.toString('latin1', start + begin.length, stop), 'base64')
  return new Uint8Array(der.buffer, der.byteOffset, der.length)
}

function describe({ body, headers }: HttpAnswer): string {
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  const as = type === '' ? 'without a content-type' : `sent as ${type}`
  if (body.length === 0) return `an empty body ${as}`
  const page = htmlTitle(body)
  if (page === undefined) return `${body.length} bytes ${as}`
  return `an HTML page${page === '' ? '' : ` "${page}"`} ${as}`
}

function notCrl({ status, exchanged }: HttpAnswer, found: string): StapleError {
  const detail = { httpStatus: status, expected: 'a CRL, DER or PEM', found }
  return fetchError('ERR_FETCH_CONTENT_TYPE', exchanged, `not a CRL but ${found}`, detail)
}
