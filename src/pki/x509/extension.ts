/**
 * Extensions as certificates and OCSP messages share them: OID, criticality, value.
 */

import { type ErrorCode, StapleError } from '../../errors.ts'
import type { DerReader } from '../der/reader.ts'

/** @see RFC 5280 §4.1 */
export interface Extension {
  readonly oid: string
  readonly isCritical: boolean
  /** What the OCTET STRING holds. */
  readonly value: Uint8Array
}

/**
 * Reads Extensions: at least one, none twice.
 *
 * @see RFC 5280 §4.2
 * @param malformed - the code for what DER allows and RFC 5280 does not
 */
export function readExtensions(
  reader: DerReader,
  malformed: Extract<ErrorCode, 'ERR_X509_MALFORMED' | 'ERR_OCSP_MALFORMED'>,
): readonly Extension[] {
  const extensions = reader.sequenceOf('', readExtension)
  if (extensions.length === 0) {
    const detail = {
      field: reader.path(''),
      expected: 'at least one extension',
      found: 'none',
      clause: 'RFC 5280 §4.1',
    }
    throw new StapleError(malformed, `${detail.field} is there but empty`, detail)
  }
  for (let later = 1; later < extensions.length; later++) {
    const { oid } = extensions[later] as Extension
    for (let earlier = 0; earlier < later; earlier++) {
      if (extensions[earlier]?.oid !== oid) continue
      const field = `${reader.path('')}[${later}]`
      const detail = { field, expected: 'each extension once', found: `${oid} again`, clause: 'RFC 5280 §4.2' }
      throw new StapleError(malformed, `${field} repeats the extension ${oid}`, detail)
    }
  }
  return extensions
}

function readExtension(reader: DerReader): Extension {
  return reader.sequence('', readExtensionFields)
}

function readExtensionFields(reader: DerReader): Extension {
  const oid = reader.oid('extnID')
  const isCritical = reader.booleanOrFalse('critical')
  return { oid, isCritical, value: reader.octetString('extnValue') }
}
