/**
 * Puts the evidence together: what a probe recorded, the issuers that prove it, every rule's verdict on each staple, and
 * what the CA says now. The only file of this folder that causes connections, through what it is handed.
 */
import { isStapleError, type StapleError } from '../../errors.ts'
import { isPrivateAddress } from '../../keep/fetch/address.ts'
import type { Origin } from '../../keep/fetch/index.ts'
import { diagnose } from '../../pki/ocsp/diagnose.ts'
import { type Certificate, decodeCertificate } from '../../pki/x509/certificate.ts'
import { certificateKey } from '../../pki/x509/crypto.ts'
import type { ConnectionRecord, HandshakeRecord, ProbeRecord, TrustRecord } from '../probe/record.ts'
import type { RevocationPolicy, StatusAsker } from '../revocation/contract.ts'
import { askLive } from './ask-live.ts'
import type { CertificateEvidence, Evidence, StapleEvidence, UnreadableLeaf } from './evidence.ts'
import { findIssuerOf } from './find-issuer.ts'

export interface GatherOptions {
  readonly at?: Date
  readonly stack?: boolean
  /** Further certificates, PEM, among which issuers are looked for. */
  readonly ca?: readonly string[]
  /** Asks the CA; absent: nobody is asked. */
  readonly asker?: StatusAsker
  /** Default `ocsp-then-crl`. */
  readonly revocation?: RevocationPolicy
  /** Fetches an issuer that the server does not send, with the origin of its address; absent: none is fetched. */
  readonly fetchIssuer?: (leaf: Certificate, origin: Origin) => Promise<Certificate>
  readonly signal?: AbortSignal
}

/** Never rejects for what the target or its CA does; only when aborted. */
export async function gatherEvidence(record: ProbeRecord, options: GatherOptions = {}): Promise<Evidence> {
  const { at = record.at, stack = false } = options
  const origin = originOf(record)
  const { leaves, unreadable } = groupByLeaf(record.connections)
  const certificates = await Promise.all(leaves.map((leaf) => examineLeaf(leaf, origin, at, options)))
  return { record, at, certificates, unreadable, origin, stack }
}

/**
 * A target on our own network has certificates that name addresses there.
 *
 * Every address counts: whoever owns a name may let it resolve to a server of theirs and to a private address beside it.
 */
function originOf({ addresses }: ProbeRecord): Origin {
  return addresses.length > 0 && addresses.every(isPrivateAddress) ? 'operator' : 'stranger'
}

/** Tells whether the addresses in a certificate may be used. @see TrustRecord */
function mayUseAddresses(trust: TrustRecord, origin: Origin): boolean {
  // The name is looked at after the chain: where only it is wrong, the chain has verified.
  return origin === 'operator' || trust.isTrusted || trust.code === 'ERR_TLS_CERT_ALTNAME_INVALID'
}

interface Leaf {
  readonly certificate: Certificate
  readonly certificateKey: string
  readonly chain: readonly Certificate[]
  readonly trust: TrustRecord
  readonly connections: (ConnectionRecord & { readonly handshake: HandshakeRecord })[]
}

function groupByLeaf(connections: readonly ConnectionRecord[]) {
  const leaves = new Map<string, Leaf>()
  const unreadable = new Map<string, UnreadableLeaf & { connections: ConnectionRecord[] }>()
  for (const connection of connections) {
    const { handshake } = connection
    const [der, ...others] = handshake?.chain ?? []
    if (handshake === undefined || der === undefined) continue
    const key = certificateKey(der)
    const shown = { ...connection, handshake }
    const known = leaves.get(key) ?? unreadable.get(key)
    if (known !== undefined) {
      known.connections.push(shown)
      continue
    }
    try {
      const certificate = decodeCertificate(der)
      const chain = [certificate, ...others.flatMap(decodeLeniently)]
      leaves.set(key, { certificate, certificateKey: key, chain, trust: handshake.trust, connections: [shown] })
    } catch (error) {
      unreadable.set(key, { error: asStapleError(error), connections: [shown] })
    }
  }
  return { leaves: [...leaves.values()], unreadable: [...unreadable.values()] }
}

/** One that cannot be read is nobody's issuer here. */
function decodeLeniently(der: Uint8Array): Certificate[] {
  try {
    return [decodeCertificate(der)]
  } catch (error) {
    asStapleError(error)
    return []
  }
}

async function examineLeaf(leaf: Leaf, origin: Origin, at: Date, options: GatherOptions): Promise<CertificateEvidence> {
  const isOpen = mayUseAddresses(leaf.trust, origin)
  const found = await findIssuerOf(leaf.chain, leaf.trust, {
    ca: options.ca ?? [],
    ...(isOpen && options.fetchIssuer !== undefined && { fetchIssuer: (one: Certificate) => fetchFor(one) }),
  })
  function fetchFor(one: Certificate): Promise<Certificate> {
    return (options.fetchIssuer as NonNullable<GatherOptions['fetchIssuer']>)(one, origin)
  }
  const { issuer } = found
  return {
    ...leaf,
    ...found,
    staples: groupStaples(leaf.connections, leaf.certificate, issuer, at),
    ...(await askLive({ certificate: leaf.certificate, issuer, origin, isOpen, at }, options)),
  }
}

/** Each distinct staple once, judged where its issuer is known. */
function groupStaples(
  connections: Leaf['connections'],
  certificate: Certificate,
  issuer: Certificate | undefined,
  at: Date,
): StapleEvidence[] {
  const staples = new Map<string, { der: Uint8Array; connections: ConnectionRecord[] }>()
  for (const connection of connections) {
    const der = connection.handshake.staple
    if (der === null) continue
    const key = certificateKey(der)
    const known = staples.get(key)
    if (known === undefined) staples.set(key, { der, connections: [connection] })
    else known.connections.push(connection)
  }
  return [...staples.values()].map((staple) => ({
    ...staple,
    ...(issuer !== undefined && { diagnosis: diagnose(staple.der, { certificate, issuer, at }) }),
  }))
}

function asStapleError(error: unknown): StapleError {
  if (isStapleError(error)) return error
  throw error
}
