/** CRLs put together from encoded parts, so that each part can be wrong; signed by the world's issuer at forge.ts's hour. */
import { joinBytes } from '../../../src/pki/der/bytes.ts'
import { tags } from '../../../src/pki/der/tags.ts'
import {
  encodeBitString,
  encodeBoolean,
  encodeEnumerated,
  encodeExplicit,
  encodeGeneralizedTime,
  encodeInteger,
  encodeOctetString,
  encodeSequence,
  encodeValue,
} from '../../../src/pki/der/writer.ts'
import { extension, hours, type KeyPair, type Scheme, signWith, type World, world } from '../forge.ts'

/** The parts of a CRL, each encoded. */
export interface CrlDraft {
  /** Undefined leaves it out. */
  readonly version: Uint8Array | undefined
  /** In place of the scheme's identifier, inside and outside. */
  readonly innerAlgorithm?: Uint8Array
  readonly outerAlgorithm?: Uint8Array
  readonly issuer: Uint8Array
  readonly thisUpdate: Uint8Array
  readonly nextUpdate: Uint8Array | undefined
  readonly entries: readonly Uint8Array[]
  /** In place of the SEQUENCE OF the entries. */
  readonly revokedCertificates?: Uint8Array
  readonly extensions: readonly Uint8Array[]
  /** In place of the `[0]` with the extensions. */
  readonly crlExtensions?: Uint8Array
  readonly signer: KeyPair
  readonly scheme: Scheme
  /** Changes the signature's BIT STRING. */
  readonly signature?: (bitString: Uint8Array) => Uint8Array
  /** Changes what was signed, after it was. */
  readonly signed?: (tbs: Uint8Array) => Uint8Array
  /** Changes the finished CRL. */
  readonly outer?: (der: Uint8Array) => Uint8Array
}

/** A CRL of three others' certificates. */
export function crlDraft(of: World = world()): CrlDraft {
  return {
    version: encodeInteger(1n),
    issuer: of.issuer.subject,
    thisUpdate: utcTime(hours(-1)),
    nextUpdate: utcTime(hours(23)),
    entries: [entry(0x1001n), entry(0x1002n, { reason: 1 }), entry(0x1003n, { reason: 6 })],
    extensions: [crlNumber(7n)],
    signer: of.issuerKey,
    scheme: of.scheme,
  }
}

/** Encodes and signs a draft. */
export function forgeCrl(draft: CrlDraft): Uint8Array {
  const { entries, extensions, scheme } = draft
  const list = entries.length === 0 ? undefined : encodeSequence(...entries)
  const wrapped = extensions.length === 0 ? undefined : encodeExplicit(0, encodeSequence(...extensions))
  const tbs = encodeSequence(
    draft.version,
    draft.innerAlgorithm ?? scheme.identifier,
    draft.issuer,
    draft.thisUpdate,
    draft.nextUpdate,
    draft.revokedCertificates ?? list,
    draft.crlExtensions ?? wrapped,
  )
  const bitString = encodeBitString(signWith(draft.signer, scheme, tbs))
  const der = encodeSequence(
    draft.signed?.(tbs) ?? tbs,
    draft.outerAlgorithm ?? scheme.identifier,
    draft.signature?.(bitString) ?? bitString,
  )
  return draft.outer?.(der) ?? der
}

export interface EntryDraft {
  readonly at?: Date
  readonly reason?: number
  /** Further extensions, encoded. */
  readonly extensions?: readonly Uint8Array[]
}

export function entry(serialNumber: bigint, { at = hours(-48), reason, extensions = [] }: EntryDraft = {}): Uint8Array {
  const all = [...(reason === undefined ? [] : [reasonCode(reason)]), ...extensions]
  return encodeSequence(encodeInteger(serialNumber), utcTime(at), all.length === 0 ? undefined : encodeSequence(...all))
}

export function reasonCode(reason: number): Uint8Array {
  return extension('2.5.29.21', encodeEnumerated(reason))
}

export function invalidityDate(at: Date): Uint8Array {
  return extension('2.5.29.24', encodeGeneralizedTime(at))
}

export function crlNumber(number: bigint): Uint8Array {
  return extension('2.5.29.20', encodeInteger(number))
}

export function utcTime(at: Date): Uint8Array {
  return utcTimeOf(`${at.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`)
}

/** UTCTime of any text. */
export function utcTimeOf(text: string): Uint8Array {
  return encodeValue(tags.utcTime, new TextEncoder().encode(text))
}

/** `uniformResourceIdentifier`. */
export function uri(text: string): Uint8Array {
  return encodeValue(0x86, new TextEncoder().encode(text))
}

/** `directoryName`. */
export function directoryName(name: Uint8Array): Uint8Array {
  return encodeValue(0xa4, name)
}

/** DistributionPointName: `fullName` of these GeneralNames. */
export function fullName(...names: readonly Uint8Array[]): Uint8Array {
  return encodeExplicit(0, encodeValue(0xa0, joinBytes(names)))
}

/** DistributionPointName: `nameRelativeToCRLIssuer`, given as the content of its SET. */
export function relativeName(attribute: Uint8Array): Uint8Array {
  return encodeExplicit(0, encodeValue(0xa1, attribute))
}

/** `[number] IMPLICIT BOOLEAN TRUE`. */
export function flag(number: number, octet = 0xff): Uint8Array {
  return encodeValue(0x80 | number, Uint8Array.of(octet))
}

/** issuingDistributionPoint with these fields. */
export function issuingPoint(...fields: readonly Uint8Array[]): Uint8Array {
  return extension('2.5.29.28', encodeSequence(...fields), true)
}

/** crlDistributionPoints of a certificate; each point's fields. */
export function distributionPoints(...points: readonly (readonly Uint8Array[])[]): Uint8Array {
  return extension('2.5.29.31', encodeSequence(...points.map((fields) => encodeSequence(...fields))))
}

/** An extension whose critical FALSE is written out, which DER forbids. */
export function criticalFalse(oid: Uint8Array, value: Uint8Array): Uint8Array {
  return encodeSequence(oid, encodeBoolean(false), encodeOctetString(value))
}
