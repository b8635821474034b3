/**
 * The part of a CA's revocations that a CRL covers, as the CRL says itself. @see RFC 5280 §5.2.5
 */

import { type DerReader, readDer } from '../der/reader.ts'
import { primitiveTag } from '../der/tags.ts'
import { type DistributionPointName, readDistributionPointName } from '../x509/distribution-point.ts'
import { malformed } from './malformed.ts'

/** @see RFC 5280 §5.2.5 */
export interface IssuingDistributionPoint {
  readonly name?: DistributionPointName
  readonly onlyContainsUserCerts: boolean
  readonly onlyContainsCACerts: boolean
  readonly onlyContainsAttributeCerts: boolean
  /** It lists certificates that were revoked for some reasons, and not those revoked for others. */
  readonly hasOnlySomeReasons: boolean
  readonly indirectCRL: boolean
}

const clause = 'RFC 5280 §5.2.5'

/** Decodes what the extension holds. */
export function decodeIssuingDistributionPoint(der: Uint8Array, field: string): IssuingDistributionPoint {
  const point = readDer(der, field, clause, (reader) => reader.sequence('', readFields))
  const kinds = (['onlyContainsUserCerts', 'onlyContainsCACerts', 'onlyContainsAttributeCerts'] as const).filter(
    (kind) => point[kind],
  )
  if (kinds.length > 1) throw malformed(field, 'at most one kind of certificate', kinds.join(' and '), clause)
  if (point.name === undefined && kinds.length === 0 && !point.hasOnlySomeReasons && !point.indirectCRL) {
    throw malformed(field, 'at least one field', 'none', clause)
  }
  return point
}

function readFields(reader: DerReader): IssuingDistributionPoint {
  const name = reader.optionalExplicit(0, 'distributionPoint', readDistributionPointName)
  const onlyContainsUserCerts = reader.booleanOrFalse('onlyContainsUserCerts', primitiveTag(1))
  const onlyContainsCACerts = reader.booleanOrFalse('onlyContainsCACerts', primitiveTag(2))
  const hasOnlySomeReasons = reader.nextTag === primitiveTag(3)
  if (hasOnlySomeReasons) reader.primitive(primitiveTag(3), 'onlySomeReasons')
  const indirectCRL = reader.booleanOrFalse('indirectCRL', primitiveTag(4))
  const onlyContainsAttributeCerts = reader.booleanOrFalse('onlyContainsAttributeCerts', primitiveTag(5))
  return {
    ...(name === undefined ? {} : { name }),
    onlyContainsUserCerts,
    onlyContainsCACerts,
    onlyContainsAttributeCerts,
    hasOnlySomeReasons,
    indirectCRL,
  }
}
