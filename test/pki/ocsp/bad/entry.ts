/** Bad entries: certID, certStatus, times, singleExtensions. RFC 6960 §3.2, §4.2.1, §4.2.2.1. */
import {
  encodeEnumerated,
  encodeExplicit,
  encodeGeneralizedTime,
  encodeInteger,
  encodeNull,
  encodeOctetString,
  encodeSequence,
  encodeValue,
} from '../../../../src/pki/der/writer.ts'
import {
  algorithm,
  type CertIDDraft,
  certIDDraft,
  digest,
  directDraft,
  extension,
  hours,
  nextUpdate,
  type ResponseDraft,
  revoked,
  type SingleDraft,
  singleDraft,
  timeOf,
  world,
} from '../../forge.ts'
import type { BadRow } from './row.ts'

const entry = 'basicResponse.tbsResponseData.responses[0]'
const serial = world().certificate.serialNumber

const withEntry = (draft: ResponseDraft, changes: Partial<SingleDraft>): ResponseDraft => ({
  ...draft,
  responses: [{ ...(draft.responses[0] as SingleDraft), ...changes }],
})
const withCertID = (draft: ResponseDraft, changes: Partial<CertIDDraft>): ResponseDraft =>
  withEntry(draft, { certID: { ...certIDDraft(world()), ...changes } })
const sha1 = '1.3.14.3.2.26'

