/**
 * The one 'OCSPRequest' listener of a server: it runs in every handshake of a client that asks for a status.
 *
 * It answers at once, out of memory, and never throws: on Node 20 and 22 that would end the process. Exactly one
 * listener may answer, since a second answer kills the connection; so nobody may add another while this one stands.
 */
import type { Server } from 'node:tls'
import { StapleError } from '../../errors.ts'
import type { Clock } from '../../keep/clock.ts'
import type { Announcer } from './announcer.ts'
import type { AttachEvent } from './events.ts'
import { judgeHandshake, type Policies } from './policy.ts'
import type { Showcase } from './shown.ts'

export type StatusCallback = (error: Error | null, staple: Buffer | null) => void
export type StatusListener = (certificate: Buffer | null, issuer: Buffer | null, callback: StatusCallback) => void

/** Counts since the start, of handshakes that asked for a status. */
export interface StatusTally {
  stapled: number
  unstapled: number
  refused: number
}

/** Creates the listener for what a showcase holds. */
export function createStatusListener(
  showcase: Showcase,
  policies: Policies,
  clock: Clock,
  announce: Announcer<AttachEvent>['announce'],
): { readonly listener: StatusListener; readonly tally: StatusTally } {
  const tally: StatusTally = { stapled: 0, unstapled: 0, refused: 0 }
  const listener: StatusListener = (certificate, issuer, callback) => {
    let staple: Buffer | null = null
    let refusal: Error | null = null
    try {
      const shown =
        certificate === null ? undefined : (showcase.find(certificate) ?? showcase.learn(certificate, issuer))
      if (shown?.entry) {
        const verdict = judgeHandshake(shown.entry.servable(), policies)
        if (verdict.kind === 'staple') staple = verdict.staple as Buffer
        else if (verdict.kind === 'refuse') {
          const { reason } = verdict
          const { certificateKey, label } = shown
          refusal = new StapleError('ERR_ATTACH_REFUSED', `handshake refused: ${label}: ${reason}`, {
            reason,
            certificateKey,
          })
          announce({ type: 'handshake-refused', at: clock.now(), reason, certificateKey, label })
        }
      }
    } catch (error) {
      // Better a handshake without a staple than none at all.
      announce({ type: 'failed', at: clock.now(), error: error as Error })
      staple = null
    }
    if (refusal !== null) tally.refused++
    else if (staple === null) tally.unstapled++
    else tally.stapled++
    // Outside of the try: what the rest of the handshake throws, in listeners of the user's, is not ours to catch.
    callback(refusal, staple)
  }
  return { listener, tally }
}

/**
 * Adds the listener, and keeps the place for it alone.
 *
 * @returns a function that takes it away again
 * @throws {@link StapleError} `ERR_ATTACH_LISTENER` when the place is taken
 */
export function ownStatusRequests(server: Server, listener: StatusListener, refused: () => void): () => void {
  if (server.listenerCount('OCSPRequest') > 0) throw listenerError('the server already has a listener for OCSPRequest')
  const guard = (event: string | symbol) => {
    if (event !== 'OCSPRequest') return
    refused()
    throw listenerError(
      'this server is stapled by Staplewright: a second listener for OCSPRequest would end every handshake',
    )
  }
  server.on('OCSPRequest', listener as never)
  server.on('newListener', guard)
  return () => {
    server.off('newListener', guard)
    server.off('OCSPRequest', listener as never)
  }
}

function listenerError(message: string): StapleError {
  return new StapleError('ERR_ATTACH_LISTENER', message, {})
}
