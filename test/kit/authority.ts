/**
 * A certificate authority made by the real openssl: root, intermediate, leaves, delegated responders, index.txt.
 *
 * One authority per key type and process, so a test file pays for it once; leaves differ by serial, so they do not meet.
 * `fresh: true` makes one of its own. Everything lies in a temporary directory that goes with the process. Certificates
 * begin at the machine's hour: a manual clock that meets them starts there, `manualClock(new Date())`.
 */
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OcspSigner } from '../../src/pki/ocsp/sign.ts'
import { type Certificate, decodeCertificate } from '../../src/pki/x509/certificate.ts'
import { type Issued, issue } from './issue.ts'
import { type AuthorityKeyType, digestOf, openssl } from './openssl.ts'
import { temporaryDirectory } from './temporary.ts'

export type { AuthorityKeyType } from './openssl.ts'

export interface AuthorityOptions {
  /** Default p256, the fastest to make. */
  readonly keyType?: AuthorityKeyType
  /** Another authority than the one this process already has of that key type. */
  readonly fresh?: boolean
  /** The names of root and intermediate begin with it; default `Staplewright Test`. */
  readonly name?: string
}

/** A certificate of the authority, with its decoded form; as a signer of responses it is complete. */
export interface AuthorityCertificate extends Issued, OcspSigner {
  readonly certificate: Certificate
}

export interface LeafOptions {
  /** The common name; default localhost. */
  readonly name?: string
  readonly mustStaple?: boolean
  /** The AIA OCSP addresses; default one where nobody listens; null for none. */
  readonly responderURL?: string | readonly string[] | null
  readonly caIssuersURL?: string | readonly string[]
  /** Default 90. */
  readonly days?: number
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** DNS names and addresses; default localhost, 127.0.0.1, ::1. */
  readonly san?: readonly string[]
  /** Default the authority's. */
  readonly keyType?: AuthorityKeyType
  /** Who issues; default the intermediate. */
  readonly issuer?: 'intermediate' | 'root'
  readonly serialHex?: string
  /** Renew with the key of another leaf. */
  readonly keyFile?: string
  readonly passphrase?: string
  /** Further lines of the extension section. */
  readonly extensions?: readonly string[]
}

export interface Leaf extends AuthorityCertificate {
  /** PEM: leaf, then intermediate. */
  readonly certificateFile: string
  readonly chainPem: string
  readonly leafOnlyFile: string
  /** PEM: intermediate, then root. */
  readonly caFile: string
  /** PEM: the root alone, for clients. */
  readonly rootFile: string
  readonly issuer: Certificate
}

export interface DelegateOptions {
  /** Carry id-kp-OCSPSigning; default true. */
  readonly ocspSigning?: boolean
  /** Carry id-pkix-ocsp-nocheck; default true. */
  readonly nocheck?: boolean
  /** Default 3650, so that a simulated year does not meet its end. */
  readonly days?: number
  readonly notBefore?: Date
  readonly notAfter?: Date
  /** Shorthand: valid for an hour, two hours ago. */
  readonly expired?: boolean
  readonly keyType?: AuthorityKeyType
  /** Who issues it; default the intermediate. */
  readonly issuer?: 'intermediate' | 'root'
  readonly extensions?: readonly string[]
}

export interface OcspRespondOptions {
  readonly request: Uint8Array
  /** Default the intermediate itself. */
  readonly signer?: AuthorityCertificate
  readonly byKey?: boolean
  readonly hash?: string
  /** Null for no nextUpdate; default 60. */
  readonly nextUpdateMinutes?: number | null
  /** Leave the signer's certificate out of the response. */
  readonly noCertificates?: boolean
  /** Which authority's key and index answers; default the intermediate. */
  readonly ca?: 'intermediate' | 'root'
  /** Further arguments for `openssl ocsp`, as `-rsigopt rsa_padding_mode:pss`. */
  readonly args?: readonly string[]
}

