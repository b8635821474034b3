/** CRLs of kinds that are not taken, and parts of a CA's revocations that do not cover the certificate. */
import { encodeInteger, encodeOid, encodeSequence, encodeValue } from '../../../../src/pki/der/writer.ts'
import { decodeCertificate } from '../../../../src/pki/x509/certificate.ts'
import { extension, extensions, forgeCertificate, hours, name, world } from '../../forge.ts'
import {
  type CrlDraft,
  crlDraft,
  crlNumber,
  directoryName,
  distributionPoints,
  entry,
  flag,
  fullName,
  invalidityDate,
  issuingPoint,
  reasonCode,
  relativeName,
  uri,
} from '../forge.ts'
import type { BadCrlRow } from './row.ts'

const tbs = 'certificateList.tbsCertList'
const point = `${tbs}.crlExtensions.issuingDistributionPoint`
const entries = `${tbs}.revokedCertificates`
const withExtension = (der: Uint8Array) => (draft: CrlDraft) => ({ ...draft, extensions: [...draft.extensions, der] })
const withEntry =
  (...more: readonly Uint8Array[]) =>
  (draft: CrlDraft) => ({ ...draft, entries: [...draft.entries, entry(5n, { extensions: more })] })

/** A certificate of the world's issuer with these extensions. */
const certificateWith = (...more: readonly Uint8Array[]) => ({
  certificate: decodeCertificate(forgeCertificate({ signer: world().issuerKey, extensions: more })),
})
const atA = () => certificateWith(distributionPoints([fullName(uri('http://crl.test/a.crl'))]))
const commonName = (text: string) =>
  encodeSequence(encodeOid('2.5.4.3'), encodeValue(0x0c, new TextEncoder().encode(text)))

