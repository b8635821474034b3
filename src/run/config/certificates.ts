/**
 * The certificates of a `tls` block: read, matched with their keys, judged at a moment, ready to serve.
 *
 * Everything that would fail at the first handshake, or leave stapling without hope, is told here at its key.
 */
import { type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { errorTable, isStapleError } from '../../errors.ts'
import { type Certificate, isMustStaple } from '../../pki/x509/certificate.ts'
import { certificateKey, keyType } from '../../pki/x509/crypto.ts'
import { findIssuer } from '../../pki/x509/issuer.ts'
import { formatName, isSameName } from '../../pki/x509/name.ts'
import { isStapled } from '../../serve/attach/policy.ts'
import { isGiven, look } from './block.ts'
import { listCertDir } from './cert-dir.ts'
import { caFile, certDir, certFile, certs, keyFile, keyPassphraseFile } from './keys.ts'
import type { PemFiles } from './pem-file.ts'
import { formatPem } from './pem-text.ts'
import type { Report } from './report.ts'
import type { Overrides } from './responders.ts'
import type { CertificateSettings, Mode } from './settings.ts'
import type { Block, Located } from './type.ts'

export interface CertificateReading {
  readonly files: PemFiles
  readonly report: Report
  readonly mode: Mode
  /** Certificates are judged at it. */
  readonly at: Date
  readonly purpose: 'serve' | 'look'
  readonly overrides: Overrides
}

/** Reads every certificate of a block; those with a problem are left out. */
export async function readTlsCertificates(
  tls: Located<Block>,
  path: string,
  reading: CertificateReading,
): Promise<CertificateSettings[]> {
  const { report, files } = reading
  const authority = look(tls.value, caFile)
  const authorities = authority === undefined ? undefined : await files.readCertificates(authority, `${path}.ca_file`)
  const candidates = authorities?.certificates ?? []
  const isIssuerSought = !isGiven(tls.value, caFile) || authorities !== undefined
  const read: CertificateSettings[] = []
  for (const pair of [...listPairs(tls, path, report), ...(await readCertDir(tls, path, reading))]) {
    const certificate = await readPair(pair, candidates, isIssuerSought, reading)
    if (certificate !== undefined) read.push(certificate)
  }
  return read
}

interface Pair {
  readonly certFile: Located<string>
  /** Absent when it is missing or wrong, which is said already. */
  readonly keyFile?: Located<string>
  readonly passphraseFile?: Located<string>
  readonly path: string
}

/** The pairs of a block; what is missing is said. */
function listPairs(tls: Located<Block>, path: string, report: Report): Pair[] {
  const list = look(tls.value, certs)
  if (isGiven(tls.value, certs) && (isGiven(tls.value, certFile) || isGiven(tls.value, keyFile))) {
    report.refuse(look(tls.value, certFile)?.at ?? tls.at, `${path}.cert_file`, {
      summary: 'stands beside `certs`',
      found: 'cert_file and certs',
      expected: 'one of them',
      hint: 'put this certificate into `certs` too',
    })
  }
  const passphrase = look(tls.value, keyPassphraseFile)
  if (isGiven(tls.value, certs) && passphrase !== undefined) {
    report.refuse(passphrase.at, `${path}.key_passphrase_file`, {
      summary: 'stands beside `certs`',
      found: 'key_passphrase_file and certs',
      expected: 'one of them',
      hint: 'put it into the map of the certificate whose key it opens, in `certs`',
    })
  }
  if (list !== undefined) {
    return list.value.flatMap((item, index) => readPairKeys(item, `${path}.certs[${index}]`, report))
  }
  return isGiven(tls.value, certs) || isGiven(tls.value, certDir) ? [] : readPairKeys(tls, path, report)
}

/** The pairs of `cert_dir`, which stands alone: what would be meant with other keys is open. */
async function readCertDir(tls: Located<Block>, path: string, { files, report }: CertificateReading): Promise<Pair[]> {
  const directory = look(tls.value, certDir)
  if (directory === undefined) return []
  const others = [certFile, keyFile, keyPassphraseFile, certs].filter((key) => isGiven(tls.value, key))
  if (others.length > 0) {
    const names = others.map((key) => key.name)
    report.refuse(directory.at, `${path}.cert_dir`, {
      summary: `stands beside ${names.map((name) => `\`${name}\``).join(' and ')}`,
      found: `cert_dir and ${names.join(', ')}`,
      expected: 'cert_dir alone, or none',
      hint: 'put that certificate into the directory too; keys in it are not encrypted',
    })
    return []
  }
  const pairs = await listCertDir(directory, `${path}.cert_dir`, files.workingDirectory, report)
  return pairs.map(({ certFile, keyFile, name }) => ({
    certFile: { value: certFile, at: directory.at },
    keyFile: { value: keyFile, at: directory.at },
    path: `${path}.cert_dir[${name}]`,
  }))
}

function readPairKeys(block: Located<Block>, path: string, report: Report): Pair[] {
  for (const key of [certFile, keyFile]) {
    if (isGiven(block.value, key)) continue
    report.refuse(block.at, `${path}.${key.name}`, {
      summary: 'is missing',
      found: `no ${key.name} in this map`,
      expected: key === certFile ? 'a PEM file with the certificate and its chain' : 'a PEM file with its private key',
      hint: `add \`${key.example}\``,
    })
  }
  const certificate = look(block.value, certFile)
  const key = look(block.value, keyFile)
  const passphraseFile = look(block.value, keyPassphraseFile)
  if (certificate === undefined) return []
  // With a passphrase that is wrong already, nothing is certain about the key.
  const isOpened = passphraseFile !== undefined || !isGiven(block.value, keyPassphraseFile)
  const keyParts = key && isOpened && { keyFile: key, ...(passphraseFile && { passphraseFile }) }
  return [{ certFile: certificate, path, ...keyParts }]
}

