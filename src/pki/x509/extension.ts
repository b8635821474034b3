/**
 * Extensions as certificates and OCSP messages share them: OID, criticality, value.
 */

import { StapleError } from '../../errors.ts'
import type { DerReader } from '../der/reader.ts'
import { tags } from '../der/tags.ts'

/** @see RFC 5280 §4.1 */
export interface Extension {
  readonly oid: string
  readonly isCritical: boolean
  /** What the OCTET STRING holds. */
  readonly value: Uint8Array
}

/** In what the extensions stand: it decides the code for what DER allows and RFC 5280 does not. */
export type ExtensionHolder = 'certificate' | 'ocsp'

/**
 * Walks over Extensions: at least one, none twice. `read` must read the OCTET STRING of each.
 *
 * @see RFC 5280 §4.2
 */
export function walkExtensions(
  reader: DerReader,
  holder: ExtensionHolder,
  read: (reader: DerReader, oid: string, isCritical: boolean) => void,
): void {
  const oids = new Set<string>()
  reader.sequenceOf('', (element) =>
    element.sequence('', (fields) => {
      const oid = fields.oid('extnID')
      if (oids.has(oid)) throw refused(holder, fields.path('extnID'), 'each extension once', `${oid} again`)
      oids.add(oid)
      // Certificates in use write critical FALSE out (X.690 §11.5 forbids it), and every client takes them.
      const isLenient = holder === 'certificate' && fields.nextTag === tags.boolean
      read(fields, oid, isLenient ? fields.boolean('critical') : fields.booleanOrFalse('critical'))
    }),
  )
  if (oids.size === 0) throw refused(holder, reader.path(''), 'at least one extension', 'none')
}

/** Reads the Extensions of an OCSP message without looking into their values. */
export function readExtensions(reader: DerReader): readonly Extension[] {
  const extensions: Extension[] = []
  walkExtensions(reader, 'ocsp', (fields, oid, isCritical) => {
    extensions.push({ oid, isCritical, value: fields.octetString('extnValue') })
  })
  return extensions
}

function refused(holder: ExtensionHolder, field: string, expected: string, found: string): StapleError {
  const detail = { field, expected, found, clause: 'RFC 5280 §4.2' }
  const code = holder === 'ocsp' ? 'ERR_OCSP_MALFORMED' : 'ERR_X509_MALFORMED'
  return new StapleError(code, `${field}: expected ${expected}, found ${found}`, detail)
}
