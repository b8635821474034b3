/** CRLs that prove nothing: of another CA, by another key, out of their time. */
import { encodeGeneralizedTime, encodeNull } from '../../../../src/pki/der/writer.ts'
import { decodeCertificate } from '../../../../src/pki/x509/certificate.ts'
import { algorithm, extension, extensions, flip, forgeCa, hours, key, name, schemes, world } from '../../forge.ts'
import { crlDraft, entry, utcTime } from '../forge.ts'
import type { BadCrlRow } from './row.ts'

const tbs = 'certificateList.tbsCertList'
/** keyCertSign alone. */
const certSignOnly = extension('2.5.29.15', Uint8Array.of(3, 2, 2, 0x04), true)
const issuerWith = (usage: Uint8Array) => ({
  issuer: decodeCertificate(forgeCa('Forged Intermediate', world().issuerKey, { extensions: [extensions.ca, usage] })),
})

export const proofRows: readonly BadCrlRow[] = [
  {
    what: 'of another CA',
    breakIt: (draft) => ({ ...draft, issuer: name('Somebody Else') }),
    code: 'ERR_CRL_ISSUER_MISMATCH',
    field: `${tbs}.issuer`,
    expected: 'CN=Forged Intermediate',
    found: 'CN=Somebody Else',
    clause: 'RFC 5280 §6.3.3',
  },
  {
    what: 'for a certificate that this issuer did not issue',
    breakIt: (draft) => draft,
    brokenOptions: () => ({ certificate: decodeCertificate(forgeCa('Other', key('other'))) }),
    code: 'ERR_X509_ISSUER_MISMATCH',
    field: 'certificate.tbsCertificate.issuer',
    expected: 'CN=Forged Intermediate',
    found: 'CN=Forged Root',
    clause: 'RFC 5280 §6.1.3',
  },
  {
    what: 'by an issuer that may only sign certificates',
    breakIt: (draft) => draft,
    brokenOptions: () => issuerWith(certSignOnly),
    code: 'ERR_CRL_NOT_AUTHORIZED',
    field: 'issuer.tbsCertificate.extensions.keyUsage',
    expected: 'cRLSign',
    found: 'keyCertSign',
    clause: 'RFC 5280 §4.2.1.3',
  },
  {
    what: 'by another key of the same name',
    breakIt: (draft) => ({ ...draft, signer: key('stranger') }),
    code: 'ERR_CRL_SIGNATURE',
    field: 'certificateList.signatureValue',
    expected: 'a signature over tbsCertList by the P-256 key of CN=Forged Intermediate',
    found: 'one that this key does not verify',
    clause: 'RFC 5280 §5.1.1.3',
  },
  {
    what: 'from which an entry was taken after it was signed',
    breakIt: (draft) => ({
      ...draft,
      signed: (whole) => {
        const gone = Buffer.from(entry(0x1003n, { reason: 6 }))
        const at = Buffer.from(whole).indexOf(gone)
        return flip(whole, at + 5)
      },
    }),
    code: 'ERR_CRL_SIGNATURE',
    field: 'certificateList.signatureValue',
    expected: /^a signature over tbsCertList/,
    found: 'one that this key does not verify',
    clause: 'RFC 5280 §5.1.1.3',
  },
  {
    what: 'with one bit of the signature turned over',
    breakIt: (draft) => ({ ...draft, signature: (bits) => flip(bits, -1) }),
    code: 'ERR_CRL_SIGNATURE',
    field: 'certificateList.signatureValue',
    expected: /^a signature over tbsCertList/,
    found: 'one that this key does not verify',
    clause: 'RFC 5280 §5.1.1.3',
  },
  {
    what: 'by an algorithm that does not suit the key',
    breakIt: (draft) => ({
      ...draft,
      innerAlgorithm: schemes.rsaSha256.identifier,
      outerAlgorithm: schemes.rsaSha256.identifier,
    }),
    code: 'ERR_CRL_SIGNATURE',
    field: 'certificateList.signatureAlgorithm',
    expected: 'an algorithm for the P-256 key of CN=Forged Intermediate',
    found: 'sha256WithRSAEncryption',
    clause: 'RFC 5280 §5.1.1.2',
  },
  {
    what: 'signed with SHA-1',
    breakIt: (draft) => ({ ...draft, scheme: schemes.ecdsaSha1 }),
    code: 'ERR_CRL_WEAK_ALGORITHM',
    field: 'certificateList.signatureAlgorithm',
    expected: 'SHA-256, SHA-384, SHA-512, Ed25519 or Ed448',
    found: 'ecdsa-with-SHA1',
    clause: 'CA/Browser Forum BR §7.1.3.2',
  },
  {
    what: 'signed with MD5, even where SHA-1 is allowed',
    of: () => world('rsa'),
    baseline: () => ({ ...crlDraft(world('rsa')), scheme: schemes.rsaSha1 }),
    options: () => ({ danger: { allowSha1Signatures: true } }),
    breakIt: (draft) => ({ ...draft, scheme: schemes.rsaMd5 }),
    code: 'ERR_CRL_WEAK_ALGORITHM',
    field: 'certificateList.signatureAlgorithm',
    expected: 'SHA-256, SHA-384, SHA-512, Ed25519 or Ed448',
    found: 'md5WithRSAEncryption',
    clause: 'RFC 6151 §2',
  },
  {
    what: 'signed by an unknown algorithm',
    breakIt: (draft) => ({
      ...draft,
      innerAlgorithm: algorithm('1.2.3.4'),
      outerAlgorithm: algorithm('1.2.3.4'),
    }),
    code: 'ERR_X509_UNSUPPORTED_ALGORITHM',
    field: 'certificateList.signatureAlgorithm.algorithm',
    expected: /^RSA, ECDSA/,
    found: '1.2.3.4',
    clause: 'RFC 6960 §4.3',
  },
  {
    what: 'signed by ECDSA with parameters',
    breakIt: (draft) => {
      const identifier = algorithm('1.2.840.10045.4.3.2', encodeNull())
      return { ...draft, innerAlgorithm: identifier, outerAlgorithm: identifier }
    },
    code: 'ERR_X509_UNSUPPORTED_ALGORITHM',
    field: 'certificateList.signatureAlgorithm.parameters',
    expected: 'absent',
    found: '0500',
    clause: 'RFC 5758 §3.2',
  },
  {
    what: 'whose nextUpdate is before its thisUpdate',
    breakIt: (draft) => ({ ...draft, nextUpdate: utcTime(hours(-2)) }),
    code: 'ERR_CRL_MALFORMED',
    field: `${tbs}.nextUpdate`,
    expected: 'after thisUpdate 2026-06-15T11:00:00Z',
    found: '2026-06-15T10:00:00Z',
    clause: 'RFC 5280 §5.1.2.5',
  },
  {
    what: 'whose nextUpdate is its thisUpdate',
    breakIt: (draft) => ({ ...draft, nextUpdate: draft.thisUpdate }),
    code: 'ERR_CRL_MALFORMED',
    field: `${tbs}.nextUpdate`,
    expected: 'after thisUpdate 2026-06-15T11:00:00Z',
    found: '2026-06-15T11:00:00Z',
    clause: 'RFC 5280 §5.1.2.5',
  },
  {
    what: 'from the future',
    breakIt: (draft) => ({ ...draft, thisUpdate: encodeGeneralizedTime(hours(0.1)) }),
    code: 'ERR_CRL_NOT_YET_VALID',
    field: `${tbs}.thisUpdate`,
    expected: 'no later than 2026-06-15T12:05:00Z',
    found: '2026-06-15T12:06:00Z',
    clause: 'RFC 5280 §5.1.2.4',
  },
  {
    what: 'that begins within the skew, but further ahead than half of its window',
    breakIt: (draft) => ({ ...draft, thisUpdate: utcTime(hours(1 / 60)), nextUpdate: utcTime(hours(2 / 60)) }),
    code: 'ERR_CRL_NOT_YET_VALID',
    field: `${tbs}.thisUpdate`,
    expected: 'no later than 2026-06-15T12:00:30Z',
    found: '2026-06-15T12:01:00Z',
    clause: 'RFC 5280 §5.1.2.4',
  },
  {
    what: 'past its nextUpdate',
    breakIt: (draft) => ({ ...draft, nextUpdate: utcTime(hours(-0.1)) }),
    code: 'ERR_CRL_STALE',
    field: `${tbs}.nextUpdate`,
    expected: 'no earlier than 2026-06-15T12:00:00Z',
    found: '2026-06-15T11:54:00Z',
    clause: 'RFC 5280 §5.1.2.5',
  },
  {
    what: 'past its nextUpdate and the tolerance',
    baseline: () => ({ ...crlDraft(), nextUpdate: utcTime(hours(-0.1)) }),
    options: () => ({ nextUpdateToleranceMs: 600_000 }),
    breakIt: (draft) => ({ ...draft, nextUpdate: utcTime(hours(-0.2)) }),
    code: 'ERR_CRL_STALE',
    field: `${tbs}.nextUpdate`,
    expected: 'no earlier than 2026-06-15T11:50:00Z',
    found: '2026-06-15T11:48:00Z',
    clause: 'RFC 5280 §5.1.2.5',
  },
  {
    what: 'without a nextUpdate',
    breakIt: (draft) => ({ ...draft, nextUpdate: undefined }),
    code: 'ERR_CRL_STALE',
    field: `${tbs}.nextUpdate`,
    expected: 'no earlier than 2026-06-15T12:00:00Z',
    found: 'absent',
    clause: 'RFC 5280 §5.1.2.5',
  },
]