export const kindRows: readonly BadCrlRow[] = [
  {
    what: 'that is a delta',
    breakIt: withExtension(extension('2.5.29.27', encodeInteger(6n), true)),
    code: 'ERR_CRL_UNSUPPORTED',
    field: `${tbs}.crlExtensions.deltaCRLIndicator`,
    expected: 'absent',
    found: 'changes since CRL 6',
    clause: 'RFC 5280 §5.2.4',
  },
  {
    what: 'that is a delta and does not say so as critical',
    breakIt: withExtension(extension('2.5.29.27', encodeInteger(6n))),
    code: 'ERR_CRL_UNSUPPORTED',
    field: `${tbs}.crlExtensions.deltaCRLIndicator`,
    expected: 'absent',
    found: 'changes since CRL 6',
    clause: 'RFC 5280 §5.2.4',
  },
  {
    what: 'with a removeFromCRL, as only deltas have',
    breakIt: withEntry(reasonCode(8)),
    code: 'ERR_CRL_MALFORMED',
    field: `${entries}[3].crlEntryExtensions.reasonCode`,
    expected: 'a reason for revoking, outside of delta CRLs',
    found: 'removeFromCRL',
    clause: 'RFC 5280 §5.3.1',
  },
  {
    what: 'that is indirect',
    breakIt: withExtension(issuingPoint(flag(4))),
    code: 'ERR_CRL_UNSUPPORTED',
    field: `${point}.indirectCRL`,
    expected: 'FALSE',
    found: 'TRUE',
    clause: 'RFC 5280 §5.2.5',
  },
  {
    what: 'with an entry about another CA',
    breakIt: withEntry(
      extension('2.5.29.29', encodeSequence(directoryName(name('Somebody Else'))), true),
      invalidityDate(hours(-50)),
    ),
    code: 'ERR_CRL_UNSUPPORTED',
    field: `${entries}[3].crlEntryExtensions.certificateIssuer`,
    expected: 'absent',
    found: 'present',
    clause: 'RFC 5280 §5.3.3',
  },
  {
    what: 'of some reasons only',
    breakIt: withExtension(issuingPoint(encodeValue(0x83, Uint8Array.of(5, 0x60)))),
    code: 'ERR_CRL_UNSUPPORTED',
    field: `${point}.onlySomeReasons`,
    expected: 'absent',
    found: 'present',
    clause: 'RFC 5280 §5.2.5',
  },
  {
    what: 'with an unknown critical extension',
    breakIt: withExtension(extension('1.2.3.4', Uint8Array.of(5, 0), true)),
    code: 'ERR_CRL_UNSUPPORTED_CRITICAL_EXTENSION',
    field: `${tbs}.crlExtensions[1]`,
    expected: 'only critical extensions that are understood',
    found: '1.2.3.4',
    clause: 'RFC 5280 §5.2',
  },
  {
    what: 'with an unknown critical extension in an entry about another certificate',
    breakIt: withEntry(extension('1.2.3.5', Uint8Array.of(5, 0), true)),
    code: 'ERR_CRL_UNSUPPORTED_CRITICAL_EXTENSION',
    field: `${entries}[3].crlEntryExtensions`,
    expected: 'only critical extensions that are understood',
    found: '1.2.3.5',
    clause: 'RFC 5280 §5.3',
  },
  {
    what: 'for another distribution point',
    options: atA,
    baseline: () => withExtension(issuingPoint(fullName(uri('http://crl.test/a.crl'))))(crlDraft()),
    breakIt: (before) => ({
      ...before,
      extensions: [crlNumber(7n), issuingPoint(fullName(uri('http://crl.test/b.crl')))],
    }),
    code: 'ERR_CRL_SCOPE',
    field: `${point}.distributionPoint`,
    expected: 'http://crl.test/a.crl',
    found: 'http://crl.test/b.crl',
    clause: 'RFC 5280 §6.3.3',
  },
  {
    what: 'for a distribution point that differs in the case of its path',
    options: atA,
    breakIt: withExtension(issuingPoint(fullName(uri('HTTP://CRL.test/A.crl')))),
    code: 'ERR_CRL_SCOPE',
    field: `${point}.distributionPoint`,
    expected: 'http://crl.test/a.crl',
    found: 'HTTP://CRL.test/A.crl',
    clause: 'RFC 5280 §6.3.3',
  },
  {
    what: 'for a distribution point, of a certificate that has none',
    breakIt: withExtension(issuingPoint(fullName(uri('http://crl.test/a.crl')))),
    code: 'ERR_CRL_SCOPE',
    field: `${point}.distributionPoint`,
    expected: 'CN=Forged Intermediate',
    found: 'http://crl.test/a.crl',
    clause: 'RFC 5280 §6.3.3',
  },
  {
    what: 'for a point that the certificate only has for some reasons',
    options: () =>
      certificateWith(
        distributionPoints([fullName(uri('http://crl.test/a.crl')), encodeValue(0x81, Uint8Array.of(5, 0x60))]),
      ),
    breakIt: withExtension(issuingPoint(fullName(uri('http://crl.test/a.crl')))),
    code: 'ERR_CRL_SCOPE',
    field: `${point}.distributionPoint`,
    expected: 'absent',
    found: 'http://crl.test/a.crl',
    clause: 'RFC 5280 §6.3.3',
  },
  {
    what: 'for a point of which the certificate says that somebody else signs its CRL',
    options: () =>
      certificateWith(
        distributionPoints([
          fullName(uri('http://crl.test/a.crl')),
          encodeValue(0xa2, directoryName(name('Somebody Else'))),
        ]),
      ),
    breakIt: withExtension(issuingPoint(fullName(uri('http://crl.test/a.crl')))),
    code: 'ERR_CRL_SCOPE',
    field: `${point}.distributionPoint`,
    expected: 'absent',
    found: 'http://crl.test/a.crl',
    clause: 'RFC 5280 §6.3.3',
  },
  {
    what: 'for another point relative to the issuer',
    options: () => certificateWith(distributionPoints([relativeName(commonName('CRL1'))])),
    baseline: () => withExtension(issuingPoint(relativeName(commonName('crl1'))))(crlDraft()),
    breakIt: (before) => ({ ...before, extensions: [issuingPoint(relativeName(commonName('CRL2')))] }),
    code: 'ERR_CRL_SCOPE',
    field: `${point}.distributionPoint`,
    expected: 'CN=CRL1,CN=Forged Intermediate',
    found: 'CN=CRL2,CN=Forged Intermediate',
    clause: 'RFC 5280 §6.3.3',
  },
  {
    what: 'for another directory name',
    options: () => certificateWith(distributionPoints([fullName(directoryName(name('Point A')))])),
    baseline: () => withExtension(issuingPoint(fullName(directoryName(name('point  a', 0x13)))))(crlDraft()),
    breakIt: (before) => ({ ...before, extensions: [issuingPoint(fullName(directoryName(name('Point B'))))] }),
    code: 'ERR_CRL_SCOPE',
    field: `${point}.distributionPoint`,
    expected: 'CN=Point A',
    found: 'CN=Point B',
    clause: 'RFC 5280 §6.3.3',
  },
  {
    what: 'of CA certificates, for a server',
    breakIt: withExtension(issuingPoint(flag(2))),
    code: 'ERR_CRL_SCOPE',
    field: `${point}.onlyContainsCACerts`,
    expected: 'FALSE, for an end-entity certificate',
    found: 'TRUE',
    clause: 'RFC 5280 §6.3.3',
  },
  {
    what: 'of user certificates, for a CA',
    options: () => certificateWith(extensions.ca, extensions.caUsage),
    baseline: () => withExtension(issuingPoint(flag(2)))(crlDraft()),
    breakIt: (before) => ({ ...before, extensions: [issuingPoint(flag(1))] }),
    code: 'ERR_CRL_SCOPE',
    field: `${point}.onlyContainsUserCerts`,
    expected: 'FALSE, for a CA certificate',
    found: 'TRUE',
    clause: 'RFC 5280 §6.3.3',
  },
  {
    what: 'of attribute certificates',
    breakIt: withExtension(issuingPoint(flag(5))),
    code: 'ERR_CRL_SCOPE',
    field: `${point}.onlyContainsAttributeCerts`,
    expected: 'FALSE, for an end-entity certificate',
    found: 'TRUE',
    clause: 'RFC 5280 §6.3.3',
  },
]
