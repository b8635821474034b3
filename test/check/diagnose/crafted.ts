/**
 * Evidence as the tests want it: connections that were never made, to servers that never were, put together by the same
 * gatherEvidence as the real ones. Certificates and signatures are real.
 */

import { findAll } from '../../../src/check/diagnose/diagnose.ts'
import type { Evidence } from '../../../src/check/diagnose/evidence.ts'
import type { Finding } from '../../../src/check/diagnose/finding.ts'
import { type GatherOptions, gatherEvidence } from '../../../src/check/diagnose/gather.ts'
import type {
  ConnectionRecord,
  HandshakeRecord,
  ProbeRecord,
  Target,
  TlsVersion,
} from '../../../src/check/probe/record.ts'
import type { StatusAnswer, StatusAsker, StatusQuestion } from '../../../src/check/revocation/contract.ts'
import { type FetchDetail, StapleError } from '../../../src/errors.ts'
import { createCertID } from '../../../src/pki/ocsp/cert-id-match.ts'
import { type OcspSigner, type SingleStatus, signOcspResponse } from '../../../src/pki/ocsp/sign.ts'
import type { CertStatus } from '../../../src/pki/ocsp/single-response.ts'
import type { HashAlgorithm } from '../../../src/pki/x509/crypto.ts'
import { type Authority, createAuthority, type Leaf, type LeafOptions } from '../../kit/authority.ts'

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

/** The moment of every crafted probe; certificates of the kit have begun by then. */
export const at: Date = new Date(Math.floor(Date.now() / 1000) * 1000 + 5_000)

export const authority: Authority = await createAuthority()

const leaves = new Map<string, Promise<Leaf>>()

/** A leaf; the same options give the same one. */
export function leafOf(options: LeafOptions = {}): Promise<Leaf> {
  const key = JSON.stringify(options)
  const known = leaves.get(key) ?? authority.issueLeaf(options)
  leaves.set(key, known)
  return known
}

export interface ResponseOptions {
  readonly certStatus?: CertStatus
  /** How long before {@link at} thisUpdate is; default an hour. */
  readonly ageMs?: number
  /** Null: no nextUpdate; default 7 days. */
  readonly lifeMs?: number | null
  readonly signer?: OcspSigner
  /** One entry each; default SHA-1. */
  readonly hashes?: readonly HashAlgorithm[]
  readonly certificates?: readonly Uint8Array[]
  /** Whose serial number it answers; default the leaf's. */
  readonly about?: Leaf
}

/** A signed response about the leaf. */
export function responseFor(leaf: Leaf, options: ResponseOptions = {}): Uint8Array {
  const { certStatus = 'good', ageMs = hourMs, lifeMs = 7 * dayMs, hashes = ['sha1'] } = options
  const thisUpdate = new Date(at.getTime() - ageMs)
  const status = (hash: HashAlgorithm): SingleStatus => ({
    certID: createCertID((options.about ?? leaf).certificate, leaf.issuer, hash),
    certStatus,
    ...(certStatus === 'revoked' && { revocationTime: thisUpdate, revocationReason: 'keyCompromise' }),
    thisUpdate,
    ...(lifeMs !== null && { nextUpdate: new Date(thisUpdate.getTime() + lifeMs) }),
  })
  return signOcspResponse({
    signer: options.signer ?? authority.intermediate,
    responses: hashes.map(status),
    producedAt: thisUpdate,
    ...(options.certificates && { certificates: options.certificates }),
  })
}

export interface ConnectionOptions
  extends Partial<Pick<ConnectionRecord, 'address' | 'number' | 'failure' | 'greeting'>> {
  readonly version?: TlsVersion
  readonly cipher?: string
  /** Null: none is sent. */
  readonly serverName?: string | null
  /** Default leaf and intermediate. */
  readonly chain?: readonly Uint8Array[]
  readonly trust?: HandshakeRecord['trust']
}

/** A connection that showed a leaf, with this staple or none. */
export function shown(leaf: Leaf, staple: Uint8Array | null, options: ConnectionOptions = {}): ConnectionRecord {
  const { address = '192.0.2.1', number = 1, version = 'TLSv1.3', serverName = 'localhost' } = options
  const keyFamily = leaf.keyType.startsWith('rsa') ? 'rsa' : 'ecdsa'
  return {
    address,
    number,
    offered: { version, keyFamilies: [keyFamily], ...(serverName !== null && { serverName }) },
    connectMs: 1,
    handshakeMs: 2,
    handshake: {
      version,
      cipher: options.cipher ?? 'TLS_AES_256_GCM_SHA384',
      keyFamily,
      chain: options.chain ?? [leaf.der, authority.intermediate.der],
      staple,
      trust: options.trust ?? { isTrusted: true },
    },
    ...(options.failure && { failure: options.failure }),
    ...(options.greeting !== undefined && { greeting: options.greeting }),
  }
}

