/**
 * One entry of a CRL, read strictly and completely: the one that is asked for, and those not written as most are.
 */

import type { DerReader } from '../der/reader.ts'
import { tags } from '../der/tags.ts'
import { formatInteger } from '../der/values.ts'
import { walkExtensions } from '../x509/extension.ts'
import { formatRevocationReason } from '../x509/revocation-reason.ts'
import { malformed } from './malformed.ts'

/** @see RFC 5280 §5.1.2.6, §5.3 */
export interface RevokedCertificate {
  readonly serialNumber: bigint
  readonly revocationTime: Date
  /** A name of RFC 5280 §5.3.1; `reason7` and the like for numbers without one. */
  readonly revocationReason?: string
  /** @see RFC 5280 §5.3.2 */
  readonly invalidityDate?: Date
  /** The entry names whose certificate it is about: only in indirect CRLs. @see RFC 5280 §5.3.3 */
  readonly hasCertificateIssuer: boolean
  /** OIDs of critical extensions that nothing here understands. */
  readonly unsupportedCritical: readonly string[]
}

/** Reads one entry; the reader stands before it. */
export function readEntry(reader: DerReader, version: 1 | 2): RevokedCertificate {
  return reader.sequence('', (fields) => {
    const decoded: Draft = {
      serialNumber: fields.integer('userCertificate'),
      revocationTime: fields.time('revocationDate'),
      hasCertificateIssuer: false,
      unsupportedCritical: [],
    }
    if (fields.isAtEnd) return decoded
    if (version === 1 && fields.nextTag === tags.sequence) {
      const place = fields.path('crlEntryExtensions')
      throw malformed(place, 'absent in a CRL of version 1', 'present', 'RFC 5280 §5.1.2.1')
    }
    walkExtensions(fields, 'crl', (value, oid, isCritical) => readOne(value, oid, isCritical, decoded), extensionsField)
    return decoded
  })
}

type Draft = { -readonly [Key in keyof RevokedCertificate]: RevokedCertificate[Key] } & {
  unsupportedCritical: string[]
}

const extensionsField = 'crlEntryExtensions'

function readOne(reader: DerReader, oid: string, isCritical: boolean, decoded: Draft): void {
  switch (oid) {
    case '2.5.29.21':
      decoded.revocationReason = reader.octetStringHolding('reasonCode', 'RFC 5280 §5.3.1', readReason)
      break
    case '2.5.29.24':
      decoded.invalidityDate = reader.octetStringHolding('invalidityDate', 'RFC 5280 §5.3.2', (value) =>
        value.generalizedTime(''),
      )
      break
    case '2.5.29.29':
      reader.octetStringHolding('certificateIssuer', 'RFC 5280 §5.3.3', (value) =>
        value.sequenceOf('', (name) => name.skip('generalName')),
      )
      decoded.hasCertificateIssuer = true
      break
    default:
      reader.octetString('extnValue')
      if (isCritical) decoded.unsupportedCritical.push(oid)
  }
}

function readReason(reader: DerReader): string {
  const reason = reader.enumerated('')
  if (reason >= 0n && reason <= 0xffn) return formatRevocationReason(reason)
  return reader.fail('ERR_DER_VALUE', '', '0 to 255', formatInteger(reason), 'RFC 5280 §5.3.1')
}
