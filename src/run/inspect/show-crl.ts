/** A CRL field by field, and the first of its entries. */
import type { CertificateList } from '../../pki/crl/certificate-list.ts'
import type { RevokedCertificate } from '../../pki/crl/entry.ts'
import type { IssuingDistributionPoint } from '../../pki/crl/issuing-distribution-point.ts'
import { readRevokedCertificates } from '../../pki/crl/look-up.ts'
import { urlsOf } from '../../pki/x509/distribution-point.ts'
import { formatName } from '../../pki/x509/name.ts'
import { type Field, group, list, moment, nextMoment, number, octets, plain } from './field.ts'
import { showAlgorithm, showExtensions } from './names.ts'

/** Shows it. */
export function showCrl(crl: CertificateList, at: Date): Field[] {
  const { revokedCertificates, nextUpdate, issuingDistributionPoint } = crl
  const { count } = revokedCertificates
  const shown = firstEntries(crl)
  const more = count > shown.length ? `; the first ${shown.length}:` : ''
  return [
    plain('version', `v${crl.version}`, crl.version),
    showAlgorithm('signatureAlgorithm', crl.signatureAlgorithm),
    plain('issuer', formatName(crl.issuer)),
    ...moment('thisUpdate', crl.thisUpdate, at),
    ...nextMoment(nextUpdate, at),
    ...(crl.crlNumber === undefined ? [] : [number('cRLNumber', crl.crlNumber)]),
    ...(crl.deltaCRLIndicator === undefined ? [] : [number('deltaCRLIndicator', crl.deltaCRLIndicator)]),
    ...(issuingDistributionPoint === undefined ? [] : showPoint(issuingDistributionPoint)),
    ...showExtensions('crlExtensions', crl.extensions),
    plain('entryCount', `${count} ${count === 1 ? 'certificate' : 'certificates'} revoked${more}`, count),
    ...list(
      'revokedCertificates',
      shown.map((entry) => showEntry(entry, at)),
    ),
    ...octets('signature', crl.signature),
  ]
}

function firstEntries(crl: CertificateList): RevokedCertificate[] {
  const entries: RevokedCertificate[] = []
  for (const entry of readRevokedCertificates(crl)) {
    entries.push(entry)
    if (entries.length === mostEntries) break
  }
  return entries
}

function showEntry({ serialNumber, revocationTime, revocationReason, invalidityDate }: RevokedCertificate, at: Date) {
  return [
    number('userCertificate', serialNumber),
    ...moment('revocationDate', revocationTime, at),
    ...(revocationReason === undefined ? [] : [plain('reasonCode', revocationReason)]),
    ...moment('invalidityDate', invalidityDate, at),
  ]
}

function showPoint(point: IssuingDistributionPoint): Field[] {
  const urls = urlsOf(point.name)
  const flags = (['onlyContainsUserCerts', 'onlyContainsCACerts', 'onlyContainsAttributeCerts', 'indirectCRL'] as const)
    .filter((flag) => point[flag])
    .map((flag) => plain(flag, 'TRUE', true))
  return group('issuingDistributionPoint', [
    ...(urls.length === 0 ? [] : [{ name: 'distributionPoint', text: urls, json: urls }]),
    ...flags,
    ...(point.hasOnlySomeReasons ? [plain('onlySomeReasons', 'present', true)] : []),
  ])
}

/** A CRL may have a million; who wants one of them names the certificate. */
const mostEntries = 10
