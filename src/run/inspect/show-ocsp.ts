/** OCSP requests and responses field by field. */
import type { CertID } from '../../pki/ocsp/cert-id.ts'
import type { OcspRequest } from '../../pki/ocsp/request.ts'
import { type BasicResponse, basicResponseOid, type OcspResponse } from '../../pki/ocsp/response.ts'
import type { SingleResponse } from '../../pki/ocsp/single-response.ts'
import { formatName } from '../../pki/x509/name.ts'
import { type Field, group, list, moment, nextMoment, number, octets, plain } from './field.ts'
import { nameOid, showAlgorithm, showExtensions } from './names.ts'
import type { Pool } from './pool.ts'
import { showCertificateBriefly } from './show-certificate.ts'

/** Shows a request. */
export function showRequest(request: OcspRequest, pool: Pool): Field[] {
  const { requestList, nonce, extensions, isSigned } = request
  return [
    ...list(
      'requestList',
      requestList.map(({ certID, extensions: own }) => [
        ...showCertID('reqCert', certID, pool),
        ...showExtensions('singleRequestExtensions', own),
      ]),
    ),
    ...octets('nonce', nonce),
    ...showExtensions('requestExtensions', extensions),
    plain('optionalSignature', isSigned ? 'present (not looked at)' : 'absent', isSigned),
  ]
}

/** Shows a response, as it claims to be: judge.ts says what is true of it. */
export function showResponse(
  { responseStatus, responseType, basicResponse }: OcspResponse,
  pool: Pool,
  at: Date,
): Field[] {
  const isSuccessful = responseStatus === 'successful'
  return [
    plain('responseStatus', responseStatus, responseStatus, isSuccessful ? undefined : 'bad'),
    ...(responseType === undefined || responseType === basicResponseOid
      ? []
      : [plain('responseType', nameOid(responseType), responseType, 'bad')]),
    ...(basicResponse === undefined ? [] : showBasicResponse(basicResponse, pool, at)),
  ]
}

function showBasicResponse(basic: BasicResponse, pool: Pool, at: Date): Field[] {
  const { responderID, producedAt, responses, extensions, nonce, signatureAlgorithm, signature, certificates } = basic
  return [
    ...(basic.isVersionExplicit ? [plain('version', 'v1, written out though it is the default', true, 'warn')] : []),
    responderID.byName === undefined
      ? { name: 'responderID', text: `byKey ${hex(responderID.byKey)}`, json: { byKey: hex(responderID.byKey) } }
      : plain('responderID', `byName ${formatName(responderID.byName)}`, { byName: formatName(responderID.byName) }),
    ...moment('producedAt', producedAt, at),
    ...list(
      'responses',
      responses.map((single) => showSingleResponse(single, pool, at)),
    ),
    ...octets('nonce', nonce),
    ...showExtensions('responseExtensions', extensions),
    showAlgorithm('signatureAlgorithm', signatureAlgorithm),
    ...octets('signature', signature),
    ...list(
      'certs',
      certificates.map((certificate) => showCertificateBriefly(certificate, at)),
    ),
  ]
}

function showSingleResponse(single: SingleResponse, pool: Pool, at: Date): Field[] {
  const { certID, certStatus, revocationTime, revocationReason, thisUpdate, nextUpdate, extensions } = single
  return [
    ...showCertID('certID', certID, pool),
    plain('certStatus', certStatus, certStatus, tones[certStatus]),
    ...moment('revocationTime', revocationTime, at),
    ...(revocationReason === undefined ? [] : [plain('revocationReason', revocationReason)]),
    ...moment('thisUpdate', thisUpdate, at),
    ...nextMoment(nextUpdate, at),
    ...showExtensions('singleExtensions', extensions),
  ]
}

function showCertID(name: string, certID: CertID, pool: Pool): Field[] {
  const { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber } = certID
  const owner = pool.ownerOf(certID)
  return group(name, [
    plain('hashAlgorithm', nameOid(hashAlgorithm), hashAlgorithm),
    ...octets('issuerNameHash', issuerNameHash),
    ...octets('issuerKeyHash', issuerKeyHash),
    number('serialNumber', serialNumber),
    ...(owner === undefined
      ? []
      : [plain('certificate', `${formatName(owner.certificate.subject)}, ${owner.origin}`, owner.origin, 'dim')]),
  ])
}

const tones = { good: 'good', revoked: 'bad', unknown: 'bad' } as const

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
