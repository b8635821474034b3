// Compiled in a consumer's project: what the types of staplewright/ocsp promise and refuse.
import {
  type AnyStapleError,
  decodeOcspResponse,
  type ErrorCode,
  encodeOcspRequest,
  isStapleError,
  parsePemCertificates,
  StapleError,
  type VerifiedOcspResponse,
  verifyOcspResponse,
} from 'staplewright/ocsp'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const isSame = <A, B>(_same: Same<A, B>): void => undefined

declare const der: Uint8Array
const [certificate, issuer] = parsePemCertificates('')
if (!certificate || !issuer) throw new Error('no certificates')

const verified = verifyOcspResponse(der, { certificate, issuer, at: new Date() })
isSame<typeof verified, VerifiedOcspResponse>(true)
isSame<typeof verified.certStatus, 'good' | 'revoked' | 'unknown'>(true)
isSame<typeof verified.nextUpdate, Date | undefined>(true)
isSame<typeof verified.der, Uint8Array>(true)
// Certificates may be given as DER.
verifyOcspResponse(der, { certificate: der, issuer: der, at: new Date() })
// @ts-expect-error the moment is an argument: nothing reads the clock
verifyOcspResponse(der, { certificate, issuer })
// @ts-expect-error a moment is a Date
verifyOcspResponse(der, { certificate, issuer, at: 0 })
// @ts-expect-error what lowers safety stands under danger
verifyOcspResponse(der, { certificate, issuer, at: new Date(), allowSha1Signatures: true })
// @ts-expect-error a verified value is not to be changed
verified.certStatus = 'good'

isSame<ReturnType<typeof encodeOcspRequest>, Uint8Array>(true)
// @ts-expect-error MD5 is no hash for a certID
encodeOcspRequest({ certificate, issuer, hashAlgorithm: 'md5' })

const serial: bigint | undefined = decodeOcspResponse(der).basicResponse?.responses[0]?.certID.serialNumber
serial?.toString(16)

declare const thrown: unknown
if (isStapleError(thrown)) isSame<typeof thrown.code, ErrorCode>(true)
if (isStapleError(thrown, 'ERR_OCSP_STALE')) isSame<typeof thrown.detail.clause, string>(true)

declare const failure: AnyStapleError
switch (failure.code) {
  case 'ERR_FETCH_FAILED':
    isSame<typeof failure.detail.causes, readonly StapleError[]>(true)
    break
  case 'ERR_OCSP_SIGNATURE':
    failure.detail.field.toUpperCase()
    // @ts-expect-error only an exchange with a responder has a URL
    failure.detail.url
    break
  default:
    isSame<typeof failure.retry, 'soon' | 'later' | 'when-changed'>(true)
}
// @ts-expect-error the detail belongs to the code
new StapleError('ERR_OCSP_STALE', 'response is stale', {})