export interface Authority {
  readonly directory: string
  readonly keyType: AuthorityKeyType
  readonly root: AuthorityCertificate
  readonly intermediate: AuthorityCertificate
  /** PEM: intermediate, then root. */
  readonly caFile: string
  /** `openssl ca`'s database of what the intermediate issued. */
  readonly indexFile: string
  issueLeaf(options?: LeafOptions): Promise<Leaf>
  /** Marks it revoked in index.txt. */
  revoke(leaf: Issued, reason?: string, at?: Date): Promise<void>
  /** Marks it valid again, as when a hold is lifted. */
  reinstate(leaf: Issued): Promise<void>
  delegate(options?: DelegateOptions): Promise<AuthorityCertificate>
  /** Answers a request with the real `openssl ocsp`, out of index.txt, at the machine's hour. */
  ocspRespond(options: OcspRespondOptions): Promise<Uint8Array>
}

const nowhere = 'http://127.0.0.1:1/'
const cache = new Map<AuthorityKeyType, Promise<Authority>>()

/** Makes an authority, or returns the one this process has of that key type. */
export function createAuthority(options: AuthorityOptions = {}): Promise<Authority> {
  const keyType = options.keyType ?? 'p256'
  if (options.fresh || options.name !== undefined) return makeAuthority(keyType, options.name)
  const known = cache.get(keyType)
  if (known) return known
  const made = makeAuthority(keyType)
  cache.set(keyType, made)
  return made
}

