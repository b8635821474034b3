/**
 * The door `staplewright/crl` in a browser: what decodes and looks up. What proves needs node:crypto, and is not there.
 *
 * Bundlers find it by the `browser` condition of package.json. Only re-exports.
 */

export { type CertificateList, type CrlEnvelope, decodeCertificateList } from './certificate-list.ts'
export type { RevokedCertificate } from './entry.ts'
export type { IssuingDistributionPoint } from './issuing-distribution-point.ts'
export { findRevokedCertificate, readRevokedCertificates } from './look-up.ts'
