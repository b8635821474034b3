/** Signers without authority: the delegation rules, responderID, nonce, and the caller's own pairing. RFC 6960 §4.2.2.2. */
import {
  encodeExplicit,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
} from '../../../../src/pki/der/writer.ts'
import { decodeCertificate } from '../../../../src/pki/x509/certificate.ts'
import { certificateKey } from '../../../../src/pki/x509/crypto.ts'
import {
  byKey,
  byName,
  delegatedDraft,
  digest,
  directDraft,
  extension,
  extensions,
  flip,
  forgeCa,
  forgeCertificate,
  forgeDelegate,
  hours,
  key,
  name,
  type ResponseDraft,
  schemes,
  world,
} from '../../forge.ts'
import type { BadRow } from './row.ts'

const { digitalSignature, ocspSigning, nocheck, serverAuth } = extensions
const cert = 'basicResponse.certs[0]'
const responderID = 'basicResponse.tbsResponseData.responderID'

/** Carry another certificate for the responder's key. */
const carrying = (draft: ResponseDraft, ...certs: Uint8Array[]): ResponseDraft => ({ ...draft, certs })
const delegated = () => delegatedDraft()
const nonceOf = (...octets: number[]) =>
  encodeExplicit(1, encodeSequence(extension('1.3.6.1.5.5.7.48.1.2', encodeOctetString(Uint8Array.from(octets)))))
const stranger = () => forgeDelegate({ subject: name('Stranger'), key: key('stranger') })

