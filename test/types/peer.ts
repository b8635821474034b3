// Compiled in a consumer's project: the verifying client behind each door, and what it tells.
import { get } from 'node:https'
import {
  createPeerAgent,
  createPeerVerifier,
  isStapleError,
  type PeerPolicy,
  type PeerVerdict,
  type PeerVerifier,
} from 'staplewright/peer'

const policy: PeerPolicy = 'staple-or-ask'
export const verifier: PeerVerifier = createPeerVerifier({ policy, revocation: 'ocsp-then-crl', intermediates: true })

get('https://example.com/', { agent: createPeerAgent({ policy: 'require' }, { ca: 'PEM' }) }, (response) => {
  const verdict: PeerVerdict | undefined = verifier.verdictOf(response.socket)
  console.log(verdict?.source, verdict?.usableUntil?.toISOString(), verdict?.staple?.signer.name)
})

// The shape that undici calls `connect`.
const connect: (
  options: { hostname: string; host?: string; protocol: string; port: string; servername?: string },
  callback: (...outcome: [null, import('node:tls').TLSSocket] | [Error, null]) => void,
) => void = verifier.connector({ ca: 'PEM' })
connect({ hostname: 'example.com', protocol: 'https:', port: '443' }, (error, socket) => console.log(error, socket))

try {
  const socket = await verifier.connect({ host: 'example.com', port: 443 }, AbortSignal.timeout(1000))
  socket.end()
} catch (error) {
  if (isStapleError(error, 'ERR_PEER_REVOKED')) console.log(error.detail.certificate)
  if (isStapleError(error, 'ERR_PEER_STATUS_UNAVAILABLE')) console.log(error.detail.causes.length, error.detail.peer)
}
// @ts-expect-error there is no such policy
createPeerVerifier({ policy: 'strict' })
