/**
 * What a file holds: certificates, OCSP requests and responses, and CRLs, each decoded; and of everything else what it is.
 *
 * The content decides, not the file's name: PEM by its boundaries, DER by its first tags. A PEM label is believed only
 * where it does not contradict what stands under it.
 */
import { type ErrorCode, errorTable, isStapleError, type RefusalDetail } from '../../errors.ts'
import { type CertificateList, decodeCertificateList } from '../../pki/crl/certificate-list.ts'
import { decodeOcspRequest, type OcspRequest } from '../../pki/ocsp/request.ts'
import { decodeOcspResponseOfAnySize, type OcspResponse } from '../../pki/ocsp/response.ts'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'
import { type PemBlock, pemBlocks } from '../../pki/x509/pem.ts'
import type { Input } from './input.ts'
import { type Shape, shapeNames, shapeOf } from './shape.ts'
import { describeStrange, wanted } from './strange.ts'

export type Content =
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'ocsp-request'; readonly request: OcspRequest }
  | { readonly kind: 'ocsp-response'; readonly response: OcspResponse }
  | { readonly kind: 'crl'; readonly crl: CertificateList }

export type ContentKind = Content['kind']

/** One thing that was decoded. */
export interface Document {
  /** The file, with the line where there are several in it. */
  readonly origin: string
  readonly der: Uint8Array
  readonly content: Content
}

/** One thing that was not. */
export interface Fault {
  readonly origin: string
  /** What was found and what was expected, in one line. */
  readonly message: string
  readonly hint: string
  /** What it was taken for; undefined where it looks like nothing known. */
  readonly shape?: Shape
  /** Which rule of the encoding it breaks, where one is known. */
  readonly detail?: RefusalDetail
  /** It stands beside what was asked for and does no harm: a key behind its certificate. */
  readonly isBeside: boolean
}

export interface Reading {
  readonly documents: readonly Document[]
  readonly faults: readonly Fault[]
}

/** Decodes all that an input holds. */
export function readDocuments({ name, bytes }: Input): Reading {
  if (looksLikeDer(bytes)) return gather([decodeDer(bytes, name)])
  const text = decodeText(bytes)
  const blocks = [...pemBlocks(text)]
  if (blocks.length === 0) return gather([{ origin: name, isBeside: false, ...describeStrange(bytes, text) }])
  return gather(blocks.map((block) => decodeBlock(block, blocks.length > 1 ? `${name}:${block.line}` : name)))
}

/** How people call what a document is. */
export function nameOf(kind: ContentKind): string {
  return shapeNames[kind]
}

function gather(read: readonly (Document | Fault)[]): Reading {
  const documents: Document[] = []
  const faults: Fault[] = []
  for (const each of read) {
    if ('content' in each) documents.push(each)
    else faults.push(each)
  }
  if (documents.length > 0) return { documents, faults: faults.map(passOver) }
  return { documents, faults: faults.map((fault) => ({ ...fault, isBeside: false })) }
}

/** Beside what was wanted, a key is nothing wrong. */
function passOver(fault: Fault): Fault {
  if (!fault.isBeside) return fault
  const [found = fault.message] = fault.message.split(', expected ')
  return { ...fault, message: `${found}, passed over` }
}

/** A PEM text may begin with the same octet, a zero. */
function looksLikeDer(bytes: Uint8Array): boolean {
  const [tag, form = 0] = bytes
  return tag === 0x30 && (form >= 0x80 || form + 2 === bytes.length)
}

function decodeText(bytes: Uint8Array): string {
  // What `>` of a Windows shell writes.
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  // Maps any octets to characters: comments in whatever encoding do no harm.
  return new TextDecoder('latin1').decode(bytes)
}

