/**
 * The issuer that a certificate points to but its bundle lacks: fetched by caIssuers, and proven before it counts.
 *
 * What comes over plain HTTP is nobody's word; the leaf's own signature is the proof.
 */

import { isStapleError, StapleError } from '../../errors.ts'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'
import { findIssuer, proveIssuer } from '../../pki/x509/issuer.ts'
import { parsePemCertificates } from '../../pki/x509/pem.ts'
import type { Clock } from '../clock.ts'
import type { Origin } from './contract.ts'
import { type Exchanged, fetchError, inExchange, notHttp } from './failure.ts'
import { decodePkcs7Certificates } from './pkcs7.ts'
import { readPlace } from './place.ts'
import type { Slots } from './slots.ts'
import { Stop } from './stop.ts'
import type { Transport } from './transport.ts'

export interface IssuerOptions {
  readonly clock: Clock
  readonly transport: Transport
  readonly slots: Slots
  /** For all addresses together. */
  readonly deadlineMs: number
}

/** Asks every caIssuers address in turn. @throws {@link StapleError} `ERR_FETCH_NO_ISSUER` with every cause */
export async function fetchIssuer(
  o: IssuerOptions,
  leaf: Certificate,
  origin: Origin,
  outer: Stop,
): Promise<Certificate> {
  const causes: StapleError[] = []
  const stop = new Stop()
  const cancelStop = outer.onStop(() => stop.stop(outer.reason))
  const cancelDeadline = o.clock.wake(o.deadlineMs, () => stop.stop(undefined))
  try {
    for (const text of new Set(leaf.extensions.caIssuersURLs)) {
      const exchanged = { method: 'GET', url: text }
      try {
        return await fetchFrom(o, exchanged, leaf, origin, stop)
      } catch (error) {
        outer.throwIfStopped()
        if (stop.isStopped) {
          causes.push(tooLate(exchanged, o.deadlineMs))
          break
        }
        if (!isStapleError(error)) throw error
        causes.push(error)
      }
    }
  } finally {
    cancelStop()
    cancelDeadline()
  }
  const why =
    causes.length === 0
      ? 'the certificate names no caIssuers address'
      : [...new Set(causes.map((cause) => cause.message))].join('; ')
  throw new StapleError('ERR_FETCH_NO_ISSUER', `no issuer certificate: ${why}`, { causes })
}

function tooLate(exchanged: Exchanged, deadlineMs: number): StapleError {
  const detail = { expected: `an issuer within ${deadlineMs} ms`, found: 'none' }
  return fetchError(
    'ERR_FETCH_TIMEOUT',
    exchanged,
    `no issuer within the ${deadlineMs} ms of the whole attempt`,
    detail,
  )
}

async function fetchFrom(
  o: IssuerOptions,
  asked: Exchanged,
  leaf: Certificate,
  origin: Origin,
  stop: Stop,
): Promise<Certificate> {
  const place = readPlace(asked.url)
  if (!place) throw notHttp(asked)
  const release = await o.slots.acquire(place.host, stop)
  const sent = o.transport.send({ place, method: 'GET', headers: issuerHeaders, origin }, stop)
  const { status, body, exchanged } = await sent.finally(release)
  if (status !== 200) {
    const detail = { httpStatus: status, expected: 'HTTP 200', found: `HTTP ${status}` }
    throw fetchError('ERR_FETCH_HTTP_STATUS', exchanged, `HTTP ${status}`, detail)
  }
  const candidates = decodeCertificates(body, exchanged)
  const issuer = findIssuer(leaf, candidates)
  if (issuer) return issuer
  const [first] = candidates
  try {
    if (first) proveIssuer(leaf, first)
  } catch (error) {
    if (isStapleError(error)) throw inExchange(error, exchanged)
    throw error
  }
  throw fetchError('ERR_FETCH_CONTENT_TYPE', exchanged, 'no certificate in the answer', {
    expected: 'a certificate',
    found: `${body.length} bytes`,
  })
}

const issuerHeaders = { accept: 'application/pkix-cert, application/pkcs7-mime, application/x-x509-ca-cert, */*' }

/** By what is there, not by what it is called: servers send .crt as text/plain and PEM as pkix-cert. */
function decodeCertificates(body: Uint8Array, exchanged: Exchanged): Certificate[] {
  try {
    if (body[0] !== 0x30) return decodePem(body)
    try {
      return [decodeCertificate(body)]
    } catch (error) {
      if (!isStapleError(error)) throw error
      try {
        return decodePkcs7Certificates(body)
      } catch (other) {
        // a PKCS#7 message fails as a certificate at its first field; else it was meant to be a certificate
        throw isPkcs7(body) ? other : error
      }
    }
  } catch (error) {
    if (isStapleError(error)) throw inExchange(error, exchanged)
    throw error
  }
}

function decodePem(body: Uint8Array): Certificate[] {
  const text = new TextDecoder('latin1').decode(body)
  const pkcs7 = /-----BEGIN (?:PKCS7|CMS)-----([A-Za-z0-9+/=\s]+)-----END/.exec(text)?.[1]
  if (pkcs7 !== undefined) return decodePkcs7Certificates(new Uint8Array(Buffer.from(pkcs7, 'base64')))
  return parsePemCertificates(text)
}

/** Its first field is an OID, a certificate's is a SEQUENCE. */
function isPkcs7(body: Uint8Array): boolean {
  const long = (body[1] ?? 0) & 0x80 ? (body[1] ?? 0) & 0x7f : 0
  return body[2 + long] === 0x06
}
