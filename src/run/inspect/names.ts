/** Names of OIDs, as the RFCs have them, for those that stand in certificates, CRLs and OCSP messages. */
import { isStapleError } from '../../errors.ts'
import { type AlgorithmIdentifier, parseSignatureScheme } from '../../pki/x509/algorithm.ts'
import type { Extension } from '../../pki/x509/extension.ts'
import { type Field, octets, plain } from './field.ts'

/** `id-kp-OCSPSigning (1.3.6.1.5.5.7.3.9)`, or the OID alone. */
export function nameOid(oid: string): string {
  const name = names[oid]
  return name === undefined ? oid : `${name} (${oid})`
}

/** A signature algorithm by its name and its OID. */
export function showAlgorithm(name: string, algorithm: AlgorithmIdentifier): Field {
  return plain(name, nameAlgorithm(algorithm), {
    algorithm: algorithm.oid,
    name: nameAlgorithm(algorithm),
    ...(algorithm.parameters === undefined ? {} : { parameters: Buffer.from(algorithm.parameters).toString('hex') }),
  })
}

/** Extensions that nobody decodes further: which, whether critical, and their octets. */
export function showExtensions(name: string, extensions: readonly Extension[]): Field[] {
  return extensions.length === 0
    ? []
    : [
        {
          name,
          items: extensions.map(({ oid, isCritical, value }) => [
            plain('extnID', nameOid(oid), oid),
            ...(isCritical ? [plain('critical', 'TRUE', true)] : []),
            ...octets('extnValue', value),
          ]),
        },
      ]
}

function nameAlgorithm(algorithm: AlgorithmIdentifier): string {
  try {
    const { name, hashAlgorithm, family } = parseSignatureScheme(algorithm, 'signatureAlgorithm')
    return family === 'rsa-pss' ? `${name} with ${hashAlgorithm}` : name
  } catch (error) {
    if (!isStapleError(error)) throw error
    return nameOid(algorithm.oid)
  }
}

const names: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'id-kp-serverAuth',
  '1.3.6.1.5.5.7.3.2': 'id-kp-clientAuth',
  '1.3.6.1.5.5.7.3.3': 'id-kp-codeSigning',
  '1.3.6.1.5.5.7.3.4': 'id-kp-emailProtection',
  '1.3.6.1.5.5.7.3.8': 'id-kp-timeStamping',
  '1.3.6.1.5.5.7.3.9': 'id-kp-OCSPSigning',
  '2.5.29.37.0': 'anyExtendedKeyUsage',
  '1.3.6.1.5.5.7.48.1.1': 'id-pkix-ocsp-basic',
  '1.3.6.1.5.5.7.48.1.2': 'id-pkix-ocsp-nonce',
  '1.3.6.1.5.5.7.48.1.3': 'id-pkix-ocsp-crl',
  '1.3.6.1.5.5.7.48.1.4': 'id-pkix-ocsp-response',
  '1.3.6.1.5.5.7.48.1.5': 'id-pkix-ocsp-nocheck',
  '1.3.6.1.5.5.7.48.1.6': 'id-pkix-ocsp-archive-cutoff',
  '1.3.6.1.5.5.7.48.1.7': 'id-pkix-ocsp-service-locator',
  '1.3.6.1.5.5.7.48.1.8': 'id-pkix-ocsp-pref-sig-algs',
  '1.3.6.1.5.5.7.48.1.9': 'id-pkix-ocsp-extended-revoke',
  '1.3.6.1.4.1.11129.2.4.2': 'signedCertificateTimestampList of a certificate',
  '1.3.6.1.4.1.11129.2.4.5': 'signedCertificateTimestampList of an OCSP response',
  '2.5.29.9': 'subjectDirectoryAttributes',
  '2.5.29.14': 'subjectKeyIdentifier',
  '2.5.29.15': 'keyUsage',
  '2.5.29.17': 'subjectAltName',
  '2.5.29.18': 'issuerAltName',
  '2.5.29.19': 'basicConstraints',
  '2.5.29.20': 'cRLNumber',
  '2.5.29.21': 'reasonCode',
  '2.5.29.24': 'invalidityDate',
  '2.5.29.27': 'deltaCRLIndicator',
  '2.5.29.28': 'issuingDistributionPoint',
  '2.5.29.29': 'certificateIssuer',
  '2.5.29.30': 'nameConstraints',
  '2.5.29.31': 'cRLDistributionPoints',
  '2.5.29.32': 'certificatePolicies',
  '2.5.29.35': 'authorityKeyIdentifier',
  '2.5.29.36': 'policyConstraints',
  '2.5.29.37': 'extKeyUsage',
  '2.5.29.46': 'freshestCRL',
  '2.5.29.54': 'inhibitAnyPolicy',
  '2.5.29.56': 'noRevAvail',
  '1.3.6.1.5.5.7.1.1': 'authorityInfoAccess',
  '1.3.6.1.5.5.7.1.24': 'tlsFeature',
  '1.2.840.113549.1.1.5': 'sha1WithRSAEncryption',
  '1.2.840.113549.1.1.4': 'md5WithRSAEncryption',
  '1.2.840.10040.4.3': 'dsa-with-sha1',
}
