/**
 * The door `staplewright/ocsp` in a browser: what decodes and shows. What proves needs node:crypto, and is not there.
 *
 * Bundlers find it by the `browser` condition of package.json. Only re-exports.
 */

export { type ErrorCode, type ErrorDetail, errorTable, isStapleError, StapleError } from '../../errors.ts'
export type { AlgorithmIdentifier, HashAlgorithm, Oid } from '../x509/algorithm.ts'
export { type Certificate, decodeCertificate, isMustStaple, tlsFeatures } from '../x509/certificate.ts'
export type { Extension } from '../x509/extension.ts'
export type { BasicConstraints, CertificateExtensions, KeyUsage } from '../x509/extensions.ts'
export { formatName } from '../x509/name.ts'
export { parsePemCertificates } from '../x509/pem.ts'
export type { CertID } from './cert-id.ts'
export { decodeOcspRequest, type OcspRequest, type SingleRequest } from './request.ts'
export {
  type BasicResponse,
  decodeOcspResponse,
  type OcspResponse,
  type ResponderID,
  type ResponseStatus,
} from './response.ts'
export type { CertStatus, SingleResponse } from './single-response.ts'
