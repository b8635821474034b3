/**
 * Clients between their handshake and the backend: judged by what their CAs say of them, and again while they stay.
 *
 * Node has no way to wait inside a handshake for somebody's word about a client's certificate, so it is judged right
 * after it. Nothing is read, dialled or relayed meanwhile; until then it counts as a handshake and its limits hold.
 * What outlives a reload is here, since connections do.
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../../keep/clock.ts'
import { certificateKey } from '../../pki/x509/crypto.ts'
import type { ClientChain } from './client-auth.ts'
import type { PeerRefused, PeersClosed, PeerWarned } from './events.ts'
import type { Counts } from './load.ts'
import type { JudgePeer, PeerJudgement, PeerPolicy, PeerQuestion } from './options.ts'
import type { Site } from './site.ts'

export interface Peers {
  /** Judges a client that has shaken hands; calls back if it may come in, and closes it if not. */
  admit(client: TLSSocket, about: PeerEntrance, admitted: () => void): void
  /** Asks nobody any more. */
  close(): void
}

export interface PeerEntrance {
  readonly site: Pick<Site, 'chainOf'>
  readonly policy: PeerPolicy
  addressOf(client: Socket): string | undefined
}

export interface PeersOptions {
  readonly judge: JudgePeer
  readonly clock: Clock
  readonly counts: Counts
  announce(event: PeerRefused | PeerWarned | PeersClosed): void
}

/** Creates the place where clients wait for their verdict; nobody is there. */
export function createPeers({ judge, clock, counts, announce }: PeersOptions): Peers {
  /** By policy and leaf: whoever shows the same certificate is asked about once. */
  const present = new Map<PeerPolicy, Map<string, Presence>>()
  const closing = new AbortController()
  const waiting = new Set<AbortController>()

  async function ask(question: PeerQuestion, signal: AbortSignal): Promise<PeerJudgement> {
    let cancel: (() => void) | undefined
    // Whoever judges has the deadline too; a client is not to hang on one who forgot it.
    const late = new Promise<PeerJudgement>((resolve) => {
      const { deadlineMs } = question.policy
      const message = `no verdict within ${deadlineMs} ms`
      cancel = clock.wake(deadlineMs + patienceMs, () => resolve(withoutAnswer(question.policy, message)))
    })
    try {
      return await Promise.race([judge(question, signal), late])
    } catch (thrown) {
      return withoutAnswer(question.policy, thrown instanceof Error ? thrown.message : String(thrown))
    } finally {
      cancel?.()
    }
  }

  async function admit(client: TLSSocket, about: PeerEntrance, admitted: () => void): Promise<void> {
    const { policy, site, addressOf } = about
    const left = new AbortController()
    waiting.add(left)
    const leave = () => left.abort()
    client.on('error', ignore)
    client.once('close', leave)
    const chain = site.chainOf(client)
    const question = { ...chain, policy, ...(policy.recheckMs > 0 && { maxAgeMs: policy.recheckMs }) }
    const judgement = await ask(question, left.signal)
    waiting.delete(left)
    client.off('close', leave)
    if (client.destroyed) return
    const { outcome, reason, subject, message } = judgement
    const remoteAddress = addressOf(client)
    const told = { at: clock.now(), reason, subject, remoteAddress, ...(message !== undefined && { message }) }
    if (outcome === 'refused') {
      counts.refusedPeers++
      client.destroy()
      announce({ type: 'peer-refused', ...told })
      return
    }
    counts.acceptedPeers++
    if (outcome === 'warned') {
      counts.warnedPeers++
      announce({ type: 'peer-warned', ...told })
    }
    if (policy.recheckMs > 0) watch(client, chain, policy)
    client.off('error', ignore)
    admitted()
  }

  function watch(client: TLSSocket, chain: ClientChain, policy: PeerPolicy): void {
    const [leaf] = chain.chain
    if (leaf === undefined) return
    const key = certificateKey(leaf)
    const ofPolicy = present.get(policy) ?? new Map<string, Presence>()
    present.set(policy, ofPolicy)
    const presence = ofPolicy.get(key) ?? { connections: new Set(), chain, cancel: ignore }
    if (presence.connections.size === 0) {
      ofPolicy.set(key, presence)
      const again = () => {
        presence.cancel = clock.wake(policy.recheckMs, again)
        void judgeAgain(presence, policy)
      }
      presence.cancel = clock.wake(policy.recheckMs, again)
    }
    presence.connections.add(client)
    client.once('close', () => {
      presence.connections.delete(client)
      if (presence.connections.size > 0) return
      presence.cancel()
      ofPolicy.delete(key)
      if (ofPolicy.size === 0) present.delete(policy)
    })
  }

  /**
   * Only a signed revocation cuts a connection: a CA that is silent, or has forgotten a certificate for a moment, says
   * nothing against who is connected.
   */
  async function judgeAgain({ connections, chain }: Presence, policy: PeerPolicy): Promise<void> {
    // Of several processes with the same client one asks, and the others hear what it was told.
    const maxAgeMs = Math.ceil(policy.recheckMs / 2)
    const { outcome, reason, subject, message } = await ask({ ...chain, policy, maxAgeMs }, closing.signal)
    if (outcome !== 'refused' || reason !== 'revoked' || connections.size === 0) return
    const cut = [...connections]
    counts.closedPeers += cut.length
    for (const client of cut) client.destroy()
    const told = { at: clock.now(), reason, subject, ...(message !== undefined && { message }) }
    announce({ type: 'peers-closed', connections: cut.length, ...told })
  }

  return {
    admit(client, about, admitted) {
      // Nothing is known to throw; if something does, nobody comes in by it.
      admit(client, about, admitted).catch(() => client.destroy())
    },
    close() {
      closing.abort()
      for (const left of waiting) left.abort()
      for (const ofPolicy of present.values()) for (const { cancel } of ofPolicy.values()) cancel()
    },
  }
}

/** The open connections of one certificate. */
interface Presence {
  readonly connections: Set<TLSSocket>
  readonly chain: ClientChain
  cancel: () => void
}

function withoutAnswer(policy: PeerPolicy, message: string): PeerJudgement {
  const outcome = policy.isWarnOnly || policy.isUnreachableAllowed ? 'warned' : 'refused'
  return { outcome, reason: 'unavailable', subject: '', message }
}

/** More than a message to another process and back takes. */
const patienceMs = 1_000

/** 'close' follows every 'error'. */
function ignore(): void {}
