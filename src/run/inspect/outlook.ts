/** What is to be expected of stapling a certificate, as one sentence: what its own fields say, before anybody is asked. */
import { type Certificate, isMustStaple } from '../../pki/x509/certificate.ts'
import { ocspSigningOid } from '../../pki/x509/extensions.ts'
import { isSameName } from '../../pki/x509/name.ts'
import type { Tone } from './field.ts'

export interface Outlook {
  readonly text: string
  readonly tone: Tone
}

/** Tells it. */
export function outlookFor(certificate: Certificate, at: Date): Outlook {
  const { notBefore, notAfter, issuer, subject } = certificate
  const { basicConstraints, extendedKeyUsage, noRevAvail, responderURLs, crlDistributionPoints } =
    certificate.extensions
  const mustStaple = isMustStaple(certificate)
  if (basicConstraints?.ca === true) {
    const kind = isSameName(issuer, subject) ? 'a root' : 'a CA'
    return { text: `${kind} certificate: servers staple for their own certificate only`, tone: 'dim' }
  }
  if (extendedKeyUsage?.includes(ocspSigningOid)) {
    return { text: 'a responder signs with it; it is not stapled for', tone: 'dim' }
  }
  if (at > notAfter) return { text: 'it has expired: responders forget such certificates', tone: 'bad' }
  if (responderURLs.length === 0 && mustStaple) {
    const text = 'it demands a staple (Must-Staple, RFC 7633) and names no responder: strict clients will refuse it'
    return { text, tone: 'bad' }
  }
  if (noRevAvail) return { text: 'nothing to staple, and that is fine: noRevAvail (RFC 9608)', tone: 'dim' }
  if (responderURLs.length === 0) {
    const isShort = notAfter.getTime() - notBefore.getTime() <= shortLivedMs
    const why = isShort ? ' and it is short-lived, so that is fine' : ''
    const crl = crlDistributionPoints.length > 0 ? '; clients can look at the CRL' : ''
    return { text: `nothing to staple: it names no OCSP responder${why}${crl}`, tone: 'dim' }
  }
  if (mustStaple) {
    return { text: 'it must be stapled (Must-Staple, RFC 7633): strict clients refuse it without', tone: 'warn' }
  }
  return { text: 'it can be stapled: it names a responder', tone: 'good' }
}

/** Public CAs need to say nothing of revocation for certificates of up to 7 days. @see CA/Browser Forum BR §1.6.1 */
const shortLivedMs = 7 * 86_400_000
