/**
 * SingleResponse: what a responder says about one certificate.
 */

import type { DerReader } from '../der/reader.ts'
import { constructedTag, formatTag, primitiveTag } from '../der/tags.ts'
import { formatInteger } from '../der/values.ts'
import { type Extension, readExtensions } from '../x509/extension.ts'
import { formatRevocationReason } from '../x509/revocation-reason.ts'
import { type CertID, readCertID } from './cert-id.ts'

/** @see RFC 6960 §4.2.1 */
export interface SingleResponse {
  readonly certID: CertID
  readonly certStatus: CertStatus
  readonly revocationTime?: Date
  /** A name of RFC 5280 §5.3.1; `reason7` and the like for numbers without one. */
  readonly revocationReason?: string
  readonly thisUpdate: Date
  readonly nextUpdate?: Date
  readonly extensions: readonly Extension[]
}

export type CertStatus = 'good' | 'revoked' | 'unknown'

export function readSingleResponse(reader: DerReader): SingleResponse {
  return reader.sequence('', readFields)
}

function readFields(reader: DerReader): SingleResponse {
  const certID = readCertID(reader, 'certID')
  const status = readCertStatus(reader)
  const thisUpdate = reader.generalizedTime('thisUpdate')
  const nextUpdate = reader.optionalExplicit(0, 'nextUpdate', (inner) => inner.generalizedTime(''))
  const extensions = reader.optionalExplicit(1, 'singleExtensions', readExtensions) ?? []
  if (nextUpdate === undefined) return { certID, ...status, thisUpdate, extensions }
  return { certID, ...status, thisUpdate, nextUpdate, extensions }
}

type Status = Pick<SingleResponse, 'certStatus' | 'revocationTime' | 'revocationReason'>

const good: Status = { certStatus: 'good' }
const unknown: Status = { certStatus: 'unknown' }

function readCertStatus(reader: DerReader): Status {
  switch (reader.nextTag) {
    case primitiveTag(0):
      reader.null('certStatus', primitiveTag(0))
      return good
    case constructedTag(1):
      return reader.constructed(constructedTag(1), 'certStatus', readRevokedInfo)
    case primitiveTag(2):
      reader.null('certStatus', primitiveTag(2))
      return unknown
    default: {
      const found = reader.nextTag < 0 ? 'the end' : formatTag(reader.nextTag)
      return reader.fail('ERR_DER_UNEXPECTED_TAG', 'certStatus', 'good [0], revoked [1] or unknown [2]', found)
    }
  }
}

function readRevokedInfo(reader: DerReader): Status {
  const revocationTime = reader.generalizedTime('revocationTime')
  const reason = reader.optionalExplicit(0, 'revocationReason', (inner) => inner.enumerated(''))
  if (reason === undefined) return { certStatus: 'revoked', revocationTime }
  if (reason < 0n || reason > 0xffn) {
    reader.fail('ERR_DER_VALUE', 'revocationReason', '0 to 255', formatInteger(reason), 'RFC 5280 §5.3.1')
  }
  return { certStatus: 'revoked', revocationTime, revocationReason: formatRevocationReason(reason) }
}