export const entryRows: readonly BadRow[] = [
  {
    what: 'about the next serial number',
    breakIt: (draft) => withCertID(draft, { serialNumber: encodeInteger(serial + 1n) }),
    code: 'ERR_OCSP_CERT_ID_MISMATCH',
    field: `${entry}.certID.serialNumber`,
    expected: '112233445566778899aabbccddee',
    found: '112233445566778899aabbccddef',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'about a serial number that differs only beyond 64 bits',
    breakIt: (draft) => withCertID(draft, { serialNumber: encodeInteger(serial & (2n ** 64n - 1n)) }),
    code: 'ERR_OCSP_CERT_ID_MISMATCH',
    field: `${entry}.certID.serialNumber`,
    expected: '112233445566778899aabbccddee',
    found: '778899aabbccddee',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'about the negative of the serial number',
    breakIt: (draft) => withCertID(draft, { serialNumber: encodeInteger(-serial) }),
    code: 'ERR_OCSP_CERT_ID_MISMATCH',
    field: `${entry}.certID.serialNumber`,
    expected: '112233445566778899aabbccddee',
    found: '-112233445566778899aabbccddee',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'whose serial number has an octet too many',
    breakIt: (draft) => withCertID(draft, { serialNumber: Uint8Array.of(2, 2, 0, 1) }),
    code: 'ERR_DER_NOT_CANONICAL',
    field: `${entry}.certID.serialNumber`,
    expected: 'the fewest octets',
    found: '0001',
    clause: 'X.690 §8.3.2',
  },
  {
    what: 'whose serial number has no octets',
    breakIt: (draft) => withCertID(draft, { serialNumber: Uint8Array.of(2, 0) }),
    code: 'ERR_DER_VALUE',
    field: `${entry}.certID.serialNumber`,
    expected: 'at least 1 octet',
    found: 'none',
    clause: 'X.690 §8.3.1',
  },
  {
    what: 'about an issuer of another name',
    breakIt: (draft) =>
      withCertID(draft, { issuerNameHash: encodeOctetString(digest('sha1', world().certificate.subject)) }),
    code: 'ERR_OCSP_CERT_ID_MISMATCH',
    field: `${entry}.certID.issuerNameHash`,
    expected: '01aaef19633dd703e31b35e6d28a5d63121a2691',
    found: '2b88a3e441414d78ab5a2433865bfeb3a890ada1',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'about an issuer with another key',
    breakIt: (draft) =>
      withCertID(draft, { issuerKeyHash: encodeOctetString(digest('sha1', world().certificate.subjectPublicKey)) }),
    code: 'ERR_OCSP_CERT_ID_MISMATCH',
    field: `${entry}.certID.issuerKeyHash`,
    expected: /^[0-9a-f]{40}$/,
    found: /^[0-9a-f]{40}$/,
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'whose issuerKeyHash is over the whole subjectPublicKeyInfo',
    breakIt: (draft) =>
      withCertID(draft, { issuerKeyHash: encodeOctetString(digest('sha1', world().issuer.subjectPublicKeyInfo)) }),
    code: 'ERR_OCSP_CERT_ID_MISMATCH',
    field: `${entry}.certID.issuerKeyHash`,
    expected: /^[0-9a-f]{40}$/,
    found: /^[0-9a-f]{40}$/,
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'whose SHA-1 hashes are called SHA-256',
    breakIt: (draft) => withCertID(draft, { hashAlgorithm: certIDDraft(world(), 'sha256').hashAlgorithm }),
    code: 'ERR_OCSP_CERT_ID_MISMATCH',
    field: `${entry}.certID.issuerNameHash`,
    expected: 'f6a89d885ba934ddce7f62fc1eab19a3f29e7872b79014ef41581d2cc940a155',
    found: '01aaef19633dd703e31b35e6d28a5d63121a2691',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'whose hashes are MD5',
    breakIt: (draft) => withEntry(draft, { certID: certIDDraft(world(), 'md5') }),
    code: 'ERR_OCSP_CERT_ID_MISMATCH',
    field: `${entry}.certID.hashAlgorithm`,
    expected: 'sha1, sha256, sha384 or sha512',
    found: '1.2.840.113549.2.5',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'whose SHA-1 has parameters',
    breakIt: (draft) => withCertID(draft, { hashAlgorithm: algorithm(sha1, encodeInteger(1n)) }),
    code: 'ERR_OCSP_CERT_ID_MISMATCH',
    field: `${entry}.certID.hashAlgorithm`,
    expected: 'sha1, sha256, sha384 or sha512',
    found: '1.3.14.3.2.26',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'whose hash has two parameters',
    breakIt: (draft) =>
      withCertID(draft, { hashAlgorithm: encodeSequence(algorithm(sha1).slice(2), encodeNull(), encodeNull()) }),
    code: 'ERR_DER_TRAILING_DATA',
    field: `${entry}.certID.hashAlgorithm`,
    expected: 'nothing after the last value',
    found: '2 more bytes',
    clause: 'RFC 6960 §4.2.1',
  },
  {
    what: 'whose hashes have no octets',
    breakIt: (draft) => withCertID(draft, { issuerNameHash: encodeOctetString(new Uint8Array()) }),
    code: 'ERR_OCSP_CERT_ID_MISMATCH',
    field: `${entry}.certID.issuerNameHash`,
    expected: '01aaef19633dd703e31b35e6d28a5d63121a2691',
    found: '(empty)',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'of several entries, all about others',
    baseline: () => ({
      ...directDraft(),
      responses: [
        singleDraft(world(), { certID: { ...certIDDraft(world()), serialNumber: encodeInteger(1n) } }),
        singleDraft(world()),
      ],
    }),
    breakIt: (draft) => ({
      ...draft,
      responses: [
        draft.responses[0] as SingleDraft,
        singleDraft(world(), {
          certID: {
            ...certIDDraft(world()),
            serialNumber: encodeInteger(2n),
            issuerKeyHash: encodeOctetString(new Uint8Array(20)),
          },
        }),
      ],
    }),
    code: 'ERR_OCSP_CERT_ID_MISMATCH',
    field: `${entry}.certID.serialNumber`,
    expected: '112233445566778899aabbccddee',
    found: '1',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'whose good has content',
    breakIt: (draft) => withEntry(draft, { certStatus: Uint8Array.of(0x80, 1, 0) }),
    code: 'ERR_DER_VALUE',
    field: `${entry}.certStatus`,
    expected: 'no content',
    found: '1 octet',
    clause: 'X.690 §8.8.2',
  },
  {
    what: 'whose good is in the constructed form',
    breakIt: (draft) => withEntry(draft, { certStatus: Uint8Array.of(0xa0, 0) }),
    code: 'ERR_DER_UNEXPECTED_TAG',
    field: `${entry}.certStatus`,
    expected: 'good [0], revoked [1] or unknown [2]',
    found: '[0]',
    clause: 'RFC 6960 §4.2.1',
  },
  {
    what: 'whose unknown has content',
    breakIt: (draft) => withEntry(draft, { certStatus: Uint8Array.of(0x82, 2, 5, 0) }),
    code: 'ERR_DER_VALUE',
    field: `${entry}.certStatus`,
    expected: 'no content',
    found: '2 octets',
    clause: 'X.690 §8.8.2',
  },
  {
    what: 'whose certStatus is a fourth',
    breakIt: (draft) => withEntry(draft, { certStatus: Uint8Array.of(0x83, 0) }),
    code: 'ERR_DER_UNEXPECTED_TAG',
    field: `${entry}.certStatus`,
    expected: 'good [0], revoked [1] or unknown [2]',
    found: '[3] primitive',
    clause: 'RFC 6960 §4.2.1',
  },
  {
    what: 'that is revoked without a time',
    baseline: () => withEntry(directDraft(), { certStatus: revoked() }),
    breakIt: (draft) => withEntry(draft, { certStatus: encodeValue(0xa1, new Uint8Array()) }),
    code: 'ERR_DER_TRUNCATED',
    field: `${entry}.certStatus.revocationTime`,
    expected: 'GeneralizedTime',
    found: 'the end',
    clause: 'RFC 6960 §4.2.1',
  },
  {
    what: 'that is revoked at no real time',
    baseline: () => withEntry(directDraft(), { certStatus: revoked() }),
    breakIt: (draft) => withEntry(draft, { certStatus: encodeValue(0xa1, timeOf('20260631000000Z')) }),
    code: 'ERR_DER_VALUE',
    field: `${entry}.certStatus.revocationTime`,
    expected: 'a real date as YYYYMMDDHHMMSSZ',
    found: '20260631000000Z',
    clause: 'RFC 5280 §4.1.2.5.2',
  },
  {
    what: 'whose revocationReason is an INTEGER',
    baseline: () => withEntry(directDraft(), { certStatus: revoked(hours(-2), 1) }),
    breakIt: (draft) =>
      withEntry(draft, {
        certStatus: encodeValue(
          0xa1,
          new Uint8Array(Buffer.concat([encodeGeneralizedTime(hours(-2)), encodeExplicit(0, encodeInteger(1n))])),
        ),
      }),
    code: 'ERR_DER_UNEXPECTED_TAG',
    field: `${entry}.certStatus.revocationReason`,
    expected: 'ENUMERATED',
    found: 'INTEGER',
    clause: 'RFC 6960 §4.2.1',
  },
  {
    what: 'whose revocationReason is 256',
    baseline: () => withEntry(directDraft(), { certStatus: revoked(hours(-2), 1) }),
    breakIt: (draft) => withEntry(draft, { certStatus: revoked(hours(-2), 256) }),
    code: 'ERR_DER_VALUE',
    field: `${entry}.certStatus.revocationReason`,
    expected: '0 to 255',
    found: '256',
    clause: 'RFC 5280 §5.3.1',
  },
  {
    what: 'whose revocationReason is tagged twice',
    baseline: () => withEntry(directDraft(), { certStatus: revoked(hours(-2), 1) }),
    breakIt: (draft) =>
      withEntry(draft, {
        certStatus: encodeValue(
          0xa1,
          new Uint8Array(
            Buffer.concat([
              encodeGeneralizedTime(hours(-2)),
              encodeExplicit(0, encodeExplicit(0, encodeEnumerated(1))),
            ]),
          ),
        ),
      }),
    code: 'ERR_DER_UNEXPECTED_TAG',
    field: `${entry}.certStatus.revocationReason`,
    expected: 'ENUMERATED',
    found: '[0]',
    clause: 'RFC 6960 §4.2.1',
  },
  {
    what: 'whose thisUpdate has an offset',
    breakIt: (draft) => withEntry(draft, { thisUpdate: timeOf('20260615120000+0100') }),
    code: 'ERR_DER_VALUE',
    field: `${entry}.thisUpdate`,
    expected: 'a real date as YYYYMMDDHHMMSSZ',
    found: '20260615120000+0100',
    clause: 'RFC 5280 §4.1.2.5.2',
  },
  {
    what: 'whose nextUpdate has a fraction',
    breakIt: (draft) => withEntry(draft, { nextUpdate: encodeExplicit(0, timeOf('20260616120000.000Z')) }),
    code: 'ERR_DER_VALUE',
    field: `${entry}.nextUpdate`,
    expected: 'a real date as YYYYMMDDHHMMSSZ',
    found: '20260616120000.000Z',
    clause: 'RFC 5280 §4.1.2.5.2',
  },
  {
    what: 'whose nextUpdate lacks its tag',
    breakIt: (draft) => withEntry(draft, { nextUpdate: encodeGeneralizedTime(hours(23)) }),
    code: 'ERR_DER_TRAILING_DATA',
    field: entry,
    expected: 'nothing after the last value',
    found: '17 more bytes',
    clause: 'RFC 6960 §4.2.1',
  },
  {
    what: 'whose nextUpdate is before its thisUpdate',
    breakIt: (draft) => withEntry(draft, { nextUpdate: nextUpdate(hours(-2)) }),
    code: 'ERR_OCSP_MALFORMED',
    field: `${entry}.nextUpdate`,
    expected: 'after thisUpdate 2026-06-15T11:00:00Z',
    found: '2026-06-15T10:00:00Z',
    clause: 'RFC 6960 §4.2.2.1',
  },
  {
    what: 'whose nextUpdate is its thisUpdate',
    breakIt: (draft) =>
      withEntry(draft, { thisUpdate: encodeGeneralizedTime(hours(0)), nextUpdate: nextUpdate(hours(0)) }),
    code: 'ERR_OCSP_MALFORMED',
    field: `${entry}.nextUpdate`,
    expected: 'after thisUpdate 2026-06-15T12:00:00Z',
    found: '2026-06-15T12:00:00Z',
    clause: 'RFC 6960 §4.2.2.1',
  },
  {
    what: 'that begins six minutes from now',
    baseline: () => withEntry(directDraft(), { thisUpdate: encodeGeneralizedTime(hours(0.05)) }),
    breakIt: (draft) => withEntry(draft, { thisUpdate: encodeGeneralizedTime(hours(0.1)) }),
    code: 'ERR_OCSP_NOT_YET_VALID',
    field: `${entry}.thisUpdate`,
    expected: 'no later than 2026-06-15T12:05:00Z',
    found: '2026-06-15T12:06:00Z',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'that lives one minute and begins 40 seconds from now',
    baseline: () =>
      withEntry(directDraft(), {
        thisUpdate: encodeGeneralizedTime(new Date('2026-06-15T12:00:20Z')),
        nextUpdate: nextUpdate(new Date('2026-06-15T12:01:20Z')),
      }),
    breakIt: (draft) =>
      withEntry(draft, {
        thisUpdate: encodeGeneralizedTime(new Date('2026-06-15T12:00:40Z')),
        nextUpdate: nextUpdate(new Date('2026-06-15T12:01:40Z')),
      }),
    code: 'ERR_OCSP_NOT_YET_VALID',
    field: `${entry}.thisUpdate`,
    expected: 'no later than 2026-06-15T12:00:30Z',
    found: '2026-06-15T12:00:40Z',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'that is stale by a second',
    baseline: () => withEntry(directDraft(), { nextUpdate: nextUpdate(hours(0)) }),
    breakIt: (draft) => withEntry(draft, { nextUpdate: nextUpdate(new Date('2026-06-15T11:59:59Z')) }),
    code: 'ERR_OCSP_STALE',
    field: `${entry}.nextUpdate`,
    expected: 'no earlier than 2026-06-15T12:00:00Z',
    found: '2026-06-15T11:59:59Z',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'that is stale beyond the tolerance asked for',
    options: () => ({ nextUpdateToleranceMs: 3_600_000 }),
    baseline: () =>
      withEntry(directDraft(), { thisUpdate: encodeGeneralizedTime(hours(-9)), nextUpdate: nextUpdate(hours(-1)) }),
    breakIt: (draft) => withEntry(draft, { nextUpdate: nextUpdate(hours(-2)) }),
    code: 'ERR_OCSP_STALE',
    field: `${entry}.nextUpdate`,
    expected: 'no earlier than 2026-06-15T11:00:00Z',
    found: '2026-06-15T10:00:00Z',
    clause: 'RFC 6960 §3.2',
  },
  {
    what: 'without nextUpdate that is over an hour old',
    baseline: () => withEntry(directDraft(), { nextUpdate: undefined }),
    breakIt: (draft) => withEntry(draft, { thisUpdate: encodeGeneralizedTime(hours(-1.01)) }),
    code: 'ERR_OCSP_TOO_OLD',
    field: `${entry}.thisUpdate`,
    expected: 'no earlier than 2026-06-15T11:00:00Z',
    found: '2026-06-15T10:59:24Z',
    clause: 'RFC 6960 §4.2.2.1',
  },
  {
    what: 'with an unknown critical singleExtension',
    baseline: () =>
      withEntry(directDraft(), {
        singleExtensions: encodeExplicit(1, encodeSequence(extension('1.2.3.4', encodeNull()))),
      }),
    breakIt: (draft) =>
      withEntry(draft, {
        singleExtensions: encodeExplicit(
          1,
          encodeSequence(extension('1.2.3.5', encodeNull()), extension('1.2.3.4', encodeNull(), true)),
        ),
      }),
    code: 'ERR_OCSP_UNSUPPORTED_CRITICAL_EXTENSION',
    field: `${entry}.singleExtensions[1]`,
    expected: 'only critical extensions that are understood',
    found: '1.2.3.4',
    clause: 'RFC 5280 §4.2',
  },
  {
    what: 'whose critical certificateIssuer makes it about another issuer',
    baseline: () =>
      withEntry(directDraft(), {
        singleExtensions: encodeExplicit(1, encodeSequence(extension('2.5.29.29', encodeNull()))),
      }),
    breakIt: (draft) =>
      withEntry(draft, {
        singleExtensions: encodeExplicit(1, encodeSequence(extension('2.5.29.29', encodeNull(), true))),
      }),
    code: 'ERR_OCSP_UNSUPPORTED_CRITICAL_EXTENSION',
    field: `${entry}.singleExtensions[0]`,
    expected: 'only critical extensions that are understood',
    found: '2.5.29.29',
    clause: 'RFC 5280 §4.2',
  },
  {
    what: 'with an unknown critical extension in its second entry about this certificate',
    baseline: () => ({
      ...directDraft(),
      responses: [singleDraft(world()), singleDraft(world(), { certID: certIDDraft(world(), 'sha256') })],
    }),
    breakIt: (draft) => ({
      ...draft,
      responses: [
        singleDraft(world()),
        singleDraft(world(), {
          certID: certIDDraft(world(), 'sha256'),
          singleExtensions: encodeExplicit(1, encodeSequence(extension('1.2.3.4', encodeNull(), true))),
        }),
      ],
    }),
    code: 'ERR_OCSP_UNSUPPORTED_CRITICAL_EXTENSION',
    field: 'basicResponse.tbsResponseData.responses[1].singleExtensions[0]',
    expected: 'only critical extensions that are understood',
    found: '1.2.3.4',
    clause: 'RFC 5280 §4.2',
  },
  {
    what: 'with a singleExtension twice',
    baseline: () =>
      withEntry(directDraft(), {
        singleExtensions: encodeExplicit(1, encodeSequence(extension('1.2.3.4', encodeNull()))),
      }),
    breakIt: (draft) =>
      withEntry(draft, {
        singleExtensions: encodeExplicit(
          1,
          encodeSequence(extension('1.2.3.4', encodeNull()), extension('1.2.3.4', encodeNull())),
        ),
      }),
    code: 'ERR_OCSP_MALFORMED',
    field: `${entry}.singleExtensions[1].extnID`,
    expected: 'each extension once',
    found: '1.2.3.4 again',
    clause: 'RFC 5280 §4.2',
  },
  {
    what: 'whose entry has a field too many',
    breakIt: (draft) => withEntry(draft, { singleExtensions: encodeNull() }),
    code: 'ERR_DER_TRAILING_DATA',
    field: entry,
    expected: 'nothing after the last value',
    found: '2 more bytes',
    clause: 'RFC 6960 §4.2.1',
  },
]