async function readPair(
  pair: Pair,
  authorities: readonly Certificate[],
  isIssuerSought: boolean,
  reading: CertificateReading,
): Promise<CertificateSettings | undefined> {
  const { files, report, at, mode, overrides, purpose } = reading
  const chain = await files.readCertificates(pair.certFile, `${pair.path}.cert_file`)
  const passphrase = pair.passphraseFile && { path: pair.passphraseFile, key: `${pair.path}.key_passphrase_file` }
  const isServed = purpose === 'serve'
  const key = isServed && pair.keyFile && (await files.readKey(pair.keyFile, `${pair.path}.key_file`, passphrase))
  if (chain === undefined) return undefined

  const matching = key ? chain.certificates.find((each) => isKeyOf(key.key, each)) : undefined
  const leaf = matching ?? (chain.certificates[0] as Certificate)
  if (!isKeySupported(pair, leaf, report)) return undefined
  if (key && matching === undefined) refuseKey(pair, key, chain, leaf, report)
  const others = chain.certificates.filter((each) => each !== leaf)
  const candidates = [...others, ...authorities]
  if (isServed) judgeDates(pair, leaf, others, at, report)

  const override = overrides.find(leaf)
  const isAsked = isStapled(mode, leaf) && (override.responderURLs ?? leaf.extensions.responderURLs).length > 0
  if (isServed && isAsked && isIssuerSought && !hasIssuer(leaf, candidates))
    refuseIssuerless(pair, leaf, candidates, mode, report)
  if (isServed && (!key || matching === undefined)) return undefined

  const chainPem = [leaf, ...orderChain(leaf, others)].map((each) => formatPem(each.der)).join('')
  if (key && !isTakenByOpenssl(pair, chainPem, key.pem, report)) return undefined
  return {
    chainPem,
    keyPem: key ? key.pem : '',
    leaf,
    certificateKey: certificateKey(leaf.der),
    candidates,
    certFile: chain.file,
    keyFile: key ? key.file : '',
    label: pair.certFile.value,
    ...override,
  }
}

function isKeyOf(key: KeyObject, certificate: Certificate): boolean {
  try {
    return new X509Certificate(certificate.der).checkPrivateKey(key)
  } catch {
    // OpenSSL cannot read the certificate, or its key: then this is not it.
    return false
  }
}

function isKeySupported(pair: Pair, leaf: Certificate, report: Report): boolean {
  try {
    keyType(leaf)
    return true
  } catch (error) {
    if (!isStapleError(error)) throw error
    report.refuse(pair.certFile.at, `${pair.path}.cert_file`, {
      summary: 'the key of the certificate is of a kind that is not supported',
      found: error.message,
      expected: errorTable.ERR_X509_UNSUPPORTED_ALGORITHM.remedy,
      hint: 'issue the certificate with another kind of key',
    })
    return false
  }
}

