/** A certificate field by field, with what OCSP makes of it: its certIDs, and whether it can be stapled. */

import { readDer } from '../../pki/der/reader.ts'
import { constructedTag } from '../../pki/der/tags.ts'
import { createCertID } from '../../pki/ocsp/cert-id-match.ts'
import { formatKeyAlgorithm } from '../../pki/x509/algorithm.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import { certificateKey } from '../../pki/x509/crypto.ts'
import type { DistributionPoint } from '../../pki/x509/distribution-point.ts'
import { type Extension, walkExtensions } from '../../pki/x509/extension.ts'
import { formatName, isSameName } from '../../pki/x509/name.ts'
import { type Field, group, list, moment, number, octets, plain } from './field.ts'
import { nameOid, showAlgorithm, showExtensions as showExtensionList } from './names.ts'
import { outlookFor } from './outlook.ts'

/** Shows it as what it is. @param issuer - proven; without it, no certID can be made */
export function showCertificate(certificate: Certificate, issuer: Certificate | undefined, at: Date): Field[] {
  const { text, tone } = outlookFor(certificate, at)
  return [
    ...showFields(certificate, at),
    ...showExtensions(certificate),
    plain('certificateKey', certificateKey(certificate.der)),
    ...showCertIDs(certificate, issuer),
    plain('stapling', text, text, tone),
  ]
}

/** Shows it as a part of something: who it is, and what makes it a responder. */
export function showCertificateBriefly(certificate: Certificate, at: Date): Field[] {
  const { extendedKeyUsage, ocspNoCheck } = certificate.extensions
  return [
    ...showFields(certificate, at),
    ...names('extKeyUsage', extendedKeyUsage?.map(nameOid), extendedKeyUsage),
    ...(ocspNoCheck ? [plain('ocspNoCheck', 'its own status need not be asked', true)] : []),
    plain('certificateKey', certificateKey(certificate.der)),
  ]
}

function showFields(certificate: Certificate, at: Date): Field[] {
  const { serialNumber, signatureAlgorithm, issuer, subject, notBefore, notAfter } = certificate
  const { publicKeyAlgorithm, subjectPublicKey } = certificate
  const key = `${formatKeyAlgorithm(publicKeyAlgorithm)}, ${subjectPublicKey.length} octets`
  return [
    number('serialNumber', serialNumber),
    showAlgorithm('signatureAlgorithm', signatureAlgorithm),
    plain('issuer', formatName(issuer)),
    ...group('validity', [...moment('notBefore', notBefore, at), ...moment('notAfter', notAfter, at)]),
    plain('subject', formatName(subject)),
    plain('subjectPublicKeyInfo', key, {
      algorithm: publicKeyAlgorithm.oid,
      name: formatKeyAlgorithm(publicKeyAlgorithm),
      subjectPublicKey: Buffer.from(subjectPublicKey).toString('hex'),
    }),
  ]
}

function showExtensions(certificate: Certificate): Field[] {
  const { extensions } = certificate
  const all = listExtensions(certificate)
  const critical = all.filter(({ isCritical }) => isCritical).map(({ oid }) => oid)
  const others = all.filter(({ oid }) => !shownOids.has(oid))
  const { basicConstraints, keyUsage, extendedKeyUsage, tlsFeatures } = extensions
  const alternatives = [
    ...extensions.dnsNames.map((name) => `DNS ${name}`),
    ...extensions.ipAddresses.map((address) => `IP ${address}`),
  ]
  return group('extensions', [
    ...(basicConstraints === undefined ? [] : [showConstraints(basicConstraints)]),
    ...names('keyUsage', keyUsage && [...keyUsage]),
    ...names('extKeyUsage', extendedKeyUsage?.map(nameOid), extendedKeyUsage),
    ...octets('subjectKeyIdentifier', extensions.subjectKeyIdentifier),
    ...octets('authorityKeyIdentifier', extensions.authorityKeyIdentifier),
    ...names('subjectAltName', alternatives.length > 0 ? alternatives : undefined),
    ...group('authorityInfoAccess', [
      ...lines('ocsp', extensions.responderURLs),
      ...lines('caIssuers', extensions.caIssuersURLs),
    ]),
    ...list('cRLDistributionPoints', extensions.crlDistributionPoints.map(showPoint)),
    ...(tlsFeatures.length > 0 ? [plain('tlsFeature', tlsFeatures.map(nameFeature).join(', '), tlsFeatures)] : []),
    ...(extensions.ocspNoCheck ? [plain('ocspNoCheck', 'its own status need not be asked', true)] : []),
    ...(extensions.noRevAvail ? [plain('noRevAvail', 'there is no revocation information', true)] : []),
    ...names('critical', nonEmpty(critical)?.map(nameOid), critical),
    ...showExtensionList('others', others),
  ])
}

