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
export type ExtensionHolder = 'certificate' | 'ocsp' | 'crl'

/**
 * Walks over Extensions: at least one, none twice. `read` must read the OCTET STRING of each.
 *
 * @see RFC 5280 §4.2
 */
export function walkExtensions(
  reader: DerReader,
  holder: ExtensionHolder,
  read: (reader: DerReader, oid: string, isCritical: boolean) => void,
  field = '',
): void {
  const oids = new Set<string>()
  reader.sequenceOf(field, (element) =>
    element.sequence('', (fields) => {
      const oid = fields.oid('extnID')
      if (oids.has(oid)) throw refused(holder, fields.path('extnID'), 'each extension once', `${oid} again`)
      oids.add(oid)
      // Certificates in use write critical FALSE out (X.690 §11.5 forbids it), and every client takes them.
      const isLenient = holder === 'certificate' && fields.nextTag === tags.boolean
      read(fields, oid, isLenient ? fields.boolean('critical') : fields.booleanOrFalse('critical'))
    }),
  )
  if (oids.size === 0) throw refused(holder, reader.path(field), 'at least one extension', 'none')
}

/** Reads the Extensions of an OCSP message, or of a CRL, without looking into their values. */
export function readExtensions(reader: DerReader, holder: 'ocsp' | 'crl' = 'ocsp'): readonly Extension[] {
  const extensions: Extension[] = []
  walkExtensions(reader, holder, (fields, oid, isCritical) => {
    extensions.push({ oid, isCritical, value: fields.octetString('extnValue') })
  })
  return extensions
}

function refused(holder: ExtensionHolder, field: string, expected: string, found: string): StapleError {
  const detail = { field, expected, found, clause: 'RFC 5280 §4.2' }
  return new StapleError(codes[holder], `${field}: expected ${expected}, found ${found}`, detail)
}

const codes = {
  certificate: 'ERR_X509_MALFORMED',
  ocsp: 'ERR_OCSP_MALFORMED',
  crl: 'ERR_CRL_MALFORMED',
} as const
