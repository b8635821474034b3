/**
 * One certificate out of `openssl`: a key, an extension file, a signature by the authority's own key.
 *
 * `openssl req -x509 -CA` issues in one call; dates of one's own need `openssl ca`, since 3.0 has no -not_after.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AuthorityKeyType, digestOf, genpkeyArguments, openssl } from './openssl.ts'

/** A certificate and its key as files and as text. */
export interface Issued {
  readonly certificateFile: string
  readonly keyFile: string
  /** PEM. */
  readonly pem: string
  /** PEM. */
  readonly key: string
  readonly der: Uint8Array
  readonly keyType: AuthorityKeyType
  readonly serialHex: string
  readonly subject: string
  readonly notAfter: Date
}

export interface IssueOptions {
  /** Where its files go; made when absent. */
  readonly directory: string
  /** The files' base name. */
  readonly fileName: string
  /** As openssl writes it: `/O=Staplewright Test/CN=localhost`. */
  readonly subject: string
  readonly keyType: AuthorityKeyType
  /** Lines of an extension section: `basicConstraints=critical,CA:TRUE`. */
  readonly extensions: readonly string[]
  /** Who signs; itself when absent. */
  readonly issuer?: Issued
  readonly serialHex: string
  readonly notBefore?: Date
  readonly notAfter?: Date
  readonly days?: number
  /** Use this key instead of a new one. */
  readonly keyFile?: string
  /** Encrypts the key file with it. */
  readonly passphrase?: string
  /** The digest of the signature; default what suits the issuer's key. */
  readonly digest?: string
}

export async function issue(o: IssueOptions): Promise<Issued> {
  await mkdir(o.directory, { recursive: true })
  const base = join(o.directory, o.fileName)
  const files = { certificate: `${base}.pem`, key: o.keyFile ?? `${base}.key`, config: `${base}.cnf` }
  if (!o.keyFile) await openssl(['genpkey', ...genpkeyArguments[o.keyType], '-out', files.key])
  const key = await readFile(files.key, 'utf8')
  await writeFile(files.config, configOf(o))

  const digest = o.digest ?? digestOf[o.issuer?.keyType ?? o.keyType]
  const days = o.days ?? 90
  if (o.notBefore || o.notAfter) await issueDated(o, files, digest)
  else {
    await openssl([
      ...['req', '-x509', '-new', '-key', files.key, '-out', files.certificate, '-config', files.config],
      ...['-extensions', 'extensions', '-subj', o.subject, '-set_serial', `0x${o.serialHex}`, '-days', String(days)],
      ...(o.issuer ? ['-CA', o.issuer.certificateFile, '-CAkey', o.issuer.keyFile] : []),
      ...(digest ? [`-${digest}`] : []),
    ])
  }
  if (o.passphrase !== undefined) {
    await openssl([
      'pkey',
      '-in',
      files.key,
      '-aes256',
      '-passout',
      `pass:${o.passphrase}`,
      '-out',
      `${base}.locked.key`,
    ])
  }
  const pem = await readFile(files.certificate, 'utf8')
  return {
    certificateFile: files.certificate,
    keyFile: o.passphrase === undefined ? files.key : `${base}.locked.key`,
    pem,
    key,
    der: derOf(pem),
    keyType: o.keyType,
    serialHex: o.serialHex,
    subject: o.subject,
    notAfter: o.notAfter ?? new Date(Date.now() + days * 86_400_000),
  }
}

/** Dates of one's own: a request, then `openssl ca` with a database that is thrown away. */
async function issueDated(
  o: IssueOptions,
  files: { certificate: string; key: string; config: string },
  digest: string | undefined,
): Promise<void> {
  const requestFile = join(o.directory, `${o.fileName}.csr`)
  const work = join(o.directory, `${o.fileName}.ca`)
  await mkdir(work, { recursive: true })
  await writeFile(join(work, 'index.txt'), '')
  await writeFile(join(work, 'serial'), `${o.serialHex}\n`)
  const requestDigest = digestOf[o.keyType]
  await openssl([
    ...['req', '-new', '-key', files.key, '-out', requestFile, '-config', files.config, '-subj', o.subject],
    ...(requestDigest ? [`-${requestDigest}`] : []),
  ])
  const notBefore = o.notBefore ?? new Date(Date.now() - 3_600_000)
  const notAfter = o.notAfter ?? new Date(notBefore.getTime() + (o.days ?? 90) * 86_400_000)
  await openssl([
    ...['ca', '-batch', '-notext', '-preserveDN', '-config', files.config, '-name', 'authority'],
    ...['-in', requestFile, '-out', files.certificate, '-outdir', work, '-extensions', 'extensions'],
    ...['-md', digest ?? 'default', '-startdate', asn1Time(notBefore), '-enddate', asn1Time(notAfter)],
    ...(o.issuer
      ? ['-cert', o.issuer.certificateFile, '-keyfile', o.issuer.keyFile]
      : ['-selfsign', '-keyfile', files.key]),
  ])
}

function configOf(o: IssueOptions): string {
  const work = join(o.directory, `${o.fileName}.ca`)
  return `[req]
distinguished_name = name
prompt = no
[name]
CN = ignored
[extensions]
${o.extensions.join('\n')}
[authority]
database = ${work}/index.txt
serial = ${work}/serial
unique_subject = no
policy = policy
email_in_dn = no
[policy]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
`
}

/** `YYYYMMDDHHMMSSZ`. */
function asn1Time(at: Date): string {
  return `${at.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`
}

/** The first certificate of a PEM text. */
function derOf(pem: string): Uint8Array {
  const body = /-----BEGIN CERTIFICATE-----([^-]+)-----END/.exec(pem)?.[1] ?? ''
  return new Uint8Array(Buffer.from(body, 'base64'))
}
