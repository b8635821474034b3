/**
 * The verifying client put together: one asker, one cache and one memory of sessions behind every way to connect.
 */

import type { ClientHttp2Session, SecureClientSessionOptions } from 'node:http2'
import type { Agent, AgentOptions } from 'node:https'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { systemClock } from '../../keep/clock.ts'
import { createFetcher } from '../../keep/fetch/index.ts'
import { createStatusAsker } from '../revocation/index.ts'
import { createAgent } from './agent.ts'
import { type Connector, createConnector } from './connector.ts'
import type { PeerVerdict, PeerVerifierOptions } from './contract.ts'
import { openHttp2 } from './http2.ts'
import { isStanding, type OpenOptions, openPeer } from './open.ts'
import { peerPolicies } from './policy.ts'
import { createSessionMemory, createSessionNames } from './sessions.ts'

/** Opens connections that were judged before the caller gets them. */
export interface PeerVerifier {
  /**
   * As tls.connect, but the socket comes when its peer has been accepted. `session` and `requestOCSP` are its own.
   *
   * @throws {@link StapleError} `ERR_PEER_…` when the policy refuses the peer; Node's own error when Node does; the
   * signal's reason when aborted
   */
  connect(options: ConnectionOptions, signal?: AbortSignal): Promise<TLSSocket>
  /** An Agent for https.request, and for axios, got and others that take one. Not for plain http. */
  agent(options?: AgentOptions): Agent
  /** A `connect` function for undici's Agent, Pool or Client; the options are those of tls.connect. */
  connector(options?: ConnectionOptions): Connector
  /** As http2.connect, but the session comes when its peer has been accepted. */
  connectHttp2(authority: string | URL, options?: SecureClientSessionOptions): Promise<ClientHttp2Session>
  /** What was learned of the peer of a socket or HTTP/2 session that came from here. */
  verdictOf(connection: object | null | undefined): PeerVerdict | undefined
  /** Ends what is being asked. Connections stay. */
  close(): Promise<void>
}

/**
 * Creates a verifying client. It opens nothing before it is used.
 *
 * @example Fetch only from who can show a good certificate
 * ```ts
 * const verifier = createPeerVerifier({ policy: 'staple-or-ask' })
 * const socket = await verifier.connect({ host: 'example.com', port: 443, servername: 'example.com' })
 * console.log(verifier.verdictOf(socket)?.source)
 * socket.end()
 * ```
 */
export function createPeerVerifier(options: PeerVerifierOptions = {}): PeerVerifier {
  const { clock = systemClock, policy = 'staple-or-ask', revocation = 'ocsp-then-crl' } = options
  if (!peerPolicies.includes(policy)) throw new TypeError(`policy must be ${peerPolicies.join(', ')}, not ${policy}`)
  if (!revocations.includes(revocation)) {
    throw new TypeError(`revocation must be ${revocations.join(', ')}, not ${revocation}`)
  }
  const { judgeTimeoutMs = 10_000, maxAgeMs = 43_200_000, connectTimeoutMs = 10_000 } = options
  const danger = { allowSha1Signatures: options.danger?.allowSha1Signatures === true }
  const staplePolicies = {
    danger,
    ...given(options, 'allowedClockSkewMs', 'maxAgeWithoutNextUpdateMs', 'delegateWithoutNocheck'),
  }
  const ownFetcher =
    options.fetcher === undefined
      ? createFetcher({
          clock,
          privateAddresses: { operator: 'allow', stranger: options.privateAddresses ?? 'refuse' },
          ...staplePolicies,
          ...given(options, 'proxy', 'lookup'),
        })
      : undefined
  const asker = createStatusAsker({
    clock,
    fetcher: options.fetcher ?? (ownFetcher as NonNullable<typeof ownFetcher>),
    policy: revocation,
    maxAgeMs,
    deadlineMs: judgeTimeoutMs,
    ...given(options, 'cacheEntries', 'unavailableMs', 'allowedClockSkewMs'),
  })
  const open: OpenOptions = {
    clock,
    asker,
    judge: {
      clock,
      asker,
      policy,
      revocation,
      intermediates: options.intermediates === true,
      judgeTimeoutMs,
      staplePolicies: { ...staplePolicies, ...given(options, 'nextUpdateToleranceMs') },
    },
    connectTimeoutMs,
    maxAgeMs,
    ...(options.resumption !== 'off' && {
      sessions: { memory: createSessionMemory(options.maxSessions ?? 100), nameOf: createSessionNames() },
    }),
    isUnverifiedAllowed: options.danger?.unverifiedChain === true,
    judged: options.judged,
    proofs: new WeakMap(),
  }
  const connect = (o: ConnectionOptions, signal?: AbortSignal) => openPeer(open, o, signal)
  return {
    connect,
    agent(agentOptions = {}) {
      const holds = (socket: object) => {
        const judged = open.proofs.get(socket)
        return judged === undefined || isStanding(open, judged)
      }
      return createAgent({ open: connect, isHolding: holds }, agentOptions)
    },
    connector: (tlsOptions = {}) => createConnector(connect, tlsOptions),
    async connectHttp2(authority, http2Options = {}) {
      const { session, socket } = await openHttp2(connect, authority, http2Options)
      const judged = open.proofs.get(socket)
      if (judged !== undefined) open.proofs.set(session, judged)
      return session
    },
    verdictOf: (connection) => (connection ? open.proofs.get(connection)?.verdict : undefined),
    async close() {
      await asker.close()
      await ownFetcher?.close()
    },
  }
}

/**
 * Creates an https.Agent whose peers are judged before a request is written: `createPeerVerifier(options).agent()`.
 *
 * The Agent's own options, as `ca`, stand beside the verifier's.
 */
export function createPeerAgent(options: PeerVerifierOptions = {}, agentOptions: AgentOptions = {}): Agent {
  return createPeerVerifier(options).agent(agentOptions)
}

const revocations: readonly string[] = ['ocsp', 'crl', 'ocsp-then-crl']

/** The named options that were given, so that absent ones stay absent. */
function given<T extends object, K extends keyof T>(
  options: T,
  ...names: K[]
): { [P in K]?: Exclude<T[P], undefined> } {
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  ) as { [P in K]?: Exclude<T[P], undefined> }
}