function showConstraints({ ca, pathLength }: { readonly ca: boolean; readonly pathLength?: number }): Field {
  const limit = pathLength === undefined ? '' : `, pathLenConstraint ${pathLength}`
  const json = { cA: ca, ...(pathLength === undefined ? {} : { pathLenConstraint: pathLength }) }
  return plain('basicConstraints', `cA ${ca ? 'TRUE' : 'FALSE'}${limit}`, json)
}

function showPoint({ urls, hasReasons, hasCRLIssuer }: DistributionPoint): Field[] {
  return [
    ...lines('distributionPoint', urls.length > 0 ? urls : ['without a URL']),
    ...(hasReasons ? [plain('reasons', 'of some reasons only', true)] : []),
    ...(hasCRLIssuer ? [plain('cRLIssuer', 'signed by somebody else than the issuer', true)] : []),
  ]
}

function showCertIDs(certificate: Certificate, issuer: Certificate | undefined): Field[] {
  if (isSameName(certificate.issuer, certificate.subject)) return []
  if (issuer === undefined) return [plain('certID', 'to compute it takes the issuer: --issuer FILE', null, 'dim')]
  const parts = (['sha1', 'sha256'] as const).flatMap((algorithm) => {
    const { issuerNameHash, issuerKeyHash } = createCertID(certificate, issuer, algorithm)
    return group(algorithm, [...octets('issuerNameHash', issuerNameHash), ...octets('issuerKeyHash', issuerKeyHash)])
  })
  return group('certID', parts)
}

function nameFeature(feature: number): string {
  return feature === 5 ? 'status_request (5): Must-Staple' : String(feature)
}

/** Several names in one value, with commas; programs get a list. */
function names(
  name: string,
  texts: readonly string[] | undefined,
  json: readonly string[] | undefined = texts,
): Field[] {
  return texts === undefined ? [] : [plain(name, texts.join(', '), json ?? [])]
}

/** Several values, each on a line. */
function lines(name: string, texts: readonly string[]): Field[] {
  return texts.length === 0 ? [] : [{ name, text: texts, json: texts }]
}

function nonEmpty<T>(given: readonly T[]): readonly T[] | undefined {
  return given.length > 0 ? given : undefined
}

/** Every extension as it stands. The certificate was decoded before, so nothing here can fail. */
function listExtensions({ tbsCertificate }: Certificate): Extension[] {
  const extensions: Extension[] = []
  readDer(tbsCertificate, 'tbsCertificate', 'RFC 5280 §4.1', (reader) =>
    reader.sequence('', (fields) => {
      while (!fields.isAtEnd && fields.nextTag !== constructedTag(3)) fields.skip('')
      fields.optionalExplicit(3, 'extensions', (inner) =>
        walkExtensions(inner, 'certificate', (each, oid, isCritical) => {
          extensions.push({ oid, isCritical, value: each.octetString('extnValue') })
        }),
      )
    }),
  )
  return extensions
}

/** Those that are shown by their content. */
const shownOids: ReadonlySet<string> = new Set([
  '1.3.6.1.5.5.7.1.1',
  '1.3.6.1.5.5.7.1.24',
  '1.3.6.1.5.5.7.48.1.5',
  '2.5.29.14',
  '2.5.29.15',
  '2.5.29.17',
  '2.5.29.19',
  '2.5.29.31',
  '2.5.29.35',
  '2.5.29.37',
  '2.5.29.56',
])