/** One after the other to one address: each staple, or null for a miss. */
export function series(leaf: Leaf, staples: readonly (Uint8Array | null)[], options: ConnectionOptions = {}) {
  return staples.map((staple, index) => shown(leaf, staple, { ...options, number: index + 1 }))
}

/** A connection that came to no certificate. */
export function failed(
  code: 'ERR_PROBE_CONNECT' | 'ERR_PROBE_HANDSHAKE' | 'ERR_PROBE_TIMEOUT',
  options: ConnectionOptions & { detail?: Record<string, string> } = {},
): ConnectionRecord {
  const { address = '192.0.2.1', number = 1, version = 'TLSv1.3' } = options
  return {
    address,
    number,
    offered: { version, keyFamilies: ['ecdsa', 'rsa'], serverName: 'localhost' },
    connectMs: 1,
    failure: new StapleError(code, `${address}: ${options.detail?.networkCode ?? code}`, options.detail ?? {}),
  }
}

const target: Target = { label: 'localhost:443', host: 'localhost', port: 443 }

function recordOf(connections: readonly ConnectionRecord[], over: Partial<ProbeRecord> = {}): ProbeRecord {
  const addresses = [...new Set(connections.map(({ address }) => address))]
  return { target, at, elapsedMs: 10, addresses, connections, ...over }
}

export function evidenceOf(
  connections: readonly ConnectionRecord[],
  over: Partial<ProbeRecord> = {},
  options: GatherOptions = {},
): Promise<Evidence> {
  return gatherEvidence(recordOf(connections, over), options)
}

export async function findingsOf(
  connections: readonly ConnectionRecord[],
  over: Partial<ProbeRecord> = {},
  options: GatherOptions = {},
): Promise<Finding[]> {
  return findAll(await evidenceOf(connections, over, options))
}

/** The codes of findings that say that something is wrong. */
export function wrongCodes(findings: readonly Finding[]): string[] {
  return findings.filter(({ severity }) => severity !== 'ok' && severity !== 'info').map(({ code }) => code)
}

export function findingOf(findings: readonly Finding[], code: string): Finding {
  const found = findings.find((finding) => finding.code === code)
  if (found === undefined) throw new Error(`no ${code} among ${findings.map((each) => each.code).join(', ')}`)
  return found
}

/** An asker that says what it is told to, and remembers what it was asked. */
export function fakeAsker(
  answer: (question: StatusQuestion) => StatusAnswer | StapleError,
): StatusAsker & { readonly asked: StatusQuestion[] } {
  const asked: StatusQuestion[] = []
  return {
    asked,
    async ask(question) {
      asked.push(question)
      const answered = answer(question)
      if (answered instanceof StapleError) throw answered
      return answered
    },
    recall: () => undefined,
    remember: () => {},
    close: async () => {},
  }
}

/** What a CA says, now. */
export function answered(certStatus: CertStatus, over: Partial<StatusAnswer> = {}): StatusAnswer {
  const thisUpdate = new Date(at.getTime() - 60_000)
  const nextUpdate = new Date(thisUpdate.getTime() + 7 * dayMs)
  return {
    source: 'ocsp',
    certStatus,
    thisUpdate,
    nextUpdate,
    usableUntil: nextUpdate,
    url: 'http://ocsp.example.net/',
    isCached: false,
    failures: [],
    elapsedMs: 3,
    ...over,
  }
}

/** Why a CA did not say, with these causes. */
export function unanswered(...causes: readonly StapleError[]): StapleError {
  return new StapleError('ERR_PEER_STATUS_UNAVAILABLE', 'the CA did not say', { causes })
}

export function fetchFailure(
  code: 'ERR_FETCH_NETWORK' | 'ERR_FETCH_TIMEOUT' | 'ERR_FETCH_HTTP_STATUS' | 'ERR_FETCH_CONTENT_TYPE',
  detail: Partial<FetchDetail> = {},
): StapleError {
  const whole = { url: 'http://ocsp.example.net/', method: 'POST', ...detail }
  const way = detail.method?.startsWith('CONNECT') ? ' through http://proxy.example.net:3128' : ''
  const message = `${whole.method} http://ocsp.example.net/${way}: ${detail.networkCode ?? code}`
  return new StapleError(code, message, whole)
}

/** For an asker or fetcher that must not be used. */
export async function nothingHere(): Promise<never> {
  throw new Error('nobody was to be asked')
}
