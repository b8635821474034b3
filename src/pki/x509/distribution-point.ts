/**
 * Where a CA says that its CRLs are: in the certificate (crlDistributionPoints), and in the CRL itself (which part it is).
 *
 * Names are kept as DER, for they are compared; only web and directory addresses are read as text.
 */

import type { DerReader } from '../der/reader.ts'
import { constructedTag, formatTag, primitiveTag } from '../der/tags.ts'

/** @see RFC 5280 §4.2.1.13 */
export interface DistributionPoint {
  readonly name?: DistributionPointName
  /** The URIs among its names, in order: http, https, ldap. */
  readonly urls: readonly string[]
  /** What is found there covers some reasons only. */
  readonly hasReasons: boolean
  /** Somebody else than the certificate's issuer signs what is found there. */
  readonly hasCRLIssuer: boolean
}

/** @see RFC 5280 §4.2.1.13 */
export type DistributionPointName =
  | {
      /** GeneralNames as DER, each the same point by another name. */
      readonly fullName: readonly Uint8Array[]
      readonly nameRelativeToCRLIssuer?: undefined
    }
  | {
      /** A RelativeDistinguishedName as a SET in DER: the last part of the CRL issuer's name. */
      readonly nameRelativeToCRLIssuer: Uint8Array
      readonly fullName?: undefined
    }

/** Reads the content of crlDistributionPoints. */
export function readDistributionPoints(reader: DerReader): DistributionPoint[] {
  return reader.sequenceOf('', (element) => element.sequence('', readDistributionPoint))
}

/** Reads a DistributionPointName inside its `[0]`. */
export function readDistributionPointName(reader: DerReader): DistributionPointName {
  switch (reader.nextTag) {
    case constructedTag(0):
      return { fullName: reader.constructed(constructedTag(0), 'fullName', readGeneralNames) }
    case constructedTag(1): {
      const set = reader.element('nameRelativeToCRLIssuer').slice()
      // IMPLICIT: the same content under the tag that it has within a Name.
      set[0] = 0x31
      return { nameRelativeToCRLIssuer: set }
    }
    default: {
      const found = reader.nextTag < 0 ? 'the end' : formatTag(reader.nextTag)
      return reader.fail('ERR_DER_UNEXPECTED_TAG', '', 'fullName [0] or nameRelativeToCRLIssuer [1]', found)
    }
  }
}

/** The URIs among GeneralNames. One that is not ASCII is no URI, and nobody could ask it. @see RFC 5280 §4.2.1.6 */
export function urlsOf(name: DistributionPointName | undefined): string[] {
  const urls: string[] = []
  for (const general of name?.fullName ?? []) {
    if (general[0] !== primitiveTag(6)) continue
    const octets = general.subarray(general.length < 0x82 ? 2 : general.length < 0x103 ? 3 : 4)
    if (octets.every((octet) => octet > 0x20 && octet < 0x7f)) urls.push(asciiOf(octets))
  }
  return urls
}

function readDistributionPoint(reader: DerReader): DistributionPoint {
  const name = reader.optionalExplicit(0, 'distributionPoint', readDistributionPointName)
  const hasReasons = reader.nextTag === primitiveTag(1)
  if (hasReasons) reader.primitive(primitiveTag(1), 'reasons')
  const hasCRLIssuer = reader.nextTag === constructedTag(2)
  if (hasCRLIssuer) reader.element('cRLIssuer')
  return { ...(name === undefined ? {} : { name }), urls: urlsOf(name), hasReasons, hasCRLIssuer }
}

function readGeneralNames(reader: DerReader): Uint8Array[] {
  const names: Uint8Array[] = []
  while (!reader.isAtEnd) names.push(reader.element('generalName'))
  return names
}

function asciiOf(octets: Uint8Array): string {
  let text = ''
  for (const octet of octets) text += String.fromCharCode(octet)
  return text
}
