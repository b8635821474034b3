/**
 * Certificates and keys out of PEM files, or what is wrong with them, said at the key of the configuration that names them.
 */
import type { KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isStapleError } from '../../errors.ts'
import type { Certificate } from '../../pki/x509/certificate.ts'
import { parsePemCertificates } from '../../pki/x509/pem.ts'
import { decryptKey, isEncrypted, parseKey, readPassphrase, shellQuote } from './private-key.ts'
import type { Complaint } from './problem.ts'
import type { Report } from './report.ts'
import { describeReadFailure } from './resolve.ts'
import { digestOf } from './source.ts'
import type { Located } from './type.ts'

export interface PemFiles {
  readonly workingDirectory: string
  /** Every certificate of a file, in its order; undefined when that was refused. */
  readCertificates(
    path: Located<string>,
    key: string,
  ): Promise<{ file: string; certificates: Certificate[] } | undefined>
  /** The private key of a file, decrypted with the passphrase of another if it needs one; undefined when that was refused. */
  readKey(
    path: Located<string>,
    key: string,
    passphrase?: { readonly path: Located<string>; readonly key: string },
  ): Promise<{ file: string; pem: string; key: KeyObject } | undefined>
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
    report.read(file, text === undefined ? undefined : { digest: digestOf(Buffer.from(text, 'latin1')) })
    if (text !== undefined) return { file, text }
    return report.refuse(path.at, key, {
      summary: `cannot be read: ${describeReadFailure(failure)}`,
      found: file,
      expected,
      hint: `relative paths are looked up in the working directory, ${workingDirectory}`,
    })
  }

  return {
    workingDirectory,
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
    async readKey(path, key, passphrase) {
      const expected = 'a PEM file with a private key'
      const read = await readText(path, key, expected)
      const secret = passphrase && (await readText(passphrase.path, passphrase.key, 'a file with a passphrase'))
      if (read === undefined) return undefined
      const { file, text } = read
      const complain = (complaint: Complaint) => report.refuse(path.at, key, complaint)
      if (!isEncrypted(text)) {
        if (passphrase !== undefined) {
          report.refuse(passphrase.path.at, passphrase.key, {
            summary: 'the private key is not encrypted',
            found: `a passphrase for ${file}`,
            expected: 'an encrypted private key, or no passphrase',
            hint: 'leave it out, or name the encrypted key in key_file',
          })
        }
        const parsed = parseKey(text, file)
        return 'summary' in parsed ? complain(parsed) : { file, ...parsed }
      }
      if (passphrase === undefined) {
        return complain({
          summary: 'the private key is encrypted, and there is no passphrase',
          found: `${file}: an encrypted private key`,
          expected: 'key_passphrase_file beside it, or a key that is not encrypted',
          hint: 'add `key_passphrase_file: "passphrase.txt"`, a file with one line that only this user may read (chmod 600)',
        })
      }
      if (secret === undefined) return undefined
      const words = readPassphrase(secret.text, secret.file)
      if ('summary' in words) return report.refuse(passphrase.path.at, passphrase.key, words)
      const decrypted = decryptKey(text, words, { key: file, passphrase: secret.file })
      if (!('complaint' in decrypted)) return { file, ...decrypted }
      const { complaint, isOfPassphrase } = decrypted
      return isOfPassphrase ? report.refuse(passphrase.path.at, passphrase.key, complaint) : complain(complaint)
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
