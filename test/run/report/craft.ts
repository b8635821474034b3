/** Examinations made by hand, out of real certificates and responses that are signed here: no server, no network. */
import type { CertificateEvidence, LiveEvidence, StapleEvidence } from '../../../src/check/diagnose/evidence.ts'
import type { Finding } from '../../../src/check/diagnose/finding.ts'
import type { Examination } from '../../../src/check/examine.ts'
import type { ConnectionRecord, Target } from '../../../src/check/probe/record.ts'
import { StapleError } from '../../../src/errors.ts'
import { createCertID } from '../../../src/pki/ocsp/cert-id-match.ts'
import { diagnose } from '../../../src/pki/ocsp/diagnose.ts'
import { signOcspResponse } from '../../../src/pki/ocsp/sign.ts'
import { createAuthority, type Leaf, type LeafOptions } from '../../kit/authority.ts'

export const hour = 3_600_000
export const day = 24 * hour

export interface Craft {
  readonly leaf: Leaf
  readonly at: Date
  /** From thisUpdate to now, and from now to nextUpdate; default 2 and 5 days. */
  staple(options?: {
    readonly age?: number
    readonly left?: number
    readonly certStatus?: 'good' | 'revoked'
  }): Uint8Array
  examine(options?: ExaminationOptions): Examination
}

export interface ExaminationOptions {
  readonly target?: Partial<Target>
  /** Of each connection: what it brought, or why it failed. */
  readonly staples?: readonly (Uint8Array | null | StapleError)[]
  readonly findings?: readonly Finding[]
  readonly severity?: Examination['severity']
  readonly server?: Examination['server']
  readonly greeting?: string
  /** What the CA says now; default it was not asked. */
  readonly live?: LiveEvidence
}

/** Makes a certificate to speak of. */
export async function craft(options: LeafOptions = {}): Promise<Craft> {
  const authority = await createAuthority()
  const leaf = await authority.issueLeaf({
    name: 'www.example.com',
    san: ['www.example.com', 'example.com'],
    ...options,
  })
  const at = new Date(Math.floor(Date.now() / 60_000) * 60_000)
  return {
    leaf,
    at,
    staple({ age = 2 * day, left = 5 * day, certStatus = 'good' } = {}) {
      const certID = createCertID(leaf.certificate, leaf.issuer, 'sha1')
      const thisUpdate = new Date(at.getTime() - age)
      const window = { thisUpdate, nextUpdate: new Date(at.getTime() + left) }
      const revoked = { certStatus: 'revoked', revocationTime: thisUpdate, revocationReason: 'keyCompromise' } as const
      const response = certStatus === 'good' ? { certStatus } : revoked
      return signOcspResponse({
        signer: authority.intermediate,
        responses: [{ certID, ...response, ...window }],
        producedAt: thisUpdate,
      })
    },
    examine(given = {}) {
      return put(leaf, at, given)
    },
  }
}

export function finding(options: Partial<Finding> = {}): Finding {
  return {
    code: 'no-staple',
    severity: 'critical',
    title: 'no staple, although the certificate demands one',
    meaning: 'Firefox refuses the connection; others may.',
    evidence: ['127.0.0.1, TLS 1.3: no staple'],
    remedies: [],
    ...options,
  }
}

function put(leaf: Leaf, at: Date, options: ExaminationOptions): Examination {
  const { staples = [], findings = [], severity = 'ok', server, greeting, live } = options
  const target = { label: 'www.example.com', host: 'www.example.com', port: 443, ...options.target }
  const connections = staples.map((staple, index) => connection(leaf, staple, index, greeting))
  const shown = connections.filter(({ handshake }) => handshake !== undefined)
  const record = { target, at, elapsedMs: 123, addresses: ['192.0.2.1'], connections }
  const certificate: CertificateEvidence = {
    certificate: leaf.certificate,
    certificateKey: 'ab'.repeat(32),
    chain: [leaf.certificate, leaf.issuer],
    connections: shown,
    issuer: leaf.issuer,
    issuerSource: 'sent',
    trust: { isTrusted: true },
    staples: distinct(leaf, at, shown),
    ...(live ? { live } : { unasked: 'asked-not-to' }),
  }
  const certificates = shown.length > 0 ? [certificate] : []
  const evidence = { record, at, certificates, unreadable: [], origin: 'stranger', stack: false } as const
  const notes = ['staples of intermediate certificates cannot be seen from here']
  return { target, evidence, findings, severity, notes, ...(server && { server }) }
}

function connection(
  leaf: Leaf,
  staple: Uint8Array | null | StapleError,
  index: number,
  greeting: string | undefined,
): ConnectionRecord {
  const version = index % 2 === 0 ? 'TLSv1.3' : 'TLSv1.2'
  const offered = { version, keyFamilies: ['ecdsa', 'rsa'], serverName: 'www.example.com' } as const
  const begun = { address: '192.0.2.1', number: index + 1, offered, connectMs: 1.5, ...(greeting && { greeting }) }
  if (staple instanceof StapleError) return { ...begun, failure: staple }
  return {
    ...begun,
    handshakeMs: 3.25,
    handshake: {
      version,
      cipher: 'TLS_AES_256_GCM_SHA384',
      keyFamily: 'ecdsa',
      chain: [leaf.certificate.der, leaf.issuer.der],
      staple,
      trust: { isTrusted: true },
    },
  }
}

function distinct(leaf: Leaf, at: Date, connections: readonly ConnectionRecord[]): StapleEvidence[] {
  const ders = [...new Set(connections.flatMap(({ handshake }) => handshake?.staple ?? []))]
  return ders.map((der) => ({
    der,
    connections: connections.filter(({ handshake }) => handshake?.staple === der),
    diagnosis: diagnose(der, { certificate: leaf.certificate, issuer: leaf.issuer, at }),
  }))
}