function refuseKey(
  pair: Pair,
  key: { readonly file: string; readonly key: { readonly asymmetricKeyType?: string } },
  chain: { readonly file: string },
  leaf: Certificate,
  report: Report,
): void {
  report.refuse((pair.keyFile ?? pair.certFile).at, `${pair.path}.key_file`, {
    summary: 'the private key belongs to no certificate of cert_file',
    found: `${key.file}: another ${key.key.asymmetricKeyType?.toUpperCase() ?? ''} key`.replace('  ', ' '),
    expected: `the ${keyType(leaf).toUpperCase()} key of ${describeSubject(leaf)} in ${chain.file}`,
    hint: 'was one of the two renewed without the other?',
  })
}

function judgeDates(pair: Pair, leaf: Certificate, others: readonly Certificate[], at: Date, report: Report): void {
  const path = `${pair.path}.cert_file`
  if (leaf.notAfter.getTime() < at.getTime()) {
    report.refuse(pair.certFile.at, path, {
      summary: `the certificate has expired: ${describeSubject(leaf)}`,
      found: `notAfter ${formatTime(leaf.notAfter)}`,
      expected: `a certificate for now, ${formatTime(at)}`,
      hint: "renew the certificate, or check the machine's clock",
    })
  }
  if (leaf.notBefore.getTime() > at.getTime()) {
    const bounds = `notBefore is ${formatTime(leaf.notBefore)}, now is ${formatTime(at)}`
    report.note(
      pair.certFile.at,
      path,
      `the certificate's time has not begun: ${bounds}; is the machine's clock right?`,
    )
  }
  for (const each of others) {
    if (each.notAfter.getTime() >= at.getTime()) continue
    const ended = `${describeSubject(each)} of the chain expired at ${formatTime(each.notAfter)}`
    report.note(pair.certFile.at, path, `${ended}; clients may refuse it`)
  }
}

/** A certificate of its own issue asks nobody; one with a caIssuers URL has its issuer fetched. */
function hasIssuer(leaf: Certificate, candidates: readonly Certificate[]): boolean {
  if (isSameName(leaf.subject, leaf.issuer) || leaf.extensions.caIssuersURLs.length > 0) return true
  return findIssuer(leaf, candidates) !== undefined
}

function refuseIssuerless(
  pair: Pair,
  leaf: Certificate,
  candidates: readonly Certificate[],
  mode: Mode,
  report: Report,
): void {
  const why = isMustStaple(leaf) ? 'it has Must-Staple' : `the mode is ${mode}`
  const subjects = candidates.slice(0, 4).map((each) => formatName(each.subject))
  report.refuse(pair.certFile.at, `${pair.path}.cert_file`, {
    summary: `the issuer of the certificate is not to be found, and without it there is no staple (${why})`,
    found: subjects.length > 0 ? `only ${subjects.join(' and ')}` : 'no other certificate',
    expected: `the certificate of ${formatName(leaf.issuer)}`,
    hint: 'append it to cert_file, or put it into ca_file; the certificate names no URL (caIssuers) to fetch it from',
  })
}

/** The issuer of each after it, as TLS 1.2 wants it; what has no place follows. */
function orderChain(leaf: Certificate, others: readonly Certificate[]): Certificate[] {
  const rest = [...others]
  const ordered: Certificate[] = []
  let last = leaf
  for (;;) {
    const issuer = findIssuer(last, rest)
    if (issuer === undefined) return [...ordered, ...rest]
    rest.splice(rest.indexOf(issuer), 1)
    ordered.push(issuer)
    last = issuer
  }
}

/** OpenSSL refuses what it thinks weak, such as RSA with 1024 bits: better now than at the first handshake. */
function isTakenByOpenssl(pair: Pair, cert: string, key: string, report: Report): boolean {
  try {
    createSecureContext({ cert, key })
    return true
  } catch (error) {
    report.refuse(pair.certFile.at, `${pair.path}.cert_file`, {
      summary: 'OpenSSL does not take the certificate',
      found: (error as Error).message,
      expected: 'a certificate and a key that TLS can use',
      hint: 'issue the certificate with a stronger key or signature',
    })
    return false
  }
}

function describeSubject(certificate: Certificate): string {
  return formatName(certificate.subject) || certificate.extensions.dnsNames[0] || 'a certificate without a subject'
}

function formatTime(time: Date): string {
  return time.toISOString().replace('.000Z', 'Z')
}
