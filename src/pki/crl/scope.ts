/**
 * Whether a CRL covers a certificate: by the distribution point it was issued for, and by the kind of certificate.
 *
 * A CA may cut its revocations into parts; a part that does not cover the certificate says nothing about it, and whoever
 * takes it for the whole calls a revoked certificate good.
 */

import { formatHexBriefly, isSameBytes, joinBytes } from '../der/bytes.ts'
import { readDer } from '../der/reader.ts'
import { constructedTag, primitiveTag, tags } from '../der/tags.ts'
import { encodeValue } from '../der/writer.ts'
import type { Certificate } from '../x509/certificate.ts'
import { type DistributionPointName, urlsOf } from '../x509/distribution-point.ts'
import { formatName, isSameName } from '../x509/name.ts'
import type { IssuingDistributionPoint } from './issuing-distribution-point.ts'
import { refusal } from './malformed.ts'

const field = 'certificateList.tbsCertList.crlExtensions.issuingDistributionPoint'

/**
 * Refuses a CRL whose distribution point is none of the certificate's.
 *
 * A certificate without distribution points is covered by a CRL that is named as its issuer is, or not named at all.
 *
 * @see RFC 5280 §6.3.3 (b) (2) (i)
 */
export function refuseOtherPoint(point: IssuingDistributionPoint, certificate: Certificate): void {
  const { name } = point
  if (name === undefined) return
  const { issuer, extensions } = certificate
  const own = extensions.crlDistributionPoints
  const wanted: DistributionPointName[] =
    own.length === 0
      ? [{ fullName: [encodeValue(constructedTag(4), issuer)] }]
      : own.flatMap((each) => (each.hasReasons || each.hasCRLIssuer || each.name === undefined ? [] : [each.name]))
  const names = fullNamesOf(name, issuer)
  if (
    wanted.some((each) => fullNamesOf(each, issuer).some((one) => names.some((two) => isSameGeneralName(one, two))))
  ) {
    return
  }
  throw refusal('ERR_CRL_SCOPE', 'the CRL is for another distribution point', {
    field: `${field}.distributionPoint`,
    expected: wanted.length === 0 ? 'absent' : wanted.map((each) => formatPoint(each, issuer)).join(' or '),
    found: formatPoint(name, issuer),
    clause: 'RFC 5280 §6.3.3',
  })
}

/** Refuses a CRL of certificates of another kind. @see RFC 5280 §6.3.3 (b) (2) (ii) to (iv) */
export function refuseOtherKind(point: IssuingDistributionPoint, certificate: Certificate): void {
  const isCa = certificate.extensions.basicConstraints?.ca === true
  const only =
    (point.onlyContainsAttributeCerts && 'onlyContainsAttributeCerts') ||
    (point.onlyContainsUserCerts && isCa && 'onlyContainsUserCerts') ||
    (point.onlyContainsCACerts && !isCa && 'onlyContainsCACerts')
  if (only === false) return
  throw refusal('ERR_CRL_SCOPE', 'the CRL is for certificates of another kind', {
    field: `${field}.${only}`,
    expected: `FALSE, for ${isCa ? 'a CA certificate' : 'an end-entity certificate'}`,
    found: 'TRUE',
    clause: 'RFC 5280 §6.3.3',
  })
}

/** A relative name is the issuer's with one more part. @see RFC 5280 §4.2.1.13 */
function fullNamesOf({ fullName, nameRelativeToCRLIssuer }: DistributionPointName, issuer: Uint8Array) {
  if (fullName !== undefined) return fullName
  const parts = readDer(issuer, 'issuer', 'RFC 5280 §4.1.2.4', (reader) => reader.primitive(tags.sequence, ''))
  const name = encodeValue(tags.sequence, joinBytes([parts, nameRelativeToCRLIssuer]))
  return [encodeValue(constructedTag(4), name)]
}

/** @see RFC 5280 §7.1, §7.4 */
function isSameGeneralName(one: Uint8Array, other: Uint8Array): boolean {
  if (isSameBytes(one, other)) return true
  if (one[0] !== other[0]) return false
  if (one[0] === constructedTag(4)) return isSameName(contentOf(one), contentOf(other))
  if (one[0] !== primitiveTag(6)) return false
  const [ours] = urlsOf({ fullName: [one] })
  const [theirs] = urlsOf({ fullName: [other] })
  return ours !== undefined && theirs !== undefined && foldUrl(ours) === foldUrl(theirs)
}

/** Scheme and host are compared without regard to case, the rest as it is. @see RFC 5280 §7.4 */
function foldUrl(url: string): string {
  return url.replace(/^[a-z][a-z0-9+.-]*:(\/\/[^/?#]*)?/i, (start) => start.toLowerCase())
}

function contentOf(general: Uint8Array): Uint8Array {
  return readDer(general, 'generalName', 'RFC 5280 §4.2.1.6', (reader) => reader.primitive(general[0] as number, ''))
}

function formatPoint(name: DistributionPointName, issuer: Uint8Array): string {
  return fullNamesOf(name, issuer).map(formatGeneralName).join(', ')
}

function formatGeneralName(general: Uint8Array): string {
  const [url] = urlsOf({ fullName: [general] })
  if (url !== undefined) return url
  return general[0] === constructedTag(4) ? formatName(contentOf(general)) : formatHexBriefly(general)
}