export const authorityRows: readonly BadRow[] = [
  {
    what: 'signed by a certificate of the issuer without extKeyUsage',
    baseline: delegated,
    breakIt: (draft) => carrying(draft, forgeDelegate({ extensions: [digitalSignature, nocheck] })),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: `${cert}.tbsCertificate.extensions.extKeyUsage`,
    expected: 'id-kp-OCSPSigning 1.3.6.1.5.5.7.3.9',
    found: 'absent',
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: 'signed by a server certificate of the issuer',
    baseline: delegated,
    breakIt: (draft) => carrying(draft, forgeDelegate({ extensions: [digitalSignature, serverAuth, nocheck] })),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: `${cert}.tbsCertificate.extensions.extKeyUsage`,
    expected: 'id-kp-OCSPSigning 1.3.6.1.5.5.7.3.9',
    found: '1.3.6.1.5.5.7.3.1',
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: 'signed by a certificate for any extended key usage',
    baseline: delegated,
    breakIt: (draft) =>
      carrying(
        draft,
        forgeDelegate({ extensions: [extension('2.5.29.37', encodeSequence(encodeOid('2.5.29.37.0'))), nocheck] }),
      ),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: `${cert}.tbsCertificate.extensions.extKeyUsage`,
    expected: 'id-kp-OCSPSigning 1.3.6.1.5.5.7.3.9',
    found: '2.5.29.37.0',
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: 'whose signer has a purpose that only begins like OCSPSigning',
    baseline: delegated,
    breakIt: (draft) =>
      carrying(
        draft,
        forgeDelegate({
          extensions: [extension('2.5.29.37', encodeSequence(encodeOid('1.3.6.1.5.5.7.3.9.1'))), nocheck],
        }),
      ),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: `${cert}.tbsCertificate.extensions.extKeyUsage`,
    expected: 'id-kp-OCSPSigning 1.3.6.1.5.5.7.3.9',
    found: '1.3.6.1.5.5.7.3.9.1',
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: 'signed by the certificate in question itself',
    breakIt: (draft) => ({
      ...draft,
      signer: key('leaf'),
      responderID: byKey(world().certificate),
      certs: [world().certificate.der],
    }),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: `${cert}.tbsCertificate.extensions.extKeyUsage`,
    expected: 'id-kp-OCSPSigning 1.3.6.1.5.5.7.3.9',
    found: 'absent',
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: "signed by another CA's responder",
    baseline: delegated,
    breakIt: (draft) => carrying(draft, forgeDelegate({ issuer: name('Other CA'), signer: key('other') })),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: `${cert}.tbsCertificate.issuer`,
    expected: 'CN=Forged Intermediate',
    found: 'CN=Other CA',
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: "signed by the responder of another CA with the issuer's name",
    baseline: delegated,
    breakIt: (draft) => carrying(draft, forgeDelegate({ signer: key('other') })),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: `${cert}.signatureValue`,
    expected: 'a signature by the key of CN=Forged Intermediate',
    found: 'another',
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: "signed by a responder that the issuer's own issuer authorised",
    baseline: delegated,
    breakIt: (draft) => carrying(draft, forgeDelegate({ issuer: name('Forged Root'), signer: key('root') })),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: `${cert}.tbsCertificate.issuer`,
    expected: 'CN=Forged Intermediate',
    found: 'CN=Forged Root',
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: 'signed by a responder of a CA below the issuer',
    baseline: delegated,
    breakIt: (draft) =>
      carrying(
        draft,
        forgeDelegate({ issuer: name('Sub CA'), signer: key('sub') }),
        forgeCa('Sub CA', key('sub'), { issuer: name('Forged Intermediate'), signer: key('intermediate') }),
      ),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: `${cert}.tbsCertificate.issuer`,
    expected: 'CN=Forged Intermediate',
    found: 'CN=Sub CA',
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: 'signed by a responder that another responder authorised',
    baseline: delegated,
    breakIt: (draft) =>
      carrying(
        draft,
        forgeDelegate({ issuer: name('First Responder'), signer: key('first') }),
        forgeDelegate({ subject: name('First Responder'), key: key('first') }),
      ),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: `${cert}.tbsCertificate.issuer`,
    expected: 'CN=Forged Intermediate',
    found: 'CN=First Responder',
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: "signed by a self-signed certificate with the issuer's name",
    breakIt: (draft) => ({
      ...draft,
      signer: key('fake'),
      responderID: byName(name('Forged Intermediate')),
      certs: [
        forgeCa('Forged Intermediate', key('fake'), { issuer: name('Forged Intermediate'), signer: key('fake') }),
      ],
    }),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: `${cert}.signatureValue`,
    expected: 'a signature by the key of CN=Forged Intermediate',
    found: 'another',
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: "whose signer's certificate was changed after it was issued",
    baseline: delegated,
    breakIt: (draft) => carrying(draft, forgeDelegate({ after: (der) => flip(der, -1) })),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: `${cert}.signatureValue`,
    expected: 'a signature by the key of CN=Forged Intermediate',
    found: 'another',
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: "whose signer's certificate is signed with SHA-1",
    baseline: delegated,
    breakIt: (draft) => carrying(draft, forgeDelegate({ scheme: schemes.ecdsaSha1 })),
    code: 'ERR_OCSP_WEAK_ALGORITHM',
    field: `${cert}.signatureAlgorithm`,
    expected: 'SHA-256, SHA-384, SHA-512, Ed25519 or Ed448',
    found: 'ecdsa-with-SHA1',
    clause: 'CA/Browser Forum BR §7.1.3.2',
  },
  {
    what: 'whose signer is for key encipherment only',
    baseline: delegated,
    breakIt: (draft) =>
      carrying(draft, forgeDelegate({ extensions: [extensions.keyEncipherment, ocspSigning, nocheck] })),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: `${cert}.tbsCertificate.extensions.keyUsage`,
    expected: 'digitalSignature',
    found: 'keyEncipherment',
    clause: 'RFC 5280 §4.2.1.3',
  },
  {
    what: 'whose signer is a CA that may sign certificates and CRLs only',
    baseline: delegated,
    breakIt: (draft) =>
      carrying(draft, forgeDelegate({ extensions: [extensions.ca, extensions.caUsage, ocspSigning, nocheck] })),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: `${cert}.tbsCertificate.extensions.keyUsage`,
    expected: 'digitalSignature',
    found: 'keyCertSign, cRLSign',
    clause: 'RFC 5280 §4.2.1.3',
  },
  {
    what: 'whose signer has an unknown critical extension',
    baseline: delegated,
    breakIt: (draft) =>
      carrying(draft, forgeDelegate({ extensions: [ocspSigning, nocheck, extension('1.2.3.4', encodeNull(), true)] })),
    code: 'ERR_X509_UNSUPPORTED_CRITICAL_EXTENSION',
    field: `${cert}.tbsCertificate.extensions`,
    expected: 'only critical extensions that are understood',
    found: '1.2.3.4',
    clause: 'RFC 5280 §4.2',
  },
  {
    what: 'whose signer expired a second ago',
    baseline: () => delegatedDraft(forgeDelegate({ notAfter: hours(0) })),
    breakIt: (draft) => carrying(draft, forgeDelegate({ notAfter: new Date('2026-06-15T11:59:59Z') })),
    code: 'ERR_OCSP_RESPONDER_EXPIRED',
    field: `${cert}.tbsCertificate.validity`,
    expected: '2026-05-04T20:00:00Z to 2026-06-15T11:59:59Z',
    found: '2026-06-15T12:00:00Z',
    clause: 'RFC 5280 §4.1.2.5',
  },
  {
    what: 'whose signer begins in a second',
    baseline: () => delegatedDraft(forgeDelegate({ notBefore: hours(0) })),
    breakIt: (draft) => carrying(draft, forgeDelegate({ notBefore: new Date('2026-06-15T12:00:01Z') })),
    code: 'ERR_OCSP_RESPONDER_EXPIRED',
    field: `${cert}.tbsCertificate.validity`,
    expected: '2026-06-15T12:00:01Z to 2026-07-27T04:00:00Z',
    found: '2026-06-15T12:00:00Z',
    clause: 'RFC 5280 §4.1.2.5',
  },
  {
    what: 'whose signer has two certificates, neither good: the nearer miss is told',
    baseline: delegated,
    breakIt: (draft) =>
      carrying(draft, forgeDelegate({ extensions: [serverAuth] }), forgeDelegate({ notAfter: hours(-1) })),
    code: 'ERR_OCSP_RESPONDER_EXPIRED',
    field: 'basicResponse.certs[1].tbsCertificate.validity',
    expected: '2026-05-04T20:00:00Z to 2026-06-15T11:00:00Z',
    found: '2026-06-15T12:00:00Z',
    clause: 'RFC 5280 §4.1.2.5',
  },
  {
    what: 'whose signer lacks nocheck where policy refuses that',
    options: () => ({ delegateWithoutNocheck: 'refuse' }),
    baseline: delegated,
    breakIt: (draft) => carrying(draft, forgeDelegate({ extensions: [digitalSignature, ocspSigning] })),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: `${cert}.tbsCertificate.extensions.ocspNoCheck`,
    expected: 'present',
    found: 'absent',
    clause: 'RFC 6960 §4.2.2.2.1',
  },
  {
    what: 'whose signer is known to be revoked',
    baseline: () => delegatedDraft(lastDelegate()),
    breakIt: (draft) => draft,
    brokenOptions: () => ({ revokedDelegates: new Set([certificateKey(lastDelegate())]) }),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: cert,
    expected: 'a certificate that is not revoked',
    found: /^revoked [0-9a-f]{64}$/,
    clause: 'RFC 6960 §4.2.2.2.1',
  },
  {
    what: 'that does not carry the certificate of its signer',
    baseline: delegated,
    breakIt: (draft) => carrying(draft),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: responderID,
    expected: 'the issuer CN=Forged Intermediate, or one of the certificates in certs',
    found: /^byKey [0-9a-f]{40}$/,
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: 'of an unknown signer, beside a certificate on a curve whose OID is broken',
    baseline: () => ({ ...directDraft(), certs: [oddCurve()] }),
    breakIt: (draft) => ({ ...draft, signer: key('stranger'), responderID: byName(name('Nobody')) }),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: responderID,
    expected: 'the issuer CN=Forged Intermediate, or one of the certificates in certs',
    found: 'byName CN=Nobody',
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: 'of a signer by a name that nobody has',
    breakIt: (draft) => ({ ...draft, signer: key('stranger'), responderID: byName(name('Nobody')) }),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: responderID,
    expected: 'the issuer CN=Forged Intermediate, or one of the certificates in certs',
    found: 'byName CN=Nobody',
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: "that names its responder's key but was signed by a stranger",
    baseline: delegated,
    breakIt: (draft) => ({ ...draft, signer: key('stranger') }),
    code: 'ERR_OCSP_SIGNATURE',
    field: 'basicResponse.signature',
    expected: 'a signature over tbsResponseData by the P-256 key of CN=Forged Responder',
    found: 'one that this key does not verify',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: "that names the issuer's key but was signed by a delegated responder",
    baseline: delegated,
    breakIt: (draft) => ({ ...draft, responderID: byKey(world().issuer) }),
    code: 'ERR_OCSP_RESPONDER_ID_MISMATCH',
    field: responderID,
    expected: 'byKey of CN=Forged Responder',
    found: /^byKey [0-9a-f]{40}$/,
    clause: 'RFC 6960 §3.2',
  },
  {
    what: "that has the issuer's name but was signed by a delegated responder",
    baseline: () => ({ ...delegatedDraft(), responderID: byName(name('Forged Responder')) }),
    breakIt: (draft) => ({ ...draft, responderID: byName(world().issuer.subject) }),
    code: 'ERR_OCSP_RESPONDER_ID_MISMATCH',
    field: responderID,
    expected: 'byName CN=Forged Responder',
    found: 'byName CN=Forged Intermediate',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'that names nobody but was signed by the issuer',
    breakIt: (draft) => ({ ...draft, responderID: byName(name('Nobody')) }),
    code: 'ERR_OCSP_RESPONDER_ID_MISMATCH',
    field: responderID,
    expected: 'byName CN=Forged Intermediate',
    found: 'byName CN=Nobody',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'whose byKey hashes the whole subjectPublicKeyInfo',
    breakIt: (draft) => ({
      ...draft,
      responderID: encodeExplicit(2, encodeOctetString(digest('sha1', world().issuer.subjectPublicKeyInfo))),
    }),
    code: 'ERR_OCSP_RESPONDER_ID_MISMATCH',
    field: responderID,
    expected: 'byKey of CN=Forged Intermediate',
    found: /^byKey [0-9a-f]{40}$/,
    clause: 'RFC 6960 §3.2',
  },
  {
    what: "whose byName is the issuer's own issuer",
    breakIt: (draft) => ({ ...draft, responderID: byName(world().issuer.issuer) }),
    code: 'ERR_OCSP_RESPONDER_ID_MISMATCH',
    field: responderID,
    expected: 'byName CN=Forged Intermediate',
    found: 'byName CN=Forged Root',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'by the configured responder, which has expired',
    options: () => ({ responderCertificate: configured() }),
    baseline: byConfigured,
    breakIt: (draft) => draft,
    brokenOptions: () => ({ responderCertificate: configured(hours(-1)) }),
    code: 'ERR_OCSP_RESPONDER_EXPIRED',
    field: 'responderCertificate.tbsCertificate.validity',
    expected: '2026-05-04T20:00:00Z to 2026-06-15T11:00:00Z',
    found: '2026-06-15T12:00:00Z',
    clause: 'RFC 5280 §4.1.2.5',
  },
  {
    what: 'by another than the configured responder',
    options: () => ({ responderCertificate: configured() }),
    baseline: byConfigured,
    breakIt: (draft) => ({ ...draft, signer: key('stranger'), responderID: byKey(decodeCertificate(stranger())) }),
    code: 'ERR_OCSP_RESPONDER_NOT_AUTHORIZED',
    field: responderID,
    expected: 'the issuer CN=Forged Intermediate, or one of the certificates in certs',
    found: /^byKey [0-9a-f]{40}$/,
    clause: 'RFC 6960 §4.2.2.2',
  },
  {
    what: 'with another nonce than the one sent',
    options: () => ({ nonce: Uint8Array.of(1, 2, 3) }),
    baseline: () => ({ ...directDraft(), responseExtensions: nonceOf(1, 2, 3) }),
    breakIt: (draft) => ({ ...draft, responseExtensions: nonceOf(1, 2, 4) }),
    code: 'ERR_OCSP_NONCE_MISMATCH',
    field: 'basicResponse.tbsResponseData.responseExtensions.nonce',
    expected: '010203',
    found: '010204',
    clause: 'RFC 9654 §2.1',
  },
  {
    what: 'without the nonce that is required',
    options: () => ({ nonce: Uint8Array.of(1, 2, 3), requireNonce: true }),
    baseline: () => ({ ...directDraft(), responseExtensions: nonceOf(1, 2, 3) }),
    breakIt: ({ responseExtensions: _, ...draft }) => draft,
    code: 'ERR_OCSP_NONCE_MISMATCH',
    field: 'basicResponse.tbsResponseData.responseExtensions.nonce',
    expected: '010203',
    found: 'absent',
    clause: 'RFC 9654 §2.1',
  },
  {
    what: 'when the caller pairs the certificate with another issuer',
    breakIt: (draft) => draft,
    brokenOptions: () => ({ issuer: forgeCa('Other CA', key('intermediate')) }),
    code: 'ERR_X509_ISSUER_MISMATCH',
    field: 'certificate.tbsCertificate.issuer',
    expected: 'CN=Other CA',
    found: 'CN=Forged Intermediate',
    clause: 'RFC 5280 §6.1.3',
  },
]

let delegate: Uint8Array | undefined

/** One delegate for the baseline and the option that names it. */
function lastDelegate(): Uint8Array {
  delegate ??= forgeDelegate()
  return delegate
}

function configured(notAfter = hours(10)): Uint8Array {
  return forgeCertificate({
    subject: name('Configured'),
    issuer: name('Elsewhere'),
    signer: key('elsewhere'),
    key: key('configured'),
    notAfter,
  })
}

function byConfigured(): ResponseDraft {
  return { ...directDraft(), signer: key('configured'), responderID: byName(name('Configured')) }
}

/** P-256 by an OID with a padded arc: well-formed around it, of no use as a key. */
function oddCurve(): Uint8Array {
  return forgeCertificate({
    after: (der) => {
      const bytes = Buffer.from(der)
      bytes.set([0x80], bytes.indexOf(Buffer.from([0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03])) + 7)
      return new Uint8Array(bytes)
    },
  })
}
