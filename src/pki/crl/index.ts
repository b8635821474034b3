/**
 * The door `staplewright/crl`: CRLs as pure functions. Only re-exports; certificates and errors are in `staplewright/ocsp`.
 */

export type { RuleVerdict } from '../x509/rule-list.ts'
export { type CertificateList, type CrlEnvelope, decodeCertificateList } from './certificate-list.ts'
export type { RevokedCertificate } from './entry.ts'
export type { IssuingDistributionPoint } from './issuing-distribution-point.ts'
export { findRevokedCertificate, readRevokedCertificates } from './look-up.ts'
export type { VerifyCrlOptions } from './options.ts'
export type { CrlWarning, CrlWarningCode, VerifiedCrl } from './verified.ts'
export { type CrlDiagnosis, diagnoseCrl, verifyCrl } from './verify.ts'
