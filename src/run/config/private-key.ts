/**
 * Private keys out of PEM texts, and the passphrases that open them. No message ever shows a passphrase.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { Complaint } from './problem.ts'
import { quote } from './value.ts'

/** A key, and itself in PEM without encryption. */
export interface OpenKey {
  readonly key: KeyObject
  readonly pem: string
}

/** OpenSSL's own limit for a passphrase. */
const maxPassphraseBytes = 1024

/** Tells whether the key in a PEM text needs a passphrase: PKCS #8, or the older form of OpenSSL. */
export function isEncrypted(text: string): boolean {
  return /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(text)
}

/** Parses a key that is not encrypted. */
export function parseKey(text: string, file: string): OpenKey | Complaint {
  try {
    return { key: createPrivateKey(text), pem: text }
  } catch {
    const labels = [...new Set([...text.matchAll(/-----BEGIN ([^-]+)-----/g)].map(([, label]) => label))]
    return {
      summary: 'holds no private key that can be read',
      found: `${file}: ${labels.length > 0 ? labels.join(', ') : 'no PEM block'}`,
      expected: 'a PEM file with a private key',
      hint: labels.includes('CERTIFICATE') ? 'are cert_file and key_file swapped?' : 'give the private key as PEM',
    }
  }
}

/** The passphrase in a file's text, whose bytes are its characters: one line, with or without its end. */
export function readPassphrase(text: string, file: string): Buffer | Complaint {
  const line = text.replace(/\r?\n$/, '')
  const expected = 'one line with the passphrase'
  if (line === '') return { summary: 'holds no passphrase', found: `${file}: an empty line`, expected, hint }
  if (/[\r\n]/.test(line)) {
    return { summary: 'holds more than a passphrase', found: `${file}: several lines`, expected, hint }
  }
  if (line.length > maxPassphraseBytes) {
    const found = `${file}: a line of ${line.length} bytes`
    return { summary: 'is longer than a passphrase can be', found, expected: `${expected}, at most 1024 bytes`, hint }
  }
  return Buffer.from(line, 'latin1')
}

/** Decrypts a key; what is wrong is wrong with the passphrase, or else with the key. */
export function decryptKey(
  text: string,
  passphrase: Buffer,
  files: { readonly key: string; readonly passphrase: string },
): OpenKey | { readonly complaint: Complaint; readonly isOfPassphrase: boolean } {
  try {
    const key = createPrivateKey({ key: text, passphrase })
    return { key, pem: key.export({ type: 'pkcs8', format: 'pem' }).toString() }
  } catch (error) {
    const { message } = error as Error
    // OpenSSL 3 leaves out what is broken, such as RC2.
    if (/unsupported/i.test(message)) {
      const complaint = {
        summary: 'the private key is encrypted in a way that OpenSSL no longer has',
        found: `${files.key}: ${message}`,
        expected: 'a key encrypted with AES',
        hint: `openssl pkey -provider legacy -provider default -aes256 -in ${shellQuote(files.key)} -out aes-key.pem`,
      }
      return { complaint, isOfPassphrase: false }
    }
    // With a wrong passphrase, one time in some hundred what comes out looks decrypted, but is no key.
    const complaint = {
      summary: 'the passphrase does not open the private key',
      found: `${files.passphrase}: a passphrase for another key`,
      expected: `the passphrase of ${files.key}`,
      hint: `openssl pkey -in ${shellQuote(files.key)} -passin file:${shellQuote(files.passphrase)} -noout tries it`,
    }
    return { complaint, isOfPassphrase: true }
  }
}

/** A file's name, fit to be pasted into a shell. */
export function shellQuote(file: string): string {
  return /^[\w./-]+$/.test(file) ? file : quote(file)
}

const hint = 'write the passphrase into it as its only line'