async function makeAuthority(keyType: AuthorityKeyType, name = 'Staplewright Test'): Promise<Authority> {
  const directory = temporaryDirectory(keyType)
  const ca = (fileName: string, subject: string, pathLength: string, issuer?: Issued) =>
    issue({
      directory,
      fileName,
      subject,
      keyType,
      ...(issuer ? { issuer } : {}),
      serialHex: randomSerial(),
      days: 3650,
      extensions: [
        `basicConstraints=critical,CA:TRUE${pathLength}`,
        'keyUsage=critical,keyCertSign,cRLSign,digitalSignature',
        'subjectKeyIdentifier=hash',
        ...(issuer ? ['authorityKeyIdentifier=keyid:always'] : []),
      ],
    })
  const root = signerOf(await ca('root', `/O=${name}/CN=${name} Root`, ''))
  const intermediate = signerOf(await ca('intermediate', `/O=${name}/CN=${name} Intermediate`, ',pathlen:0', root))
  const caFile = join(directory, 'ca.pem')
  await writeFile(caFile, intermediate.pem + root.pem)
  const indexFile = join(directory, 'index.txt')
  await writeFile(`${indexFile}.attr`, 'unique_subject = no\n')

  const lines = new Map<string, string>()
  let saving: Promise<void> = Promise.resolve()
  const record = (issued: Issued, revocation?: string): Promise<void> => {
    const flag = revocation === undefined ? 'V' : 'R'
    const fields = [flag, indexTime(issued.notAfter), revocation ?? '', issued.serialHex, 'unknown', issued.subject]
    lines.set(issued.serialHex, `${fields.join('\t')}\n`)
    saving = saving.then(() => writeFile(indexFile, [...lines.values()].join('')))
    return saving
  }
  await writeFile(indexFile, '')
  let issuedCount = 0

  const authority: Authority = {
    directory,
    keyType,
    root,
    intermediate,
    caFile,
    indexFile,
    async issueLeaf(o = {}) {
      const commonName = o.name ?? 'localhost'
      const issuer = o.issuer === 'root' ? root : intermediate
      const urls = (given: string | readonly string[] | null | undefined) =>
        given === null || given === undefined ? [] : typeof given === 'string' ? [given] : given
      const access = [
        ...urls(o.responderURL === undefined ? nowhere : o.responderURL).map((url) => `OCSP;URI:${url}`),
        ...urls(o.caIssuersURL).map((url) => `caIssuers;URI:${url}`),
      ]
      const directoryOfLeaf = join(directory, `leaf-${++issuedCount}`)
      const issued = await issue({
        directory: directoryOfLeaf,
        fileName: 'leaf',
        subject: `/CN=${commonName}`,
        keyType: o.keyType ?? keyType,
        issuer,
        serialHex: o.serialHex ?? randomSerial(),
        extensions: [
          'basicConstraints=critical,CA:FALSE',
          'keyUsage=critical,digitalSignature',
          'extendedKeyUsage=serverAuth,clientAuth',
          'subjectKeyIdentifier=hash',
          'authorityKeyIdentifier=keyid:always',
          `subjectAltName=${(o.san ?? ['localhost', '127.0.0.1', '::1']).map(sanOf).join(',')}`,
          ...(access.length > 0 ? [`authorityInfoAccess=${access.join(',')}`] : []),
          ...(o.mustStaple ? ['tlsfeature=status_request'] : []),
          ...(o.extensions ?? []),
        ],
        ...given(o, 'days', 'notBefore', 'notAfter', 'keyFile', 'passphrase'),
      })
      const chainPem = issued.pem + (issuer === root ? '' : intermediate.pem)
      const certificateFile = join(directoryOfLeaf, 'chain.pem')
      await writeFile(certificateFile, chainPem)
      if (issuer === intermediate) await record(issued)
      return {
        ...signerOf(issued),
        certificateFile,
        chainPem,
        leafOnlyFile: issued.certificateFile,
        caFile,
        rootFile: root.certificateFile,
        issuer: issuer.certificate,
      }
    },
    revoke: (leaf, reason, at = new Date()) => record(leaf, indexTime(at) + (reason === undefined ? '' : `,${reason}`)),
    reinstate: (leaf) => record(leaf),
    async delegate(o = {}) {
      const dates = o.expired
        ? { notBefore: new Date(Date.now() - 7_200_000), notAfter: new Date(Date.now() - 3_600_000) }
        : { days: 3650, ...given(o, 'days', 'notBefore', 'notAfter') }
      const issued = await issue({
        directory: join(directory, `responder-${++issuedCount}`),
        fileName: 'responder',
        subject: `/CN=${name} Responder ${issuedCount}`,
        keyType: o.keyType ?? keyType,
        issuer: o.issuer === 'root' ? root : intermediate,
        serialHex: randomSerial(),
        extensions: [
          'basicConstraints=critical,CA:FALSE',
          'keyUsage=critical,digitalSignature',
          `extendedKeyUsage=${o.ocspSigning === false ? 'serverAuth' : 'OCSPSigning'}`,
          'subjectKeyIdentifier=hash',
          'authorityKeyIdentifier=keyid:always',
          ...(o.nocheck === false ? [] : ['noCheck=ignored']),
          ...(o.extensions ?? []),
        ],
        ...dates,
      })
      return signerOf(issued)
    },
    async ocspRespond(o) {
      const signer = o.signer ?? (o.ca === 'root' ? root : intermediate)
      const digest = o.hash ?? digestOf[signer.keyType]
      const file = join(directory, `exchange-${++issuedCount}`)
      await writeFile(`${file}.request`, o.request)
      const minutes = o.nextUpdateMinutes === undefined ? 60 : o.nextUpdateMinutes
      await openssl([
        ...['ocsp', '-index', indexFile, '-CA', (o.ca === 'root' ? root : intermediate).certificateFile],
        ...['-rsigner', signer.certificateFile, '-rkey', signer.keyFile],
        ...['-reqin', `${file}.request`, '-respout', `${file}.response`],
        ...(minutes === null ? [] : ['-nmin', String(minutes)]),
        ...(digest ? ['-rmd', digest] : []),
        ...(o.byKey ? ['-resp_key_id'] : []),
        ...(o.noCertificates ? ['-resp_no_certs'] : []),
        ...(o.args ?? []),
      ])
      return new Uint8Array(await readFile(`${file}.response`))
    },
  }
  return authority
}

function signerOf(issued: Issued): AuthorityCertificate {
  return { ...issued, certificate: decodeCertificate(issued.der), privateKey: issued.key }
}

/** 16 octets, positive, never starting with a zero octet: openssl's index.txt wants the hex as it prints it. */
function randomSerial(): string {
  const octets = randomBytes(16)
  octets[0] = ((octets[0] ?? 0) & 0x3f) | 0x40
  return octets.toString('hex').toUpperCase()
}

function sanOf(name: string): string {
  return /^[\d.]+$|:/.test(name) ? `IP:${name}` : `DNS:${name}`
}

/** `YYMMDDHHMMSSZ`, or with four digits of the year from 2050 on, as openssl's database has it. */
function indexTime(at: Date): string {
  const text = `${at.toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`
  return at.getUTCFullYear() < 2050 ? text.slice(2) : text
}

/** The named options that were given, so that absent ones stay absent. */
function given<T extends object, K extends keyof T>(
  options: T,
  ...names: K[]
): { [P in K]?: Exclude<T[P], undefined> } {
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  ) as {
    [P in K]?: Exclude<T[P], undefined>
  }
}
