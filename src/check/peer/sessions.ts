/**
 * TLS sessions, each with what was proven in the handshake that it came from.
 *
 * A resumed session carries no staple (TLS 1.3 says null, TLS 1.2 nothing), and Node does not look at the host name
 * again. So a session is only ever offered to the name, port and trust that it was made under, and only while its proof
 * holds: after that the next connection is a full handshake, with a staple.
 */
import { createHash } from 'node:crypto'
import type { ConnectionOptions } from 'node:tls'
import type { Certificate } from '../../pki/x509/certificate.ts'
import type { PeerVerdict } from './contract.ts'

/** What a verdict proved, and until when it serves again. */
export interface Proof {
  readonly verdict: PeerVerdict
  /** With the proven issuer, to ask whether a revocation has become known since. */
  readonly issuer: Certificate
  readonly holdsUntil: Date
}

export interface HeldSession {
  readonly session: Buffer
  readonly proof: Proof
}

export interface SessionMemory {
  /** The session to offer; undefined where none is held, or its proof is past. */
  recall(key: string, isHolding: (proof: Proof) => boolean): HeldSession | undefined
  /** Keeps the newest session of that key. */
  remember(key: string, held: HeldSession): void
  forget(key: string): void
}

export function createSessionMemory(most: number): SessionMemory {
  const held = new Map<string, HeldSession>()
  return {
    recall(key, isHolding) {
      const found = held.get(key)
      if (found === undefined) return undefined
      held.delete(key)
      if (!isHolding(found.proof)) return undefined
      held.set(key, found)
      return found
    },
    remember(key, found) {
      held.delete(key)
      held.set(key, found)
      if (held.size > most) held.delete(held.keys().next().value as string)
    },
    forget(key) {
      held.delete(key)
    },
  }
}

/** Names what a session may be resumed under: a digest of the peer's place and name, and of all that decides on trust. */
export type NameSession = (options: ConnectionOptions) => string | undefined

/** Creates it. Objects and functions are told apart by identity, so options that are the same objects share sessions. */
export function createSessionNames(): NameSession {
  const numbers = new WeakMap<object, number>()
  let count = 0
  const write = (value: unknown): string => {
    if (ArrayBuffer.isView(value)) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      return `bytes ${createHash('sha256').update(bytes).digest('hex')}`
    }
    if (Array.isArray(value)) return `[${value.map(write).join()}]`
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
      return `${typeof value} ${JSON.stringify(value === undefined ? null : String(value))}`
    }
    const number = numbers.get(value) ?? ++count
    numbers.set(value, number)
    return `object ${number}`
  }
  return (options) => {
    const { host, servername, port, path } = options
    // A socket that is given, to nobody by name: nothing says to whom it leads.
    if (!host && !servername && !path) return undefined
    const text = [
      host,
      servername,
      port,
      path,
      ...trust.map((name) => (options as Readonly<Record<string, unknown>>)[name]),
    ]
      .map(write)
      .join('\n')
    return createHash('sha256').update(text).digest('base64')
  }
}

/** The options of tls.connect that decide whom it trusts, who it is itself, and what it agrees to. */
const trust: readonly string[] = [
  'ALPNProtocols',
  'allowPartialTrustChain',
  'ca',
  'cert',
  'checkServerIdentity',
  'ciphers',
  'clientCertEngine',
  'crl',
  'ecdhCurve',
  'key',
  'localAddress',
  'maxVersion',
  'minDHSize',
  'minVersion',
  'passphrase',
  'pfx',
  'privateKeyEngine',
  'privateKeyIdentifier',
  'pskCallback',
  'rejectUnauthorized',
  'secureContext',
  'secureOptions',
  'secureProtocol',
  'sigalgs',
]
