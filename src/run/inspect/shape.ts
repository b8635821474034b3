/**
 * What DER looks like by the tags at its beginning: enough to choose a decoder, and to call by its name what has none here.
 *
 * Lenient on purpose, so that damaged bytes are told apart too; the decoder then says what is wrong with them.
 */

export type Shape =
  | 'certificate'
  | 'ocsp-request'
  | 'ocsp-response'
  | 'crl'
  | 'basic-response'
  | 'certificate-request'
  | 'private-key'
  | 'public-key'
  | 'pkcs7'
  | 'pkcs12'

/** How people call each, with its article. */
export const shapeNames: Readonly<Record<Shape, string>> = {
  certificate: 'a certificate',
  'ocsp-request': 'an OCSP request',
  'ocsp-response': 'an OCSP response',
  crl: 'a CRL',
  'basic-response': 'a BasicOCSPResponse without the OCSPResponse around it',
  'certificate-request': 'a certificate signing request (CSR)',
  'private-key': 'a private key',
  'public-key': 'a public key',
  pkcs7: 'a PKCS#7 (CMS) bundle',
  pkcs12: 'a PKCS#12 archive',
}

/** Tells what the bytes look like; undefined where nothing known begins so. */
export function shapeOf(der: Uint8Array): Shape | undefined {
  const [outer] = children(der, 0, der.length)
  if (outer?.tag !== sequence) return undefined
  const [first, second, third] = children(der, outer.start, outer.end)
  if (first === undefined) return undefined
  switch (first.tag) {
    case enumerated:
      return 'ocsp-response'
    case objectIdentifier:
      return second?.tag === context(0) ? 'pkcs7' : undefined
    case integer:
      return shapeOfNumbered(der, first, second, third)
    case sequence:
      return shapeOfNested(children(der, first.start, first.end), second)
    default:
      return undefined
  }
}

/** Private keys and what else begins with a version. */
function shapeOfNumbered(der: Uint8Array, first: Element, second?: Element, third?: Element): Shape | undefined {
  const number = first.end - first.start === 1 ? der[first.start] : undefined
  if (number === 0 && (second?.tag === integer || (second?.tag === sequence && third?.tag === octetString))) {
    return 'private-key'
  }
  if (number === 1 && second?.tag === octetString) return 'private-key'
  if (number === 3 && second?.tag === sequence) return 'pkcs12'
  return second?.tag === integer && third === undefined ? 'public-key' : undefined
}

/** What begins with what is signed, or with an algorithm. */
function shapeOfNested(inner: readonly Element[], second: Element | undefined): Shape | undefined {
  const [one, two, three, four] = inner.map(({ tag }) => tag)
  if (one === objectIdentifier) {
    if (second?.tag === octetString) return 'private-key'
    return second?.tag === bitString ? 'public-key' : undefined
  }
  if (one === context(1) || one === context(2) || (one === context(0) && (two === context(1) || two === context(2)))) {
    return second?.tag === sequence ? 'basic-response' : 'ocsp-request'
  }
  if (one === context(0) && two === integer) return 'certificate'
  if (one === integer && two === sequence && three === sequence) {
    if (isTime(four)) return 'crl'
    if (four === context(0)) return 'certificate-request'
    return four === sequence ? 'certificate' : undefined
  }
  if (one === sequence && two === sequence && isTime(three)) return 'crl'
  if (second === undefined || second.tag === context(0)) {
    return one === sequence || (one === context(0) && two === sequence) ? 'ocsp-request' : undefined
  }
  return undefined
}

interface Element {
  readonly tag: number
  /** Of the content. */
  readonly start: number
  /** Of the content; no further than the bytes go. */
  readonly end: number
}

/** The first elements of a constructed value: four are enough. */
function children(bytes: Uint8Array, start: number, end: number): Element[] {
  const elements: Element[] = []
  let at = start
  while (at < end && elements.length < 4) {
    const tag = bytes[at] as number
    const form = bytes[at + 1]
    if (form === undefined || form === 0x80 || form > 0x84) break
    const count = form < 0x80 ? 0 : form - 0x80
    let length = form
    if (count > 0) {
      length = 0
      for (let index = 0; index < count; index++) length = length * 256 + (bytes[at + 2 + index] ?? 0)
    }
    const begin = at + 2 + count
    elements.push({ tag, start: begin, end: Math.min(begin + length, end) })
    at = begin + length
  }
  return elements
}

const integer = 0x02
const bitString = 0x03
const octetString = 0x04
const objectIdentifier = 0x06
const enumerated = 0x0a
const sequence = 0x30

function context(number: number): number {
  return 0xa0 + number
}

/** UTCTime or GeneralizedTime. */
function isTime(tag: number | undefined): boolean {
  return tag === 0x17 || tag === 0x18
}
