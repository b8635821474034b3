/**
 * The verifying client: the door `staplewright/peer`. Only re-exports; start at verifier.ts.
 *
 * A connection is handed over when its peer's certificate is known to be good, by its staple or by its CA, or not at all.
 */
export { type ErrorCode, isStapleError, StapleError } from '../../errors.ts'
export { type Clock, systemClock } from '../../keep/clock.ts'
export { createFetcher, type Fetcher, type FetcherOptions } from '../../keep/fetch/index.ts'
export type { Certificate } from '../../pki/x509/certificate.ts'
export {
  createStatusAsker,
  type RevocationPolicy,
  type StatusAnswer,
  type StatusAsker,
  type StatusAskerOptions,
  type StatusQuestion,
} from '../revocation/index.ts'
export type { Connector, ConnectorOptions } from './connector.ts'
export type { PeerPolicy, PeerVerdict, PeerVerifierOptions } from './contract.ts'
export { createPeerAgent, createPeerVerifier, type PeerVerifier } from './verifier.ts'
export { type PeerLink, type PeerLinksVerdict, type VerifyPeerOptions, verifyPeer } from './verify-peer.ts'
