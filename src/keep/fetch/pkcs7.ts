/** The certificates of a "certs-only" PKCS#7 message, as caIssuers addresses serve it (RFC 5280 §4.2.2.1, RFC 5272). */

import { readDer } from '../../pki/der/reader.ts'
import { constructedTag } from '../../pki/der/tags.ts'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'

const signedDataOid = '1.2.840.113549.1.7.2'
const clause = 'RFC 5652 §5.1'

/**
 * Decodes the certificates; signatures are not looked at, there are none.
 *
 * @throws {@link StapleError} `ERR_DER_…`, `ERR_X509_MALFORMED`
 */
export function decodePkcs7Certificates(der: Uint8Array): Certificate[] {
  const encoded = readDer(der, 'contentInfo', clause, (reader) =>
    reader.sequence('', (contentInfo) => {
      const type = contentInfo.oid('contentType')
      if (type !== signedDataOid)
        contentInfo.fail('ERR_DER_VALUE', 'contentType', `${signedDataOid} (signedData)`, type)
      return contentInfo.explicit(0, 'content', (content) =>
        content.sequence('signedData', (signedData) => {
          signedData.integer('version')
          signedData.element('digestAlgorithms')
          signedData.element('encapContentInfo')
          const certificates: Uint8Array[] = []
          if (signedData.nextTag === constructedTag(0)) {
            signedData.constructed(constructedTag(0), 'certificates', (set) => {
              while (!set.isAtEnd) certificates.push(set.element('certificate'))
            })
          }
          if (signedData.nextTag === constructedTag(1)) signedData.element('crls')
          signedData.element('signerInfos')
          return certificates
        }),
      )
    }),
  )
  return encoded.map((certificate) => decodeCertificate(certificate))
}