function decodeDer(der: Uint8Array, origin: string, label?: string): Document | Fault {
  const shape = shapeOf(der)
  if (shape === undefined) return { origin, isBeside: false, ...describeStrange(der, '') }
  const expected = label === undefined ? undefined : labels[label]
  if (expected !== undefined && expected !== shape) {
    const message = `its PEM label says ${label}, and what stands there is ${shapeNames[shape]}`
    return { origin, message, hint: labelAdvice(shape), shape, isBeside: false }
  }
  try {
    switch (shape) {
      case 'certificate':
        return { origin, der, content: { kind: shape, certificate: decodeCertificate(der) } }
      case 'ocsp-request':
        return { origin, der, content: { kind: shape, request: decodeOcspRequest(der) } }
      case 'ocsp-response':
        return { origin, der, content: { kind: shape, response: decodeOcspResponseOfAnySize(der) } }
      case 'crl':
        return { origin, der, content: { kind: shape, crl: decodeCertificateList(der) } }
      default:
        return {
          origin,
          message: `${shapeNames[shape]}, expected ${wanted}`,
          hint: adviceOn(shape),
          shape,
          isBeside: true,
        }
    }
  } catch (error) {
    if (!isStapleError(error)) throw error
    const message = `it begins like ${shapeNames[shape]}, but is not one: ${error.message}`
    return {
      origin,
      message,
      hint: adviceOnDamage(error.code),
      shape,
      detail: error.detail as RefusalDetail,
      isBeside: false,
    }
  }
}

function decodeBlock({ label, content, isEnded, line }: PemBlock, origin: string): Document | Fault {
  const refuse = (message: string, hint: string): Fault => ({ origin, message, hint, isBeside: false })
  if (!isEnded) {
    return refuse(`the ${label} block of line ${line} has no -----END ${label}-----`, 'the file seems cut off')
  }
  if (/^(?:ENCRYPTED |[A-Z]+ )?PRIVATE KEY$/.test(label)) {
    const message = `${shapeNames['private-key']}, expected ${wanted}`
    return { origin, message, hint: adviceOn('private-key'), shape: 'private-key', isBeside: true }
  }
  if (labels[label] === undefined) {
    return { origin, message: `a PEM block ${label}, expected ${wanted}`, hint: expectedLabels, isBeside: true }
  }
  const base64 = content.replace(/[ \t]/g, '')
  if (base64 === '' || base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
    const found = base64 === '' ? 'nothing' : 'other characters, or some missing'
    return refuse(`expected base64 in the ${label} block of line ${line}, found ${found}`, damaged)
  }
  const der = Buffer.from(base64, 'base64')
  return decodeDer(new Uint8Array(der.buffer, der.byteOffset, der.length), origin, label)
}

/** What may stand under a label. @see RFC 7468 §5, §7, §10; openssl for those of OCSP */
const labels: Readonly<Record<string, Shape>> = {
  CERTIFICATE: 'certificate',
  'X509 CERTIFICATE': 'certificate',
  'X509 CRL': 'crl',
  'OCSP REQUEST': 'ocsp-request',
  'OCSP RESPONSE': 'ocsp-response',
  'CERTIFICATE REQUEST': 'certificate-request',
  'NEW CERTIFICATE REQUEST': 'certificate-request',
  'PUBLIC KEY': 'public-key',
  PKCS7: 'pkcs7',
  CMS: 'pkcs7',
}

const expectedLabels = 'the labels read are CERTIFICATE, X509 CRL, OCSP REQUEST and OCSP RESPONSE'
const damaged = 'the file seems damaged: fetch or copy it again, in binary mode'

function adviceOnDamage(code: ErrorCode): string {
  if (code === 'ERR_DER_TRUNCATED') return 'the file seems cut off: fetch or copy it again'
  return code.startsWith('ERR_DER_') ? damaged : errorTable[code].remedy
}

function labelAdvice(shape: Shape): string {
  const label = Object.keys(labels).find((each) => labels[each] === shape)
  return label === undefined ? 'is it the right file?' : `is it the right file? Its label would be ${label}`
}

function adviceOn(shape: Shape): string {
  switch (shape) {
    case 'certificate-request':
      return 'name the certificate that the CA made of it'
    case 'private-key':
      return 'keys are not shown: name the certificate that belongs to it'
    case 'public-key':
      return 'name the certificate that holds it'
    case 'pkcs7':
      return '`openssl pkcs7 -print_certs` (with -inform der where it is DER) makes PEM of it'
    case 'pkcs12':
      return '`openssl pkcs12 -nokeys` makes PEM of it'
    case 'basic-response':
      return 'give the whole answer of the responder: an OCSPResponse'
    default:
      return `\`staplewright inspect\` shows ${shapeNames[shape]}`
  }
}
