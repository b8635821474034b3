/**
 * Certificates and keys out of PEM files, or what is wrong with them, said at the key of the configuration that names them.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isStapleError } from '../../errors.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import { parsePemCertificates } from '../../pki/x509/pem.ts'
import type { Report } from './report.ts'
import { describeReadFailure } from './resolve.ts'
import type { Located } from './type.ts'
import { quote } from './value.ts'

export interface PemFiles {
  /** Every certificate of a file, in its order; undefined when that was refused. */
  readCertificates(
    path: Located<string>,
    key: string,
  ): Promise<{ file: string; certificates: Certificate[] } | undefined>
  /** The private key of a file; undefined when that was refused. */
  readKey(path: Located<string>, key: string): Promise<{ file: string; pem: string; key: KeyObject } | undefined>
}

/** Creates a reader whose relative paths are against the working directory. */
export function createPemFiles(workingDirectory: string, report: Report): PemFiles {
  const texts = new Map<string, Promise<string | undefined>>()

  async function readText(
    path: Located<string>,
    key: string,
    expected: string,
  ): Promise<{ file: string; text: string } | undefined> {
    const file = resolve(workingDirectory, path.value)
    report.read(file)
    let failure: unknown
    const reading =
      texts.get(file) ??
      // Latin-1 maps any octets to characters: a DER file is recognised, not mangled.
      readFile(file, 'latin1')
    texts.set(file, reading)
    const text = await reading.catch((cause: unknown) => {
      failure = cause
      return undefined
    })
    if (text !== undefined) return { file, text }
    return report.refuse(path.at, key, {
      summary: `cannot be read: ${describeReadFailure(failure)}`,
      found: file,
      expected,
      hint: `relative paths are looked up in the working directory, ${workingDirectory}`,
    })
  }

  return {
    async readCertificates(path, key) {
      const expected = 'a PEM file with certificates'
      const read = await readText(path, key, expected)
      if (read === undefined) return undefined
      try {
        return { file: read.file, certificates: parsePemCertificates(read.text) }
      } catch (error) {
        if (!isStapleError(error)) throw error
        const { found } = error.detail as { found?: string }
        return report.refuse(path.at, key, {
          summary: 'holds no certificates that can be read',
          found: `${read.file}: ${found ?? error.message}`,
          expected,
          hint: adviseOnCertificates(read.text, read.file),
        })
      }
    },
    async readKey(path, key) {
      const expected = 'a PEM file with a private key'
      const read = await readText(path, key, expected)
      if (read === undefined) return undefined
      const { file, text } = read
      if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(text)) {
        return report.refuse(path.at, key, {
          summary: 'the private key is encrypted, and this version cannot ask for its passphrase yet',
          found: `${file}: an encrypted private key`,
          expected,
          hint: `decrypt it: openssl pkey -in ${shellQuote(file)} -out plain-key.pem, and keep that file to yourself (chmod 600)`,
        })
      }
      try {
        return { file, pem: text, key: createPrivateKey(text) }
      } catch {
        const labels = [...new Set([...text.matchAll(/-----BEGIN ([^-]+)-----/g)].map(([, label]) => label))]
        return report.refuse(path.at, key, {
          summary: 'holds no private key that can be read',
          found: `${file}: ${labels.length > 0 ? labels.join(', ') : 'no PEM block'}`,
          expected,
          hint: labels.includes('CERTIFICATE') ? 'are cert_file and key_file swapped?' : 'give the private key as PEM',
        })
      }
    },
  }
}

function adviseOnCertificates(text: string, file: string): string {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return 'are cert_file and key_file swapped?'
  if (text.charCodeAt(0) === 0x30)
    return `it looks like DER: openssl x509 -inform der -in ${shellQuote(file)} -out certificate.pem`
  if (text.includes('-----BEGIN PKCS7-----'))
    return `openssl pkcs7 -print_certs -in ${shellQuote(file)} -out certificate.pem`
  return 'give -----BEGIN CERTIFICATE----- blocks'
}

function shellQuote(file: string): string {
  return /^[\w./-]+$/.test(file) ? file : quote(file)
}
