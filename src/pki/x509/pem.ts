/**
 * PEM bundles: the certificates in them, in the order they stand; everything else is passed over.
 */

import { StapleError } from '../../errors.ts'
import { type Certificate, decodeCertificateAs } from './certificate.ts'

/**
 * Parses every certificate of a PEM text. Keys, parameters and the text around the blocks are skipped.
 *
 * @see RFC 7468 §5
 * @throws {@link StapleError} `ERR_X509_PEM` when there is none, or one is damaged; then with the line it begins on
 */
export function parsePemCertificates(pem: string | Uint8Array): Certificate[] {
  const text = typeof pem === 'string' ? pem : decodeText(pem)
  const certificates: Certificate[] = []
  for (const block of pemBlocks(text)) {
    if (!labels.has(block.label)) continue
    certificates.push(decodeBlock(block))
  }
  if (certificates.length > 0) return certificates
  const found = text.charCodeAt(0) === 0x30 && text.charCodeAt(1) >= 0x80 ? 'what looks like DER' : describeLabels(text)
  throw pemError('pem', '-----BEGIN CERTIFICATE-----', found)
}

/** A block of a PEM text, whatever its label. */
export interface PemBlock {
  readonly label: string
  /** Where it begins; counts from 1. */
  readonly line: number
  /** What stands between its boundaries, without the line ends. */
  readonly content: string
  /** The boundary of the end is there, with the same label. */
  readonly isEnded: boolean
}

/** The blocks of a PEM text as they stand, undecoded. @see RFC 7468 §2 */
export function* pemBlocks(text: string): Generator<PemBlock> {
  let open: { label: string; line: number; content: string } | undefined
  for (const [index, row] of text
    .replace(byteOrderMark, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const boundary = /^-----(BEGIN|END) ([^-]+)-----\s*$/.exec(row)
    if (boundary === null) {
      if (open !== undefined) open.content += row
    } else if (boundary[1] === 'BEGIN') {
      if (open !== undefined) yield { ...open, isEnded: false }
      open = { label: boundary[2] as string, line: index + 1, content: '' }
    } else if (open !== undefined) {
      yield { ...open, isEnded: boundary[2] === open.label }
      open = undefined
    }
  }
  if (open !== undefined) yield { ...open, isEnded: false }
}

/** As a character, or as its three octets read as Latin-1. */
const byteOrderMark = /^(\ufeff|\u00ef\u00bb\u00bf)/

const labels: ReadonlySet<string> = new Set(['CERTIFICATE', 'X509 CERTIFICATE'])

function decodeText(pem: Uint8Array): string {
  if (!ArrayBuffer.isView(pem)) throw new TypeError('pem must be a string or a Uint8Array')
  // Latin-1 maps any octets to characters: comments in whatever encoding do no harm.
  return new TextDecoder('latin1').decode(pem)
}

function decodeBlock({ label, line, content, isEnded }: PemBlock): Certificate {
  const field = `line ${line}`
  if (!isEnded) throw pemError(field, `-----END ${label}----- after its block`, 'none')
  const base64 = content.replace(/[ \t]/g, '')
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
    throw pemError(field, 'base64', base64 === '' ? 'nothing' : 'other characters, or some missing')
  }
  const der = decodeBase64(base64)
  try {
    return decodeCertificateAs(der, 'certificate')
  } catch (cause) {
    if (!(cause instanceof StapleError)) throw cause
    throw pemError(field, 'a certificate', cause.message, cause)
  }
}

/** Octet by octet: a mapping over each character takes ten times as long, and a front may have thousands of chains. */
function decodeBase64(base64: string): Uint8Array {
  const text = atob(base64)
  const octets = new Uint8Array(text.length)
  for (let at = 0; at < octets.length; at++) octets[at] = text.charCodeAt(at)
  return octets
}

function describeLabels(text: string): string {
  const found = new Set([...pemBlocks(text)].map((block) => block.label))
  if (found.size > 0) return `only ${[...found].slice(0, 5).join(', ')}`
  if (fileName.test(text.trim())) return 'what looks like the name of a file; its content is wanted'
  return text.trim() === '' ? 'an empty text' : 'no PEM block'
}

const fileName = /^[^\r\n]{1,200}\.(pem|crt|cer|der)$/i

function pemError(field: string, expected: string, found: string, cause?: unknown): StapleError {
  const detail = { field, expected, found, clause: 'RFC 7468 §5' }
  const place = field === 'pem' ? '' : `${field}: `
  return new StapleError('ERR_X509_PEM', `${place}expected ${expected}, found ${found}`, detail, { cause })
}
