/**
 * The door `staplewright/ocsp`: OCSP and what it needs of certificates, as pure functions. Only re-exports.
 */

export {
  type AnyStapleError,
  type ErrorCode,
  type ErrorDetail,
  type ErrorRow,
  errorTable,
  isStapleError,
  type RefusalDetail,
  type Retry,
  StapleError,
} from '../../errors.ts'
export type { AlgorithmIdentifier, Oid } from '../x509/algorithm.ts'
export { type Certificate, decodeCertificate, isMustStaple, tlsFeatures } from '../x509/certificate.ts'
export {
  certificateKey,
  type HashAlgorithm,
  type KeyType,
  keyType,
  type PrivateKeyObject,
  type SigningKey,
} from '../x509/crypto.ts'
export type { Extension } from '../x509/extension.ts'
export type { BasicConstraints, CertificateExtensions, KeyUsage } from '../x509/extensions.ts'
export { findIssuer, proveIssuer } from '../x509/issuer.ts'
export { formatName } from '../x509/name.ts'
export { parsePemCertificates } from '../x509/pem.ts'
export type { CertID } from './cert-id.ts'
export { createCertID } from './cert-id-match.ts'
export { type Diagnosis, diagnose, type RuleVerdict } from './diagnose.ts'
export { type EncodeOcspRequestOptions, encodeOcspRequest } from './encode-request.ts'
export type { VerifyWarning, VerifyWarningCode } from './judgement.ts'
export type { VerifyOptions } from './options.ts'
export { decodeOcspRequest, type OcspRequest, type SingleRequest } from './request.ts'
export {
  type BasicResponse,
  decodeOcspResponse,
  type OcspResponse,
  type ResponderID,
  type ResponseStatus,
} from './response.ts'
export {
  encodeOcspError,
  type OcspErrorStatus,
  type OcspSigner,
  type SignOcspResponseOptions,
  type SingleStatus,
  signOcspResponse,
} from './sign.ts'
export type { CertStatus, SingleResponse } from './single-response.ts'
export { type VerifiedOcspResponse, type VerifiedSigner, verifyOcspResponse } from './verify.ts'
