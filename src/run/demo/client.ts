/**
 * The demo's client: connects as a browser would, asks for the staple, and judges it as strictly as any client does.
 */
import { type ConnectionOptions, connect, type DetailedPeerCertificate } from 'node:tls'
import { isStapleError, type StapleError } from '../../errors.ts'
import { systemClock } from '../../keep/clock.ts'
import { type VerifiedOcspResponse, verifyOcspResponse } from '../../pki/ocsp/index.ts'

/** What one connection saw. */
export interface Sighting {
  readonly protocol: string
  /** Whether the chain and the name were accepted by Node. */
  readonly isAuthorized: boolean
  readonly staple?: Uint8Array
  /** The staple as a strict client reads it: no tolerance on nextUpdate, 300 s on thisUpdate. */
  readonly verified?: VerifiedOcspResponse
  /** Why a strict client refuses the staple. */
  readonly refusal?: StapleError
  /** The first line of the backend's answer. */
  readonly answer: string
  readonly elapsedMs: number
}

/** Connects once. Rejects when there is no connection to be had. */
export async function look(port: number, rootPem: string, now: () => Date): Promise<Sighting> {
  const started = systemClock.monotonicMs()
  // requestOCSP is documented for tls.connect, but the type definitions lack it.
  const options: ConnectionOptions & { requestOCSP: true } = {
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    ca: [rootPem],
    requestOCSP: true,
  }
  return await new Promise((resolve, reject) => {
    let staple: Buffer | null = null
    let answer = ''
    let elapsedMs = 0
    const socket = connect(options)
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer within 5 s')))
    socket.once('OCSPResponse', (response: Buffer | null) => {
      staple = response
    })
    socket.once('secureConnect', () => {
      elapsedMs = systemClock.monotonicMs() - started
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    })
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
    })
    socket.once('error', reject)
    socket.once('end', () => {
      const peer = socket.getPeerCertificate(true)
      const firstLine = answer.split('\r\n')[0] ?? ''
      const protocol = socket.getProtocol() ?? 'TLS'
      resolve({
        protocol,
        isAuthorized: socket.authorized,
        answer: firstLine,
        elapsedMs,
        ...judge(staple, peer, now()),
      })
      socket.destroy()
    })
  })
}

function judge(
  staple: Buffer | null,
  peer: DetailedPeerCertificate,
  at: Date,
): Pick<Sighting, 'staple' | 'verified' | 'refusal'> {
  if (!staple || staple.length === 0) return {}
  try {
    const verified = verifyOcspResponse(staple, { certificate: peer.raw, issuer: peer.issuerCertificate.raw, at })
    return { staple, verified }
  } catch (thrown) {
    if (!isStapleError(thrown)) throw thrown
    return { staple, refusal: thrown }
  }
}
