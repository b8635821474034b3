/**
 * The responder's core: a request in, a signed answer or an error status out.
 *
 * It answers every certID of a request or none: certIDs are compared in full (issuer name and key, any known hash), and a
 * foreign issuer is `unauthorized` (RFC 9919 §3.1), never a guess by the serial number alone.
 */

import { StapleError } from '../../errors.ts'
import type { CertID } from '../../pki/ocsp/cert-id.ts'
import { certIDFaults, createCertID } from '../../pki/ocsp/cert-id-match.ts'
import { decodeOcspRequest, type OcspRequest } from '../../pki/ocsp/request.ts'
import { encodeOcspError, type OcspErrorStatus, type SingleStatus, signOcspResponse } from '../../pki/ocsp/sign.ts'
import { verifyOcspResponse } from '../../pki/ocsp/verify.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import { formatName } from '../../pki/x509/name.ts'
import type { Responder, ResponderOptions } from './contract.ts'
import { createListener, type Reply } from './listener.ts'

const dayMs = 86_400_000

/**
 * Creates a responder for the certificates of one issuer.
 *
 * @throws {@link StapleError} `ERR_RESPONDER_SIGNER` when a client would refuse what this signer signs
 */
export function createResponder(options: ResponderOptions): Responder {
  const { issuer, signer, clock } = options
  const validityMs = options.validityMs ?? dayMs
  proveSigner(options)
  /** Any certificate of the issuer's, to compare certIDs with. */
  const subject = certificateOf(issuer, 0n)

  async function reply(requestDer: Uint8Array): Promise<Reply> {
    const at = clock.now()
    let request: OcspRequest
    try {
      request = decodeOcspRequest(requestDer)
    } catch {
      return refuse('malformedRequest', at, [])
    }
    const certIDs = request.requestList.map(({ certID }) => certID)
    const isForeign = (certID: CertID) =>
      certIDFaults(certID, subject, issuer).some((field) => field !== 'serialNumber')
    if (certIDs.some(isForeign)) return refuse('unauthorized', at, certIDs)
    const responses: SingleStatus[] = []
    try {
      for (const certID of certIDs) {
        const answer = await options.statusOf(certID, at)
        if ('responseStatus' in answer) return refuse(answer.responseStatus, at, certIDs)
        const { thisUpdate = at, nextUpdate = new Date(thisUpdate.getTime() + validityMs), ...status } = answer
        responses.push({ ...status, certID, thisUpdate, ...(nextUpdate === null ? {} : { nextUpdate }) })
      }
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : String(cause)
      options.onError?.(
        new StapleError('ERR_RESPONDER_SOURCE', `the source of statuses failed: ${text}`, {}, { cause }),
      )
      return refuse('internalError', at, certIDs)
    }
    const nonce = options.echoNonce ? request.nonce : undefined
    const der = sign(responses, at, nonce)
    options.onAnswer?.({
      at,
      responseStatus: 'successful',
      certIDs,
      certStatuses: responses.map(({ certStatus }) => certStatus),
      bytes: der.length,
    })
    const window = commonWindow(responses)
    return { der, hasNonce: nonce !== undefined, ...(window ? { window } : {}) }
  }

  function sign(responses: readonly SingleStatus[], at: Date, nonce?: Uint8Array): Uint8Array {
    return signOcspResponse({
      signer,
      responses,
      producedAt: at,
      ...signingOptions(options),
      ...(nonce ? { nonce } : {}),
    })
  }

  function refuse(responseStatus: OcspErrorStatus, at: Date, certIDs: readonly CertID[]): Reply {
    const der = encodeOcspError(responseStatus)
    options.onAnswer?.({ at, responseStatus, certIDs, certStatuses: [], bytes: der.length })
    return { der, hasNonce: false }
  }

  return {
    answer: async (requestDer) => (await reply(requestDer)).der,
    listener: createListener({ reply, clock, path: options.path ?? '/' }),
  }
}

/** Signs for a certificate that does not exist and judges it as a client would: key, EKU, issuer and dates in one. */
function proveSigner(options: ResponderOptions): void {
  const { issuer, signer, clock } = options
  const at = clock.now()
  const certificate = certificateOf(issuer, 1n)
  try {
    const certID = createCertID(certificate, issuer, 'sha1')
    const nextUpdate = new Date(at.getTime() + dayMs)
    const responses: SingleStatus[] = [{ certID, certStatus: 'good', thisUpdate: at, nextUpdate }]
    const der = signOcspResponse({ signer, responses, producedAt: at, ...signingOptions(options) })
    verifyOcspResponse(der, { certificate, issuer, at })
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    const names = { signer: formatName(signer.certificate.subject), issuer: formatName(issuer.subject) }
    throw new StapleError(
      'ERR_RESPONDER_SIGNER',
      `${names.signer} cannot sign responses for ${names.issuer}: ${text}`,
      names,
      { cause },
    )
  }
}

/** What a certificate of this issuer is to a certID: the issuer's name and a serial number. */
function certificateOf(issuer: Certificate, serialNumber: bigint): Certificate {
  return { ...issuer, issuer: issuer.subject, serialNumber }
}

function signingOptions({ responderID, hash, certificates }: ResponderOptions) {
  return {
    ...(responderID ? { responderID } : {}),
    ...(hash ? { hash } : {}),
    ...(certificates ? { certificates } : {}),
  }
}

/** Where all entries are fresh. */
function commonWindow(responses: readonly SingleStatus[]): Reply['window'] {
  const begins = responses.map(({ thisUpdate }) => thisUpdate.getTime())
  const ends = responses.map(({ nextUpdate }) => nextUpdate?.getTime())
  if (!ends.every((end) => end !== undefined)) return undefined
  return { thisUpdate: new Date(Math.max(...begins)), nextUpdate: new Date(Math.min(...ends)) }
}
