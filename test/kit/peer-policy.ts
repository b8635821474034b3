/** How clients are judged where a test is about something else: nats-server's defaults, one attempt of five seconds. */
import type { PeerPolicy } from '../../src/serve/terminator/index.ts'

export const peerPolicy: PeerPolicy = {
  deadlineMs: 5_000,
  caTimeoutMs: 5_000,
  allowedClockSkewMs: 30_000,
  maxAgeWithoutNextUpdateMs: 3_600_000,
  isWarnOnly: false,
  isUnknownGood: false,
  isUnreachableAllowed: false,
  whenNoResponder: 'allow',
  revocation: 'ocsp',
  recheckMs: 0,
  responders: [],
}
