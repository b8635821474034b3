/**
 * One TLS handshake over a wire: whatever it shows is written down as soon as it is seen, so that what fails later, as a
 * server that wants a client certificate, takes nothing away.
 *
 * Never `getPeerX509Certificate()`: it damages the chain on Node 20 to 24.
 */
import { X509Certificate } from 'node:crypto'
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect,
  type DetailedPeerCertificate,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls'
import { finishTrust, judgeUnfinished } from './judge-chain.ts'
import type { HandshakeRecord, TlsVersion, TrustRecord } from './record.ts'
import type { Roots } from './trust.ts'
import type { Wire } from './wire.ts'

export interface HandshakeRequest {
  readonly context: SecureContext
  readonly roots: Roots
  /** Sent as SNI. */
  readonly serverName: string | undefined
  /** What the certificate must be for: a name or an address. */
  readonly identity: string
  readonly alpn: readonly string[]
  readonly at: Date
}

export interface Handshake {
  readonly socket: TLSSocket
  /** Ends with the handshake; rejects with what Node says. */
  readonly finished: Promise<void>
  /** What went wrong on the connection, also after its end. */
  error(): Error | undefined
  /** What has been seen so far; undefined: no certificate yet. */
  seen(): HandshakeRecord | undefined
}

/** Node documents `requestOCSP` for `connect`; the types of Node 22 do not have it yet. */
type Options = ConnectionOptions & { readonly requestOCSP: boolean }

export function beginHandshake(wire: Wire, request: HandshakeRequest): Handshake {
  let identityError: Error | undefined
  let sight: Sight | undefined
  let record: HandshakeRecord | undefined
  let failure: Error | undefined
  const options: Options = {
    socket: wire.toStream() as unknown as TLSSocket,
    host: request.identity,
    ...(request.serverName === undefined ? {} : { servername: request.serverName }),
    secureContext: request.context,
    rejectUnauthorized: false,
    requestOCSP: true,
    minDHSize: 1,
    ALPNProtocols: [...request.alpn],
    checkServerIdentity: (_host, certificate) => {
      identityError = checkIdentity(request.identity, certificate)
      return identityError
    },
  }
  const socket = connect(options)

  // before the end of the handshake: with TLS 1.2, a server that then asks for a client certificate has shown this much
  socket.on('OCSPResponse', (response: Buffer | null) => {
    try {
      sight = look(socket, request.roots, response)
    } catch (error) {
      socket.destroy(error as Error) // from here it would end the process
    }
  })
  const finished = new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', () => {
      sight ??= look(socket, request.roots, null)
      if (sight) record = { ...factsOf(socket, sight), trust: finishTrust(socket, identityError) }
      resolve()
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed')))
  })
  socket.on('error', (error) => {
    failure ??= error
  })

  return {
    socket,
    finished,
    error: () => failure,
    seen() {
      if (record || !sight) return record
      const trust: TrustRecord = judgeUnfinished(sight.chain, request.roots, request.identity, request.at)
      return { ...factsOf(socket, sight), trust }
    },
  }
}

/** Names that Node cannot read make it throw, where nobody could catch it. */
function checkIdentity(identity: string, certificate: PeerCertificate): Error | undefined {
  try {
    return checkServerIdentity(identity, certificate)
  } catch (error) {
    return error as Error
  }
}

/** What is there when the staple comes. */
interface Sight {
  readonly version: TlsVersion
  readonly chain: readonly Uint8Array[]
  readonly keyFamily: string
  readonly staple: Uint8Array | null
}

function look(socket: TLSSocket, roots: Roots, staple: Buffer | null): Sight | undefined {
  const leaf = socket.getPeerCertificate(true)
  if (!leaf?.raw) return undefined
  const chain = [...linksOf(leaf)]
  // Node goes on with what the trust store has; a root that the server sends as well makes no difference to anybody
  const last = chain.at(-1)
  if (chain.length > 1 && last && roots.has(last)) chain.pop()
  return {
    version: socket.getProtocol() as TlsVersion,
    chain,
    keyFamily: keyFamilyOf(leaf.raw),
    staple: staple === null || staple.length === 0 ? null : new Uint8Array(staple),
  }
}

/** The leaf and what Node linked to it; a root's issuer is itself. */
function* linksOf(leaf: DetailedPeerCertificate): Generator<Uint8Array> {
  const seen = new Set<DetailedPeerCertificate>()
  for (
    let link: DetailedPeerCertificate | undefined = leaf;
    link?.raw && !seen.has(link);
    link = link.issuerCertificate
  ) {
    seen.add(link)
    yield new Uint8Array(link.raw)
  }
}

function keyFamilyOf(der: Buffer): string {
  try {
    const type = new X509Certificate(der).publicKey.asymmetricKeyType
    return type === 'ec' ? 'ecdsa' : (type ?? 'unknown')
  } catch {
    return 'unknown' // a curve or algorithm that OpenSSL has no name for
  }
}

function factsOf(socket: TLSSocket, sight: Sight): Omit<HandshakeRecord, 'trust'> {
  const cipher = socket.getCipher() as ReturnType<TLSSocket['getCipher']> | undefined
  return {
    ...sight,
    cipher: cipher?.standardName ?? 'unknown',
    ...(socket.alpnProtocol ? { alpn: socket.alpnProtocol } : {}),
  }
}
