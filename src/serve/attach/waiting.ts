/** Waiting for staples: until all are in, or for a bounded time. */
import type { Clock } from '../../keep/clock.ts'
import type { Keeper, StapleState } from '../../keep/keeper/index.ts'
import type { Shown } from './shown.ts'

/** A certificate that the mode staples and that has nothing to staple yet, or never will. */
export interface PendingCertificate {
  readonly certificateKey: string
  readonly label: string
  readonly stapleState: StapleState
  /** What its last attempt failed on, and why. */
  readonly lastError?: { readonly code: string; readonly message: string; readonly at: Date }
  /** Of an `unsupported` one: why nobody is ever asked. */
  readonly unsupportedReason?: string
}

/**
 * Those of the certificates that are not in. A revocation is in: it is an answer. That a CA has no responder is one too;
 * not that its responder cannot be asked for want of the issuer, or that clients will miss the staple (Must-Staple).
 */
export function listPending(shown: readonly Shown[]): PendingCertificate[] {
  const pending: PendingCertificate[] = []
  for (const { certificateKey, label, entry } of shown) {
    if (entry === undefined) continue
    const { staple, isRevoked, stapleState } = entry.servable()
    if (staple !== undefined || isRevoked) continue
    const { lastError, unsupportedReason, mustStaple, responderURL } = entry.status()
    if (stapleState === 'unsupported' && !mustStaple && responderURL === undefined) continue
    pending.push({
      certificateKey,
      label,
      stapleState,
      ...(lastError && { lastError }),
      ...(unsupportedReason !== undefined && { unsupportedReason }),
    })
  }
  return pending
}

/** Resolves when nothing is waited for any more, at the latest after the timeout. Looks again at each event of the keeper. */
export async function awaitStaples(
  keeper: Keeper,
  clock: Clock,
  timeoutMs: number,
  shown: readonly Shown[],
): Promise<void> {
  const isIn = () => listPending(shown).every(({ stapleState }) => stapleState === 'unsupported')
  if (isIn()) return
  const release = holdProcessOpen()
  await new Promise<void>((resolve) => {
    const end = () => {
      unsubscribe()
      cancel()
      resolve()
    }
    const unsubscribe = keeper.subscribe(() => {
      if (isIn()) end()
    })
    const cancel = clock.wake(timeoutMs, end)
    if (isIn()) end()
  })
  release()
}

/**
 * Nothing of a keeper keeps a process alive, and a server that does not listen yet does not either: without this a
 * process that awaits its staples while a responder is down would just end.
 */
function holdProcessOpen(): () => void {
  const { port1 } = new MessageChannel()
  port1.ref()
  return () => port1.close()
}
