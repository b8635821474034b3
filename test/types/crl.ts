// Compiled in a consumer's project: what the types of staplewright/crl promise and refuse.
import {
  type CertificateList,
  decodeCertificateList,
  diagnoseCrl,
  findRevokedCertificate,
  readRevokedCertificates,
  type VerifiedCrl,
  verifyCrl,
} from 'staplewright/crl'
import { isStapleError, parsePemCertificates } from 'staplewright/ocsp'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const isSame = <A, B>(_same: Same<A, B>): void => undefined

declare const der: Uint8Array
const [certificate, issuer] = parsePemCertificates('')
if (!certificate || !issuer) throw new Error('no certificates')

const list = decodeCertificateList(der)
isSame<typeof list, CertificateList>(true)
isSame<typeof list.nextUpdate, Date | undefined>(true)
for (const { serialNumber } of readRevokedCertificates(list)) isSame<typeof serialNumber, bigint>(true)
findRevokedCertificate(list, certificate.serialNumber)?.revocationReason?.toUpperCase()

// As DER, or decoded for many certificates.
const verified = verifyCrl(list, { certificate, issuer, at: new Date() })
isSame<typeof verified, VerifiedCrl>(true)
isSame<typeof verified.certStatus, 'good' | 'revoked'>(true)
isSame<typeof verified.nextUpdate, Date>(true)
verifyCrl(der, { certificate: der, issuer: der, at: new Date(), danger: { allowSha1Signatures: true } })
// @ts-expect-error the moment is an argument: nothing reads the clock
verifyCrl(der, { certificate, issuer })
// @ts-expect-error a verified value is not to be changed
verified.certStatus = 'good'

for (const { rule, outcome, error } of diagnoseCrl(der, { certificate, issuer, at: new Date() }).verdicts) {
  if (outcome === 'refused' && isStapleError(error, 'ERR_CRL_STALE')) error.detail.clause.includes(rule)
}
