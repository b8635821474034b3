/** What is to be asked: the certificate out of a file, its issuer beside it, and the addresses of its responders. */
import { isStapleError } from '../../../errors.ts'
import type { Certificate } from '../../../pki/x509/certificate.ts'
import { findIssuer, proveIssuer } from '../../../pki/x509/issuer.ts'
import { formatName } from '../../../pki/x509/name.ts'
import { type Fault, nameOf, readDocuments } from '../../inspect/documents.ts'
import { readInput } from '../../inspect/input.ts'
import type { Io } from '../io.ts'
import { UsageError } from '../usage.ts'

/** The certificate in question, and the others of its file. */
export interface Subject {
  readonly certificate: Certificate
  /** Undefined where neither its file nor --issuer has it. */
  readonly issuer: Certificate | undefined
}

/**
 * Reads the certificate: the first of its file, as in every server's configuration. The issuer may stand anywhere.
 *
 * @throws {@link UsageError} {@link InputError}
 */
export async function readSubject(file: string, issuerFile: string | undefined, io: Io): Promise<Subject> {
  if (file === '-' && issuerFile === '-') {
    throw new UsageError('certificate and --issuer are both -', 'put the issuer behind the certificate, in one stream')
  }
  const [certificate, ...others] = await readCertificates(file, io)
  const given = issuerFile === undefined ? [] : await readCertificates(issuerFile, io)
  if (certificate === undefined) throw new TypeError('no certificate, and no complaint about it')
  const issuer = findIssuer(certificate, [...given, ...others])
  const [first] = given
  if (issuer !== undefined || first === undefined) return { certificate, issuer }
  try {
    proveIssuer(certificate, first)
  } catch (error) {
    if (!isStapleError(error)) throw error
    const wanted = `name a file with ${formatName(certificate.issuer)}, or leave --issuer out`
    throw new UsageError(`${issuerFile}: ${error.message}`, wanted, { cause: error })
  }
  return { certificate, issuer: first }
}

/** Parses --url. @throws {@link UsageError} */
export function parseResponderURLs(text: string): string[] {
  const urls = text.split(',').map((url) => url.trim())
  for (const url of urls) {
    const isHttp = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
    if (!isHttp) throw new UsageError(`--url "${url}" is not one`, 'write it as http://ocsp.example.com/')
  }
  return urls
}

async function readCertificates(file: string, io: Io): Promise<Certificate[]> {
  const input = await readInput(file, io, mostBytes)
  const { documents, faults } = readDocuments(input)
  const fault = faults.find(({ isBeside }) => !isBeside)
  if (fault !== undefined) throw unusable(fault)
  const certificates = documents.flatMap(({ content }) => (content.kind === 'certificate' ? [content.certificate] : []))
  const [other] = documents
  if (certificates.length > 0 || other === undefined) return certificates
  const message = `${input.name}: expected a certificate, found ${nameOf(other.content.kind)}`
  throw new UsageError(message, `name the certificate; \`staplewright inspect ${file}\` shows what this is`)
}

function unusable({ origin, message, hint }: Fault): UsageError {
  return new UsageError(`${origin}: ${message}`, hint)
}

/** Chains have a few thousand; nothing that a server reads has more. */
const mostBytes = 4 * 1024 * 1024
